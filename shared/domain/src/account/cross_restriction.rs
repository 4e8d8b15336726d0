//! The customer's other accounts: what one asks of the others, and what it bears for them.
//!
//! An account that reaches the stage of its policy's [`CustomerRule`] asks the customer's
//! other accounts to be restricted, and stops asking when its own restrictions are lifted.
//! Each of the others keeps what it is asked as a fact of its own. What an account asks
//! follows from its own ladder alone, never from what others ask of it: nothing cascades.
//!
//! [`CustomerRule`]: crate::policy::CustomerRule

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::{AccountId, Revision};
use crate::policy::{Restriction, Stage, StageName};

/// What an account asks of the customer's other accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// What they may not do; empty: nothing any more.
    pub restrictions: Vec<Restriction>,
    /// The stage whose restrictions were in force when that last changed.
    pub stage: StageName,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The account's revision that changed it.
    pub revision: Revision,
}

/// What another account of the customer asks of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedBy {
    /// The other account.
    pub account_id: AccountId,
    /// What it asks.
    pub ask: Ask,
}

impl Account {
    /// What it asks of the customer's other accounts; none: nothing.
    #[must_use]
    pub fn asks(&self) -> Option<AskedBy> {
        let ask = self.standing.asks_of_others.as_ref().filter(|ask| !ask.restrictions.is_empty())?;
        Some(AskedBy { account_id: self.account_id.clone(), ask: ask.clone() })
    }

    /// The revision that last changed what it asks of the others; none: it never asked.
    #[must_use]
    pub fn asked_at(&self) -> Option<Revision> {
        self.standing.asks_of_others.as_ref().map(|ask| ask.revision)
    }

    /// What the customer's other accounts ask of it, as far as that has arrived, by account.
    #[must_use]
    pub fn asked_by(&self) -> &[AskedBy] {
        &self.asked_by
    }

    /// Whether what another account of the customer asks now, or that it asks nothing, has
    /// arrived here.
    #[must_use]
    pub fn has_heard(&self, other: &Self) -> bool {
        let known = self.asked_by.iter().find(|known| known.account_id == other.account_id);
        known == other.asks().as_ref()
    }

    /// What it may not do while the restrictions of `restricting` are in force: those, and
    /// what the others ask beside them. Where enforcement is off, nothing.
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

    /// Since when all of what the others ask holds; none: they ask nothing.
    pub(crate) fn asked_since(&self) -> Option<DateTime<Utc>> {
        self.asked_by.iter().map(|other| other.ask.since).max()
    }
}
