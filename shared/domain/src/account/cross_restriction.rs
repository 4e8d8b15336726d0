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
pub struct Ask {
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
pub struct AskedBy {
    /// The imposing account.
    pub account_id: AccountId,
    pub ask: Ask,
}

impl Account {
    /// The cross-restriction that the account imposes on the customer's other accounts; none: it imposes
    /// none.
    #[must_use]
    pub fn asks(&self) -> Option<AskedBy> {
        let ask = self.standing.asks_of_others.as_ref().filter(|ask| !ask.restrictions.is_empty())?;
        Some(AskedBy { account_id: self.account_id.clone(), ask: ask.clone() })
    }

    /// The revision that last changed the account's cross-restriction; none: it never imposed any.
    #[must_use]
    pub fn asked_at(&self) -> Option<Revision> {
        self.standing.asks_of_others.as_ref().map(|ask| ask.revision)
    }

    /// The cross-restrictions that the customer's other accounts impose, as far as they have arrived, by
    /// account.
    #[must_use]
    pub fn asked_by(&self) -> &[AskedBy] {
        &self.asked_by
    }

    /// Whether the other account's present cross-restriction, or its withdrawal, has arrived here.
    #[must_use]
    pub fn has_heard(&self, other: &Self) -> bool {
        let known = self.asked_by.iter().find(|known| known.account_id == other.account_id);
        known == other.asks().as_ref()
    }

    /// The account's restrictions while those of `restricting` are in force: these, then the ones that the
    /// customer's other accounts impose. With enforcement switched off: none.
    pub(crate) fn restrictions_under<'p>(&self, restricting: Option<&'p Stage>) -> Cow<'p, [Restriction]> {
        let own: &'p [Restriction] = restricting.map_or(&[], |stage| &stage.restrictions);
        if self.asked_by.is_empty() || !self.is_enforced() {
            return Cow::Borrowed(own);
        }
        let mut all = own.to_vec();
        for restriction in self.asked_by.iter().flat_map(|other| &other.ask.restrictions) {
            if !all.contains(restriction) {
                all.push(restriction.clone());
            }
        }
        Cow::Owned(all)
    }

    /// The instant since which all imposed cross-restrictions hold; none: none is imposed.
    pub(crate) fn asked_since(&self) -> Option<DateTime<Utc>> {
        self.asked_by.iter().map(|other| other.ask.since).max()
    }
}
