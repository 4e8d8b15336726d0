//! Payments received and reversed.

use chrono::{DateTime, TimeDelta, Utc};

use super::apply::Applied;
use super::check::{check_date, check_total, positive, within};
use super::command::PaymentReceived;
use crate::account::{Account, Dated, Installment, InstallmentLabel, Payment, Reversal};
use crate::kernel::{MAX_INSTALLMENTS, MAX_PAYMENTS, MAX_TARGETS, PaymentId, Refusal, business_date};

impl Account {
    pub(crate) fn receive_payment(
        &mut self,
        new: &PaymentReceived,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        let amount = positive("amount", new.amount, self.currency)?;
        let currency = new.currency.unwrap_or(self.currency);
        if let Some(known) = self.payment(&new.payment_id) {
            let differs = |field, before: String, now: String| Refusal::PaymentDiffers {
                payment_id: new.payment_id.clone(),
                field,
                before,
                now,
            };
            if known.amount != amount {
                return Err(differs("amount", known.amount.to_string(), amount.to_string()));
            }
            if currency != self.currency {
                return Err(differs("currency", self.currency.to_string(), currency.to_string()));
            }
            if known.kind != new.kind {
                return Err(differs("kind", known.kind.as_str().to_owned(), new.kind.as_str().to_owned()));
            }
            return Ok(Applied::Unchanged);
        }
        if currency != self.currency {
            return Err(Refusal::OtherCurrency { what: "payment", given: currency, account: self.currency });
        }
        let value_date = new.value_date.unwrap_or_else(|| business_date(self.time_zone, at));
        check_date("value_date", value_date)?;
        within(new.applies_to.len(), MAX_TARGETS, Refusal::TooManyTargets)?;
        if self.payments.len() >= MAX_PAYMENTS {
            return Err(Refusal::TooManyPayments);
        }
        let key = (at, &new.payment_id);
        let place = self.payments.partition_point(|other| (other.received_at, &other.payment_id) < key);
        self.payments.insert(
            place,
            Payment {
                payment_id: new.payment_id.clone(),
                amount,
                received_at: at,
                value_date,
                kind: new.kind,
                applies_to: new.applies_to.clone(),
                reversed: None,
            },
        );
        Ok(Applied::Changed)
    }

    pub(crate) fn reverse_payment(
        &mut self,
        payment_id: &PaymentId,
        dated: Dated,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        let due_on = business_date(self.time_zone, at);
        let room = self.installments.len() < MAX_INSTALLMENTS;
        let asked_before = self.largest_amount_due();
        let payment = self
            .payments
            .iter_mut()
            .find(|payment| &payment.payment_id == payment_id)
            .ok_or_else(|| Refusal::UnknownPayment(payment_id.clone()))?;
        if payment.reversed.is_some() {
            return Ok(Applied::Unchanged);
        }
        if dated == Dated::Reversal {
            if !room {
                return Err(Refusal::TooManyInstallments);
            }
            check_date("at", due_on)?;
            check_total("amount", asked_before + payment.amount)?;
        }
        payment.reversed = Some(Reversal { reversed_at: at, dated });
        if dated == Dated::Reversal {
            let amount = payment.amount;
            // A payment precedes its reversal, even where both bear one instant.
            let since = at.max(payment.received_at + TimeDelta::nanoseconds(1));
            let zero = self.currency.zero();
            self.installments.push(Installment {
                label: InstallmentLabel::Chargeback(payment_id.clone()),
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
            self.sort_installments();
        }
        Ok(Applied::Changed)
    }
}
