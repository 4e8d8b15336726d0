//! Payments and their reversals.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::origin::Origin;
use crate::kernel::{InstallmentNumber, Money, PaymentId};

/// The kind of money received. Money of every kind is allocated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    #[default]
    Repayment,
    /// A merchant gives back the price of a purchase on the line.
    MerchantRefund,
    /// The lender forgives an amount.
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

/// Money received for an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// Unique within the account.
    pub payment_id: PaymentId,
    /// Always more than zero.
    pub amount: Money,
    /// When the payment system learnt of the payment.
    pub received_at: DateTime<Utc>,
    /// The date that the lender's books give the payment.
    pub value_date: NaiveDate,
    #[serde(default, skip_serializing_if = "PaymentKind::is_repayment")]
    pub kind: PaymentKind,
    /// The installments that the payment names; empty: the waterfall decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies_to: Vec<InstallmentNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversed: Option<Reversal>,
    /// Who stated it; none: not said, or more than [`MAX_ORIGINS`](crate::kernel::MAX_ORIGINS) origins ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Payment {
    /// Whether the payment is allocated. A payment that was charged back still is: its allocation stays, and
    /// its amount falls due anew.
    #[must_use]
    pub fn is_effective(&self) -> bool {
        self.reversed.as_ref().is_none_or(|reversal| reversal.dated == Dated::Reversal)
    }
}

/// The reversal of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reversal {
    /// When the reversal became known.
    pub reversed_at: DateTime<Utc>,
    pub dated: Dated,
    /// Who stated it; none: as for a payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// The date on which a reversal takes effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dated {
    /// The payment's own date: as if never paid.
    #[default]
    Original,
    /// The day of the reversal: the allocation stays, and the same amount falls due on that day (Fineract's
    /// chargeback).
    Reversal,
}
