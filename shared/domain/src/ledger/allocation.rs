//! Allocation: which installments the payments are allocated to.
//!
//! The allocation is derived anew from the effective facts each time, and never patched. Payments and
//! reversals are therefore independent of the order in which they are handled.
//!
//! Some facts divide time: a new schedule, a chargeback, and a write-off that was undone. Money received before
//! a schedule or a chargeback is allocated to the installments that the account already had, so that a paid
//! installment stays paid, whatever installments later payments name. An installment that falls due anew waits
//! for the money received after. Money received during a write-off is allocated to the other installments first. A
//! new schedule of which the account has no installment divides nothing.

use chrono::{DateTime, NaiveDate, Utc};

use super::ledger_run::{Ledger, run_allocation};
use crate::account::{Account, Installment};
use crate::kernel::{InstallmentNumber, Money, date_of, minor, number};
use crate::policy::{Policy, Timeline};

/// The paid and the open amounts of an account's installments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Paid amount of each installment, in the account's order, its late fee included.
    pub paid: Vec<Money>,
    /// Installments with an open amount, by due date; none is written off. As if all money had gone to
    /// installments before any late fee, unless the policy counts late fees as arrears.
    pub open_installments: Vec<OpenInstallment>,
    /// Those of them that stages and reminders are about, where some are on hold; none: all.
    pub(crate) without_held: Option<Vec<OpenInstallment>>,
    /// Balance of all installments, due or not, without late fees, which depend on the day: see
    /// [`Allocation::balances_on`].
    pub outstanding: Money,
    /// Balance of the installments that stages and reminders are about, without late fees.
    pub(crate) judged_outstanding: Money,
    /// Money left when every installment is paid.
    pub credit: Money,
    /// The parts that depend on the day; none: no part does under the policy.
    pub(crate) ledger: Option<Box<Ledger>>,
}

impl Allocation {
    /// The open installments that stages and reminders are about: those that are not on hold, by due date.
    #[must_use]
    pub fn judged_installments(&self) -> &[OpenInstallment] {
        self.without_held.as_ref().unwrap_or(&self.open_installments)
    }

    /// Leaves the installments on hold out of what stages and reminders are about.
    pub(super) fn leave_out_held(&mut self, account: &Account) {
        let is_held = |one: &OpenInstallment| account.installments[one.place].hold.is_some();
        if account.has_held() && self.open_installments.iter().any(is_held) {
            let judged = self.open_installments.iter().copied().filter(|one| !is_held(one));
            let judged: Vec<OpenInstallment> = judged.collect();
            self.judged_outstanding =
                judged.iter().fold(account.currency.zero(), |sum, one| sum + one.amount);
            self.without_held = Some(judged);
        }
    }
}

/// An installment with an open balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenInstallment {
    /// Index in the account's list.
    pub place: usize,
    /// The due date that days are counted from, which need not be the contract's.
    pub due_on: NaiveDate,
    /// Open amount without the late fee; zero where only a late fee is open that counts as arrears.
    pub amount: Money,
}

/// Allocates all effective payments.
///
/// Parts for named installments come first, in the order of the payments. The rest is one sum, allocated by
/// due date, then number, future installments included. A written-off installment takes only the money that
/// names it.
#[must_use]
pub fn allocate(account: &Account) -> Allocation {
    allocate_reporting(account, |_, _, _| ())
}

/// Allocates as [`allocate`] does, and reports to `note` each part for a named installment: the payment's
/// index, the installment's index, the part in minor units. An installment that a payment names again is
/// reported again, with nothing: it is paid, or the payment is used up.
#[inline]
pub(crate) fn allocate_reporting(account: &Account, mut note: impl FnMut(usize, usize, i128)) -> Allocation {
    let minor_units = account.currency.minor_units();
    let installments = &account.installments;
    let mut lines: Vec<OldestFirstLine> = installments
        .iter()
        .map(|one| OldestFirstLine { due: one.amount_due_minor(minor_units), paid: 0 })
        .collect();
    let places = InstallmentPlaces::of_targets(account);
    let dividing = dividing_instants(installments);
    let mut pool = 0;
    let mut money =
        account.payments.iter().enumerate().filter(|(_, payment)| payment.is_effective()).peekable();
    for until in dividing.into_iter().map(Some).chain([None]) {
        while let Some((number, payment)) =
            money.next_if(|(_, one)| until.is_none_or(|until| one.received_at < until))
        {
            let mut left = minor(payment.standing(), minor_units);
            for place in payment.applies_to.iter().filter_map(|number| places.get(*number)) {
                if was_open(&installments[place], payment.received_at) {
                    let part = lines[place].allocate(left);
                    note(number, place, part);
                    left -= part;
                }
            }
            pool += left;
        }
        allocate_oldest_first(installments, &mut lines, &mut pool, until);
    }
    let money = |minor| Money::of_minor(minor, minor_units);
    let mut open_installments = Vec::with_capacity(lines.len());
    let mut outstanding = 0;
    for (place, (installment, line)) in installments.iter().zip(&lines).enumerate() {
        let owes = line.due - line.paid;
        if owes > 0 && !installment.written_off {
            outstanding += owes;
            open_installments.push(OpenInstallment {
                place,
                due_on: installment.due_on,
                amount: money(owes),
            });
        }
    }
    let mut allocation = Allocation {
        paid: lines.iter().map(|line| money(line.paid)).collect(),
        open_installments,
        without_held: None,
        outstanding: money(outstanding),
        judged_outstanding: money(outstanding),
        credit: money(pool),
        ledger: None,
    };
    allocation.leave_out_held(account);
    allocation
}

/// The instants that divide time, in their order.
pub(super) fn dividing_instants(installments: &[Installment]) -> Vec<DateTime<Utc>> {
    let mut dividing = Vec::new();
    for installment in installments {
        dividing.extend(installment.since);
        for time in &installment.left_out {
            dividing.extend([time.from, time.until]);
        }
    }
    dividing.sort_unstable();
    dividing.dedup();
    dividing
}

/// The payments with the money that they put on no named installment, in minor units, in the order of receipt.
pub(super) fn unnamed_money(account: &Account) -> Vec<(usize, i128)> {
    let minor_units = account.currency.minor_units();
    let mut unnamed: Vec<i128> =
        account.payments.iter().map(|payment| minor(payment.standing(), minor_units)).collect();
    let _ = allocate_reporting(account, |payment, _, part| unnamed[payment] -= part);
    unnamed.into_iter().enumerate().collect()
}

/// An installment during the allocation, in minor units.
struct OldestFirstLine {
    due: i128,
    paid: i128,
}

impl OldestFirstLine {
    /// Allocates as much of `money` as the installment has open, and returns that part.
    fn allocate(&mut self, money: i128) -> i128 {
        let part = (self.due - self.paid).min(money).max(0);
        self.paid += part;
        part
    }
}

/// Allocates an account's payments under the versions of a policy that bound it, with due dates moved to working
/// days.
///
/// Where neither a late fee nor the allocation order depends on dates, the amounts are those of [`allocate`].
#[must_use]
pub fn allocate_at<'p>(account: &Account, timeline: impl Into<Timeline<'p>>) -> Allocation {
    let timeline = timeline.into();
    let mut allocation =
        if timeline.keeps_a_ledger() { run_allocation(account, &timeline) } else { allocate(account) };
    let is_moved = timeline.iter().any(|(_, policy)| policy.business_days.is_some());
    if is_moved && allocation.ledger.is_none() {
        let due_dates: Vec<_> = due_dates(account, &timeline).collect();
        for open in
            [Some(&mut allocation.open_installments), allocation.without_held.as_mut()].into_iter().flatten()
        {
            for one in &mut *open {
                one.due_on = due_dates[one.place];
            }
            // The move to working days may put the last day of a month back and the day before it on.
            open.sort_by_key(|one| one.due_on);
        }
    }
    allocation
}

/// The due date of each installment, in the account's order, moved off non-working days. A chargeback is due on the
/// day of the reversal, which is no contract's date: it is not moved.
pub(crate) fn due_dates<'a>(
    account: &'a Account,
    timeline: &'a Timeline<'_>,
) -> impl Iterator<Item = NaiveDate> + 'a {
    account.installments.iter().map(move |installment| match installment.number() {
        Some(_) => moved(installment.due_on, timeline),
        None => installment.due_on,
    })
}

/// A contract's date, moved by the version that binds on it, but not to before that version's first day. Where a
/// version before has moved it to one of its own days, it stays there: it was due by then.
fn moved(contract_date: NaiveDate, timeline: &Timeline<'_>) -> NaiveDate {
    let moved_by = |policy: &Policy| match &policy.business_days {
        Some(business_days) => business_days.moved(contract_date),
        None => contract_date,
    };
    if timeline.is_single() {
        return moved_by(timeline.current());
    }
    let mut versions = timeline.iter().peekable();
    while let Some((from, policy)) = versions.next() {
        let due_on = moved_by(policy);
        let is_its_own = |next: i64| number(due_on) < next || number(contract_date) < next;
        if versions.peek().is_none_or(|(next, _)| is_its_own(*next)) {
            return if number(due_on) < from { date_of(from) } else { due_on };
        }
    }
    contract_date
}

/// Allocates `pool`, oldest first, to the installments that the account had before `until`.
fn allocate_oldest_first(
    installments: &[Installment],
    lines: &mut [OldestFirstLine],
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
        let was_left_out =
            |until| installment.left_out.iter().any(|time| time.from < until && until <= time.until);
        let owed_then = owed_then && !until.is_some_and(was_left_out);
        if owed_then && !installment.written_off {
            *pool -= line.allocate(*pool);
        }
    }
}

/// Whether an installment that a payment names existed when the money was received: a new schedule may give
/// an old number to another installment.
fn was_open(installment: &Installment, received_at: DateTime<Utc>) -> bool {
    installment.since.is_none_or(|since| since <= received_at)
}

/// Up to this many targets are searched for one by one. Two thousand payments may name a hundred installments
/// each.
const FEW_TARGETS: usize = 8;

/// Indexes of the numbered installments.
#[derive(Clone)]
pub(crate) enum InstallmentPlaces<'a> {
    /// For few targets: searched one by one.
    Few(&'a [Installment]),
    /// For many targets: sorted by number.
    Many(Vec<(InstallmentNumber, usize)>),
}

impl<'a> InstallmentPlaces<'a> {
    /// The indexes for all targets of the account's payments.
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

    /// The index of the installment with that number.
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
