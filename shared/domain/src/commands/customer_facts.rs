//! What can become known of contacting somebody. The names are those of the event types.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    ContactId, ContactPersonId, MAX_AGREED_HOURS, MAX_LEAD_DAYS, MAX_LEADS, MAX_REASON_BYTES, Refusal, Zone,
    is_in_range, written, written_time,
};
use crate::policy::{Channel, Language};

/// Of which kind a breathing space is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreathingSpaceKind {
    /// For a number of days.
    Standard,
    /// For as long as a mental health crisis is treated, and some days.
    MentalHealth,
}

/// The most bytes of who says something, and of a name for a number or a relation.
const MAX_NAME_BYTES: usize = 200;

/// A fact about contacting a customer, addressed through one of the customer's accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonFact {
    /// `consent_changed`
    Consent(ConsentChanged),
    /// `preferences_changed`
    Preferences(PreferencesChanged),
    /// `contact_attempted`
    Attempted(ContactAttempted),
    /// `complaint_made`
    Complaint(ComplaintMade),
    /// `breathing_space_started`
    BreathingSpaceStarted(BreathingSpaceStarted),
    /// `breathing_space_ended`: the one that is going on. Of a mental health crisis it says
    /// that its treatment has ended.
    BreathingSpaceEnded,
    /// `vulnerability_recorded`
    Vulnerability(VulnerabilityRecorded),
    /// `contact_person_added`
    ContactPersonAdded(ContactPersonAdded),
    /// `contact_person_approved`
    ContactPersonApproved(ContactPersonApproved),
    /// `contact_person_refused`
    ContactPersonRefused(ContactPersonRefused),
}

/// Whether a channel may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// It may.
    Given,
    /// It may not: an opt-out.
    Withdrawn,
}

/// A consent given or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentChanged {
    /// For which channel; none: for all of them, which is a refusal of all contact where it
    /// is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// What it is from now on.
    pub consent: Consent,
    /// Who says so: the customer, an officer, a system.
    pub by: String,
}

/// What somebody prefers. What is left out stays as it was.
///
/// `remind_days_before` and `remind_at` are facts of the account that the event is addressed
/// to: they say when it is planned for. The others are the person's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreferencesChanged {
    /// The language of messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Where the person is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Zone>,
    /// On how many days before a due date to be reminded of it, 0 for the day itself; empty:
    /// as the policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_days_before: Option<Vec<u32>>,
    /// At which local time.
    #[serde(default, with = "written_time::maybe", skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<NaiveTime>,
    /// Quiet hours in which contact is welcome all the same; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_hours: Option<Vec<AgreedHours>>,
}

/// Local hours, `[from, until)`; they may run past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreedHours {
    /// From this local time on.
    #[serde(with = "written_time")]
    pub from: NaiveTime,
    /// Until this one.
    #[serde(with = "written_time")]
    pub until: NaiveTime,
}

/// An attempt to reach somebody, as an officer or an agency reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactAttempted {
    /// The attempt's own id; that of one of the lender's messages adds to what is known of it.
    pub contact_id: ContactId,
    /// How.
    pub channel: Channel,
    /// Who tried: an officer, an agency.
    pub by: String,
    /// Whether there was a conversation.
    pub answered: bool,
    /// When it was; none: when it became known. An agency may report a day's calls at night.
    #[serde(default, deserialize_with = "written::maybe_instant", skip_serializing_if = "Option::is_none")]
    pub attempted_at: Option<DateTime<Utc>>,
    /// Which of several numbers, by the lender's name for it, never the number; none: the
    /// channel's contact point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}

/// A complaint about being contacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplaintMade {
    /// About which channel; none: about all contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// What it is about.
    pub reason: String,
}

/// The beginning of a breathing space: the day on which it becomes known is day 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreathingSpaceStarted {
    /// Of which kind.
    pub kind: BreathingSpaceKind,
    /// The first date after it, or after the treatment of a mental health crisis; none: the
    /// policy says, or nobody knows yet.
    #[serde(default, deserialize_with = "written::maybe_date", skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

/// Somebody needs to be left alone by machines. A later one takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VulnerabilityRecorded {
    /// The first date on which that is over; none: until another is recorded.
    #[serde(default, deserialize_with = "written::maybe_date", skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// Why. It is not kept with the person.
    pub reason: String,
}

/// Somebody who may be asked about a debtor who cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactPersonAdded {
    /// The lender's id for them.
    pub person_id: ContactPersonId,
    /// Who they are to the debtor.
    pub relation: String,
}

/// An officer's approval of contacting them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactPersonApproved {
    /// Whom.
    pub person_id: ContactPersonId,
    /// The officer.
    pub by: String,
    /// On what grounds.
    pub reason: String,
}

/// They do not want to be contacted. Nothing takes that back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactPersonRefused {
    /// Who.
    pub person_id: ContactPersonId,
}

impl PersonFact {
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
            Self::ContactPersonAdded(_) => "contact_person_added",
            Self::ContactPersonApproved(_) => "contact_person_approved",
            Self::ContactPersonRefused(_) => "contact_person_refused",
        }
    }

    /// Whether it can be kept: everybody has a name, nothing is too long or too much.
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
            Self::BreathingSpaceEnded | Self::ContactPersonRefused(_) => Ok(()),
            Self::Vulnerability(recorded) => {
                check_date(recorded.until)?;
                check_reason(&recorded.reason)
            }
            Self::ContactPersonAdded(added) => check_name("relation", &added.relation),
            Self::ContactPersonApproved(approved) => {
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

    /// Whether it says anything of when the account's reminders leave.
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
