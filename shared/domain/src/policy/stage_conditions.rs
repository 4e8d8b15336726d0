//! The conditions under which a stage holds.

use rust_decimal::Decimal;

use super::hardship_cause::Cause;
use crate::kernel::Money;

/// The conditions of a stage: all that are given must hold, and something must
/// be overdue.
///
/// Each of the figures only grows while the facts stay as they are; a cause and a score bind
/// for a stretch of days. A stage therefore holds in one stretch of days until a fact changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// Days past due less grace and paused days.
    pub delinquent_days: Option<u32>,
    /// Days since the due date of the oldest unpaid installment.
    pub days_past_due: Option<u32>,
    /// What is unpaid of the installments past due.
    pub overdue_amount: Option<Money>,
    /// The overdue amount as a part of all that is outstanding, 0 to 1.
    pub overdue_share: Option<Decimal>,
    /// How many installments past due still owe.
    pub unpaid_installments: Option<u32>,
    /// The cause that must be recorded.
    pub cause: Option<Cause>,
    /// The score that must be recorded is at most this.
    pub score_at_most: Option<u32>,
}
