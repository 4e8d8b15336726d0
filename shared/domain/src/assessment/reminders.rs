//! Planning: which reminders are due to an account's borrower.
//!
//! A reminder is due from its planned instant on, however late the account is evaluated. Several missed
//! reminders become one per channel, which says how many it replaces. A reminder whose reason has gone is no
//! longer due.

use chrono::{DateTime, NaiveDate, Utc};

use super::contact_holds::MessageHolds;
use super::reminder_times::{StepTime, step_times};
use super::stages::LadderProjection;
use crate::account::{Account, ContactRequest, Notice, NoticeOf};
use crate::kernel::{at_local_time, business_date, past_due_from, plus_days};
use crate::ledger::{Allocation, OpenInstallment};
use crate::policy::{Policy, ReminderStep, StageName};

/// The contact requests due now, and when the next one falls due.
#[derive(Debug, Default)]
pub(crate) struct ReminderPlan {
    pub(crate) due: Vec<ContactRequest>,
    pub(crate) next_at: Option<DateTime<Utc>>,
}

pub(crate) fn plan_reminders(
    account: &Account,
    allocation: &Allocation,
    policy: &Policy,
    (day, now): (NaiveDate, DateTime<Utc>),
    projection: &LadderProjection<'_>,
) -> ReminderPlan {
    let mut plan = ReminderPlan::default();
    let Some(reminders) = &policy.reminders else {
        return plan;
    };
    let stage_began = || projection.held_from.map(|day| policy.day_count.begin(account.time_zone, day));
    let stage_index = |name: &str| policy.stages.iter().position(|stage| stage.name.as_str() == name);
    let stage = projection.stage.map_or("current", |stage| stage.name.as_str());
    let (current_index, in_force) =
        (stage_index(stage), projection.restricting.and_then(|stage| stage_index(stage.name.as_str())));
    // A reminder belongs to one stage. A notice also belongs to the severer ones, until the announced
    // restrictions are in force.
    let has_reason = |step: &&ReminderStep| match &step.notice_of {
        None => step.stage.as_str() == stage,
        Some(announced) => {
            account.is_enforced()
                && in_force < stage_index(announced.as_str())
                && stage_index(step.stage.as_str()) <= current_index
        }
    };
    let holds = MessageHolds::of(account, policy);
    let is_left_out = |step: &&ReminderStep| step.unless_reported && is_reported(account, allocation);
    // An evaluation has handled all that was planned before the day before its date, holds that were over by then
    // included. A time of that day may lie on the date itself, where the zone skips the day.
    let assessed_on = account.status.last_assessed_at.map(|at| business_date(account.time_zone, at.min(now)));
    let handled_before =
        assessed_on.filter(|date| holds.are_over_before(*date)).map(|date| plus_days(date, -1));
    let with_reason = reminders.steps.iter().filter(has_reason).filter(|step| !is_left_out(step));
    for time in step_times(account, reminders, with_reason) {
        let step = time.step;
        for open_installment in about(&time, allocation, policy, day) {
            let Some(planned_on) = time.date(account, policy, projection, open_installment) else { continue };
            if step.notice_of.is_none() && handled_before.is_some_and(|date| planned_on < date) {
                continue;
            }
            let planned_at = at_local_time(account.time_zone, planned_on, time.at);
            let planned_at = holds.defer(account, &time, planned_at);
            // Where the zone skips that date, or a hold ends too late, there will be nothing to announce.
            if has_passed(account, policy, &time, open_installment, planned_at.max(now)) {
                continue;
            }
            if planned_at > now {
                plan.next_at = Some(plan.next_at.map_or(planned_at, |next| next.min(planned_at)));
                break;
            }
            let is_owed = match &step.notice_of {
                Some(stage) => !is_noticed(account, stage, open_installment),
                None => {
                    let handled = account.status.last_assessed_at.is_none_or(|through| planned_at <= through);
                    let before_stage =
                        || !time.announces() && stage_began().is_some_and(|began| planned_at < began);
                    !handled && !before_stage()
                }
            };
            if is_owed
                && let Some(request) = requested(account, policy, &time, open_installment, planned_at, now)
            {
                add_request(&mut plan.due, request);
            }
        }
    }
    let is_notice = |request: &ContactRequest| request.notice_of.is_some();
    let notices = plan.due.iter().filter(|request| is_notice(request)).count();
    if notices == 0 || notices == plan.due.len() {
        return plan;
    }
    let (mut notices, reminders): (Vec<_>, Vec<_>) = plan.due.into_iter().partition(is_notice);
    // A notice on the same channel replaces the reminders that would leave beside it.
    let reminders = reminders.into_iter().filter(|reminder| {
        let notice = notices.iter_mut().find(|notice| notice.channel == reminder.channel);
        notice.map(|notice| notice.missed += reminder.missed + 1).is_none()
    });
    plan.due = reminders.collect();
    plan.due.append(&mut notices);
    plan
}

/// Whether a notice of the stage was planned or sent since the overdue installment fell due.
fn is_noticed(account: &Account, stage: &StageName, open_installment: &OpenInstallment) -> bool {
    let is_of = |notice: &&Notice| matches!(&notice.of, NoticeOf::Stage(name) if name == stage);
    let mut notices = account.notices.iter().filter(is_of);
    notices.any(|notice| business_date(account.time_zone, notice.planned_at) >= open_installment.due_on)
}

/// Before the due date and on it each open installment counts, after it the oldest.
fn about<'a>(
    time: &StepTime<'_>,
    allocation: &'a Allocation,
    policy: &Policy,
    day: NaiveDate,
) -> &'a [OpenInstallment] {
    let open = allocation.judged_installments();
    if time.announces() {
        &open[open.partition_point(|one| past_due_from(policy.day_count, one.due_on) <= day)..]
    } else {
        &open[..open.len().min(1)]
    }
}

/// Whether the overdue balance was reported to a credit bureau.
fn is_reported(account: &Account, allocation: &Allocation) -> bool {
    allocation.judged_installments().first().is_some_and(|oldest| account.is_reported_since(oldest.due_on))
}

/// Whether the due date that a reminder announces has passed by then, so that the reminder would no longer be true.
fn has_passed(
    account: &Account,
    policy: &Policy,
    time: &StepTime<'_>,
    open_installment: &OpenInstallment,
    at: DateTime<Utc>,
) -> bool {
    let past_due_on = || past_due_from(policy.day_count, open_installment.due_on);
    time.announces() && policy.day_count.begin(account.time_zone, past_due_on()) <= at
}

/// The request of a step; none: it is caught up, and has nothing to announce any more when it leaves.
fn requested(
    account: &Account,
    policy: &Policy,
    time: &StepTime<'_>,
    open_installment: &OpenInstallment,
    planned_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<ContactRequest> {
    let step = time.step;
    let mut request = ContactRequest {
        channel: step.channel,
        fallbacks: step.fallbacks.clone(),
        template: step.template.clone(),
        installment: Some(account.installments[open_installment.place].label.clone()),
        due_on: Some(open_installment.due_on),
        planned_at,
        not_before: None,
        missed: 0,
        notice_of: step.notice_of.clone().map(NoticeOf::Stage),
    };
    let leaves_at = request.leaves_at(account, policy, now);
    if has_passed(account, policy, time, open_installment, leaves_at) {
        return None;
    }
    request.not_before = (leaves_at > now).then_some(leaves_at);
    Some(request)
}

fn add_request(due: &mut Vec<ContactRequest>, request: ContactRequest) {
    let planned_at = request.planned_at;
    // A notice is never merged into another message.
    let same = |other: &&mut ContactRequest| {
        (other.channel, &other.notice_of) == (request.channel, &request.notice_of)
    };
    match due.iter_mut().find(same) {
        None => due.push(request),
        Some(other) => {
            let missed = other.missed + 1;
            if other.planned_at <= planned_at {
                *other = request;
            }
            other.missed = missed;
        }
    }
}

/// Whether a planned contact request still has its reason: its installment is still open, and the account is
/// still on the same stage. A notice has its reason on every stage, and if it was planned on `current`, there
/// too.
///
/// This is the last check, on the account as it is read again right before a message leaves.
#[must_use]
pub fn is_still_due(
    account: &Account,
    allocation: &Allocation,
    stage_then: &str,
    stage_now: &str,
    request: &ContactRequest,
) -> bool {
    let has_reason = match request.notice_of {
        Some(NoticeOf::Policy(_)) => return true,
        Some(NoticeOf::Stage(_)) => {
            account.is_enforced() && (stage_then == "current" || stage_now != "current")
        }
        None => stage_then == stage_now,
    };
    let is_it = |open_installment: &OpenInstallment| {
        Some(&account.installments[open_installment.place].label) == request.installment.as_ref()
    };
    has_reason && allocation.judged_installments().iter().any(is_it)
}
