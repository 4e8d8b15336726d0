//! One allocation of the payments: which components each payment, or waiting credit, pays on its day.
//!
//! The [`LedgerRun`](super::ledger_run::LedgerRun) leads it through the facts.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::allocation::{InstallmentPlaces, allocate_reporting};
use super::late_fee_accrual::LateFeeAccrual;
use crate::account::{Account, Payment};
use crate::kernel::minor;
use crate::policy::{Component, DueClass, Overpayment, Policy, Timeline, WaterfallEntry};

/// The terms of an installment, which no allocation changes.
pub(super) struct LineTerms {
    /// Number of time divisions before the installment was added.
    pub(super) rank: usize,
    /// The numbers of time divisions between which it was written off, from the first up to before the second.
    pub(super) left_out: Vec<(usize, usize)>,
    /// The due date, moved to a working day.
    pub(super) due_on: NaiveDate,
    /// The same as a number.
    pub(super) due_day: i64,
    /// The day on which it falls due, or on which it was added if that is later.
    pub(super) falls_due: i64,
    /// Left over from a replaced schedule: comes first, whatever its due date.
    pub(super) replaced: bool,
    pub(super) written_off: bool,
    /// Its amount due, in minor units.
    pub(super) due: i128,
}

/// An installment during the run; amounts are in minor units.
#[derive(Clone, Copy)]
pub(super) struct AllocationLine {
    /// Open fee, interest and principal.
    pub(super) open: [i128; 3],
    /// The day on which the last part of its own amounts was paid; none: some are open.
    pub(super) settled_on: Option<i64>,
    /// The amount that paid late fee.
    pub(super) paid_as_fee: i128,
}

impl LineTerms {
    fn class(&self, day: i64) -> DueClass {
        match self.falls_due.cmp(&day) {
            _ if self.replaced => DueClass::PastDue,
            std::cmp::Ordering::Less => DueClass::PastDue,
            std::cmp::Ordering::Equal => DueClass::Due,
            std::cmp::Ordering::Greater => DueClass::InAdvance,
        }
    }

    /// Whether it is left over from a replaced schedule, and not past due by its own date.
    fn is_left_early(&self, day: i64) -> bool {
        self.replaced && self.falls_due >= day
    }
}

impl AllocationLine {
    pub(super) fn amount_open(&self) -> i128 {
        self.open.iter().sum()
    }
}

/// The part of late fees in an allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FeeRole {
    /// No payment pays a late fee: all money goes to the installments.
    LeftOut,
    /// Payments pay late fees too, in the order of the waterfall.
    Paid,
}

/// One allocation of the payments, in step with the late fees.
#[derive(Clone)]
pub(super) struct AllocationRun<'a> {
    pub(super) account: &'a Account,
    pub(super) role: FeeRole,
    /// The version that binds on the day that the run has reached.
    pub(super) policy: &'a Policy,
    /// The terms of each installment, in the account's order.
    pub(super) terms: &'a [LineTerms],
    /// The installments in the same order.
    pub(super) lines: Vec<AllocationLine>,
    /// Lent by the [`LedgerRun`] while this allocation goes on.
    pub(super) late_fees: Option<Box<LateFeeAccrual>>,
    /// Whether the late fee accrues on the principal that this allocation leaves open.
    pub(super) is_fee_base: bool,
    /// Number of time divisions passed.
    pub(super) segment: usize,
    /// The calendar day that the run has reached.
    pub(super) day: i64,
    /// Money not allocated yet.
    pub(super) credit: i128,
    /// So many lines from the first on stay paid for good: without principal no late fee accrues.
    pub(super) settled: usize,
    pub(super) places: InstallmentPlaces<'a>,
    /// The money of each payment that no installment has taken by name, in the order of the run; none: not asked
    /// for.
    pub(super) unnamed: Option<Vec<(usize, i128)>>,
    /// Parts that payments naming several installments allocate to each: by payment, each installment once.
    pub(super) shares: BTreeMap<usize, Vec<(usize, i128)>>,
    /// By installment, its parts of them as far as late fees of the other installments took them.
    pub(super) displaced: BTreeMap<usize, i128>,
}

impl<'a> AllocationRun<'a> {
    /// The installments that are not written off and of which an amount or a late fee is open, by the day on
    /// which they fall due.
    pub(super) fn coming_due(&self, late_fees: Option<&LateFeeAccrual>) -> BTreeMap<i64, Vec<usize>> {
        let mut places: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (place, (line, terms)) in self.lines.iter().zip(self.terms).enumerate() {
            let owes = line.amount_open() > 0 || self.fee_open_in(late_fees, place) > 0;
            if owes && !terms.written_off {
                places.entry(terms.falls_due).or_default().push(place);
            }
        }
        places
    }

    /// Allocates the credit to the installments that fall due on one day, as a payment of that day.
    pub(super) fn allocate_falling_due(&mut self, falls_due: i64) {
        if self.credit > 0 {
            let mut places =
                self.coming_due(self.late_fees.as_deref()).remove(&falls_due).unwrap_or_default();
            places.retain(|place| self.takes_money(*place));
            self.allocate_due(&places);
        }
    }

    /// Allocates the credit that waits for due dates, and gives the days with their amounts.
    pub(super) fn allocate_waiting(&mut self, timeline: &Timeline<'a>) -> Vec<(i64, i128)> {
        let mut waiting = Vec::new();
        if self.credit > 0 {
            for (falls_due, places) in self.coming_due(self.late_fees.as_deref()) {
                let before = self.credit;
                self.policy = timeline.on(falls_due.max(self.day));
                self.allocate_due(&places);
                if before > self.credit {
                    waiting.push((falls_due, before - self.credit));
                }
            }
        }
        waiting
    }

    fn allocate_due(&mut self, places: &[usize]) {
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

    /// The own amounts and the late fee paid on each installment.
    pub(super) fn amounts_paid(&self) -> impl Iterator<Item = (i128, i128)> + '_ {
        let lines = self.lines.iter().zip(self.terms);
        lines.map(|(line, terms)| (terms.due - line.amount_open(), line.paid_as_fee))
    }

    /// Advances to a segment: credit left from before is allocated first to the installments added since.
    pub(super) fn begin_segment(&mut self, segment: usize) {
        while self.segment < segment {
            self.segment += 1;
            self.allocate_credit();
        }
    }

    pub(super) fn receive(&mut self, place: usize, payment: &Payment) {
        let before = std::mem::take(&mut self.credit);
        self.credit = minor(payment.standing(), self.account.currency.minor_units());
        if let Some(shares) = self.shares.remove(&place) {
            for (target, share) in shares {
                self.allocate_share(target, share);
            }
        } else {
            let named = payment.applies_to.iter().filter_map(|number| self.places.get(*number));
            let target = named.into_iter().find(|place| self.terms[*place].rank <= self.segment);
            if let Some(target) = target {
                self.allocate_to(target, self.terms[target].class(self.day));
            }
        }
        if let Some(unnamed) = &mut self.unnamed {
            unnamed.push((place, self.credit));
        }
        self.credit += before;
        self.allocate_credit();
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
                    self.allocate_by_installment(&order, true);
                }
            }
            Some(entries) => {
                let together = |one: &WaterfallEntry, next: &WaterfallEntry| {
                    one.class == DueClass::InAdvance && next.class == DueClass::InAdvance
                };
                // After all that is past due comes what a replaced schedule left behind and is not past due by its date.
                let last_past_due = entries.iter().rposition(|entry| entry.class == DueClass::PastDue);
                let (first, then) = entries.split_at(last_past_due.map_or(0, |last| last + 1));
                for entries in first.chunk_by(together) {
                    self.allocate_by_installment(entries, false);
                }
                for place in 0..self.lines.len() {
                    if self.takes_money(place) && self.terms[place].is_left_early(self.day) {
                        self.allocate_to(place, DueClass::PastDue);
                    }
                }
                for entries in then.chunk_by(together) {
                    self.allocate_by_installment(entries, false);
                }
            }
        }
    }

    /// Allocates to those entries, all of one class, one installment after the other, with or without what a replaced
    /// schedule left behind and is not past due by its date.
    fn allocate_by_installment(&mut self, entries: &[WaterfallEntry], with_left_early: bool) {
        let Some(class) = entries.first().map(|entry| entry.class) else { return };
        let count = self.lines.len();
        let overpayment = self.policy.overpayment;
        if class == DueClass::InAdvance && overpayment == Overpayment::Credit {
            return;
        }
        for step in 0..count {
            let backwards = class == DueClass::InAdvance && overpayment == Overpayment::Last;
            let place = if backwards { count - 1 - step } else { step };
            let terms = &self.terms[place];
            let has_its_turn = with_left_early || !terms.is_left_early(self.day);
            if self.takes_money(place) && terms.class(self.day) == class && has_its_turn {
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
        let terms = &self.terms[place];
        let was_left_out =
            || terms.left_out.iter().any(|(from, until)| (*from..*until).contains(&self.segment));
        self.credit > 0 && terms.rank <= self.segment && !terms.written_off && !was_left_out()
    }

    fn allocate_to(&mut self, place: usize, class: DueClass) {
        for component in self.policy.waterfall.order_of(class) {
            self.allocate_component(place, component);
        }
    }

    /// Allocates a payment's share to an installment that it names beside others. The payment also makes good
    /// by name the parts of shares that late fees took, this installment's own and those of the others.
    fn allocate_share(&mut self, place: usize, share: i128) {
        let displaced = self.displaced.get(&place).copied().unwrap_or(0);
        let most = share + self.fee_open(place) + self.lines[place].paid_as_fee + displaced;
        let before = self.credit;
        let kept = (before - most).max(0);
        self.credit -= kept;
        self.allocate_to(place, self.terms[place].class(self.day));
        self.credit += kept;
        if self.credit == 0 {
            let missing = (share - before).clamp(0, self.lines[place].amount_open());
            self.displaced.insert(place, displaced + missing);
        }
    }

    #[inline]
    fn allocate_component(&mut self, place: usize, component: Component) {
        let Some(index) = component.index() else { return self.allocate_to_fee(place) };
        let line = &mut self.lines[place];
        let part = line.open[index].min(self.credit);
        if part <= 0 {
            return;
        }
        self.credit -= part;
        line.open[index] -= part;
        if line.amount_open() == 0 {
            line.settled_on = Some(self.day);
        }
        let is_base = self.is_fee_base && component == Component::Principal;
        if let Some(accrual) = self.late_fees.as_mut().filter(|_| is_base) {
            accrual.set_principal(place, line.open[index]);
        }
    }

    fn allocate_to_fee(&mut self, place: usize) {
        let part = self.fee_open(place).min(self.credit);
        if let Some(accrual) = self.late_fees.as_mut().filter(|_| part > 0) {
            let line = &mut self.lines[place];
            self.credit -= part;
            line.paid_as_fee += part;
            accrual.take(place, part);
        }
    }

    fn fee_open(&self, place: usize) -> i128 {
        self.fee_open_in(self.late_fees.as_deref(), place)
    }

    fn fee_open_in(&self, late_fees: Option<&LateFeeAccrual>, place: usize) -> i128 {
        match self.role {
            FeeRole::LeftOut => 0,
            FeeRole::Paid => late_fees.map_or(0, |accrual| accrual.open(place)),
        }
    }
}

/// The parts that each payment naming several installments puts on each, as the bare allocation divides it.
/// Another payment may pay one of them by name, so the division depends on all payments. A payment that names
/// one installment again and again names one.
pub(super) fn shares(account: &Account) -> BTreeMap<usize, Vec<(usize, i128)>> {
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
