//! Contact rules: when and how often a policy lets the gate contact borrowers.

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::channel::Channel;
use super::document::Table;
use super::language::Language;
use crate::kernel::written_time;

/// The most quiet hours that a policy may name.
pub const MAX_QUIET_HOURS: usize = 20;

/// The most frequency caps that a policy may name.
pub const MAX_CAPS: usize = 20;

/// The most contacts that a frequency cap may allow. A contact profile keeps somewhat more.
pub const MAX_CAP: u32 = 100;

/// The most hours within which a message must be reported on.
pub const MAX_REPORT_HOURS: u32 = 720;

/// The most days of a cap's window, a silence or a breathing space.
pub const MAX_WINDOW_DAYS: u32 = 366;

/// How borrowers may be contacted. Left out, there are no quiet hours and no frequency caps; a borrower's own
/// statements hold all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactRules {
    /// The language of messages to borrowers who chose none.
    pub language: Option<Language>,
    /// In the borrower's local time.
    pub quiet_hours: Vec<QuietHours>,
    pub caps: Vec<Cap>,
    pub after_conversation_days: Option<AfterConversation>,
    pub consent_required: Vec<Channel>,
    /// Channels whose messages say how to opt out.
    pub opt_out: Vec<Channel>,
    pub complaint: Option<ComplaintRules>,
    pub breathing_space: Option<BreathingSpaceRules>,
    /// None: third-party contacts are never contacted.
    pub third_parties: Option<ThirdPartyRules>,
    /// None: no report on a message is missed.
    pub receipts: Option<ReceiptRules>,
    /// The lender's public address, against which a borrower can check a message.
    pub address: Option<String>,
    /// How to pay, in the words of a message.
    pub how_to_pay: LocalizedText,
    /// How to appeal and where to get help, in the words of a message.
    pub how_to_appeal: LocalizedText,
}

/// Local hours `[from, until)` in which no message leaves. They may run past midnight.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    #[serde(with = "written_time")]
    pub from: NaiveTime,
    #[serde(with = "written_time")]
    pub until: NaiveTime,
    pub channels: Vec<Channel>,
    /// Whether the borrower can agree to contacts in these hours.
    #[serde(default)]
    pub unless_agreed: bool,
}

/// A frequency cap. Over one day it counts the local calendar day, over n days the last n local calendar
/// days, today's included: 7 in 7 days allow an eighth on the eighth day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// Counted together.
    pub channels: Vec<Channel>,
    pub at_most: u32,
    pub days: u32,
    #[serde(default)]
    pub per: Per,
    #[serde(default)]
    pub counts: CapCounts,
}

/// The scope in which a cap counts contacts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// The customer, whatever the account and the caller.
    #[default]
    Person,
    Account,
    /// One number of the customer's.
    Number,
}

/// Which contacts a cap counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapCounts {
    /// All of them.
    #[default]
    Contacts,
    /// Those without a known answer.
    Unanswered,
    /// Those not known to have bounced or gone unanswered.
    Answered,
}

/// Silence after a conversation. The day of the conversation is the first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterConversation {
    /// A conversation on one of these channels silences all of them.
    pub channels: Vec<Channel>,
    /// In local days.
    pub days: u32,
    #[serde(default)]
    pub per: Per,
}

/// The consequences of a complaint: silence, and from then on fewer contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComplaintRules {
    /// Days after the day of the complaint on which only notices leave: on the channel of the complaint, or
    /// on all.
    #[serde(default)]
    pub quiet_days: u32,
    /// Local days between two contacts.
    #[serde(default)]
    pub min_gap_days: u32,
    /// Days after the complaint for which the gap holds; 0: from then on.
    #[serde(default)]
    pub min_gap_for_days: u32,
}

/// How long a breathing space lasts. The day on which it becomes known is day 0; day `days` is
/// the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreathingSpaceRules {
    /// The length in days if no end date is recorded.
    pub days: u32,
    /// Months since the end of another breathing space before a standard one counts; 0: each counts.
    #[serde(default)]
    pub once_in_months: u32,
    /// Days added after the treatment of a mental health crisis.
    #[serde(default)]
    pub mental_health_extra_days: u32,
}

/// When a third-party contact may be contacted. An officer's approval is always needed, and a refusal always
/// holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThirdPartyRules {
    /// The account has this many delinquent days or more.
    pub delinquent_days: u32,
    /// Failed attempts on the borrower since the last conversation, counted over `delinquent_days` days and
    /// over at least 30.
    pub failed_attempts: u32,
    /// The message's template, which can carry no amount.
    pub template: String,
}

impl ThirdPartyRules {
    /// The days over which failed attempts count: `delinquent_days`, at least 30.
    #[must_use]
    pub fn failed_days(&self) -> u32 {
        self.delinquent_days.max(30)
    }
}

/// Messages on which delivery providers must report, delivered or not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRules {
    pub channels: Vec<Channel>,
    pub within_hours: u32,
}

/// A text in the languages of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalizedText {
    pub zh: Option<String>,
    pub en: Option<String>,
}

impl LocalizedText {
    /// The text in a language, if the policy has one.
    #[must_use]
    pub fn of(&self, language: Language) -> Option<&str> {
        match language {
            Language::Zh => self.zh.as_deref(),
            Language::En => self.en.as_deref(),
        }
    }
}

impl ContactRules {
    /// The local days of contacts that the rules evaluate: the longest window of any rule.
    #[must_use]
    pub fn window_days(&self) -> u32 {
        let caps = self.caps.iter().map(|cap| cap.days);
        let after = self.after_conversation_days.iter().map(|rule| rule.days);
        let gap = self.complaint.iter().map(|rules| rules.min_gap_days);
        let failed = self.third_parties.iter().map(ThirdPartyRules::failed_days);
        caps.chain(after).chain(gap).chain(failed).max().unwrap_or(0)
    }

    /// Whether these rules allow no contact that `before` does not: neither more contacts nor another person.
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
            && match (&self.third_parties, &before.third_parties) {
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
    contact_persons: Option<ThirdPartyRules>,
    receipts: Option<ReceiptRules>,
    address: Option<String>,
    #[serde(default)]
    how_to_pay: LocalizedText,
    #[serde(default)]
    how_to_appeal: LocalizedText,
}

impl ContactTable {
    /// The byte offsets of its quiet hours and its frequency caps.
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
            third_parties: self.contact_persons,
            receipts: self.receipts,
            address: self.address,
            how_to_pay: self.how_to_pay,
            how_to_appeal: self.how_to_appeal,
        }
    }
}
