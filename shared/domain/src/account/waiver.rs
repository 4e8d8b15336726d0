//! Waivers of late fees.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{InstallmentNumber, Money};

/// A forgiven late fee. A waiver touches neither the fee that accrues later nor the fee already paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// When the waiver became known. It takes effect on the local date, before later payments.
    pub at: DateTime<Utc>,
    /// The installment whose late fee is waived; none: all installments, oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<InstallmentNumber>,
    /// The most that is waived; none: all unpaid late fee accrued by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}
