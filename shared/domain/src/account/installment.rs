//! Installments: amounts due on a date, with their components.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{Currency, DrawId, InstallmentNumber, Money, PaymentId, minor};
use crate::policy::{Component, Waterfall};

/// What an installment is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// By its number in the lender's schedule.
    Number(InstallmentNumber),
    /// The amount of a payment that was taken back and fell due anew. It has no
    /// number, and sorts after the numbered ones of its date.
    TakenBack(PaymentId),
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "installment {number}"),
            Self::TakenBack(payment) => write!(f, "payment {payment}, taken back"),
        }
    }
}

/// An amount due on a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installment {
    /// What it is called.
    pub label: Label,
    /// When it is due.
    pub due_on: NaiveDate,
    /// The part that pays back the loan.
    pub principal: Money,
    /// The contract's interest.
    #[serde(default, skip_serializing_if = "Money::is_zero_ref")]
    pub interest: Money,
    /// Charges.
    #[serde(default, skip_serializing_if = "Money::is_zero_ref")]
    pub fee: Money,
    /// By how much adjustments have lowered it; negative when they raised it.
    #[serde(default, skip_serializing_if = "Money::is_zero_ref")]
    pub adjusted: Money,
    /// Left out whole: neither overdue nor outstanding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub written_off: bool,
    /// Left over from a schedule that was replaced: it asks for what had been paid of it,
    /// and bears no late fee.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
    /// Since when it is owed, where that was not from the beginning: a new schedule,
    /// or a payment taken back. Money that came before settles what was owed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// The draw whose plan it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draw_id: Option<DrawId>,
}

impl Installment {
    /// What it asks for in all, after adjustments.
    #[must_use]
    pub fn asked(&self) -> Money {
        if self.adjusted.is_zero() && self.fee.is_zero() && self.interest.is_zero() {
            return self.principal;
        }
        self.principal + self.interest + self.fee - self.adjusted
    }

    /// What it asks for in all, in minor units.
    pub(crate) fn asked_minor(&self, minor_units: u32) -> i128 {
        let part = |amount: Money| minor(amount, minor_units);
        part(self.principal) + part(self.interest) + part(self.fee) - part(self.adjusted)
    }

    /// The most that it has asked for: before adjustments lowered it, after they raised it.
    pub(crate) fn asked_at_most(&self) -> Money {
        self.asked().max(self.principal + self.interest + self.fee)
    }

    /// What it asks for of fee, interest and principal. What an adjustment or a new schedule
    /// took off came off the components that would be settled last; what an adjustment put on
    /// lies on the last of them.
    /// In minor units.
    pub(crate) fn asked_components(&self, waterfall: &Waterfall, minor_units: u32) -> [i128; 3] {
        let part = |amount| minor(amount, minor_units);
        let mut asked = [part(self.fee), part(self.interest), part(self.principal)];
        let mut off = part(self.adjusted);
        for component in waterfall.order().iter().rev() {
            if off == 0 {
                break;
            }
            let Some(index) = component.index() else { continue };
            let part = off.min(asked[index]);
            asked[index] -= part;
            off -= part;
        }
        asked
    }

    /// What is still open of each component, in the order of the waterfall, when `paid` has
    /// been paid and there is no late fee. Of one that may bear a fee the allocation knows it.
    #[must_use]
    pub fn open_components(
        &self,
        paid: Money,
        waterfall: &Waterfall,
        currency: Currency,
    ) -> Vec<(Component, Money)> {
        let minor_units = currency.minor_units();
        let asked = self.asked_components(waterfall, minor_units);
        let mut paid = minor(paid, minor_units);
        let mut open = Vec::with_capacity(asked.len());
        for component in waterfall.order() {
            let Some(index) = component.index() else { continue };
            let part = paid.min(asked[index]);
            paid -= part;
            open.push((*component, Money::of_minor(asked[index] - part, minor_units)));
        }
        open.retain(|(_, amount)| !amount.is_zero());
        open
    }

    /// Its number in the schedule, where it has one.
    #[must_use]
    pub const fn number(&self) -> Option<InstallmentNumber> {
        match &self.label {
            Label::Number(number) => Some(*number),
            Label::TakenBack(_) => None,
        }
    }

    pub(crate) fn by_due_date(&self, other: &Self) -> Ordering {
        (self.due_on, &self.label).cmp(&(other.due_on, &other.label))
    }
}
