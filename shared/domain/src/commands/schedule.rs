//! Installments added, adjusted and replaced by a new schedule.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::apply::Applied;
use super::check::{check_date, check_reason, check_total, exact, not_negative, unfit, within};
use super::contract::NewInstallment;
use super::definition::{CommandDefinition, command};
use crate::account::{
    Account, AccruedFee, Installment, InstallmentHold, InstallmentLabel, NewSchedule, ScheduleKind,
};
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
        /// None: not stated. It counts as forbearance.
        pub kind: Option<ScheduleKind>,
        /// What becomes of the late fee that has accrued and is unpaid; none: it goes with the schedule.
        pub accrued_fee: Option<AccruedFee> ,
    }
    example: r#"{
        "installments": [{ "number": 9, "due_on": "2024-01-01", "principal": "500.00" }],
        "reason": "a longer term", "kind": "forbearance", "accrued_fee": "keep"
    }"#
}

command! {
    /// A hold on one installment: its days and amounts are left out of stages and reminders until it is released.
    pub struct InstallmentHeld as "installment_held" {
        pub number: InstallmentNumber,
        pub reason: Option<String>,
    }
    example: r#"{ "number": 1, "reason": "the goods are disputed" }"#
}

command! {
    /// The end of a hold on an installment.
    pub struct InstallmentReleased as "installment_released" {
        pub number: InstallmentNumber,
        pub reason: Option<String>,
    }
    example: r#"{ "number": 1, "reason": "the goods were delivered" }"#
}

impl CommandDefinition for InstallmentAdded {
    fn apply(&self, account: &mut Account, _at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let installment = std::slice::from_ref(&self.installment);
        account.add_installments(installment, None).map_err(Refusal::of_the_only_installment)?;
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
    fn apply_under(
        &self,
        account: &mut Account,
        at: DateTime<Utc>,
        timeline: Option<&Timeline<'_>>,
    ) -> Result<Applied, Refusal> {
        let settlement = Settlement::of(account, timeline, at);
        let open_fees = settlement.open_late_fees();
        let late_fee: Money = open_fees.iter().map(|(_, fee)| *fee).sum();
        let becomes = |it: AccruedFee| self.accrued_fee == Some(it) && late_fee.is_positive();
        let mut installments = Cow::Borrowed(self.installments.as_slice());
        if becomes(AccruedFee::Move) {
            let first = installments.to_mut().iter_mut().min_by_key(|one| (one.due_on, one.number));
            let Some(first) = first else {
                return unfit("accrued_fee", "there is no new installment to move the late fee to");
            };
            first.fee += late_fee;
        }
        let kept_due_on = open_fees.iter().map(|(place, _)| account.installments[*place].due_on).min();
        let before = account.installments.clone();
        let of_draws = account.keep_paid_parts(&settlement);
        // A known payment precedes the schedule, even where both bear one instant.
        let last_received = account.payments.last().map(|payment| payment.received_at);
        let since = last_received.map_or(at, |last| at.max(last + TimeDelta::nanoseconds(1)));
        let mut added = account.add_installments(&installments, Some(since));
        let today = business_date(account.time_zone, at);
        if let Some(due_on) = kept_due_on.filter(|_| becomes(AccruedFee::Keep) && added.is_ok()) {
            added = account.keep_late_fee(late_fee, due_on, today, since);
        }
        if let Err(refusal) = added {
            account.installments = before;
            return Err(refusal);
        }
        if matches!(self.kind, None | Some(ScheduleKind::Forbearance)) {
            account.forborne_on = account.forborne_on.max(Some(today));
        }
        let on = account.schedule_replaced_on().map_or(today, |before| before.max(today));
        let (kind, accrued_fee) = (self.kind, self.accrued_fee);
        account.new_schedule = Some(NewSchedule { on, kind, accrued_fee, late_fee, after: account.revision });
        for draw in account.draws.iter_mut().filter(|draw| of_draws.contains(&draw.draw_id)) {
            draw.replaced_on = draw.replaced_on.max(Some(today));
        }
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for InstallmentHeld {
    fn check(&self) -> Result<(), Refusal> {
        self.reason.as_deref().map_or(Ok(()), check_reason)
    }

    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let installment =
            account.installment_mut(self.number).ok_or(Refusal::UnknownInstallment(self.number))?;
        if installment.hold.is_some() {
            return Ok(Applied::Unchanged);
        }
        installment.hold = Some(InstallmentHold { since: at, reason: self.reason.clone() });
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for InstallmentReleased {
    fn apply(&self, account: &mut Account, _at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let installment =
            account.installment_mut(self.number).ok_or(Refusal::UnknownInstallment(self.number))?;
        Ok(if installment.hold.take().is_some() { Applied::Changed } else { Applied::Unchanged })
    }
}

impl Account {
    /// Leaves of each installment what is paid, and drops those of which nothing is. Returns the draws of which
    /// something was unpaid.
    fn keep_paid_parts(&mut self, settlement: &Settlement) -> HashSet<DrawId> {
        let mut of_draws: HashSet<DrawId> = HashSet::new();
        for (place, installment) in self.installments.iter_mut().enumerate() {
            let paid = settlement.paid(place);
            let unpaid = installment.amount_due() - paid.own;
            if unpaid.is_positive() {
                of_draws.extend(installment.draw_id.clone());
            }
            // A late fee that was paid stays paid: the installment keeps it as a part of its own.
            installment.adjusted += unpaid - paid.late_fee;
            installment.replaced = true;
            installment.kept_late_fee = self.currency.zero();
        }
        self.installments.retain(|kept| kept.amount_due().is_positive());
        of_draws
    }

    /// Adds the late fees that stay owed after a new schedule as an installment of their own.
    fn keep_late_fee(
        &mut self,
        late_fee: Money,
        due_on: NaiveDate,
        today: NaiveDate,
        since: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        within(self.installments.len() + 1, MAX_INSTALLMENTS, Refusal::TooManyInstallments)?;
        self.installments.push(Installment {
            since: Some(since),
            kept_late_fee: late_fee,
            ..Installment::of_principal(InstallmentLabel::LateFees(today), due_on, self.currency.zero())
        });
        self.sort_installments();
        Ok(())
    }

    /// Adds all installments or, on a refusal, none.
    pub(crate) fn add_installments(
        &mut self,
        new: &[NewInstallment],
        since: Option<DateTime<Utc>>,
    ) -> Result<(), Refusal> {
        within(self.installments.len() + new.len(), MAX_INSTALLMENTS, Refusal::TooManyInstallments)?;
        let mut added: Vec<Installment> = Vec::with_capacity(new.len());
        for (place, one) in new.iter().enumerate() {
            let is_there =
                self.installments.iter().chain(&added).any(|other| other.number() == Some(one.number));
            let installment = match self.installment_of(one, since) {
                Ok(_) if is_there => Err(Refusal::InstallmentExists(one.number)),
                checked => checked,
            };
            let within_list = |refusal| Refusal::OfInstallment { place, refusal: Box::new(refusal) };
            added.push(installment.map_err(within_list)?);
        }
        let added_total = added.iter().map(Installment::largest_amount_due).sum();
        check_total("installments", self.largest_amount_due() + added_total)?;
        self.installments.append(&mut added);
        self.sort_installments();
        Ok(())
    }

    fn installment_of(
        &self,
        stated: &NewInstallment,
        since: Option<DateTime<Utc>>,
    ) -> Result<Installment, Refusal> {
        check_date("due_on", stated.due_on)?;
        if let Some(id) =
            stated.draw_id.as_ref().filter(|id| self.draws.iter().all(|one| one.draw_id != **id))
        {
            return Err(Refusal::UnknownDraw(id.clone()));
        }
        let principal = not_negative("principal", stated.principal, self.currency)?;
        let label = InstallmentLabel::Number(stated.number);
        Ok(Installment {
            interest: not_negative("interest", stated.interest, self.currency)?,
            fee: not_negative("fee", stated.fee, self.currency)?,
            since,
            draw_id: stated.draw_id.clone(),
            ..Installment::of_principal(label, stated.due_on, principal)
        })
    }
}
