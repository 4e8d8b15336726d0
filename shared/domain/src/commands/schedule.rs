//! Installments added, adjusted and replaced by a new schedule.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::apply::Applied;
use super::check::{check_date, check_total, exact, not_negative, within};
use super::contract::NewInstallment;
use super::definition::{CommandDefinition, command};
use crate::account::{Account, Installment, InstallmentLabel};
use crate::kernel::{DrawId, InstallmentNumber, MAX_INSTALLMENTS, Money, Refusal, business_date};
use crate::ledger::Settlement;
use crate::policy::Timeline;

command! {
    /// One more installment.
    pub struct InstallmentAdded as "installment_added" {
        pub installment: NewInstallment,
    }
    example: r#"{ "installment": { "number": 2, "due_on": "2023-11-01", "principal": "250.00" } }"#
}

command! {
    /// A change of the amount due of an installment.
    pub struct InstallmentAdjusted as "installment_adjusted" {
        pub number: InstallmentNumber,
        /// Positive: lowers the amount due. Negative: raises it.
        pub amount: Money,
        pub reason: String,
    }
    example: r#"{ "number": 1, "amount": "10.00", "reason": "agreed" }"#
}

command! {
    /// A new schedule. Parts that are paid stay paid; unpaid parts go.
    pub struct ScheduleReplaced as "schedule_replaced" {
        /// The installments due from now on.
        pub installments: Vec<NewInstallment>,
        pub reason: String,
    }
    example: r#"{
        "installments": [{ "number": 9, "due_on": "2024-01-01", "principal": "500.00" }],
        "reason": "a longer term"
    }"#
}

impl CommandDefinition for InstallmentAdded {
    fn apply(&self, account: &mut Account, _at: DateTime<Utc>) -> Result<Applied, Refusal> {
        account.add_installments(std::slice::from_ref(&self.installment), None)?;
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for InstallmentAdjusted {
    fn apply(&self, account: &mut Account, _at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let number = self.number;
        let amount = exact("amount", self.amount, account.currency)?;
        let asked_before = account.largest_amount_due();
        let installment = account.installment_mut(number).ok_or(Refusal::UnknownInstallment(number))?;
        let asked = installment.amount_due();
        if amount > asked {
            return Err(Refusal::AdjustedBeyond { number, amount, amount_due: asked });
        }
        if amount.is_zero() {
            return Ok(Applied::Unchanged);
        }
        let mut adjusted = installment.clone();
        adjusted.adjusted += amount;
        let others = asked_before - installment.largest_amount_due();
        check_total("amount", others + adjusted.largest_amount_due())?;
        *installment = adjusted;
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for ScheduleReplaced {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        self.apply_under(account, at, None)
    }

    fn apply_under(
        &self,
        account: &mut Account,
        at: DateTime<Utc>,
        timeline: Option<&Timeline<'_>>,
    ) -> Result<Applied, Refusal> {
        let before = account.installments.clone();
        let settlement = Settlement::of(account, timeline, at);
        let mut of_draws: HashSet<DrawId> = HashSet::new();
        for (place, installment) in account.installments.iter_mut().enumerate() {
            let paid = settlement.paid(place);
            let unpaid = installment.amount_due() - paid.own;
            if unpaid.is_positive() {
                of_draws.extend(installment.draw_id.clone());
            }
            // A late fee that was paid stays paid: the installment keeps it as a part of its own.
            installment.adjusted += unpaid - paid.late_fee;
            installment.replaced = true;
        }
        account.installments.retain(|kept| kept.amount_due().is_positive());
        // A known payment precedes the schedule, even where both bear one instant.
        let last_received = account.payments.last().map(|payment| payment.received_at);
        let since = last_received.map_or(at, |last| at.max(last + TimeDelta::nanoseconds(1)));
        if let Err(refusal) = account.add_installments(&self.installments, Some(since)) {
            account.installments = before;
            return Err(refusal);
        }
        let today = Some(business_date(account.time_zone, at));
        account.schedule_replaced_on = today.max(account.schedule_replaced_on);
        for draw in account.draws.iter_mut().filter(|draw| of_draws.contains(&draw.draw_id)) {
            draw.replaced_on = today.max(draw.replaced_on);
        }
        Ok(Applied::Changed)
    }
}

impl Account {
    /// Adds all installments or, on a refusal, none.
    pub(crate) fn add_installments(
        &mut self,
        new: &[NewInstallment],
        since: Option<DateTime<Utc>>,
    ) -> Result<(), Refusal> {
        within(self.installments.len() + new.len(), MAX_INSTALLMENTS, Refusal::TooManyInstallments)?;
        let mut added: Vec<Installment> = Vec::with_capacity(new.len());
        for one in new {
            check_date("due_on", one.due_on)?;
            let label = InstallmentLabel::Number(one.number);
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
        let added_total = added.iter().map(Installment::largest_amount_due).sum();
        check_total("installments", self.largest_amount_due() + added_total)?;
        self.installments.append(&mut added);
        self.sort_installments();
        Ok(())
    }
}
