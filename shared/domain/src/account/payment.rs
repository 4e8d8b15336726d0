//! Payments and their reversals.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{InstallmentNumber, Money, PaymentId};

/// What kind of money came in. All kinds settle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    /// The borrower pays.
    #[default]
    Repayment,
    /// A merchant gives back the price of what was bought on the line.
    MerchantRefund,
    /// The lender forgives.
    Goodwill,
}

impl PaymentKind {
    /// The kind as the formats write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Repayment => "repayment",
            Self::MerchantRefund => "merchant_refund",
            Self::Goodwill => "goodwill",
        }
    }

    fn is_repayment(&self) -> bool {
        *self == Self::Repayment
    }
}

/// Money in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// Unique within the account.
    pub payment_id: PaymentId,
    /// How much; always more than zero.
    pub amount: Money,
    /// When the payment system learnt of it.
    pub received_at: DateTime<Utc>,
    /// The date that the lender's books give it.
    pub value_date: NaiveDate,
    /// What kind of money it is.
    #[serde(default, skip_serializing_if = "PaymentKind::is_repayment")]
    pub kind: PaymentKind,
    /// The installments it was paid for; empty where the waterfall decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies_to: Vec<InstallmentNumber>,
    /// Whether and how it was undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversed: Option<Reversal>,
}

impl Payment {
    /// Whether the money still settles something. A payment taken back at its
    /// reversal does: what it settled stays settled, and the debt falls due anew.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.reversed.as_ref().is_none_or(|reversal| reversal.dated == Dated::Reversal)
    }
}

/// A payment undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reversal {
    /// When the reversal became known.
    pub reversed_at: DateTime<Utc>,
    /// Which date it takes effect on.
    pub dated: Dated,
}

/// The date on which a reversal takes effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dated {
    /// As if the payment had never been.
    #[default]
    Original,
    /// What it settled stays settled; the same amount falls due on the day of
    /// the reversal (Fineract's chargeback).
    Reversal,
}
