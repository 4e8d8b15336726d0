//! Reminder holds: a payment in process, a promise to pay or a dispute defers an account's reminders.
//!
//! A plain reminder that is planned during a hold leaves when the hold is over. A notice waits for a payment
//! in process alone: the announced restrictions wait for the notice.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::tolerances::process_over_on;
use crate::account::{Account, ContactHold};
use crate::kernel::{at_local_time, business_date, plus_days, start_of_day};
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
    let holds = hold_periods(account, policy);
    let until = |hold: &HoldPeriod| start_of_day(account.time_zone, hold.over_on);
    let going_on = holds.iter().filter(|hold| hold.since <= now && now < until(hold));
    going_on.max_by_key(|hold| hold.over_on).map(|hold| ReminderHold { by: hold.by, until: until(hold) })
}

/// A hold from an instant until a date begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HoldPeriod {
    by: ContactHold,
    since: DateTime<Utc>,
    over_on: NaiveDate,
}

/// All holds on an account's plain reminders, past and future.
pub(crate) fn hold_periods(account: &Account, policy: &Policy) -> Vec<HoldPeriod> {
    let zone = account.time_zone;
    // No reminder leaves on the day on which a promise or a dispute ends.
    let day_after = |at: DateTime<Utc>| plus_days(business_date(zone, at), 1);
    let mut holds: Vec<HoldPeriod> = payment_in_process_hold(account, policy).into_iter().collect();
    if let Some(rules) = &policy.promise {
        holds.extend(account.promises.iter().map(|promise| {
            let most = plus_days(business_date(zone, promise.at), i64::from(rules.max_days) + 1);
            let over_on =
                promise.over_at(account).map_or(promise.until, |at| day_after(at).min(promise.until));
            HoldPeriod { by: ContactHold::Promise, since: promise.at, over_on: over_on.min(most) }
        }));
    }
    if let Some(rules) = &policy.dispute {
        holds.extend(account.disputes.iter().map(|dispute| {
            let most = plus_days(business_date(zone, dispute.at), i64::from(rules.holds_days) + 1);
            let over_on = dispute.closed.map_or(most, |(_, at)| day_after(at).min(most));
            HoldPeriod { by: ContactHold::Dispute, since: dispute.at, over_on }
        }));
    }
    holds
}

/// The hold that defers notices too.
pub(crate) fn payment_in_process_hold(account: &Account, policy: &Policy) -> Option<HoldPeriod> {
    let over_on = process_over_on(account, policy)?;
    let since = account.in_process.as_ref()?.since;
    Some(HoldPeriod { by: ContactHold::PaymentInProcess, since, over_on })
}

/// When a message planned for an instant leaves: not during any of the holds.
pub(crate) fn put_off(
    account: &Account,
    holds: &[HoldPeriod],
    planned_at: DateTime<Utc>,
    time: NaiveTime,
) -> DateTime<Utc> {
    let zone = account.time_zone;
    let mut leaves_at = planned_at;
    // Each hold defers the message once at the most.
    for _ in holds {
        let going_on =
            |hold: &&HoldPeriod| hold.since < leaves_at && leaves_at < start_of_day(zone, hold.over_on);
        match holds.iter().find(going_on) {
            Some(hold) => leaves_at = at_local_time(zone, hold.over_on, time),
            None => break,
        }
    }
    leaves_at
}
