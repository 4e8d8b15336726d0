//! `decide`: the difference between a standing and a new assessment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::figures::Figures;
use super::reason::Reason;
use crate::kernel::{AccountId, Revision};
use crate::policy::{PolicyRef, Restriction, StageName};

/// A change of stage or restrictions, with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// When: of a change that time brought, the instant at which its condition
    /// came true; of any other, the instant of the fact that brought it.
    pub at: DateTime<Utc>,
    /// The account's revision that bears it.
    pub revision: Revision,
    /// Who says so.
    pub policy: PolicyRef,
    /// The stage before.
    pub from: StageName,
    /// The stage from now on.
    pub to: StageName,
    /// The restrictions that are new.
    pub applied: Vec<Restriction>,
    /// The restrictions that are gone.
    pub lifted: Vec<Restriction>,
    /// The figures it was judged on.
    pub figures: Figures,
    /// Why.
    pub reasons: Vec<Reason>,
    /// When the account is looked at next.
    pub next_action_at: Option<DateTime<Utc>>,
}

impl Decision {
    /// The id under which the decision is published, each time the same.
    #[must_use]
    pub fn event_id(&self, account_id: &AccountId) -> String {
        event_id(account_id, self.revision)
    }
}

/// The id of what a revision of an account publishes.
#[must_use]
pub fn event_id(account_id: &AccountId, revision: Revision) -> String {
    format!("{account_id}/{revision}")
}
