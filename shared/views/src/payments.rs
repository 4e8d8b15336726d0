//! The money of an account: received, taken back, on its way.

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::Account;
use duewatch_domain::account::{Dated, Payment, PaymentInProcess, PaymentKind, PaymentMethod};
use duewatch_domain::kernel::{InstallmentNumber, PaymentId};
use serde::Serialize;

use crate::account::amount;

/// The state of a received payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// It counts in full.
    Received,
    /// A part was taken back or paid out again.
    PartlyReversed,
    /// Nothing of it is left.
    Reversed,
}

/// A received payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaymentView {
    pub payment_id: PaymentId,
    pub amount: String,
    pub kind: PaymentKind,
    pub received_at: DateTime<Utc>,
    pub value_date: NaiveDate,
    pub state: PaymentState,
    /// The installments that it was paid for; empty: the waterfall decides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub applies_to: Vec<InstallmentNumber>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reversals: Vec<ReversalView>,
    /// The part that was paid out again as credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_out: Option<String>,
}

/// A reversal of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReversalView {
    pub reversed_at: DateTime<Utc>,
    /// `original`: as if never paid. `reversal`: the same amount falls due anew.
    pub dated: Dated,
    /// The part taken back; none: all that was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
}

impl PaymentView {
    pub(crate) fn new(account: &Account, payment: &Payment) -> Self {
        let left = payment.not_reversed() - payment.paid_out;
        let state = match left {
            left if !left.is_positive() => PaymentState::Reversed,
            left if left < payment.amount => PaymentState::PartlyReversed,
            _ => PaymentState::Received,
        };
        let reversals = payment.reversals.iter().map(|reversal| ReversalView {
            reversed_at: reversal.reversed_at,
            dated: reversal.dated,
            amount: reversal.amount.map(|part| amount(account, part)),
        });
        Self {
            payment_id: payment.payment_id.clone(),
            amount: amount(account, payment.amount),
            kind: payment.kind,
            received_at: payment.received_at,
            value_date: payment.value_date,
            state,
            applies_to: payment.applies_to.clone(),
            reversals: reversals.collect(),
            paid_out: payment.paid_out.is_positive().then(|| amount(account, payment.paid_out)),
        }
    }
}

/// A payment under way, or one that failed and is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProcessView {
    pub since: DateTime<Utc>,
    /// The first date on which the account no longer waits for it.
    pub until: NaiveDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<PaymentMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_on: Option<NaiveDate>,
}

impl ProcessView {
    /// The payment, while it is waited for or will be tried again.
    pub(crate) fn current(account: &Account, process: &PaymentInProcess, today: NaiveDate) -> Option<Self> {
        let is_tried_again = process.next_try_on.is_some_and(|next| next >= today);
        let is_current = is_tried_again || process.failed_at.is_none() && process.until > today;
        is_current.then(|| Self {
            since: process.since,
            until: process.until,
            method: process.method,
            amount: process.amount.map(|part| amount(account, part)),
            failed_at: process.failed_at,
            next_try_on: process.next_try_on,
        })
    }
}
