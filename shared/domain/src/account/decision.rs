//! Decisions: changes of an account's stage or restrictions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::figures::Figures;
use super::reason::Reason;
use crate::kernel::{AccountId, Revision};
use crate::policy::{PolicyRef, Restriction, Stage, StageName};

/// A change of stage or restrictions, with the policy version, the figures and the reasons behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// For a change that time triggered, the instant at which its condition came true; for any other, the
    /// instant of the triggering fact.
    pub at: DateTime<Utc>,
    /// The account's revision that holds the decision.
    pub revision: Revision,
    pub policy: PolicyRef,
    pub from: StageName,
    pub to: StageName,
    /// Newly applied restrictions, without those that stay.
    pub applied: Vec<Restriction>,
    pub lifted: Vec<Restriction>,
    pub figures: Figures,
    pub reasons: Vec<Reason>,
    /// The account's next evaluation; none: not before a new fact.
    pub next_action_at: Option<DateTime<Utc>>,
    /// The restrictions after the decision, in their order; empty where that is the order in which the stage lists
    /// them, followed by the others. It differs while a milder stage's restrictions are in force, or when several
    /// other accounts impose theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_force: Vec<Restriction>,
}

impl Decision {
    /// The id under which the decision is published, the same at every attempt.
    #[must_use]
    pub fn event_id(&self, account_id: &AccountId) -> String {
        event_id(account_id, self.revision)
    }
}

/// Restrictions in the order in which a stage lists them, then those that other accounts impose in their own
/// order: an order that follows from the restrictions alone.
#[must_use]
pub(crate) fn listed_order(mut restrictions: Vec<Restriction>, stage: Option<&Stage>) -> Vec<Restriction> {
    let listed = stage.map_or(&[][..], |stage| &stage.restrictions);
    let position = |one: &Restriction| listed.iter().position(|other| other == one).unwrap_or(listed.len());
    restrictions.sort_by(|one, other| (position(one), one).cmp(&(position(other), other)));
    restrictions
}

/// The id of the event that an account's revision publishes: `account/revision`.
#[must_use]
pub fn event_id(account_id: &AccountId, revision: Revision) -> String {
    format!("{account_id}/{revision}")
}
