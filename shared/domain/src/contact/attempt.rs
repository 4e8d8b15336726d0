//! Contact attempts, kept as far back as the windows of frequency caps reach.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::profile::MAX_CONTACTED_ACCOUNTS;
use super::stamped::Stamp;
use crate::kernel::{AccountId, ContactId, ThirdPartyId};
use crate::policy::Channel;

/// The outcome of a contact attempt, in ascending order. Reports may come in any order: the greatest outcome
/// stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// No report says yet whether the message left.
    Reserved,
    Sent,
    Delivered,
    Bounced,
    Unanswered,
    /// A conversation took place.
    Answered,
}

/// An attempt to contact a borrower or a third-party contact, by the lender or on its behalf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactAttempt {
    /// A message's id, or the agency's own id of a call.
    pub contact_id: ContactId,
    pub at: DateTime<Utc>,
    pub channel: Channel,
    /// The accounts that the contact is about, sorted.
    pub accounts: Vec<AccountId>,
    /// The officer or agency; none: the lender's own messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The lender's name for one of several numbers; none: the contact point known for the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The third-party contact who was contacted instead of the borrower.
    #[serde(rename = "contact_person", default, skip_serializing_if = "Option::is_none")]
    pub third_party: Option<ThirdPartyId>,
    pub outcome: AttemptOutcome,
    /// The instant at which the outcome became known.
    pub outcome_at: DateTime<Utc>,
    /// The first event that reported the attempt; none: the lender sent it.
    #[serde(rename = "told_by", default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<Stamp>,
}

impl ContactAttempt {
    /// A message that is about to leave at `at`. Frequency caps count it from then on.
    #[must_use]
    pub fn reserved(
        message_id: ContactId,
        channel: Channel,
        mut accounts: Vec<AccountId>,
        third_party: Option<ThirdPartyId>,
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
            third_party,
            outcome: AttemptOutcome::Reserved,
            outcome_at: at,
            reported_by: None,
        }
    }

    /// Whether the message bounced or the call was not answered.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        matches!(self.outcome, AttemptOutcome::Bounced | AttemptOutcome::Unanswered)
    }

    /// The order of attempts: by instant, then by id.
    pub(super) fn key(&self) -> (DateTime<Utc>, &ContactId) {
        (self.at, &self.contact_id)
    }

    /// Merges two reports of one contact. The facts of the first report stand, with the accounts of both, the
    /// earlier instant and the greater outcome. A message of the lender's own that is about to leave once
    /// more keeps the later instant: it may leave only now.
    pub(super) fn merge(&mut self, other: Self) {
        let outcome = (self.outcome, self.outcome_at).max((other.outcome, other.outcome_at));
        let is_ours = self.reported_by.is_none() && other.reported_by.is_none();
        let at = if is_ours { self.at.max(other.at) } else { self.at.min(other.at) };
        let mut accounts = std::mem::take(&mut self.accounts);
        accounts.extend(other.accounts.iter().cloned());
        if other.reported_by < self.reported_by {
            *self = other;
        }
        accounts.sort();
        accounts.dedup();
        accounts.truncate(MAX_CONTACTED_ACCOUNTS);
        (self.outcome, self.outcome_at) = outcome;
        (self.at, self.accounts) = (at, accounts);
    }

    /// Records an outcome, unless a greater one is known.
    pub(super) fn learn(&mut self, outcome: AttemptOutcome, at: DateTime<Utc>) {
        (self.outcome, self.outcome_at) = (self.outcome, self.outcome_at).max((outcome, at));
    }
}
