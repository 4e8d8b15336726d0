//! Hardship causes, scores and payments in process, recorded beside the money.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use duewatch_domain::commands::{CauseRecorded, Command, PaymentProcessStarted, ScoreRecorded};
use duewatch_domain::policy::HardshipCause;

use super::calendar;

/// The last record of each kind.
#[derive(Clone, Debug, Default)]
pub(super) struct ModelRecorded {
    pub(super) cause: Option<ModelBinding<HardshipCause>>,
    pub(super) score: Option<ModelBinding<u32>>,
    pub(super) process: Option<Process>,
}

/// A record that binds from the day on which it became known.
#[derive(Clone, Copy, Debug)]
pub(super) struct ModelBinding<T> {
    pub(super) what: T,
    pub(super) at: DateTime<Utc>,
    /// The first date on which the record no longer binds.
    pub(super) until: Option<NaiveDate>,
}

/// A payment in process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    pub(super) since: DateTime<Utc>,
    /// The first date on which the payment is no longer in process.
    pub(super) until: NaiveDate,
}

impl ModelRecorded {
    pub(super) fn enter(&mut self, zone: Tz, command: &Command, at: DateTime<Utc>) {
        let today = calendar::business_date(zone, at);
        match command {
            Command::CauseRecorded(CauseRecorded { cause, until, .. }) => {
                self.cause = Some(ModelBinding { what: *cause, at, until: *until });
            }
            Command::ScoreRecorded(ScoreRecorded { score, until, .. }) => {
                self.score = Some(ModelBinding { what: *score, at, until: *until });
            }
            Command::PaymentInProcess(PaymentProcessStarted { until, .. }) => {
                // A report that follows on another extends the same payment in process.
                let before = self.process.filter(|process| today < process.until);
                self.process = Some(Process { since: before.map_or(at, |one| one.since), until: *until });
            }
            Command::PaymentProcessEnded(_) => {
                if let Some(process) = &mut self.process {
                    process.until = process.until.min(today);
                }
            }
            _ => {}
        }
    }
}
