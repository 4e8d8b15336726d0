//! The last messages that an account applied, by which a repeated message is recognised.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{Actor, EventId, Source};

/// An inbound message that the account applied, kept to recognise it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppliedMessage {
    #[serde(rename = "id")]
    pub event_id: EventId,
    /// When the message became known.
    pub at: DateTime<Utc>,
    /// Checksum of the message's content.
    #[serde(rename = "crc")]
    pub checksum: u32,
    #[serde(default, skip_serializing_if = "Source::is_core")]
    pub source: Source,
    /// None: the system that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// The type of its command; none: the message named neither source nor actor, or an earlier release stored
    /// it.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub command_type: Option<String>,
}

impl AppliedMessage {
    /// The one who acted.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.actor.clone().unwrap_or_else(|| Actor::system(&self.source))
    }
}
