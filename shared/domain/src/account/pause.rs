//! Delinquency pauses.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Days that do not count as delinquent: `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The first paused day.
    pub from: NaiveDate,
    /// The first day that counts again.
    pub until: NaiveDate,
}
