//! Draws on a revolving line, each with its plan of installments.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use super::check::{exact, positive, within};
use super::contract::NewInstallment;
use super::definition::{CommandDefinition, command};
use crate::account::{Account, Draw};
use crate::kernel::{Currency, DrawId, MAX_DRAWS, MAX_INSTALLMENTS, Money, Refusal};

command! {
    /// A draw on a revolving line, with the installments that repay it. The same draw again changes nothing.
    pub struct Drawn as "drawn" {
        /// Unique within the account.
        pub draw_id: DrawId,
        /// Equals the principal of the installments.
        pub amount: Money,
        /// None: the account's currency.
        pub currency: Option<Currency>,
        pub installments: Vec<NewInstallment>,
    }
    example: r#"{
        "draw_id": "D-1", "amount": "300.00", "currency": "CNY",
        "installments": [
            { "number": 11, "due_on": "2023-11-01", "principal": "150.00", "interest": "1.50" },
            { "number": 12, "due_on": "2023-12-01", "principal": "150.00", "draw_id": "D-1" }
        ]
    }"#
}

/// Adds a draw and its plan or, on a refusal, neither.
impl CommandDefinition for Drawn {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let amount = positive("amount", self.amount, account.currency)?;
        let currency = self.currency.unwrap_or(account.currency);
        if currency != account.currency {
            return Err(Refusal::OtherCurrency { what: "draw", given: currency, account: account.currency });
        }
        let plan = plan_checksum(&self.installments);
        if let Some(known) = account.draws.iter().find(|known| known.draw_id == self.draw_id) {
            return if (known.amount, known.plan) == (amount, plan) {
                Ok(Applied::Unchanged)
            } else {
                let what = if known.amount == amount { "plan" } else { "amount" };
                Err(Refusal::DrawDiffers { draw_id: self.draw_id.clone(), what })
            };
        }
        let installments = account.installments.len() + self.installments.len();
        within(installments, MAX_INSTALLMENTS, Refusal::TooManyInstallments)?;
        let is_other = |one: &&NewInstallment| one.draw_id.as_ref().is_some_and(|id| *id != self.draw_id);
        if let Some(other) = self.installments.iter().find(is_other) {
            return Err(Refusal::InstallmentOfAnotherDraw { number: other.number });
        }
        let principal: Money = self.installments.iter().map(|one| one.principal).sum();
        if principal != amount {
            return Err(Refusal::DrawDoesNotAddUp { amount, principal });
        }
        let mut installments = self.installments.clone();
        for one in &mut installments {
            one.draw_id = Some(self.draw_id.clone());
        }
        let draw_id = self.draw_id.clone();
        account.keep_draw(Draw { draw_id, amount, drawn_at: Some(at), replaced_on: None, plan })?;
        account.add_installments(&installments, None).inspect_err(|_| {
            account.draws.pop();
        })?;
        Ok(Applied::Changed)
    }
}

impl Account {
    /// Adds the draws that the installments of a portfolio file's line name.
    pub(crate) fn take_over_draws(&mut self, installments: &[NewInstallment]) -> Result<(), Refusal> {
        let mut plans: Vec<(&DrawId, Vec<NewInstallment>)> = Vec::new();
        for (one, draw_id) in installments.iter().filter_map(|one| Some((one, one.draw_id.as_ref()?))) {
            match plans.iter_mut().find(|(known, _)| *known == draw_id) {
                Some((_, plan)) => plan.push(one.clone()),
                None => plans.push((draw_id, vec![one.clone()])),
            }
            within(plans.len(), MAX_DRAWS, Refusal::TooManyDraws)?;
        }
        for (draw_id, plan) in plans {
            let amount = exact("principal", plan.iter().map(|one| one.principal).sum(), self.currency)?;
            let (draw_id, plan) = (draw_id.clone(), plan_checksum(&plan));
            self.keep_draw(Draw { draw_id, amount, drawn_at: None, replaced_on: None, plan })?;
        }
        Ok(())
    }

    fn keep_draw(&mut self, draw: Draw) -> Result<(), Refusal> {
        within(self.draws.len() + 1, MAX_DRAWS, Refusal::TooManyDraws)?;
        self.draws.push(draw);
        Ok(())
    }
}

/// A checksum over a plan, whatever the order of its installments.
fn plan_checksum(installments: &[NewInstallment]) -> u32 {
    let mut by_number: Vec<&NewInstallment> = installments.iter().collect();
    by_number.sort_by_key(|one| one.number);
    let mut hasher = crc32fast::Hasher::new();
    for one in by_number {
        let [principal, interest, fee] =
            [one.principal, one.interest, one.fee].map(|amount| amount.as_decimal().normalize());
        let line = format!("{} {} {principal} {interest} {fee}\n", one.number, one.due_on);
        hasher.update(line.as_bytes());
    }
    hasher.finalize()
}
