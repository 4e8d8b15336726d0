//! Reminder holds: a payment in process, a promise to pay, a dispute or a pause defers an account's reminders.
//!
//! A plain reminder that is planned during a hold leaves when the hold is over. A notice waits for a payment
//! in process and for a pause alone: the announced restrictions wait for the notice. What announces a coming due
//! date is not about lateness, and waits for no pause.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::reminder_times::StepTime;
use super::tolerances::process_over_on;
use crate::account::{Account, ContactHold, ContactRequest, NoticeOf};
use crate::kernel::{Zone, at_local_time, business_date, plus_days, start_of_day};
use crate::policy::Policy;

/// The hold on an account's plain reminders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReminderHold {
    pub by: ContactHold,
    /// The end of the hold, as far as is known.
    pub until: DateTime<Utc>,
}

/// The hold on an account's plain reminders at `now`, the one that lasts the longest; none: no hold.
#[must_use]
pub fn reminder_hold(account: &Account, policy: &Policy, now: DateTime<Utc>) -> Option<ReminderHold> {
    longest(&hold_periods(account, policy), account, now)
}

/// The hold on a contact request of the account at `now`; none: no hold.
#[must_use]
pub fn request_hold(
    account: &Account,
    policy: &Policy,
    request: &ContactRequest,
    now: DateTime<Utc>,
) -> Option<ReminderHold> {
    let mut holds = hold_periods(account, policy);
    match &request.notice_of {
        Some(NoticeOf::Policy(_)) => holds.clear(),
        Some(NoticeOf::Stage(_)) => holds.retain(HoldPeriod::is_pause),
        None if request.announces_due_date(account) => holds.retain(|hold| !hold.is_pause()),
        None => {}
    }
    longest(&holds, account, now)
}

fn longest(holds: &[HoldPeriod], account: &Account, now: DateTime<Utc>) -> Option<ReminderHold> {
    let until = |hold: &HoldPeriod| start_of_day(account.time_zone, hold.over_on);
    let going_on = holds.iter().filter(|hold| hold.since <= now && now < until(hold));
    going_on.max_by_key(|hold| hold.over_on).map(|hold| ReminderHold { by: hold.by, until: until(hold) })
}

/// A hold from an instant until a date begins.
#[derive(Clone, Copy, Debug)]
struct HoldPeriod {
    by: ContactHold,
    since: DateTime<Utc>,
    over_on: NaiveDate,
}

impl HoldPeriod {
    /// Whether a message planned for `at` waits: the hold was known before, or is a pause of that date.
    fn defers(&self, at: DateTime<Utc>, zone: Zone) -> bool {
        let has_begun = if self.is_pause() { self.since <= at } else { self.since < at };
        has_begun && at < start_of_day(zone, self.over_on)
    }

    fn is_pause(&self) -> bool {
        self.by == ContactHold::Pause
    }
}

/// The holds that defer a message of a kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageHolds {
    /// Of plain reminders about an overdue balance.
    reminders: Vec<HoldPeriod>,
    /// Of plain reminders that announce a due date.
    announcements: Vec<HoldPeriod>,
    notices: Vec<HoldPeriod>,
}

impl MessageHolds {
    pub(crate) fn of(account: &Account, policy: &Policy) -> Self {
        let reminders = hold_periods(account, policy);
        let of = |defers: fn(&HoldPeriod) -> bool| reminders.iter().copied().filter(defers).collect();
        Self {
            announcements: of(|hold| !hold.is_pause()),
            notices: of(|hold| hold.is_pause() || hold.by == ContactHold::PaymentInProcess),
            reminders,
        }
    }

    /// Whether no hold defers a message to a date or beyond it.
    pub(crate) fn are_over_before(&self, date: NaiveDate) -> bool {
        self.reminders.iter().all(|hold| hold.over_on < date)
    }

    pub(crate) fn defer(
        &self,
        account: &Account,
        step: &StepTime<'_>,
        planned_at: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let holds = match &step.step.notice_of {
            Some(_) => &self.notices,
            None if step.announces() => &self.announcements,
            None => &self.reminders,
        };
        put_off(account, holds, planned_at, step.at)
    }
}

/// All holds on an account's plain reminders, past and future.
fn hold_periods(account: &Account, policy: &Policy) -> Vec<HoldPeriod> {
    let zone = account.time_zone;
    // No reminder leaves on the day on which a promise or a dispute ends.
    let day_after = |at: DateTime<Utc>| plus_days(business_date(zone, at), 1);
    let mut holds: Vec<HoldPeriod> = payment_in_process_hold(account, policy).into_iter().collect();
    if let Some(rules) = &policy.promise {
        holds.extend(account.promises.iter().map(|promise| {
            let most = plus_days(business_date(zone, promise.at), i64::from(rules.max_days));
            let over_on =
                promise.over_at(account).map_or(promise.until, |at| day_after(at).min(promise.until));
            HoldPeriod { by: ContactHold::Promise, since: promise.at, over_on: over_on.min(most) }
        }));
    }
    if let Some(rules) = &policy.dispute {
        holds.extend(account.disputes.iter().map(|dispute| {
            let most = plus_days(business_date(zone, dispute.at), i64::from(rules.holds_days));
            let over_on = dispute.closed.map_or(most, |(_, at)| day_after(at).min(most));
            HoldPeriod { by: ContactHold::Dispute, since: dispute.at, over_on }
        }));
    }
    holds.extend(account.pauses.iter().map(|pause| HoldPeriod {
        by: ContactHold::Pause,
        since: start_of_day(zone, pause.from),
        over_on: pause.until,
    }));
    holds
}

fn payment_in_process_hold(account: &Account, policy: &Policy) -> Option<HoldPeriod> {
    let over_on = process_over_on(account, policy)?;
    let since = account.in_process.as_ref()?.since;
    Some(HoldPeriod { by: ContactHold::PaymentInProcess, since, over_on })
}

/// When a message planned for an instant leaves: not during any of the holds.
fn put_off(
    account: &Account,
    holds: &[HoldPeriod],
    planned_at: DateTime<Utc>,
    time: NaiveTime,
) -> DateTime<Utc> {
    let zone = account.time_zone;
    let mut leaves_at = planned_at;
    // Each hold defers the message once at the most.
    for _ in holds {
        match holds.iter().find(|hold| hold.defers(leaves_at, zone)) {
            Some(hold) => leaves_at = at_local_time(zone, hold.over_on, time),
            None => break,
        }
    }
    leaves_at
}
