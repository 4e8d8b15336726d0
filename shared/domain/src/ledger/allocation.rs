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

use chrono::{DateTime, NaiveDate, Utc};

use super::allocation_run::{Ledger, walk};
use crate::account::{Account, Installment};
use crate::kernel::{InstallmentNumber, Money, minor};
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

/// The same, and tells what each payment settles by name: its place, the installment's, how much
/// in minor units.
#[inline]
pub(crate) fn allocate_noting(account: &Account, mut note: impl FnMut(usize, usize, i128)) -> Allocation {
    let minor_units = account.currency.minor_units();
    let installments = &account.installments;
    let mut lines: Vec<Line> =
        installments.iter().map(|one| Line { asked: one.asked_minor(minor_units), paid: 0 }).collect();
    let places = Places::of_targets(account);
    let mut dividing: Vec<DateTime<Utc>> = installments.iter().filter_map(|one| one.since).collect();
    dividing.sort_unstable();
    dividing.dedup();
    let mut pool = 0;
    let mut money = account.payments.iter().enumerate().filter(|(_, payment)| payment.stands()).peekable();
    for until in dividing.into_iter().map(Some).chain([None]) {
        while let Some((number, payment)) =
            money.next_if(|(_, one)| until.is_none_or(|until| one.received_at < until))
        {
            let mut left = minor(payment.amount, minor_units);
            for place in payment.applies_to.iter().filter_map(|number| places.get(*number)) {
                let was_owed = was_owed(&installments[place], payment.received_at);
                let part = if was_owed { lines[place].settle(left) } else { 0 };
                note(number, place, part);
                left -= part;
            }
            pool += left;
        }
        settle_in_order(installments, &mut lines, &mut pool, until);
    }
    let money = |minor| Money::of_minor(minor, minor_units);
    let mut unpaid = Vec::with_capacity(lines.len());
    let mut outstanding = 0;
    for (place, (installment, line)) in installments.iter().zip(&lines).enumerate() {
        let owes = line.asked - line.paid;
        if owes > 0 && !installment.written_off {
            outstanding += owes;
            unpaid.push(Unpaid { place, due_on: installment.due_on, amount: money(owes) });
        }
    }
    Allocation {
        paid: lines.iter().map(|line| money(line.paid)).collect(),
        unpaid,
        outstanding: money(outstanding),
        credit: money(pool),
        ledger: None,
    }
}

/// An installment that money is put on, in minor units.
struct Line {
    asked: i128,
    paid: i128,
}

impl Line {
    /// Puts as much of `money` on it as it still owes, and says how much.
    fn settle(&mut self, money: i128) -> i128 {
        let part = (self.asked - self.paid).min(money).max(0);
        self.paid += part;
        part
    }
}

/// What is owed under a policy: the allocation, and what the policy makes of it.
///
/// Where neither a late fee nor the order of settling asks for dates, that is [`allocate`].
#[must_use]
pub fn owed(account: &Account, policy: &Policy) -> Allocation {
    let mut allocation = if policy.keeps_a_ledger() { walk(account, policy) } else { allocate(account) };
    if let (Some(business_days), None) = (&policy.business_days, &allocation.ledger) {
        let due_dates: Vec<_> = due_dates(account, Some(business_days)).collect();
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
pub(crate) fn due_dates(
    account: &Account,
    business_days: Option<&BusinessDays>,
) -> impl Iterator<Item = NaiveDate> {
    account.installments.iter().map(move |installment| match business_days {
        Some(business_days) if installment.number().is_some() => business_days.moved(installment.due_on),
        _ => installment.due_on,
    })
}

/// Settles, oldest first, what was owed before `until`.
fn settle_in_order(
    installments: &[Installment],
    lines: &mut [Line],
    pool: &mut i128,
    until: Option<DateTime<Utc>>,
) {
    for (installment, line) in installments.iter().zip(lines) {
        if *pool == 0 {
            break;
        }
        let owed_then = match (installment.since, until) {
            (Some(since), Some(until)) => since < until,
            _ => true,
        };
        if owed_then && !installment.written_off {
            *pool -= line.settle(*pool);
        }
    }
}

/// Whether an installment that a payment names was owed when the money came: a new schedule
/// may give an old number to something else.
fn was_owed(installment: &Installment, received_at: DateTime<Utc>) -> bool {
    installment.since.is_none_or(|since| since <= received_at)
}

/// As many targets are looked for one by one; two thousand payments may name a hundred
/// installments each.
const FEW_TARGETS: usize = 8;

/// Where the installments stand that have a number.
pub(crate) enum Places<'a> {
    /// Where few are asked for.
    Few(&'a [Installment]),
    /// Where many are: by number.
    Many(Vec<(InstallmentNumber, usize)>),
}

impl<'a> Places<'a> {
    /// For all that the account's payments name.
    pub(crate) fn of_targets(account: &'a Account) -> Self {
        let targets: usize = account.payments.iter().map(|payment| payment.applies_to.len()).sum();
        if targets <= FEW_TARGETS {
            return Self::Few(&account.installments);
        }
        let numbered = account.installments.iter().enumerate();
        let mut places: Vec<_> =
            numbered.filter_map(|(place, installment)| Some((installment.number()?, place))).collect();
        places.sort_unstable();
        Self::Many(places)
    }

    /// Where the installment of that number stands.
    pub(crate) fn get(&self, number: InstallmentNumber) -> Option<usize> {
        match self {
            Self::Few(installments) => installments.iter().position(|one| one.number() == Some(number)),
            Self::Many(places) => {
                let found = places.binary_search_by_key(&number, |(number, _)| *number).ok()?;
                Some(places[found].1)
            }
        }
    }
}
