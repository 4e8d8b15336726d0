//! Payments in process, such as an auto-debit that the bank has not answered yet.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::Money;

/// How a payment is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// The lender draws it from the borrower's bank account.
    AutoDebit,
    /// The borrower sends it.
    Transfer,
    Card,
    Cash,
}

impl PaymentMethod {
    /// The method at the beginning of a sentence.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::AutoDebit => "An auto-debit",
            Self::Transfer => "A transfer",
            Self::Card => "A card payment",
            Self::Cash => "A payment in cash",
        }
    }
}

/// A payment in process, such as an auto-debit that the bank has not answered yet; or the last one, with its next
/// try where it failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentInProcess {
    /// When the payment became known. Another report while it is in process does not move this instant.
    pub since: DateTime<Utc>,
    /// The first date on which the account no longer waits for the payment.
    pub until: NaiveDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<PaymentMethod>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// When it failed; none: it has not, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<DateTime<Utc>>,
    /// The date on which a failed payment is tried again; none: not, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_on: Option<NaiveDate>,
}
