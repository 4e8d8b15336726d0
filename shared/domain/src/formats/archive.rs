//! The archive: accepted commands and erasures, as a restore replays them.
//!
//! A command stands there as its message, without the texts that may tell of a person. Those are beside it, sealed under
//! a key of the customer's that an erasure destroys; without them the command still moves money and dates.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::commands::{ERASED, InboundMessage, message_fields};
use crate::kernel::CustomerId;

/// The fields of a command that may tell of a person.
const PERSONAL: [&str; 8] =
    ["by", "changed_by", "contact_point", "name", "note", "number", "reason", "relation"];

/// The event type of a change of a contact point.
const CONTACT_CHANGED: &str = "contact_changed";

/// An accepted command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedCommand {
    /// The message, with `erased` in place of personal texts.
    pub message: Map<String, Value>,
    /// None: the command has no such text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SealedTexts>,
}

/// The personal texts of a command, under AES-256-GCM. Bytes are hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedTexts {
    /// Whose key seals them.
    pub customer_id: CustomerId,
    pub key_id: String,
    pub nonce: String,
    pub texts: String,
}

/// An erasure. It names no person but by the lender's id, which stays in the accounts too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedErasure {
    pub customer_id: CustomerId,
}

impl ArchivedCommand {
    /// A command as it is archived, and its personal texts by field, to be sealed.
    #[must_use]
    pub fn of(command: &InboundMessage) -> (Self, Map<String, Value>) {
        let mut message = message_fields(command);
        message.insert("event_id".to_owned(), command.event_id.as_str().into());
        let mut texts = Map::new();
        for field in PERSONAL {
            if let Some(Value::String(text)) = message.get_mut(field) {
                texts.insert(field.to_owned(), std::mem::replace(text, ERASED.to_owned()).into());
            }
        }
        (Self { message, sealed: None }, texts)
    }

    /// Whether the command says nothing without its personal texts: it changes a contact point.
    #[must_use]
    pub fn is_contact_point(&self) -> bool {
        self.message.get("type").is_some_and(|kind| kind == CONTACT_CHANGED)
    }

    /// The message as the queue brought it, with the texts that were sealed; without them, as an erasure leaves it.
    #[must_use]
    pub fn line(&self, texts: Map<String, Value>) -> String {
        let mut message = self.message.clone();
        message.extend(texts.into_iter().filter(|(field, _)| PERSONAL.contains(&field.as_str())));
        Value::Object(message).to_string()
    }
}

#[cfg(test)]
mod tests {
    use crate::formats::{message_line, parse_message};

    use super::*;

    const CAUSE: &str = r#"{"event_id":"E-1","at":"2023-10-01T00:00:00Z","type":"cause_recorded","account_id":"A-1",
        "cause":"temporary","by":"officer-7","reason":"in hospital"}"#;

    #[test]
    fn a_command_comes_back_whole_or_without_its_personal_texts() {
        let command = parse_message(CAUSE).unwrap();
        let (archived, texts) = ArchivedCommand::of(&command);
        let stored = serde_json::to_string(&archived).unwrap();
        assert!(!stored.contains("hospital") && !stored.contains("officer-7"), "{stored}");
        let archived: ArchivedCommand = serde_json::from_str(&stored).unwrap();
        assert_eq!(archived.line(texts), message_line(&command));
        let erased = parse_message(&archived.line(Map::new())).unwrap();
        assert_eq!((erased.event.at, &erased.event_id), (command.event.at, &command.event_id));
        assert!(!archived.is_contact_point());
    }

    #[test]
    fn a_contact_point_is_known_by_its_type() {
        let line = r#"{"event_id":"E-1","at":"2023-10-01T00:00:00Z","type":"contact_changed","account_id":"A-1",
            "channel":"sms","contact_point":"+8613800138000","changed_by":"branch-7"}"#;
        let (archived, texts) = ArchivedCommand::of(&parse_message(line).unwrap());
        assert!(archived.is_contact_point());
        assert_eq!(texts.len(), 2);
    }
}
