//! The command of the current revision, as the history states it.

use serde::{Deserialize, Serialize};

use super::approval::Approval;
use crate::kernel::{Actor, EventId, Revision, SenderId, Source};

/// The command that the current revision took. The account bears it for that one revision: the table's stream
/// hands it to the history, which keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastCommand {
    /// The revision that took it.
    pub revision: Revision,
    #[serde(rename = "id")]
    pub event_id: EventId,
    #[serde(default, skip_serializing_if = "Source::is_core")]
    pub source: Source,
    /// None: the system that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Who sent it, as the queue states.
    #[serde(rename = "sender", default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<SenderId>,
    /// The approval by which it was taken; none: it needed none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    #[serde(rename = "type")]
    pub command_type: String,
    /// Its fields as a JSON object with sorted keys, without the text that somebody wrote: a digest stands in its
    /// place.
    pub stated: String,
}

impl LastCommand {
    /// The one who acted.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.actor.clone().unwrap_or_else(|| Actor::system(&self.source))
    }
}
