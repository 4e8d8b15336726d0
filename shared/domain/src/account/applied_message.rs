//! The last messages that an account applied, by which a repeated message is recognised.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::EventId;

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
}
