//! A contact request, queued for a customer until its message has left.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::gate::{GateRequest, GateRequestKind};
use super::gate_decision::GateReason;
use crate::account::{Account, ContactRequest, Figures};
use crate::assessment::reminder_hold;
use crate::kernel::{
    AccountId, ContactId, CustomerId, PolicyId, Revision, ThirdPartyId, Zone, business_date,
};
use crate::policy::{Channel, Policy, StageName};

/// The channels to a third-party contact, the best first.
const THIRD_PARTY_CHANNELS: [Channel; 2] = [Channel::Phone, Channel::Sms];

/// A message that leaves this much later than planned says so.
const LATE_BY: TimeDelta = TimeDelta::hours(6);

/// A contact request of an account, and the instant of its next evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueuedRequest {
    /// Unique for the borrower.
    pub contact_id: ContactId,
    pub customer_id: CustomerId,
    pub account_id: AccountId,
    pub policy_id: PolicyId,
    /// The account's revision that created the request.
    pub revision: Revision,
    /// The account's stage at that revision.
    pub stage: StageName,
    #[serde(rename = "wanted")]
    pub target: RequestTarget,
    /// The instant at which the message was to leave.
    pub planned_at: DateTime<Utc>,
    /// The instant of the next evaluation.
    #[serde(rename = "look_at")]
    pub evaluate_at: DateTime<Utc>,
    /// The reason of a deferral; none: the request waits for its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<GateReason>,
    /// The date on which the message was to leave, where it was late before it was deferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_since: Option<NaiveDate>,
    /// The message under which the request was counted, whether that left or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved_as: Option<ContactId>,
    /// The number of times it bounced and was planned again.
    #[serde(rename = "came_back", default, skip_serializing_if = "is_zero")]
    pub bounces: u32,
}

/// The most times that a bounced contact is planned again: once per channel. The gate skips every channel
/// that bounced, so the retries end by themselves with no channel left. The bound is for delivery providers
/// with contradictory reports: that a message bounced, and later that it was delivered.
pub const MAX_BOUNCES: u32 = 5;

/// The revision that opens an account.
const FIRST_REVISION: Revision = Revision(1);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The addressee of a contact request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RequestTarget {
    /// A message to the borrower.
    #[serde(rename = "intent")]
    Borrower(ContactRequest),
    /// A request that a third-party contact have the borrower call back.
    #[serde(rename = "contact_person")]
    ThirdParty {
        /// The lender's id of the third-party contact.
        #[serde(rename = "person_id")]
        third_party_id: ThirdPartyId,
    },
}

impl QueuedRequest {
    /// The message to the borrower; none: the request is for a third-party contact.
    #[must_use]
    pub const fn borrower_request(&self) -> Option<&ContactRequest> {
        match &self.target {
            RequestTarget::Borrower(request) => Some(request),
            RequestTarget::ThirdParty { .. } => None,
        }
    }

    /// The third-party contact; none: the request is for the borrower.
    #[must_use]
    pub const fn third_party(&self) -> Option<&ThirdPartyId> {
        match &self.target {
            RequestTarget::Borrower(_) => None,
            RequestTarget::ThirdParty { third_party_id } => Some(third_party_id),
        }
    }

    /// The same request under another id, due at `now`; none: past [`MAX_BOUNCES`].
    #[must_use]
    pub fn requeued(&self, contact_id: ContactId, now: DateTime<Utc>) -> Option<Self> {
        let came_back = self.bounces.checked_add(1).filter(|count| *count <= MAX_BOUNCES)?;
        Some(Self {
            contact_id,
            evaluate_at: now,
            waits_for: None,
            reserved_as: None,
            bounces: came_back,
            ..self.clone()
        })
    }

    /// The local date on which the message was to leave, where a cause other than the gate has delayed it
    /// until `now`. A request of an account's first revision may be planned for a time before duewatch held the
    /// account: nothing was late then.
    #[must_use]
    pub fn late_since(&self, zone: Zone, now: DateTime<Utc>) -> Option<NaiveDate> {
        if self.waits_for.is_none() && self.revision <= FIRST_REVISION {
            return self.late_since;
        }
        let should = if self.waits_for.is_some() { self.evaluate_at } else { self.planned_at };
        self.late_since.or_else(|| (now - should > LATE_BY).then(|| business_date(zone, should)))
    }

    /// When the message leaves if it is evaluated at `now`. A message that is caught up waits for the policy's local
    /// time of sending; one that waited for the end of quiet hours, was counted, or bounced, does not.
    #[must_use]
    pub fn leaves_at(&self, account: &Account, policy: &Policy, now: DateTime<Utc>) -> DateTime<Utc> {
        let is_on_its_way = self.reserved_as.is_some() || self.bounces > 0;
        match self.borrower_request() {
            Some(request) if !is_on_its_way && !self.waited_for_quiet_hours() => {
                request.leaves_at(account, policy, now)
            }
            _ => now,
        }
    }

    /// When a deferred message is evaluated again, where the gate defers it until an instant: a day ends at
    /// midnight, and messages leave at the local time of sending.
    #[must_use]
    pub fn deferred_until(
        &self,
        until: DateTime<Utc>,
        reason: &GateReason,
        account: &Account,
        policy: &Policy,
    ) -> DateTime<Utc> {
        match (self.borrower_request(), reason) {
            (Some(request), reason) if !matches!(reason, GateReason::QuietHours { .. }) => {
                request.sent_from(account, policy, until)
            }
            _ => until,
        }
    }

    fn waited_for_quiet_hours(&self) -> bool {
        matches!(self.waits_for, Some(GateReason::QuietHours { .. }))
    }

    /// The gate request of this contact request, on its account as read again at `now`.
    #[must_use]
    pub fn gate_request(
        &self,
        account: &Account,
        policy: &Policy,
        figures: &Figures,
        now: DateTime<Utc>,
    ) -> GateRequest {
        let contact_id = self.contact_id.clone();
        let wish = match &self.target {
            RequestTarget::Borrower(request) => GateRequest::of(contact_id, account, policy, request, now),
            RequestTarget::ThirdParty { third_party_id } => GateRequest {
                contact_id,
                account_id: account.account_id.clone(),
                time_zone: account.time_zone,
                kind: GateRequestKind::ThirdParty {
                    third_party_id: third_party_id.clone(),
                    delinquent_days: figures.delinquent_days,
                    has_plan: reminder_hold(account, policy, now).is_some(),
                },
                channels: THIRD_PARTY_CHANNELS.to_vec(),
                number: None,
                reminder_hold: None,
                reserved_as: None,
            },
        };
        GateRequest { reserved_as: self.reserved_as.clone(), ..wish }
    }
}
