//! The recorded cause of a delinquency.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::policy::HardshipCause;

/// A hardship cause with its recorder, its grounds and the time for which it binds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCause {
    pub cause: HardshipCause,
    /// Who recorded the cause.
    pub by: String,
    /// The recorder's grounds.
    pub reason: String,
    /// When the cause became known.
    pub at: DateTime<Utc>,
    /// The first date on which the cause no longer binds; none: until another is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}
