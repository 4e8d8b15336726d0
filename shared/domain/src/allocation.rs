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
use crate::ledger::{Ledger, walk};
use crate::money::Money;
use crate::policy::{BusinessDays, Policy};

/// What is paid of each installment, and what is left to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// What is paid of each installment, in the account's order, its late fee included.
    pub paid: Vec<Money>,
    /// What still owes, by due date: never written off, never nothing.
    pub unpaid: Vec<Unpaid>,
    /// What is unpaid of all installments, due or not, without a late fee: what that adds
    /// depends on the day, see [`Allocation::owed_on`].
    pub outstanding: Money,
    /// What is left of the money when everything is settled.
    pub credit: Money,
    /// What depends on the day; none under a policy where nothing does.
    pub(crate) ledger: Option<Box<Ledger>>,
}

/// An installment that still owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpaid {
    /// Its place in the account's list.
    pub place: usize,
    /// When it is or was due: the day that days are counted from, which need not be the
    /// contract's.
    pub due_on: NaiveDate,
    /// What it still owes without a late fee; zero where only its late fee is open.
    pub amount: Money,
}

/// Allocates all money that still stands.
///
/// Targeted parts come first, in the order in which the payments came; all the
/// rest is one sum and goes by due date, then number, future installments
/// included. What is written off takes no money but what was paid for it by name.
#[must_use]
pub fn allocate(account: &Account) -> Allocation {
    allocate_noting(account, |_, _, _| ())
}

/// The same, and tells what each payment settles by name: its place, the installment's, how much.
#[inline]
pub(crate) fn allocate_noting(account: &Account, mut note: impl FnMut(usize, usize, Money)) -> Allocation {
    let zero = account.currency.zero();
    let installments = &account.installments;
    let mut paid = vec![zero; installments.len()];
    let places = places_of_targets(account);
    let mut dividing: Vec<DateTime<Utc>> = installments.iter().filter_map(|one| one.since).collect();
    dividing.sort_unstable();
    dividing.dedup();
    let mut pool = zero;
    let mut money = account.payments.iter().enumerate().filter(|(_, payment)| payment.stands()).peekable();
    for until in dividing.into_iter().map(Some).chain([None]) {
        while let Some((number, payment)) =
            money.next_if(|(_, one)| until.is_none_or(|until| one.received_at < until))
        {
            let mut left = payment.amount;
            for place in payment.applies_to.iter().filter_map(|number| places.get(number)) {
                let part = settle_target(&installments[*place], &mut paid[*place], payment.received_at, left);
                note(number, *place, part);
                left -= part;
            }
            pool += left;
        }
        settle_in_order(installments, &mut paid, &mut pool, until);
    }
    let (unpaid, outstanding) = still_owed(installments, &paid, zero);
    Allocation { paid, unpaid, outstanding, credit: pool, ledger: None }
}

/// What is owed under a policy: the allocation, and what the policy makes of it.
///
/// Where neither a late fee nor the order of settling asks for dates, that is [`allocate`].
#[must_use]
pub fn owed(account: &Account, policy: &Policy) -> Allocation {
    let mut allocation = if policy.keeps_a_ledger() { walk(account, policy) } else { allocate(account) };
    if let (Some(business_days), None) = (&policy.business_days, &allocation.ledger) {
        let due_dates = due_dates(account, Some(business_days));
        for one in &mut allocation.unpaid {
            one.due_on = due_dates[one.place];
        }
        // The last day of a month may go back while the day before it goes on.
        allocation.unpaid.sort_by_key(|one| one.due_on);
    }
    allocation
}

/// When each installment is due, in the account's order: what is due on no working day moves.
/// What was taken back is due on the day of that, and no contract's date: it stays.
pub(crate) fn due_dates(account: &Account, business_days: Option<&BusinessDays>) -> Vec<NaiveDate> {
    let moved = account.installments.iter().map(|installment| match business_days {
        Some(business_days) if installment.number().is_some() => business_days.moved(installment.due_on),
        _ => installment.due_on,
    });
    moved.collect()
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
pub(crate) fn places_of_targets(account: &Account) -> HashMap<InstallmentNumber, usize> {
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
