//! Reminder holds: a payment in process, a promise to pay, a dispute or a pause defers an account's reminders.
//!
//! A plain reminder that is planned during a hold leaves when the hold is over. A notice waits for a payment
//! in process and for a pause alone: the announced restrictions wait for the notice. What announces a coming due
//! date is not about lateness, and waits for no pause.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::case_holds::holding_cases;
use super::reminder_times::StepTime;
use super::tolerances::process_over_on;
use crate::account::{Account, ContactHold, ContactRequest, NoticeOf};
use crate::kernel::{Zone, at_local_time, business_date, plus_days, start_of_day};
use crate::policy::{HeldByCase, Policy};

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
    longest(&hold_periods(account, policy), now)
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
    longest(&holds, now)
}

fn longest(holds: &[HoldPeriod], now: DateTime<Utc>) -> Option<ReminderHold> {
    let going_on = holds.iter().filter(|hold| hold.since <= now && now < hold.until);
    going_on.max_by_key(|hold| hold.over_on).map(|hold| ReminderHold { by: hold.by, until: hold.until })
}

/// A hold from an instant until a date begins.
#[derive(Clone, Copy, Debug)]
struct HoldPeriod {
    by: ContactHold,
    since: DateTime<Utc>,
    over_on: NaiveDate,
    /// The first instant of that date.
    until: DateTime<Utc>,
}

impl HoldPeriod {
    fn new(zone: Zone, by: ContactHold, since: DateTime<Utc>, over_on: NaiveDate) -> Self {
        Self { by, since, over_on, until: start_of_day(zone, over_on) }
    }

    /// Whether a message planned for `at` waits: the hold was known before, or is a pause of that date.
    fn defers(&self, at: DateTime<Utc>) -> bool {
        let has_begun = if self.is_pause() { self.since <= at } else { self.since < at };
        has_begun && at < self.until
    }

    fn is_pause(&self) -> bool {
        self.by == ContactHold::Pause
    }
}

/// The holds that may defer an account's messages.
#[derive(Clone, Debug)]
pub(crate) struct MessageHolds(Vec<HoldPeriod>);

impl MessageHolds {
    pub(crate) fn of(account: &Account, policy: &Policy) -> Self {
        Self(hold_periods(account, policy))
    }

    /// Whether no hold defers a message to a date or beyond it.
    pub(crate) fn are_over_before(&self, date: NaiveDate) -> bool {
        self.0.iter().all(|hold| hold.over_on < date)
    }

    /// When a message of a step that is planned for an instant leaves: not during any of the holds on its kind.
    pub(crate) fn defer(
        &self,
        account: &Account,
        step: &StepTime<'_>,
        planned_at: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let is_on_it = |hold: &HoldPeriod| match &step.step.notice_of {
            Some(_) => hold.is_pause() || hold.by == ContactHold::PaymentInProcess,
            None if step.announces() => !hold.is_pause(),
            None => true,
        };
        let mut leaves_at = planned_at;
        // Each hold defers the message once at the most.
        for _ in &self.0 {
            match self.0.iter().find(|hold| hold.defers(leaves_at) && is_on_it(hold)) {
                Some(hold) => leaves_at = at_local_time(account.time_zone, hold.over_on, step.at),
                None => break,
            }
        }
        leaves_at
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
            HoldPeriod::new(zone, ContactHold::Promise, promise.at, over_on.min(most))
        }));
    }
    if let Some(rules) = &policy.dispute {
        holds.extend(account.disputes.iter().map(|dispute| {
            let most = plus_days(business_date(zone, dispute.at), i64::from(rules.holds_days));
            let over_on = dispute.closed.map_or(most, |(_, at)| day_after(at).min(most));
            HoldPeriod::new(zone, ContactHold::Dispute, dispute.at, over_on)
        }));
    }
    holds.extend(holding_cases(account, policy, HeldByCase::Contact).map(|(case, days)| {
        let most = plus_days(business_date(zone, case.at), i64::from(days));
        let over_on = case.closed.map_or(most, |(_, at)| day_after(at).min(most));
        HoldPeriod::new(zone, ContactHold::Case, case.at, over_on)
    }));
    holds.extend(
        account.pauses.iter().map(|pause| {
            HoldPeriod::new(zone, ContactHold::Pause, start_of_day(zone, pause.from), pause.until)
        }),
    );
    holds
}

fn payment_in_process_hold(account: &Account, policy: &Policy) -> Option<HoldPeriod> {
    let over_on = process_over_on(account, policy)?;
    let since = account.in_process.as_ref()?.since;
    Some(HoldPeriod::new(account.time_zone, ContactHold::PaymentInProcess, since, over_on))
}
