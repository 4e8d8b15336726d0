//! What borrowers answer and choose, and what a credit bureau is told.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use duewatch_domain::commands::Command;
use duewatch_domain::commands::{PersonFact, PreferencesChanged};
use duewatch_domain::kernel::Money;
use duewatch_domain::kernel::{DisputeId, PromiseId};

use super::calendar;

/// All of it, and the last of what counts once.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    pub(super) promises: Vec<Promise>,
    pub(super) disputes: Vec<Dispute>,
    pub(super) reported_at: Option<DateTime<Utc>>,
    pub(super) choice: Option<Choice>,
}

/// A promise to pay.
#[derive(Clone, Debug)]
pub(super) struct Promise {
    id: PromiseId,
    pub(super) amount: Money,
    pub(super) at: DateTime<Utc>,
    /// The first date on which it is broken.
    pub(super) until: NaiveDate,
    /// When somebody said what became of it.
    pub(super) ended_at: Option<DateTime<Utc>>,
}

/// Something that the borrower says is wrong.
#[derive(Clone, Debug)]
pub(super) struct Dispute {
    id: DisputeId,
    pub(super) at: DateTime<Utc>,
    pub(super) closed_at: Option<DateTime<Utc>>,
}

/// When the borrower wants to hear of what is coming due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// So many days before; none: on the policy's days.
    pub(super) days_before: Vec<u32>,
    /// None: at the policy's time.
    pub(super) time: Option<NaiveTime>,
    /// The last date that is planned as if nothing had been chosen.
    pub(super) said_on: NaiveDate,
}

impl Answers {
    pub(super) fn enter(&mut self, zone: Tz, command: &Command, at: DateTime<Utc>) {
        match command {
            // What comes twice counts once.
            Command::PromiseMade { promise_id, .. }
                if self.promises.iter().any(|known| known.id == *promise_id) => {}
            Command::PromiseMade { promise_id, amount, until } => {
                let id = promise_id.clone();
                self.promises.push(Promise { id, amount: *amount, at, until: *until, ended_at: None });
            }
            Command::PromiseEnded { promise_id, .. } => {
                for promise in self.promises.iter_mut().filter(|known| known.id == *promise_id) {
                    promise.ended_at = promise.ended_at.or(Some(at));
                }
            }
            Command::DisputeOpened { dispute_id, .. }
                if self.disputes.iter().any(|known| known.id == *dispute_id) => {}
            Command::DisputeOpened { dispute_id, .. } => {
                self.disputes.push(Dispute { id: dispute_id.clone(), at, closed_at: None });
            }
            Command::DisputeClosed { dispute_id, .. } => {
                for dispute in self.disputes.iter_mut().filter(|known| known.id == *dispute_id) {
                    dispute.closed_at = dispute.closed_at.or(Some(at));
                }
            }
            Command::BureauReported => self.reported_at = self.reported_at.max(Some(at)),
            Command::OfPerson(PersonFact::Preferences(said)) => self.choose(said, zone, at),
            _ => {}
        }
    }

    /// What is not said stays as it was; who says nothing new chooses nothing.
    fn choose(&mut self, said: &PreferencesChanged, zone: Tz, at: DateTime<Utc>) {
        if said.remind_days_before.is_none() && said.remind_at.is_none() {
            return;
        }
        let known = self.choice.as_ref();
        let kept = || known.map_or_else(Vec::new, |known| known.days_before.clone());
        let mut days_before = said.remind_days_before.clone().unwrap_or_else(kept);
        days_before.sort_unstable();
        days_before.dedup();
        let time = said.remind_at.or(known.and_then(|known| known.time));
        if known.is_none_or(|known| (&known.days_before, known.time) != (&days_before, time)) {
            self.choice = Some(Choice { days_before, time, said_on: calendar::business_date(zone, at) });
        }
    }
}
