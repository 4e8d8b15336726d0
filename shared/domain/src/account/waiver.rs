//! Waivers of late fees.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{InstallmentNumber, Money};

/// A late fee forgiven. What had not accrued by then is not touched, nor what was paid of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// When it became known. It takes effect on the local date, before what is paid later.
    pub at: DateTime<Utc>,
    /// The installment whose fee it is; none: of all, oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<InstallmentNumber>,
    /// At most how much; none: all that has accrued by then and is unpaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}
