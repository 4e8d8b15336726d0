//! The account status: the engine's last decision on an account, and when it evaluates the account next.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::classification::Classification;
use super::cross_restriction::CrossRestriction;
use super::delinquency::DelinquencyHistory;
use super::hold_use::HoldUse;
use crate::policy::{PolicyRef, Restriction, StageName};

/// The account status that the last assessment left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountStatus {
    pub stage: StageName,
    pub restrictions: Vec<Restriction>,
    /// Since when this stage and these restrictions hold; none: since the account was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// The policy version of the last assessment; none: not assessed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyRef>,
    /// The account's next evaluation; none: not before a new fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_action_at: Option<DateTime<Utc>>,
    /// The instant of the last assessment; none: not assessed yet. The account's time never goes back before
    /// it, and reminders planned up to it are handled.
    #[serde(rename = "reminded_through", default, skip_serializing_if = "Option::is_none")]
    pub last_assessed_at: Option<DateTime<Utc>>,
    /// Kept where the policy has a first-lapse tolerance.
    #[serde(rename = "lapses", default, skip_serializing_if = "DelinquencyHistory::is_none")]
    pub delinquency_history: DelinquencyHistory,
    /// The use that holds have made of their days in the current delinquency episode.
    #[serde(default, skip_serializing_if = "HoldUse::is_none")]
    pub holds: HoldUse,
    /// None: the policy has no classification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<Classification>,
    /// The cross-restriction on the customer's other accounts; none: the account never imposed any.
    #[serde(rename = "asks_of_others", default, skip_serializing_if = "Option::is_none")]
    pub imposes: Option<CrossRestriction>,
}

impl AccountStatus {
    /// The status of an account that has not been assessed yet.
    #[must_use]
    pub fn unassessed() -> Self {
        Self {
            stage: StageName::current(),
            restrictions: Vec::new(),
            since: None,
            policy: None,
            next_action_at: None,
            last_assessed_at: None,
            delinquency_history: DelinquencyHistory::default(),
            holds: HoldUse::default(),
            classification: None,
            imposes: None,
        }
    }

    /// The restrictions that the account imposes on the customer's other accounts; empty: none.
    #[must_use]
    pub fn imposed_restrictions(&self) -> &[Restriction] {
        self.imposes.as_ref().map_or(&[], |restriction| &restriction.restrictions)
    }

    /// Whether the instant of the next evaluation has come. [`Account::is_due`](super::Account::is_due) also lets the
    /// last second of a date end.
    #[must_use]
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.next_action_at.is_some_and(|at| at <= now)
    }
}
