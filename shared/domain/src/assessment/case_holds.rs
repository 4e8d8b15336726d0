//! The cases that keep consequences back: each for so many days at most, and no more often than the policy allows.

use chrono::TimeDelta;

use super::tolerances::DayRange;
use crate::account::{Account, HoldingCase};
use crate::kernel::plus_days;
use crate::policy::{CaseKindRules, HeldByCase, Policy};

/// The account's cases that keep a consequence back, open or closed, with the most days for which they do.
pub(super) fn holding_cases<'a>(
    account: &'a Account,
    policy: &'a Policy,
    held: HeldByCase,
) -> impl Iterator<Item = (&'a HoldingCase, u32)> {
    account.cases().iter().enumerate().filter_map(move |(place, case)| {
        let rules = policy.cases.of(case.kind).filter(|rules| rules.holds(held))?;
        let days = rules.holds_days?;
        holds_again(&account.cases()[..place], case, rules).then_some((case, days))
    })
}

/// Whether a case holds beside the earlier ones of its kind.
fn holds_again(earlier: &[HoldingCase], case: &HoldingCase, rules: &CaseKindRules) -> bool {
    let Some(repeat) = rules.repeat else { return true };
    let since = case.at - TimeDelta::days(i64::from(repeat.within_days));
    let count = earlier.iter().filter(|other| other.kind == case.kind && other.at > since).count();
    u32::try_from(count).is_ok_and(|count| count < repeat.at_most)
}

/// The days on which each case defers restrictions.
pub(super) fn case_days(account: &Account, policy: &Policy) -> Vec<DayRange> {
    let day_of = |at| policy.day_count.judged_day(account.time_zone, at);
    let held = holding_cases(account, policy, HeldByCase::Restrictions).map(|(case, days)| {
        let from = day_of(case.at);
        let most = plus_days(from, i64::from(days));
        DayRange { from, until: Some(case.closed.map_or(most, |(_, at)| day_of(at).min(most))) }
    });
    held.collect()
}
