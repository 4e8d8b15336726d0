//! Whom to tell.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use duewatch_domain::account::Label;
use duewatch_domain::policy::{Channel, ReminderStep, StageName};
use duewatch_domain::recorded::NoticeOf;

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
    /// What it announces, where it is a notice.
    pub notice_of: Option<NoticeOf>,
}

/// What is owed at `now`: of reminders what was planned since somebody looked last, one a
/// channel; of notices what was not planned yet, one a channel and stage. It is the latest of
/// them, of two at one instant that of the later step. A notice speaks for the reminders of
/// its channel.
pub(super) fn owed(course: &Course<'_>, judged: &Judged, now: DateTime<Utc>) -> Vec<Reminder> {
    let Some(reminders) = &course.policy.reminders else { return Vec::new() };
    let mut owed: Vec<Reminder> = Vec::new();
    for step in &reminders.steps {
        for debt in about(step, course.debts()) {
            let planned_at = planned_at(course, step, debt, reminders.send_at);
            let is_owed = match &step.notice_of {
                None => is_owed(course, step, debt, planned_at, judged, now),
                Some(stage) => is_announced(course, step, stage, judged) && !is_noticed(course, stage, debt),
            };
            if planned_at <= now && is_owed {
                owe(&mut owed, step, debt, planned_at);
            }
        }
    }
    let (reminders, mut notices): (Vec<Reminder>, Vec<Reminder>) =
        owed.into_iter().partition(|one| one.notice_of.is_none());
    let mut left = Vec::new();
    for reminder in reminders {
        match notices.iter_mut().find(|notice| notice.channel == reminder.channel) {
            Some(notice) => notice.missed += 1 + reminder.missed,
            None => left.push(reminder),
        }
    }
    left.append(&mut notices);
    left
}

/// Up to the due date each installment counts, after it the oldest.
fn about<'a>(step: &ReminderStep, debts: &'a [Debt]) -> &'a [Debt] {
    if step.days > 0 { &debts[..debts.len().min(1)] } else { debts }
}

fn moved(date: NaiveDate, days: i64) -> NaiveDate {
    date + TimeDelta::days(days)
}

/// When it is to leave: not while a payment is under way that became known before.
fn planned_at(course: &Course<'_>, step: &ReminderStep, debt: &Debt, send_at: NaiveTime) -> DateTime<Utc> {
    let planned_at = calendar::local(course.zone, moved(debt.due_on, step.days), send_at);
    let (Some(since), Some(over_on)) = (course.in_process_since(), course.process_over_on()) else {
        return planned_at;
    };
    let waits = since < planned_at && planned_at < calendar::begin(course.zone, over_on);
    if waits { calendar::local(course.zone, over_on, send_at) } else { planned_at }
}

/// A reminder is new to whoever looks, and belongs to the stage. One of what is past due was
/// planned since the stage began; one of what is to come does not come after it.
fn is_owed(
    course: &Course<'_>,
    step: &ReminderStep,
    debt: &Debt,
    planned_at: DateTime<Utc>,
    judged: &Judged,
    now: DateTime<Utc>,
) -> bool {
    let is_new = course.memory.looked_at.is_some_and(|looked_at| looked_at < planned_at);
    let has_reason = if step.days > 0 {
        judged.holds_since.is_none_or(|since| course.counts_from(since) <= planned_at)
    } else {
        !course.is_past_due(debt.due_on, course.judged_day(now))
    };
    is_new && has_reason && step.stage.as_str() == judged.stage
}

/// A notice belongs to its stage and the severer ones, until what it announces is in force.
fn is_announced(course: &Course<'_>, step: &ReminderStep, of: &StageName, judged: &Judged) -> bool {
    let rung = |name: &str| {
        let above = course.policy.stages.iter().position(|stage| stage.name.as_str() == name);
        above.map_or(0, |place| place + 1)
    };
    course.enforced
        && rung(&judged.stage) >= rung(step.stage.as_str())
        && rung(&judged.restricting) < rung(of.as_str())
}

/// Whether one was planned, or left, since what it is about fell due.
fn is_noticed(course: &Course<'_>, stage: &StageName, debt: &Debt) -> bool {
    course.memory.notices.iter().any(|notice| {
        notice.of == NoticeOf::Stage(stage.clone())
            && calendar::business_date(course.zone, notice.planned_at) >= debt.due_on
    })
}

fn owe(owed: &mut Vec<Reminder>, step: &ReminderStep, debt: &Debt, planned_at: DateTime<Utc>) {
    let reminder = Reminder {
        channel: step.channel,
        template: step.template.clone(),
        about: debt.label.clone(),
        due_on: debt.due_on,
        planned_at,
        missed: 0,
        notice_of: step.notice_of.clone().map(NoticeOf::Stage),
    };
    let same =
        |other: &&mut Reminder| other.channel == reminder.channel && other.notice_of == reminder.notice_of;
    match owed.iter_mut().find(same) {
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
