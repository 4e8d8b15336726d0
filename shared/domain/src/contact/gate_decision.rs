//! Gate decisions and their reasons. Reasons are data; sentences are made when they are printed.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::account::ContactHold;
use crate::policy::{CapCounts, Channel, Per};

/// The gate's decision on a contact request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case", deny_unknown_fields)]
pub enum GateDecision {
    /// The message may leave now, on this channel.
    Send {
        /// The first usable channel.
        channel: Channel,
    },
    /// The message waits. As far as is known now, no rule defers it at `until` any more.
    Defer {
        until: DateTime<Utc>,
        /// The first reason to wait.
        #[serde(rename = "why")]
        reason: GateReason,
    },
    /// The message does not leave.
    Suppress {
        /// The rule that forbids the message.
        #[serde(rename = "why")]
        reason: GateReason,
    },
}

/// The reason why a channel cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unusable {
    OptedOut,
    /// The channel needs a consent that was never given.
    NoConsent,
    /// The contact point was removed.
    NoContactPoint,
    /// The latest message on the channel bounced.
    Bounced,
}

/// The reason why a message does not leave now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum GateReason {
    /// A stop of all contact holds.
    #[serde(rename = "stopped")]
    OnHold {
        by: ContactHold,
        /// The first date without the stop; none: open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<NaiveDate>,
    },
    NoChannel {
        /// The requested channels, each with its problem.
        channels: Vec<(Channel, Unusable)>,
    },
    /// Quiet hours hold where the borrower is.
    QuietHours {
        /// Local time.
        #[serde(with = "crate::kernel::written_time")]
        from: NaiveTime,
        /// Local time, exclusive.
        #[serde(with = "crate::kernel::written_time")]
        until: NaiveTime,
    },
    /// The message is caught up, and leaves at the next local time of sending.
    SendTime {
        #[serde(with = "crate::kernel::written_time")]
        at: NaiveTime,
    },
    /// A frequency cap is reached.
    Cap {
        at_most: u32,
        /// Local calendar days.
        days: u32,
        per: Per,
        counts: CapCounts,
    },
    /// A conversation took place.
    AfterConversation {
        /// Local days, the day of the conversation included.
        days: u32,
    },
    /// The borrower has complained, and the last contact is recent.
    LowerFrequency {
        /// Local days between two contacts.
        days: u32,
    },
    /// The policy permits no third-party contact.
    #[serde(rename = "no_contact_persons")]
    NoThirdParties,
    /// The account has too few delinquent days for a third-party contact.
    TooEarly {
        /// The policy's threshold.
        delinquent_days: u32,
        /// The account's delinquent days.
        value: u32,
    },
    /// The borrower keeps to a plan, or is about to.
    ActivePlan,
    /// Too few attempts on the borrower have failed for a third-party contact.
    TooFewAttempts {
        /// The policy's threshold.
        failed_attempts: u32,
        /// The attempts that failed.
        value: u32,
    },
    /// No officer has approved the third-party contact.
    NotApproved,
    #[serde(rename = "contact_person_refused")]
    ThirdPartyRefused,
}

impl GateReason {
    /// The rule's name, as the formats write it.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::OnHold { .. } => "stopped",
            Self::NoChannel { .. } => "no_channel",
            Self::QuietHours { .. } => "quiet_hours",
            Self::SendTime { .. } => "send_time",
            Self::Cap { .. } => "cap",
            Self::AfterConversation { .. } => "after_conversation",
            Self::LowerFrequency { .. } => "lower_frequency",
            Self::NoThirdParties => "no_contact_persons",
            Self::TooEarly { .. } => "too_early",
            Self::ActivePlan => "active_plan",
            Self::TooFewAttempts { .. } => "too_few_attempts",
            Self::NotApproved => "not_approved",
            Self::ThirdPartyRefused => "contact_person_refused",
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OptedOut => "the person has opted out",
            Self::NoConsent => "it needs a consent that was not given",
            Self::NoContactPoint => "there is no contact point",
            Self::Bounced => "what was sent came back",
        })
    }
}

/// The reason as an English sentence.
impl fmt::Display for GateReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnHold { by, until: Some(until) } => write!(f, "{by}, until {until}."),
            Self::OnHold { by, until: None } => write!(f, "{by}, and nobody has said until when."),
            Self::NoChannel { channels } if channels.is_empty() => f.write_str("No channel was asked for."),
            Self::NoChannel { channels } => {
                let each: Vec<String> =
                    channels.iter().map(|(channel, problem)| format!("{channel}: {problem}")).collect();
                write!(f, "No channel is left: {}.", each.join("; "))
            }
            Self::QuietHours { from, until } => write!(
                f,
                "It is quiet where the person is, from {} until {}.",
                from.format("%H:%M"),
                until.format("%H:%M")
            ),
            Self::SendTime { at } => {
                write!(f, "It is caught up, and leaves at {}, the time of sending.", at.format("%H:%M"))
            }
            Self::Cap { at_most, days, per, counts } => {
                let what = match (counts, at_most) {
                    (CapCounts::Contacts, 1) => "1 contact",
                    (CapCounts::Contacts, _) => "contacts",
                    (CapCounts::Unanswered, 1) => "1 unanswered attempt",
                    (CapCounts::Unanswered, _) => "unanswered attempts",
                    (CapCounts::Answered, 1) => "1 conversation",
                    (CapCounts::Answered, _) => "conversations",
                };
                let count = if *at_most == 1 { String::new() } else { format!("{at_most} ") };
                let per = match per {
                    Per::Person => "for a person",
                    Per::Account => "for an account",
                    Per::Number => "for a number",
                };
                let days = if *days == 1 { "a day".to_owned() } else { format!("in {days} days") };
                write!(f, "There were {count}{what} already, the most {days} {per}.")
            }
            Self::AfterConversation { days } => {
                write!(
                    f,
                    "There was a conversation; the next contact is {days} days after it at the earliest."
                )
            }
            Self::LowerFrequency { days } => write!(
                f,
                "The person has complained; the next contact is {days} days after the last at the earliest."
            ),
            Self::NoThirdParties => f.write_str("The policy lets nobody but the debtor be contacted."),
            Self::TooEarly { delinquent_days, value } => write!(
                f,
                "A contact person is contacted at {delinquent_days} delinquent days or more; there are {value}."
            ),
            Self::ActivePlan => f.write_str("There is a plan; no contact person is contacted meanwhile."),
            Self::TooFewAttempts { failed_attempts, value } => write!(
                f,
                "The debtor must have been tried in vain {failed_attempts} times; it was {value} times."
            ),
            Self::NotApproved => f.write_str("No officer has approved contacting this contact person."),
            Self::ThirdPartyRefused => f.write_str("The contact person has refused."),
        }
    }
}
