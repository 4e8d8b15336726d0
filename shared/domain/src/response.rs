//! What borrowers answer, as far as it is a fact of an account: promises to pay, disputes, when
//! to be reminded of a coming due date; and that the account was reported to a credit bureau.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::account::{Account, MAX_REASON_BYTES};
use crate::apply::{Applied, check_date, within};
use crate::contact::{MAX_LEADS, PersonFact, PreferencesChanged};
use crate::days::{business_date, is_in_range, written_time};
use crate::ids::{DisputeId, PromiseId};
use crate::money::Money;
use crate::recorded::{Cause, RecordedCause};
use crate::refusal::Refusal;

/// The most promises that an account keeps: the oldest goes first.
pub const MAX_PROMISES: usize = 20;
/// The most disputes that an account keeps: the oldest goes first.
pub const MAX_DISPUTES: usize = 20;

/// Who says why an account fell behind where nobody but its borrower has.
pub const BORROWER: &str = "borrower";

/// A promise to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// Unique within the account.
    pub promise_id: PromiseId,
    /// How much.
    pub amount: Money,
    /// The first date on which it is broken.
    pub until: NaiveDate,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// How and when somebody said that it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(PromiseOutcome, DateTime<Utc>)>,
}

/// What becomes of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromiseOutcome {
    /// What was promised came.
    Kept,
    /// It did not.
    Broken,
}

/// A dispute: the borrower says that something is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// Unique within the account.
    pub dispute_id: DisputeId,
    /// What is wrong.
    pub reason: String,
    /// When it was opened.
    pub at: DateTime<Utc>,
    /// How and when it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<(DisputeOutcome, DateTime<Utc>)>,
}

/// What becomes of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeOutcome {
    /// The borrower was right.
    Upheld,
    /// The lender was.
    Rejected,
    /// The borrower does not go on with it.
    Withdrawn,
}

/// When a borrower wants to be reminded of what is coming due, in place of the policy's days
/// and time. It holds for what is planned for a later date than the one on which it was said,
/// so that nobody is reminded twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReminderPreference {
    /// So many days before the due date, in order; empty: on the policy's days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days_before: Vec<u32>,
    /// At this local time; none: at the policy's.
    #[serde(default, with = "written_time::maybe", skip_serializing_if = "Option::is_none")]
    pub at: Option<NaiveTime>,
    /// The local date on which it was said.
    pub since: NaiveDate,
}

impl Promise {
    /// When it was kept, by the money that came since it was made and before it was broken.
    #[must_use]
    pub fn kept_at(&self, account: &Account) -> Option<DateTime<Utc>> {
        let mut came = account.currency.zero();
        let since =
            account.payments.iter().filter(|payment| payment.stands() && payment.received_at >= self.at);
        let kept = since.into_iter().find(|payment| {
            came += payment.amount;
            came >= self.amount
        })?;
        (business_date(account.time_zone, kept.received_at) < self.until).then_some(kept.received_at)
    }

    /// What became of it by a local date; none: it is open. It is broken by itself.
    #[must_use]
    pub fn outcome(&self, account: &Account, today: NaiveDate) -> Option<PromiseOutcome> {
        if let Some((outcome, _)) = self.ended {
            return Some(outcome);
        }
        match self.kept_at(account) {
            Some(_) => Some(PromiseOutcome::Kept),
            None => (today >= self.until).then_some(PromiseOutcome::Broken),
        }
    }

    /// When it stopped being open before its time: somebody said so, or the money came.
    pub(crate) fn over_at(&self, account: &Account) -> Option<DateTime<Utc>> {
        match (self.ended.map(|(_, at)| at), self.kept_at(account)) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

/// What is known.
impl Account {
    /// The promises to pay, in the order in which they were made.
    #[must_use]
    pub fn promises(&self) -> &[Promise] {
        &self.promises
    }

    /// The disputes, in the order in which they were opened.
    #[must_use]
    pub fn disputes(&self) -> &[Dispute] {
        &self.disputes
    }

    /// When its borrower wants to be reminded of what is coming due.
    #[must_use]
    pub const fn reminder_preference(&self) -> Option<&ReminderPreference> {
        self.reminder_preference.as_ref()
    }

    /// When it was last reported to a credit bureau.
    #[must_use]
    pub const fn reported_at(&self) -> Option<DateTime<Utc>> {
        self.reported_at
    }

    /// Whether it has been reported since an installment fell due that still owes: what was
    /// reported before is another story.
    pub(crate) fn is_reported_since(&self, due_on: NaiveDate) -> bool {
        self.reported_at.is_some_and(|at| business_date(self.time_zone, at) >= due_on)
    }
}

/// What becomes known.
impl Account {
    pub(crate) fn promise(
        &mut self,
        promise_id: &PromiseId,
        amount: Money,
        until: NaiveDate,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        if let Some(known) = self.promises.iter().find(|known| &known.promise_id == promise_id) {
            let problem = "it was made before, and promised something else";
            let is_same = (known.amount, known.until) == (amount, until);
            return if is_same { Ok(Applied::Unchanged) } else { unfit("promise_id", problem) };
        }
        if !amount.is_positive() {
            return Err(Refusal::NotPositive { field: "amount", amount });
        }
        let amount = self
            .currency
            .exact(amount)
            .map_err(|problem| Refusal::TooManyDecimals { field: "amount", problem })?;
        let today = business_date(self.time_zone, at);
        if !is_in_range(until) {
            return Err(Refusal::DateOutOfRange { field: "until", date: until });
        }
        if until <= today {
            return Err(Refusal::ProcessOver { until, today });
        }
        let promise = Promise { promise_id: promise_id.clone(), amount, until, at, ended: None };
        let excess = (self.promises.len() + 1).saturating_sub(MAX_PROMISES);
        self.promises.drain(..excess);
        self.promises.push(promise);
        Ok(Applied::Changed)
    }

    pub(crate) fn end_promise(
        &mut self,
        promise_id: &PromiseId,
        outcome: PromiseOutcome,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        let known = self.promises.iter_mut().find(|known| &known.promise_id == promise_id);
        match known {
            None => unfit("promise_id", "no such promise is known"),
            Some(promise) if promise.ended.is_some() => Ok(Applied::Unchanged),
            Some(promise) => {
                promise.ended = Some((outcome, at));
                Ok(Applied::Changed)
            }
        }
    }

    pub(crate) fn open_dispute(
        &mut self,
        dispute_id: &DisputeId,
        reason: &str,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        if self.disputes.iter().any(|known| &known.dispute_id == dispute_id) {
            return Ok(Applied::Unchanged);
        }
        let bytes = reason.len();
        if bytes > MAX_REASON_BYTES {
            return Err(Refusal::ReasonTooLong { bytes });
        }
        let excess = (self.disputes.len() + 1).saturating_sub(MAX_DISPUTES);
        self.disputes.drain(..excess);
        self.disputes.push(Dispute {
            dispute_id: dispute_id.clone(),
            reason: reason.to_owned(),
            at,
            closed: None,
        });
        Ok(Applied::Changed)
    }

    pub(crate) fn close_dispute(
        &mut self,
        dispute_id: &DisputeId,
        outcome: DisputeOutcome,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        let known = self.disputes.iter_mut().find(|known| &known.dispute_id == dispute_id);
        match known {
            None => unfit("dispute_id", "no such dispute is known"),
            Some(dispute) if dispute.closed.is_some() => Ok(Applied::Unchanged),
            Some(dispute) => {
                dispute.closed = Some((outcome, at));
                Ok(Applied::Changed)
            }
        }
    }

    /// Takes why its borrower says that it fell behind, heard at `at`: as the recorded cause
    /// `unknown`, for nobody has looked into it. What somebody else recorded stands while it binds;
    /// of two answers the later one does.
    ///
    /// It is no message of the lender's systems, and keeps none of those out.
    ///
    /// # Errors
    /// When the reason is too long, or the instant is out of range.
    pub fn borrower_said(
        &mut self,
        reason: &str,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        let bytes = reason.len();
        if bytes > MAX_REASON_BYTES {
            return Err(Refusal::ReasonTooLong { bytes });
        }
        check_date("at", at.date_naive())?;
        let today = business_date(self.time_zone, now);
        let stands = |known: &RecordedCause| match known.by.as_str() {
            BORROWER => (known.at, known.reason.as_str()) >= (at, reason),
            _ => known.until.is_none_or(|until| today < until),
        };
        if self.cause.as_ref().is_some_and(stands) {
            return Ok(Applied::Unchanged);
        }
        let (by, reason) = (BORROWER.to_owned(), reason.to_owned());
        self.cause = Some(RecordedCause { cause: Cause::Unknown, by, reason, at, until: None });
        Ok(Applied::Changed)
    }

    pub(crate) fn note_report(&mut self, at: DateTime<Utc>) -> Applied {
        let before = self.reported_at;
        self.reported_at = before.max(Some(at));
        if self.reported_at == before { Applied::Unchanged } else { Applied::Changed }
    }

    /// Takes what a fact about contacting the customer says of the account.
    pub(crate) fn learn_of_person(
        &mut self,
        fact: &PersonFact,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        fact.check()?;
        Ok(match fact {
            PersonFact::Preferences(preferences) => self.prefer(preferences, at),
            _ => Applied::Unchanged,
        })
    }

    fn prefer(&mut self, preferences: &PreferencesChanged, at: DateTime<Utc>) -> Applied {
        let before = self.reminder_preference.clone();
        let (mut days_before, mut time) =
            before.clone().map_or((Vec::new(), None), |known| (known.days_before, known.at));
        if let Some(days) = &preferences.remind_days_before {
            days_before.clone_from(days);
            days_before.sort_unstable();
            days_before.dedup();
        }
        time = preferences.remind_at.or(time);
        let is_same = before.is_some_and(|known| known.days_before == days_before && known.at == time);
        if is_same || !preferences.plans() {
            return Applied::Unchanged;
        }
        let since = business_date(self.time_zone, at);
        self.reminder_preference = Some(ReminderPreference { days_before, at: time, since });
        Applied::Changed
    }
}

/// Whether all of it keeps within its bounds.
impl Account {
    pub(crate) fn check_answers(&self) -> Result<(), Refusal> {
        for promise in &self.promises {
            check_date("until", promise.until)?;
            check_date("at", promise.at.date_naive())?;
        }
        for dispute in &self.disputes {
            check_date("at", dispute.at.date_naive())?;
        }
        let too_many = |field| Refusal::Unfit { field, problem: "an account keeps fewer" };
        within(self.promises.len(), MAX_PROMISES, too_many("promise_id"))?;
        within(self.disputes.len(), MAX_DISPUTES, too_many("dispute_id"))?;
        let leads = self.reminder_preference.iter().flat_map(|known| &known.days_before);
        within(leads.count(), MAX_LEADS, too_many("remind_days_before"))
    }
}

fn unfit(field: &'static str, problem: &'static str) -> Result<Applied, Refusal> {
    Err(Refusal::Unfit { field, problem })
}
