//! Derives from the facts the amounts due and the amounts paid.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use duewatch_domain::account::{Dated, DelinquencyPause, InstallmentLabel};
use duewatch_domain::commands::{
    Command, Contract, FeeWaived, InstallmentAdjusted, NewInstallment, PauseEnded, PauseStarted,
    PaymentReceived, PaymentReversed, ScheduleReplaced, WriteOffUndone, WrittenOff,
};
use duewatch_domain::kernel::{Currency, Money};
use duewatch_domain::kernel::{DrawId, InstallmentNumber, PaymentId};

use super::answers::{Answers, ModelPromise};
use super::ledger::{ModelLedger, Settled, is_dated};
use super::policies::ModelPolicies;
use super::recorded::ModelRecorded;
use super::{ModelFact, calendar};

/// An amount that is still due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debt {
    pub label: InstallmentLabel,
    pub due_on: NaiveDate,
    /// The open amount, without late fee.
    pub amount: Money,
}

/// The account as derived from its facts.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) zone: Tz,
    pub(super) enforced: bool,
    pub(super) pauses: Vec<DelinquencyPause>,
    pub(super) recorded: ModelRecorded,
    pub(super) answers: Answers,
    pub(super) currency: Currency,
    pub(super) pieces: Vec<Piece>,
    draws: Vec<DrawId>,
    pub(super) payments: Vec<ModelPayment>,
    pub(super) divisions: Vec<Division>,
    pub(super) waivers: Vec<ModelWaiver>,
    /// The date of the last schedule replacement.
    pub(super) replaced_on: Option<NaiveDate>,
}

/// A new schedule, or a chargeback. Earlier money settles the earlier debt; later money settles the debt that
/// falls due anew.
#[derive(Debug)]
pub(super) struct Division {
    pub(super) at: DateTime<Utc>,
}

impl Division {
    pub(super) fn comes_after(&self, payment: &ModelPayment) -> bool {
        payment.received_at < self.at
    }
}

/// An installment or a chargeback, with its amount due.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) label: InstallmentLabel,
    pub(super) due_on: NaiveDate,
    /// Fee, interest and principal of the contract.
    pub(super) parts: [Money; 3],
    /// The total amount due, after adjustments.
    pub(super) due: Money,
    pub(super) written_off: bool,
    /// A new schedule replaced the installment and left the part that had been paid.
    pub(super) replaced: bool,
    /// The index of the division that created the debt; none: the contract did.
    pub(super) since: Option<usize>,
}

impl Piece {
    fn new(installment: &NewInstallment, since: Option<usize>) -> Self {
        Self {
            label: InstallmentLabel::Number(installment.number),
            due_on: installment.due_on,
            parts: [installment.fee, installment.interest, installment.principal],
            due: installment.principal + installment.interest + installment.fee,
            written_off: false,
            replaced: false,
            since,
        }
    }

    pub(super) fn is(&self, number: InstallmentNumber) -> bool {
        self.label == InstallmentLabel::Number(number)
    }
}

/// A payment.
#[derive(Debug)]
pub(super) struct ModelPayment {
    id: PaymentId,
    pub(super) amount: Money,
    pub(super) received_at: DateTime<Utc>,
    pub(super) value_date: Option<NaiveDate>,
    pub(super) targets: Vec<InstallmentNumber>,
    reversed: Option<Dated>,
}

impl ModelPayment {
    /// Whether the payment counts. A charged-back payment still does: a debt of its own takes it back.
    pub(super) fn is_effective(&self) -> bool {
        self.reversed != Some(Dated::Original)
    }
}

/// A late fee waiver, which covers the fee accrued so far.
#[derive(Debug)]
pub(super) struct ModelWaiver {
    pub(super) at: DateTime<Utc>,
    /// The installment; none: all of them.
    pub(super) number: Option<InstallmentNumber>,
    /// None: the whole fee.
    pub(super) amount: Option<Money>,
}

impl Books {
    /// The books after the facts. What is settled when a write-off or a new schedule comes is asked of the policy.
    pub(super) fn of(contract: &Contract, facts: &[ModelFact], policies: &ModelPolicies) -> Self {
        let mut books = Self {
            zone: calendar::zone(contract.time_zone),
            enforced: true,
            pauses: Vec::new(),
            recorded: ModelRecorded::default(),
            answers: Answers::default(),
            currency: contract.currency,
            pieces: contract.installments.iter().map(|one| Piece::new(one, None)).collect(),
            draws: contract.installments.iter().filter_map(|one| one.draw_id.clone()).collect(),
            payments: Vec::new(),
            divisions: Vec::new(),
            waivers: Vec::new(),
            replaced_on: None,
        };
        for fact in facts {
            books.enter(&fact.command, fact.at, policies);
        }
        books
    }

    /// The open debts by due date, then number; chargebacks come last.
    pub(super) fn debts(&self) -> Vec<Debt> {
        let owed = self.pieces.iter().zip(self.allocated()).filter(|(piece, _)| !piece.written_off);
        let mut debts: Vec<Debt> = owed
            .map(|(piece, paid)| Debt {
                label: piece.label.clone(),
                due_on: piece.due_on,
                amount: piece.due - paid,
            })
            .filter(|debt| debt.amount > Money::ZERO)
            .collect();
        debts.sort_by(|one, other| (one.due_on, &one.label).cmp(&(other.due_on, &other.label)));
        debts
    }

    /// The instant at which the payments since the promise reached the promised amount.
    pub(super) fn kept_at(&self, promise: &ModelPromise) -> Option<DateTime<Utc>> {
        let standing = || self.payments.iter().filter(|payment| payment.is_effective());
        standing().map(|payment| payment.received_at).find(|by| {
            let came = standing().filter(|one| promise.at <= one.received_at && one.received_at <= *by);
            let came: Money = came.map(|payment| payment.amount).sum();
            came >= promise.amount && calendar::business_date(self.zone, *by) < promise.until
        })
    }

    fn enter(&mut self, command: &Command, at: DateTime<Utc>, policies: &ModelPolicies) {
        match command {
            Command::PromiseMade(_)
            | Command::PromiseEnded(_)
            | Command::DisputeOpened(_)
            | Command::DisputeClosed(_)
            | Command::BureauReported(_)
            | Command::Contact(_) => self.answers.enter(self.zone, command, at),
            Command::FeeWaived(FeeWaived { number, amount, .. }) => {
                self.waivers.push(ModelWaiver { at, number: *number, amount: *amount });
            }
            Command::CauseRecorded(_)
            | Command::ScoreRecorded(_)
            | Command::PaymentInProcess(_)
            | Command::PaymentProcessEnded(_) => self.recorded.enter(self.zone, command, at),
            Command::PaymentReceived(received) => self.receive(received, at),
            Command::PaymentReversed(PaymentReversed { payment_id, dated }) => {
                self.reverse(payment_id, *dated, at)
            }
            Command::InstallmentAdded(added) => self.pieces.push(Piece::new(&added.installment, None)),
            Command::Drawn(drawn) if !self.draws.contains(&drawn.draw_id) => {
                self.draws.push(drawn.draw_id.clone());
                self.pieces.extend(drawn.installments.iter().map(|one| Piece::new(one, None)));
            }
            Command::InstallmentAdjusted(InstallmentAdjusted { number, amount, .. }) => {
                self.pieces.iter_mut().filter(|piece| piece.is(*number)).for_each(|one| one.due -= *amount);
            }
            Command::ScheduleReplaced(ScheduleReplaced { installments, .. }) => {
                self.replace(installments, at, policies)
            }
            Command::PauseStarted(PauseStarted { from, until }) => {
                self.pauses.push(DelinquencyPause { from: *from, until: *until });
            }
            Command::PauseEnded(PauseEnded { on }) => self.end_pause(*on),
            Command::EnforcementOff(_) => self.enforced = false,
            Command::EnforcementOn(_) => self.enforced = true,
            Command::WrittenOff(WrittenOff { number, .. }) => self.write_off(*number, at, policies),
            Command::WriteOffUndone(WriteOffUndone { number, .. }) => {
                let meant = |piece: &&mut Piece| number.is_none_or(|number| piece.is(number));
                self.pieces.iter_mut().filter(meant).for_each(|piece| piece.written_off = false);
            }
            // The other facts change no amount due.
            _ => {}
        }
    }

    fn receive(&mut self, received: &PaymentReceived, at: DateTime<Utc>) {
        if self.payments.iter().any(|known| known.id == received.payment_id) {
            return;
        }
        self.payments.push(ModelPayment {
            id: received.payment_id.clone(),
            amount: received.amount,
            received_at: at,
            value_date: received.value_date,
            targets: received.applies_to.clone(),
            reversed: None,
        });
        self.payments.sort_by(|one, other| (one.received_at, &one.id).cmp(&(other.received_at, &other.id)));
    }

    fn reverse(&mut self, id: &PaymentId, dated: Dated, at: DateTime<Utc>) {
        let due_on = calendar::business_date(self.zone, at);
        let known = self.payments.iter_mut().find(|one| one.id == *id && one.reversed.is_none());
        let Some(payment) = known else { return };
        payment.reversed = Some(dated);
        if dated == Dated::Reversal {
            let (label, imposed) = (InstallmentLabel::Chargeback(id.clone()), payment.amount);
            // The payment's allocation stays: a chargeback comes after its payment, whatever the instants
            // say.
            let at = at.max(payment.received_at + TimeDelta::nanoseconds(1));
            let since = Some(self.divisions.len());
            let parts = [Money::ZERO, Money::ZERO, imposed];
            let (written_off, replaced) = (false, false);
            self.pieces.push(Piece { label, due_on, parts, due: imposed, written_off, replaced, since });
            self.divisions.push(Division { at });
        }
    }

    /// Keeps the paid part of every piece and adds the new installments.
    /// A late fee that was paid stays paid, as a part of the piece.
    fn replace(&mut self, installments: &[NewInstallment], at: DateTime<Utc>, policies: &ModelPolicies) {
        let settled = self.settled(at, &policies.until(calendar::business_date(self.zone, at)));
        for (piece, settled) in self.pieces.iter_mut().zip(settled) {
            piece.due = settled.paid + settled.paid_as_fee;
            piece.replaced = true;
        }
        self.pieces.retain(|piece| piece.due > Money::ZERO);
        self.replaced_on = Some(calendar::business_date(self.zone, at));
        let since = Some(self.divisions.len());
        self.pieces.extend(installments.iter().map(|one| Piece::new(one, since)));
        // A new schedule comes after every payment it finds, whatever the instants say.
        let found = self.payments.iter().map(|payment| payment.received_at + TimeDelta::nanoseconds(1));
        self.divisions.push(Division { at: found.max().map_or(at, |found| found.max(at)) });
    }

    fn end_pause(&mut self, on: NaiveDate) {
        for pause in &mut self.pauses {
            if pause.from <= on && on < pause.until {
                pause.until = on;
            }
        }
        self.pauses.retain(|pause| pause.from < pause.until);
    }

    /// Writes off the open part of one installment; none: of all.
    fn write_off(&mut self, number: Option<InstallmentNumber>, at: DateTime<Utc>, policies: &ModelPolicies) {
        let settled = self.settled(at, &policies.until(calendar::business_date(self.zone, at)));
        for (piece, settled) in self.pieces.iter_mut().zip(settled) {
            let is_open = settled.paid < piece.due || settled.fee_open > Money::ZERO;
            if number.is_none_or(|number| piece.is(number)) && is_open {
                piece.written_off = true;
            }
        }
    }

    /// What is settled of each piece at an instant.
    fn settled(&self, at: DateTime<Utc>, policies: &ModelPolicies) -> Vec<Settled> {
        if is_dated(policies) {
            return ModelLedger::settled(self, policies, at);
        }
        let paid = self.allocated().into_iter();
        paid.map(|paid| Settled { paid, paid_as_fee: Money::ZERO, fee_open: Money::ZERO }).collect()
    }

    /// The paid amount of each piece, where the dates of payments do not matter.
    fn allocated(&self) -> Vec<Money> {
        self.allocate().0
    }

    /// The share of each payment for the pieces it names, as (index of the piece, amount).
    pub(super) fn named(&self) -> Vec<(&ModelPayment, Vec<(usize, Money)>)> {
        self.allocate().1.into_iter().map(|purse| (purse.payment, purse.named)).collect()
    }

    /// Allocates division by division: first the payments that name a piece, then the oldest debt of that
    /// time, with the money received by then.
    fn allocate(&self) -> (Vec<Money>, Vec<Purse<'_>>) {
        let mut paid = vec![Money::ZERO; self.pieces.len()];
        let mut purses: Vec<Purse<'_>> = self
            .payments
            .iter()
            .filter(|payment| payment.is_effective())
            .map(|payment| Purse { payment, left: payment.amount, named: Vec::new() })
            .collect();
        for next in self.dividing() {
            let has_come = |payment: &ModelPayment| next.comes_after(payment);
            self.allocate_named(&mut paid, &mut purses, has_come);
            self.allocate_oldest(&mut paid, &mut purses, has_come, |since| since.at < next.at);
        }
        self.allocate_named(&mut paid, &mut purses, |_| true);
        self.allocate_oldest(&mut paid, &mut purses, |_| true, |_| true);
        (paid, purses)
    }

    fn allocate_named(
        &self,
        paid: &mut [Money],
        purses: &mut [Purse<'_>],
        has_come: impl Fn(&ModelPayment) -> bool,
    ) {
        for purse in purses.iter_mut().filter(|purse| has_come(purse.payment)) {
            for number in &purse.payment.targets {
                let meant = |(_, piece): &(usize, &Piece)| piece.is(*number);
                for (place, piece) in self.pieces.iter().enumerate().filter(meant) {
                    // A later schedule may have reused an old installment number.
                    if self.since(piece).is_none_or(|since| !since.comes_after(purse.payment)) {
                        let part = purse.pay(piece, &mut paid[place]);
                        match purse.named.iter_mut().find(|(named, _)| *named == place) {
                            Some((_, known)) => *known += part,
                            None => purse.named.push((place, part)),
                        }
                    }
                }
            }
        }
    }

    fn allocate_oldest(
        &self,
        paid: &mut [Money],
        purses: &mut [Purse<'_>],
        has_come: impl Fn(&ModelPayment) -> bool,
        is_owed: impl Fn(&Division) -> bool,
    ) {
        let mut order: Vec<usize> = (0..self.pieces.len()).collect();
        order.sort_by_key(|place| (self.pieces[*place].due_on, &self.pieces[*place].label));
        for place in order {
            let piece = &self.pieces[place];
            if !piece.written_off && self.since(piece).is_none_or(&is_owed) {
                let there = purses.iter_mut().filter(|purse| has_come(purse.payment));
                for purse in there {
                    purse.pay(piece, &mut paid[place]);
                }
            }
        }
    }

    /// The divisions in their order. One whose debts are all gone, or that created none, divides nothing: no
    /// debt waits for later money.
    pub(super) fn dividing(&self) -> Vec<&Division> {
        let created = |place: usize| self.pieces.iter().any(|piece| piece.since == Some(place));
        let all = self.divisions.iter().enumerate();
        let mut dividing: Vec<&Division> =
            all.filter(|(place, _)| created(*place)).map(|(_, division)| division).collect();
        dividing.sort_by_key(|division| division.at);
        dividing
    }

    pub(super) fn since(&self, piece: &Piece) -> Option<&Division> {
        piece.since.map(|place| &self.divisions[place])
    }
}

/// A payment and its unallocated rest.
struct Purse<'a> {
    payment: &'a ModelPayment,
    left: Money,
    named: Vec<(usize, Money)>,
}

impl Purse<'_> {
    fn pay(&mut self, piece: &Piece, paid: &mut Money) -> Money {
        let part = self.left.min(piece.due - *paid);
        self.left -= part;
        *paid += part;
        part
    }
}
