//! Contact requests: messages to the borrower that an account requests.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use super::installment::InstallmentLabel;
use super::notice::NoticeOf;
use crate::kernel::{business_date, next_local_time, past_due_from};
use crate::policy::{Channel, Policy};

/// A message to the borrower that an account revision requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactRequest {
    pub channel: Channel,
    /// Channels to try where `channel` cannot be used, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<Channel>,
    /// Name of the message template.
    pub template: String,
    /// The installment that the message is about; none: the message is about no balance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installment: Option<InstallmentLabel>,
    /// That installment's due date, past or to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<NaiveDate>,
    /// The instant for which the message was planned.
    pub planned_at: DateTime<Utc>,
    /// The local time of sending at which a request that is caught up leaves; none: it leaves at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
    /// Number of earlier, missed requests that this one replaces.
    pub missed: u32,
    /// The announced restrictions or policy version; none: the message is no notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_of: Option<NoticeOf>,
}

/// A message that is evaluated no later than this after its time leaves at once: a sweep comes every few minutes.
const PUNCTUAL_WITHIN: TimeDelta = TimeDelta::hours(1);

impl ContactRequest {
    /// When the message is to leave.
    #[must_use]
    pub fn due_at(&self) -> DateTime<Utc> {
        self.not_before.unwrap_or(self.planned_at)
    }

    /// When the message leaves if it is evaluated at `now`: at once if its time, or the local time of sending, has
    /// just come. A message that is caught up, after a cure or an outage, leaves at the next local time of sending.
    #[must_use]
    pub fn leaves_at(&self, account: &Account, policy: &Policy, now: DateTime<Utc>) -> DateTime<Utc> {
        if now - self.planned_at <= PUNCTUAL_WITHIN {
            return now;
        }
        self.sent_from(account, policy, now - PUNCTUAL_WITHIN).max(now)
    }

    /// The first local time of sending from `from` on; `from` itself where the policy has none.
    #[must_use]
    pub fn sent_from(&self, account: &Account, policy: &Policy, from: DateTime<Utc>) -> DateTime<Utc> {
        let Some(reminders) = &policy.reminders else { return from };
        let chosen = account.reminder_preference.as_ref().and_then(|preference| preference.at);
        let chosen = chosen.filter(|_| self.announces_due_date(account));
        next_local_time(account.time_zone, chosen.unwrap_or(reminders.send_at), from)
    }

    /// The channels to try, best first.
    pub fn channels(&self) -> impl Iterator<Item = Channel> + '_ {
        std::iter::once(self.channel).chain(self.fallbacks.iter().copied())
    }

    /// The request's name within its revision: its channel, and for a notice also its announcement.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.notice_of {
            None => self.channel.to_string(),
            Some(announced) => format!("{}/{announced}", self.channel),
        }
    }

    /// Whether the request announces a due date, and is not about an overdue balance.
    #[must_use]
    pub fn announces_due_date(&self, account: &Account) -> bool {
        self.due_on.is_some_and(|due_on| business_date(account.time_zone, self.planned_at) <= due_on)
    }

    /// Whether the request announces a due date that has passed by `now`, so that its message would no longer
    /// be true.
    #[must_use]
    pub fn has_passed(&self, account: &Account, policy: &Policy, now: DateTime<Utc>) -> bool {
        let Some(due_on) = self.due_on else { return false };
        let past_due_on = past_due_from(policy.day_count, due_on);
        self.announces_due_date(account) && policy.day_count.begin(account.time_zone, past_due_on) <= now
    }
}
