//! Installments added, adjusted and replaced by a new schedule.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::apply::Applied;
use super::check::{check_date, check_total, exact, not_negative, within};
use super::command::NewInstallment;
use crate::account::{Account, Installment, InstallmentLabel};
use crate::kernel::{DrawId, InstallmentNumber, MAX_INSTALLMENTS, Money, Refusal, business_date};
use crate::ledger::allocate;

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

    pub(crate) fn adjust_installment(
        &mut self,
        number: InstallmentNumber,
        amount: Money,
    ) -> Result<Applied, Refusal> {
        let amount = exact("amount", amount, self.currency)?;
        let asked_before = self.largest_amount_due();
        let installment = self.installment_mut(number).ok_or(Refusal::UnknownInstallment(number))?;
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

    pub(crate) fn replace_schedule(
        &mut self,
        new: &[NewInstallment],
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        let before = self.installments.clone();
        let paid = allocate(self).paid;
        let mut of_draws: HashSet<DrawId> = HashSet::new();
        for (installment, paid) in self.installments.iter_mut().zip(paid) {
            let unpaid = installment.amount_due() - paid;
            if unpaid.is_positive() {
                of_draws.extend(installment.draw_id.clone());
            }
            installment.adjusted += unpaid;
            installment.replaced = true;
        }
        self.installments.retain(|kept| kept.amount_due().is_positive());
        // A known payment precedes the schedule, even where both bear one instant.
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
}
