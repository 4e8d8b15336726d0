//! Scores that the lender hands in.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A score with who handed it in and for how long it binds. The lender defines its measure; higher is better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedScore {
    pub score: u32,
    /// Who handed in the score.
    pub by: String,
    /// When the score became known.
    pub at: DateTime<Utc>,
    /// The first date on which the score no longer binds; none: until another comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}
