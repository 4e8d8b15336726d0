//! The gate: one function decides for every contact whether it leaves, in the borrower's local time.
//!
//! The gate evaluates the stops of all contact, then the first usable channel, then quiet hours and frequency
//! caps. Quiet hours and caps delay the current channel; an unusable channel moves to the next. A notice that
//! the law requires passes the rules that defer only reminders: a complaint, a dispute, a promise, a
//! vulnerability. A breathing space, an opt-out, quiet hours and caps apply to every contact.

use chrono::{DateTime, NaiveDate, Utc};

use super::attempt::Attempt;
use super::caps::Counting;
use super::person::{ContactPerson, Person, Vulnerability};
use super::quiet::Quiet;
use super::verdict::{Unusable, Verdict, Why};
use crate::account::{Account, Intent, NoticeOf, Stop};
use crate::assessment::{Held, held};
use crate::commands::BreathingSpaceKind;
use crate::kernel::{AccountId, ContactId, ContactPersonId, Zone, business_date, plus_days, start_of_day};
use crate::policy::{Channel, ContactRules, Policy};

/// The most deferrals that lead from one to another: stops, then quiet hours, caps and quiet hours again, for
/// each of five channels as it becomes usable again.
pub const MAX_DEFERRALS: usize = 32;

/// A contact request, as the gate evaluates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Unique for the borrower.
    pub contact_id: ContactId,
    pub account_id: AccountId,
    /// The account's zone. The borrower's may differ.
    pub time_zone: Zone,
    pub kind: Kind,
    /// The permitted channels, the best first.
    pub channels: Vec<Channel>,
    /// The lender's name for one of several numbers; none: the channel's contact point.
    pub number: Option<String>,
    /// The hold that defers the account's reminders.
    pub held: Option<Held>,
    /// The message under which the request was counted already, and which was never seen to leave.
    pub reserved_as: Option<ContactId>,
}

/// The kind of contact that is requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Reminder,
    /// A notice that must precede a restriction.
    Notice,
    /// A notice of new rules.
    Announcement,
    /// A question to a third-party contact about a borrower who cannot be reached.
    ContactPerson {
        person_id: ContactPersonId,
        delinquent_days: u32,
        /// Whether the borrower keeps to a plan, or has promised to pay.
        has_plan: bool,
    },
}

impl Wish {
    /// The contact request of `intent`, from the account's state when it is read again.
    #[must_use]
    pub fn of(
        contact_id: ContactId,
        account: &Account,
        policy: &Policy,
        intent: &Intent,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            contact_id,
            account_id: account.account_id.clone(),
            time_zone: account.time_zone,
            kind: match intent.notice_of {
                None => Kind::Reminder,
                Some(NoticeOf::Stage(_)) => Kind::Notice,
                Some(NoticeOf::Policy(_)) => Kind::Announcement,
            },
            channels: intent.channels().collect(),
            number: None,
            held: held(account, policy, now),
            reserved_as: None,
        }
    }

    /// Whether the law or the contract requires the contact, unlike a plain reminder.
    const fn is_owed(&self) -> bool {
        matches!(self.kind, Kind::Notice | Kind::Announcement)
    }

    pub(super) const fn contact_person(&self) -> Option<&ContactPersonId> {
        match &self.kind {
            Kind::ContactPerson { person_id, .. } => Some(person_id),
            _ => None,
        }
    }
}

/// Decides whether a contact request may leave at `now`, and gives the reason if not.
#[must_use]
pub fn gate(person: &Person, wish: &Wish, rules: &ContactRules, now: DateTime<Utc>) -> Verdict {
    gate_beside(person, &[], wish, rules, now)
}

/// As [`gate`], with other messages that are about to leave.
pub(super) fn gate_beside(
    person: &Person,
    leaving: &[&Attempt],
    wish: &Wish,
    rules: &ContactRules,
    now: DateTime<Utc>,
) -> Verdict {
    let zone = person.zone(wish.time_zone);
    let look = Look { person, leaving, wish, rules, zone };
    let (mut at, mut waits_for) = (now, None);
    for _ in 0..MAX_DEFERRALS {
        let (until, why) = match (look.at(at), waits_for.take()) {
            (Verdict::Defer { until, why }, None) => (until, why),
            (Verdict::Defer { until, .. }, Some(first)) => (until, first),
            (settled, None) => return settled,
            (_, Some(why)) => return Verdict::Defer { until: at, why },
        };
        (at, waits_for) = (until, Some(why));
    }
    let why = waits_for.unwrap_or(Why::NoChannel { channels: Vec::new() });
    Verdict::Defer { until: at, why }
}

/// A contact request in front of the gate.
struct Look<'a> {
    person: &'a Person,
    leaving: &'a [&'a Attempt],
    wish: &'a Wish,
    rules: &'a ContactRules,
    zone: Zone,
}

impl Look<'_> {
    fn at(&self, now: DateTime<Utc>) -> Verdict {
        let today = business_date(self.zone, now);
        let stopped = self.stopped(today, now).or_else(|| self.not_allowed(today));
        if let Some(verdict) = stopped {
            return verdict;
        }
        let channel = match self.channel(today) {
            Ok(channel) => channel,
            Err(verdict) => return verdict,
        };
        let quiet = Quiet {
            zone: self.zone,
            channel,
            rules: &self.rules.quiet_hours,
            agreed: self.person.agreed_hours(),
        };
        if let Some(hours) = quiet.at(now) {
            let why = Why::QuietHours { from: hours.from, until: hours.until };
            return Verdict::Defer { until: quiet.over_after(now), why };
        }
        match self.counting(channel, today).first_date(self.rules, self.min_gap_days(today)) {
            Some((date, why)) => self.wait(date, why),
            None => Verdict::Send { channel },
        }
    }

    /// The stop that holds on every channel. A stop without an end comes first.
    fn stopped(&self, today: NaiveDate, now: DateTime<Utc>) -> Option<Verdict> {
        let mut stops = self.breathing_spaces(today);
        if self.wish.contact_person().is_some() && self.person.has_refused() {
            stops.push((Stop::Refusal, None));
        }
        if !self.wish.is_owed() {
            if let Vulnerability::Recorded { until } = self.person.vulnerability() {
                stops.push((Stop::Vulnerability, until));
            }
            if let Some(until) = self.quiet_after(self.person.complained_at()) {
                stops.push((Stop::Complaint, Some(until)));
            }
        }
        stops.retain(|(_, until)| until.is_none_or(|until| today < until));
        if let Some((by, until)) = stops.iter().copied().find(|(_, until)| until.is_none()) {
            return Some(Verdict::Suppress { why: Why::Stopped { by, until } });
        }
        if let Some((by, until)) = stops.into_iter().max_by_key(|(_, until)| *until) {
            return Some(self.wait(until?, Why::Stopped { by, until }));
        }
        let held = self.wish.held.filter(|held| !self.wish.is_owed() && now < held.until)?;
        let until = Some(business_date(self.wish.time_zone, held.until));
        Some(Verdict::Defer { until: held.until, why: Why::Stopped { by: held.by, until } })
    }

    fn breathing_spaces(&self, today: NaiveDate) -> Vec<(Stop, Option<NaiveDate>)> {
        let spaces = self.person.breathing_spaces(self.rules.breathing_space.as_ref(), self.zone);
        let going_on = spaces.into_iter().filter(|space| space.holds_on(today));
        let stop = |kind| match kind {
            BreathingSpaceKind::Standard => Stop::BreathingSpace,
            BreathingSpaceKind::MentalHealth => Stop::MentalHealth,
        };
        going_on.map(|space| (stop(space.kind), space.until)).collect()
    }

    /// The first date after the quiet days that follow a complaint.
    fn quiet_after(&self, complained_at: Option<DateTime<Utc>>) -> Option<NaiveDate> {
        let rules = self.rules.complaint.as_ref().filter(|rules| rules.quiet_days > 0)?;
        Some(plus_days(business_date(self.zone, complained_at?), i64::from(rules.quiet_days) + 1))
    }

    /// The least number of days between two contacts of a borrower who has complained.
    fn min_gap_days(&self, today: NaiveDate) -> Option<u32> {
        let rules = self.rules.complaint.as_ref().filter(|_| !self.wish.is_owed())?;
        let complained_on = business_date(self.zone, self.person.last_complaint()?);
        let is_over =
            |days: u32| rules.min_gap_for_days > 0 && today > plus_days(complained_on, i64::from(days));
        (rules.min_gap_days > 0 && !is_over(rules.min_gap_for_days)).then_some(rules.min_gap_days)
    }

    /// Suppresses a third-party contact whose conditions are not met.
    fn not_allowed(&self, today: NaiveDate) -> Option<Verdict> {
        let Kind::ContactPerson { person_id, delinquent_days, has_plan } = &self.wish.kind else {
            return None;
        };
        let known = self.person.contact_persons().get(person_id);
        let why = self.why_not_a_contact_person(known, *delinquent_days, *has_plan, today)?;
        Some(Verdict::Suppress { why })
    }

    fn why_not_a_contact_person(
        &self,
        known: Option<&ContactPerson>,
        delinquent_days: u32,
        has_plan: bool,
        today: NaiveDate,
    ) -> Option<Why> {
        let Some(rules) = &self.rules.contact_persons else { return Some(Why::NoContactPersons) };
        if known.is_some_and(|known| known.refused_at.is_some()) {
            return Some(Why::ContactPersonRefused);
        }
        if delinquent_days < rules.delinquent_days {
            let threshold = rules.delinquent_days;
            return Some(Why::TooEarly { delinquent_days: threshold, value: delinquent_days });
        }
        if has_plan {
            return Some(Why::ActivePlan);
        }
        // Failed attempts count on every channel, so any channel serves here.
        let value = self.counting(Channel::Phone, today).failed(rules.failed_days());
        if value < rules.failed_attempts {
            return Some(Why::TooFewAttempts { failed_attempts: rules.failed_attempts, value });
        }
        known.is_none_or(|known| known.approval.is_none()).then_some(Why::NotApproved)
    }

    /// The first usable channel. A channel with a recent complaint is taken only where there is no other; the
    /// request then waits.
    fn channel(&self, today: NaiveDate) -> Result<Channel, Verdict> {
        let mut unusable = Vec::new();
        let mut waiting: Option<(Channel, NaiveDate)> = None;
        for channel in self.wish.channels.iter().copied() {
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
            Some((_, until)) => self.wait(until, Why::Stopped { by: Stop::Complaint, until: Some(until) }),
            None => Verdict::Suppress { why: Why::NoChannel { channels: unusable } },
        })
    }

    fn complained_about(&self, channel: Channel) -> Option<NaiveDate> {
        let is_debtors = !self.wish.is_owed() && self.wish.contact_person().is_none();
        let state = self.person.channel(channel).filter(|_| is_debtors)?;
        self.quiet_after(state.complained_at)
    }

    /// The reason why a channel cannot be used. Channels of a third-party contact are not the borrower's.
    fn unusable(&self, channel: Channel) -> Option<Unusable> {
        if self.wish.contact_person().is_some() {
            return None;
        }
        if self.rules.consent_required.contains(&channel) && self.person.consent(channel).is_none() {
            return Some(Unusable::NoConsent);
        }
        self.person.unusable(channel)
    }

    fn counting(&self, channel: Channel, today: NaiveDate) -> Counting<'_> {
        let own = self.wish.reserved_as.as_ref();
        let known = self.person.attempts();
        // The message that was counted on another channel may have left there.
        let attempts = known.iter().filter(|one| Some(&one.contact_id) != own || one.channel != channel);
        let is_new = |one: &&Attempt| known.iter().all(|other| other.contact_id != one.contact_id);
        let leaving = self.leaving.iter().copied().filter(is_new);
        Counting {
            zone: self.zone,
            today,
            channel,
            account_id: &self.wish.account_id,
            number: self.wish.number.as_deref(),
            contact_person: self.wish.contact_person(),
            attempts: attempts.chain(leaving).collect(),
            forgotten_on: self.person.forgotten_through().map(|at| business_date(self.zone, at)),
        }
    }

    /// Defers to the beginning of the local day `date`, after every instant of an earlier date.
    fn wait(&self, date: NaiveDate, why: Why) -> Verdict {
        Verdict::Defer { until: start_of_day(self.zone, date), why }
    }
}
