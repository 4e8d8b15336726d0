//! Delivery receipts, as delivery providers report them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{ContactId, written};

/// What a sender reports of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The message's id.
    pub message_id: ContactId,
    /// When it was.
    #[serde(deserialize_with = "written::instant")]
    pub at: DateTime<Utc>,
    /// What became of it.
    pub outcome: ReceiptOutcome,
    /// Why, in the sender's words; of an answer what the reader says of it. It is not kept with
    /// the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What can become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptOutcome {
    /// It has arrived.
    Delivered,
    /// It came back, for good.
    Bounced,
    /// It was reported as unwanted: an opt-out and a complaint.
    Complained,
    /// The reader has opted out.
    OptedOut,
    /// There was a conversation.
    Answered,
    /// Nobody answered.
    Unanswered,
}
