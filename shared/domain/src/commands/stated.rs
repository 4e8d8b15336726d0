//! The fields of a command as the history states them: amounts, dates and ids as they are, and a digest in
//! place of each text that somebody wrote, for such a text may tell of a person.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::command::Command;
use super::event::InboundMessage;
use crate::account::LastCommand;
use crate::kernel::Revision;

/// The keys under which commands bear text that somebody wrote.
const FREE_TEXTS: [&str; 4] = ["by", "contact_point", "name", "reason"];
/// The most bytes of a list or an object that is stated as it is. Of a longer one its digest is stated, and the
/// number of its parts.
const MAX_STATED_BYTES: usize = 1_000;

/// A text that somebody wrote into a command, with the digest that the history bears in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeText {
    /// Its key in the command.
    pub field: String,
    pub text: String,
    /// SHA-256 over the account's id, the source, the event's id, the key and the text, each but the last
    /// followed by a line feed; in hexadecimal digits.
    pub digest: String,
}

impl InboundMessage {
    /// The texts that somebody wrote into the command, by their keys. An opening has none: its contract has no
    /// such field.
    #[must_use]
    pub fn free_texts(&self) -> Vec<FreeText> {
        let fields = self.event.command.fields();
        let texts = fields.into_iter().filter_map(|(field, value)| match value {
            Value::String(text) if FREE_TEXTS.contains(&field.as_str()) => {
                let digest = self.digest_of(&field, &text);
                Some(FreeText { field, text, digest })
            }
            _ => None,
        });
        texts.collect()
    }

    /// The message as the account's next revision bears it.
    pub(super) fn as_last_command(&self, revision: Revision) -> LastCommand {
        LastCommand {
            revision,
            event_id: self.event_id.clone(),
            source: self.source.clone(),
            actor: self.stated_actor().cloned(),
            sender_id: self.sender_id.clone(),
            approval: None,
            command_type: self.event.command.name().to_owned(),
            stated: Value::Object(self.stated()).to_string(),
        }
    }

    /// The fields of the command, with digests in place of texts and of long lists. Of an opening none: the
    /// account itself is the contract.
    fn stated(&self) -> Map<String, Value> {
        if matches!(self.event.command, Command::AccountOpened(_)) {
            return Map::new();
        }
        let fields = self.event.command.fields().into_iter();
        let stated = fields.map(|(field, value)| {
            let shown = match &value {
                Value::String(text) if FREE_TEXTS.contains(&field.as_str()) => {
                    json!({ "sha256": self.digest_of(&field, text) })
                }
                Value::Array(parts) => self.short(&field, &value, parts.len()),
                Value::Object(parts) => self.short(&field, &value, parts.len()),
                _ => value,
            };
            (field, shown)
        });
        stated.collect()
    }

    /// The value itself where it is short.
    fn short(&self, field: &str, value: &Value, parts: usize) -> Value {
        let text = value.to_string();
        if text.len() <= MAX_STATED_BYTES {
            return value.clone();
        }
        json!({ "sha256": self.digest_of(field, &text), "parts": parts })
    }

    fn digest_of(&self, field: &str, text: &str) -> String {
        let place = [self.event.account_id.as_str(), self.source.as_str(), self.event_id.as_str(), field];
        let digest =
            place.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part).chain_update("\n"));
        hex(&digest.chain_update(text).finalize())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a `String` never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use crate::commands::shape::Shape;
    use crate::commands::{COMMANDS, WireField};

    use super::FREE_TEXTS;

    /// Names that the lender's own lists give: no text that somebody wrote about a person.
    const GIVEN_NAMES: [&str; 4] = ["stage", "time_zone", "template", "policy"];

    fn is_text(field: &WireField) -> bool {
        let is = |shape: &Shape| matches!(shape, Shape::Text | Shape::Name);
        match &field.shape {
            Shape::Nullable(shape) => is(shape),
            shape => is(shape),
        }
    }

    #[test]
    fn no_command_of_an_account_bears_a_text_that_the_history_would_state() {
        // A fact about contacting the customer is kept with the customer. Preferences alone reach an account.
        let contact = [
            "contact_changed",
            "contact_attempted",
            "contact_person_added",
            "contact_person_approved",
            "contact_person_refused",
        ];
        assert!(contact.iter().all(|kind| COMMANDS.iter().any(|command| command.event_type == *kind)));
        for command in COMMANDS.iter().filter(|command| !contact.contains(&command.event_type)) {
            for field in command.fields.iter().filter(|field| is_text(field)) {
                let name = field.name;
                assert!(
                    FREE_TEXTS.contains(&name) || GIVEN_NAMES.contains(&name),
                    "{}: {name} may hold what somebody wrote",
                    command.event_type
                );
            }
        }
    }
}
