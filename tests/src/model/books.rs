//! Derives from the facts the amounts due and the amounts paid.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use duewatch_domain::account::{AccruedFee, Dated, DelinquencyPause, InstallmentLabel, ScheduleKind};
use duewatch_domain::commands::{
    Command, Contract, CreditPaidOut, FeeWaived, InstallmentAdjusted, InstallmentHeld, InstallmentReleased,
    NewInstallment, PauseEnded, PauseStarted, PaymentReceived, PaymentReversed, ScheduleReplaced,
    WriteOffUndone, WrittenOff,
};
use duewatch_domain::kernel::{Currency, Money};
use duewatch_domain::kernel::{DrawId, InstallmentNumber, PaymentId};
use rust_decimal::Decimal;

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
    /// The instants at which notices of stages left.
    pub(super) letters: Vec<DateTime<Utc>>,
    /// The annual rate of the contract's interest.
    pub(super) annual_rate: Option<Decimal>,
    /// The date of the last schedule replacement, and of the last one that counts as forbearance.
    pub(super) replaced_on: Option<NaiveDate>,
    pub(super) forborne_on: Option<NaiveDate>,
}

/// A new schedule, a chargeback, or the return of what was written off. Earlier money settles the earlier debt; later money settles the debt that
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
    written_off_at: Option<DateTime<Utc>>,
    /// The indexes of the divisions between which it was written off.
    pub(super) left_out: Vec<(usize, usize)>,
    /// Late fee kept from the schedule before.
    pub(super) kept_fee: Money,
    pub(super) held: bool,
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
            written_off_at: None,
            left_out: Vec::new(),
            kept_fee: Money::ZERO,
            held: false,
        }
    }

    /// A debt that no contract names.
    fn of(label: InstallmentLabel, due_on: NaiveDate, due: Money, since: usize) -> Self {
        Self {
            label,
            due_on,
            parts: [Money::ZERO, Money::ZERO, due],
            due,
            written_off: false,
            replaced: false,
            since: Some(since),
            written_off_at: None,
            left_out: Vec::new(),
            kept_fee: Money::ZERO,
            held: false,
        }
    }

    pub(super) fn is(&self, number: InstallmentNumber) -> bool {
        self.label == InstallmentLabel::Number(number)
    }
}

/// A payment.
#[derive(Debug)]
pub(super) struct ModelPayment {
    pub(super) id: PaymentId,
    /// What still counts of it.
    pub(super) amount: Money,
    /// What was paid out of it as credit, and not taken back since.
    paid_out: Money,
    /// What no reversal has taken back.
    left: Money,
    reversals: Vec<(DateTime<Utc>, Option<Money>, Dated)>,
    pub(super) received_at: DateTime<Utc>,
    pub(super) value_date: Option<NaiveDate>,
    pub(super) targets: Vec<InstallmentNumber>,
}

impl ModelPayment {
    /// Whether the payment counts. A charged-back payment still does: a debt of its own takes it back.
    pub(super) fn is_effective(&self) -> bool {
        self.amount > Money::ZERO
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
    pub(super) fn of(
        contract: &Contract,
        facts: &[ModelFact],
        letters: &[(DateTime<Utc>, usize)],
        policies: &ModelPolicies,
    ) -> Self {
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
            letters: Vec::new(),
            annual_rate: contract.interest.map(|interest| interest.annual_rate),
            replaced_on: None,
            forborne_on: None,
        };
        // A letter that was heard of later changes nothing of what a fact before found.
        let known_to = |facts: usize| letters.iter().filter(move |(_, known)| *known <= facts);
        for (place, fact) in facts.iter().enumerate() {
            books.letters = known_to(place).map(|(at, _)| *at).collect();
            books.enter(&fact.command, fact.at, policies);
        }
        books.letters = letters.iter().map(|(at, _)| *at).collect();
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
            Command::PaymentReversed(PaymentReversed { payment_id, amount, dated }) => {
                self.reverse(payment_id, *amount, *dated, at)
            }
            Command::CreditPaidOut(CreditPaidOut { amount, .. }) => self.pay_out(*amount, at, policies),
            Command::InstallmentHeld(InstallmentHeld { number, .. }) => self.hold(*number, true),
            Command::InstallmentReleased(InstallmentReleased { number, .. }) => self.hold(*number, false),
            Command::InstallmentAdded(added) => self.pieces.push(Piece::new(&added.installment, None)),
            Command::Drawn(drawn) if !self.draws.contains(&drawn.draw_id) => {
                self.draws.push(drawn.draw_id.clone());
                self.pieces.extend(drawn.installments.iter().map(|one| Piece::new(one, None)));
            }
            Command::InstallmentAdjusted(InstallmentAdjusted { number, amount, .. }) => {
                self.pieces.iter_mut().filter(|piece| piece.is(*number)).for_each(|one| one.due -= *amount);
            }
            Command::ScheduleReplaced(replaced) => self.replace(replaced, at, policies),
            Command::PauseStarted(PauseStarted { from, until }) => {
                self.pauses.push(DelinquencyPause { from: *from, until: *until });
            }
            Command::PauseEnded(PauseEnded { on }) => self.end_pause(*on),
            Command::EnforcementOff(_) => self.enforced = false,
            Command::EnforcementOn(_) => self.enforced = true,
            Command::WrittenOff(WrittenOff { number, .. }) => self.write_off(*number, at, policies),
            Command::WriteOffUndone(WriteOffUndone { number, .. }) => {
                let meant =
                    |piece: &&mut Piece| piece.written_off && number.is_none_or(|number| piece.is(number));
                for piece in self.pieces.iter_mut().filter(meant) {
                    piece.written_off = false;
                    if let Some(from) = piece.written_off_at.take().filter(|from| *from < at) {
                        piece.left_out.push((self.divisions.len(), self.divisions.len() + 1));
                        self.divisions.extend([Division { at: from }, Division { at }]);
                    }
                }
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
            paid_out: Money::ZERO,
            left: received.amount,
            reversals: Vec::new(),
            received_at: at,
            value_date: received.value_date,
            targets: received.applies_to.clone(),
        });
        self.payments.sort_by(|one, other| (one.received_at, &one.id).cmp(&(other.received_at, &other.id)));
    }

    /// Takes a payment back, whole or in a part. What falls due instead is a debt of its own: a chargeback, or what
    /// had been paid out of the payment already.
    fn reverse(&mut self, id: &PaymentId, amount: Option<Money>, dated: Dated, at: DateTime<Utc>) {
        let due_on = calendar::business_date(self.zone, at);
        let Some(payment) = self.payments.iter_mut().find(|one| one.id == *id) else { return };
        let part = amount.unwrap_or(payment.left);
        if payment.left == Money::ZERO || payment.reversals.contains(&(at, amount, dated)) {
            return;
        }
        payment.reversals.push((at, amount, dated));
        payment.left -= part;
        let falls_due = match dated {
            Dated::Reversal => part,
            Dated::Original => {
                let gone = part.min(payment.paid_out);
                payment.paid_out -= gone;
                payment.amount -= part - gone;
                gone
            }
        };
        if falls_due > Money::ZERO {
            // The payment's allocation stays: a chargeback comes after its payment, whatever the instants
            // say.
            let at = at.max(payment.received_at + TimeDelta::nanoseconds(1));
            let label = InstallmentLabel::Chargeback(id.clone());
            self.pieces.push(Piece::of(label, due_on, falls_due, self.divisions.len()));
            self.divisions.push(Division { at });
        }
    }

    /// Pays credit out: the money that came last is the money that nothing has taken.
    fn pay_out(&mut self, amount: Option<Money>, at: DateTime<Utc>, policies: &ModelPolicies) {
        let policies = policies.until(calendar::business_date(self.zone, at));
        let (credit, unnamed) = if is_dated(&policies) {
            ModelLedger::credit(self, &policies, at)
        } else {
            let (_, purses) = self.allocate();
            let credit = purses.iter().map(|purse| purse.left).sum();
            let unnamed = purses.iter().map(|purse| {
                let named: Money = purse.named.iter().map(|(_, part)| *part).sum();
                (purse.payment.id.clone(), purse.payment.amount - named)
            });
            (credit, unnamed.collect())
        };
        let mut left = amount.unwrap_or(credit);
        for (id, unnamed) in unnamed.into_iter().rev() {
            let part = unnamed.min(left);
            left -= part;
            self.payments.iter_mut().filter(|payment| payment.id == id).for_each(|one| {
                one.amount -= part;
                one.paid_out += part;
            });
        }
    }

    fn hold(&mut self, number: InstallmentNumber, held: bool) {
        self.pieces.iter_mut().filter(|piece| piece.is(number)).for_each(|piece| piece.held = held);
    }

    /// Keeps the paid part of every piece and adds the new installments.
    /// A late fee that was paid stays paid, as a part of the piece. One that is open goes, or stays owed by itself,
    /// or becomes a fee of the first new installment.
    fn replace(&mut self, replaced: &ScheduleReplaced, at: DateTime<Utc>, policies: &ModelPolicies) {
        let today = calendar::business_date(self.zone, at);
        let settled = self.settled(at, &policies.until(today));
        let bears = |piece: &Piece, settled: &Settled| !piece.written_off && settled.fee_open > Money::ZERO;
        let open: Vec<(NaiveDate, Money)> = self
            .pieces
            .iter()
            .zip(&settled)
            .filter(|(piece, settled)| bears(piece, settled))
            .map(|(piece, settled)| (piece.due_on, settled.fee_open))
            .collect();
        let fees: Money = open.iter().map(|(_, fee)| *fee).sum();
        for (piece, settled) in self.pieces.iter_mut().zip(settled) {
            piece.due = settled.paid + settled.paid_as_fee;
            piece.kept_fee = Money::ZERO;
            piece.replaced = true;
        }
        self.pieces.retain(|piece| piece.due > Money::ZERO);
        self.replaced_on = self.replaced_on.max(Some(today));
        if matches!(replaced.kind, None | Some(ScheduleKind::Forbearance)) {
            self.forborne_on = self.forborne_on.max(Some(today));
        }
        let since = self.divisions.len();
        let mut new: Vec<Piece> =
            replaced.installments.iter().map(|one| Piece::new(one, Some(since))).collect();
        match replaced.accrued_fee {
            Some(AccruedFee::Move) => {
                let first = new
                    .iter_mut()
                    .min_by(|one, other| (one.due_on, &one.label).cmp(&(other.due_on, &other.label)));
                if let Some(first) = first {
                    first.parts[0] += fees;
                    first.due += fees;
                }
            }
            Some(AccruedFee::Keep) => {
                if let Some(due_on) = open.iter().map(|(due_on, _)| *due_on).min() {
                    let kept = Piece::of(InstallmentLabel::LateFees(today), due_on, Money::ZERO, since);
                    new.push(Piece { kept_fee: fees, ..kept });
                }
            }
            Some(AccruedFee::Waive) | None => {}
        }
        self.pieces.append(&mut new);
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
                piece.written_off_at = piece.written_off_at.or(Some(at));
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
            self.allocate_oldest(&mut paid, &mut purses, has_come, |since| since < next.at);
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
        is_owed: impl Fn(DateTime<Utc>) -> bool,
    ) {
        let mut order: Vec<usize> = (0..self.pieces.len()).collect();
        order.sort_by_key(|place| (self.pieces[*place].due_on, &self.pieces[*place].label));
        for place in order {
            let piece = &self.pieces[place];
            let is_there = self.since(piece).is_none_or(|since| is_owed(since.at));
            let was_left_out = piece.left_out.iter().any(|(from, until)| {
                is_owed(self.divisions[*from].at) && !is_owed(self.divisions[*until].at)
            });
            if !piece.written_off && is_there && !was_left_out {
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
        let is_of = |piece: &Piece, place: usize| {
            piece.since == Some(place)
                || piece.left_out.iter().any(|(from, until)| *from == place || *until == place)
        };
        let created = |place: usize| self.pieces.iter().any(|piece| is_of(piece, place));
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
