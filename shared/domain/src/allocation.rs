//! Allocation: which installments the money settles.
//!
//! It is derived from the facts that still stand, each time anew, and never
//! patched. That makes payments and reversals independent of their order.

use chrono::NaiveDate;

use crate::account::{Account, Installment};
use crate::ids::InstallmentNumber;
use crate::money::Money;

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
    /// When it is or was due.
    pub due_on: NaiveDate,
    /// What it still owes.
    pub amount: Money,
}

/// Allocates all money that still stands.
///
/// Targeted parts come first, in the order in which the payments came; all the
/// rest is one sum and goes by due date, then number, future installments
/// included. What a replaced schedule left as paid is paid before all else.
/// What is written off takes no money but what was paid for it by name.
#[must_use]
pub fn allocate(account: &Account) -> Allocation {
    let zero = account.currency.zero();
    let mut paid = vec![zero; account.installments.len()];
    let mut pool = zero;
    for payment in account.payments.iter().filter(|payment| payment.stands()) {
        let mut left = payment.amount;
        for number in &payment.applies_to {
            left -= settle_number(&account.installments, &mut paid, *number, left);
        }
        pool += left;
    }
    for replaced in [true, false] {
        for (installment, paid) in account.installments.iter().zip(&mut paid) {
            if pool.is_zero() {
                break;
            }
            if installment.replaced == replaced && !installment.written_off {
                pool -= settle(installment, paid, pool);
            }
        }
    }
    let mut unpaid = Vec::with_capacity(paid.len());
    let mut outstanding = zero;
    for (place, (installment, paid)) in account.installments.iter().zip(&paid).enumerate() {
        if installment.written_off {
            continue;
        }
        let amount = installment.asked() - *paid;
        if amount.is_positive() {
            outstanding += amount;
            unpaid.push(Unpaid { place, due_on: installment.due_on, amount });
        }
    }
    Allocation { paid, unpaid, outstanding, credit: pool }
}

fn settle_number(
    installments: &[Installment],
    paid: &mut [Money],
    number: InstallmentNumber,
    money: Money,
) -> Money {
    installments
        .iter()
        .zip(paid)
        .find(|(installment, _)| installment.number() == Some(number))
        .map_or(Money::ZERO, |(installment, paid)| settle(installment, paid, money))
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
