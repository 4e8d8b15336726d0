//! The conditions under which a stage holds.

use std::cmp::Reverse;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::bounds::MAX_DAYS;
use super::document::maybe_share;
use super::hardship_cause::HardshipCause;
use crate::kernel::Money;

/// The conditions of a stage: all that are given must hold, and some amount must be overdue.
///
/// Each of the figures only grows while the facts stay as they are; a cause and a score bind for a stretch of
/// days. A stage therefore holds in one stretch of days until a fact changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Days past due less grace and paused days.
    pub delinquent_days: Option<u32>,
    /// Days since the due date of the oldest unpaid installment.
    pub days_past_due: Option<u32>,
    /// The unpaid amount of the installments past due.
    pub overdue_amount: Option<Money>,
    /// The overdue amount as a share of the outstanding amount, 0 to 1.
    #[serde(default, deserialize_with = "maybe_share")]
    pub overdue_share: Option<Decimal>,
    /// The number of installments past due that have an unpaid amount.
    pub unpaid_installments: Option<u32>,
    pub cause: Option<HardshipCause>,
    /// A score must be recorded and be at most this.
    pub score_at_most: Option<u32>,
}

impl When {
    /// # Errors
    /// The first condition out of bounds, or the lack of any.
    pub(super) fn check(&self) -> Result<(), String> {
        if *self == Self::default() {
            return Err("when: a stage needs at least one condition".to_owned());
        }
        for (field, days) in [
            ("delinquent_days", self.delinquent_days),
            ("days_past_due", self.days_past_due),
            ("unpaid_installments", self.unpaid_installments),
        ] {
            if let Some(days) = days.filter(|days| *days > MAX_DAYS) {
                return Err(format!("when.{field}: {days} is more than {MAX_DAYS}"));
            }
        }
        if let Some(amount) = self.overdue_amount.filter(|amount| amount.is_negative()) {
            return Err(format!("when.overdue_amount: {amount} is less than zero"));
        }
        if let Some(share) = self.overdue_share
            && !(Decimal::ZERO..=Decimal::ONE).contains(&share)
        {
            return Err(format!("when.overdue_share: {share} is not between 0 and 1"));
        }
        Ok(())
    }

    /// Whether the delinquent days are the only condition.
    pub(super) fn asks_for_days_alone(&self) -> bool {
        *self == Self { delinquent_days: self.delinquent_days, ..Self::default() }
    }

    /// Every condition of `then` is still there, with a threshold no lower.
    pub(super) fn comes_no_earlier_than(&self, then: &Self) -> bool {
        self.delinquent_days >= then.delinquent_days
            && self.days_past_due >= then.days_past_due
            && self.overdue_amount >= then.overdue_amount
            && self.overdue_share >= then.overdue_share
            && self.unpaid_installments >= then.unpaid_installments
            && (then.cause.is_none() || self.cause == then.cause)
            && match (self.score_at_most, then.score_at_most) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(now), Some(then)) => now <= then,
            }
    }

    /// Whether a stage holds whenever `other` does: it names only conditions that `other` names too, each
    /// with a threshold no higher.
    pub(super) fn holds_whenever(&self, other: &Self) -> bool {
        needs_no_more(self.delinquent_days, other.delinquent_days)
            && needs_no_more(self.days_past_due, other.days_past_due)
            && needs_no_more(self.overdue_amount, other.overdue_amount)
            && needs_no_more(self.overdue_share, other.overdue_share)
            && needs_no_more(self.unpaid_installments, other.unpaid_installments)
            && (self.cause.is_none() || self.cause == other.cause)
            && needs_no_more(self.score_at_most.map(Reverse), other.score_at_most.map(Reverse))
    }

    /// Whether the figures on which `other` holds suffice for it. Any overdue amount meets a threshold of one
    /// day or one installment.
    pub(super) fn figures_suffice_for(&self, other: &Self) -> bool {
        needs_no_more(self.delinquent_days.filter(|days| *days > 0), other.delinquent_days)
            && needs_no_more(self.days_past_due.filter(|days| *days > 1), other.days_past_due)
            && needs_no_more(self.overdue_amount.filter(|amount| amount.is_positive()), other.overdue_amount)
            && needs_no_more(self.overdue_share.filter(|share| !share.is_zero()), other.overdue_share)
            && needs_no_more(self.unpaid_installments.filter(|count| *count > 1), other.unpaid_installments)
    }
}

fn needs_no_more<T: PartialOrd>(threshold: Option<T>, other: Option<T>) -> bool {
    match (threshold, other) {
        (None, _) => true,
        (Some(threshold), Some(other)) => threshold <= other,
        (Some(_), None) => false,
    }
}
