//! Disputes: the borrower objects to an amount or a date.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::DisputeId;

/// A dispute: the borrower says that something is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// Unique within the account.
    pub dispute_id: DisputeId,
    /// What is wrong.
    pub reason: String,
    /// When it was opened.
    pub at: DateTime<Utc>,
    /// How and when it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<(DisputeOutcome, DateTime<Utc>)>,
}

/// What becomes of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeOutcome {
    /// The borrower was right.
    Upheld,
    /// The lender was.
    Rejected,
    /// The borrower does not go on with it.
    Withdrawn,
}

impl Account {
    /// The disputes, in the order in which they were opened.
    #[must_use]
    pub fn disputes(&self) -> &[Dispute] {
        &self.disputes
    }
}
