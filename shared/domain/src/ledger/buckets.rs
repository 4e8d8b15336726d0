//! The overdue installments by their own days past due.

use chrono::NaiveDate;

use super::allocation::Allocation;
use crate::account::Account;
use crate::kernel::{Money, days_between};
use crate::policy::Policy;

/// What of a policy's bucket is overdue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketBalance<'p> {
    pub name: &'p str,
    /// Installments past due by so many days.
    pub installments: u32,
    /// Their balance, with their late fee.
    pub amount: Money,
}

impl Allocation {
    /// The overdue installments on `day` in the policy's buckets, each installment by its own days past due. The
    /// amounts add up to the overdue balance. Empty: the policy has no buckets.
    #[must_use]
    pub fn buckets_on<'p>(
        &self,
        day: NaiveDate,
        account: &Account,
        policy: &'p Policy,
    ) -> Vec<BucketBalance<'p>> {
        let zero = account.currency.zero();
        let bucket = |name: &'p str| BucketBalance { name, installments: 0, amount: zero };
        let mut buckets: Vec<_> = policy.buckets.iter().map(|one| bucket(&one.name)).collect();
        if buckets.is_empty() {
            return buckets;
        }
        for one in self.shown_installments(account.currency) {
            let days = days_between(one.due_on, day) + policy.day_count.on_due_date();
            let place = policy.buckets.partition_point(|bucket| i64::from(bucket.days_past_due) <= days);
            let Some(balance) = place.checked_sub(1).and_then(|place| buckets.get_mut(place)) else {
                continue;
            };
            let amount = one.amount + self.late_fee_open(one.place, day, account.currency, policy.day_count);
            // An installment whose late fee is still to come owes nothing yet.
            if amount.is_positive() {
                balance.installments += 1;
                balance.amount += amount;
            }
        }
        buckets
    }
}
