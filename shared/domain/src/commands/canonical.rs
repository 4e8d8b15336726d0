//! The canonical line of a command: the JSON that events files hold. Its checksum tells a repeated
//! message from a different one under the same id.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::event::{Event, InboundMessage};

/// An event as a line of an events file, without its line feed. Amounts keep the decimals they came with.
#[must_use]
pub fn event_line(event: &Event) -> String {
    Value::Object(event_fields(event)).to_string()
}

fn event_fields(event: &Event) -> Map<String, Value> {
    // The map sorts its keys, so the line depends on the values alone.
    let mut line = event.command.fields();
    line.insert("at".to_owned(), event.at.to_rfc3339_opts(SecondsFormat::AutoSi, true).into());
    line.insert("type".to_owned(), event.command.name().into());
    line.insert("account_id".to_owned(), event.account_id.as_str().into());
    line
}

/// The fields of a message but its id. A message of the lender's own system that acts of its own accord has
/// those of its event.
pub(crate) fn message_fields(message: &InboundMessage) -> Map<String, Value> {
    let mut fields = event_fields(&message.event);
    if !message.source.is_core() {
        fields.insert("source".to_owned(), message.source.as_str().into());
    }
    if let Some(actor) = message.stated_actor() {
        fields.insert("actor".to_owned(), json!(actor));
    }
    fields
}

/// The checksum of a message, by which another one under its id is told apart.
pub(super) fn message_checksum(message: &InboundMessage) -> u32 {
    crc32fast::hash(Value::Object(message_fields(message)).to_string().as_bytes())
}
