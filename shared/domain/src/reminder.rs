//! Planning: which reminders an account owes its borrower.
//!
//! A reminder is owed from its planned instant on, however late somebody looks.
//! Several that were missed become one a channel, which says how many it stands
//! for; one whose reason has gone is not owed any more.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::account::{Account, Label};
use crate::allocation::{Allocation, Unpaid};
use crate::assess::Outlook;
use crate::days::{at_local_time, business_date, plus_days};
use crate::figures::past_due_from;
use crate::policy::{Channel, Policy, ReminderStep, Reminders};

/// A wish to contact the borrower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// How it is to travel.
    pub channel: Channel,
    /// Which text it is to bear.
    pub template: String,
    /// What it is about.
    pub installment: Label,
    /// When that is or was due.
    pub due_on: NaiveDate,
    /// When it was to leave.
    pub planned_at: DateTime<Utc>,
    /// How many earlier ones it stands for, which were missed.
    pub missed: u32,
}

impl Intent {
    /// Whether it announces a due date that has passed by `now`: it would say nothing true
    /// any more.
    #[must_use]
    pub fn has_passed(&self, account: &Account, policy: &Policy, now: DateTime<Utc>) -> bool {
        let past_due_on = past_due_from(policy.day_count, self.due_on);
        business_date(account.time_zone, self.planned_at) <= self.due_on
            && policy.day_count.begin(account.time_zone, past_due_on) <= now
    }
}

/// What is owed now, and when something will be owed next.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) due: Vec<Intent>,
    pub(crate) next_at: Option<DateTime<Utc>>,
}

pub(crate) fn plan(
    account: &Account,
    allocation: &Allocation,
    policy: &Policy,
    now: DateTime<Utc>,
    outlook: &Outlook<'_>,
) -> Plan {
    let mut plan = Plan::default();
    let Some(reminders) = &policy.reminders else {
        return plan;
    };
    let zone = account.time_zone;
    let stage = outlook.stage.map_or("current", |stage| stage.name.as_str());
    let stage_began = outlook.held_from.map(|day| policy.day_count.begin(zone, day));
    for step in reminders.steps.iter().filter(|step| step.stage.as_str() == stage) {
        for unpaid in about(step, allocation) {
            let planned_at = planned_at(account, reminders, step, unpaid);
            if planned_at > now {
                plan.next_at = Some(plan.next_at.map_or(planned_at, |next| next.min(planned_at)));
                break;
            }
            let handled = account.standing.reminded_through.is_none_or(|through| planned_at <= through);
            let before_stage = step.days > 0 && stage_began.is_some_and(|began| planned_at < began);
            if !handled && !before_stage && !has_passed(account, policy, step, unpaid, now) {
                owe(&mut plan.due, account, step, unpaid, planned_at);
            }
        }
    }
    plan
}

/// Before the due date and on it each unpaid installment counts, after it the oldest.
fn about<'a>(step: &ReminderStep, allocation: &'a Allocation) -> &'a [Unpaid] {
    let oldest = allocation.unpaid.len().min(1);
    if step.days > 0 { &allocation.unpaid[..oldest] } else { &allocation.unpaid }
}

fn planned_at(
    account: &Account,
    reminders: &Reminders,
    step: &ReminderStep,
    unpaid: &Unpaid,
) -> DateTime<Utc> {
    at_local_time(account.time_zone, plus_days(unpaid.due_on, step.days), reminders.send_at)
}

/// A reminder of a coming due date says nothing true once that date has passed.
fn has_passed(
    account: &Account,
    policy: &Policy,
    step: &ReminderStep,
    unpaid: &Unpaid,
    now: DateTime<Utc>,
) -> bool {
    let past_due_on = past_due_from(policy.day_count, unpaid.due_on);
    step.days <= 0 && policy.day_count.begin(account.time_zone, past_due_on) <= now
}

fn owe(
    due: &mut Vec<Intent>,
    account: &Account,
    step: &ReminderStep,
    unpaid: &Unpaid,
    planned_at: DateTime<Utc>,
) {
    let intent = Intent {
        channel: step.channel,
        template: step.template.clone(),
        installment: account.installments[unpaid.place].label.clone(),
        due_on: unpaid.due_on,
        planned_at,
        missed: 0,
    };
    match due.iter_mut().find(|other| other.channel == step.channel) {
        None => due.push(intent),
        Some(other) => {
            let missed = other.missed + 1;
            if other.planned_at <= planned_at {
                *other = intent;
            }
            other.missed = missed;
        }
    }
}

/// Whether an intent that was planned still has its reason: its installment
/// still owes, and the account still stands where it stood.
///
/// This is the last look: it is asked of the account as it is read again right
/// before a message leaves.
#[must_use]
pub fn still_owed(
    account: &Account,
    allocation: &Allocation,
    stage_then: &str,
    stage_now: &str,
    intent: &Intent,
) -> bool {
    stage_then == stage_now
        && allocation
            .unpaid
            .iter()
            .any(|unpaid| account.installments[unpaid.place].label == intent.installment)
}
