//! The figures that stages are judged on.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::kernel::Money;

/// What an account looks like on one judged day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Days since the due date of the oldest unpaid installment; 0 when nothing is overdue.
    pub days_past_due: u32,
    /// Days past due less grace and paused days, never below 0.
    pub delinquent_days: u32,
    /// What is unpaid of the installments past due, with their late fee.
    pub overdue: Money,
    /// The due date of the oldest unpaid installment past due.
    pub oldest_due_on: Option<NaiveDate>,
    /// What is unpaid of all installments, with the late fee.
    pub outstanding: Money,
    /// The late fee that has accrued by that day and is unpaid; none: the policy has no late fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_fee: Option<Money>,
    /// How many installments past due still owe.
    pub unpaid_installments: u32,
}
