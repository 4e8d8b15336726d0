//! What was sent or tried, as far as the windows of caps need it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::known::Stamp;
use super::person::MAX_CONTACTED_ACCOUNTS;
use crate::kernel::{AccountId, ContactId, ContactPersonId};
use crate::policy::Channel;

/// What became of a contact, from the least that can be known to the most: whatever comes
/// when, the most stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nobody knows whether it has left.
    Reserved,
    /// It has left.
    Sent,
    /// It has arrived.
    Delivered,
    /// It came back.
    Bounced,
    /// Nobody answered.
    Unanswered,
    /// There was a conversation.
    Answered,
}

/// A contact with a person, by the lender or on its behalf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Its id: a message's, or the agency's own for a call.
    pub contact_id: ContactId,
    /// When it was.
    pub at: DateTime<Utc>,
    /// How it travelled.
    pub channel: Channel,
    /// What it was about, in order.
    pub accounts: Vec<AccountId>,
    /// Who did it; none: the lender's own messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Which of several numbers it was, by the lender's name for it; none: the one that is
    /// known for the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The contact person who was contacted instead of the debtor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_person: Option<ContactPersonId>,
    /// What became of it.
    pub outcome: Outcome,
    /// When that became known.
    pub outcome_at: DateTime<Utc>,
    /// The first event that told of it; none: the lender sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_by: Option<Stamp>,
}

impl Attempt {
    /// A message that is about to leave at `at`. It counts from then on.
    #[must_use]
    pub fn reserved(
        message_id: ContactId,
        channel: Channel,
        mut accounts: Vec<AccountId>,
        contact_person: Option<ContactPersonId>,
        at: DateTime<Utc>,
    ) -> Self {
        accounts.sort();
        accounts.dedup();
        Self {
            contact_id: message_id,
            at,
            channel,
            accounts,
            by: None,
            number: None,
            contact_person,
            outcome: Outcome::Reserved,
            outcome_at: at,
            told_by: None,
        }
    }

    /// Whether the debtor was tried in vain.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Bounced | Outcome::Unanswered)
    }

    /// What its place among the others is.
    pub(super) fn key(&self) -> (DateTime<Utc>, &ContactId) {
        (self.at, &self.contact_id)
    }

    /// What two tellings of one contact say together: who told first says what it was, all
    /// accounts count, the earliest instant stands, and the most that is known of it. Of a message
    /// of ours that is about to leave once more the latest stands: it may leave only now.
    pub(super) fn merge(&mut self, other: Self) {
        let outcome = (self.outcome, self.outcome_at).max((other.outcome, other.outcome_at));
        let is_ours = self.told_by.is_none() && other.told_by.is_none();
        let at = if is_ours { self.at.max(other.at) } else { self.at.min(other.at) };
        let mut accounts = std::mem::take(&mut self.accounts);
        accounts.extend(other.accounts.iter().cloned());
        if other.told_by < self.told_by {
            *self = other;
        }
        accounts.sort();
        accounts.dedup();
        accounts.truncate(MAX_CONTACTED_ACCOUNTS);
        (self.outcome, self.outcome_at) = outcome;
        (self.at, self.accounts) = (at, accounts);
    }

    /// Takes what became known of it.
    pub(super) fn learn(&mut self, outcome: Outcome, at: DateTime<Utc>) {
        (self.outcome, self.outcome_at) = (self.outcome, self.outcome_at).max((outcome, at));
    }
}
