//! Day counts: the convention by which days past due begin.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::dates::{LocalDay, end_of_day, plus_days, start_of_day};
use super::zone::Zone;

/// The convention by which the count of days past due begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayCount {
    /// The due day itself is not overdue; the next day is day 1. A day counts from its first instant.
    #[default]
    DayAfter,
    /// The due day's last second is day 1 (Reserve Bank of India). A day counts from its last second, so an
    /// installment paid during the due day was never overdue.
    DueDay,
}

impl DayCount {
    /// Days past due on the due date itself: 0 or 1.
    #[must_use]
    pub const fn on_due_date(self) -> i64 {
        match self {
            Self::DayAfter => 0,
            Self::DueDay => 1,
        }
    }

    /// The instant from which `date` counts as past due.
    #[must_use]
    pub fn begin(self, zone: Zone, date: NaiveDate) -> DateTime<Utc> {
        match self {
            Self::DayAfter => start_of_day(zone, date),
            Self::DueDay => end_of_day(zone, date),
        }
    }

    /// The latest date that counts at `now`.
    #[must_use]
    pub fn judged_day(self, zone: Zone, now: DateTime<Utc>) -> NaiveDate {
        let day = LocalDay::at(zone, now);
        match self {
            Self::DayAfter => day.date,
            Self::DueDay if !day.in_last_second => plus_days(day.date, -1),
            Self::DueDay => {
                // A date that the zone skips ends with the date before it.
                let skipped = plus_days(day.date, 1);
                if end_of_day(zone, skipped) <= now { skipped } else { day.date }
            }
        }
    }
}

/// The first day on which an installment due on `due_on` is past due.
#[must_use]
pub fn past_due_from(count: DayCount, due_on: NaiveDate) -> NaiveDate {
    plus_days(due_on, 1 - count.on_due_date())
}
