//! Contact requests: messages that an account owes its borrower.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use super::installment::Label;
use super::notice::NoticeOf;
use crate::kernel::{business_date, past_due_from};
use crate::policy::{Channel, Policy};

/// A wish to contact the borrower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// How it is to travel.
    pub channel: Channel,
    /// How it is to travel where that channel cannot be used, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<Channel>,
    /// Which text it is to bear.
    pub template: String,
    /// What it is about; none: nothing that is owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installment: Option<Label>,
    /// When that is or was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<NaiveDate>,
    /// When it was to leave.
    pub planned_at: DateTime<Utc>,
    /// How many earlier ones it stands for, which were missed.
    pub missed: u32,
    /// What it announces, where it is a notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_of: Option<NoticeOf>,
}

impl Intent {
    /// How it may travel, the best first.
    pub fn channels(&self) -> impl Iterator<Item = Channel> + '_ {
        std::iter::once(self.channel).chain(self.fallbacks.iter().copied())
    }

    /// What it is called among those of its revision: by its channel, a notice also by
    /// what it announces.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.notice_of {
            None => self.channel.to_string(),
            Some(announced) => format!("{}/{announced}", self.channel),
        }
    }

    /// Whether it announces a due date that has passed by `now`: it would say nothing true
    /// any more.
    #[must_use]
    pub fn has_passed(&self, account: &Account, policy: &Policy, now: DateTime<Utc>) -> bool {
        let Some(due_on) = self.due_on else { return false };
        let past_due_on = past_due_from(policy.day_count, due_on);
        business_date(account.time_zone, self.planned_at) <= due_on
            && policy.day_count.begin(account.time_zone, past_due_on) <= now
    }
}
