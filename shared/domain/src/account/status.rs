//! The standing: what was decided last of an account.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::classification::Classification;
use super::cross_restriction::Ask;
use super::delinquency::Lapses;
use crate::policy::{PolicyRef, Restriction, StageName};

/// What the engine last decided of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// The rung it stands on.
    pub stage: StageName,
    /// What it may not do.
    pub restrictions: Vec<Restriction>,
    /// Since when this stage and these restrictions hold; none: since it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// The policy version that judged it; none: not judged yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyRef>,
    /// When it is to be looked at next; none: not before a new fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_action_at: Option<DateTime<Utc>>,
    /// Up to when its reminders have been planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded_through: Option<DateTime<Utc>>,
    /// What is remembered of lapses, where the policy asks for it.
    #[serde(default, skip_serializing_if = "Lapses::is_none")]
    pub lapses: Lapses,
    /// What its regulatory class is judged by; none: its policy has no classification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<Classification>,
    /// What it asks of the customer's other accounts; none: it never asked anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks_of_others: Option<Ask>,
}

impl Standing {
    /// Nobody has looked at the account yet.
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

    /// What it asks of the customer's other accounts; empty: nothing.
    #[must_use]
    pub fn asks(&self) -> &[Restriction] {
        self.asks_of_others.as_ref().map_or(&[], |ask| &ask.restrictions)
    }

    /// Whether the account is to be looked at by `now`.
    #[must_use]
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.next_action_at.is_some_and(|at| at <= now)
    }
}
