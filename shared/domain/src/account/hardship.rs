//! The recorded cause of a delinquency.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::policy::Cause;

/// A cause with who recorded it, why, and for how long it binds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCause {
    /// What was found.
    pub cause: Cause,
    /// Who recorded it.
    pub by: String,
    /// On what grounds.
    pub reason: String,
    /// When it became known.
    pub at: DateTime<Utc>,
    /// The first date on which it does not bind any more; none: until another is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}
