//! `assess`: what a policy says of an account at an instant.
//!
//! While no fact changes, every figure only grows. Each stage therefore has one
//! day from which it holds, and the whole future of an account is a short
//! timetable: the standing at any instant, and the next instant at which it can
//! change, are look-ups in it. Nothing is stepped day by day.

use chrono::{DateTime, NaiveDate, Utc};

use crate::account::Account;
use crate::allocation::{Allocation, owed};
use crate::days::plus_days;
use crate::figures::{Figures, after_unpaused_days, past_due_from};
use crate::policy::{Policy, Restriction, Stage, When};
use crate::reason::{Reason, reasons};
use crate::reminder::{Intent, plan};

/// What a policy says of an account at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment<'p> {
    /// The day that is judged.
    pub day: NaiveDate,
    /// The figures of that day.
    pub figures: Figures,
    /// The most severe stage that holds; none: `current`.
    pub stage: Option<&'p Stage>,
    /// The first day on which that stage holds; none: `current`.
    pub held_from: Option<NaiveDate>,
    /// Why it is that stage.
    pub reasons: Vec<Reason>,
    /// Whom to contact now, if the gate agrees.
    pub intents: Vec<Intent>,
    /// The earliest instant at which any of this could change by itself.
    pub next_action_at: Option<DateTime<Utc>>,
}

impl<'p> Assessment<'p> {
    /// What the account may not do.
    #[must_use]
    pub fn restrictions(&self) -> &'p [Restriction] {
        self.stage.map_or(&[], |stage| &stage.restrictions)
    }

    /// The stage's name.
    #[must_use]
    pub fn stage_name(&self) -> &'p str {
        self.stage.map_or("current", |stage| stage.name.as_str())
    }
}

/// Judges an account at `now`.
#[must_use]
pub fn assess<'p>(account: &Account, policy: &'p Policy, now: DateTime<Utc>) -> Assessment<'p> {
    let allocation = owed(account, policy);
    let day = policy.day_count.judged_day(account.time_zone, now);
    let figures = Figures::on(day, account, &allocation, policy);
    let outlook = outlook(account, &allocation, policy, day);
    let reminders = plan(account, &allocation, policy, now, &outlook);
    let next_stage_at = outlook.changes_on.map(|day| policy.day_count.begin(account.time_zone, day));
    Assessment {
        day,
        reasons: reasons(account, &figures, outlook.stage),
        figures,
        stage: outlook.stage,
        held_from: outlook.held_from,
        intents: reminders.due,
        next_action_at: earlier(next_stage_at, reminders.next_at),
    }
}

/// Where an account stands on the ladder on a day, and when that next changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outlook<'p> {
    pub(crate) stage: Option<&'p Stage>,
    pub(crate) held_from: Option<NaiveDate>,
    pub(crate) changes_on: Option<NaiveDate>,
}

pub(crate) fn outlook<'p>(
    account: &Account,
    allocation: &Allocation,
    policy: &'p Policy,
    day: NaiveDate,
) -> Outlook<'p> {
    let mut changes_on = None;
    if account.is_enforced() {
        for stage in policy.stages.iter().rev() {
            match holds_from(&stage.when, account, allocation, policy) {
                Some(from) if from <= day => {
                    return Outlook { stage: Some(stage), held_from: Some(from), changes_on };
                }
                from => changes_on = earlier(changes_on, from),
            }
        }
    }
    Outlook { stage: None, held_from: None, changes_on }
}

pub(crate) fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The first day on which all the conditions hold, if the facts stay as they are.
fn holds_from(when: &When, account: &Account, allocation: &Allocation, policy: &Policy) -> Option<NaiveDate> {
    let oldest = allocation.unpaid.first()?.due_on;
    let on_due_date = policy.day_count.on_due_date();
    let mut from = past_due_from(policy.day_count, oldest);
    if let Some(days) = when.days_past_due {
        from = from.max(plus_days(oldest, i64::from(days) - on_due_date));
    }
    if let Some(days) = when.delinquent_days.filter(|days| *days > 0) {
        let unpaused = i64::from(days) + i64::from(policy.grace_days) - on_due_date;
        from = from.max(after_unpaused_days(&account.pauses, oldest, unpaused));
    }
    if when.overdue_amount.is_some() || when.overdue_share.is_some() || when.unpaid_installments.is_some() {
        from = from.max(enough_overdue_from(when, account, allocation, policy)?);
    }
    Some(from)
}

/// The first day on which enough is past due.
fn enough_overdue_from(
    when: &When,
    account: &Account,
    allocation: &Allocation,
    policy: &Policy,
) -> Option<NaiveDate> {
    if let Some(ledger) = &allocation.ledger {
        return ledger.first_day(&allocation.unpaid, policy.day_count, account.currency, |owed| {
            let (overdue, outstanding) = (owed.overdue.as_decimal(), owed.outstanding.as_decimal());
            let share = when.overdue_share.and_then(|share| share.checked_mul(outstanding));
            when.overdue_amount.is_none_or(|least| owed.overdue >= least)
                && share.is_none_or(|least| overdue >= least)
                && when.unpaid_installments.is_none_or(|least| owed.unpaid_installments >= least)
        });
    }
    let mut overdue = rust_decimal::Decimal::ZERO;
    let share = when.overdue_share.and_then(|share| share.checked_mul(allocation.outstanding.as_decimal()));
    for (place, unpaid) in allocation.unpaid.iter().enumerate() {
        overdue += unpaid.amount.as_decimal();
        let enough = when.overdue_amount.is_none_or(|least| overdue >= least.as_decimal())
            && share.is_none_or(|least| overdue >= least)
            && when.unpaid_installments.is_none_or(|least| place as u64 + 1 >= u64::from(least));
        if enough {
            return Some(past_due_from(policy.day_count, unpaid.due_on));
        }
    }
    None
}
