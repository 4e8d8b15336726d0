//! Tolerances: days on which a payment in process, a temporary cause or a dispute keeps a stage or its
//! restrictions from beginning.

use chrono::NaiveDate;

use crate::account::Account;
use crate::kernel::{business_date, plus_days};
use crate::policy::{HardshipCause, Policy};

/// A range of days.
#[derive(Clone, Copy, Debug)]
pub(super) struct DayRange {
    pub(super) from: NaiveDate,
    /// The first day after; none: without end.
    pub(super) until: Option<NaiveDate>,
}

/// A beginning within the days moves behind them; an earlier beginning stays.
pub(super) fn put_off(from: NaiveDate, within: Option<DayRange>) -> NaiveDate {
    match within {
        Some(DayRange { from: first, until: Some(until) }) if from > first && from < until => until,
        _ => from,
    }
}

/// The first date on which the account no longer waits for a payment in process, the policy's bound included;
/// none: no payment is in process, or the policy does not wait.
pub(super) fn process_over_on(account: &Account, policy: &Policy) -> Option<NaiveDate> {
    let rules = policy.payment_in_process.as_ref()?;
    let process = account.in_process.as_ref()?;
    let first = business_date(account.time_zone, process.since);
    Some(process.until.min(plus_days(first, i64::from(rules.max_days))))
}

/// The days on which the account waits for a payment in process.
pub(super) fn in_process(account: &Account, policy: &Policy) -> Option<DayRange> {
    let until = process_over_on(account, policy)?;
    let since = account.in_process.as_ref()?.since;
    Some(DayRange { from: policy.day_count.judged_day(account.time_zone, since), until: Some(until) })
}

/// The days on which each dispute defers restrictions.
pub(super) fn disputed_days(account: &Account, policy: &Policy) -> Vec<DayRange> {
    let Some(rules) = &policy.dispute else { return Vec::new() };
    let day_of = |at| policy.day_count.judged_day(account.time_zone, at);
    let held = account.disputes.iter().map(|dispute| {
        let from = day_of(dispute.at);
        let most = plus_days(from, i64::from(rules.holds_days));
        DayRange { from, until: Some(dispute.closed.map_or(most, |(_, at)| day_of(at).min(most))) }
    });
    held.collect()
}

/// The days on which a temporary hardship cause defers restrictions.
pub(super) fn excused(account: &Account, policy: &Policy) -> Option<DayRange> {
    let rules = policy.cause.as_ref()?;
    let recorded = account.cause.as_ref().filter(|recorded| recorded.cause == HardshipCause::Temporary)?;
    let from = policy.day_count.judged_day(account.time_zone, recorded.at);
    let most = plus_days(from, i64::from(rules.temporary_holds_days));
    Some(DayRange { from, until: Some(recorded.until.map_or(most, |until| until.min(most))) })
}
