//! Facts about contacting a customer.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::check::{check_date, check_reason};
use super::definition::{CommandDefinition, command};
use crate::kernel::{ContactId, Refusal, ThirdPartyId, written};
use crate::policy::Channel;

/// The kind of a breathing space, which decides how long it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreathingSpaceKind {
    /// Lasts for a number of days.
    Standard,
    /// Lasts while a mental health crisis is treated, and some days more.
    MentalHealth,
}

/// The most bytes of `by`, and of the name of a number or a relation.
const MAX_NAME_BYTES: usize = 200;

/// Whether a channel may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    Given,
    /// An opt-out.
    Withdrawn,
}

command! {
    /// A consent given or withdrawn.
    pub struct ConsentChanged as "consent_changed" {
        /// None: all channels. A withdrawal from all is a refusal of all contact.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub channel: Option<Channel>,
        pub consent: Consent,
        /// The customer, an officer or a system.
        pub by: String => not_blank(),
    }
    example: r#"{ "channel": "sms", "consent": "withdrawn", "by": "the customer" }"#
}

command! {
    /// A contact attempt, as an officer or an agency reports it.
    pub struct ContactAttempted as "contact_attempted" {
        /// The attempt's own id. The id of one of the lender's messages adds to the facts known of that message.
        pub contact_id: ContactId,
        pub channel: Channel,
        /// An officer or an agency.
        pub by: String => not_blank(),
        /// Whether a conversation took place.
        pub answered: bool,
        /// None: the instant at which the attempt became known. An agency may report a day's calls at night.
        #[serde(default, deserialize_with = "written::maybe_instant", skip_serializing_if = "Option::is_none")]
        pub attempted_at: Option<DateTime<Utc>>,
        /// The lender's name for one of several numbers, never the number; none: the channel's contact point.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub number: Option<String> => not_blank(),
    }
    example: r#"{
        "contact_id": "agency-3/77", "channel": "phone", "by": "agency-3", "answered": false,
        "attempted_at": "2023-10-05T09:00:00+08:00", "number": "work"
    }"#
}

command! {
    /// A complaint about being contacted.
    pub struct ComplaintMade as "complaint_made" {
        /// None: all contact.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub channel: Option<Channel>,
        pub reason: String,
    }
    example: r#"{ "channel": "phone", "reason": "called at work" }"#
}

command! {
    /// The start of a breathing space. The day on which it becomes known is day 0.
    #[derive(Copy)]
    pub struct BreathingSpaceStarted as "breathing_space_started" {
        pub kind: BreathingSpaceKind,
        /// The first date after it, or after the treatment of a mental health crisis; none: the policy decides,
        /// or the date is not known yet.
        #[serde(default, deserialize_with = "written::maybe_date", skip_serializing_if = "Option::is_none")]
        pub until: Option<NaiveDate>,
    }
    example: r#"{ "kind": "standard", "until": "2023-12-05" }"#
}

command! {
    /// A customer's vulnerability, which stops automated reminders. A later record replaces it.
    pub struct VulnerabilityRecorded as "vulnerability_recorded" {
        /// The first date on which the vulnerability is over; none: until the next record.
        #[serde(default, deserialize_with = "written::maybe_date", skip_serializing_if = "Option::is_none")]
        pub until: Option<NaiveDate>,
        /// Not kept in the contact profile.
        pub reason: String,
    }
    example: r#"{ "until": "2024-01-01", "reason": "bereaved" }"#
}

command! {
    /// A third-party contact, who may be asked about a borrower who cannot be reached.
    pub struct ThirdPartyAdded as "contact_person_added" {
        /// The lender's id of the third-party contact.
        #[serde(rename = "person_id")]
        pub third_party_id: ThirdPartyId => key("person_id"),
        /// The relation to the borrower.
        pub relation: String => not_blank(),
    }
    example: r#"{ "person_id": "CP-1", "relation": "spouse" }"#
}

command! {
    /// An officer's approval of a third-party contact.
    pub struct ThirdPartyApproved as "contact_person_approved" {
        #[serde(rename = "person_id")]
        pub third_party_id: ThirdPartyId => key("person_id"),
        pub by: String => not_blank(),
        pub reason: String,
    }
    example: r#"{ "person_id": "CP-1", "by": "officer-7", "reason": "not reached for a month" }"#
}

command! {
    /// A third-party contact's refusal of all contact, which is never revoked.
    pub struct ThirdPartyRefused as "contact_person_refused" {
        #[serde(rename = "person_id")]
        pub third_party_id: ThirdPartyId => key("person_id"),
    }
    example: r#"{ "person_id": "CP-1" }"#
}

command! {
    /// The end of the current breathing space. For a mental health crisis it is the end of the treatment.
    #[derive(Copy)]
    pub struct BreathingSpaceEnded as "breathing_space_ended" {}
    example: "{}"
}

impl CommandDefinition for ConsentChanged {
    fn check(&self) -> Result<(), Refusal> {
        check_name("by", &self.by)
    }
}

impl CommandDefinition for ContactAttempted {
    fn check(&self) -> Result<(), Refusal> {
        check_name("by", &self.by)?;
        self.number.as_deref().map_or(Ok(()), |number| check_name("number", number))
    }
}

impl CommandDefinition for ComplaintMade {
    fn check(&self) -> Result<(), Refusal> {
        check_reason(&self.reason)
    }
}

impl CommandDefinition for BreathingSpaceStarted {
    fn check(&self) -> Result<(), Refusal> {
        check_until(self.until)
    }
}

impl CommandDefinition for BreathingSpaceEnded {}

impl CommandDefinition for VulnerabilityRecorded {
    fn check(&self) -> Result<(), Refusal> {
        check_until(self.until)?;
        check_reason(&self.reason)
    }
}

impl CommandDefinition for ThirdPartyAdded {
    fn check(&self) -> Result<(), Refusal> {
        check_name("relation", &self.relation)
    }
}

impl CommandDefinition for ThirdPartyApproved {
    fn check(&self) -> Result<(), Refusal> {
        check_name("by", &self.by)?;
        check_reason(&self.reason)
    }
}

impl CommandDefinition for ThirdPartyRefused {}

fn check_name(field: &'static str, name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        Err(Refusal::Unnamed { field })
    } else if name.len() > MAX_NAME_BYTES {
        Err(Refusal::unfit(field, "it is longer than 200 bytes"))
    } else {
        Ok(())
    }
}

fn check_until(until: Option<NaiveDate>) -> Result<(), Refusal> {
    until.map_or(Ok(()), |until| check_date("until", until))
}
