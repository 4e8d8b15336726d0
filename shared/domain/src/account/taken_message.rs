//! The last messages that an account took, so that a repeated one is recognised.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::EventId;

/// A message that was taken, to know it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenMessage {
    /// Its id.
    #[serde(rename = "id")]
    pub event_id: EventId,
    /// When it became known.
    pub at: DateTime<Utc>,
    /// Of what it said.
    #[serde(rename = "crc")]
    pub checksum: u32,
}
