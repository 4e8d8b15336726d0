//! The canonical line of a command: the JSON that events files hold. Its checksum tells a repeated
//! message from a different one under the same id.

use chrono::SecondsFormat;
use serde_json::{Map, Value};

use super::event::Event;

/// An event as a line of an events file, without its line feed. Amounts keep the decimals they came with.
#[must_use]
pub fn event_line(event: &Event) -> String {
    Value::Object(event_fields(event)).to_string()
}

pub(crate) fn event_fields(event: &Event) -> Map<String, Value> {
    // The map sorts its keys, so the line depends on the values alone.
    let mut line = event.command.fields();
    line.insert("at".to_owned(), event.at.to_rfc3339_opts(SecondsFormat::AutoSi, true).into());
    line.insert("type".to_owned(), event.command.name().into());
    line.insert("account_id".to_owned(), event.account_id.as_str().into());
    line
}
