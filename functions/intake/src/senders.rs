//! The map of senders: which system a message of the queue comes from, and what it may send.
//!
//! SQS states with each message who sent it. The map says which source that sender is, and a message may only
//! narrow it: the lender's own system, `core`, may name any source, another one itself or a part of itself
//! (`branch` may name `branch/7`). Without a map every sender is `core` and may send everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use duewatch_app::{Authority, RecordError};
use duewatch_domain::kernel::{Actor, Source};
use duewatch_domain::{Command, InboundMessage, printable};
use serde_json::Value;

/// The variable with the map, as JSON: `{"SENDER": {"source": "contacts", "may_send": ["contact_changed"]}}`.
/// `"needs_approval": false` exempts a sender from the policies' limits on what one person alone may grant.
/// `SENDER` is the sender's id as SQS states it, for a role without the session's name. Without `may_send` the
/// sender may send all.
pub const SENDERS: &str = "SENDERS";

/// The fields of an entry.
const FIELDS: [&str; 3] = ["source", "may_send", "needs_approval"];

/// The senders that messages are taken from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SenderMap {
    /// By their ids; none: no map was given.
    senders: Option<BTreeMap<String, KnownSender>>,
    /// Whether the messages are facts that were decided already, as those of a replay.
    of_facts: bool,
}

/// A message as it is taken.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Under its sender's source.
    pub message: InboundMessage,
    pub authority: Authority<'static>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownSender {
    source: Source,
    /// The event types that it may send; none: all.
    may_send: Option<BTreeSet<String>>,
    needs_approval: bool,
}

/// A map of senders that cannot be read.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{SENDERS}: {0}")]
pub struct FaultyMap(String);

/// Rust prints the error that ends a `main` by its `Debug`.
impl fmt::Debug for FaultyMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SenderMap {
    /// The map of a replay: every sender is `core`, and what it sends was decided already.
    #[must_use]
    pub const fn of_facts() -> Self {
        Self { senders: None, of_facts: true }
    }

    /// The map that the environment holds, if any.
    ///
    /// # Errors
    /// [`FaultyMap`]; a map that cannot be read lets nobody in.
    pub fn from_env() -> Result<Self, FaultyMap> {
        Self::parse(&std::env::var(SENDERS).unwrap_or_default())
    }

    /// Reads a map; an empty text is none.
    ///
    /// # Errors
    /// [`FaultyMap`] with the sender and the fault.
    pub fn parse(text: &str) -> Result<Self, FaultyMap> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let map: Value = serde_json::from_str(text).map_err(|error| FaultyMap(error.to_string()))?;
        let Value::Object(entries) = map else {
            return Err(FaultyMap("a JSON object is expected".to_owned()));
        };
        let senders = entries.into_iter().map(|(id, entry)| {
            let sender = KnownSender::read(&entry);
            sender.map(|sender| (id.clone(), sender)).map_err(|fault| FaultyMap(format!("\"{id}\": {fault}")))
        });
        Ok(Self { senders: Some(senders.collect::<Result<_, _>>()?), of_facts: false })
    }

    /// The message as its sender may send it: under the sender's source, unless it names a part of it.
    ///
    /// # Errors
    /// Poison where the map does not know the sender, or the sender may not send that.
    pub fn admit(&self, sender_id: Option<&str>, message: InboundMessage) -> Result<Admitted, RecordError> {
        let message = InboundMessage { sender_id: sender_id.and_then(|id| id.parse().ok()), ..message };
        let Some(senders) = &self.senders else {
            let authority = if self.of_facts { Authority::Exempt } else { Authority::OnePerson };
            return Ok(Admitted { message, authority });
        };
        let sender_id = sender_id.unwrap_or_default();
        let role = sender_id.split(':').next().unwrap_or_default();
        let Some(sender) = senders.get(sender_id).or_else(|| senders.get(role)) else {
            let id = printable(sender_id.to_owned());
            return Err(RecordError::poison(format!("SenderId: \"{id}\" is not in the map of senders")));
        };
        let authority = if sender.needs_approval { Authority::OnePerson } else { Authority::Exempt };
        Ok(Admitted { message: sender.admit(message)?, authority })
    }
}

impl KnownSender {
    fn read(entry: &Value) -> Result<Self, String> {
        let Value::Object(fields) = entry else {
            return Err("an object with \"source\" is expected".to_owned());
        };
        if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            return Err(format!("\"{unknown}\" is no field; there are {}", FIELDS.join(", ")));
        }
        let source = fields.get("source").and_then(Value::as_str).ok_or("\"source\" is missing")?;
        let source = source.parse().map_err(|fault| format!("source: {fault}"))?;
        let may_send = fields.get("may_send").map(event_types).transpose()?;
        let needs_approval = match fields.get("needs_approval") {
            None => true,
            Some(Value::Bool(needs)) => *needs,
            Some(other) => return Err(format!("needs_approval: {other} is neither true nor false")),
        };
        Ok(Self { source, may_send, needs_approval })
    }

    fn admit(&self, message: InboundMessage) -> Result<InboundMessage, RecordError> {
        let event_type = message.event.command.name();
        if self.may_send.as_ref().is_some_and(|types| !types.contains(event_type)) {
            return Err(RecordError::poison(format!("type: \"{}\" may not send {event_type}", self.source)));
        }
        if self.source.is_core() || is_within(&message.source, &self.source) {
            return Ok(message);
        }
        if !message.source.is_core() {
            let (named, own) = (&message.source, &self.source);
            return Err(RecordError::poison(format!("source: \"{named}\" is no part of \"{own}\"")));
        }
        let actor = message.stated_actor().cloned().unwrap_or_else(|| Actor::system(&self.source));
        Ok(InboundMessage { actor, source: self.source.clone(), ..message })
    }
}

fn event_types(listed: &Value) -> Result<BTreeSet<String>, String> {
    let Value::Array(listed) = listed else {
        return Err("may_send: a list of event types is expected".to_owned());
    };
    let types = listed.iter().map(|one| match one {
        Value::String(name) if Command::is_type(name) => Ok(name.clone()),
        other => Err(format!("may_send: {other} is no event type")),
    });
    types.collect()
}

/// Whether a source is another one, or a part of it.
fn is_within(source: &Source, whole: &Source) -> bool {
    let rest = source.as_str().strip_prefix(whole.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use duewatch_domain::formats::parse_message;
    use rstest::rstest;

    use super::*;

    const MAP: &str = r#"{
        "AROACORE": { "source": "core" },
        "AROABRANCH": { "source": "branch" },
        "AROACONTACTS": { "source": "contacts", "may_send": ["consent_changed"] }
    }"#;

    fn sent(kind: &str, more: &str) -> InboundMessage {
        let fields = match kind {
            "written_off" => r#""reason":"paid""#,
            _ => r#""consent":"withdrawn","by":"borrower""#,
        };
        let line = format!(
            r#"{{"event_id":"E-1","at":"2023-10-01T00:00:00Z","type":"{kind}","account_id":"A-1",{fields}{more}}}"#
        );
        parse_message(&line).unwrap()
    }

    #[rstest]
    #[case("AROACORE:payments", "", "core")]
    #[case("AROACORE:payments", r#","source":"desk""#, "desk")]
    #[case("AROABRANCH:7", "", "branch")]
    #[case("AROABRANCH:7", r#","source":"branch/7""#, "branch/7")]
    #[case("AROACONTACTS", r#","source":"contacts""#, "contacts")]
    fn a_message_comes_under_the_source_of_its_sender(
        #[case] sender: &str,
        #[case] more: &str,
        #[case] expected: &str,
    ) {
        let map = SenderMap::parse(MAP).unwrap();
        let admitted = map.admit(Some(sender), sent("consent_changed", more)).unwrap().message;
        assert_eq!(admitted.sender_id, Some(sender.parse().unwrap()));
        assert_eq!(admitted.source.as_str(), expected);
        assert_eq!(admitted.stated_actor(), None, "the actor is the system that sends");
    }

    #[rstest]
    #[case::unmapped("AROAOTHER:x", "consent_changed", "", "is not in the map of senders")]
    #[case::nobody("", "consent_changed", "", "is not in the map of senders")]
    #[case::another_source("AROABRANCH:7", "consent_changed", r#","source":"desk""#, "is no part of")]
    #[case::not_quite_a_part("AROABRANCH:7", "consent_changed", r#","source":"branches""#, "is no part of")]
    #[case::another_type("AROACONTACTS:x", "written_off", "", "may not send written_off")]
    fn a_sender_says_nothing_in_the_name_of_another(
        #[case] sender: &str,
        #[case] kind: &str,
        #[case] more: &str,
        #[case] expected: &str,
    ) {
        let map = SenderMap::parse(MAP).unwrap();
        let refused = map.admit(Some(sender), sent(kind, more)).unwrap_err();
        assert!(matches!(&refused, RecordError::Poison(why) if why.contains(expected)), "{refused:?}");
    }

    #[test]
    fn without_a_map_every_message_is_taken_as_it_is() {
        let message = sent("written_off", r#","source":"desk""#);
        assert_eq!(SenderMap::default().admit(None, message.clone()).unwrap().message, message);
        assert_eq!(SenderMap::parse(" ").unwrap(), SenderMap::default());
    }

    #[rstest]
    #[case("[]", "a JSON object")]
    #[case(r#"{"A":"core"}"#, "\"A\": an object")]
    #[case(r#"{"A":{"may_send":[]}}"#, "\"source\" is missing")]
    #[case(r#"{"A":{"source":"core","sends":[]}}"#, "\"sends\" is no field")]
    #[case(r#"{"A":{"source":"core","may_send":["teleport"]}}"#, "\"teleport\" is no event type")]
    #[case(r#"{"A":{"source":""}}"#, "source: ")]
    #[case(
        r#"{"A":{"source":"core","needs_approval":"no"}}"#,
        "needs_approval: \"no\" is neither true nor false"
    )]
    fn a_map_with_a_fault_lets_nobody_in(#[case] text: &str, #[case] expected: &str) {
        let fault = SenderMap::parse(text).unwrap_err().to_string();
        assert!(fault.contains(expected), "{fault}");
    }
}
