//! The gate: one function decides for every contact whether it leaves, in the borrower's local time.
//!
//! The gate evaluates the holds on all contact, then the first usable channel, then quiet hours and frequency
//! caps. Quiet hours and caps delay the current channel; an unusable channel moves to the next. A notice that
//! the law requires passes the rules that defer only reminders: a complaint, a dispute, a promise, a
//! vulnerability. A breathing space, an opt-out, quiet hours and caps apply to every contact.

use chrono::{DateTime, NaiveDate, Utc};

use super::attempt::ContactAttempt;
use super::frequency_caps::CapCount;
use super::gate_decision::{GateDecision, GateReason, Unusable};
use super::profile::{ContactProfile, ThirdPartyContact, Vulnerability};
use super::quiet_hours::QuietSchedule;
use crate::account::{Account, ContactHold, ContactRequest, NoticeOf};
use crate::assessment::{ReminderHold, request_hold};
use crate::commands::BreathingSpaceKind;
use crate::kernel::{AccountId, ContactId, ThirdPartyId, Zone, business_date, plus_days, start_of_day};
use crate::policy::{Channel, ContactRules, Policy};

/// The most deferrals that lead from one to another: stops, then quiet hours, caps and quiet hours again, for
/// each of five channels as it becomes usable again.
pub const MAX_DEFERRALS: usize = 32;

/// A contact request, as the gate evaluates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRequest {
    /// Unique for the borrower.
    pub contact_id: ContactId,
    pub account_id: AccountId,
    /// The account's zone. The borrower's may differ.
    pub time_zone: Zone,
    pub kind: GateRequestKind,
    /// The permitted channels, the best first.
    pub channels: Vec<Channel>,
    /// The lender's name for one of several numbers; none: the channel's contact point.
    pub number: Option<String>,
    /// The hold that defers the account's reminders.
    pub reminder_hold: Option<ReminderHold>,
    /// The message under which the request was counted already, and which was never seen to leave.
    pub reserved_as: Option<ContactId>,
}

/// The kind of contact that is requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateRequestKind {
    Reminder,
    /// A notice that must precede a restriction.
    Notice,
    /// A notice of new rules.
    Announcement,
    /// A question to a third-party contact about a borrower who cannot be reached.
    ThirdParty {
        third_party_id: ThirdPartyId,
        delinquent_days: u32,
        /// Whether the borrower keeps to a plan, or has promised to pay.
        has_plan: bool,
    },
}

impl GateRequest {
    /// A gate request for `request`, on the account as it was read again.
    #[must_use]
    pub fn of(
        contact_id: ContactId,
        account: &Account,
        policy: &Policy,
        request: &ContactRequest,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            contact_id,
            account_id: account.account_id.clone(),
            time_zone: account.time_zone,
            kind: match request.notice_of {
                None => GateRequestKind::Reminder,
                Some(NoticeOf::Stage(_)) => GateRequestKind::Notice,
                Some(NoticeOf::Policy(_)) => GateRequestKind::Announcement,
            },
            channels: request.channels().collect(),
            number: None,
            reminder_hold: request_hold(account, policy, request, now),
            reserved_as: None,
        }
    }

    /// Whether the law or the contract requires the contact, unlike a plain reminder.
    const fn is_mandatory(&self) -> bool {
        matches!(self.kind, GateRequestKind::Notice | GateRequestKind::Announcement)
    }

    pub(super) const fn third_party(&self) -> Option<&ThirdPartyId> {
        match &self.kind {
            GateRequestKind::ThirdParty { third_party_id, .. } => Some(third_party_id),
            _ => None,
        }
    }
}

/// Decides whether a contact request may leave at `now`, and gives the reason if not.
#[must_use]
pub fn gate(
    profile: &ContactProfile,
    gate_request: &GateRequest,
    rules: &ContactRules,
    now: DateTime<Utc>,
) -> GateDecision {
    gate_beside(profile, &[], gate_request, rules, now)
}

/// As [`gate`], with other messages that are about to leave.
pub(super) fn gate_beside(
    profile: &ContactProfile,
    leaving: &[&ContactAttempt],
    gate_request: &GateRequest,
    rules: &ContactRules,
    now: DateTime<Utc>,
) -> GateDecision {
    let zone = profile.zone(gate_request.time_zone);
    let check = GateCheck { profile, leaving, request: gate_request, rules, zone };
    let (mut at, mut waits_for) = (now, None);
    for _ in 0..MAX_DEFERRALS {
        let (until, reason) = match (check.at(at), waits_for.take()) {
            (GateDecision::Defer { until, reason }, None) => (until, reason),
            (GateDecision::Defer { until, .. }, Some(first)) => (until, first),
            (settled, None) => return settled,
            (_, Some(reason)) => return GateDecision::Defer { until: at, reason },
        };
        (at, waits_for) = (until, Some(reason));
    }
    let reason = waits_for.unwrap_or(GateReason::NoChannel { channels: Vec::new() });
    GateDecision::Defer { until: at, reason }
}

/// A contact request in front of the gate.
struct GateCheck<'a> {
    profile: &'a ContactProfile,
    leaving: &'a [&'a ContactAttempt],
    request: &'a GateRequest,
    rules: &'a ContactRules,
    zone: Zone,
}

impl GateCheck<'_> {
    fn at(&self, now: DateTime<Utc>) -> GateDecision {
        let today = business_date(self.zone, now);
        let stopped = self.hold(today, now).or_else(|| self.why_not_third_party(today));
        if let Some(decision) = stopped {
            return decision;
        }
        let channel = match self.channel(today) {
            Ok(channel) => channel,
            Err(decision) => return decision,
        };
        let quiet = QuietSchedule {
            zone: self.zone,
            channel,
            rules: &self.rules.quiet_hours,
            agreed: self.profile.agreed_hours(),
        };
        if let Some(hours) = quiet.at(now) {
            let reason = GateReason::QuietHours { from: hours.from, until: hours.until };
            return GateDecision::Defer { until: quiet.over_after(now), reason };
        }
        match self.counting(channel, today).first_date(self.rules, self.min_gap_days(today)) {
            Some((date, reason)) => self.wait(date, reason),
            None => GateDecision::Send { channel },
        }
    }

    /// The stop that holds on every channel. A stop without an end comes first.
    fn hold(&self, today: NaiveDate, now: DateTime<Utc>) -> Option<GateDecision> {
        let mut stops = self.breathing_spaces(today);
        if self.request.third_party().is_some() && self.profile.has_refused() {
            stops.push((ContactHold::Refusal, None));
        }
        if !self.request.is_mandatory() {
            if let Vulnerability::Recorded { until } = self.profile.vulnerability() {
                stops.push((ContactHold::Vulnerability, until));
            }
            if let Some(until) = self.quiet_after(self.profile.complained_at()) {
                stops.push((ContactHold::Complaint, Some(until)));
            }
        }
        stops.retain(|(_, until)| until.is_none_or(|until| today < until));
        if let Some((by, until)) = stops.iter().copied().find(|(_, until)| until.is_none()) {
            return Some(GateDecision::Suppress { reason: GateReason::OnHold { by, until } });
        }
        if let Some((by, until)) = stops.into_iter().max_by_key(|(_, until)| *until) {
            return Some(self.wait(until?, GateReason::OnHold { by, until }));
        }
        let reminder_hold = self
            .request
            .reminder_hold
            .filter(|hold| !self.request.is_mandatory() || hold.by == ContactHold::Pause)
            .filter(|hold| now < hold.until)?;
        let until = Some(business_date(self.request.time_zone, reminder_hold.until));
        Some(GateDecision::Defer {
            until: reminder_hold.until,
            reason: GateReason::OnHold { by: reminder_hold.by, until },
        })
    }

    fn breathing_spaces(&self, today: NaiveDate) -> Vec<(ContactHold, Option<NaiveDate>)> {
        let spaces = self.profile.breathing_spaces(self.rules.breathing_space.as_ref(), self.zone);
        let going_on = spaces.into_iter().filter(|space| space.holds_on(today));
        let hold = |kind| match kind {
            BreathingSpaceKind::Standard => ContactHold::BreathingSpace,
            BreathingSpaceKind::MentalHealth => ContactHold::MentalHealth,
        };
        going_on.map(|space| (hold(space.kind), space.until)).collect()
    }

    /// The first date after the quiet days that follow a complaint.
    fn quiet_after(&self, complained_at: Option<DateTime<Utc>>) -> Option<NaiveDate> {
        let rules = self.rules.complaint.as_ref().filter(|rules| rules.quiet_days > 0)?;
        Some(plus_days(business_date(self.zone, complained_at?), i64::from(rules.quiet_days) + 1))
    }

    /// The least number of days between two contacts of a borrower who has complained.
    fn min_gap_days(&self, today: NaiveDate) -> Option<u32> {
        let rules = self.rules.complaint.as_ref().filter(|_| !self.request.is_mandatory())?;
        let complained_on = business_date(self.zone, self.profile.last_complaint()?);
        let is_over =
            |days: u32| rules.min_gap_for_days > 0 && today > plus_days(complained_on, i64::from(days));
        (rules.min_gap_days > 0 && !is_over(rules.min_gap_for_days)).then_some(rules.min_gap_days)
    }

    /// Suppresses a third-party contact whose conditions are not met.
    fn why_not_third_party(&self, today: NaiveDate) -> Option<GateDecision> {
        let GateRequestKind::ThirdParty { third_party_id, delinquent_days, has_plan } = &self.request.kind
        else {
            return None;
        };
        let known = self.profile.third_parties().get(third_party_id);
        let reason = self.third_party_reason(known, *delinquent_days, *has_plan, today)?;
        Some(GateDecision::Suppress { reason })
    }

    fn third_party_reason(
        &self,
        known: Option<&ThirdPartyContact>,
        delinquent_days: u32,
        has_plan: bool,
        today: NaiveDate,
    ) -> Option<GateReason> {
        let Some(rules) = &self.rules.third_parties else { return Some(GateReason::NoThirdParties) };
        if known.is_some_and(|known| known.refused_at.is_some()) {
            return Some(GateReason::ThirdPartyRefused);
        }
        if delinquent_days < rules.delinquent_days {
            let threshold = rules.delinquent_days;
            return Some(GateReason::TooEarly { delinquent_days: threshold, value: delinquent_days });
        }
        if has_plan {
            return Some(GateReason::ActivePlan);
        }
        // Failed attempts count on every channel, so any channel serves here.
        let value = self.counting(Channel::Phone, today).failed(rules.failed_days());
        if value < rules.failed_attempts {
            return Some(GateReason::TooFewAttempts { failed_attempts: rules.failed_attempts, value });
        }
        known.is_none_or(|known| known.approval.is_none()).then_some(GateReason::NotApproved)
    }

    /// The first usable channel. A channel with a recent complaint is taken only where there is no other; the
    /// request then waits.
    fn channel(&self, today: NaiveDate) -> Result<Channel, GateDecision> {
        let mut unusable = Vec::new();
        let mut waiting: Option<(Channel, NaiveDate)> = None;
        for channel in self.request.channels.iter().copied() {
            if let Some(problem) = self.unusable(channel) {
                unusable.push((channel, problem));
                continue;
            }
            match self.complained_about(channel).filter(|until| today < *until) {
                None => return Ok(channel),
                Some(until) => waiting = waiting.or(Some((channel, until))),
            }
        }
        Err(match waiting {
            Some((_, until)) => {
                self.wait(until, GateReason::OnHold { by: ContactHold::Complaint, until: Some(until) })
            }
            None => GateDecision::Suppress { reason: GateReason::NoChannel { channels: unusable } },
        })
    }

    fn complained_about(&self, channel: Channel) -> Option<NaiveDate> {
        let is_debtors = !self.request.is_mandatory() && self.request.third_party().is_none();
        let state = self.profile.channel(channel).filter(|_| is_debtors)?;
        self.quiet_after(state.complained_at)
    }

    /// The reason why a channel cannot be used. Channels of a third-party contact are not the borrower's.
    fn unusable(&self, channel: Channel) -> Option<Unusable> {
        if self.request.third_party().is_some() {
            return None;
        }
        if self.rules.consent_required.contains(&channel) && self.profile.consent(channel).is_none() {
            return Some(Unusable::NoConsent);
        }
        self.profile.unusable(channel)
    }

    fn counting(&self, channel: Channel, today: NaiveDate) -> CapCount<'_> {
        let own = self.request.reserved_as.as_ref();
        let known = self.profile.attempts();
        // The message that was counted on another channel may have left there.
        let attempts = known.iter().filter(|one| Some(&one.contact_id) != own || one.channel != channel);
        let is_new = |one: &&ContactAttempt| known.iter().all(|other| other.contact_id != one.contact_id);
        let leaving = self.leaving.iter().copied().filter(is_new);
        CapCount {
            zone: self.zone,
            today,
            channel,
            account_id: &self.request.account_id,
            number: self.request.number.as_deref(),
            third_party: self.request.third_party(),
            attempts: attempts.chain(leaving).collect(),
            forgotten_on: self.profile.forgotten_through().map(|at| business_date(self.zone, at)),
        }
    }

    /// Defers to the beginning of the local day `date`, after every instant of an earlier date.
    fn wait(&self, date: NaiveDate, reason: GateReason) -> GateDecision {
        GateDecision::Defer { until: start_of_day(self.zone, date), reason }
    }
}
