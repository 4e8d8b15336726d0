//! Checks that several commands share.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::apply::Applied;
use crate::account::Account;
use crate::kernel::{Currency, InstallmentNumber, MAX_REASON_BYTES, Money, Refusal, is_in_range};

impl Account {
    pub(crate) fn check_known(&self, number: Option<InstallmentNumber>) -> Result<(), Refusal> {
        match number {
            Some(wanted) if !self.installments.iter().any(|one| one.number() == Some(wanted)) => {
                Err(Refusal::UnknownInstallment(wanted))
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn check_date(field: &'static str, date: NaiveDate) -> Result<(), Refusal> {
    if is_in_range(date) { Ok(()) } else { Err(Refusal::DateOutOfRange { field, date }) }
}

pub(crate) fn check_reason(text: &str) -> Result<(), Refusal> {
    if text.len() > MAX_REASON_BYTES { Err(Refusal::ReasonTooLong { bytes: text.len() }) } else { Ok(()) }
}

pub(crate) fn check_name(field: &'static str, name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() { Err(Refusal::Unnamed { field }) } else { check_reason(name) }
}

pub(crate) fn within(count: usize, most: usize, otherwise: Refusal) -> Result<(), Refusal> {
    if count <= most { Ok(()) } else { Err(otherwise) }
}

pub(crate) fn check_total(field: &'static str, total: Money) -> Result<(), Refusal> {
    if total.is_readable() { Ok(()) } else { Err(Refusal::TotalTooLarge { field, total }) }
}

pub(crate) fn exact(field: &'static str, amount: Money, currency: Currency) -> Result<Money, Refusal> {
    currency.exact(amount).map_err(|problem| Refusal::TooManyDecimals { field, problem })
}

pub(crate) fn positive(field: &'static str, amount: Money, currency: Currency) -> Result<Money, Refusal> {
    if !amount.is_positive() {
        return Err(Refusal::NotPositive { field, amount });
    }
    exact(field, amount, currency)
}

pub(crate) fn not_negative(field: &'static str, amount: Money, currency: Currency) -> Result<Money, Refusal> {
    if amount.is_negative() {
        return Err(Refusal::Negative { field, amount });
    }
    exact(field, amount, currency)
}

pub(crate) fn unfit(field: &'static str, problem: impl Into<Cow<'static, str>>) -> Result<Applied, Refusal> {
    Err(Refusal::unfit(field, problem))
}
