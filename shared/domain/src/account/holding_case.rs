//! Cases as an account knows them: which are open, since when, and how they ended.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::CaseId;
use crate::policy::CaseKind;

/// A case of the account. While it is open, consequences wait as the policy says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldingCase {
    pub case_id: CaseId,
    pub kind: CaseKind,
    /// When the case was opened.
    pub at: DateTime<Utc>,
    /// The outcome, and when the case was closed; none: it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<(CaseOutcome, DateTime<Utc>)>,
}

/// How a case was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// The borrower was right, the payment was found, relief is granted.
    Upheld,
    Rejected,
    /// The borrower no longer pursues the case.
    Withdrawn,
}

impl CaseOutcome {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upheld => "upheld",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Account {
    /// The cases, in the order in which they were opened.
    #[must_use]
    pub fn cases(&self) -> &[HoldingCase] {
        &self.cases
    }
}
