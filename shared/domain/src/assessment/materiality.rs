//! Material days: the days since which the overdue balance has been large enough to count.

use chrono::NaiveDate;

use crate::account::Account;
use crate::kernel::{past_due_from, plus_days};
use crate::ledger::Allocation;
use crate::policy::Policy;

/// The first day on which the overdue balance, as it is open now, is large enough to move a stage; none: it never
/// is. Without materiality: the first day on which the oldest open installment is past due.
fn material_from(account: &Account, allocation: &Allocation, policy: &Policy) -> Option<NaiveDate> {
    let oldest = allocation.judged_installments().first()?;
    match &policy.materiality {
        None => Some(past_due_from(policy.day_count, oldest.due_on)),
        Some(materiality) => allocation.first_judged_day(
            policy.day_count,
            account.currency,
            NaiveDate::MAX,
            |overdue, outstanding, _| materiality.is_exceeded(overdue, outstanding),
        ),
    }
}

/// The date that a stage's days are counted from, like a due date: that of the oldest open installment, or, under
/// materiality, the date before the first material day. RTS (EU) 2018/171, article 2: counting begins with the
/// breach of the thresholds, and anew when one is no longer breached.
pub(crate) fn counted_from(account: &Account, allocation: &Allocation, policy: &Policy) -> Option<NaiveDate> {
    if policy.materiality.is_none() {
        return allocation.judged_installments().first().map(|oldest| oldest.due_on);
    }
    let on_due_date = policy.day_count.on_due_date();
    material_from(account, allocation, policy).map(|from| plus_days(from, on_due_date - 1))
}
