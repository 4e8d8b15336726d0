//! Delivery receipts, as delivery providers report them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{ContactId, written};

/// A delivery provider's report of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub message_id: ContactId,
    #[serde(deserialize_with = "written::instant")]
    pub at: DateTime<Utc>,
    pub outcome: ReceiptOutcome,
    /// The delivery provider's reason or, in an answer, the borrower's. The profile does not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The outcome that a delivery provider reports of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptOutcome {
    Delivered,
    /// The message bounced for good.
    Bounced,
    /// The message was reported as unwanted: an opt-out and a complaint.
    Complained,
    OptedOut,
    /// A conversation took place.
    Answered,
    Unanswered,
}
