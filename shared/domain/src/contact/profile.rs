//! The contact profile: everything known about contacting a customer.
//!
//! Names and contact points are kept apart from it. The profile has bounds, so that it fits into one item.
//! Within them, facts may come repeatedly and in any order, from any source: of two, the one that became known
//! later stands. An older consent that a slow source sends revokes no opt-out. Only whether a channel has a
//! contact point follows the messages as they arrive, as the contact point itself does.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::attempt::{AttemptOutcome, ContactAttempt};
use super::gate_decision::Unusable;
use super::stamped::{Arrived, Stamp, Stamped, later, learn};
use crate::commands::{
    AgreedHours, Applied, BreathingSpaceStarted, Command, CommandDefinition, Consent, ContactAttempted,
    ContactFact, InboundMessage, PreferencesChanged,
};
use crate::kernel::{AccountId, ContactId, CustomerId, Refusal, Revision, ThirdPartyId, Zone};
use crate::policy::{Channel, Language};

/// The most contacts that a profile keeps: the latest. While a forgotten contact lies in a cap's window, the
/// cap counts as reached.
pub const MAX_RECENT_CONTACTS: usize = 200;

/// The fewest days for which contacts are kept, however short the windows of frequency caps: another
/// account's policy may count over longer ones.
const KEPT_DAYS: u32 = 31;

/// The most accounts that one contact is about. A message about more is split.
pub const MAX_CONTACTED_ACCOUNTS: usize = 20;

/// The most breathing spaces, and the most ends of them, that a profile keeps: the latest.
pub const MAX_BREATHING_SPACES: usize = 20;

/// The most third-party contacts of a customer.
pub const MAX_THIRD_PARTIES: usize = 20;

/// The contact profile of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactProfile {
    pub customer_id: CustomerId,
    /// None: the account's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<Stamped<Zone>>,
    /// None: the policy's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<Stamped<Language>>,
    /// Quiet hours in which the borrower welcomes contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agreed_hours: Option<Stamped<Vec<AgreedHours>>>,
    /// The latest consent for all channels together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consent: Option<Stamped<Consent>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    channels: BTreeMap<Channel, ChannelState>,
    /// The latest complaint about all contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    complained_at: Option<DateTime<Utc>>,
    /// The first date on which the vulnerability is over; inner none: no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vulnerable_until: Option<Stamped<Option<NaiveDate>>>,
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    breathing_starts: Vec<Stamped<BreathingSpaceStarted>>,
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    breathing_ends: Vec<Stamp>,
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) attempts: Vec<ContactAttempt>,
    /// The instant of the latest attempt that was forgotten for want of room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten_through: Option<DateTime<Utc>>,
    /// The longest window, in days, over which contacts were ever counted.
    #[serde(default)]
    window_days: u32,
    #[serde(rename = "contact_persons", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) third_parties: BTreeMap<ThirdPartyId, ThirdPartyContact>,
    /// The number of times the profile was written.
    pub revision: Revision,
}

/// The contact state of one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelState {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Stamped<Consent>>,
    /// None: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_point: Option<Arrived<bool>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliverability: Option<Deliverability>,
    /// The latest complaint about this channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complained_at: Option<DateTime<Utc>>,
}

/// The latest delivery report of a channel. At equal instants the bounce stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliverability {
    pub at: DateTime<Utc>,
    pub bounced: bool,
}

/// A third-party contact, who may be asked about a borrower who cannot be reached. Name and number are not
/// kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThirdPartyContact {
    /// The relation to the borrower; none: not reported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Stamped<String>>,
    /// The latest approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Stamped<ThirdPartyApproval>>,
    /// The latest refusal, which is never revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<DateTime<Utc>>,
}

/// An officer's approval of a third-party contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThirdPartyApproval {
    pub by: String,
    pub reason: String,
}

/// Whether a vulnerability of the borrower is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vulnerability {
    NotRecorded,
    /// `until` is the first date on which it is over; none: without end.
    Recorded {
        until: Option<NaiveDate>,
    },
}

impl ContactProfile {
    /// A profile without any fact.
    #[must_use]
    pub fn new(customer_id: CustomerId) -> Self {
        Self {
            customer_id,
            time_zone: None,
            language: None,
            agreed_hours: None,
            consent: None,
            channels: BTreeMap::new(),
            complained_at: None,
            vulnerable_until: None,
            breathing_starts: Vec::new(),
            breathing_ends: Vec::new(),
            attempts: Vec::new(),
            forgotten_through: None,
            window_days: 0,
            third_parties: BTreeMap::new(),
            revision: Revision::default(),
        }
    }

    /// Applies a message to one of the customer's accounts. A fact of the account alone changes nothing here.
    ///
    /// # Errors
    /// A [`Refusal`]; the profile is then unchanged.
    pub fn take(&mut self, message: &InboundMessage) -> Result<Applied, Refusal> {
        let event = &message.event;
        let (event_id, source) = (message.event_id.clone(), message.source.clone());
        let by = Stamp { at: event.at, event_id, source };
        match &event.command {
            Command::ContactChanged(change) => {
                change.check()?;
                self.point_changed(change.channel, change.contact_point.is_some(), &by)
            }
            Command::Contact(fact) => self.apply(&event.account_id, fact, &by),
            _ => Ok(Applied::Unchanged),
        }
    }

    /// Applies a fact that was addressed through `account_id`.
    ///
    /// # Errors
    /// A [`Refusal`]; the profile is then unchanged.
    pub fn apply(
        &mut self,
        account_id: &AccountId,
        fact: &ContactFact,
        by: &Stamp,
    ) -> Result<Applied, Refusal> {
        fact.check()?;
        if let ContactFact::Attempted(attempted) = fact
            && attempted.attempted_at.is_some_and(|at| at > by.at)
        {
            let problem = "it is later than the instant at which it became known";
            return Err(Refusal::unfit("attempted_at", problem));
        }
        if let Some(third_party_id) = third_party_of(fact)
            && !self.third_parties.contains_key(third_party_id)
            && self.third_parties.len() >= MAX_THIRD_PARTIES
        {
            let problem = "a customer has at most 20 third-party contacts";
            return Err(Refusal::unfit("person_id", problem));
        }
        let before = self.clone();
        self.learn(account_id, fact, by);
        Ok(changed(*self != before))
    }

    fn learn(&mut self, account_id: &AccountId, fact: &ContactFact, by: &Stamp) {
        match fact {
            ContactFact::Consent(change) => match change.channel {
                Some(channel) => learn(&mut self.channel_mut(channel).consent, change.consent, by),
                None => learn(&mut self.consent, change.consent, by),
            },
            ContactFact::Preferences(preferences) => self.prefer(preferences, by),
            ContactFact::Attempted(attempted) => self.keep(reported(account_id, attempted, by)),
            ContactFact::Complaint(complaint) => self.complain(complaint.channel, by.at),
            ContactFact::BreathingSpaceStarted(started) => {
                let starts = &mut self.breathing_starts;
                if !starts.iter().any(|known| known.by == *by) {
                    let place = starts.partition_point(|known| known.by < *by);
                    starts.insert(place, Stamped { value: *started, by: by.clone() });
                    starts.drain(..starts.len().saturating_sub(MAX_BREATHING_SPACES));
                }
            }
            ContactFact::BreathingSpaceEnded(_) => {
                let ends = &mut self.breathing_ends;
                if let Err(place) = ends.binary_search(by) {
                    ends.insert(place, by.clone());
                    ends.drain(..ends.len().saturating_sub(MAX_BREATHING_SPACES));
                }
            }
            ContactFact::Vulnerability(recorded) => learn(&mut self.vulnerable_until, recorded.until, by),
            ContactFact::ThirdPartyAdded(added) => {
                let third_party = self.third_parties.entry(added.third_party_id.clone()).or_default();
                learn(&mut third_party.relation, added.relation.clone(), by);
            }
            ContactFact::ThirdPartyApproved(approved) => {
                let third_party = self.third_parties.entry(approved.third_party_id.clone()).or_default();
                let approval =
                    ThirdPartyApproval { by: approved.by.clone(), reason: approved.reason.clone() };
                learn(&mut third_party.approval, approval, by);
            }
            ContactFact::ThirdPartyRefused(refused) => {
                self.third_parties.entry(refused.third_party_id.clone()).or_default().refuse(by.at);
            }
        }
    }

    fn prefer(&mut self, preferences: &PreferencesChanged, by: &Stamp) {
        if let Some(language) = preferences.language {
            learn(&mut self.language, language, by);
        }
        if let Some(zone) = preferences.time_zone {
            learn(&mut self.time_zone, zone, by);
        }
        if let Some(hours) = &preferences.agreed_hours {
            learn(&mut self.agreed_hours, hours.clone(), by);
        }
    }

    /// Records that a contact point was set or removed. Earlier bounces concern the previous contact point.
    ///
    /// # Errors
    /// [`Refusal::TooManySources`] past [`MAX_SOURCES`](crate::kernel::MAX_SOURCES).
    pub fn point_changed(
        &mut self,
        channel: Channel,
        has_point: bool,
        by: &Stamp,
    ) -> Result<Applied, Refusal> {
        let known = &mut self.channel_mut(channel).has_point;
        let before = known.clone();
        Arrived::arrive(known, has_point, by)?;
        Ok(changed(*known != before))
    }

    /// Records that the contact point of a channel was opted out of before it was erased, under whichever customer. The
    /// channel is blocked until a later consent.
    pub fn opted_out_before(&mut self, channel: Channel, by: &Stamp) -> Applied {
        let before = self.clone();
        learn(&mut self.channel_mut(channel).consent, Consent::Withdrawn, by);
        changed(*self != before)
    }

    /// Counts a contact that was made or is about to leave. A message is counted before it is published, so
    /// that no other process sends without counting it. A known contact is merged, not counted again.
    pub fn keep(&mut self, attempt: ContactAttempt) {
        let mut attempt = attempt;
        if let Some(place) = self.attempts.iter().position(|one| one.contact_id == attempt.contact_id) {
            let mut known = self.attempts.remove(place);
            known.merge(attempt);
            attempt = known;
        }
        let place = self.attempts.partition_point(|one| one.key() < attempt.key());
        self.attempts.insert(place, attempt);
        let excess = self.attempts.len().saturating_sub(MAX_RECENT_CONTACTS);
        let forgotten = self.attempts.drain(..excess).map(|one| one.at).max();
        self.forgotten_through = self.forgotten_through.max(forgotten);
    }

    /// Removes a contact that was counted but did not leave.
    pub fn release(&mut self, contact_id: &ContactId) {
        self.attempts.retain(|one| &one.contact_id != contact_id || one.outcome != AttemptOutcome::Reserved);
    }

    /// Forgets contacts that no window reaches any more: neither one of `window_days` (see
    /// [`ContactRules::window_days`](crate::policy::ContactRules::window_days)) nor a longer one of an
    /// earlier call.
    pub fn prune(&mut self, window_days: u32, now: DateTime<Utc>) {
        self.window_days = self.window_days.max(window_days).max(KEPT_DAYS);
        // In every zone, a local day lies within two days of UTC.
        let before = now - TimeDelta::days(i64::from(self.window_days) + 2);
        self.attempts.retain(|one| one.at >= before);
        self.forgotten_through = self.forgotten_through.filter(|at| *at >= before);
    }

    /// Erases the facts that a customer may have erased: preferences, third-party contacts, the grounds of
    /// approvals. What protects a person stays: opt-outs, complaints, vulnerability, breathing spaces, the refusals of
    /// third parties, and the contacts that frequency caps count.
    pub fn erase(&mut self) -> Applied {
        let before = self.clone();
        (self.time_zone, self.language, self.agreed_hours) = (None, None, None);
        self.third_parties.retain(|_, third_party| third_party.refused_at.is_some());
        for third_party in self.third_parties.values_mut() {
            (third_party.relation, third_party.approval) = (None, None);
        }
        changed(*self != before)
    }

    pub(super) fn complain(&mut self, channel: Option<Channel>, at: DateTime<Utc>) {
        let complained_at = match channel {
            Some(channel) => &mut self.channel_mut(channel).complained_at,
            None => &mut self.complained_at,
        };
        *complained_at = (*complained_at).max(Some(at));
    }

    pub(super) fn channel_mut(&mut self, channel: Channel) -> &mut ChannelState {
        self.channels.entry(channel).or_default()
    }
}

/// Known facts.
impl ContactProfile {
    /// The borrower's time zone; by default `account`, the account's.
    #[must_use]
    pub fn zone(&self, account: Zone) -> Zone {
        self.time_zone.as_ref().map_or(account, |zone| zone.value)
    }

    /// The borrower's language; none: not chosen.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        self.language.as_ref().map(|language| language.value)
    }

    /// Quiet hours in which the borrower welcomes contact.
    #[must_use]
    pub fn agreed_hours(&self) -> &[AgreedHours] {
        self.agreed_hours.as_ref().map_or(&[], |hours| &hours.value)
    }

    /// None: the channel has no known state.
    #[must_use]
    pub fn channel(&self, channel: Channel) -> Option<&ChannelState> {
        self.channels.get(&channel)
    }

    /// The borrower's latest consent for a channel, alone or among all; none: no consent is recorded.
    #[must_use]
    pub fn consent(&self, channel: Channel) -> Option<Consent> {
        let own = self.channel(channel).and_then(|state| state.consent.as_ref());
        later(own, self.consent.as_ref()).map(|known| known.value)
    }

    /// The reason why a channel cannot be used under any policy; none: it can.
    #[must_use]
    pub fn unusable(&self, channel: Channel) -> Option<Unusable> {
        let state = self.channel(channel);
        let is_gone = |has_point: &Arrived<bool>| !has_point.value;
        if self.consent(channel) == Some(Consent::Withdrawn) {
            Some(Unusable::OptedOut)
        } else if state.and_then(|state| state.has_point.as_ref()).is_some_and(is_gone) {
            Some(Unusable::NoContactPoint)
        } else if state.is_some_and(ChannelState::is_bounced) {
            Some(Unusable::Bounced)
        } else {
            None
        }
    }

    /// The channels with a contact point, and the reason why each is unusable; empty: one is usable, or no
    /// channel has a known contact point. In the latter case the gate decides.
    #[must_use]
    pub fn out_of_reach(&self) -> Vec<(Channel, Unusable)> {
        let has_point = |state: &ChannelState| state.has_point.as_ref().is_some_and(|known| known.value);
        let channels = self.channels.iter().filter(|(_, state)| has_point(state));
        channels
            .map(|(channel, _)| self.unusable(*channel).map(|problem| (*channel, problem)))
            .collect::<Option<_>>()
            .unwrap_or_default()
    }

    /// Whether the borrower refused all contact and has not allowed it again.
    #[must_use]
    pub fn has_refused(&self) -> bool {
        self.consent.as_ref().is_some_and(|known| known.value == Consent::Withdrawn)
    }

    /// The latest complaint about all contact.
    #[must_use]
    pub const fn complained_at(&self) -> Option<DateTime<Utc>> {
        self.complained_at
    }

    /// The latest complaint about all contact or any channel.
    #[must_use]
    pub fn last_complaint(&self) -> Option<DateTime<Utc>> {
        self.channels.values().map(|state| state.complained_at).max().flatten().max(self.complained_at)
    }

    /// The vulnerability that was recorded last.
    #[must_use]
    pub fn vulnerability(&self) -> Vulnerability {
        match &self.vulnerable_until {
            None => Vulnerability::NotRecorded,
            Some(known) => Vulnerability::Recorded { until: known.value },
        }
    }

    /// The contact attempts, oldest first.
    #[must_use]
    pub fn attempts(&self) -> &[ContactAttempt] {
        &self.attempts
    }

    /// The instant of the latest contact that was forgotten for want of room.
    #[must_use]
    pub const fn forgotten_through(&self) -> Option<DateTime<Utc>> {
        self.forgotten_through
    }

    /// The third-party contacts, by the lender's id.
    #[must_use]
    pub const fn third_parties(&self) -> &BTreeMap<ThirdPartyId, ThirdPartyContact> {
        &self.third_parties
    }

    pub(super) fn breathing_starts(&self) -> &[Stamped<BreathingSpaceStarted>] {
        &self.breathing_starts
    }

    pub(super) fn breathing_ends(&self) -> &[Stamp] {
        &self.breathing_ends
    }
}

impl ThirdPartyContact {
    pub(super) fn refuse(&mut self, at: DateTime<Utc>) {
        self.refused_at = self.refused_at.max(Some(at));
    }
}

impl ChannelState {
    /// Whether the latest message bounced, and no change of the contact point is known since.
    #[must_use]
    pub fn is_bounced(&self) -> bool {
        self.deliverability.is_some_and(|heard| {
            heard.bounced && self.has_point.as_ref().is_none_or(|point| point.at() <= heard.at)
        })
    }
}

fn third_party_of(fact: &ContactFact) -> Option<&ThirdPartyId> {
    match fact {
        ContactFact::ThirdPartyAdded(added) => Some(&added.third_party_id),
        ContactFact::ThirdPartyApproved(approved) => Some(&approved.third_party_id),
        ContactFact::ThirdPartyRefused(refused) => Some(&refused.third_party_id),
        _ => None,
    }
}

fn reported(account_id: &AccountId, attempted: &ContactAttempted, by: &Stamp) -> ContactAttempt {
    ContactAttempt {
        contact_id: attempted.contact_id.clone(),
        at: attempted.attempted_at.unwrap_or(by.at),
        channel: attempted.channel,
        accounts: vec![account_id.clone()],
        by: Some(attempted.by.clone()),
        number: attempted.number.clone(),
        third_party: None,
        outcome: if attempted.answered { AttemptOutcome::Answered } else { AttemptOutcome::Unanswered },
        outcome_at: by.at,
        reported_by: Some(by.clone()),
    }
}

pub(super) const fn changed(is_changed: bool) -> Applied {
    if is_changed { Applied::Changed } else { Applied::Unchanged }
}
