//! Delinquency pauses: days that do not count as delinquent.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A delinquency pause: the days `[from, until)` do not count as delinquent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelinquencyPause {
    /// The first paused day.
    pub from: NaiveDate,
    /// The day after the last paused day: the first that counts again.
    pub until: NaiveDate,
}
