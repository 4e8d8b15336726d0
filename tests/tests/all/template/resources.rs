//! The template as plain data: all parts, with intrinsic functions in their long form.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

pub(crate) const TEXT: &str = include_str!("../../../../infra/template.yaml");

/// A resource, by its logical id.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) kind: String,
    /// The whole resource.
    pub(crate) body: Value,
}

impl Resource {
    /// A property; null where it is left out.
    pub(crate) fn property(&self, name: &str) -> &Value {
        &self.body["Properties"][name]
    }
}

/// The whole template.
pub(crate) fn whole() -> Value {
    plain(&serde_yaml_ng::from_str(TEXT).unwrap())
}

/// All resources.
pub(crate) fn resources() -> BTreeMap<String, Resource> {
    let whole = whole();
    let all = whole["Resources"].as_object().unwrap();
    all.iter()
        .map(|(id, body)| {
            let kind = body["Type"].as_str().unwrap().to_owned();
            (id.clone(), Resource { id: id.clone(), kind, body: body.clone() })
        })
        .collect()
}

/// The resources of a type; there is one at least.
pub(crate) fn of(kind: &str) -> Vec<Resource> {
    let of: Vec<_> = resources().into_values().filter(|resource| resource.kind == kind).collect();
    assert!(!of.is_empty(), "the template has no {kind}");
    of
}

/// The resource of that id.
pub(crate) fn resource(id: &str) -> Resource {
    resources().remove(id).unwrap_or_else(|| panic!("the template has no {id}"))
}

/// The target of a value: `Table` of a Ref, `Table.Arn` of a `GetAtt`, the text of a Sub.
pub(crate) fn named(value: &Value) -> String {
    let name = match value {
        Value::String(text) => Some(text),
        Value::Object(map) => map.values().next().and_then(|inner| match inner {
            Value::String(text) => Some(text),
            _ => None,
        }),
        _ => None,
    };
    name.unwrap_or_else(|| panic!("{value} names nothing")).clone()
}

/// The logical id within a value's target.
pub(crate) fn id_of(value: &Value) -> String {
    named(value).split('.').next().unwrap().to_owned()
}

/// A value that may be a list, as a list.
pub(crate) fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    }
}

/// Every text in a value, keys left out.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn plain(value: &Yaml) -> Value {
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(truth) => json!(truth),
        Yaml::Number(number) => json!(number.as_i64().unwrap()),
        Yaml::String(text) => json!(text),
        Yaml::Sequence(items) => items.iter().map(plain).collect(),
        Yaml::Mapping(map) => {
            map.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), plain(value))).collect()
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let name = if name == "Ref" { name.to_owned() } else { format!("Fn::{name}") };
            Value::Object(Map::from_iter([(name, plain(&tagged.value))]))
        }
    }
}
