//! Whom to tell.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::account::Label;
use duewatch_domain::policy::{Channel, ReminderStep};

use super::books::Debt;
use super::course::Course;
use super::{Judged, calendar};

/// A reminder that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// How it travels.
    pub channel: Channel,
    /// Which text it bears.
    pub template: String,
    /// What it is about.
    pub about: Label,
    /// When that is or was due.
    pub due_on: NaiveDate,
    /// When it was to leave.
    pub planned_at: DateTime<Utc>,
    /// How many others of its channel it stands for.
    pub missed: u32,
}

/// What was planned in `(after, now]` and is owed at `now`, one a channel: the latest of
/// them, of two at one instant that of the later step.
pub(super) fn owed(
    course: &Course<'_>,
    judged: &Judged,
    after: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<Reminder> {
    let Some(reminders) = &course.policy.reminders else { return Vec::new() };
    let mut owed: Vec<Reminder> = Vec::new();
    for step in reminders.steps.iter().filter(|step| step.stage.as_str() == judged.stage) {
        for debt in about(step, &course.debts) {
            let planned_at = calendar::local(course.zone, moved(debt.due_on, step.days), reminders.send_at);
            let is_new = after < planned_at && planned_at <= now;
            if is_new && has_reason(course, step, debt, planned_at, judged, now) {
                owe(&mut owed, step, debt, planned_at);
            }
        }
    }
    owed
}

/// Up to the due date each installment counts, after it the oldest.
fn about<'a>(step: &ReminderStep, debts: &'a [Debt]) -> &'a [Debt] {
    if step.days > 0 { &debts[..debts.len().min(1)] } else { debts }
}

fn moved(date: NaiveDate, days: i64) -> NaiveDate {
    date + TimeDelta::days(days)
}

/// A reminder of what is past due was planned since the stage began; one of what is to
/// come does not come after it.
fn has_reason(
    course: &Course<'_>,
    step: &ReminderStep,
    debt: &Debt,
    planned_at: DateTime<Utc>,
    judged: &Judged,
    now: DateTime<Utc>,
) -> bool {
    if step.days > 0 {
        judged.holds_since.is_none_or(|since| course.counts_from(since) <= planned_at)
    } else {
        !course.is_past_due(debt.due_on, course.judged_day(now))
    }
}

fn owe(owed: &mut Vec<Reminder>, step: &ReminderStep, debt: &Debt, planned_at: DateTime<Utc>) {
    let reminder = Reminder {
        channel: step.channel,
        template: step.template.clone(),
        about: debt.label.clone(),
        due_on: debt.due_on,
        planned_at,
        missed: 0,
    };
    match owed.iter_mut().find(|other| other.channel == step.channel) {
        None => owed.push(reminder),
        Some(other) => {
            let missed = other.missed + 1;
            if reminder.planned_at >= other.planned_at {
                *other = reminder;
            }
            other.missed = missed;
        }
    }
}
