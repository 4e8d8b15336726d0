//! The versions of a policy that bound an account, each from a day on.

use chrono::NaiveDate;

use super::Policy;
use crate::kernel::{date_of, number};

/// The versions of a policy that bound an account, in the order in which they did, up to the one that binds it.
///
/// Money and accrual follow the version that binds on the day of the night or of the payment; a new version
/// changes days from its binding on, never the past. The days before the second version are the first one's.
#[derive(Clone, Debug)]
pub struct Timeline<'p> {
    first: &'p Policy,
    /// The later versions, each with the first calendar day that it binds.
    later: Vec<(i64, &'p Policy)>,
}

impl<'p> Timeline<'p> {
    /// Adds a version that binds from a date on. One that binds no later than the version before it replaces
    /// that version.
    pub fn bind(&mut self, from: NaiveDate, policy: &'p Policy) {
        let from = number(from);
        while self.later.last().is_some_and(|(before, _)| *before >= from) {
            self.later.pop();
        }
        if self.current().version != policy.version {
            self.later.push((from, policy));
        }
    }

    /// The version that binds now.
    #[must_use]
    pub fn current(&self) -> &'p Policy {
        self.later.last().map_or(self.first, |(_, policy)| policy)
    }

    /// The version that binds on a calendar day.
    pub(crate) fn on(&self, day: i64) -> &'p Policy {
        let later = self.later.iter().rev().find(|(from, _)| *from <= day);
        later.map_or(self.first, |(_, policy)| policy)
    }

    /// The versions, each with the first calendar day that it binds; the first binds all days before.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &'p Policy)> {
        std::iter::once((i64::MIN, self.first)).chain(self.later.iter().copied())
    }

    /// The versions that begin to bind after one day and by another, with the first calendar days that they bind.
    pub(crate) fn begun_between(&self, after: i64, by: i64) -> impl Iterator<Item = (i64, &'p Policy)> {
        self.later.iter().copied().filter(move |(from, _)| after < *from && *from <= by)
    }

    /// The versions with their first dates; the first has none.
    pub(crate) fn bound_from(&self) -> impl Iterator<Item = (Option<NaiveDate>, u32)> {
        let later = self.later.iter().map(|(from, policy)| (Some(date_of(*from)), policy.version));
        std::iter::once((None, self.first.version)).chain(later)
    }

    /// Whether one version has bound the account alone.
    pub(crate) fn is_single(&self) -> bool {
        self.later.is_empty()
    }

    /// Whether the allocation depends on the dates of payments under one of the versions. If not, one
    /// allocation of all payments at once has the same result.
    pub(crate) fn keeps_a_ledger(&self) -> bool {
        self.iter().any(|(_, policy)| policy.keeps_a_ledger())
    }
}

/// The timeline of a policy that has had one version.
impl<'p> From<&'p Policy> for Timeline<'p> {
    fn from(policy: &'p Policy) -> Self {
        Self { first: policy, later: Vec::new() }
    }
}

impl<'p> From<&Timeline<'p>> for Timeline<'p> {
    fn from(timeline: &Timeline<'p>) -> Self {
        timeline.clone()
    }
}
