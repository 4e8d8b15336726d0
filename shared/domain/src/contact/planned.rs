//! A planned contact: what an account wishes to say to a person, until it has left.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::gate::{Kind, Wish};
use super::verdict::Why;
use crate::account::{Account, Figures, Intent};
use crate::assessment::held;
use crate::kernel::{
    AccountId, ContactId, ContactPersonId, CustomerId, PolicyId, Revision, Zone, business_date,
};
use crate::policy::{Channel, Policy, StageName};

/// The channels on which a contact person is asked, the best first.
const TO_CONTACT_PERSONS: [Channel; 2] = [Channel::Phone, Channel::Sms];

/// What leaves so much later than it should says so.
const LATE_BY: TimeDelta = TimeDelta::hours(6);

/// What an account wishes to say to a person, and when somebody next looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Its own id, unique for the person.
    pub contact_id: ContactId,
    /// Who it is for.
    pub customer_id: CustomerId,
    /// The account that it is about.
    pub account_id: AccountId,
    /// Under which policy.
    pub policy_id: PolicyId,
    /// The account's revision that wished for it.
    pub revision: Revision,
    /// The stage on which the account stood then.
    pub stage: StageName,
    /// What it is.
    pub wanted: Wanted,
    /// When it was to leave.
    pub planned_at: DateTime<Utc>,
    /// When somebody looks at it next.
    pub look_at: DateTime<Utc>,
    /// What it waits for; none: for its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Why>,
    /// The date on which it was to leave, where it was late before it had to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_since: Option<NaiveDate>,
    /// The message under which it was counted, whether that left or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved_as: Option<ContactId>,
    /// How often it has come back and was planned again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub came_back: u32,
}

/// How often a contact that comes back is planned again, over and over: once for each channel
/// there is. The gate knows each channel that something came back from and takes the next, so
/// that this ends by itself, with no channel left. The bound is for senders that report what
/// cannot be: of one message that it came back and later that it arrived.
pub const MAX_CAME_BACK: u32 = 5;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What is wished for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Wanted {
    /// To tell the borrower something.
    Intent(Intent),
    /// To ask a contact person to have the borrower call back.
    ContactPerson {
        /// Whom.
        person_id: ContactPersonId,
    },
}

impl Planned {
    /// The intent, where it is one.
    #[must_use]
    pub const fn intent(&self) -> Option<&Intent> {
        match &self.wanted {
            Wanted::Intent(intent) => Some(intent),
            Wanted::ContactPerson { .. } => None,
        }
    }

    /// The contact person, where it is for one.
    #[must_use]
    pub const fn contact_person(&self) -> Option<&ContactPersonId> {
        match &self.wanted {
            Wanted::Intent(_) => None,
            Wanted::ContactPerson { person_id } => Some(person_id),
        }
    }

    /// The same once more under another id, due at `now`; none: it has come back too often.
    #[must_use]
    pub fn again(&self, contact_id: ContactId, now: DateTime<Utc>) -> Option<Self> {
        let came_back = self.came_back.checked_add(1).filter(|count| *count <= MAX_CAME_BACK)?;
        Some(Self { contact_id, look_at: now, waits_for: None, reserved_as: None, came_back, ..self.clone() })
    }

    /// The local date on which it was to leave, where something other than the gate has kept it
    /// back until `now`.
    #[must_use]
    pub fn late_since(&self, zone: Zone, now: DateTime<Utc>) -> Option<NaiveDate> {
        let should = if self.waits_for.is_some() { self.look_at } else { self.planned_at };
        self.late_since.or_else(|| (now - should > LATE_BY).then(|| business_date(zone, should)))
    }

    /// The wish that it is, as its account stands when it is read again at `now`.
    #[must_use]
    pub fn wish(&self, account: &Account, policy: &Policy, figures: &Figures, now: DateTime<Utc>) -> Wish {
        let contact_id = self.contact_id.clone();
        let wish = match &self.wanted {
            Wanted::Intent(intent) => Wish::of(contact_id, account, policy, intent, now),
            Wanted::ContactPerson { person_id } => Wish {
                contact_id,
                account_id: account.account_id.clone(),
                time_zone: account.time_zone,
                kind: Kind::ContactPerson {
                    person_id: person_id.clone(),
                    delinquent_days: figures.delinquent_days,
                    has_plan: held(account, policy, now).is_some(),
                },
                channels: TO_CONTACT_PERSONS.to_vec(),
                number: None,
                held: None,
                reserved_as: None,
            },
        };
        Wish { reserved_as: self.reserved_as.clone(), ..wish }
    }
}
