//! The version of a policy that binds an account.
//!
//! A version binds from its effective date on, and never before it was published. It is judged against the
//! version that binds the account when its turn comes, over any number of versions between them. A version
//! counts as stricter unless the checker proves otherwise.
//!
//! A stricter version owes its announcement: it binds so many days after the announcement left, and never
//! before. The obligation carries over: a version without `[announcement]` owes the table of the latest version
//! before it that has one, and the days are the most that any version since the binding one has asked for. The
//! announcement of an earlier version reaches a later one that is no stricter than it, and no earlier than
//! the announced version would have bound.
//!
//! A stricter version with a rollout binds an account later by the days of its cohort, which come after those of the
//! announcement.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::account::{Account, BoundVersion, Notice, NoticeOf};
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

    /// The first date on which a version binds an account that is told of it on the date of `now`; none: the
    /// version is not known.
    #[must_use]
    pub fn announced_from(&self, account: &Account, version: u32, now: DateTime<Utc>) -> Option<NaiveDate> {
        let rules = Rules::from(self);
        let (place, policy) = self.iter().enumerate().find(|(_, one)| one.version == version)?;
        let binding = rules.in_force(account, now);
        let days = rules.owed(place, binding).map_or(0, |owed| owed.days);
        let told_on = business_date(account.time_zone, now);
        let from = plus_days(told_on, i64::from(days)).max(policy.effective_on);
        Some(plus_days(from, rules.cohort_days(place, binding, account)))
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

/// The announcement that a version owes an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwedAnnouncement<'p> {
    pub(crate) announcement: &'p Announcement,
    /// The days between the announcement and the version's first day.
    days: u32,
}

/// A version, and when it binds an account.
#[derive(Clone, Copy, Debug)]
struct Binding<'p> {
    policy: &'p Policy,
    /// The instant from which it binds; none: from the beginning.
    at: Option<DateTime<Utc>>,
    /// The first date that is judged by it.
    from: NaiveDate,
}

/// The versions that bind an account, in the order in which they do: first those of the past, then those whose
/// instants are certain already.
struct Course<'p> {
    bindings: Vec<Binding<'p>>,
}

impl<'p> Course<'p> {
    fn current_at(&self, now: DateTime<Utc>) -> &'p Policy {
        let bound = self.bindings.iter().rev().find(|one| one.at.is_none_or(|at| at <= now));
        bound.map_or(self.bindings[0].policy, |one| one.policy)
    }

    /// Adds a version. Those that would bind no earlier never do, for the latest version that binds wins.
    fn bind(&mut self, binding: Binding<'p>) {
        let is_overtaken = |one: &Binding<'p>| one.at.is_some_and(|_| one.from >= binding.from);
        while self.bindings.last().is_some_and(is_overtaken) {
            self.bindings.pop();
        }
        self.bindings.push(binding);
    }
}

impl<'p> Rules<'p> {
    /// The version that binds an account at `now`: the latest that does.
    #[must_use]
    pub fn in_force(self, account: &Account, now: DateTime<Utc>) -> &'p Policy {
        if let [only] = self.0 {
            return only;
        }
        self.timeline(account, now).current()
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
        let course = self.course(account, now);
        let mut timeline = Timeline::from(course.bindings[0].policy);
        for binding in course.bindings.iter().filter(|one| one.at.is_some_and(|at| at <= now)) {
            timeline.bind(binding.from, binding.policy);
        }
        timeline
    }

    /// The next version that binds an account later than `now`, and when. A version whose instant is not
    /// certain yet is left out.
    pub(crate) fn next(self, account: &Account, now: DateTime<Utc>) -> Option<(&'p Policy, DateTime<Utc>)> {
        if self.0.len() < 2 {
            return None;
        }
        let bindings = self.course(account, now).bindings;
        let later = bindings.iter().filter_map(|one| Some((one.policy, one.at?)));
        later.filter(|(_, at)| *at > now).min_by_key(|(_, at)| *at)
    }

    /// The first version that waits for its announcement to the customer. A version that a later one is certain
    /// to replace before it could bind is not announced.
    pub(crate) fn to_announce(
        self,
        account: &Account,
        now: DateTime<Utc>,
    ) -> Option<(&'p Policy, OwedAnnouncement<'p>)> {
        if self.0.iter().all(|policy| policy.announcement.is_none()) {
            return None;
        }
        let course = self.course(account, now);
        let current = course.current_at(now);
        let today = business_date(account.time_zone, now);
        for (place, policy) in self.0.iter().enumerate().filter(|(_, one)| one.version > current.version) {
            if course.bindings.iter().any(|one| one.policy.version == policy.version) {
                continue;
            }
            let by = course.bindings.iter().rev().find(|one| one.policy.version < policy.version);
            let by = by.map_or(current, |one| one.policy);
            let Some(owed) = self.owed(place, by) else { continue };
            let is_planned =
                account.notices.iter().any(|notice| self.reaches(notice, place, current).is_some());
            let earliest = policy.effective_on.max(plus_days(today, i64::from(owed.days)));
            let earliest = plus_days(earliest, self.cohort_days(place, by, account));
            let is_replaced =
                course.bindings.iter().any(|one| one.policy.version > policy.version && one.from <= earliest);
            if !is_planned && !is_replaced {
                return Some((policy, owed));
            }
        }
        None
    }

    /// By when the customer must be told of the version that waits for it, so that it binds on its effective
    /// date; no sooner than `ANNOUNCED_WITHIN` from `now`.
    pub(crate) fn announces_by(self, account: &Account, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (version, owed) = self.to_announce(account, now)?;
        let told_by = plus_days(version.effective_on, -i64::from(owed.days));
        Some(start_of_day(account.time_zone, told_by).max(now + ANNOUNCED_WITHIN))
    }

    /// The versions that bind an account: those that did by `now`, and those that will as far as is certain.
    fn course(self, account: &Account, now: DateTime<Utc>) -> Course<'p> {
        let zone = account.time_zone;
        let status = &account.status;
        let known = status.policy.as_ref().filter(|known| known.id == account.policy_id);
        let known = known.map(|known| known.version);
        let mut course = self.remembered(account, known);
        let last = course.bindings.last().map_or(0, |one| one.policy.version);
        for (place, policy) in self.0.iter().enumerate().filter(|(_, one)| one.version > last) {
            let Some(mut binding) = self.first_binding(&course, place, account) else { continue };
            let came_late = known < Some(policy.version) && status.last_assessed_at >= binding.at;
            if binding.at.is_some_and(|at| at <= now) && came_late {
                binding.from = business_date(zone, now);
                binding.at = binding.at.max(Some(start_of_day(zone, binding.from)));
            }
            course.bind(binding);
        }
        course
    }

    /// The versions that the account remembers; or the one that bound it when it was opened.
    fn remembered(self, account: &Account, known: Option<u32>) -> Course<'p> {
        let zone = account.time_zone;
        let of_version = |bound: &BoundVersion| {
            self.0.iter().find(|policy| policy.version == bound.version).map(|policy| (bound.from, policy))
        };
        let mut remembered = account.bound_versions.iter().filter_map(of_version);
        if let Some((from, policy)) = remembered.next() {
            let mut course = Course { bindings: vec![Binding { policy, at: None, from }] };
            for (from, policy) in remembered {
                course.bind(Binding { policy, at: Some(start_of_day(zone, from)), from });
            }
            return course;
        }
        let opened_at = start_of_day(zone, account.opened_on);
        let mut course =
            Course { bindings: vec![Binding { policy: self.1, at: None, from: self.1.effective_on }] };
        // A version above the one that assessed the account had not been published then.
        let published = |policy: &Policy| known.is_none_or(|known| policy.version <= known);
        for (place, policy) in self.0.iter().enumerate().skip(1) {
            let binding = self.first_binding(&course, place, account).filter(|_| published(policy));
            if let Some(binding) = binding.filter(|one| one.at <= Some(opened_at)) {
                course.bind(binding);
            }
        }
        let policy = course.current_at(opened_at);
        Course { bindings: vec![Binding { policy, at: None, from: account.opened_on }] }
    }

    /// When the version at a place binds an account on top of those before it, as early as it may; none: not
    /// before its customer is told.
    fn first_binding(self, course: &Course<'p>, place: usize, account: &Account) -> Option<Binding<'p>> {
        let (zone, policy) = (account.time_zone, &self.0[place]);
        let mut earliest = policy.effective_on;
        if let Some(published_at) = policy.published_at.filter(|at| *at > start_of_day(zone, earliest)) {
            earliest = business_date(zone, published_at);
        }
        let at = |from: NaiveDate| {
            let begins_at = start_of_day(zone, from);
            policy.published_at.map_or(begins_at, |published_at| begins_at.max(published_at))
        };
        for (number, before) in course.bindings.iter().enumerate() {
            let begins = if before.at.is_some() { earliest.max(before.from) } else { earliest };
            let from = match self.owed(place, before.policy) {
                None => begins,
                Some(owed) => match self.told_from(place, before.policy, owed, account) {
                    Some(told_from) => begins.max(told_from),
                    None => continue,
                },
            };
            let from = plus_days(from, self.cohort_days(place, before.policy, account));
            // From the next one's beginning on the version is judged against that one.
            if course.bindings.get(number + 1).is_none_or(|next| from < next.from) {
                return Some(Binding { policy, at: Some(at(from)), from });
            }
        }
        None
    }

    /// The announcement that the version at a place owes an account which another version binds.
    fn owed(self, place: usize, binding: &Policy) -> Option<OwedAnnouncement<'p>> {
        let policy = &self.0[place];
        let announced = |one: &'p Policy| Some((one.version, one.announcement.as_ref()?));
        let up_to = &self.0[..=place];
        let (_, announcement) = up_to.iter().rev().find_map(announced)?;
        if policy.version <= binding.version || policy.is_no_stricter_than(binding) {
            return None;
        }
        let since = up_to.iter().filter_map(announced).filter(|(version, _)| *version >= binding.version);
        let days = since.map(|(_, table)| table.days).max().unwrap_or(0).max(announcement.days);
        Some(OwedAnnouncement { announcement, days })
    }

    /// The days by which the cohort of an account that another version binds comes after the first one; 0: the
    /// version at a place is no stricter than that, or has no rollout.
    fn cohort_days(self, place: usize, binding: &Policy, account: &Account) -> i64 {
        let policy = &self.0[place];
        let rollout = policy.rollout.as_ref().filter(|_| !policy.is_no_stricter_than(binding));
        rollout.map_or(0, |rollout| rollout.days_until(&account.account_id))
    }

    /// The first date on which the version at a place binds an account by the announcements that have left.
    fn told_from(
        self,
        place: usize,
        binding: &Policy,
        owed: OwedAnnouncement<'_>,
        account: &Account,
    ) -> Option<NaiveDate> {
        let from = |notice: &Notice| {
            let announced = self.reaches(notice, place, binding)?;
            let told_on = business_date(account.time_zone, notice.sent_at?);
            Some(plus_days(told_on, i64::from(owed.days)).max(announced.effective_on))
        };
        account.notices.iter().filter_map(from).min()
    }

    /// The announced version, where a notice is of the version at a place or of one that is at least as strict and
    /// came after the binding one.
    fn reaches(self, notice: &Notice, place: usize, binding: &Policy) -> Option<&'p Policy> {
        let NoticeOf::Policy(version) = notice.of else { return None };
        let announced = self.0[..=place].iter().find(|one| one.version == version)?;
        let is_of_it = version == self.0[place].version;
        let reaches = version > binding.version && (is_of_it || self.0[place].is_no_stricter_than(announced));
        reaches.then_some(announced)
    }
}
