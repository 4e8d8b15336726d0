//! Approvals of commands that one person alone may not send, and what single persons have granted lately.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::Money;

/// The approval by which a proposed command was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The digest of the command that was approved.
    pub proposal: String,
    /// Those who approved it, as the platform knows them. The one who proposed it is the command's actor.
    pub by: Vec<String>,
    /// When the last of them did.
    pub at: DateTime<Utc>,
}

/// The last approval by which an account took a command. An account takes approved commands in the order of their
/// approvals, so that this one alone tells whether an approval was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastApproval {
    pub proposal: String,
    pub at: DateTime<Utc>,
}

/// The relief of one local day that commands granted without an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnapprovedRelief {
    pub on: NaiveDate,
    /// Forgiven or deferred.
    pub amount: Money,
    /// Days of delinquency pauses.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pause_days: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
const fn is_zero(days: &u32) -> bool {
    *days == 0
}
