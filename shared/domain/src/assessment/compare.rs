//! Compares an account's treatment under two policies: the same facts, the same instant, two assessments.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::assess::{Assessment, assess};
use crate::account::Account;
use crate::policy::{Policy, is_covered};

/// An account's assessments under the policy at hand and under another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyComparison<'p> {
    /// Under the policy at hand.
    pub from: Assessment<'p>,
    /// Under the other one.
    pub to: Assessment<'p>,
}

/// How an account's treatment changes under another policy. Each account has exactly one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TreatmentChange {
    /// A restriction is new or stricter, whatever else is lifted.
    Restricted,
    /// On a stage instead of `current`, and no restriction is new or stricter.
    Flagged,
    /// A restriction is lifted or milder, or the stage is `current` again, and none is stricter.
    Eased,
    /// On another stage, under the same restrictions.
    Moved,
    /// The same stage, the same restrictions.
    Unchanged,
}

impl TreatmentChange {
    /// All changes, those that a borrower feels most first.
    pub const ALL: [Self; 5] = [Self::Restricted, Self::Flagged, Self::Eased, Self::Moved, Self::Unchanged];

    /// The change as the formats write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::Flagged => "flagged",
            Self::Eased => "eased",
            Self::Moved => "moved",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Assesses an account at `now` under both policies.
#[must_use]
pub fn compare<'p>(
    account: &Account,
    policy: &'p Policy,
    other: &'p Policy,
    now: DateTime<Utc>,
) -> PolicyComparison<'p> {
    PolicyComparison { from: assess(account, policy, now), to: assess(account, other, now) }
}

impl PolicyComparison<'_> {
    /// How the account's treatment changes.
    #[must_use]
    pub fn change(&self) -> TreatmentChange {
        let (before, after) = (self.from.restrictions(), self.to.restrictions());
        if after.iter().any(|restriction| !is_covered(restriction, before)) {
            return TreatmentChange::Restricted;
        }
        let eased = before.iter().any(|restriction| !is_covered(restriction, after));
        match (self.from.stage, self.to.stage) {
            _ if eased => TreatmentChange::Eased,
            (Some(_), None) => TreatmentChange::Eased,
            (None, Some(_)) => TreatmentChange::Flagged,
            (Some(from), Some(to)) if from.name != to.name => TreatmentChange::Moved,
            _ => TreatmentChange::Unchanged,
        }
    }
}
