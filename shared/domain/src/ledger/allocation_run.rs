//! The allocation run: allocates each payment in the order in which the payments took effect.
//!
//! [`allocate`](super::allocation::allocate) takes all money at once, and needs no dates. A late fee, an
//! order that depends on past-due amounts, and waiting credit do need them. The run therefore goes through
//! the payments once, by their effective dates: the earlier of the value date and the local date of receipt.
//! Equal dates keep the order of receipt.
//!
//! A new schedule and a chargeback divide time here too: money received after goes behind all money received
//! before, and takes effect no earlier. Without a late fee, in the order of four components, the run agrees
//! with `allocate`.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::allocation::{Allocation, InstallmentPlaces, OpenInstallment, allocate_reporting, due_dates};
use super::late_fee_accrual::LateFeeAccrual;
use crate::account::{Account, Installment, Payment, Waiver};
use crate::kernel::{Money, business_date, minor, number};
use crate::policy::{Component, DueClass, Overpayment, Policy, WaterfallEntry};

/// The parts of an allocation that depend on the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Late fees of the open installments, in their order; none: the policy has no late fee.
    pub(crate) late_fees: Option<LateFeeAccrual>,
    /// Open fee, interest and principal of each open installment, in minor units.
    pub(crate) open: Vec<[i128; 3]>,
    /// Running sums of their open amounts without late fees, in minor units.
    pub(crate) sums: Vec<i128>,
    /// Credit that waits for a due date: the day, and the amount in minor units. The amount it will pay
    /// counts as paid, for it never falls past due, but as outstanding until that day.
    pub(crate) waiting: Vec<(i64, i128)>,
    /// The day of the last fact, in the policy's day count.
    pub(crate) day: i64,
}

/// Allocates all effective payments, and applies the waivers, by day.
pub(crate) fn run_allocation(account: &Account, policy: &Policy) -> Allocation {
    let mut run = AllocationRun::new(account, policy);
    let events = ledger_facts(account, &run.dividing);
    for (place, event) in events.iter().enumerate() {
        run.run_to(event.day);
        match event.kind {
            LedgerFactKind::Payment(payment) => {
                run.begin_segment(event.segment);
                run.receive(payment, &account.payments[payment]);
                // Until the next payment, the credit left is allocated to the installments added since.
                let next =
                    events[place + 1..].iter().find(|next| matches!(next.kind, LedgerFactKind::Payment(_)));
                run.begin_segment(next.map_or(run.dividing.len(), |next| next.segment));
            }
            LedgerFactKind::Waiver(waiver) => run.waive(waiver),
        }
    }
    run.finish()
}

/// A fact that takes effect on a day.
struct LedgerFact<'a> {
    day: i64,
    at: DateTime<Utc>,
    /// Number of time divisions before it.
    segment: usize,
    kind: LedgerFactKind<'a>,
}

enum LedgerFactKind<'a> {
    /// Index in the account's list.
    Payment(usize),
    Waiver(&'a Waiver),
}

fn ledger_facts<'a>(account: &'a Account, dividing: &[DateTime<Utc>]) -> Vec<LedgerFact<'a>> {
    let zone = account.time_zone;
    let mut events = Vec::with_capacity(account.payments.len() + account.waivers.len());
    // At one instant the waiver comes first: the payment was requested without the waived fee.
    events.extend(account.waivers.iter().map(|waiver| LedgerFact {
        day: number(business_date(zone, waiver.at)),
        at: waiver.at,
        segment: 0,
        kind: LedgerFactKind::Waiver(waiver),
    }));
    let (mut segment, mut latest, mut no_earlier_than) = (0, i64::MIN, i64::MIN);
    for (place, payment) in account.payments.iter().enumerate().filter(|(_, payment)| payment.is_effective())
    {
        let at = payment.received_at;
        while dividing.get(segment).is_some_and(|division| *division <= at) {
            segment += 1;
            no_earlier_than = latest;
        }
        // No zone is more than a day behind UTC.
        let utc_date = at.date_naive();
        let effective = if utc_date.pred_opt().is_some_and(|before| payment.value_date <= before) {
            payment.value_date
        } else {
            payment.value_date.min(business_date(zone, at))
        };
        let day = number(effective).max(no_earlier_than);
        latest = latest.max(day);
        events.push(LedgerFact { day, at, segment, kind: LedgerFactKind::Payment(place) });
    }
    events.sort_by_key(|event| (event.day, event.at));
    events
}

/// An installment during the run; amounts are in minor units.
struct AllocationLine {
    /// Open fee, interest and principal.
    open: [i128; 3],
    paid: i128,
    /// The part of `paid` that paid late fee.
    paid_as_fee: i128,
    /// Shares of payments that name it and others, as far as late fees of the others took them.
    displaced: i128,
    /// Number of time divisions before the installment was added.
    rank: usize,
    /// The due date, moved to a working day.
    due_on: NaiveDate,
    /// The day on which it falls due, or on which it was added if that is later.
    falls_due: i64,
    /// Left over from a replaced schedule: comes first, whatever its due date.
    replaced: bool,
    written_off: bool,
}

impl AllocationLine {
    fn class(&self, day: i64) -> DueClass {
        match self.falls_due.cmp(&day) {
            _ if self.replaced => DueClass::PastDue,
            std::cmp::Ordering::Less => DueClass::PastDue,
            std::cmp::Ordering::Equal => DueClass::Due,
            std::cmp::Ordering::Greater => DueClass::InAdvance,
        }
    }

    fn amount_open(&self) -> i128 {
        self.open.iter().sum()
    }
}

struct AllocationRun<'a> {
    account: &'a Account,
    policy: &'a Policy,
    lines: Vec<AllocationLine>,
    late_fees: Option<LateFeeAccrual>,
    /// The instants that divide time.
    dividing: Vec<DateTime<Utc>>,
    /// Number of divisions passed.
    segment: usize,
    /// The calendar day that the run has reached.
    day: i64,
    /// Money not allocated yet.
    credit: i128,
    /// So many lines from the first on stay paid for good: without principal no late fee accrues.
    settled: usize,
    places: InstallmentPlaces<'a>,
    /// Parts that payments naming several installments allocate to each: by payment, each installment once.
    shares: BTreeMap<usize, Vec<(usize, i128)>>,
}

impl<'a> AllocationRun<'a> {
    fn new(account: &'a Account, policy: &'a Policy) -> Self {
        let minor_units = account.currency.minor_units();
        let mut dividing: Vec<_> = account.installments.iter().filter_map(|one| one.since).collect();
        dividing.sort_unstable();
        dividing.dedup();
        let line = |(installment, due_on): (&Installment, NaiveDate)| {
            let owed_from = installment.since.map(|since| number(business_date(account.time_zone, since)));
            AllocationLine {
                open: installment.components_due(&policy.waterfall, minor_units),
                paid: 0,
                paid_as_fee: 0,
                displaced: 0,
                rank: installment.since.map_or(0, |since| dividing.partition_point(|one| *one <= since)),
                due_on,
                falls_due: number(due_on).max(owed_from.unwrap_or(i64::MIN)),
                replaced: installment.replaced,
                written_off: installment.written_off,
            }
        };
        let due_dates = due_dates(account, policy.business_days.as_ref());
        let lines: Vec<AllocationLine> = account.installments.iter().zip(due_dates).map(line).collect();
        let principals = lines.iter().map(|line| (line.due_on, line.open[2]));
        let accrual =
            policy.late_fee.as_ref().map(|fee| LateFeeAccrual::new(fee, account, policy, principals));
        Self {
            lines,
            late_fees: accrual,
            dividing,
            segment: 0,
            day: i64::MIN,
            credit: 0,
            settled: 0,
            places: InstallmentPlaces::of_targets(account),
            shares: shares(account),
            account,
            policy,
        }
    }

    /// Advances to `day`, and allocates waiting credit to the installments that fall due by then.
    fn run_to(&mut self, day: i64) {
        if self.credit > 0 && self.policy.overpayment == Overpayment::Credit {
            for (falls_due, places) in self.coming_due() {
                if falls_due > day || self.credit == 0 {
                    break;
                }
                self.count_to(falls_due);
                self.allocate_falling_due(&places);
            }
        }
        self.count_to(day);
    }

    fn count_to(&mut self, day: i64) {
        self.day = self.day.max(day);
        if let Some(accrual) = &mut self.late_fees {
            accrual.advance(self.day - self.policy.day_count.on_due_date());
        }
    }

    /// The open installments that are not written off, by the day on which they fall due.
    fn coming_due(&self) -> BTreeMap<i64, Vec<usize>> {
        let mut places: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (place, line) in self.lines.iter().enumerate() {
            if line.amount_open() > 0 && !line.written_off {
                places.entry(line.falls_due).or_default().push(place);
            }
        }
        places
    }

    /// Allocates the credit to the installments that fall due on one day, as a payment of that day.
    fn allocate_falling_due(&mut self, places: &[usize]) {
        match self.policy.waterfall.entries() {
            None => {
                for place in places {
                    self.allocate_to(*place, DueClass::Due);
                }
            }
            Some(entries) => {
                for entry in entries.iter().filter(|entry| entry.class == DueClass::Due) {
                    for place in places {
                        self.allocate_component(*place, entry.component);
                    }
                }
            }
        }
    }

    /// Advances to a segment: credit left from before is allocated first to the installments added since.
    fn begin_segment(&mut self, segment: usize) {
        while self.segment < segment {
            self.segment += 1;
            self.allocate_credit();
        }
    }

    fn receive(&mut self, place: usize, payment: &Payment) {
        let before = std::mem::take(&mut self.credit);
        self.credit = minor(payment.amount, self.account.currency.minor_units());
        if let Some(shares) = self.shares.remove(&place) {
            for (target, share) in shares {
                self.allocate_share(target, share);
            }
        } else {
            let named = payment.applies_to.iter().filter_map(|number| self.places.get(*number));
            let target = named.into_iter().find(|place| self.lines[*place].rank <= self.segment);
            if let Some(target) = target {
                self.allocate_to(target, self.lines[target].class(self.day));
            }
        }
        self.credit += before;
        self.allocate_credit();
    }

    fn waive(&mut self, waiver: &Waiver) {
        let mut left =
            waiver.amount.map_or(i128::MAX, |amount| minor(amount, self.account.currency.minor_units()));
        for (place, installment) in self.account.installments.iter().enumerate() {
            if waiver.number.is_none() || installment.number() == waiver.number {
                let part = self.fee_open(place).min(left);
                left -= part;
                if let Some(accrual) = &mut self.late_fees {
                    accrual.take(place, part);
                }
            }
        }
    }

    /// Allocates the credit as far as the policy lets it on this day.
    fn allocate_credit(&mut self) {
        if self.credit == 0 {
            return;
        }
        let waterfall = &self.policy.waterfall;
        match waterfall.entries() {
            None if self.policy.overpayment == Overpayment::Next => {
                while self.settled < self.lines.len() && self.is_settled(self.settled) {
                    self.settled += 1;
                }
                for place in self.settled..self.lines.len() {
                    if self.credit == 0 {
                        break;
                    }
                    if self.takes_money(place) {
                        self.allocate_to(place, DueClass::PastDue);
                    }
                }
            }
            None => {
                for class in [DueClass::PastDue, DueClass::Due, DueClass::InAdvance] {
                    let order = waterfall.order().map(|component| WaterfallEntry { class, component });
                    self.allocate_by_installment(&order);
                }
            }
            Some(entries) => {
                let together = |one: &WaterfallEntry, next: &WaterfallEntry| {
                    one.class == DueClass::InAdvance && next.class == DueClass::InAdvance
                };
                for entries in entries.chunk_by(together) {
                    self.allocate_by_installment(entries);
                }
            }
        }
    }

    /// Allocates to those entries, all of one class, one installment after the other.
    fn allocate_by_installment(&mut self, entries: &[WaterfallEntry]) {
        let Some(class) = entries.first().map(|entry| entry.class) else { return };
        let count = self.lines.len();
        let overpayment = self.policy.overpayment;
        if class == DueClass::InAdvance && overpayment == Overpayment::Credit {
            return;
        }
        for step in 0..count {
            let backwards = class == DueClass::InAdvance && overpayment == Overpayment::Last;
            let place = if backwards { count - 1 - step } else { step };
            if self.takes_money(place) && self.lines[place].class(self.day) == class {
                for entry in entries {
                    self.allocate_component(place, entry.component);
                }
            }
        }
    }

    fn is_settled(&self, place: usize) -> bool {
        self.lines[place].amount_open() == 0 && self.fee_open(place) == 0
    }

    /// Whether an installment takes money that does not name it.
    fn takes_money(&self, place: usize) -> bool {
        let line = &self.lines[place];
        self.credit > 0 && line.rank <= self.segment && !line.written_off
    }

    fn allocate_to(&mut self, place: usize, class: DueClass) {
        for component in self.policy.waterfall.order_of(class) {
            self.allocate_component(place, component);
        }
    }

    /// Allocates a payment's share to an installment that it names beside others. The payment also makes good
    /// by name the parts of shares that late fees took, this installment's own and those of the others.
    fn allocate_share(&mut self, place: usize, share: i128) {
        let line = &self.lines[place];
        let most = share + self.fee_open(place) + line.paid_as_fee + line.displaced;
        let before = self.credit;
        let kept = (before - most).max(0);
        self.credit -= kept;
        self.allocate_to(place, line.class(self.day));
        self.credit += kept;
        if self.credit == 0 {
            let line = &mut self.lines[place];
            line.displaced += (share - before).clamp(0, line.amount_open());
        }
    }

    fn allocate_component(&mut self, place: usize, component: Component) {
        let open = match component.index() {
            None => self.fee_open(place),
            Some(index) => self.lines[place].open[index],
        };
        let part = open.min(self.credit);
        if part <= 0 {
            return;
        }
        let line = &mut self.lines[place];
        self.credit -= part;
        line.paid += part;
        match (component.index(), &mut self.late_fees) {
            (Some(index), accrual) => {
                line.open[index] -= part;
                if let Some(accrual) = accrual.as_mut().filter(|_| component == Component::Principal) {
                    accrual.set_principal(place, line.open[index]);
                }
            }
            (None, Some(accrual)) => {
                line.paid_as_fee += part;
                accrual.take(place, part);
            }
            (None, None) => {}
        }
    }

    fn fee_open(&self, place: usize) -> i128 {
        self.late_fees.as_ref().map_or(0, |accrual| accrual.open(place))
    }

    fn finish(mut self) -> Allocation {
        let mut waiting = Vec::new();
        if self.credit > 0 && self.policy.overpayment == Overpayment::Credit {
            for (falls_due, places) in self.coming_due() {
                let before = self.credit;
                self.allocate_falling_due(&places);
                if before > self.credit {
                    waiting.push((falls_due, before - self.credit));
                }
            }
        }
        let currency = self.account.currency;
        let money = |minor: i128| Money::of_minor(minor, currency.minor_units());
        let mut open_installment = Vec::with_capacity(self.lines.len());
        for (place, line) in self.lines.iter().enumerate() {
            let owes = line.amount_open();
            if !line.written_off && (owes > 0 || self.fee_open(place) > 0) {
                open_installment.push(OpenInstallment { place, due_on: line.due_on, amount: money(owes) });
            }
        }
        open_installment.sort_by_key(|one| one.due_on);
        let (mut open, mut sums) =
            (Vec::with_capacity(open_installment.len()), Vec::with_capacity(open_installment.len()));
        let mut outstanding = 0;
        for one in &open_installment {
            let line = &self.lines[one.place];
            outstanding += line.amount_open();
            open.push(line.open);
            sums.push(outstanding);
        }
        if let Some(accrual) = &mut self.late_fees {
            accrual.keep(open_installment.iter().map(|one| one.place));
        }
        let day = self.day.saturating_sub(self.policy.day_count.on_due_date());
        Allocation {
            paid: self.lines.iter().map(|line| money(line.paid)).collect(),
            open_installments: open_installment,
            outstanding: money(outstanding),
            credit: money(self.credit),
            ledger: Some(Box::new(Ledger { late_fees: self.late_fees, open, sums, waiting, day })),
        }
    }
}

/// The parts that each payment naming several installments puts on each, as the bare allocation divides it.
/// Another payment may pay one of them by name, so the division depends on all payments. A payment that names
/// one installment again and again names one.
fn shares(account: &Account) -> BTreeMap<usize, Vec<(usize, i128)>> {
    let mut shares: BTreeMap<usize, Vec<(usize, i128)>> = BTreeMap::new();
    let names_several = |payment: &Payment| {
        payment.is_effective() && payment.applies_to.iter().any(|number| payment.applies_to[0] != *number)
    };
    if account.payments.iter().any(names_several) {
        let mut named_last_by = vec![None; account.installments.len()];
        allocate_reporting(account, |payment, place, part| {
            let is_again = named_last_by[place].replace(payment) == Some(payment);
            if !is_again && names_several(&account.payments[payment]) {
                shares.entry(payment).or_default().push((place, part));
            }
        });
        shares.retain(|_, parts| parts.len() > 1);
    }
    shares
}
