//! The versions of a policy that bound an account, by date.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use duewatch_domain::Policy;

use super::calendar;

/// The versions that bound an account, each from a date on, the first for all dates before the second.
#[derive(Clone, Debug)]
pub(super) struct ModelPolicies(Vec<(NaiveDate, Policy)>);

impl ModelPolicies {
    /// One version alone.
    pub(super) fn one(policy: &Policy) -> Self {
        Self(vec![(NaiveDate::MIN, policy.clone())])
    }

    /// The versions up to `policy`, after those that the account was seen under. A version that was published after
    /// the account had been evaluated on its date binds from today.
    pub(super) fn after(
        seen: Option<&Self>,
        published: &[Policy],
        policy: &Policy,
        (zone, opened_on): (Tz, NaiveDate),
        (evaluated_at, now): (Option<DateTime<Utc>>, DateTime<Utc>),
    ) -> Self {
        let mut all: Vec<&Policy> = published.iter().filter(|one| one.version < policy.version).collect();
        all.sort_by_key(|one| one.version);
        all.push(policy);
        let mut versions = seen.cloned().unwrap_or_else(|| {
            let on_opening = all.iter().rev().find(|one| one.effective_on <= opened_on);
            Self::one(on_opening.copied().unwrap_or(all[0]))
        });
        for version in all {
            if version.version <= versions.now().version {
                continue;
            }
            let begins = calendar::begin(zone, version.effective_on);
            let came_late = seen.is_some() && evaluated_at.is_some_and(|at| at >= begins);
            let from = if came_late { calendar::business_date(zone, now) } else { version.effective_on };
            versions.0.retain(|(before, _)| *before < from);
            versions.0.push((from, version.clone()));
        }
        versions
    }

    /// The version that binds now.
    pub(super) fn now(&self) -> &Policy {
        &self.0[self.0.len() - 1].1
    }

    /// The version that binds on a date.
    pub(super) fn on(&self, date: NaiveDate) -> &Policy {
        self.0.iter().rev().find(|(from, _)| *from <= date).map_or(&self.0[0].1, |(_, policy)| policy)
    }

    pub(super) fn any(&self, is_it: impl Fn(&Policy) -> bool) -> bool {
        self.0.iter().any(|(_, policy)| is_it(policy))
    }

    /// The versions that bound by a date.
    pub(super) fn until(&self, date: NaiveDate) -> Self {
        let bound: Vec<_> = self.0.iter().filter(|(from, _)| *from <= date).cloned().collect();
        if bound.is_empty() { Self(vec![self.0[0].clone()]) } else { Self(bound) }
    }

    /// The same versions without a late fee.
    pub(super) fn without_fee(&self) -> Self {
        let without =
            |(from, policy): &(NaiveDate, Policy)| (*from, Policy { late_fee: None, ..policy.clone() });
        Self(self.0.iter().map(without).collect())
    }
}
