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
    /// In the order in which they became known. Together they take back at most the amount.
    #[serde(rename = "reversed", default, skip_serializing_if = "Vec::is_empty", with = "one_or_many")]
    pub reversals: Vec<Reversal>,
    /// The part that was paid out again as credit.
    #[serde(default, skip_serializing_if = "Money::is_zero_ref")]
    pub paid_out: Money,
    /// Who stated it; none: not said, or more than [`MAX_ORIGINS`](crate::kernel::MAX_ORIGINS) origins ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Payment {
    /// Whether any of the payment is allocated.
    #[inline]
    #[must_use]
    pub fn is_effective(&self) -> bool {
        self.standing().is_positive()
    }

    /// The part that is allocated. A part that was charged back still is: its allocation stays, and the same
    /// amount falls due anew.
    #[inline]
    #[must_use]
    pub fn standing(&self) -> Money {
        if self.reversals.is_empty() && self.paid_out.is_zero() {
            return self.amount;
        }
        self.left_standing()
    }

    /// The same of a payment of which a part was taken back or paid out.
    fn left_standing(&self) -> Money {
        let original = self.reversed_parts().filter(|(reversal, _)| reversal.dated == Dated::Original);
        let gone = self.paid_out + original.map(|(_, part)| part).sum();
        (self.amount - gone).max(self.amount.zeroed())
    }

    /// The part that no reversal has taken back.
    #[must_use]
    pub fn not_reversed(&self) -> Money {
        self.amount - self.reversed_parts().map(|(_, part)| part).sum()
    }

    /// The reversals, each with the part that it took back.
    fn reversed_parts(&self) -> impl Iterator<Item = (&Reversal, Money)> {
        let mut left = self.amount;
        self.reversals.iter().map(move |reversal| {
            let part = reversal.amount.unwrap_or(left).min(left);
            left -= part;
            (reversal, part)
        })
    }
}

/// A payment has one reversal as a rule, and is stored with that alone.
mod one_or_many {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Reversal;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(Reversal),
        Many(Vec<Reversal>),
    }

    pub(super) fn serialize<S: Serializer>(reversals: &[Reversal], serializer: S) -> Result<S::Ok, S::Error> {
        match reversals {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<Reversal>, D::Error> {
        OneOrMany::deserialize(reader).map(|reversals| match reversals {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        })
    }
}

/// The reversal of a payment, or of a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reversal {
    /// When the reversal became known.
    pub reversed_at: DateTime<Utc>,
    pub dated: Dated,
    /// The part taken back; none: all that no reversal had taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
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
