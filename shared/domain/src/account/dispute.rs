//! Disputes: the borrower objects to an amount or a date.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::DisputeId;

/// A borrower's objection to an amount or a date, open or closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// Unique within the account.
    pub dispute_id: DisputeId,
    pub reason: String,
    /// When the dispute was opened.
    pub at: DateTime<Utc>,
    /// The outcome, and when the dispute was closed; none: it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<(DisputeOutcome, DateTime<Utc>)>,
}

/// How a dispute was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeOutcome {
    /// The borrower was right.
    Upheld,
    /// The lender was right.
    Rejected,
    /// The borrower no longer pursues the dispute.
    Withdrawn,
}

impl Account {
    /// The disputes, in the order in which they were opened.
    #[must_use]
    pub fn disputes(&self) -> &[Dispute] {
        &self.disputes
    }
}
