//! Holds on one installment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A hold on an installment, a disputed purchase for example: its days and amounts are left out of stages and
/// reminders while the hold lasts, and shown. Its late fee goes on. Days count again in full from the due date once
/// the hold is over: a pause is what stops them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallmentHold {
    pub since: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
