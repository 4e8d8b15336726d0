//! The version of a policy that binds an account.
//!
//! A version binds from its effective date on. A stricter version that requires an announcement
//! binds an account so many days after its announcement left, and never before. A version counts as
//! stricter unless the checker proves otherwise.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::{Account, BoundVersion, NoticeOf};
use crate::kernel::{business_date, plus_days, start_of_day};
use crate::policy::{Announcement, Policy, Timeline, Versions};

/// The publication of a version that must be announced at once spreads the accounts within this time.
const ANNOUNCED_WITHIN: TimeDelta = TimeDelta::hours(2);

impl Versions {
    /// The version that binds an account at `now`.
    #[must_use]
    pub fn in_force(&self, account: &Account, now: DateTime<Utc>) -> &Policy {
        Rules::from(self).in_force(account, now)
    }

    /// The versions that bound an account by `now`, each from a date on.
    #[must_use]
    pub fn timeline(&self, account: &Account, now: DateTime<Utc>) -> Timeline<'_> {
        Rules::from(self).timeline(account, now)
    }
}

/// The versions of the policy that an account is assessed by, oldest first. A policy alone is its only
/// version, and binds at once.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'p>(&'p [Policy], &'p Policy);

impl<'p> From<&'p Policy> for Rules<'p> {
    fn from(policy: &'p Policy) -> Self {
        Self(std::slice::from_ref(policy), policy)
    }
}

impl<'p> From<&'p Versions> for Rules<'p> {
    fn from(versions: &'p Versions) -> Self {
        Self(versions, &versions[0])
    }
}

impl<'p> From<&'p Arc<Versions>> for Rules<'p> {
    fn from(versions: &'p Arc<Versions>) -> Self {
        Self::from(versions.as_ref())
    }
}

/// A version, and the instant from which it binds an account; none: from the beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding<'p> {
    pub(crate) policy: &'p Policy,
    pub(crate) at: Option<DateTime<Utc>>,
}

impl<'p> Rules<'p> {
    /// The version that binds an account at `now`: the latest that does.
    #[must_use]
    pub fn in_force(self, account: &Account, now: DateTime<Utc>) -> &'p Policy {
        self.binding(account, now).policy
    }

    pub(crate) fn binding(self, account: &Account, now: DateTime<Utc>) -> Binding<'p> {
        let later = self.0.windows(2).rev().filter_map(|pair| Some((&pair[1], binds_at(pair, account)?)));
        let mut binding = later.filter(|(_, at)| *at <= now);
        match binding.next() {
            Some((policy, at)) => Binding { policy, at: Some(at) },
            None => Binding { policy: self.1, at: None },
        }
    }

    /// The versions that bound an account by `now`, each from a date on.
    ///
    /// The account remembers them. A version that was published after the account had been assessed on its
    /// effective date binds from today, for it changes no day before. Where nothing is remembered, the versions
    /// follow from their effective dates and announcements; days before the opening are those of the version
    /// that bound the account then.
    pub fn timeline(self, account: &Account, now: DateTime<Utc>) -> Timeline<'p> {
        if let [only] = self.0 {
            return Timeline::from(only);
        }
        let zone = account.time_zone;
        let of_version = |bound: &BoundVersion| {
            self.0.iter().find(|policy| policy.version == bound.version).map(|policy| (bound.from, policy))
        };
        let status = &account.status;
        let known = status.policy.as_ref().filter(|known| known.id == account.policy_id);
        let known = known.map(|known| known.version);
        let mut remembered = account.bound_versions.iter().filter_map(of_version);
        let mut timeline = match remembered.next() {
            Some((_, first)) => Timeline::from(first),
            None => {
                // A version above the one that assessed the account had not been published then.
                let published = |policy: &&Policy| known.is_none_or(|known| policy.version <= known);
                let published = self.0.iter().filter(published).count().max(1);
                let first = Rules(&self.0[..published], self.1);
                Timeline::from(first.in_force(account, start_of_day(zone, account.opened_on)))
            }
        };
        remembered.for_each(|(from, policy)| timeline.bind(from, policy));
        let mut later: Vec<(DateTime<Utc>, &Policy)> =
            self.0.windows(2).filter_map(|pair| Some((binds_at(pair, account)?, &pair[1]))).collect();
        later.retain(|(at, _)| *at <= now);
        later.sort_by_key(|(at, policy)| (*at, policy.version));
        for (at, policy) in later {
            if policy.version <= timeline.current().version {
                continue;
            }
            let came_late = known < Some(policy.version) && status.last_assessed_at >= Some(at);
            timeline.bind(business_date(zone, if came_late { now } else { at }), policy);
        }
        timeline
    }

    /// The next version that binds an account later than `now`, and when. A version whose instant is not
    /// certain yet is left out.
    pub(crate) fn next(self, account: &Account, now: DateTime<Utc>) -> Option<(&'p Policy, DateTime<Utc>)> {
        let in_force = self.in_force(account, now).version;
        let later = self.0.windows(2).filter(|pair| pair[1].version > in_force);
        let known = later.filter_map(|pair| Some((&pair[1], binds_at(pair, account)?)));
        known.filter(|(_, at)| *at > now).min_by_key(|(_, at)| *at)
    }

    /// The first version that waits for its announcement to the customer.
    pub(crate) fn to_announce(self, account: &Account) -> Option<(&'p Policy, &'p Announcement)> {
        let waits = |pair: &&[Policy]| {
            let of = NoticeOf::Policy(pair[1].version);
            must_be_announced(pair).is_some() && !account.notices.iter().any(|notice| notice.of == of)
        };
        let policy = &self.0.windows(2).find(waits)?[1];
        Some((policy, policy.announcement.as_ref()?))
    }

    /// By when the customer must be told of the version that waits for it, so that it binds on its effective
    /// date; no sooner than `ANNOUNCED_WITHIN` from `now`.
    pub(crate) fn announces_by(self, account: &Account, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (version, announcement) = self.to_announce(account)?;
        let told_by = plus_days(version.effective_on, -i64::from(announcement.days));
        Some(start_of_day(account.time_zone, told_by).max(now + ANNOUNCED_WITHIN))
    }
}

fn must_be_announced(pair: &[Policy]) -> Option<&Announcement> {
    pair[1].announcement.as_ref().filter(|_| !pair[1].is_no_stricter_than(&pair[0]))
}

/// When the second of two versions binds an account; none: not before its customer is told.
fn binds_at(pair: &[Policy], account: &Account) -> Option<DateTime<Utc>> {
    let zone = account.time_zone;
    let mut from = pair[1].effective_on;
    if let Some(announcement) = must_be_announced(pair) {
        let of = NoticeOf::Policy(pair[1].version);
        let told = account.notices.iter().filter(|notice| notice.of == of);
        let told_on = business_date(zone, told.filter_map(|notice| notice.sent_at).min()?);
        from = from.max(plus_days(told_on, i64::from(announcement.days)));
    }
    Some(start_of_day(zone, from))
}
