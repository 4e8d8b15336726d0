//! Cross-restrictions: an account restricts the customer's other accounts.
//!
//! An account that reaches the stage of its policy's [`CustomerRule`] imposes restrictions on the customer's
//! other accounts, and withdraws them when its own restrictions are lifted. Each of the other accounts keeps
//! them as a fact of its own. An account's cross-restriction follows from its own ladder alone, never from
//! those imposed on it: nothing cascades.
//!
//! [`CustomerRule`]: crate::policy::CustomerRule

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::{AccountId, Revision};
use crate::policy::{Restriction, Stage, StageName};

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

    /// The account's restrictions while those of `restricting` are in force: these, then the ones that the
    /// customer's other accounts impose. With enforcement switched off: none.
    pub(crate) fn restrictions_under<'p>(&self, restricting: Option<&'p Stage>) -> Cow<'p, [Restriction]> {
        let own: &'p [Restriction] = restricting.map_or(&[], |stage| &stage.restrictions);
        if self.imposed_by.is_empty() || !self.is_enforced() {
            return Cow::Borrowed(own);
        }
        let mut all = own.to_vec();
        for restriction in self.imposed_by.iter().flat_map(|other| &other.restriction.restrictions) {
            if !all.contains(restriction) {
                all.push(restriction.clone());
            }
        }
        Cow::Owned(all)
    }

    /// The instant since which all imposed cross-restrictions hold; none: none is imposed.
    pub(crate) fn imposed_since(&self) -> Option<DateTime<Utc>> {
        self.imposed_by.iter().map(|other| other.restriction.since).max()
    }
}
