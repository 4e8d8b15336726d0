//! Contact requests: messages to the borrower that an account requests.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use super::installment::InstallmentLabel;
use super::notice::NoticeOf;
use crate::kernel::{business_date, past_due_from};
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
    /// Number of earlier, missed requests that this one replaces.
    pub missed: u32,
    /// The announced restrictions or policy version; none: the message is no notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_of: Option<NoticeOf>,
}

impl ContactRequest {
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
