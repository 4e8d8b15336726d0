//! The versions of a policy that bound an account, by date.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use duewatch_domain::Policy;

use super::calendar;

/// The versions that bound an account, each from a date on, the first for all dates before the second.
#[derive(Clone, Debug)]
pub(super) struct ModelPolicies(
    Vec<(NaiveDate, Policy)>,
    /// Whether a letter costs a fee under each of them.
    Vec<bool>,
);

impl ModelPolicies {
    /// One version alone.
    pub(super) fn one(policy: &Policy) -> Self {
        Self::of(vec![(NaiveDate::MIN, policy.clone())])
    }

    fn of(versions: Vec<(NaiveDate, Policy)>) -> Self {
        let costs = |policy: &Policy| policy.late_fee.is_some_and(|fee| fee.per_letter.is_some());
        let each = versions.iter().map(|(_, policy)| costs(policy)).collect();
        Self(versions, each)
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
        Self::of(versions.0)
    }

    /// The version that binds now.
    pub(super) fn now(&self) -> &Policy {
        &self.0[self.0.len() - 1].1
    }

    /// A version that bound the account, with its last date; none: it binds now, or never did.
    pub(super) fn ended(&self, version: u32) -> Option<(&Policy, NaiveDate)> {
        let pair = self.0.windows(2).find(|pair| pair[0].1.version == version)?;
        Some((&pair[0].1, pair[1].0.pred_opt()?))
    }

    /// The version that binds on a date.
    pub(super) fn on(&self, date: NaiveDate) -> &Policy {
        &self.0[self.place_on(date)].1
    }

    fn place_on(&self, date: NaiveDate) -> usize {
        self.0.iter().rposition(|(from, _)| *from <= date).unwrap_or(0)
    }

    pub(super) fn any(&self, is_it: impl Fn(&Policy) -> bool) -> bool {
        self.0.iter().any(|(_, policy)| is_it(policy))
    }

    /// The versions that bound by a date.
    pub(super) fn until(&self, date: NaiveDate) -> Self {
        let bound: Vec<_> = self.0.iter().filter(|(from, _)| *from <= date).cloned().collect();
        Self::of(if bound.is_empty() { vec![self.0[0].clone()] } else { bound })
    }

    /// The same versions without a late fee.
    pub(super) fn without_fee(&self) -> Self {
        let without = |(from, policy): &(NaiveDate, Policy)| {
            let mut policy = Policy { late_fee: None, ..policy.clone() };
            policy.stages.iter_mut().for_each(|stage| stage.late_fee = None);
            (*from, policy)
        };
        Self(self.0.iter().map(without).collect(), self.1.clone())
    }

    /// Whether a letter of a date costs a fee, late fees left out or not.
    pub(super) fn letter_costs(&self, date: NaiveDate) -> bool {
        self.1[self.place_on(date)]
    }
}
