//! The origin of a payment or of its reversal.

use serde::{Deserialize, Serialize};

use crate::kernel::{Actor, EventId, SenderId, Source};

/// Who stated a payment or its reversal, where the statement names its command, a source, an actor or a sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The id of the command; none: it came as no command.
    #[serde(rename = "id", default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    #[serde(default, skip_serializing_if = "Source::is_core")]
    pub source: Source,
    /// None: the system that stated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Who sent the command, as the queue states.
    #[serde(rename = "sender", default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<SenderId>,
}

impl Origin {
    /// The one who acted.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.actor.clone().unwrap_or_else(|| Actor::system(&self.source))
    }
}
