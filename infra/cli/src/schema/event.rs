//! The schemas of events and commands, made of the definitions of the commands.

use duewatch_domain::commands::{COMMANDS, CommandDescription, Presence, Shape, WireField};
use duewatch_domain::kernel::ActorKind;
use serde_json::{Map, Value, json};

use super::parts::{Field, list, maybe, named, object, reference, text};

pub(super) fn event() -> Value {
    one_of(&[])
}

/// An event with the sender's id, the source and the actor.
pub(super) fn command() -> Value {
    let actor = object(&[("kind", json!({ "enum": ActorKind::NAMES })), ("id", reference("id"))], &[]);
    one_of(&[
        ("event_id", reference("id"), "core-2023-10-05-000171".into(), Presence::Required),
        ("source", maybe(&reference("id")), "desk".into(), Presence::Optional),
        ("actor", maybe(&actor), json!({ "kind": "officer", "id": "officer-7" }), Presence::Optional),
    ])
}

/// A field of every type, with its schema and an example.
type CommonField = (&'static str, Value, Value, Presence);

/// One branch for each type; `more` are fields that every type has.
fn one_of(more: &[CommonField]) -> Value {
    json!({ "oneOf": COMMANDS.iter().map(|command| branch(command, more)).collect::<Vec<_>>() })
}

fn branch(command: &CommandDescription, more: &[CommonField]) -> Value {
    let name = command.event_type;
    let mut required = vec![
        ("at", reference("instant")),
        ("type", json!({ "const": name })),
        ("account_id", reference("id")),
    ];
    let mut example = json!({ "at": "2023-10-05T09:30:00+08:00", "type": name, "account_id": "A-1" });
    let (own, mut optional) = by_presence(command.fields);
    for (field, schema, value, presence) in more {
        let fields = if *presence == Presence::Required { &mut required } else { &mut optional };
        fields.push((*field, schema.clone()));
        example[*field] = value.clone();
    }
    required.extend(own);
    if let (Value::Object(whole), Ok(own)) =
        (&mut example, serde_json::from_str::<Map<_, _>>(command.example))
    {
        whole.extend(own);
    }
    let mut branch = object(&required, &optional);
    let one: Vec<Value> = command
        .fields
        .iter()
        .filter(|field| field.presence == Presence::OneOfThese)
        .map(|field| json!({ "required": [field.name] }))
        .collect();
    if !one.is_empty() {
        branch["oneOf"] = one.into();
    }
    branch["title"] = name.into();
    branch["examples"] = json!([example]);
    branch
}

/// The required fields, and the others.
fn by_presence(fields: &[WireField]) -> (Vec<Field>, Vec<Field>) {
    let (required, optional): (Vec<&WireField>, Vec<&WireField>) =
        fields.iter().partition(|field| field.presence == Presence::Required);
    let schemas = |fields: Vec<&WireField>| {
        fields.into_iter().map(|field| (field.name, schema_of(&field.shape))).collect()
    };
    (schemas(required), schemas(optional))
}

fn schema_of(shape: &Shape) -> Value {
    match shape {
        Shape::Defined(name) => reference(name),
        Shape::Text => text(),
        Shape::Name => named(),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Count { at_most } => json!({ "type": "integer", "minimum": 0, "maximum": at_most }),
        Shape::OneOf(words) => json!({ "enum": words }),
        Shape::List { of, at_most } => {
            let mut list = list(&schema_of(of));
            if let Some(at_most) = at_most {
                list["maxItems"] = json!(at_most);
            }
            list
        }
        Shape::Object(fields) => {
            let (required, optional) = by_presence(fields);
            object(&required, &optional)
        }
        Shape::Nullable(shape) => maybe(&schema_of(shape)),
    }
}
