//! A validator for the part of JSON Schema that the project's schemas use. An unknown keyword fails the test,
//! so that no schema can make a promise that goes unchecked.

use std::collections::HashMap;

use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that describe, and constrain nothing.
const DESCRIBING: [&str; 7] =
    ["$schema", "$defs", "title", "description", "examples", "format", "properties"];

pub(crate) struct Validator {
    root: Value,
    patterns: HashMap<String, Regex>,
}

impl Validator {
    pub(crate) fn new(root: Value) -> Self {
        let mut patterns = HashMap::new();
        let mut open = vec![&root];
        while let Some(value) = open.pop() {
            open.extend(value.as_object().into_iter().flat_map(Map::values));
            open.extend(value.as_array().into_iter().flatten());
            if let Some(pattern) = value.get("pattern").and_then(Value::as_str) {
                patterns.insert(pattern.to_owned(), Regex::new(pattern).unwrap());
            }
        }
        Self { patterns, root }
    }

    /// Checks a value against the schema; a fault names its place.
    pub(crate) fn validate(&self, value: &Value) -> Result<(), String> {
        self.at("", &self.root, value)
    }

    pub(crate) fn is_valid(&self, value: &Value) -> bool {
        self.validate(value).is_ok()
    }

    fn at(&self, place: &str, schema: &Value, value: &Value) -> Result<(), String> {
        let schema = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Object(schema) => schema,
            other => panic!("no schema: {other}"),
        };
        for (keyword, rule) in schema {
            if !self.holds(place, schema, keyword, rule, value)? {
                return Err(format!("{place}: {value} against {keyword}: {rule}"));
            }
        }
        Ok(())
    }

    fn holds(
        &self,
        place: &str,
        schema: &Map<String, Value>,
        keyword: &str,
        rule: &Value,
        value: &Value,
    ) -> Result<bool, String> {
        let branches = |rule: &Value| -> usize {
            rule.as_array().unwrap().iter().filter(|branch| self.at(place, branch, value).is_ok()).count()
        };
        let bound = rule.as_i64();
        let length = |value: Option<usize>| value.map(|length| i64::try_from(length).unwrap());
        let chars = length(value.as_str().map(|text| text.chars().count()));
        let items = length(value.as_array().map(Vec::len));
        Ok(match keyword {
            "$ref" => {
                let target = rule.as_str().unwrap().strip_prefix('#').unwrap();
                self.at(place, self.root.pointer(target).unwrap(), value)?;
                true
            }
            "type" => one_or_more(rule).iter().any(|kind| is_of(value, kind.as_str().unwrap())),
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "oneOf" => branches(rule) == 1,
            "anyOf" => branches(rule) > 0,
            "not" => self.at(place, rule, value).is_err(),
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "minLength" => chars >= bound || chars.is_none(),
            "maxLength" => chars <= bound,
            "minItems" => items >= bound || items.is_none(),
            "maxItems" => items <= bound,
            "minProperties" => {
                length(value.as_object().map(Map::len)).is_none_or(|count| Some(count) >= bound)
            }
            "maxProperties" => length(value.as_object().map(Map::len)) <= bound,
            "uniqueItems" => value
                .as_array()
                .is_none_or(|items| (1..items.len()).all(|place| !items[..place].contains(&items[place]))),
            "pattern" => {
                let pattern = &self.patterns[rule.as_str().unwrap()];
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.at(&format!("{place}/{number}"), rule, item)?;
                }
                true
            }
            "required" => {
                let fields = value.as_object();
                let is_there =
                    |name: &Value| fields.is_none_or(|fields| fields.contains_key(name.as_str().unwrap()));
                rule.as_array().unwrap().iter().all(is_there)
            }
            "dependentRequired" => {
                let Some(fields) = value.as_object() else { return Ok(true) };
                let asks = |name: &Value| fields.contains_key(name.as_str().unwrap());
                let is_met = |(name, others): (&String, &Value)| {
                    !fields.contains_key(name) || others.as_array().unwrap().iter().all(asks)
                };
                rule.as_object().unwrap().iter().all(is_met)
            }
            "additionalProperties" if rule.is_object() => {
                for (name, field) in value.as_object().into_iter().flatten() {
                    self.at(&format!("{place}/{name}"), rule, field)?;
                }
                true
            }
            "additionalProperties" => {
                self.fields(place, schema, value)?;
                true
            }
            describing => {
                assert!(DESCRIBING.contains(&describing), "the keyword {describing} is not checked");
                true
            }
        })
    }

    /// The fields of an object: the required ones, and no others than the allowed ones.
    fn fields(&self, place: &str, schema: &Map<String, Value>, value: &Value) -> Result<(), String> {
        let (properties, Some(fields)) = (schema["properties"].as_object().unwrap(), value.as_object())
        else {
            return Ok(());
        };
        for (name, field) in fields {
            let property = properties.get(name).ok_or_else(|| format!("{place}: {name} is not known"))?;
            self.at(&format!("{place}/{name}"), property, field)?;
        }
        Ok(())
    }
}

fn one_or_more(rule: &Value) -> &[Value] {
    rule.as_array().map_or(std::slice::from_ref(rule), Vec::as_slice)
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not checked"),
    }
}
