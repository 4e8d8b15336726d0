//! Cross-restrictions: an account restricts the customer's other accounts.
//!
//! An account that reaches the stage of its policy's [`CustomerRule`] imposes restrictions on the customer's
//! other accounts, and withdraws them when its own restrictions are lifted. Each of the other accounts keeps
//! them as a fact of its own. An account's cross-restriction follows from its own ladder alone, never from
//! those imposed on it: nothing cascades.
//!
//! [`CustomerRule`]: crate::policy::CustomerRule

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::{AccountId, Revision};
use crate::policy::{Restriction, StageName};

/// The restrictions that an account imposes on the customer's other accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossRestriction {
    /// Empty: the account imposes none any more.
    pub restrictions: Vec<Restriction>,
    /// The stage whose restrictions were in force at the last change.
    pub stage: StageName,
    /// Since when these restrictions are imposed.
    pub since: DateTime<Utc>,
    /// The account's revision that made the last change.
    pub revision: Revision,
}

/// The cross-restriction that another account of the customer imposes on an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImposedBy {
    /// The imposing account.
    pub account_id: AccountId,
    #[serde(rename = "ask")]
    pub restriction: CrossRestriction,
}

impl Account {
    /// The cross-restriction that the account imposes on the customer's other accounts; none: it imposes
    /// none.
    #[must_use]
    pub fn imposes(&self) -> Option<ImposedBy> {
        let restriction =
            self.status.imposes.as_ref().filter(|restriction| !restriction.restrictions.is_empty())?;
        Some(ImposedBy { account_id: self.account_id.clone(), restriction: restriction.clone() })
    }

    /// The revision that last changed the account's cross-restriction; none: it never imposed any.
    #[must_use]
    pub fn imposed_at_revision(&self) -> Option<Revision> {
        self.status.imposes.as_ref().map(|restriction| restriction.revision)
    }

    /// The cross-restrictions that the customer's other accounts impose, as far as they have arrived, by
    /// account.
    #[must_use]
    pub fn imposed_by(&self) -> &[ImposedBy] {
        &self.imposed_by
    }

    /// Whether the other account's present cross-restriction, or its withdrawal, has arrived here.
    #[must_use]
    pub fn has_applied_from(&self, other: &Self) -> bool {
        let known = self.imposed_by.iter().find(|known| known.account_id == other.account_id);
        known == other.imposes().as_ref()
    }
}
