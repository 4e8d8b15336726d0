//! `apply`: a command becomes a fact of the account, or is refused.
//!
//! [`allocate`](crate::ledger::allocate) derives the allocation from the facts, so payments and reversals may arrive in any order. Two
//! commands act on the amounts paid so far, a new schedule and a write-off: they evaluate the allocation
//! once, when they arrive.

use chrono::{DateTime, Utc};

use super::check::{check_date, check_reason};
use super::command::Command;
use crate::account::Account;
use crate::kernel::Refusal;

/// The effect of a command that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The account holds a new fact.
    Changed,
    /// The account knew the fact already, or the command changes nothing.
    Unchanged,
}

impl Account {
    /// Applies a command that became known at `at`.
    ///
    /// # Errors
    /// A [`Refusal`]; the account is then unchanged.
    pub fn apply(&mut self, command: &Command, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        // Later dates have no local date in some zones.
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
            Command::PromiseMade { promise_id, amount, until } => {
                self.promise(promise_id, *amount, *until, at)
            }
            Command::PromiseEnded { promise_id, outcome } => self.end_promise(promise_id, *outcome, at),
            Command::DisputeOpened { dispute_id, reason } => self.open_dispute(dispute_id, reason, at),
            Command::DisputeClosed { dispute_id, outcome } => self.close_dispute(dispute_id, *outcome, at),
            Command::BureauReported => Ok(self.record_bureau_report(at)),
            Command::ContactChanged(change) => change.check().map(|()| Applied::Unchanged),
            Command::Contact(fact) => self.apply_contact_fact(fact, at),
        }
    }
}
