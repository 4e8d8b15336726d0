//! The repayment plan of each draw on a revolving line (S4.2).
//!
//! The account is one agreement and is assessed as one: the waterfall allocates money to its installments,
//! whichever draw they repay.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::account::{Account, Draw, Installment};
use crate::kernel::{DrawId, Money, past_due_from};
use crate::ledger::allocate_at;
use crate::policy::Timeline;

/// The state of a draw's repayment plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawState {
    /// A balance of the plan is past due.
    Overdue,
    /// A balance of the plan is due later.
    Open,
    /// No balance is left.
    Settled,
    /// The unpaid part is written off.
    WrittenOff,
    /// The unpaid part was removed, and the new schedule names the draw nowhere.
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

/// A draw with its repayment plan's amounts and state on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawPlan<'a> {
    pub draw: &'a Draw,
    /// Number of installments in the plan.
    pub installments: u32,
    /// Paid amount of the plan's installments.
    pub paid: Money,
    /// Balance of the plan's installments, due or not, with the late fee of that day.
    pub open: Money,
    /// The part of `open` that is past due.
    pub overdue: Money,
    /// The due date of the plan's oldest open installment past due.
    pub oldest_due_on: Option<NaiveDate>,
    /// The due date of the plan's next installment to pay.
    pub next_due_on: Option<NaiveDate>,
    pub state: DrawState,
}

impl<'a> DrawPlan<'a> {
    fn of(draw: &'a Draw, zero: Money) -> Self {
        // Until an installment of the plan sets another state.
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
        let state = if installment.written_off && paid < installment.amount_due() {
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

    /// Counts the open amount of an installment; called in the order of due dates.
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

/// The plans of an account's draws on `day`, a day that has begun under the policy's day count, in the order
/// in which they were drawn.
#[must_use]
pub fn draw_plans<'a, 'p>(
    account: &'a Account,
    timeline: impl Into<Timeline<'p>>,
    day: NaiveDate,
) -> Vec<DrawPlan<'a>> {
    let timeline = timeline.into();
    let policy = timeline.current();
    let mut plans: Vec<DrawPlan<'a>> =
        account.draws.iter().map(|draw| DrawPlan::of(draw, account.currency.zero())).collect();
    if plans.is_empty() {
        return plans;
    }
    let places: HashMap<&DrawId, usize> =
        account.draws.iter().enumerate().map(|(place, draw)| (&draw.draw_id, place)).collect();
    let place_of = |one: &Installment| one.draw_id.as_ref().and_then(|id| places.get(id)).copied();
    let allocation = allocate_at(account, &timeline);
    for (installment, paid) in account.installments.iter().zip(&allocation.paid) {
        if let Some(plan) = place_of(installment).and_then(|place| plans.get_mut(place)) {
            plan.count(installment, *paid);
        }
    }
    for open_installment in &allocation.shown_installments(account.currency) {
        let place = account.installments.get(open_installment.place).and_then(place_of);
        let Some(plan) = place.and_then(|place| plans.get_mut(place)) else { continue };
        let open = allocation.open_components(open_installment, day, account, policy);
        let open = open.iter().fold(account.currency.zero(), |sum, (_, amount)| sum + *amount);
        if open.is_zero() {
            continue;
        }
        plan.count_open(
            open,
            open_installment.due_on,
            past_due_from(policy.day_count, open_installment.due_on) <= day,
        );
    }
    plans
}
