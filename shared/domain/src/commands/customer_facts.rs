//! Facts about contacting a customer. The variants bear the names of the event types.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    ContactId, MAX_AGREED_HOURS, MAX_LEAD_DAYS, MAX_LEADS, MAX_REASON_BYTES, Refusal, ThirdPartyId, Zone,
    is_in_range, written, written_time,
};
use crate::policy::{Channel, Language};

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

/// A fact about contacting a customer, addressed through one of the customer's accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactFact {
    Consent(ConsentChanged),
    Preferences(PreferencesChanged),
    Attempted(ContactAttempted),
    Complaint(ComplaintMade),
    BreathingSpaceStarted(BreathingSpaceStarted),
    /// The end of the current breathing space. For a mental health crisis it is the end of the treatment.
    BreathingSpaceEnded,
    Vulnerability(VulnerabilityRecorded),
    ThirdPartyAdded(ThirdPartyAdded),
    ThirdPartyApproved(ThirdPartyApproved),
    ThirdPartyRefused(ThirdPartyRefused),
}

/// Whether a channel may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    Given,
    /// An opt-out.
    Withdrawn,
}

/// A consent given or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentChanged {
    /// None: all channels. A withdrawal from all is a refusal of all contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    pub consent: Consent,
    /// The customer, an officer or a system.
    pub by: String,
}

/// A customer's contact preferences. A field that is left out keeps its value.
///
/// `remind_days_before` and `remind_at` are facts of the account that the event is addressed to: they decide
/// when its reminders are planned. The other fields belong to the contact profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreferencesChanged {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Zone>,
    /// The days before a due date on which to remind, 0 for the day itself; empty: as the policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_days_before: Option<Vec<u32>>,
    /// The local time of reminders.
    #[serde(default, with = "written_time::maybe", skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<NaiveTime>,
    /// Quiet hours in which the borrower welcomes contact; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_hours: Option<Vec<AgreedHours>>,
}

/// Local hours, `[from, until)`; they may run past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreedHours {
    #[serde(with = "written_time")]
    pub from: NaiveTime,
    #[serde(with = "written_time")]
    pub until: NaiveTime,
}

/// A contact attempt, as an officer or an agency reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactAttempted {
    /// The attempt's own id. The id of one of the lender's messages adds to the facts known of that message.
    pub contact_id: ContactId,
    pub channel: Channel,
    /// An officer or an agency.
    pub by: String,
    /// Whether a conversation took place.
    pub answered: bool,
    /// None: the instant at which the attempt became known. An agency may report a day's calls at night.
    #[serde(default, deserialize_with = "written::maybe_instant", skip_serializing_if = "Option::is_none")]
    pub attempted_at: Option<DateTime<Utc>>,
    /// The lender's name for one of several numbers, never the number; none: the channel's contact point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}

/// A complaint about being contacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplaintMade {
    /// None: all contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    pub reason: String,
}

/// The start of a breathing space. The day on which it becomes known is day 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreathingSpaceStarted {
    pub kind: BreathingSpaceKind,
    /// The first date after it, or after the treatment of a mental health crisis; none: the policy decides,
    /// or the date is not known yet.
    #[serde(default, deserialize_with = "written::maybe_date", skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

/// A customer's vulnerability, which stops automated reminders. A later record replaces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VulnerabilityRecorded {
    /// The first date on which the vulnerability is over; none: until the next record.
    #[serde(default, deserialize_with = "written::maybe_date", skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// Not kept in the contact profile.
    pub reason: String,
}

/// A third-party contact, who may be asked about a borrower who cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThirdPartyAdded {
    /// The lender's id of the third-party contact.
    #[serde(rename = "person_id")]
    pub third_party_id: ThirdPartyId,
    /// The relation to the borrower.
    pub relation: String,
}

/// An officer's approval of a third-party contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThirdPartyApproved {
    #[serde(rename = "person_id")]
    pub third_party_id: ThirdPartyId,
    pub by: String,
    pub reason: String,
}

/// A third-party contact's refusal of all contact, which is never revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThirdPartyRefused {
    #[serde(rename = "person_id")]
    pub third_party_id: ThirdPartyId,
}

impl ContactFact {
    /// The event type as the formats write it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Consent(_) => "consent_changed",
            Self::Preferences(_) => "preferences_changed",
            Self::Attempted(_) => "contact_attempted",
            Self::Complaint(_) => "complaint_made",
            Self::BreathingSpaceStarted(_) => "breathing_space_started",
            Self::BreathingSpaceEnded => "breathing_space_ended",
            Self::Vulnerability(_) => "vulnerability_recorded",
            Self::ThirdPartyAdded(_) => "contact_person_added",
            Self::ThirdPartyApproved(_) => "contact_person_approved",
            Self::ThirdPartyRefused(_) => "contact_person_refused",
        }
    }

    /// Checks that no name is empty and that every field keeps within its bounds.
    ///
    /// # Errors
    /// A [`Refusal`] that names the field.
    pub fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::Consent(change) => check_name("by", &change.by),
            Self::Preferences(preferences) => preferences.check(),
            Self::Attempted(attempt) => {
                check_name("by", &attempt.by)?;
                attempt.number.as_deref().map_or(Ok(()), |number| check_name("number", number))
            }
            Self::Complaint(complaint) => check_reason(&complaint.reason),
            Self::BreathingSpaceStarted(started) => check_date(started.until),
            Self::BreathingSpaceEnded | Self::ThirdPartyRefused(_) => Ok(()),
            Self::Vulnerability(recorded) => {
                check_date(recorded.until)?;
                check_reason(&recorded.reason)
            }
            Self::ThirdPartyAdded(added) => check_name("relation", &added.relation),
            Self::ThirdPartyApproved(approved) => {
                check_name("by", &approved.by)?;
                check_reason(&approved.reason)
            }
        }
    }
}

impl PreferencesChanged {
    fn check(&self) -> Result<(), Refusal> {
        let leads = self.remind_days_before.as_deref().unwrap_or_default();
        if leads.len() > MAX_LEADS || leads.iter().any(|days| *days > MAX_LEAD_DAYS) {
            let problem = "at most 5 leads, each of at most 31 days";
            return Err(Refusal::Unfit { field: "remind_days_before", problem });
        }
        let hours = self.agreed_hours.as_deref().unwrap_or_default();
        if hours.len() > MAX_AGREED_HOURS {
            return Err(Refusal::Unfit { field: "agreed_hours", problem: "at most 4 stretches of hours" });
        }
        if hours.iter().any(|hours| hours.from == hours.until) {
            let problem = "hours that end when they begin are none";
            return Err(Refusal::Unfit { field: "agreed_hours", problem });
        }
        Ok(())
    }

    /// Whether the preferences decide when the account's reminders leave.
    #[must_use]
    pub const fn plans(&self) -> bool {
        self.remind_days_before.is_some() || self.remind_at.is_some()
    }
}

fn check_name(field: &'static str, name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        Err(Refusal::Unnamed { field })
    } else if name.len() > MAX_NAME_BYTES {
        Err(Refusal::Unfit { field, problem: "it is longer than 200 bytes" })
    } else {
        Ok(())
    }
}

fn check_reason(reason: &str) -> Result<(), Refusal> {
    let bytes = reason.len();
    if bytes > MAX_REASON_BYTES { Err(Refusal::ReasonTooLong { bytes }) } else { Ok(()) }
}

fn check_date(until: Option<NaiveDate>) -> Result<(), Refusal> {
    match until.filter(|date| !is_in_range(*date)) {
        Some(date) => Err(Refusal::DateOutOfRange { field: "until", date }),
        None => Ok(()),
    }
}
