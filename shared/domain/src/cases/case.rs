//! The state of a case.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::effect::CaseEffect;
use crate::account::CaseOutcome;
use crate::commands::ERASED;
use crate::kernel::{AccountId, Actor, CaseId, CustomerId, EventId, Revision, Zone};
use crate::policy::{CaseKind, PolicyRef};

/// A case with all its facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub case_id: CaseId,
    pub account_id: AccountId,
    pub customer_id: CustomerId,
    pub kind: CaseKind,
    /// The policy version whose terms hold for the case: the one in force when it was opened.
    pub policy: PolicyRef,
    /// The zone in which the days of its deadlines begin: the account's.
    pub time_zone: Zone,
    pub opened_at: DateTime<Utc>,
    pub opened_by: Actor,
    /// The request that opened the case. The same request opens no second one.
    pub request_id: EventId,
    /// The date of the event that the case is about; none: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_on: Option<NaiveDate>,
    /// In the words of the one who opened it.
    pub statement: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// By the instant at which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additions: Vec<CaseAddition>,
    /// In order; none overlaps another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stops: Vec<ClockStop>,
    /// How often the answer was extended.
    #[serde(default)]
    pub extensions: usize,
    /// At most one of each kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<MissedDeadline>,
    /// When the case went to the team that the policy names; none: it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<DateTime<Utc>>,
    pub state: CaseState,
    /// By step: the commands to the account that follow from the case.
    pub effects: Vec<CaseEffect>,
    /// How often the case has been written.
    pub revision: Revision,
}

/// Whether a case is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    Open,
    Closed(ClosedCase),
}

/// The end of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedCase {
    pub outcome: CaseOutcome,
    pub at: DateTime<Utc>,
    pub by: Actor,
    pub reason: String,
}

/// A text that came after the case was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseAddition {
    pub at: DateTime<Utc>,
    pub by: Actor,
    pub text: String,
}

/// A stretch on which the clock of the answer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStop {
    /// One of the policy's reasons.
    pub reason: String,
    pub from: DateTime<Utc>,
    /// None: the clock stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// A deadline that nothing met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissedDeadline {
    pub kind: DeadlineKind,
    /// The last date on which it could have been met.
    pub due_on: NaiveDate,
    /// When it was found missed.
    pub found_at: DateTime<Utc>,
}

/// The kind of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineKind {
    Acknowledge,
    /// The case goes to the team unless it is answered by then.
    Escalate,
    Answer,
}

impl DeadlineKind {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Escalate => "escalate",
            Self::Answer => "answer",
        }
    }
}

impl fmt::Display for DeadlineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Case {
    /// Whether it is neither decided nor withdrawn.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, CaseState::Open)
    }

    /// The end of the case; none: it is open.
    #[must_use]
    pub const fn closed(&self) -> Option<&ClosedCase> {
        match &self.state {
            CaseState::Open => None,
            CaseState::Closed(closed) => Some(closed),
        }
    }

    /// Replaces all that somebody wrote by a mark. Returns whether anything was there to be replaced.
    pub fn erase_free_text(&mut self) -> bool {
        let reason = match &mut self.state {
            CaseState::Open => None,
            CaseState::Closed(closed) => Some(&mut closed.reason),
        };
        let texts = self.additions.iter_mut().map(|addition| &mut addition.text);
        let mut erased = false;
        for text in texts.chain([&mut self.statement]).chain(reason).filter(|text| *text != ERASED) {
            ERASED.clone_into(text);
            erased = true;
        }
        erased
    }
}
