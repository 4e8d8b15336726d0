//! JSON Schemas (draft 2020-12) of the files that scripts read and write.
//!
//! Those of events and commands are made of the commands' definitions, the others are written by hand.
//! `tests/schema/main.rs` checks all of them against the parsers: a schema and a parser that differ in an event
//! type, a field or a table fail there.

mod account;
mod contact;
mod decision;
mod event;
mod parts;
mod policy;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

/// The formats that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A policy: its TOML, read as JSON; a date is a string.
    Policy,
    /// A line of a portfolio file.
    Account,
    /// A message to `intake`: an event with the sender's `event_id`.
    Command,
    /// A line of the decisions output.
    Decision,
    /// A line of an events file.
    Event,
}

/// The complete schema of a format: it refers to nothing outside itself.
#[must_use]
pub fn schema(format: Format) -> Value {
    let (title, body) = match format {
        Format::Policy => ("A policy of duewatch, as its TOML says it", policy::policy()),
        Format::Account => ("An account: a line of a book", account::portfolio_line()),
        Format::Command => ("A command: the body of a message to intake", event::command()),
        Format::Decision => ("A decision: a line of the decisions output", decision::decision()),
        Format::Event => ("An event: a line of an events file", event::event()),
    };
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
    });
    let definitions = used_definitions(&body);
    if let (Value::Object(schema), Value::Object(body)) = (&mut schema, body) {
        schema.extend(body);
        schema.insert("$defs".to_owned(), Value::Object(definitions));
    }
    schema
}

/// A definition that several formats share.
fn definition(name: &str) -> Option<Value> {
    let days = "(0[1-9]|[12][0-9]|3[01])";
    let date = format!("(19|2[0-9])[0-9]{{2}}-(0[1-9]|1[0-2])-{days}");
    Some(match name {
        // Of ASCII the letters, the digits and . _ : / -
        "id" => json!({
            "description": "1 to 256 bytes of letters and digits of any script, and . _ : / -",
            "type": "string",
            "pattern": "^[^\\u0000-\\u002c\\u003b-\\u0040\\u005b-\\u005e\\u0060\\u007b-\\u00a9]{1,256}$",
        }),
        // As earlier releases took it.
        "stored_id" => json!({
            "description": "1 to 256 bytes, no control characters",
            "type": "string",
            "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,256}$",
        }),
        "currency" => json!({ "description": "ISO 4217", "type": "string", "pattern": "^[A-Z]{3}$" }),
        "amount" => json!({
            "description": "a decimal in a string, with no more decimals than the currency has",
            "type": "string",
            "pattern": "^-?[0-9]{1,15}(\\.[0-9]{1,12})?$",
        }),
        "date" => json!({ "type": "string", "format": "date", "pattern": format!("^{date}$") }),
        "instant" => json!({
            "description": "RFC 3339, with an offset",
            "type": "string",
            "format": "date-time",
            "pattern": format!("^{date}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\\.[0-9]+)?(Z|[+-][0-9]{{2}}:[0-9]{{2}})$"),
        }),
        "number" => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        "time" => json!({
            "description": "a local time of day, such as 22:00",
            "type": "string",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
        }),
        "channel" => json!({ "enum": ["sms", "email", "phone", "app", "letter"] }),
        "account" => account::account(),
        "installment" => account::installment(),
        "restriction" => policy::restriction(),
        _ => return None,
    })
}

/// The definitions that a schema refers to, directly or through others.
fn used_definitions(schema: &Value) -> Map<String, Value> {
    let mut used = Map::new();
    let mut open = vec![schema.clone()];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => open.extend(fields.into_values()),
            Value::Array(items) => open.extend(items),
            Value::String(text) => {
                let name = text.strip_prefix("#/$defs/").unwrap_or_default();
                if let Some(definition) = definition(name).filter(|_| !used.contains_key(name)) {
                    used.insert(name.to_owned(), definition.clone());
                    open.push(definition);
                }
            }
            _ => {}
        }
    }
    used
}
