//! The borrower's answers and choices, and the reports to a credit bureau.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use duewatch_domain::commands::{Command, DisputeClosed, DisputeOpened, PromiseEnded, PromiseMade};
use duewatch_domain::commands::{ContactFact, PreferencesChanged};
use duewatch_domain::kernel::Money;
use duewatch_domain::kernel::{DisputeId, PromiseId};

use super::calendar;

/// All answers; of kinds that replace one another, the last one.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    pub(super) promises: Vec<ModelPromise>,
    pub(super) disputes: Vec<ModelDispute>,
    pub(super) reported_at: Option<DateTime<Utc>>,
    pub(super) choice: Option<Choice>,
}

/// A promise to pay, with its end once recorded.
#[derive(Clone, Debug)]
pub(super) struct ModelPromise {
    id: PromiseId,
    pub(super) amount: Money,
    pub(super) at: DateTime<Utc>,
    /// The first date on which the promise is broken.
    pub(super) until: NaiveDate,
    /// The instant at which the promise was recorded as kept, broken or withdrawn.
    pub(super) ended_at: Option<DateTime<Utc>>,
}

/// A point that the borrower disputes.
#[derive(Clone, Debug)]
pub(super) struct ModelDispute {
    id: DisputeId,
    pub(super) at: DateTime<Utc>,
    pub(super) closed_at: Option<DateTime<Utc>>,
}

/// The borrower's choice of days and time for reminders of coming installments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// Days before the due date; empty: the policy's days.
    pub(super) days_before: Vec<u32>,
    /// None: the policy's time.
    pub(super) time: Option<NaiveTime>,
    /// The last date that is planned as if the borrower had chosen nothing.
    pub(super) said_on: NaiveDate,
}

impl Answers {
    pub(super) fn enter(&mut self, zone: Tz, command: &Command, at: DateTime<Utc>) {
        match command {
            // A repeated id counts once.
            Command::PromiseMade(PromiseMade { promise_id, .. })
                if self.promises.iter().any(|known| known.id == *promise_id) => {}
            Command::PromiseMade(PromiseMade { promise_id, amount, until }) => {
                let id = promise_id.clone();
                self.promises.push(ModelPromise { id, amount: *amount, at, until: *until, ended_at: None });
            }
            Command::PromiseEnded(PromiseEnded { promise_id, .. }) => {
                for promise in self.promises.iter_mut().filter(|known| known.id == *promise_id) {
                    promise.ended_at = promise.ended_at.or(Some(at));
                }
            }
            Command::DisputeOpened(DisputeOpened { dispute_id, .. })
                if self.disputes.iter().any(|known| known.id == *dispute_id) => {}
            Command::DisputeOpened(DisputeOpened { dispute_id, .. }) => {
                self.disputes.push(ModelDispute { id: dispute_id.clone(), at, closed_at: None });
            }
            Command::DisputeClosed(DisputeClosed { dispute_id, .. }) => {
                for dispute in self.disputes.iter_mut().filter(|known| known.id == *dispute_id) {
                    dispute.closed_at = dispute.closed_at.or(Some(at));
                }
            }
            Command::BureauReported(_) => self.reported_at = self.reported_at.max(Some(at)),
            Command::Contact(ContactFact::Preferences(said)) => self.choose(said, zone, at),
            _ => {}
        }
    }

    /// A field that is left out keeps its value. A command without a new value changes no choice.
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
