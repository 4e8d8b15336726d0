//! A value of the template with its path, so that every error can name it.

use std::ops::RangeInclusive;

use serde_yaml_ng::Value;

use super::error::TemplateError;

/// The limit of CloudFormation on resources; no list of a resource has more.
const MAX_ENTRIES: usize = 500;

/// A value, and the path to it.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    resource: &'a str,
    path: String,
    value: &'a Value,
}

/// An intrinsic function that refers to a part of the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intrinsic<'a> {
    Ref(&'a str),
    Attribute(&'a str, &'a str),
    Sub(&'a str),
}

impl<'a> Node<'a> {
    pub(super) const fn new(resource: &'a str, value: &'a Value) -> Self {
        Self { resource, path: String::new(), value }
    }

    pub(super) const fn resource(&self) -> &'a str {
        self.resource
    }

    /// The value as the root of a named resource.
    pub(super) const fn named(&self, resource: &'a str) -> Self {
        Self::new(resource, self.value)
    }

    /// The resource's properties, with paths that begin there; an empty value where it has none.
    pub(super) fn properties(&self) -> Self {
        Self::new(self.resource, self.get("Properties").map_or(&Value::Null, |node| node.value))
    }

    fn below(&self, key: &str, value: &'a Value) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { resource: self.resource, path, value }
    }

    /// The value under a key, if present.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let Value::Mapping(mapping) = self.value else { return None };
        mapping.get(key).filter(|value| !value.is_null()).map(|value| self.below(key, value))
    }

    /// The value under a required key.
    pub(super) fn need(&self, key: &str) -> Result<Self, TemplateError> {
        self.get(key).ok_or_else(|| TemplateError::Missing {
            resource: self.resource.to_owned(),
            property: self.below(key, self.value).path,
        })
    }

    /// The entries of a mapping, in the order of the template.
    pub(super) fn entries(&self) -> Result<Vec<(&'a str, Self)>, TemplateError> {
        let Value::Mapping(mapping) = self.value else { return Err(self.unexpected("a mapping")) };
        if mapping.len() > MAX_ENTRIES {
            return Err(self.unexpected("a mapping of at most 500 entries"));
        }
        mapping
            .iter()
            .map(|(key, value)| {
                let key = key.as_str().ok_or_else(|| self.unexpected("a mapping with texts as keys"))?;
                Ok((key, self.below(key, value)))
            })
            .collect()
    }

    /// The entries of a list.
    pub(super) fn items(&self) -> Result<Vec<Self>, TemplateError> {
        let Value::Sequence(items) = self.value else { return Err(self.unexpected("a list")) };
        if items.len() > MAX_ENTRIES {
            return Err(self.unexpected("a list of at most 500 entries"));
        }
        Ok(items.iter().enumerate().map(|(place, item)| self.below(&place.to_string(), item)).collect())
    }

    /// The entries of an optional list.
    pub(super) fn items_of(&self, key: &str) -> Result<Vec<Self>, TemplateError> {
        self.get(key).map_or(Ok(Vec::new()), |node| node.items())
    }

    /// The value as text that is no intrinsic function.
    pub(super) fn text(&self) -> Result<&'a str, TemplateError> {
        match self.value {
            Value::String(text) => Ok(text),
            _ => Err(self.unexpected("a text")),
        }
    }

    /// A text, a number or a boolean, as text.
    pub(super) fn scalar(&self) -> Result<String, TemplateError> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(truth.to_string()),
            _ => Err(self.unexpected("a text or a number")),
        }
    }

    /// The value as a whole number within bounds.
    pub(super) fn number(
        &self,
        range: RangeInclusive<i64>,
        expected: &'static str,
    ) -> Result<i64, TemplateError> {
        let number = match self.value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.filter(|number| range.contains(number)).ok_or_else(|| self.unexpected(expected))
    }

    /// A boolean; false where the property is absent.
    pub(super) fn flag(&self, key: &str) -> Result<bool, TemplateError> {
        let Some(node) = self.get(key) else { return Ok(false) };
        node.value.as_bool().ok_or_else(|| node.unexpected("true or false"))
    }

    /// The value as an intrinsic function, in its short or its long form.
    pub(super) fn intrinsic(&self) -> Option<Intrinsic<'a>> {
        match self.value {
            Value::Tagged(tagged) => intrinsic(tagged.tag.to_string().trim_start_matches('!'), &tagged.value),
            Value::Mapping(mapping) if mapping.len() == 1 => {
                let (name, value) = mapping.iter().next()?;
                let name = name.as_str()?;
                intrinsic(name.strip_prefix("Fn::").unwrap_or(name), value)
            }
            _ => None,
        }
    }

    /// The last part of an `Fn::If`: what holds where its condition does not; none: the value is no choice.
    pub(super) fn otherwise(&self) -> Option<Self> {
        let parts = match self.value {
            Value::Tagged(tagged) if tagged.tag == "If" => &tagged.value,
            Value::Mapping(mapping) if mapping.len() == 1 => mapping.get("Fn::If")?,
            _ => return None,
        };
        match parts.as_sequence()?.as_slice() {
            [_, _, otherwise] => Some(self.below("2", otherwise)),
            _ => None,
        }
    }

    /// The error for an unexpected value.
    pub(super) fn unexpected(&self, expected: &'static str) -> TemplateError {
        TemplateError::Unexpected {
            resource: self.resource.to_owned(),
            property: self.property(),
            expected,
            found: describe(self.value),
        }
    }

    /// The error for a reference to a missing target.
    pub(super) fn unresolved(&self, target: &str, expected: &'static str) -> TemplateError {
        TemplateError::Unresolved {
            resource: self.resource.to_owned(),
            property: self.property(),
            target: target.to_owned(),
            expected,
        }
    }

    /// The path, for an error.
    pub(super) fn property(&self) -> String {
        if self.path.is_empty() { "it".to_owned() } else { self.path.clone() }
    }
}

fn intrinsic<'a>(name: &str, value: &'a Value) -> Option<Intrinsic<'a>> {
    match (name, value) {
        ("Ref", Value::String(target)) => Some(Intrinsic::Ref(target)),
        ("Sub", Value::String(text)) => Some(Intrinsic::Sub(text)),
        ("GetAtt", Value::String(path)) => path.split_once('.').map(|(id, at)| Intrinsic::Attribute(id, at)),
        ("GetAtt", Value::Sequence(parts)) => match parts.as_slice() {
            [Value::String(id), Value::String(attribute)] => Some(Intrinsic::Attribute(id, attribute)),
            _ => None,
        },
        _ => None,
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{text}\""),
        Value::Sequence(items) => format!("a list of {}", items.len()),
        Value::Mapping(mapping) => format!("a mapping of {}", mapping.len()),
        Value::Tagged(tagged) => format!("{} {}", tagged.tag, describe(&tagged.value)),
    }
}
