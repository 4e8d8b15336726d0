//! The account status: the engine's last decision on an account, and when it evaluates the account next.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::classification::Classification;
use super::cross_restriction::Ask;
use super::delinquency::Lapses;
use crate::policy::{PolicyRef, Restriction, StageName};

/// The account status that the last assessment left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded_through: Option<DateTime<Utc>>,
    /// Kept where the policy has a first-lapse tolerance.
    #[serde(default, skip_serializing_if = "Lapses::is_none")]
    pub lapses: Lapses,
    /// None: the policy has no classification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<Classification>,
    /// The cross-restriction on the customer's other accounts; none: the account never imposed any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks_of_others: Option<Ask>,
}

impl Standing {
    /// The status of an account that has not been assessed yet.
    #[must_use]
    pub fn unjudged() -> Self {
        Self {
            stage: StageName::current(),
            restrictions: Vec::new(),
            since: None,
            policy: None,
            next_action_at: None,
            reminded_through: None,
            lapses: Lapses::default(),
            classification: None,
            asks_of_others: None,
        }
    }

    /// The restrictions that the account imposes on the customer's other accounts; empty: none.
    #[must_use]
    pub fn asks(&self) -> &[Restriction] {
        self.asks_of_others.as_ref().map_or(&[], |ask| &ask.restrictions)
    }

    /// Whether the account is due for evaluation by `now`.
    #[must_use]
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.next_action_at.is_some_and(|at| at <= now)
    }
}
