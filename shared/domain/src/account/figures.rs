//! The figures that stages are evaluated on.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::kernel::{Money, grown};

/// An account's figures on one assessed day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Days since the due date of the oldest unpaid installment; 0 when no installment is overdue.
    pub days_past_due: u32,
    /// Days past due less grace and paused days, never below 0.
    pub delinquent_days: u32,
    /// Days since which the overdue balance has been large enough to count; stages ask for these. None: the policy
    /// has no materiality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub material_days: Option<u32>,
    /// Balance of the installments past due, with their late fee.
    #[serde(deserialize_with = "grown::deserialize")]
    pub overdue: Money,
    /// The due date of the oldest unpaid installment past due; none: no installment is past due.
    pub oldest_due_on: Option<NaiveDate>,
    /// Balance of all installments, with the late fee.
    #[serde(deserialize_with = "grown::deserialize")]
    pub outstanding: Money,
    /// The unpaid late fee accrued by that day; none: the policy has no late fee.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "grown::option")]
    pub late_fee: Option<Money>,
    /// Number of installments past due with an open balance.
    pub unpaid_installments: u32,
}
