//! The repayment plan of each draw on a revolving line (S4.2).
//!
//! The account is one agreement and is judged as one: money settles its installments by the
//! waterfall, whichever draw they repay.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::account::{Account, Draw, Installment};
use crate::kernel::{DrawId, Money, past_due_from};
use crate::ledger::owed;
use crate::policy::Policy;

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
