//! The allocation run: allocates each payment in the order in which the payments took effect.
//!
//! [`allocate`](super::allocation::allocate) takes all money at once, and needs no dates. A late fee, an
//! order that depends on past-due amounts, and waiting credit do need them. The run therefore goes through
//! the payments once, by their effective dates: the earlier of the value date and the local date of receipt.
//! Equal dates keep the order of receipt.
//!
//! What divides the time of [`allocate`](super::allocation::allocate) divides it here too: money received after goes behind all money received
//! before, and takes effect no earlier. Without a late fee, in the order of four components, the run agrees
//! with `allocate`.
//!
//! Where a late fee takes a part of a payment, an installment paid in time would fall short by it, and bear a
//! fee of its own. So a policy with a late fee has two allocations, side by side (no pyramiding, US
//! Regulation Z 1026.36(c)(2)). The judged one gives all money to the installments: days, stages and the fee's
//! base follow it. The shown one follows the waterfall, late fees included: amounts follow it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::allocation::{Allocation, InstallmentPlaces, OpenInstallment, dividing_instants, due_dates};
use super::allocation_run::{AllocationLine, AllocationRun, FeeRole, LineTerms, shares};
use super::late_fee_accrual::{LateFeeAccrual, PrincipalDue};
use crate::account::{Account, Installment, Waiver};
use crate::kernel::{Money, business_date, minor, number};
use crate::policy::{Overpayment, Policy, Timeline};

/// The parts of an allocation that depend on the day: amounts as the waterfall has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// The installments with an open amount or late fee, or with a fee that can still accrue, by due date.
    pub(crate) shown: Vec<ShownLine>,
    /// Their late fees, in their order; none: the policy has no late fee.
    pub(crate) late_fees: Option<Box<LateFeeAccrual>>,
    /// Those that do not count, by their index in `shown`, ascending: nothing of them is open here.
    pub(crate) left_out: Vec<usize>,
    /// Credit that waits for a due date: the day, and the amount in minor units. The amount it will pay
    /// counts as paid, for it never falls past due, but as outstanding until that day.
    pub(crate) waiting: Vec<(i64, i128)>,
    /// The same of the judged allocation.
    pub(crate) judged_waiting: Vec<(i64, i128)>,
    /// The own amounts and the late fee paid on each installment, in the account's order, without the credit that
    /// waits, in minor units; empty unless it was asked for.
    pub(crate) paid_by_now: Vec<(i128, i128)>,
    /// The credit without that which waits, in minor units.
    pub(crate) credit_by_now: i128,
    /// The money of each payment that no installment has taken by name, in the order of the run, in minor units;
    /// empty unless it was asked for.
    pub(crate) unnamed: Vec<(usize, i128)>,
    /// Whether late fees count as arrears, so that the judged allocation is the shown one.
    pub(crate) fees_are_arrears: bool,
    /// What late fees that count as arrears are judged by, where installments are on hold; none: the same.
    pub(crate) without_held: Option<Box<Self>>,
    /// The day of the last fact, in the policy's day count.
    pub(crate) day: i64,
}

/// An installment of a ledger; amounts are in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShownLine {
    /// Index in the account's list.
    pub(crate) place: usize,
    pub(crate) due_on: NaiveDate,
    /// Open fee, interest and principal.
    pub(crate) open: [i128; 3],
    /// The open amounts of all lines up to this one, without late fees.
    pub(crate) open_so_far: i128,
}

/// Allocates all effective payments, and applies the waivers, by day.
pub(crate) fn run_allocation(account: &Account, timeline: &Timeline<'_>) -> Allocation {
    let (schedule, unpaid) = LedgerSchedule::new(account, timeline);
    let mut run = LedgerRun::new(account, timeline, (&schedule, unpaid), true);
    run.take_facts();
    run.finish()
}

/// The same up to a calendar day, by which waiting credit has paid what fell due.
pub(crate) fn run_allocation_to(account: &Account, timeline: &Timeline<'_>, day: i64) -> Allocation {
    let (schedule, unpaid) = LedgerSchedule::new(account, timeline);
    let mut run = LedgerRun::new(account, timeline, (&schedule, unpaid), true);
    run.shown.unnamed = Some(Vec::new());
    run.take_facts();
    run.run_to(day);
    run.finish()
}

/// The day on which each installment was paid, without late fees and by the effective dates of the payments, in the
/// account's order; none: it is open. Credit that waits has paid what fell due by the calendar day `until`.
pub(crate) fn settled_days(account: &Account, timeline: &Timeline<'_>, until: i64) -> Vec<Option<i64>> {
    let (schedule, unpaid) = LedgerSchedule::new(account, timeline);
    let mut run = LedgerRun::new(account, timeline, (&schedule, unpaid), false);
    run.take_facts();
    run.run_to(until);
    run.shown.lines.iter().map(|line| line.settled_on).collect()
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
    /// A notice left, which may cost a late fee.
    Letter,
}

fn ledger_facts<'a>(
    account: &'a Account,
    timeline: &Timeline<'_>,
    dividing: &[DateTime<Utc>],
) -> Vec<LedgerFact<'a>> {
    let zone = account.time_zone;
    let mut events = Vec::with_capacity(account.payments.len() + account.waivers.len());
    let costs = |policy: &Policy| policy.late_fee.is_some_and(|fee| fee.per_letter.is_some());
    if !account.letters.is_empty() && timeline.iter().any(|(_, policy)| costs(policy)) {
        let letters = account.letters.iter().map(|at| LedgerFact {
            day: number(business_date(zone, *at)),
            at: *at,
            segment: 0,
            kind: LedgerFactKind::Letter,
        });
        events.extend(letters.filter(|letter| costs(timeline.on(letter.day))));
    }
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

/// The schedule of an account, which no allocation changes.
struct LedgerSchedule {
    /// The instants that divide time.
    dividing: Vec<DateTime<Utc>>,
    /// The terms of each installment, in the account's order.
    lines: Vec<LineTerms>,
}

impl LedgerSchedule {
    /// The schedule, and its installments before any payment.
    fn new(account: &Account, timeline: &Timeline<'_>) -> (Self, Vec<AllocationLine>) {
        let minor_units = account.currency.minor_units();
        // By the first version, so that no later one splits an adjustment anew.
        let waterfall = &timeline.on(i64::MIN).waterfall;
        let mut unpaid = Vec::with_capacity(account.installments.len());
        let dividing = dividing_instants(&account.installments);
        let rank_of = |at: DateTime<Utc>| dividing.partition_point(|one| *one <= at);
        let line = |(installment, due_on): (&Installment, NaiveDate)| {
            let due_day = number(due_on);
            let owed_from = installment.since.map(|since| number(business_date(account.time_zone, since)));
            let left_out = installment.left_out.iter();
            let open = installment.components_due(waterfall, minor_units);
            let due = open.iter().sum();
            let settled_on = (due == 0).then_some(i64::MIN);
            unpaid.push(AllocationLine { open, settled_on, paid_as_fee: 0 });
            LineTerms {
                rank: installment.since.map_or(0, rank_of),
                left_out: left_out.map(|time| (rank_of(time.from), rank_of(time.until))).collect(),
                due_on,
                due_day,
                falls_due: owed_from.map_or(due_day, |owed_from| owed_from.max(due_day)),
                replaced: installment.replaced,
                written_off: installment.written_off,
                due,
            }
        };
        let lines = account.installments.iter().zip(due_dates(account, timeline)).map(line).collect();
        (Self { dividing, lines }, unpaid)
    }
}

/// The run of an account's allocations through its facts: the shown one, and beside it the judged one from the
/// first payment on that meets an open late fee. Until then both are the same.
struct LedgerRun<'a> {
    account: &'a Account,
    timeline: &'a Timeline<'a>,
    schedule: &'a LedgerSchedule,
    day: i64,
    /// Boxed, for it is lent to one allocation after the other.
    late_fees: Option<Box<LateFeeAccrual>>,
    shown: AllocationRun<'a>,
    judged: Option<AllocationRun<'a>>,
    /// Whether a version lets money wait for due dates.
    credit_waits: bool,
}

impl<'a> LedgerRun<'a> {
    fn new(
        account: &'a Account,
        timeline: &'a Timeline<'a>,
        (schedule, lines): (&'a LedgerSchedule, Vec<AllocationLine>),
        with_late_fees: bool,
    ) -> Self {
        let principals = lines.iter().zip(&schedule.lines).map(|(line, terms)| PrincipalDue {
            due_day: terms.due_day,
            falls_due: terms.falls_due,
            principal: line.open[2],
        });
        let has_fees = with_late_fees && timeline.iter().any(|(_, policy)| policy.late_fee.is_some());
        let late_fees = has_fees.then(|| Box::new(LateFeeAccrual::new(account, timeline, principals)));
        let shown = AllocationRun {
            terms: &schedule.lines,
            lines,
            role: FeeRole::Paid,
            policy: timeline.on(i64::MIN),
            late_fees: None,
            is_fee_base: true,
            segment: 0,
            day: i64::MIN,
            credit: 0,
            settled: 0,
            places: InstallmentPlaces::of_targets(account),
            unnamed: None,
            shares: shares(account),
            displaced: BTreeMap::new(),
            account,
        };
        Self {
            account,
            timeline,
            schedule,
            day: i64::MIN,
            late_fees,
            shown,
            judged: None,
            credit_waits: timeline.iter().any(|(_, policy)| policy.overpayment == Overpayment::Credit),
        }
    }

    fn take_facts(&mut self) {
        let account = self.account;
        let facts = ledger_facts(account, self.timeline, &self.schedule.dividing);
        for (place, fact) in facts.iter().enumerate() {
            self.run_to(fact.day);
            match fact.kind {
                LedgerFactKind::Payment(payment) => {
                    // Until the next payment, the credit left is allocated to the installments added since.
                    let next = facts[place + 1..]
                        .iter()
                        .find(|next| matches!(next.kind, LedgerFactKind::Payment(_)))
                        .map_or(self.schedule.dividing.len(), |next| next.segment);
                    self.in_each(|run| {
                        run.begin_segment(fact.segment);
                        run.receive(payment, &account.payments[payment]);
                        run.begin_segment(next);
                    });
                }
                LedgerFactKind::Waiver(waiver) => self.waive(waiver),
                LedgerFactKind::Letter => self.charge_letter(fact.day),
            }
        }
    }

    /// Takes a step in the shown allocation and in the judged one.
    fn in_each(&mut self, step: impl Fn(&mut AllocationRun<'a>)) {
        if self.judged.is_none() && self.late_fees.as_ref().is_some_and(|accrual| accrual.is_any_open()) {
            let is_fee_base = !self.fees_are_arrears();
            self.judged = Some(AllocationRun { role: FeeRole::LeftOut, is_fee_base, ..self.shown.clone() });
            self.shown.is_fee_base = !is_fee_base;
        }
        for run in [Some(&mut self.shown), self.judged.as_mut()].into_iter().flatten() {
            run.late_fees = self.late_fees.take();
            step(run);
            self.late_fees = run.late_fees.take();
        }
    }

    /// Whether late fees count as arrears on the day that the run has reached.
    fn fees_are_arrears(&self) -> bool {
        self.shown.policy.fees_are_arrears()
    }

    /// Advances to `day`, and allocates waiting credit to the installments that fall due by then.
    fn run_to(&mut self, day: i64) {
        if self.credit_waits {
            let runs = || [Some(&self.shown), self.judged.as_ref()].into_iter().flatten();
            let waiting = runs().filter(|run| run.credit > 0);
            let due_days: BTreeSet<i64> =
                waiting.flat_map(|run| run.coming_due(self.late_fees.as_deref()).into_keys()).collect();
            for falls_due in due_days.into_iter().take_while(|falls_due| *falls_due <= day) {
                self.count_to(falls_due);
                self.in_each(|run| run.allocate_falling_due(falls_due));
            }
        }
        self.count_to(day);
    }

    /// Advances to `day`, version by version.
    fn count_to(&mut self, day: i64) {
        if day <= self.day {
            return;
        }
        let (timeline, before) = (self.timeline, self.day);
        for (from, policy) in timeline.begun_between(before, day) {
            let arrears_before = self.fees_are_arrears();
            self.advance(from, policy);
            if self.fees_are_arrears() != arrears_before {
                self.change_fee_base();
            }
        }
        self.advance(day, self.timeline.on(day));
    }

    fn advance(&mut self, day: i64, policy: &'a Policy) {
        self.day = day;
        for run in [Some(&mut self.shown), self.judged.as_mut()].into_iter().flatten() {
            (run.day, run.policy) = (day, policy);
        }
        if let Some(accrual) = &mut self.late_fees {
            accrual.advance(day);
        }
    }

    /// From here on the late fee accrues on the principal that the other allocation leaves open.
    fn change_fee_base(&mut self) {
        let (Some(judged), Some(accrual)) = (&mut self.judged, &mut self.late_fees) else { return };
        (judged.is_fee_base, self.shown.is_fee_base) = (self.shown.is_fee_base, judged.is_fee_base);
        let base = if judged.is_fee_base { &*judged } else { &self.shown };
        for (place, line) in base.lines.iter().enumerate() {
            accrual.set_principal(place, line.open[2]);
        }
    }

    /// The same for the versions that bind after the last fact.
    fn change_coming_fee_bases(&mut self) {
        let mut are_arrears = self.timeline.on(self.day).fees_are_arrears();
        let (Some(judged), Some(accrual)) = (&self.judged, &mut self.late_fees) else { return };
        for (term, (from, policy)) in self.timeline.iter().enumerate() {
            if from > self.day && policy.fees_are_arrears() != are_arrears {
                are_arrears = policy.fees_are_arrears();
                let base = if are_arrears { &self.shown } else { judged };
                accrual.change_base_at(term, base.lines.iter().map(|line| line.open[2]).collect());
            }
        }
    }

    /// Charges the oldest installment past due for a letter, where the version of the day asks for it.
    fn charge_letter(&mut self, day: i64) {
        let policy = self.shown.policy;
        let (Some(accrual), Some(per_letter)) =
            (&mut self.late_fees, policy.late_fee.and_then(|fee| fee.per_letter))
        else {
            return;
        };
        let base = self.judged.as_ref().filter(|run| run.is_fee_base).unwrap_or(&self.shown);
        let lines = base.lines.iter().zip(base.terms).enumerate();
        let owing = lines.filter(|(_, (line, terms))| {
            line.open[2] > 0 && !terms.written_off && !terms.replaced && terms.falls_due < day
        });
        if let Some((place, _)) = owing.min_by_key(|(_, (_, terms))| terms.due_on)
            && accrual.is_chargeable(place, day)
        {
            accrual.charge_once(place, day, per_letter, self.account.currency);
        }
    }

    fn waive(&mut self, waiver: &Waiver) {
        let Some(accrual) = &mut self.late_fees else { return };
        let mut left =
            waiver.amount.map_or(i128::MAX, |amount| minor(amount, self.account.currency.minor_units()));
        for (place, installment) in self.account.installments.iter().enumerate() {
            if waiver.number.is_none() || installment.number() == waiver.number {
                let part = accrual.open(place).min(left);
                left -= part;
                accrual.take(place, part);
            }
        }
    }

    fn finish(mut self) -> Allocation {
        let currency = self.account.currency;
        let policy = self.timeline.current();
        let fees_are_arrears = policy.fees_are_arrears();
        let mut late_fees = self.late_fees.take();
        let credit_by_now = self.shown.credit;
        let (unnamed, paid_by_now) = match self.shown.unnamed.take() {
            Some(unnamed) => (unnamed, self.shown.amounts_paid().collect()),
            None => (Vec::new(), Vec::new()),
        };
        // Of late fees, what waits pays none but those that a schedule before left behind: no other is open before
        // its installment falls due.
        let mut allocate_waiting = |run: &mut AllocationRun<'a>| {
            run.late_fees = late_fees.take();
            let waiting = if self.credit_waits { run.allocate_waiting(self.timeline) } else { Vec::new() };
            late_fees = run.late_fees.take();
            waiting
        };
        let waiting = allocate_waiting(&mut self.shown);
        let judged_waiting = self.judged.as_mut().map_or_else(|| waiting.clone(), allocate_waiting);
        self.late_fees = late_fees;
        self.change_coming_fee_bases();
        let late_fees = self.late_fees.take();
        let judged = self.judged.take().filter(|_| !fees_are_arrears);
        let judged_waiting = if judged.is_some() { judged_waiting } else { waiting.clone() };
        let shown = self.shown;
        let money = |minor: i128| Money::of_minor(minor, currency.minor_units());
        let fee_open = |place: usize| late_fees.as_ref().map_or(0, |accrual| accrual.open(place));
        let judged_lines = judged.as_ref().map_or(&shown.lines, |run| &run.lines);
        let count = shown.lines.len();
        let (mut open_installments, mut shown_lines) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut judged_outstanding = 0;
        for (place, (line, judged)) in shown.lines.iter().zip(judged_lines).enumerate() {
            let LineTerms { written_off, due_on, .. } = shown.terms[place];
            if written_off {
                continue;
            }
            let (owes, owes_fee) = (judged.amount_open(), fee_open(place) > 0);
            if owes > 0 || (fees_are_arrears && owes_fee) {
                judged_outstanding += owes;
                open_installments.push(OpenInstallment { place, due_on, amount: money(owes) });
            }
            let may_owe_fee = || late_fees.as_ref().is_some_and(|accrual| accrual.may_accrue(place));
            if owes > 0 || owes_fee || line.amount_open() > 0 || may_owe_fee() {
                shown_lines.push(ShownLine { place, due_on, open: line.open, open_so_far: 0 });
            }
        }
        open_installments.sort_by_key(|one| one.due_on);
        shown_lines.sort_by_key(|one| one.due_on);
        // Where fees count as arrears, nothing is open yet of those whose late fee is still to come.
        let owes_nothing = |(_, one): &(usize, &ShownLine)| {
            shown.lines[one.place].amount_open() == 0 && fee_open(one.place) == 0
        };
        let fee_to_come: Vec<usize> = match fees_are_arrears {
            true => shown_lines.iter().enumerate().filter(owes_nothing).map(|(index, _)| index).collect(),
            false => Vec::new(),
        };
        let is_held = |place: usize| self.account.installments[place].hold.is_some();
        let ledger_of = |mut shown_lines: Vec<ShownLine>,
                         mut late_fees: Option<Box<LateFeeAccrual>>,
                         without_held: bool| {
            let (mut open_so_far, mut left_out) = (0, Vec::new());
            for (index, line) in shown_lines.iter_mut().enumerate() {
                if without_held && is_held(line.place) {
                    late_fees.iter_mut().for_each(|accrual| accrual.leave_out(line.place));
                    left_out.push(index);
                    line.open = [0; 3];
                } else {
                    left_out.extend(fee_to_come.binary_search(&index).is_ok().then_some(index));
                    open_so_far += line.open.iter().sum::<i128>();
                }
                line.open_so_far = open_so_far;
            }
            if let Some(accrual) = &mut late_fees {
                accrual.keep(shown_lines.iter().map(|line| line.place));
            }
            Ledger {
                shown: shown_lines,
                late_fees,
                left_out,
                waiting: waiting.clone(),
                paid_by_now: Vec::new(),
                judged_waiting: Vec::new(),
                credit_by_now,
                unnamed: Vec::new(),
                fees_are_arrears,
                without_held: None,
                day: shown.day.saturating_sub(policy.day_count.on_due_date()),
            }
        };
        let without_held = (fees_are_arrears && self.account.has_held())
            .then(|| Box::new(ledger_of(shown_lines.clone(), late_fees.clone(), true)));
        let ledger = ledger_of(shown_lines, late_fees, false);
        let outstanding = ledger.open_before(ledger.shown.len());
        let mut allocation = Allocation {
            paid: shown.amounts_paid().map(|(own, late_fee)| money(own + late_fee)).collect(),
            judged_outstanding: money(judged_outstanding),
            open_installments,
            without_held: None,
            outstanding: money(outstanding),
            credit: money(shown.credit),
            ledger: Some(Box::new(Ledger { paid_by_now, judged_waiting, unnamed, without_held, ..ledger })),
        };
        allocation.leave_out_held(self.account);
        allocation
    }
}
