//! The figures of one assessed day.

use chrono::NaiveDate;

use super::materiality::counted_from;
use crate::account::{Account, Figures};
use crate::kernel::{days_between, past_due_from};
use crate::ledger::{Allocation, JudgedBalances, paused_days};
use crate::policy::Policy;

impl Figures {
    /// The figures of `day`, a day that has begun under the policy's day count.
    #[must_use]
    pub fn on(day: NaiveDate, account: &Account, allocation: &Allocation, policy: &Policy) -> Self {
        let counted_from =
            policy.materiality.as_ref().and_then(|_| counted_from(account, allocation, policy));
        Self::counted(day, account, allocation, policy, counted_from)
    }

    /// The same with the date that material days are counted from, where that is known.
    pub(crate) fn counted(
        day: NaiveDate,
        account: &Account,
        allocation: &Allocation,
        policy: &Policy,
        counted_from: Option<NaiveDate>,
    ) -> Self {
        let balances = allocation.balances_on(day, account, policy.day_count);
        let oldest_due_on = match allocation.open_installments.first() {
            Some(oldest) if balances.unpaid_installments > 0 => Some(oldest.due_on),
            _ => None,
        };
        let (days_past_due, delinquent_days) =
            oldest_due_on.map_or((0, 0), |oldest| day_counts(day, oldest, account, policy));
        Self {
            days_past_due,
            delinquent_days,
            material_days: policy
                .materiality
                .as_ref()
                .map(|_| stage_days(day, account, policy, counted_from).0),
            overdue: balances.overdue,
            oldest_due_on,
            outstanding: balances.outstanding,
            late_fee: policy.late_fee.is_some().then_some(balances.late_fee),
            unpaid_installments: balances.unpaid_installments,
        }
    }
}

/// The figures that the conditions of stages compare.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StageFigures {
    pub(crate) days_past_due: u32,
    pub(crate) delinquent_days: u32,
    pub(crate) balances: JudgedBalances,
}

impl StageFigures {
    pub(crate) fn on(
        day: NaiveDate,
        account: &Account,
        allocation: &Allocation,
        policy: &Policy,
        counted_from: Option<NaiveDate>,
    ) -> Self {
        let (days_past_due, delinquent_days) = stage_days(day, account, policy, counted_from);
        let balances = allocation.judged_on(day, account, policy.day_count);
        Self { days_past_due, delinquent_days, balances }
    }
}

/// The same counts as [`day_counts`], of the days that stages ask for: under materiality the material ones.
fn stage_days(
    day: NaiveDate,
    account: &Account,
    policy: &Policy,
    counted_from: Option<NaiveDate>,
) -> (u32, u32) {
    match counted_from {
        Some(from) if past_due_from(policy.day_count, from) <= day => day_counts(day, from, account, policy),
        _ => (0, 0),
    }
}

/// Days past due and delinquent days on `day`, with `oldest` the oldest overdue due date.
pub(crate) fn day_counts(
    day: NaiveDate,
    oldest: NaiveDate,
    account: &Account,
    policy: &Policy,
) -> (u32, u32) {
    let past_due = days_between(oldest, day) + policy.day_count.on_due_date();
    let paused = paused_days(&account.pauses, policy.day_count, oldest, day);
    (to_days(past_due), to_days(past_due - i64::from(policy.grace_days) - paused))
}

/// Day counts are bounded by the range of dates, far below the limit of `u32`.
fn to_days(days: i64) -> u32 {
    u32::try_from(days.max(0)).unwrap_or(u32::MAX)
}
