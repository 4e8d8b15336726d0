//! Payments received and reversed.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::apply::Applied;
use super::check::{check_date, check_reason, check_total, positive, within};
use super::definition::{CommandDefinition, command};
use crate::account::{Account, Dated, Installment, InstallmentLabel, Payment, PaymentKind, Reversal};
use crate::kernel::{
    Currency, InstallmentNumber, MAX_INSTALLMENTS, MAX_PAYMENTS, MAX_REVERSALS_OF_PAYMENT, MAX_TARGETS,
    Money, PaymentId, Refusal, business_date, written,
};
use crate::ledger::Settlement;
use crate::policy::Timeline;

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
    /// A payment that is taken back, whole or in a part. A second reversal of a payment that was taken back
    /// whole changes nothing, nor does the same part at the same instant.
    pub struct PaymentReversed as "payment_reversed" {
        pub payment_id: PaymentId,
        /// The part that is taken back; none: all that was not taken back before.
        pub amount: Option<Money>,
        /// The date on which the reversal takes effect.
        #[serde(default)]
        pub dated: Dated => optional(),
    }
    example: r#"{ "payment_id": "P-1", "amount": "100.00", "dated": "original" }"#
}

command! {
    /// Credit that is paid out to the borrower: money that no installment has taken.
    pub struct CreditPaidOut as "credit_paid_out" {
        /// None: all the credit.
        pub amount: Option<Money>,
        pub reason: Option<String>,
    }
    example: r#"{ "amount": "50.00", "reason": "paid twice" }"#
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
                reversals: Vec::new(),
                paid_out: account.currency.zero(),
                origin: None,
            },
        );
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for PaymentReversed {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let amount = self.amount.map(|amount| positive("amount", amount, account.currency)).transpose()?;
        let reversals: usize = account.payments.iter().map(|payment| payment.reversals.len()).sum();
        let asked_before = account.largest_amount_due();
        let payment = account
            .payments
            .iter_mut()
            .find(|payment| payment.payment_id == self.payment_id)
            .ok_or_else(|| Refusal::UnknownPayment(self.payment_id.clone()))?;
        let reversal = Reversal { reversed_at: at, dated: self.dated, amount, origin: None };
        let is_known = |known: &Reversal| Reversal { origin: None, ..known.clone() } == reversal;
        let left = payment.not_reversed();
        if left.is_zero() || payment.reversals.iter().any(is_known) {
            return Ok(Applied::Unchanged);
        }
        let part = amount.unwrap_or(left);
        if part > left {
            let payment_id = self.payment_id.clone();
            return Err(Refusal::ReversedBeyond { payment_id, amount: part, left });
        }
        within(payment.reversals.len() + 1, MAX_REVERSALS_OF_PAYMENT, Refusal::TooManyReversals)?;
        within(reversals + 1, MAX_PAYMENTS, Refusal::TooManyReversals)?;
        // What was paid out of the payment was its last part. It is there no more: it falls due instead.
        let falls_due = match self.dated {
            Dated::Reversal => part,
            Dated::Original => part.min(payment.paid_out),
        };
        let chargeback = falls_due.is_positive().then(|| {
            // A payment precedes its reversal, even where both bear one instant.
            let since = at.max(payment.received_at + TimeDelta::nanoseconds(1));
            let due_on = business_date(account.time_zone, at);
            Installment {
                since: Some(since),
                ..Installment::of_principal(
                    InstallmentLabel::Chargeback(self.payment_id.clone()),
                    due_on,
                    falls_due,
                )
            }
        });
        if let Some(chargeback) = &chargeback {
            within(account.installments.len() + 1, MAX_INSTALLMENTS, Refusal::TooManyInstallments)?;
            check_date("at", chargeback.due_on)?;
            check_total("amount", asked_before + falls_due)?;
        }
        if self.dated == Dated::Original {
            payment.paid_out -= falls_due;
        }
        payment.reversals.push(reversal);
        account.installments.extend(chargeback);
        account.sort_installments();
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for CreditPaidOut {
    fn check(&self) -> Result<(), Refusal> {
        self.reason.as_deref().map_or(Ok(()), check_reason)
    }

    /// The credit is the newest money: what was allocated before came from the payments before. So the newest
    /// payments lose what is paid out, and no allocation changes.
    fn apply_under(
        &self,
        account: &mut Account,
        at: DateTime<Utc>,
        timeline: Option<&Timeline<'_>>,
    ) -> Result<Applied, Refusal> {
        let amount = self.amount.map(|amount| positive("amount", amount, account.currency)).transpose()?;
        let settlement = Settlement::of(account, timeline, at);
        let credit = settlement.credit();
        let amount = amount.unwrap_or(credit);
        if amount > credit {
            return Err(Refusal::PaidOutBeyond { amount, credit });
        }
        let mut left = amount;
        for (place, unnamed) in settlement.unnamed_money(account) {
            let part = unnamed.min(left);
            account.payments[place].paid_out += part;
            left -= part;
        }
        Ok(if amount.is_zero() { Applied::Unchanged } else { Applied::Changed })
    }
}
