//! The figures of one assessed day.

use chrono::NaiveDate;

use crate::account::{Account, Figures};
use crate::kernel::days_between;
use crate::ledger::{Allocation, paused_days};
use crate::policy::Policy;

impl Figures {
    /// The figures of `day`, a day that has begun under the policy's day count.
    #[must_use]
    pub fn on(day: NaiveDate, account: &Account, allocation: &Allocation, policy: &Policy) -> Self {
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
            overdue: balances.overdue,
            oldest_due_on,
            outstanding: balances.outstanding,
            late_fee: policy.late_fee.is_some().then_some(balances.late_fee),
            unpaid_installments: balances.unpaid_installments,
        }
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
    let paused = paused_days(&account.pauses, oldest, day);
    (to_days(past_due), to_days(past_due - i64::from(policy.grace_days) - paused))
}

/// Day counts are bounded by the range of dates, far below the limit of `u32`.
fn to_days(days: i64) -> u32 {
    u32::try_from(days.max(0)).unwrap_or(u32::MAX)
}
