//! The score that the lender handed in.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A score that the lender handed in, with who did and for how long it binds. What it
/// measures is the lender's; higher is better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedScore {
    /// The score.
    pub score: u32,
    /// Who handed it in.
    pub by: String,
    /// When it became known.
    pub at: DateTime<Utc>,
    /// The first date on which it does not bind any more; none: until another comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}
