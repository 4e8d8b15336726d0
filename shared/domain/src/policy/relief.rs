//! What stands between a lapse and its consequences: materiality, a buffer, a cause, a
//! payment under way.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::document::share;
use crate::kernel::Money;

/// Overdue amounts that move no stage. They are shown all the same.
///
/// The EU's retail default asks for more than EUR 100 and more than 1 % of the exposure
/// (Commission Delegated Regulation (EU) 2018/171, articles 1 and 2); check the primary text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Materiality {
    /// More than this must be overdue, in the account's currency.
    #[serde(default = "zero")]
    pub amount: Money,
    /// More than this part of what is outstanding must be overdue, 0 to 1.
    #[serde(default, deserialize_with = "share")]
    pub share: Decimal,
    /// Whether both must be exceeded, or one is enough.
    #[serde(default)]
    pub exceed: Exceed,
}

fn zero() -> Money {
    Money::ZERO
}

/// How many of two thresholds must be exceeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exceed {
    /// Both.
    #[default]
    Both,
    /// One is enough.
    Either,
}

impl Materiality {
    /// Whether so much overdue of so much outstanding moves a stage.
    #[must_use]
    pub fn is_exceeded(&self, overdue: Decimal, outstanding: Decimal) -> bool {
        let amount = overdue > self.amount.as_decimal();
        let share = self.share.checked_mul(outstanding).is_none_or(|least| overdue > least);
        match self.exceed {
            Exceed::Both => amount && share,
            Exceed::Either => amount || share,
        }
    }
}

/// More time to put a first and minor lapse right before anything is restricted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffer {
    /// Delinquent days that are let pass; restrictions may follow on the day after.
    pub days: u32,
    /// Minor: at most this much is overdue.
    pub amount: Money,
    /// First: no lapse has ended within so many months before it.
    pub months: u32,
}

/// What follows from a recorded cause, beside the stages that ask for one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CauseRules {
    /// For so many days after a temporary cause is recorded, nothing new is restricted.
    pub temporary_holds_days: u32,
}

/// How long a payment under way is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessRules {
    /// For so many days at the most no new stage begins and nobody is reminded.
    pub max_days: u32,
}

/// How long a promise to pay is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromiseRules {
    /// For so many days at the most after it is made, nobody is reminded. Notices go on.
    pub max_days: u32,
}

/// How long a dispute holds consequences back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisputeRules {
    /// For so many days at the most after it is opened, nothing new is restricted and nobody is
    /// reminded. Notices go on.
    pub holds_days: u32,
}

/// Operations and what may not happen to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    /// What no restriction ever blocks, such as paying wages: an operation's names are the
    /// lender's own.
    #[serde(default)]
    pub never_blocked: Vec<String>,
}
