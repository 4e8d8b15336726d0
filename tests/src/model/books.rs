//! From the facts to what is owed, and what is paid of it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use duewatch_domain::account::{Dated, Label, Pause};
use duewatch_domain::command::{Command, Contract, NewInstallment, PaymentReceived};
use duewatch_domain::ids::{InstallmentNumber, PaymentId};
use duewatch_domain::money::Money;

use super::recorded::Recorded;
use super::{Fact, calendar};

/// An amount that is still owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debt {
    /// What it is called.
    pub label: Label,
    /// When it is or was due.
    pub due_on: NaiveDate,
    /// How much is left.
    pub amount: Money,
}

/// What the facts come to.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) zone: Tz,
    pub(super) enforced: bool,
    pub(super) pauses: Vec<Pause>,
    pub(super) recorded: Recorded,
    pieces: Vec<Piece>,
    payments: Vec<Paid>,
    divisions: Vec<Division>,
}

/// A new schedule, or a payment taken back: what was owed before is settled by the money
/// that came before, and what falls due anew waits for the money that comes after.
#[derive(Debug)]
struct Division {
    at: DateTime<Utc>,
}

impl Division {
    fn comes_after(&self, payment: &Paid) -> bool {
        payment.received_at < self.at
    }
}

/// Something that is asked for.
#[derive(Debug)]
struct Piece {
    label: Label,
    due_on: NaiveDate,
    asked: Money,
    written_off: bool,
    /// The place of the division that made it owed; none: it always was.
    since: Option<usize>,
}

impl Piece {
    fn new(installment: &NewInstallment, since: Option<usize>) -> Self {
        Self {
            label: Label::Number(installment.number),
            due_on: installment.due_on,
            asked: installment.principal + installment.interest + installment.fee,
            written_off: false,
            since,
        }
    }

    fn is(&self, number: InstallmentNumber) -> bool {
        self.label == Label::Number(number)
    }
}

/// Money that came.
#[derive(Debug)]
struct Paid {
    id: PaymentId,
    amount: Money,
    received_at: DateTime<Utc>,
    targets: Vec<InstallmentNumber>,
    reversed: Option<Dated>,
}

impl Books {
    pub(super) fn of(contract: &Contract, facts: &[Fact]) -> Self {
        let mut books = Self {
            zone: calendar::zone(contract.time_zone),
            enforced: true,
            pauses: Vec::new(),
            recorded: Recorded::default(),
            pieces: contract.installments.iter().map(|one| Piece::new(one, None)).collect(),
            payments: Vec::new(),
            divisions: Vec::new(),
        };
        for fact in facts {
            books.enter(&fact.command, fact.at);
        }
        books
    }

    /// What still owes, by due date, then number; what was taken back comes last.
    pub(super) fn debts(&self) -> Vec<Debt> {
        let owed = self.pieces.iter().zip(self.settled()).filter(|(piece, _)| !piece.written_off);
        let mut debts: Vec<Debt> = owed
            .map(|(piece, paid)| Debt {
                label: piece.label.clone(),
                due_on: piece.due_on,
                amount: piece.asked - paid,
            })
            .filter(|debt| debt.amount > Money::ZERO)
            .collect();
        debts.sort_by(|one, other| (one.due_on, &one.label).cmp(&(other.due_on, &other.label)));
        debts
    }

    fn enter(&mut self, command: &Command, at: DateTime<Utc>) {
        match command {
            // Nothing that the account owes; no policy that the model knows has a late fee, or waits
            // for a promise or a dispute.
            Command::AccountOpened(_)
            | Command::ContactChanged(_)
            | Command::NoticeSent(_)
            | Command::PromiseMade { .. }
            | Command::PromiseEnded { .. }
            | Command::DisputeOpened { .. }
            | Command::DisputeClosed { .. }
            | Command::BureauReported
            | Command::OfPerson(_)
            | Command::FeeWaived { .. } => {}
            Command::CauseRecorded { .. }
            | Command::ScoreRecorded { .. }
            | Command::PaymentInProcess { .. }
            | Command::PaymentProcessEnded { .. } => self.recorded.enter(self.zone, command, at),
            Command::PaymentReceived(received) => self.receive(received, at),
            Command::PaymentReversed { payment_id, dated } => self.reverse(payment_id, *dated, at),
            Command::InstallmentAdded(installment) => self.pieces.push(Piece::new(installment, None)),
            Command::InstallmentAdjusted { number, amount, .. } => {
                self.pieces.iter_mut().filter(|piece| piece.is(*number)).for_each(|one| one.asked -= *amount);
            }
            Command::ScheduleReplaced { installments, .. } => self.replace(installments, at),
            Command::PauseStarted { from, until } => {
                self.pauses.push(Pause { from: *from, until: *until });
            }
            Command::PauseEnded { on } => self.end_pause(*on),
            Command::EnforcementOff { .. } => self.enforced = false,
            Command::EnforcementOn { .. } => self.enforced = true,
            Command::WrittenOff { number, .. } => self.write_off(*number),
            Command::WriteOffUndone { number, .. } => {
                let meant = |piece: &&mut Piece| number.is_none_or(|number| piece.is(number));
                self.pieces.iter_mut().filter(meant).for_each(|piece| piece.written_off = false);
            }
        }
    }

    fn receive(&mut self, received: &PaymentReceived, at: DateTime<Utc>) {
        if self.payments.iter().any(|known| known.id == received.payment_id) {
            return;
        }
        self.payments.push(Paid {
            id: received.payment_id.clone(),
            amount: received.amount,
            received_at: at,
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
            let (label, asked) = (Label::TakenBack(id.clone()), payment.amount);
            // What it settled stays settled: it came before, whatever the instants say.
            let at = at.max(payment.received_at + TimeDelta::nanoseconds(1));
            let since = Some(self.divisions.len());
            self.pieces.push(Piece { label, due_on, asked, written_off: false, since });
            self.divisions.push(Division { at });
        }
    }

    /// Keeps of every piece what is paid, and adds the new ones.
    fn replace(&mut self, installments: &[NewInstallment], at: DateTime<Utc>) {
        let settled = self.settled();
        for (piece, paid) in self.pieces.iter_mut().zip(settled) {
            piece.asked = paid;
        }
        self.pieces.retain(|piece| piece.asked > Money::ZERO);
        let since = Some(self.divisions.len());
        self.pieces.extend(installments.iter().map(|one| Piece::new(one, since)));
        // What it found comes before it, whatever the instants say.
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

    /// Writes off what is meant and still owes.
    fn write_off(&mut self, number: Option<InstallmentNumber>) {
        let settled = self.settled();
        for (piece, paid) in self.pieces.iter_mut().zip(settled) {
            if number.is_none_or(|number| piece.is(number)) && paid < piece.asked {
                piece.written_off = true;
            }
        }
    }

    /// What is paid of each piece: from one division of time to the next, first what was
    /// paid for by name, then the oldest that was owed by then, with the money that had come.
    fn settled(&self) -> Vec<Money> {
        let mut paid = vec![Money::ZERO; self.pieces.len()];
        let mut purses: Vec<Purse<'_>> = self
            .payments
            .iter()
            .filter(|payment| payment.reversed != Some(Dated::Original))
            .map(|payment| Purse { payment, left: payment.amount })
            .collect();
        let mut divisions: Vec<&Division> = self.divisions.iter().collect();
        divisions.sort_by_key(|division| division.at);
        for next in divisions {
            let has_come = |payment: &Paid| next.comes_after(payment);
            self.settle_named(&mut paid, &mut purses, has_come);
            self.settle_oldest(&mut paid, &mut purses, has_come, |since| since.at < next.at);
        }
        self.settle_named(&mut paid, &mut purses, |_| true);
        self.settle_oldest(&mut paid, &mut purses, |_| true, |_| true);
        paid
    }

    fn settle_named(&self, paid: &mut [Money], purses: &mut [Purse<'_>], has_come: impl Fn(&Paid) -> bool) {
        for purse in purses.iter_mut().filter(|purse| has_come(purse.payment)) {
            for number in &purse.payment.targets {
                for (piece, paid) in self.pieces.iter().zip(&mut *paid).filter(|(piece, _)| piece.is(*number))
                {
                    // A later schedule may have put something else under an old number.
                    if self.since(piece).is_none_or(|since| !since.comes_after(purse.payment)) {
                        purse.pay(piece, paid);
                    }
                }
            }
        }
    }

    fn settle_oldest(
        &self,
        paid: &mut [Money],
        purses: &mut [Purse<'_>],
        has_come: impl Fn(&Paid) -> bool,
        is_owed: impl Fn(&Division) -> bool,
    ) {
        let mut order: Vec<usize> = (0..self.pieces.len()).collect();
        order.sort_by_key(|place| (self.pieces[*place].due_on, &self.pieces[*place].label));
        for place in order {
            let piece = &self.pieces[place];
            if !piece.written_off && self.since(piece).is_none_or(&is_owed) {
                let there = purses.iter_mut().filter(|purse| has_come(purse.payment));
                there.for_each(|purse| purse.pay(piece, &mut paid[place]));
            }
        }
    }

    fn since(&self, piece: &Piece) -> Option<&Division> {
        piece.since.map(|place| &self.divisions[place])
    }
}

/// A payment, and what is left of it.
struct Purse<'a> {
    payment: &'a Paid,
    left: Money,
}

impl Purse<'_> {
    fn pay(&mut self, piece: &Piece, paid: &mut Money) {
        let part = self.left.min(piece.asked - *paid);
        self.left -= part;
        *paid += part;
    }
}
