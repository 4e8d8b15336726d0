//! `apply`: a command becomes a fact of the account, or is refused.
//!
//! [`allocate`](crate::ledger::allocate) derives the allocation from the facts, so payments and reversals may arrive in any order. Two
//! commands act on the amounts paid so far, a new schedule and a write-off: they evaluate the allocation
//! once, when they arrive, by the rules of the account's policy.

use chrono::{DateTime, Utc};

use super::check::check_date;
use super::command::Command;
use crate::account::Account;
use crate::kernel::Refusal;
use crate::policy::Timeline;

/// The effect of a command that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The account holds a new fact.
    Changed,
    /// The account knew the fact already, or the command changes nothing.
    Unchanged,
}

impl Account {
    /// Applies a command that became known at `at`.
    ///
    /// # Errors
    /// A [`Refusal`]; the account is then unchanged.
    pub fn apply(&mut self, command: &Command, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        self.apply_under(command, at, None)
    }

    /// Applies a command as [`apply`](Self::apply) does. A write-off and a new schedule ask the allocation of the
    /// account's policy what is settled.
    ///
    /// # Errors
    /// A [`Refusal`]; the account is then unchanged.
    pub fn apply_under(
        &mut self,
        command: &Command,
        at: DateTime<Utc>,
        timeline: Option<&Timeline<'_>>,
    ) -> Result<Applied, Refusal> {
        // Later dates have no local date in some zones.
        check_date("at", at.date_naive())?;
        self.apply_checked(command, at, timeline)
    }
}
