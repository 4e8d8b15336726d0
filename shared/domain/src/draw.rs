//! Draws on a revolving line: each gets a plan of its own, with its own dates (S4.2).
//!
//! The account is one agreement and is judged as one: money settles its installments by the
//! waterfall, whichever draw they are part of. A draw says what was taken, and which of the
//! installments pay it back.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::account::{Account, Installment, MAX_INSTALLMENTS};
use crate::allocation::owed;
use crate::apply::{Applied, exact, positive, within};
use crate::command::{Drawn, NewInstallment};
use crate::figures::past_due_from;
use crate::ids::DrawId;
use crate::money::Money;
use crate::policy::Policy;
use crate::refusal::Refusal;

/// The most draws an account may hold: three a month for five years and more.
pub const MAX_DRAWS: usize = 200;

/// Money that was taken on a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// Unique within the account.
    pub draw_id: DrawId,
    /// How much was taken: the principal of its plan.
    pub amount: Money,
    /// When it became known; none: it came with the book, which does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn_at: Option<DateTime<Utc>>,
    /// When a new schedule last took what was unpaid of its plan away, by the local date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_on: Option<NaiveDate>,
    /// Of its first plan, to know that again.
    #[serde(rename = "crc")]
    pub(crate) plan: u32,
}

/// Where the plan of a draw stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawState {
    /// Something of it is past due.
    Overdue,
    /// Something of it is due later.
    Open,
    /// Nothing of it is left to pay.
    Settled,
    /// What is unpaid of it is written off.
    WrittenOff,
    /// What was unpaid of it went, and the schedule that came names it nowhere.
    Replaced,
}

impl DrawState {
    /// The state in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Open => "open",
            Self::Settled => "settled",
            Self::WrittenOff => "written off",
            Self::Replaced => "replaced by a new schedule",
        }
    }
}

/// A draw and what has become of its plan, on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawPlan<'a> {
    /// The draw.
    pub draw: &'a Draw,
    /// How many installments its plan has.
    pub installments: u32,
    /// What is paid of them.
    pub paid: Money,
    /// What is unpaid of them, due or not, with the late fee of that day.
    pub open: Money,
    /// What of that is past due.
    pub overdue: Money,
    /// The due date of the oldest of them that is past due.
    pub oldest_due_on: Option<NaiveDate>,
    /// The due date of the next of them that is to be paid.
    pub next_due_on: Option<NaiveDate>,
    /// Where it stands.
    pub state: DrawState,
}

impl<'a> DrawPlan<'a> {
    fn of(draw: &'a Draw, zero: Money) -> Self {
        // Until one of the installments says otherwise.
        let state = if draw.replaced_on.is_some() { DrawState::Replaced } else { DrawState::Settled };
        Self {
            draw,
            installments: 0,
            paid: zero,
            open: zero,
            overdue: zero,
            oldest_due_on: None,
            next_due_on: None,
            state,
        }
    }

    fn count(&mut self, installment: &Installment, paid: Money) {
        self.installments += 1;
        self.paid += paid;
        let state = if installment.written_off && paid < installment.asked() {
            DrawState::WrittenOff
        } else if installment.replaced {
            return;
        } else {
            DrawState::Settled
        };
        if self.state != DrawState::WrittenOff {
            self.state = state;
        }
    }

    /// Counts what is open of an installment that is due on a date; by due date.
    fn count_open(&mut self, open: Money, due_on: NaiveDate, is_past_due: bool) {
        self.open += open;
        if is_past_due {
            self.overdue += open;
            self.oldest_due_on = self.oldest_due_on.or(Some(due_on));
            self.state = DrawState::Overdue;
        } else {
            self.next_due_on = self.next_due_on.or(Some(due_on));
            if self.state != DrawState::Overdue {
                self.state = DrawState::Open;
            }
        }
    }
}

/// The plans of an account's draws on `day`, which the policy's day count has let begin, in
/// the order in which they were drawn.
#[must_use]
pub fn draw_plans<'a>(account: &'a Account, policy: &Policy, day: NaiveDate) -> Vec<DrawPlan<'a>> {
    let mut plans: Vec<DrawPlan<'a>> =
        account.draws.iter().map(|draw| DrawPlan::of(draw, account.currency.zero())).collect();
    if plans.is_empty() {
        return plans;
    }
    let places: HashMap<&DrawId, usize> =
        account.draws.iter().enumerate().map(|(place, draw)| (&draw.draw_id, place)).collect();
    let place_of = |one: &Installment| one.draw_id.as_ref().and_then(|id| places.get(id)).copied();
    let allocation = owed(account, policy);
    for (installment, paid) in account.installments.iter().zip(&allocation.paid) {
        if let Some(plan) = place_of(installment).and_then(|place| plans.get_mut(place)) {
            plan.count(installment, *paid);
        }
    }
    for unpaid in &allocation.unpaid {
        let place = account.installments.get(unpaid.place).and_then(place_of);
        let Some(plan) = place.and_then(|place| plans.get_mut(place)) else { continue };
        let open = allocation.open_components(unpaid, day, account, policy);
        let open = open.iter().fold(account.currency.zero(), |sum, (_, amount)| sum + *amount);
        plan.count_open(open, unpaid.due_on, past_due_from(policy.day_count, unpaid.due_on) <= day);
    }
    plans
}

impl Account {
    /// Its draws, in the order in which they became known.
    #[must_use]
    pub fn draws(&self) -> &[Draw] {
        &self.draws
    }

    /// Takes a draw and its plan: both, or, on a refusal, neither.
    pub(crate) fn draw(&mut self, drawn: &Drawn, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let amount = positive("amount", drawn.amount, self.currency)?;
        let currency = drawn.currency.unwrap_or(self.currency);
        if currency != self.currency {
            return Err(Refusal::OtherCurrency { what: "draw", given: currency, account: self.currency });
        }
        let plan = plan_checksum(&drawn.installments);
        if let Some(known) = self.draws.iter().find(|known| known.draw_id == drawn.draw_id) {
            return if (known.amount, known.plan) == (amount, plan) {
                Ok(Applied::Unchanged)
            } else {
                let what = if known.amount == amount { "plan" } else { "amount" };
                Err(Refusal::DrawDiffers { draw_id: drawn.draw_id.clone(), what })
            };
        }
        let installments = self.installments.len() + drawn.installments.len();
        within(installments, MAX_INSTALLMENTS, Refusal::TooManyInstallments)?;
        let is_other = |one: &&NewInstallment| one.draw_id.as_ref().is_some_and(|id| *id != drawn.draw_id);
        if let Some(other) = drawn.installments.iter().find(is_other) {
            return Err(Refusal::InstallmentOfAnotherDraw { number: other.number });
        }
        let principal: Money = drawn.installments.iter().map(|one| one.principal).sum();
        if principal != amount {
            return Err(Refusal::DrawDoesNotAddUp { amount, principal });
        }
        let mut installments = drawn.installments.clone();
        for one in &mut installments {
            one.draw_id = Some(drawn.draw_id.clone());
        }
        let draw_id = drawn.draw_id.clone();
        self.keep_draw(Draw { draw_id, amount, drawn_at: Some(at), replaced_on: None, plan })?;
        self.add_installments(&installments, None).inspect_err(|_| {
            self.draws.pop();
        })?;
        Ok(Applied::Changed)
    }

    /// Keeps the draws that the installments of a book's line name.
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

/// A checksum over a plan, in whatever order its installments come.
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
