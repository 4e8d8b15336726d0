//! How people may be contacted: what a policy asks of the gate.

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::channel::Channel;
use super::document::Table;
use super::language::Language;
use crate::kernel::written_time;

/// The most quiet hours that a policy may name.
pub const MAX_QUIET_HOURS: usize = 20;

/// The most caps that a policy may name.
pub const MAX_CAPS: usize = 20;

/// The most contacts that a cap may allow: a person keeps somewhat more.
pub const MAX_CAP: u32 = 100;

/// The most hours that a report of a message may take.
pub const MAX_REPORT_HOURS: u32 = 720;

/// The most days that a window, a silence or a breathing space may last.
pub const MAX_WINDOW_DAYS: u32 = 366;

/// How people may be contacted. Left out, nothing is quiet and nothing capped; what a person
/// has said holds all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactRules {
    /// The language of messages to whoever has chosen none.
    pub language: Option<Language>,
    /// When it is quiet, by the person's clock.
    pub quiet_hours: Vec<QuietHours>,
    /// How often somebody may be contacted.
    pub caps: Vec<Cap>,
    /// For how long nobody calls after a conversation.
    pub after_conversation_days: Option<AfterConversation>,
    /// Channels that need a consent.
    pub consent_required: Vec<Channel>,
    /// Channels whose messages say how to opt out.
    pub opt_out: Vec<Channel>,
    /// What a complaint brings.
    pub complaint: Option<ComplaintRules>,
    /// How long a breathing space lasts.
    pub breathing_space: Option<BreathingSpaceRules>,
    /// When a contact person may be contacted; none: never.
    pub contact_persons: Option<ContactPersonRules>,
    /// Which messages must be reported on; none: nobody misses a report.
    pub receipts: Option<ReceiptRules>,
    /// The lender's public address, with which a message can be held against it.
    pub address: Option<String>,
    /// How to pay, as messages say it.
    pub how_to_pay: Texts,
    /// How to appeal and where to get help, as messages say it.
    pub how_to_appeal: Texts,
}

/// Hours, `[from, until)`, in which nothing leaves; they may run past midnight.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// From this local time on.
    #[serde(with = "written_time")]
    pub from: NaiveTime,
    /// Until this one.
    #[serde(with = "written_time")]
    pub until: NaiveTime,
    /// On which channels.
    pub channels: Vec<Channel>,
    /// Whether the person can agree to be contacted all the same.
    #[serde(default)]
    pub unless_agreed: bool,
}

/// A cap on contacts. One over a day counts the local calendar day, one over n days the last n
/// local calendar days, today's included: 7 in 7 days allow an eighth on the eighth day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// On which channels, all together.
    pub channels: Vec<Channel>,
    /// So many.
    pub at_most: u32,
    /// In so many days.
    pub days: u32,
    /// Of whom.
    #[serde(default)]
    pub per: Per,
    /// Which count.
    #[serde(default)]
    pub counts: Counts,
}

/// What a cap is counted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// A person, whatever the account and whoever contacts them.
    #[default]
    Person,
    /// An account.
    Account,
    /// A number of the person's.
    Number,
}

/// Which contacts a cap counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// All of them.
    #[default]
    Contacts,
    /// Those that nobody is known to have answered.
    Unanswered,
    /// Those that somebody has answered, as far as nobody knows otherwise.
    Answered,
}

/// Silence after a conversation, whose own day is the first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterConversation {
    /// Conversations on which channels silence which.
    pub channels: Vec<Channel>,
    /// For so many local days.
    pub days: u32,
    /// Of whom.
    #[serde(default)]
    pub per: Per,
}

/// What a complaint brings: silence, and from then on fewer contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplaintRules {
    /// So many days after the day of the complaint nothing but notices leaves: on the channel
    /// that it is about, or on all.
    #[serde(default)]
    pub quiet_days: u32,
    /// So many local days lie between two contacts.
    #[serde(default)]
    pub min_gap_days: u32,
    /// For so many days after the complaint; 0: from then on.
    #[serde(default)]
    pub min_gap_for_days: u32,
}

/// How long a breathing space lasts. The day on which it becomes known is day 0; day `days` is
/// the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreathingSpaceRules {
    /// So many days, where nobody has said until when.
    pub days: u32,
    /// A standard one counts only if so many months have passed since the end of another; 0:
    /// each counts.
    #[serde(default)]
    pub once_in_months: u32,
    /// So many days after the treatment of a mental health crisis.
    #[serde(default)]
    pub mental_health_extra_days: u32,
}

/// When somebody other than the debtor may be contacted. An officer's approval is always needed,
/// and a refusal always holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactPersonRules {
    /// At so many delinquent days or more.
    pub delinquent_days: u32,
    /// After so many failed attempts on the debtor since the last conversation, in as many
    /// days as there must be delinquent ones, and in 30 at the least.
    pub failed_attempts: u32,
    /// Which text the message bears. It can carry no amount.
    pub template: String,
}

impl ContactPersonRules {
    /// In how many days failed attempts count.
    #[must_use]
    pub fn failed_days(&self) -> u32 {
        self.delinquent_days.max(30)
    }
}

/// Which messages their senders must report on, delivered or not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRules {
    /// Those on these channels.
    pub channels: Vec<Channel>,
    /// Within so many hours.
    pub within_hours: u32,
}

/// A text in the languages in which messages are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// In Chinese.
    pub zh: Option<String>,
    /// In English.
    pub en: Option<String>,
}

impl Texts {
    /// The text in a language.
    #[must_use]
    pub fn of(&self, language: Language) -> Option<&str> {
        match language {
            Language::Zh => self.zh.as_deref(),
            Language::En => self.en.as_deref(),
        }
    }
}

impl ContactRules {
    /// For how many local days back contacts are looked at.
    #[must_use]
    pub fn window_days(&self) -> u32 {
        let caps = self.caps.iter().map(|cap| cap.days);
        let after = self.after_conversation_days.iter().map(|rule| rule.days);
        let gap = self.complaint.iter().map(|rules| rules.min_gap_days);
        let failed = self.contact_persons.iter().map(ContactPersonRules::failed_days);
        caps.chain(after).chain(gap).chain(failed).max().unwrap_or(0)
    }

    /// Whether under these nobody can be contacted more than under `before`, or somebody who
    /// could not be.
    pub(super) fn is_no_stricter_than(&self, before: &Self) -> bool {
        let is_kept = |then: &Cap| {
            self.caps.iter().any(|now| {
                (now.per, now.counts) == (then.per, then.counts)
                    && is_within(&then.channels, &now.channels)
                    && now.at_most <= then.at_most
                    && now.days >= then.days
            })
        };
        let complaint = |rules: &Self| {
            rules.complaint.map(|one| {
                let lasts = if one.min_gap_for_days == 0 { u32::MAX } else { one.min_gap_for_days };
                (one.quiet_days, one.min_gap_days, lasts)
            })
        };
        let breathing = |rules: &Self| {
            rules.breathing_space.map(|one| (one.days, one.once_in_months, one.mental_health_extra_days))
        };
        is_within(&before.quiet_hours, &self.quiet_hours)
            && before.caps.iter().all(is_kept)
            && (before.after_conversation_days.is_none()
                || self.after_conversation_days == before.after_conversation_days)
            && is_within(&before.consent_required, &self.consent_required)
            && is_within(&before.opt_out, &self.opt_out)
            && match (complaint(self), complaint(before)) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(now), Some(then)) => now.0 >= then.0 && now.1 >= then.1 && now.2 >= then.2,
            }
            && match (breathing(self), breathing(before)) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(now), Some(then)) => now.0 >= then.0 && now.1 <= then.1 && now.2 >= then.2,
            }
            && match (&self.contact_persons, &before.contact_persons) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(now), Some(then)) => {
                    now.delinquent_days >= then.delinquent_days && now.failed_attempts >= then.failed_attempts
                }
            }
    }
}

pub(super) fn is_within<T: PartialEq>(some: &[T], all: &[T]) -> bool {
    some.iter().all(|one| all.contains(one))
}

/// The `[contact]` table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactTable {
    language: Option<Language>,
    #[serde(default)]
    quiet_hours: Vec<Spanned<QuietHours>>,
    #[serde(default)]
    caps: Vec<Spanned<Cap>>,
    after_conversation_days: Option<AfterConversation>,
    #[serde(default)]
    consent_required: Vec<Channel>,
    #[serde(default)]
    opt_out: Vec<Channel>,
    complaint: Option<Table<ComplaintRules>>,
    breathing_space: Option<BreathingSpaceRules>,
    contact_persons: Option<ContactPersonRules>,
    receipts: Option<ReceiptRules>,
    address: Option<String>,
    #[serde(default)]
    how_to_pay: Texts,
    #[serde(default)]
    how_to_appeal: Texts,
}

impl ContactTable {
    /// Where its quiet hours and its caps begin.
    pub(super) fn offsets(&self) -> (Vec<usize>, Vec<usize>) {
        (
            self.quiet_hours.iter().map(|hours| hours.span().start).collect(),
            self.caps.iter().map(|cap| cap.span().start).collect(),
        )
    }

    pub(super) fn into_rules(self) -> ContactRules {
        ContactRules {
            language: self.language,
            quiet_hours: self.quiet_hours.into_iter().map(Spanned::into_inner).collect(),
            caps: self.caps.into_iter().map(Spanned::into_inner).collect(),
            after_conversation_days: self.after_conversation_days,
            consent_required: self.consent_required,
            opt_out: self.opt_out,
            complaint: self.complaint.map(|table| table.0),
            breathing_space: self.breathing_space,
            contact_persons: self.contact_persons,
            receipts: self.receipts,
            address: self.address,
            how_to_pay: self.how_to_pay,
            how_to_appeal: self.how_to_appeal,
        }
    }
}
