//! Event filter patterns, in the subset that the template uses.

use std::collections::BTreeMap;

use serde_json::Value;

/// The longest pattern that Lambda takes.
const MAX_PATTERN_BYTES: usize = 4096;

/// Why a filter pattern cannot be evaluated here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The length in bytes.
    #[error("the pattern has {0} bytes, the most are {MAX_PATTERN_BYTES}")]
    TooLong(usize),
    #[error("the pattern is no JSON: {0}")]
    Json(String),
    /// The pattern uses something other than objects of fields, lists of texts, and `exists`.
    #[error("{path}: {problem}; known are objects, lists of exact texts, and {{\"exists\": true|false}}")]
    Unknown {
        /// The fields from the root, with dots.
        path: String,
        problem: String,
    },
}

/// A filter pattern. All fields of an object must match, and of a list one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterPattern(PatternNode);

#[derive(Clone, Debug, PartialEq, Eq)]
enum PatternNode {
    Fields(BTreeMap<String, PatternNode>),
    AnyOf(Vec<Test>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Equals(String),
    Exists(bool),
}

impl FilterPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// When the text is no pattern, or uses an operator that cannot be evaluated here.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong(text.len()));
        }
        let value = serde_json::from_str(text).map_err(|error| PatternError::Json(error.to_string()))?;
        match &value {
            Value::Object(_) => pattern("$", &value).map(Self),
            other => Err(unknown("$", format!("{other} is no object"))),
        }
    }

    /// Whether the record matches.
    #[must_use]
    pub fn matches(&self, record: &Value) -> bool {
        self.0.matches(Some(record))
    }
}

fn unknown(path: &str, problem: String) -> PatternError {
    PatternError::Unknown { path: path.to_owned(), problem }
}

fn pattern(path: &str, value: &Value) -> Result<PatternNode, PatternError> {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let fields = fields.iter().map(|(name, inner)| field(path, name, inner));
            Ok(PatternNode::Fields(fields.collect::<Result<_, _>>()?))
        }
        Value::Array(tests) if !tests.is_empty() => {
            let tests = tests.iter().map(|inner| test(path, inner));
            Ok(PatternNode::AnyOf(tests.collect::<Result<_, _>>()?))
        }
        other => Err(unknown(path, format!("{other} is no pattern"))),
    }
}

fn field(path: &str, name: &str, value: &Value) -> Result<(String, PatternNode), PatternError> {
    let path = format!("{path}.{name}");
    if name.starts_with('$') {
        return Err(unknown(&path, format!("unknown operator \"{name}\"")));
    }
    Ok((name.to_owned(), pattern(&path, value)?))
}

fn test(path: &str, value: &Value) -> Result<Test, PatternError> {
    match value {
        Value::String(text) => Ok(Test::Equals(text.clone())),
        Value::Object(operator) if operator.len() == 1 => match operator.get("exists") {
            Some(Value::Bool(wanted)) => Ok(Test::Exists(*wanted)),
            _ => Err(unknown(path, format!("unknown operator {value}"))),
        },
        other => Err(unknown(path, format!("unknown operator or value {other}"))),
    }
}

impl PatternNode {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Fields(_), Some(Value::Array(items))) => items.iter().any(|item| self.matches(Some(item))),
            (Self::Fields(fields), _) => {
                fields.iter().all(|(name, inner)| inner.matches(value.and_then(|value| value.get(name))))
            }
            (Self::AnyOf(tests), _) => tests.iter().any(|test| test.matches(value)),
        }
    }
}

impl Test {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Equals(text), Some(Value::Array(items))) => items.iter().any(|item| item == text),
            (Self::Equals(text), _) => value.is_some_and(|value| value == text),
            // Only a leaf exists: AWS does not see an object as a value.
            (Self::Exists(wanted), _) => *wanted == value.is_some_and(|value| !value.is_object()),
        }
    }
}
