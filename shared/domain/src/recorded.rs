//! What people and systems record of an account beside its money: why it fell behind, a
//! score, a payment under way, a notice that was sent.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::policy::StageName;

/// Why an account fell behind, as far as somebody has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Short of cash for a while.
    Temporary,
    /// A lasting credit problem.
    LongTerm,
    /// Not known.
    Unknown,
}

impl Cause {
    /// The cause as the formats write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::LongTerm => "long_term",
            Self::Unknown => "unknown",
        }
    }
}

/// A cause with who recorded it, why, and for how long it binds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCause {
    /// What was found.
    pub cause: Cause,
    /// Who recorded it.
    pub by: String,
    /// On what grounds.
    pub reason: String,
    /// When it became known.
    pub at: DateTime<Utc>,
    /// The first date on which it does not bind any more; none: until another is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

/// A score that the lender handed in, with who did and for how long it binds. What it
/// measures is the lender's; higher is better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedScore {
    /// The score.
    pub score: u32,
    /// Who handed it in.
    pub by: String,
    /// When it became known.
    pub at: DateTime<Utc>,
    /// The first date on which it does not bind any more; none: until another comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

/// A payment that is under way, such as an auto-debit that the bank has not answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentInProcess {
    /// When it became known. Another one while it is under way does not move this.
    pub since: DateTime<Utc>,
    /// The first date on which it is not waited for any more.
    pub until: NaiveDate,
}

/// What a notice announces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeOf {
    /// The restrictions of a stage.
    Stage(StageName),
    /// A version of the policy that is stricter than the one before.
    Policy(u32),
}

/// `stage/frozen`, `policy/3`.
impl fmt::Display for NoticeOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage(stage) => write!(f, "stage/{stage}"),
            Self::Policy(version) => write!(f, "policy/{version}"),
        }
    }
}

/// A notice: planned, and, as far as is known, sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// What it announces.
    pub of: NoticeOf,
    /// When it was to leave.
    pub planned_at: DateTime<Utc>,
    /// When it left; none: not yet, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<DateTime<Utc>>,
}
