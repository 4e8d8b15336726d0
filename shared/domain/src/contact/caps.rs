//! Frequency caps: how often a customer may be contacted.
//!
//! A cap over one day counts the local calendar day; a cap over n days counts the last n local calendar days,
//! today's included. An attempt that is dated later than now counts too.

use chrono::NaiveDate;

use super::attempt::{Attempt, Outcome};
use super::verdict::Why;
use crate::kernel::{AccountId, ContactPersonId, Zone, business_date, plus_days};
use crate::policy::{Cap, Channel, ContactRules, Counts, Per};

/// The attempts against which a contact request is counted.
pub(super) struct Counting<'a> {
    pub(super) zone: Zone,
    pub(super) today: NaiveDate,
    pub(super) channel: Channel,
    pub(super) account_id: &'a AccountId,
    pub(super) number: Option<&'a str>,
    pub(super) contact_person: Option<&'a ContactPersonId>,
    pub(super) attempts: Vec<&'a Attempt>,
    /// The day of the last attempt that was forgotten. The number of attempts up to that day is unknown.
    pub(super) forgotten_on: Option<NaiveDate>,
}

/// The first permitted date, and the rule that permits none before.
pub(super) type Wait = (NaiveDate, Why);

impl Counting<'_> {
    /// The first date that the frequency caps, the wait after a conversation and the gap after a complaint
    /// permit; none: today.
    pub(super) fn first_date(&self, rules: &ContactRules, min_gap_days: Option<u32>) -> Option<Wait> {
        let caps = rules.caps.iter().filter_map(|cap| self.capped(cap));
        let waits = caps.chain(self.after_conversation(rules)).chain(self.gap(min_gap_days));
        waits.filter(|(date, _)| *date > self.today).max_by_key(|(date, _)| *date)
    }

    fn capped(&self, cap: &Cap) -> Option<Wait> {
        if !cap.channels.contains(&self.channel) {
            return None;
        }
        let counted = |attempt: &&&Attempt| {
            cap.channels.contains(&attempt.channel)
                && self.concerns(attempt, cap.per)
                && match cap.counts {
                    Counts::Contacts => true,
                    // An attempt without a reported outcome counts as both unanswered and answered.
                    Counts::Unanswered => attempt.outcome != Outcome::Answered,
                    Counts::Answered => !attempt.has_failed(),
                }
        };
        let mut days: Vec<NaiveDate> =
            self.attempts.iter().filter(counted).map(|attempt| self.day_of(attempt)).collect();
        days.sort_unstable_by(|one, other| other.cmp(one));
        // This attempt must leave the window before another contact may follow.
        let most = usize::try_from(cap.at_most).unwrap_or(usize::MAX);
        let last = most.checked_sub(1).and_then(|place| days.get(place)).copied().max(self.forgotten_on)?;
        let why = Why::Cap { at_most: cap.at_most, days: cap.days, per: cap.per, counts: cap.counts };
        Some((plus_days(last, i64::from(cap.days)), why))
    }

    fn after_conversation(&self, rules: &ContactRules) -> Option<Wait> {
        let rule = rules.after_conversation_days.as_ref()?;
        if !rule.channels.contains(&self.channel) {
            return None;
        }
        let conversations = self.attempts.iter().filter(|attempt| {
            attempt.outcome == Outcome::Answered
                && rule.channels.contains(&attempt.channel)
                && self.concerns(attempt, rule.per)
        });
        let last = conversations.map(|attempt| self.day_of(attempt)).max().max(self.forgotten_on)?;
        Some((plus_days(last, i64::from(rule.days)), Why::AfterConversation { days: rule.days }))
    }

    fn gap(&self, days: Option<u32>) -> Option<Wait> {
        let days = days?;
        let last = self.attempts.iter().map(|attempt| self.day_of(attempt)).max().max(self.forgotten_on)?;
        Some((plus_days(last, i64::from(days)), Why::LowerFrequency { days }))
    }

    /// The number of failed attempts on the borrower since the last conversation, within the last `days`
    /// days.
    pub(super) fn failed(&self, days: u32) -> u32 {
        let first = plus_days(self.today, 1 - i64::from(days));
        let direct = self.attempts.iter().filter(|attempt| attempt.contact_person.is_none());
        let answered = direct.clone().filter(|attempt| attempt.outcome == Outcome::Answered);
        let since = answered.map(|attempt| attempt.at).max();
        let failed = direct.filter(|attempt| {
            attempt.has_failed()
                && self.day_of(attempt) >= first
                && since.is_none_or(|since| attempt.at > since)
        });
        u32::try_from(failed.count()).unwrap_or(u32::MAX)
    }

    fn concerns(&self, attempt: &Attempt, per: Per) -> bool {
        match per {
            Per::Person => true,
            Per::Account => attempt.accounts.contains(self.account_id),
            Per::Number => {
                attempt.number.as_deref() == self.number
                    && attempt.contact_person.as_ref() == self.contact_person
            }
        }
    }

    fn day_of(&self, attempt: &Attempt) -> NaiveDate {
        business_date(self.zone, attempt.at)
    }
}
