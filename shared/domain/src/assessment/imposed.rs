//! The cross-restrictions that are in force on an account on a day: none begins inside a pause.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};

use crate::account::{Account, ImposedBy};
use crate::ledger::after_pause;
use crate::policy::{Policy, Restriction, Stage};

/// The cross-restrictions in force on a day.
#[derive(Clone, Debug, Default)]
pub(crate) struct ImposedOnDay<'a> {
    in_force: Vec<&'a ImposedBy>,
    /// Since when all of them are in force; none: there is none.
    pub(crate) since: Option<DateTime<Utc>>,
    /// Those that wait for the end of a pause, with the first day after it.
    deferred: Vec<(NaiveDate, &'a ImposedBy)>,
}

impl<'a> ImposedOnDay<'a> {
    pub(crate) fn of(account: &'a Account, policy: &Policy, day: NaiveDate) -> Self {
        let mut imposed = Self::default();
        if !account.is_enforced() {
            return imposed;
        }
        for other in account.imposed_by() {
            let since = other.restriction.since;
            let imposed_on = policy.day_count.judged_day(account.time_zone, since);
            let begins_on = after_pause(&account.pauses, imposed_on);
            let is_deferred = begins_on > imposed_on;
            if is_deferred && begins_on > day {
                imposed.deferred.push((begins_on, other));
                continue;
            }
            let began = policy.day_count.begin(account.time_zone, begins_on);
            imposed.since = imposed.since.max(Some(if is_deferred { began } else { since }));
            imposed.in_force.push(other);
        }
        imposed
    }

    /// The next day on which one takes effect that takes away more than the restrictions in force.
    pub(crate) fn changes_on(&self, in_force: &[Restriction]) -> Option<NaiveDate> {
        let adds =
            |other: &ImposedBy| other.restriction.restrictions.iter().any(|one| !in_force.contains(one));
        self.deferred.iter().filter(|(_, other)| adds(other)).map(|(on, _)| *on).min()
    }

    /// The account's restrictions while those of `restricting` are in force: these, then the imposed ones.
    pub(crate) fn beside<'p>(&self, restricting: Option<&'p Stage>) -> Cow<'p, [Restriction]> {
        let own: &'p [Restriction] = restricting.map_or(&[], |stage| &stage.restrictions);
        if self.in_force.is_empty() {
            return Cow::Borrowed(own);
        }
        let mut all = own.to_vec();
        for restriction in self.in_force.iter().flat_map(|other| &other.restriction.restrictions) {
            if !all.contains(restriction) {
                all.push(restriction.clone());
            }
        }
        Cow::Owned(all)
    }
}
