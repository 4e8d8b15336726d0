//! Frequency caps: how often a customer may be contacted.
//!
//! A cap over one day counts the local calendar day; a cap over n days counts the last n local calendar days,
//! today's included. An attempt that is dated later than now counts too.

use chrono::NaiveDate;

use super::attempt::{AttemptOutcome, ContactAttempt};
use super::gate_decision::GateReason;
use crate::kernel::{AccountId, ThirdPartyId, Zone, business_date, plus_days};
use crate::policy::{Cap, CapCounts, Channel, ContactRules, Per};

/// The attempts against which a contact request is counted.
pub(super) struct CapCount<'a> {
    pub(super) zone: Zone,
    pub(super) today: NaiveDate,
    pub(super) channel: Channel,
    pub(super) account_id: &'a AccountId,
    pub(super) number: Option<&'a str>,
    pub(super) third_party: Option<&'a ThirdPartyId>,
    pub(super) attempts: Vec<&'a ContactAttempt>,
    /// The day of the last attempt that was forgotten. The number of attempts up to that day is unknown.
    pub(super) forgotten_on: Option<NaiveDate>,
}

/// The first permitted date, and the rule that permits none before.
pub(super) type CapWait = (NaiveDate, GateReason);

impl CapCount<'_> {
    /// The first date that the frequency caps, the wait after a conversation and the gap after a complaint
    /// permit; none: today.
    pub(super) fn first_date(&self, rules: &ContactRules, min_gap_days: Option<u32>) -> Option<CapWait> {
        let caps = rules.caps.iter().filter_map(|cap| self.capped(cap));
        let waits = caps.chain(self.after_conversation(rules)).chain(self.gap(min_gap_days));
        waits.filter(|(date, _)| *date > self.today).max_by_key(|(date, _)| *date)
    }

    fn capped(&self, cap: &Cap) -> Option<CapWait> {
        if !cap.channels.contains(&self.channel) {
            return None;
        }
        let counted = |attempt: &&&ContactAttempt| {
            cap.channels.contains(&attempt.channel)
                && self.concerns(attempt, cap.per)
                && match cap.counts {
                    CapCounts::Contacts => true,
                    // An attempt without a reported outcome counts as both unanswered and answered.
                    CapCounts::Unanswered => attempt.outcome != AttemptOutcome::Answered,
                    CapCounts::Answered => !attempt.has_failed(),
                }
        };
        let mut days: Vec<NaiveDate> =
            self.attempts.iter().filter(counted).map(|attempt| self.day_of(attempt)).collect();
        days.sort_unstable_by(|one, other| other.cmp(one));
        // This attempt must leave the window before another contact may follow.
        let most = usize::try_from(cap.at_most).unwrap_or(usize::MAX);
        let last = most.checked_sub(1).and_then(|place| days.get(place)).copied().max(self.forgotten_on)?;
        let reason =
            GateReason::Cap { at_most: cap.at_most, days: cap.days, per: cap.per, counts: cap.counts };
        Some((plus_days(last, i64::from(cap.days)), reason))
    }

    fn after_conversation(&self, rules: &ContactRules) -> Option<CapWait> {
        let rule = rules.after_conversation_days.as_ref()?;
        if !rule.channels.contains(&self.channel) {
            return None;
        }
        let conversations = self.attempts.iter().filter(|attempt| {
            attempt.outcome == AttemptOutcome::Answered
                && rule.channels.contains(&attempt.channel)
                && self.concerns(attempt, rule.per)
        });
        let last = conversations.map(|attempt| self.day_of(attempt)).max().max(self.forgotten_on)?;
        Some((plus_days(last, i64::from(rule.days)), GateReason::AfterConversation { days: rule.days }))
    }

    fn gap(&self, days: Option<u32>) -> Option<CapWait> {
        let days = days?;
        let last = self.attempts.iter().map(|attempt| self.day_of(attempt)).max().max(self.forgotten_on)?;
        Some((plus_days(last, i64::from(days)), GateReason::LowerFrequency { days }))
    }

    /// The number of failed attempts on the borrower since the last conversation, within the last `days`
    /// days.
    pub(super) fn failed(&self, days: u32) -> u32 {
        let first = plus_days(self.today, 1 - i64::from(days));
        let direct = self.attempts.iter().filter(|attempt| attempt.third_party.is_none());
        let answered = direct.clone().filter(|attempt| attempt.outcome == AttemptOutcome::Answered);
        let since = answered.map(|attempt| attempt.at).max();
        let failed = direct.filter(|attempt| {
            attempt.has_failed()
                && self.day_of(attempt) >= first
                && since.is_none_or(|since| attempt.at > since)
        });
        u32::try_from(failed.count()).unwrap_or(u32::MAX)
    }

    fn concerns(&self, attempt: &ContactAttempt, per: Per) -> bool {
        match per {
            Per::Person => true,
            Per::Account => attempt.accounts.contains(self.account_id),
            Per::Number => {
                attempt.number.as_deref() == self.number && attempt.third_party.as_ref() == self.third_party
            }
        }
    }

    fn day_of(&self, attempt: &ContactAttempt) -> NaiveDate {
        business_date(self.zone, attempt.at)
    }
}
