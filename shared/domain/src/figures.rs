//! The figures that stages are judged on.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::account::{Account, Pause};
use crate::allocation::Allocation;
use crate::days::{DayCount, days_between, plus_days};
use crate::late_fee::{date_of, number};
use crate::money::Money;
use crate::policy::Policy;

/// What an account looks like on one judged day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Days since the due date of the oldest unpaid installment; 0 when nothing is overdue.
    pub days_past_due: u32,
    /// Days past due less grace and paused days, never below 0.
    pub delinquent_days: u32,
    /// What is unpaid of the installments past due, with their late fee.
    pub overdue: Money,
    /// The due date of the oldest unpaid installment past due.
    pub oldest_due_on: Option<NaiveDate>,
    /// What is unpaid of all installments, with the late fee.
    pub outstanding: Money,
    /// The late fee that has accrued by that day and is unpaid; none: the policy has no late fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_fee: Option<Money>,
    /// How many installments past due still owe.
    pub unpaid_installments: u32,
}

impl Figures {
    /// The figures of `day`, which the policy's day count has let begin.
    #[must_use]
    pub fn on(day: NaiveDate, account: &Account, allocation: &Allocation, policy: &Policy) -> Self {
        let owed = allocation.owed_on(day, account, policy.day_count);
        let oldest_due_on = match allocation.unpaid.first() {
            Some(oldest) if owed.unpaid_installments > 0 => Some(oldest.due_on),
            _ => None,
        };
        let (days_past_due, delinquent_days) =
            oldest_due_on.map_or((0, 0), |oldest| day_counts(day, oldest, account, policy));
        Self {
            days_past_due,
            delinquent_days,
            overdue: owed.overdue,
            oldest_due_on,
            outstanding: owed.outstanding,
            late_fee: policy.late_fee.is_some().then_some(owed.late_fee),
            unpaid_installments: owed.unpaid_installments,
        }
    }
}

/// Days past due and delinquent days on `day`, where what is due since `oldest` is overdue.
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

/// The first day on which an installment due on `due_on` is past due.
pub(crate) fn past_due_from(count: DayCount, due_on: NaiveDate) -> NaiveDate {
    plus_days(due_on, 1 - count.on_due_date())
}

/// The paused days in `[from, to)`.
fn paused_days(pauses: &[Pause], from: NaiveDate, to: NaiveDate) -> i64 {
    pauses.iter().map(|pause| days_between(pause.from.max(from), pause.until.min(to)).max(0)).sum()
}

/// The first day before which `unpaused` days from `from` on lie in no pause.
pub(crate) fn after_unpaused_days(pauses: &[Pause], from: NaiveDate, unpaused: i64) -> NaiveDate {
    let pauses = pauses.iter().map(|pause| (number(pause.from), number(pause.until)));
    date_of(after_unpaused(pauses, number(from), unpaused))
}

/// The same of numbered days, and of the first and the last day but one of each pause.
pub(crate) fn after_unpaused(pauses: impl Iterator<Item = (i64, i64)>, from: i64, unpaused: i64) -> i64 {
    let mut left = unpaused.max(0);
    let mut day = from;
    for (paused, until) in pauses.filter(|(_, until)| *until > from) {
        let free = (paused - day).max(0);
        if left <= free {
            break;
        }
        left -= free;
        day = until;
    }
    day + left
}
