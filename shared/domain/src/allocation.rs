//! Allocation: which installments the money settles.
//!
//! It is derived from the facts that still stand, each time anew, and never
//! patched. That makes payments and reversals independent of the order in which
//! they are handled.
//!
//! Two facts divide time: a new schedule, and a payment taken back. What was owed
//! before is settled by the money that came before, so that what was paid stays
//! paid, whatever later money is paid for by name; what falls due anew waits for the
//! money that comes after.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::account::{Account, Installment};
use crate::ids::InstallmentNumber;
use crate::money::Money;
use crate::policy::{BusinessDays, Policy};

/// What is paid of each installment, and what is left to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// What is paid of each installment, in the account's order.
    pub paid: Vec<Money>,
    /// What still owes, by due date: never empty amounts, never written off.
    pub unpaid: Vec<Unpaid>,
    /// What is unpaid of all installments, due or not.
    pub outstanding: Money,
    /// What is left of the money when everything is settled.
    pub credit: Money,
}

/// An installment that still owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpaid {
    /// Its place in the account's list.
    pub place: usize,
    /// When it is or was due: the day that days are counted from, which need not be the
    /// contract's.
    pub due_on: NaiveDate,
    /// What it still owes.
    pub amount: Money,
}

/// Allocates all money that still stands.
///
/// Targeted parts come first, in the order in which the payments came; all the
/// rest is one sum and goes by due date, then number, future installments
/// included. What is written off takes no money but what was paid for it by name.
#[must_use]
pub fn allocate(account: &Account) -> Allocation {
    let zero = account.currency.zero();
    let installments = &account.installments;
    let mut paid = vec![zero; installments.len()];
    let places = places_of_targets(account);
    let mut dividing: Vec<DateTime<Utc>> = installments.iter().filter_map(|one| one.since).collect();
    dividing.sort_unstable();
    dividing.dedup();
    let mut pool = zero;
    let mut money = account.payments.iter().filter(|payment| payment.stands()).peekable();
    for until in dividing.into_iter().map(Some).chain([None]) {
        while let Some(payment) = money.next_if(|one| until.is_none_or(|until| one.received_at < until)) {
            let mut left = payment.amount;
            for place in payment.applies_to.iter().filter_map(|number| places.get(number)) {
                left -= settle_target(&installments[*place], &mut paid[*place], payment.received_at, left);
            }
            pool += left;
        }
        settle_in_order(installments, &mut paid, &mut pool, until);
    }
    let (unpaid, outstanding) = still_owed(installments, &paid, zero);
    Allocation { paid, unpaid, outstanding, credit: pool }
}

/// What is owed under a policy: the allocation, and what the policy makes of it.
#[must_use]
pub fn owed(account: &Account, policy: &Policy) -> Allocation {
    let mut allocation = allocate(account);
    if let Some(business_days) = &policy.business_days {
        move_due_dates(account, business_days, &mut allocation.unpaid);
    }
    allocation
}

/// Moves what is due on no working day. What was taken back is due on the day of that, and
/// no contract's date: it stays.
fn move_due_dates(account: &Account, business_days: &BusinessDays, unpaid: &mut [Unpaid]) {
    for one in unpaid.iter_mut().filter(|one| account.installments[one.place].number().is_some()) {
        one.due_on = business_days.moved(one.due_on);
    }
    // The last day of a month may go back while the day before it goes on.
    unpaid.sort_by_key(|one| one.due_on);
}

/// Settles, oldest first, what was owed before `until`.
fn settle_in_order(
    installments: &[Installment],
    paid: &mut [Money],
    pool: &mut Money,
    until: Option<DateTime<Utc>>,
) {
    for (installment, paid) in installments.iter().zip(paid) {
        if pool.is_zero() {
            break;
        }
        let owed_then = match (installment.since, until) {
            (Some(since), Some(until)) => since < until,
            _ => true,
        };
        if owed_then && !installment.written_off {
            *pool -= settle(installment, paid, *pool);
        }
    }
}

fn still_owed(installments: &[Installment], paid: &[Money], zero: Money) -> (Vec<Unpaid>, Money) {
    let mut unpaid = Vec::with_capacity(paid.len());
    let mut outstanding = zero;
    for (place, (installment, paid)) in installments.iter().zip(paid).enumerate() {
        let amount = installment.asked() - *paid;
        if amount.is_positive() && !installment.written_off {
            outstanding += amount;
            unpaid.push(Unpaid { place, due_on: installment.due_on, amount });
        }
    }
    (unpaid, outstanding)
}

/// Where the installments stand that have a number; empty where no payment names one.
/// Two thousand payments may name a hundred installments each.
fn places_of_targets(account: &Account) -> HashMap<InstallmentNumber, usize> {
    if account.payments.iter().all(|payment| payment.applies_to.is_empty()) {
        return HashMap::new();
    }
    let numbered = account.installments.iter().enumerate();
    numbered.filter_map(|(place, installment)| Some((installment.number()?, place))).collect()
}

/// Settles the installment that a payment names, if it was owed when the money came: a
/// new schedule may give an old number to something else.
fn settle_target(
    installment: &Installment,
    paid: &mut Money,
    received_at: DateTime<Utc>,
    money: Money,
) -> Money {
    let was_owed = installment.since.is_none_or(|since| since <= received_at);
    if was_owed { settle(installment, paid, money) } else { Money::ZERO }
}

/// Puts as much of `money` on the installment as it still owes, and says how much.
fn settle(installment: &Installment, paid: &mut Money, money: Money) -> Money {
    let part = (installment.asked() - *paid).min(money);
    if part.is_positive() {
        *paid += part;
        part
    } else {
        Money::ZERO
    }
}
