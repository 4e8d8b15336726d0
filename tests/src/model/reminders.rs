//! The reminders and notices that are due.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use duewatch_domain::account::InstallmentLabel;
use duewatch_domain::account::NoticeOf;
use duewatch_domain::policy::{Channel, CountedFrom, ReminderStep, Reminders, StageName};

use super::books::Debt;
use super::course::ModelCourse;
use super::{ModelAssessment, calendar};

/// A reminder or notice that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    pub channel: Channel,
    pub template: String,
    pub about: InstallmentLabel,
    /// The due date of the installment it is about.
    pub due_on: NaiveDate,
    /// The instant at which it was to leave.
    pub planned_at: DateTime<Utc>,
    /// The next hour of sending, where that instant is more than an hour ago.
    pub not_before: Option<DateTime<Utc>>,
    /// The number of other reminders of its channel that it replaces.
    pub missed: u32,
    /// None: a plain reminder.
    pub notice_of: Option<NoticeOf>,
}

/// The reminders and notices due at `now`: one reminder a channel, of those planned since the last
/// evaluation; one notice a channel and stage, of those not planned yet. The latest wins, and of two at one
/// instant the later step. A notice replaces the reminders of its channel.
pub(super) fn due_reminders(
    course: &ModelCourse<'_>,
    assessed: &ModelAssessment,
    now: DateTime<Utc>,
) -> Vec<Reminder> {
    let Some(reminders) = &course.policy.reminders else { return Vec::new() };
    let mut due: Vec<Reminder> = Vec::new();
    let own_hour = course.answers.choice.as_ref().and_then(|choice| choice.time).unwrap_or(reminders.send_at);
    for ModelStepTime { step, days, at, is_for } in times(course, reminders, assessed) {
        let is_coming = is_coming(step, days);
        for debt in about(is_coming, course.debts()) {
            let Some(from) = counted_from(course, step, debt, assessed, at) else { continue };
            let date = if days > 0 { course.after_unpaused(from, days) } else { moved(from, days) };
            if !is_for.holds(course, date) {
                continue;
            }
            let planned_at = planned_at(course, step, is_coming, date, at);
            let is_owed = match &step.notice_of {
                None => is_reminder_due(course, is_coming, debt, planned_at, assessed, now),
                Some(stage) => {
                    is_announced(course, step, stage, assessed) && !is_noticed(course, stage, debt)
                }
            };
            let hour = if is_coming { own_hour } else { reminders.send_at };
            let leaves_at = leaves_at(course, hour, planned_at, now);
            let is_over = is_coming && course.is_past_due(debt.due_on, course.judged_day(leaves_at));
            if planned_at <= now && is_owed && !is_over {
                let not_before = (leaves_at > now).then_some(leaves_at);
                add_reminder(&mut due, step, debt, (planned_at, not_before));
            }
        }
    }
    let (reminders, mut notices): (Vec<Reminder>, Vec<Reminder>) =
        due.into_iter().partition(|one| one.notice_of.is_none());
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

/// A reminder step on one of its days.
struct ModelStepTime<'p> {
    step: &'p ReminderStep,
    days: i64,
    at: NaiveTime,
    is_for: Dates,
}

/// The borrower's choice counts for dates after the one on which it was recorded.
#[derive(Clone, Copy)]
enum Dates {
    All,
    BeforeTheChoice,
    AfterTheChoice,
}

impl Dates {
    fn holds(self, course: &ModelCourse<'_>, date: NaiveDate) -> bool {
        let is_after = course.answers.choice.as_ref().is_some_and(|choice| date > choice.said_on);
        match self {
            Self::All => true,
            Self::BeforeTheChoice => !is_after,
            Self::AfterTheChoice => is_after,
        }
    }
}

/// The reminder steps on their days. Steps before a due date come last where the borrower chose: first as
/// chosen, then by the policy.
fn times<'p>(
    course: &ModelCourse<'_>,
    reminders: &'p Reminders,
    assessed: &ModelAssessment,
) -> Vec<ModelStepTime<'p>> {
    let may_leave = |step: &&ReminderStep| {
        let is_left_out = step.unless_reported && is_reported(course);
        (step.notice_of.is_some() || step.stage.as_str() == assessed.stage) && !is_left_out
    };
    let steps = reminders.steps.iter().filter(may_leave);
    let all = steps.flat_map(|step| step.days().map(move |days| (step, days)));
    let Some(choice) = &course.answers.choice else {
        let (at, is_for) = (reminders.send_at, Dates::All);
        return all.map(|(step, days)| ModelStepTime { step, days, at, is_for }).collect();
    };
    let (coming, others): (Vec<_>, Vec<_>) = all.partition(|(step, days)| is_coming(step, *days));
    let mut chosen = coming.clone();
    if !choice.days_before.is_empty() {
        let texts = choice.days_before.iter().filter_map(|before| {
            let days = -i64::from(*before);
            let mut nearest = *coming.first()?;
            for one in &coming {
                if (one.1 - days).abs() < (nearest.1 - days).abs() {
                    nearest = *one;
                }
            }
            Some((nearest.0, days))
        });
        chosen = texts.collect();
    }
    let (planned, own) = (reminders.send_at, choice.time.unwrap_or(reminders.send_at));
    [
        (others, planned, Dates::All),
        (chosen, own, Dates::AfterTheChoice),
        (coming, planned, Dates::BeforeTheChoice),
    ]
    .into_iter()
    .flat_map(|(steps, at, is_for)| {
        steps.into_iter().map(move |(step, days)| ModelStepTime { step, days, at, is_for })
    })
    .collect()
}

fn is_coming(step: &ReminderStep, days: i64) -> bool {
    days <= 0 && step.from == CountedFrom::Due
}

/// Whether a report went to a credit bureau since the oldest open debt fell due.
fn is_reported(course: &ModelCourse<'_>) -> bool {
    let reported_on = course.answers.reported_at.map(|at| calendar::business_date(course.zone, at));
    course.debts().first().is_some_and(|oldest| reported_on >= Some(oldest.due_on))
}

/// Every installment up to its due date; afterwards only the oldest.
fn about(is_coming: bool, debts: &[Debt]) -> &[Debt] {
    if is_coming { debts } else { &debts[..debts.len().min(1)] }
}

/// The due date, or the first date whose hour of sending lies within the stage.
fn counted_from(
    course: &ModelCourse<'_>,
    step: &ReminderStep,
    debt: &Debt,
    assessed: &ModelAssessment,
    time: NaiveTime,
) -> Option<NaiveDate> {
    if step.from == CountedFrom::Due {
        return Some(debt.due_on);
    }
    let since = assessed.holds_since?;
    let is_within = |date: &NaiveDate| calendar::local(course.zone, *date, time) >= course.counts_from(since);
    [since, moved(since, 1)].into_iter().find(is_within)
}

fn moved(date: NaiveDate, days: i64) -> NaiveDate {
    date + TimeDelta::days(days)
}

/// The instant of leaving: on the first date without a delay that was known before.
fn planned_at(
    course: &ModelCourse<'_>,
    step: &ReminderStep,
    is_coming: bool,
    date: NaiveDate,
    time: NaiveTime,
) -> DateTime<Utc> {
    let waits = |at| match step.notice_of {
        Some(_) => course.notice_waits(at),
        None => course.reminder_waits(at, is_coming),
    };
    let mut date = date;
    while waits(calendar::local(course.zone, date, time)) {
        date = calendar::next(date);
    }
    calendar::local(course.zone, date, time)
}

/// Now, within an hour of the planned instant or of an hour of sending; otherwise the next hour of sending.
fn leaves_at(
    course: &ModelCourse<'_>,
    hour: NaiveTime,
    planned_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    if now - planned_at <= TimeDelta::hours(1) {
        return now;
    }
    let mut date = moved(calendar::business_date(course.zone, now), -2);
    loop {
        let sent_at = calendar::local(course.zone, date, hour);
        if sent_at >= now - TimeDelta::hours(1) {
            return sent_at.max(now);
        }
        date = calendar::next(date);
    }
}

/// Whether a reminder is new to the evaluation. A reminder of an overdue debt was planned since the stage
/// began; a reminder of a coming debt is not planned after it.
fn is_reminder_due(
    course: &ModelCourse<'_>,
    is_coming: bool,
    debt: &Debt,
    planned_at: DateTime<Utc>,
    assessed: &ModelAssessment,
    now: DateTime<Utc>,
) -> bool {
    let is_new = course.memory.evaluated_at.is_some_and(|looked_at| looked_at < planned_at);
    let has_reason = if is_coming {
        !course.is_past_due(debt.due_on, course.judged_day(now))
    } else {
        assessed.holds_since.is_none_or(|since| course.counts_from(since) <= planned_at)
    };
    is_new && has_reason
}

/// Whether a notice is to be sent: in its stage and the severer ones, until the announced restrictions are in
/// force.
fn is_announced(
    course: &ModelCourse<'_>,
    step: &ReminderStep,
    of: &StageName,
    assessed: &ModelAssessment,
) -> bool {
    let stage_index = |name: &str| {
        let above = course.policy.stages.iter().position(|stage| stage.name.as_str() == name);
        above.map_or(0, |place| place + 1)
    };
    course.enforced
        && stage_index(&assessed.stage) >= stage_index(step.stage.as_str())
        && stage_index(&assessed.restricting) < stage_index(of.as_str())
}

/// Whether a notice of the stage was planned or left since the debt fell due.
fn is_noticed(course: &ModelCourse<'_>, stage: &StageName, debt: &Debt) -> bool {
    course.memory.notices.iter().any(|notice| {
        notice.of == NoticeOf::Stage(stage.clone())
            && calendar::business_date(course.zone, notice.planned_at) >= debt.due_on
    })
}

fn add_reminder(
    due: &mut Vec<Reminder>,
    step: &ReminderStep,
    debt: &Debt,
    (planned_at, not_before): (DateTime<Utc>, Option<DateTime<Utc>>),
) {
    let reminder = Reminder {
        channel: step.channel,
        template: step.template.clone(),
        about: debt.label.clone(),
        due_on: debt.due_on,
        planned_at,
        not_before,
        missed: 0,
        notice_of: step.notice_of.clone().map(NoticeOf::Stage),
    };
    let same =
        |other: &&mut Reminder| other.channel == reminder.channel && other.notice_of == reminder.notice_of;
    match due.iter_mut().find(same) {
        None => due.push(reminder),
        Some(other) => {
            let missed = other.missed + 1;
            if reminder.planned_at >= other.planned_at {
                *other = reminder;
            }
            other.missed = missed;
        }
    }
}
