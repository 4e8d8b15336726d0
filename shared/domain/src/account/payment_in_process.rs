//! Payments in process, such as an auto-debit that the bank has not answered yet.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A payment in process, such as an auto-debit that the bank has not answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentInProcess {
    /// When the payment became known. Another report while it is in process does not move this instant.
    pub since: DateTime<Utc>,
    /// The first date on which the account no longer waits for the payment.
    pub until: NaiveDate,
}
