//! Writers of portfolio files and messages, in the form in which they are read.

use serde_json::{Value, json};

use crate::commands::{Contract, InboundMessage, message_fields};

/// A contract as a line of a portfolio file, without its line feed.
#[must_use]
pub fn book_line(contract: &Contract) -> String {
    json!(contract).to_string()
}

/// A message as the body of a queue message.
#[must_use]
pub fn message_line(message: &InboundMessage) -> String {
    let mut line = message_fields(message);
    line.insert("event_id".to_owned(), message.event_id.as_str().into());
    Value::Object(line).to_string()
}
