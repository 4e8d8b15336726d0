//! A payment under way, such as an auto-debit that the bank has not answered yet.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A payment that is under way, such as an auto-debit that the bank has not answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentInProcess {
    /// When it became known. Another one while it is under way does not move this.
    pub since: DateTime<Utc>,
    /// The first date on which it is not waited for any more.
    pub until: NaiveDate,
}
