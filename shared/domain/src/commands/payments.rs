//! Payments received and reversed.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::apply::Applied;
use super::check::{check_date, check_total, positive, within};
use super::definition::{CommandDefinition, command};
use crate::account::{Account, Dated, Installment, InstallmentLabel, Payment, PaymentKind, Reversal};
use crate::kernel::{
    Currency, InstallmentNumber, MAX_INSTALLMENTS, MAX_PAYMENTS, MAX_TARGETS, Money, PaymentId, Refusal,
    business_date, written,
};

command! {
    /// A payment as the payment system states it.
    pub struct PaymentReceived as "payment_received" {
        /// Unique within the account.
        pub payment_id: PaymentId,
        pub amount: Money,
        /// None: the account's currency.
        pub currency: Option<Currency>,
        /// The date in the lender's ledger; none: the local date on which the payment became known.
        #[serde(default, deserialize_with = "written::maybe_date")]
        pub value_date: Option<NaiveDate>,
        #[serde(default)]
        pub kind: PaymentKind => optional(),
        /// The installments that the payment is for; empty: the waterfall decides.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub applies_to: Vec<InstallmentNumber> => optional(),
    }
    example: r#"{
        "payment_id": "P-1", "amount": "250.00", "currency": "CNY", "value_date": "2023-10-05",
        "kind": "repayment", "applies_to": [1]
    }"#
}

command! {
    /// A payment that is taken back. A second reversal of a payment changes nothing.
    pub struct PaymentReversed as "payment_reversed" {
        pub payment_id: PaymentId,
        /// The date on which the reversal takes effect.
        #[serde(default)]
        pub dated: Dated => optional(),
    }
    example: r#"{ "payment_id": "P-1", "dated": "original" }"#
}

impl CommandDefinition for PaymentReceived {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let amount = positive("amount", self.amount, account.currency)?;
        let currency = self.currency.unwrap_or(account.currency);
        if let Some(known) = account.payment(&self.payment_id) {
            let differs = |field, before: String, now: String| Refusal::PaymentDiffers {
                payment_id: self.payment_id.clone(),
                field,
                before,
                now,
            };
            if known.amount != amount {
                return Err(differs("amount", known.amount.to_string(), amount.to_string()));
            }
            if currency != account.currency {
                return Err(differs("currency", account.currency.to_string(), currency.to_string()));
            }
            if known.kind != self.kind {
                return Err(differs("kind", known.kind.as_str().to_owned(), self.kind.as_str().to_owned()));
            }
            return Ok(Applied::Unchanged);
        }
        if currency != account.currency {
            return Err(Refusal::OtherCurrency {
                what: "payment",
                given: currency,
                account: account.currency,
            });
        }
        let value_date = self.value_date.unwrap_or_else(|| business_date(account.time_zone, at));
        check_date("value_date", value_date)?;
        within(self.applies_to.len(), MAX_TARGETS, Refusal::TooManyTargets)?;
        if account.payments.len() >= MAX_PAYMENTS {
            return Err(Refusal::TooManyPayments);
        }
        let key = (at, &self.payment_id);
        let place = account.payments.partition_point(|other| (other.received_at, &other.payment_id) < key);
        account.payments.insert(
            place,
            Payment {
                payment_id: self.payment_id.clone(),
                amount,
                received_at: at,
                value_date,
                kind: self.kind,
                applies_to: self.applies_to.clone(),
                reversed: None,
                origin: None,
            },
        );
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for PaymentReversed {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let due_on = business_date(account.time_zone, at);
        let room = account.installments.len() < MAX_INSTALLMENTS;
        let asked_before = account.largest_amount_due();
        let payment = account
            .payments
            .iter_mut()
            .find(|payment| payment.payment_id == self.payment_id)
            .ok_or_else(|| Refusal::UnknownPayment(self.payment_id.clone()))?;
        if payment.reversed.is_some() {
            return Ok(Applied::Unchanged);
        }
        if self.dated == Dated::Reversal {
            if !room {
                return Err(Refusal::TooManyInstallments);
            }
            check_date("at", due_on)?;
            check_total("amount", asked_before + payment.amount)?;
        }
        payment.reversed = Some(Reversal { reversed_at: at, dated: self.dated, origin: None });
        if self.dated == Dated::Reversal {
            let amount = payment.amount;
            // A payment precedes its reversal, even where both bear one instant.
            let since = at.max(payment.received_at + TimeDelta::nanoseconds(1));
            let zero = account.currency.zero();
            account.installments.push(Installment {
                label: InstallmentLabel::Chargeback(self.payment_id.clone()),
                due_on,
                principal: amount,
                interest: zero,
                fee: zero,
                adjusted: zero,
                written_off: false,
                replaced: false,
                since: Some(since),
                draw_id: None,
            });
            account.sort_installments();
        }
        Ok(Applied::Changed)
    }
}
