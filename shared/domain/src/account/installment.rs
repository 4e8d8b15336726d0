//! Installments: amounts due on a date, with their components.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::installment_hold::InstallmentHold;
use crate::kernel::{Currency, DrawId, InstallmentNumber, Money, PaymentId, grown, minor};
use crate::policy::{Component, Waterfall};

/// Identifies an installment within its account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstallmentLabel {
    /// The number in the lender's schedule.
    Number(InstallmentNumber),
    /// A chargeback: the amount of a payment that was charged back and fell due anew. It has no number, and
    /// sorts after the numbered ones of its date. A payment that is charged back in parts has several.
    #[serde(rename = "taken_back")]
    Chargeback(PaymentId),
    /// Late fees of a replaced schedule, kept on that date. It has no amounts of its own.
    LateFees(NaiveDate),
}

impl InstallmentLabel {
    /// The number in the lender's schedule; none: a chargeback, or late fees that were kept.
    #[must_use]
    pub const fn number(&self) -> Option<InstallmentNumber> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Chargeback(_) | Self::LateFees(_) => None,
        }
    }
}

impl std::fmt::Display for InstallmentLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "installment {number}"),
            Self::Chargeback(payment) => write!(f, "payment {payment}, taken back"),
            Self::LateFees(on) => write!(f, "late fees kept on {on}"),
        }
    }
}

/// A time in which an installment was written off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    pub from: DateTime<Utc>,
    /// When the write-off was undone.
    pub until: DateTime<Utc>,
}

/// An amount due on a date, with its components and adjustments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installment {
    pub label: InstallmentLabel,
    /// The due date before any move to a working day.
    pub due_on: NaiveDate,
    pub principal: Money,
    /// Interest under the contract.
    #[serde(default, skip_serializing_if = "Money::is_zero_ref")]
    pub interest: Money,
    #[serde(default, skip_serializing_if = "Money::is_zero_ref")]
    pub fee: Money,
    /// Sum of the adjustments: positive lowers the amount due, negative raises it.
    #[serde(default, skip_serializing_if = "Money::is_zero_ref")]
    pub adjusted: Money,
    /// Written off as a whole: neither overdue nor outstanding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub written_off: bool,
    /// Left over from a replaced schedule: its amount due is the amount that had been paid of it, and it
    /// bears no late fee.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
    /// When a new schedule or a chargeback added the installment; none: neither did. Money received before
    /// that is allocated to the installments that the account already had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Since when it is written off; none: it is not, or not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_off_at: Option<DateTime<Utc>>,
    /// The times of write-offs that were undone, at most [`MAX_WRITE_OFFS`](crate::kernel::MAX_WRITE_OFFS). Money
    /// received then is allocated to the other installments first, so that what it paid stays paid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// Late fee that a replaced schedule left to it, beside its own.
    #[serde(default, skip_serializing_if = "Money::is_zero_ref", deserialize_with = "grown::deserialize")]
    pub kept_late_fee: Money,
    /// Left out of stages and reminders; none: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<InstallmentHold>,
    /// The draw whose repayment plan it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draw_id: Option<DrawId>,
}

impl Installment {
    /// An installment without any interest, fee or history.
    pub(crate) fn of_principal(label: InstallmentLabel, due_on: NaiveDate, principal: Money) -> Self {
        let zero = principal.zeroed();
        Self {
            label,
            due_on,
            principal,
            interest: zero,
            fee: zero,
            adjusted: zero,
            written_off: false,
            replaced: false,
            since: None,
            written_off_at: None,
            left_out: Vec::new(),
            kept_late_fee: zero,
            hold: None,
            draw_id: None,
        }
    }

    /// The amount due in all components, after adjustments.
    #[must_use]
    pub fn amount_due(&self) -> Money {
        if self.adjusted.is_zero() && self.fee.is_zero() && self.interest.is_zero() {
            return self.principal;
        }
        self.principal + self.interest + self.fee - self.adjusted
    }

    /// The amount due in all components, after adjustments, in minor units.
    pub(crate) fn amount_due_minor(&self, minor_units: u32) -> i128 {
        let part = |amount: Money| minor(amount, minor_units);
        part(self.principal) + part(self.interest) + part(self.fee) - part(self.adjusted)
    }

    /// The largest amount ever due: before adjustments lowered it, after they raised it.
    pub(crate) fn largest_amount_due(&self) -> Money {
        self.amount_due().max(self.principal + self.interest + self.fee)
    }

    /// The amounts due as fee, interest and principal, in minor units. A reduction by an adjustment or a new
    /// schedule comes off the components that the waterfall allocates to last. An increase goes on the last
    /// of them.
    pub(crate) fn components_due(&self, waterfall: &Waterfall, minor_units: u32) -> [i128; 3] {
        let part = |amount| minor(amount, minor_units);
        let mut due = [part(self.fee), part(self.interest), part(self.principal)];
        let mut off = part(self.adjusted);
        for component in waterfall.order().iter().rev() {
            if off == 0 {
                break;
            }
            let Some(index) = component.index() else { continue };
            let part = off.min(due[index]);
            due[index] -= part;
            off -= part;
        }
        due
    }

    /// The open part of each component, in the order of the waterfall, after `paid` and without a late fee.
    /// For an installment that may bear a late fee, the allocation has the open components.
    #[must_use]
    pub fn open_components(
        &self,
        paid: Money,
        waterfall: &Waterfall,
        currency: Currency,
    ) -> Vec<(Component, Money)> {
        let minor_units = currency.minor_units();
        let due = self.components_due(waterfall, minor_units);
        let mut paid = minor(paid, minor_units);
        let mut open = Vec::with_capacity(due.len());
        for component in waterfall.order() {
            let Some(index) = component.index() else { continue };
            let part = paid.min(due[index]);
            paid -= part;
            open.push((*component, Money::of_minor(due[index] - part, minor_units)));
        }
        open.retain(|(_, amount)| !amount.is_zero());
        open
    }

    /// The number in the lender's schedule; none: the installment is a chargeback, or late fees that were kept.
    #[must_use]
    pub const fn number(&self) -> Option<InstallmentNumber> {
        self.label.number()
    }

    pub(crate) fn by_due_date(&self, other: &Self) -> Ordering {
        (self.due_on, &self.label).cmp(&(other.due_on, &other.label))
    }
}
