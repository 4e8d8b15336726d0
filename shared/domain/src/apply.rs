//! `apply`: a command becomes a fact of the account, or is refused.
//!
//! Allocation is not done here but derived in [`allocate`], so payments and
//! reversals may arrive in any order. The two commands that act on what is paid
//! so far, a new schedule and a write-off, look at the allocation once, when
//! they arrive.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::account::{
    Account, Dated, Installment, Label, MAX_INSTALLMENTS, MAX_MESSAGES, MAX_NOTICES, MAX_PAUSES,
    MAX_PAYMENTS, MAX_REASON_BYTES, MAX_TARGETS, MAX_WAIVERS, Pause, Payment, RECENT_MESSAGES, Reversal,
    TakenMessage, Waiver,
};
use crate::allocation::allocate;
use crate::command::{Command, Contract, Message, NewInstallment, PaymentReceived};
use crate::customer::MAX_ACCOUNTS_OF_CUSTOMER;
use crate::days::{business_date, is_in_range};
use crate::draw::MAX_DRAWS;
use crate::formats::event_line;
use crate::ids::{DrawId, InstallmentNumber, PaymentId, Revision};
use crate::money::{Currency, Money};
use crate::recorded::{Cause, Notice, NoticeOf, PaymentInProcess, RecordedCause, RecordedScore};
use crate::refusal::Refusal;
use crate::standing::Standing;

/// What a command that was not refused did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The account holds a new fact.
    Changed,
    /// The account knew it already, or it changes nothing.
    Unchanged,
}

impl Account {
    /// Opens an account under its contract. It begins `current`, unjudged, at revision 0.
    ///
    /// # Errors
    /// A [`Refusal`] where the contract's installments do not hold together.
    pub fn open(contract: &Contract) -> Result<Self, Refusal> {
        check_date("opened_on", contract.opened_on)?;
        let mut account = Self {
            account_id: contract.account_id.clone(),
            customer_id: contract.customer_id.clone(),
            policy_id: contract.policy_id.clone(),
            currency: contract.currency,
            time_zone: contract.time_zone,
            opened_on: contract.opened_on,
            contract: checksum(contract),
            installments: Vec::with_capacity(contract.installments.len()),
            draws: Vec::new(),
            payments: Vec::new(),
            pauses: Vec::new(),
            waivers: Vec::new(),
            enforcement_off: None,
            cause: None,
            score: None,
            in_process: None,
            notices: Vec::new(),
            asked_by: Vec::new(),
            schedule_replaced_on: None,
            recent_messages: Vec::new(),
            standing: Standing::unjudged(),
            revision: Revision::default(),
            recent_decisions: Vec::new(),
            intents: Vec::new(),
        };
        account.take_over_draws(&contract.installments)?;
        account.add_installments(&contract.installments, None)?;
        Ok(account)
    }

    /// Takes a command that became known at `at`.
    ///
    /// # Errors
    /// A [`Refusal`]; the account is then as it was.
    pub fn apply(&mut self, command: &Command, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        // No later date has a local one in every zone.
        check_date("at", at.date_naive())?;
        match command {
            Command::AccountOpened(contract) => self.opened_again(contract),
            Command::PaymentReceived(payment) => self.receive_payment(payment, at),
            Command::PaymentReversed { payment_id, dated } => self.reverse_payment(payment_id, *dated, at),
            Command::InstallmentAdded(installment) => {
                self.add_installments(std::slice::from_ref(installment), None)?;
                Ok(Applied::Changed)
            }
            Command::Drawn(drawn) => self.draw(drawn, at),
            Command::InstallmentAdjusted { number, amount, .. } => self.adjust_installment(*number, *amount),
            Command::ScheduleReplaced { installments, .. } => self.replace_schedule(installments, at),
            Command::PauseStarted { from, until } => self.start_pause(*from, *until),
            Command::PauseEnded { on } => self.end_pause(*on),
            Command::EnforcementOff { reason } => {
                if !self.is_enforced() {
                    return Ok(Applied::Unchanged);
                }
                check_reason(reason)?;
                self.enforcement_off = Some(reason.clone());
                Ok(Applied::Changed)
            }
            Command::EnforcementOn { .. } => Ok(match self.enforcement_off.take() {
                Some(_) => Applied::Changed,
                None => Applied::Unchanged,
            }),
            Command::WrittenOff { number, .. } => self.write_off(*number),
            Command::WriteOffUndone { number, .. } => self.undo_write_off(*number),
            Command::CauseRecorded { cause, by, reason, until } => {
                self.record_cause(*cause, by, reason, *until, at)
            }
            Command::ScoreRecorded { score, by, until } => self.record_score(*score, by, *until, at),
            Command::PaymentInProcess { until } => self.await_payment(*until, at),
            Command::PaymentProcessEnded { .. } => Ok(self.end_process(at)),
            Command::NoticeSent(of) => self.note_notice(of, at),
            Command::FeeWaived { number, amount, .. } => self.waive_fee(*number, *amount, at),
            Command::ContactChanged(change) => change.check().map(|()| Applied::Unchanged),
        }
    }

    /// Takes a message of the lender's systems: once, and in the order of its instants.
    /// One that was taken already changes nothing.
    ///
    /// # Errors
    /// A [`Refusal`]; the account is then as it was. Beside those of [`Account::apply`]:
    /// the id came before with something else, or a later message was taken already.
    pub fn take(&mut self, message: &Message) -> Result<Applied, Refusal> {
        let event = &message.event;
        let checksum = crc32fast::hash(event_line(event).as_bytes());
        let known = self.recent_messages.iter().find(|known| known.event_id == message.event_id);
        if let Some(known) = known {
            return if (known.at, known.checksum) == (event.at, checksum) {
                Ok(Applied::Unchanged)
            } else {
                Err(Refusal::MessageDiffers(message.event_id.clone()))
            };
        }
        if let Some(last) = self.recent_messages.last().filter(|last| last.at > event.at) {
            return Err(Refusal::OutOfOrder { at: event.at, last: last.at });
        }
        let of_this_instant = self.recent_messages.iter().filter(|known| known.at == event.at).count();
        within(of_this_instant + 1, MAX_MESSAGES, Refusal::TooManyMessages)?;
        let applied = self.apply(&event.command, event.at)?;
        if applied == Applied::Changed {
            // What is forgotten is older than the last one, so it is out of order from now on.
            let excess = (self.recent_messages.len() + 1).saturating_sub(RECENT_MESSAGES);
            let older = self.recent_messages.len() - of_this_instant;
            self.recent_messages.drain(..excess.min(older));
            let event_id = message.event_id.clone();
            self.recent_messages.push(TakenMessage { event_id, at: event.at, checksum });
        }
        Ok(applied)
    }

    /// Whether the account keeps within its bounds. One that was opened here does; of
    /// one that was read, nobody knows who wrote it.
    ///
    /// # Errors
    /// A [`Refusal`] that names the field.
    pub fn check_bounds(&self) -> Result<(), Refusal> {
        check_date("opened_on", self.opened_on)?;
        for installment in &self.installments {
            check_date("due_on", installment.due_on)?;
        }
        for payment in &self.payments {
            check_date("value_date", payment.value_date)?;
            check_date("received_at", payment.received_at.date_naive())?;
            within(payment.applies_to.len(), MAX_TARGETS, Refusal::TooManyTargets)?;
        }
        for pause in &self.pauses {
            check_date("from", pause.from)?;
            check_date("until", pause.until)?;
        }
        for waiver in &self.waivers {
            check_date("at", waiver.at.date_naive())?;
        }
        within(self.installments.len(), MAX_INSTALLMENTS, Refusal::TooManyInstallments)?;
        within(self.draws.len(), MAX_DRAWS, Refusal::TooManyDraws)?;
        within(self.waivers.len(), MAX_WAIVERS, Refusal::TooManyWaivers)?;
        within(self.payments.len(), MAX_PAYMENTS, Refusal::TooManyPayments)?;
        within(self.pauses.len(), MAX_PAUSES, Refusal::TooManyPauses)?;
        within(self.notices.len(), MAX_NOTICES, Refusal::TooManyNotices)?;
        within(self.asked_by.len(), MAX_ACCOUNTS_OF_CUSTOMER - 1, Refusal::TooManyAccounts)?;
        within(self.recent_messages.len(), RECENT_MESSAGES + MAX_MESSAGES, Refusal::TooManyMessages)?;
        check_total("installments", self.asked_at_most())
    }

    fn opened_again(&self, contract: &Contract) -> Result<Applied, Refusal> {
        if self.contract == checksum(contract) {
            Ok(Applied::Unchanged)
        } else {
            Err(Refusal::AccountExists(contract.account_id.clone()))
        }
    }

    fn receive_payment(&mut self, new: &PaymentReceived, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let amount = positive("amount", new.amount, self.currency)?;
        let currency = new.currency.unwrap_or(self.currency);
        if let Some(known) = self.payment(&new.payment_id) {
            let differs = |field, before: String, now: String| Refusal::PaymentDiffers {
                payment_id: new.payment_id.clone(),
                field,
                before,
                now,
            };
            if known.amount != amount {
                return Err(differs("amount", known.amount.to_string(), amount.to_string()));
            }
            if currency != self.currency {
                return Err(differs("currency", self.currency.to_string(), currency.to_string()));
            }
            if known.kind != new.kind {
                return Err(differs("kind", known.kind.as_str().to_owned(), new.kind.as_str().to_owned()));
            }
            return Ok(Applied::Unchanged);
        }
        if currency != self.currency {
            return Err(Refusal::OtherCurrency { what: "payment", given: currency, account: self.currency });
        }
        let value_date = new.value_date.unwrap_or_else(|| business_date(self.time_zone, at));
        check_date("value_date", value_date)?;
        within(new.applies_to.len(), MAX_TARGETS, Refusal::TooManyTargets)?;
        if self.payments.len() >= MAX_PAYMENTS {
            return Err(Refusal::TooManyPayments);
        }
        let key = (at, &new.payment_id);
        let place = self.payments.partition_point(|other| (other.received_at, &other.payment_id) < key);
        self.payments.insert(
            place,
            Payment {
                payment_id: new.payment_id.clone(),
                amount,
                received_at: at,
                value_date,
                kind: new.kind,
                applies_to: new.applies_to.clone(),
                reversed: None,
            },
        );
        Ok(Applied::Changed)
    }

    fn reverse_payment(
        &mut self,
        payment_id: &PaymentId,
        dated: Dated,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        let due_on = business_date(self.time_zone, at);
        let room = self.installments.len() < MAX_INSTALLMENTS;
        let asked_before = self.asked_at_most();
        let payment = self
            .payments
            .iter_mut()
            .find(|payment| &payment.payment_id == payment_id)
            .ok_or_else(|| Refusal::UnknownPayment(payment_id.clone()))?;
        if payment.reversed.is_some() {
            return Ok(Applied::Unchanged);
        }
        if dated == Dated::Reversal {
            if !room {
                return Err(Refusal::TooManyInstallments);
            }
            check_date("at", due_on)?;
            check_total("amount", asked_before + payment.amount)?;
        }
        payment.reversed = Some(Reversal { reversed_at: at, dated });
        if dated == Dated::Reversal {
            let amount = payment.amount;
            // A payment comes before its reversal, even where one instant is given for both.
            let since = at.max(payment.received_at + TimeDelta::nanoseconds(1));
            let zero = self.currency.zero();
            self.installments.push(Installment {
                label: Label::TakenBack(payment_id.clone()),
                due_on,
                principal: amount,
                interest: zero,
                fee: zero,
                adjusted: zero,
                written_off: false,
                replaced: false,
                since: Some(since),
                draw_id: None,
            });
            self.sort_installments();
        }
        Ok(Applied::Changed)
    }

    /// Adds all of them or, on a refusal, none.
    pub(crate) fn add_installments(
        &mut self,
        new: &[NewInstallment],
        since: Option<DateTime<Utc>>,
    ) -> Result<(), Refusal> {
        within(self.installments.len() + new.len(), MAX_INSTALLMENTS, Refusal::TooManyInstallments)?;
        let mut added: Vec<Installment> = Vec::with_capacity(new.len());
        for one in new {
            check_date("due_on", one.due_on)?;
            let label = Label::Number(one.number);
            if self.installments.iter().chain(&added).any(|other| other.label == label) {
                return Err(Refusal::InstallmentExists(one.number));
            }
            if let Some(id) =
                one.draw_id.as_ref().filter(|id| self.draws.iter().all(|one| one.draw_id != **id))
            {
                return Err(Refusal::UnknownDraw(id.clone()));
            }
            added.push(Installment {
                label,
                due_on: one.due_on,
                principal: not_negative("principal", one.principal, self.currency)?,
                interest: not_negative("interest", one.interest, self.currency)?,
                fee: not_negative("fee", one.fee, self.currency)?,
                adjusted: self.currency.zero(),
                written_off: false,
                replaced: false,
                since,
                draw_id: one.draw_id.clone(),
            });
        }
        let added_total = added.iter().map(Installment::asked_at_most).sum();
        check_total("installments", self.asked_at_most() + added_total)?;
        self.installments.append(&mut added);
        self.sort_installments();
        Ok(())
    }

    fn adjust_installment(&mut self, number: InstallmentNumber, amount: Money) -> Result<Applied, Refusal> {
        let amount = exact("amount", amount, self.currency)?;
        let asked_before = self.asked_at_most();
        let installment = self.installment_mut(number).ok_or(Refusal::UnknownInstallment(number))?;
        let asked = installment.asked();
        if amount > asked {
            return Err(Refusal::AdjustedBeyond { number, amount, asked });
        }
        if amount.is_zero() {
            return Ok(Applied::Unchanged);
        }
        let mut adjusted = installment.clone();
        adjusted.adjusted += amount;
        let others = asked_before - installment.asked_at_most();
        check_total("amount", others + adjusted.asked_at_most())?;
        *installment = adjusted;
        Ok(Applied::Changed)
    }

    fn replace_schedule(&mut self, new: &[NewInstallment], at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let before = self.installments.clone();
        let paid = allocate(self).paid;
        let mut of_draws: HashSet<DrawId> = HashSet::new();
        for (installment, paid) in self.installments.iter_mut().zip(paid) {
            let unpaid = installment.asked() - paid;
            if unpaid.is_positive() {
                of_draws.extend(installment.draw_id.clone());
            }
            installment.adjusted += unpaid;
            installment.replaced = true;
        }
        self.installments.retain(|kept| kept.asked().is_positive());
        // A payment that is known comes before the schedule, even where one instant is given for both.
        let last_received = self.payments.last().map(|payment| payment.received_at);
        let since = last_received.map_or(at, |last| at.max(last + TimeDelta::nanoseconds(1)));
        if let Err(refusal) = self.add_installments(new, Some(since)) {
            self.installments = before;
            return Err(refusal);
        }
        let today = Some(business_date(self.time_zone, at));
        self.schedule_replaced_on = today.max(self.schedule_replaced_on);
        for draw in self.draws.iter_mut().filter(|draw| of_draws.contains(&draw.draw_id)) {
            draw.replaced_on = today.max(draw.replaced_on);
        }
        Ok(Applied::Changed)
    }

    fn start_pause(&mut self, from: NaiveDate, until: NaiveDate) -> Result<Applied, Refusal> {
        check_date("from", from)?;
        check_date("until", until)?;
        if until <= from {
            return Err(Refusal::EmptyPause { from, until });
        }
        if let Some(other) = self.pauses.iter().find(|other| from < other.until && other.from < until) {
            return Err(Refusal::OverlappingPause {
                from,
                until,
                other_from: other.from,
                other_until: other.until,
            });
        }
        if self.pauses.len() >= MAX_PAUSES {
            return Err(Refusal::TooManyPauses);
        }
        let place = self.pauses.partition_point(|other| other.from < from);
        self.pauses.insert(place, Pause { from, until });
        Ok(Applied::Changed)
    }

    fn end_pause(&mut self, on: NaiveDate) -> Result<Applied, Refusal> {
        let place = self
            .pauses
            .iter()
            .position(|pause| pause.from <= on && on < pause.until)
            .ok_or(Refusal::NoPause(on))?;
        if self.pauses[place].from == on {
            self.pauses.remove(place);
        } else {
            self.pauses[place].until = on;
        }
        Ok(Applied::Changed)
    }

    fn write_off(&mut self, number: Option<InstallmentNumber>) -> Result<Applied, Refusal> {
        self.check_known(number)?;
        let paid = allocate(self).paid;
        let mut applied = Applied::Unchanged;
        for (installment, paid) in self.installments.iter_mut().zip(paid) {
            let named = number.is_none() || installment.number() == number;
            if named && !installment.written_off && paid < installment.asked() {
                installment.written_off = true;
                applied = Applied::Changed;
            }
        }
        Ok(applied)
    }

    fn undo_write_off(&mut self, number: Option<InstallmentNumber>) -> Result<Applied, Refusal> {
        self.check_known(number)?;
        let mut applied = Applied::Unchanged;
        for installment in &mut self.installments {
            let named = number.is_none() || installment.number() == number;
            if named && installment.written_off {
                installment.written_off = false;
                applied = Applied::Changed;
            }
        }
        Ok(applied)
    }

    fn record_cause(
        &mut self,
        cause: Cause,
        by: &str,
        reason: &str,
        until: Option<NaiveDate>,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        check_name("by", by)?;
        check_reason(reason)?;
        until.map_or(Ok(()), |until| check_date("until", until))?;
        self.cause = Some(RecordedCause { cause, by: by.to_owned(), reason: reason.to_owned(), at, until });
        Ok(Applied::Changed)
    }

    fn record_score(
        &mut self,
        score: u32,
        by: &str,
        until: Option<NaiveDate>,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        check_name("by", by)?;
        until.map_or(Ok(()), |until| check_date("until", until))?;
        self.score = Some(RecordedScore { score, by: by.to_owned(), at, until });
        Ok(Applied::Changed)
    }

    /// One that follows on another which is still waited for is waited for since then: else
    /// one after the other could hold an account for ever.
    fn await_payment(&mut self, until: NaiveDate, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        check_date("until", until)?;
        let today = business_date(self.time_zone, at);
        if until <= today {
            return Err(Refusal::ProcessOver { until, today });
        }
        let going_on = self.in_process.as_ref().filter(|process| today <= process.until);
        let process = PaymentInProcess { since: going_on.map_or(at, |process| process.since), until };
        let applied =
            if self.in_process.as_ref() == Some(&process) { Applied::Unchanged } else { Applied::Changed };
        self.in_process = Some(process);
        Ok(applied)
    }

    fn end_process(&mut self, at: DateTime<Utc>) -> Applied {
        let today = business_date(self.time_zone, at);
        match &mut self.in_process {
            Some(process) if process.until > today => {
                process.until = today;
                Applied::Changed
            }
            _ => Applied::Unchanged,
        }
    }

    fn note_notice(&mut self, of: &NoticeOf, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        if let NoticeOf::Stage(stage) = of {
            check_name("stage", stage.as_str())?;
        }
        self.keep_notice(Notice { of: of.clone(), planned_at: at, sent_at: Some(at) });
        Ok(Applied::Changed)
    }

    /// Keeps the last notice of each thing that can be announced.
    pub(crate) fn keep_notice(&mut self, notice: Notice) {
        self.notices.retain(|known| known.of != notice.of);
        let excess = (self.notices.len() + 1).saturating_sub(MAX_NOTICES);
        self.notices.drain(..excess);
        self.notices.push(notice);
    }

    /// Notes that a notice which the account had planned left at `at`: once.
    pub fn notice_left(&mut self, of: &NoticeOf, planned_at: DateTime<Utc>, at: DateTime<Utc>) -> Applied {
        let planned = self
            .notices
            .iter_mut()
            .find(|known| &known.of == of && known.planned_at == planned_at && known.sent_at.is_none());
        match planned {
            Some(notice) => {
                notice.sent_at = Some(at);
                Applied::Changed
            }
            None => Applied::Unchanged,
        }
    }

    fn waive_fee(
        &mut self,
        number: Option<InstallmentNumber>,
        amount: Option<Money>,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        self.check_known(number)?;
        let amount = amount.map(|amount| positive("amount", amount, self.currency)).transpose()?;
        within(self.waivers.len() + 1, MAX_WAIVERS, Refusal::TooManyWaivers)?;
        let place = self.waivers.partition_point(|other| other.at <= at);
        self.waivers.insert(place, Waiver { at, number, amount });
        Ok(Applied::Changed)
    }

    fn check_known(&self, number: Option<InstallmentNumber>) -> Result<(), Refusal> {
        match number {
            Some(wanted) if !self.installments.iter().any(|one| one.number() == Some(wanted)) => {
                Err(Refusal::UnknownInstallment(wanted))
            }
            _ => Ok(()),
        }
    }
}

fn check_date(field: &'static str, date: NaiveDate) -> Result<(), Refusal> {
    if is_in_range(date) { Ok(()) } else { Err(Refusal::DateOutOfRange { field, date }) }
}

fn check_reason(text: &str) -> Result<(), Refusal> {
    if text.len() > MAX_REASON_BYTES { Err(Refusal::ReasonTooLong { bytes: text.len() }) } else { Ok(()) }
}

fn check_name(field: &'static str, name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() { Err(Refusal::Unnamed { field }) } else { check_reason(name) }
}

pub(crate) fn within(count: usize, most: usize, otherwise: Refusal) -> Result<(), Refusal> {
    if count <= most { Ok(()) } else { Err(otherwise) }
}

fn check_total(field: &'static str, total: Money) -> Result<(), Refusal> {
    if total.is_readable() { Ok(()) } else { Err(Refusal::TotalTooLarge { field, total }) }
}

pub(crate) fn exact(field: &'static str, amount: Money, currency: Currency) -> Result<Money, Refusal> {
    currency.exact(amount).map_err(|problem| Refusal::TooManyDecimals { field, problem })
}

pub(crate) fn positive(field: &'static str, amount: Money, currency: Currency) -> Result<Money, Refusal> {
    if !amount.is_positive() {
        return Err(Refusal::NotPositive { field, amount });
    }
    exact(field, amount, currency)
}

fn not_negative(field: &'static str, amount: Money, currency: Currency) -> Result<Money, Refusal> {
    if amount.is_negative() {
        return Err(Refusal::Negative { field, amount });
    }
    exact(field, amount, currency)
}

/// A checksum over the terms of a contract.
fn checksum(contract: &Contract) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    let mut add = |field: &dyn std::fmt::Display| hasher.update(format!("{field}\n").as_bytes());
    add(&contract.account_id);
    add(&contract.customer_id);
    add(&contract.policy_id);
    add(&contract.currency);
    add(&contract.time_zone.name());
    add(&contract.opened_on);
    for installment in &contract.installments {
        add(&installment.number);
        add(&installment.due_on);
        for amount in [installment.principal, installment.interest, installment.fee] {
            add(&amount.as_decimal().normalize());
        }
        if let Some(draw_id) = &installment.draw_id {
            add(&format_args!("draw {draw_id}"));
        }
    }
    hasher.finalize()
}
