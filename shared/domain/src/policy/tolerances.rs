//! Relief between delinquency and its consequences: materiality, first-lapse tolerance, hardship cause,
//! payment in process, promise to pay, dispute.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::document::share;
use crate::kernel::Money;

/// Overdue amounts that move no stage. Outputs show them all the same.
///
/// The EU's retail default asks for more than EUR 100 and more than 1 % of the exposure (Commission Delegated
/// Regulation (EU) 2018/171, articles 1 and 2); check the primary text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Materiality {
    /// The overdue amount must exceed it; in the account's currency.
    #[serde(default = "zero")]
    pub amount: Money,
    /// The overdue share of the outstanding amount must exceed it; 0 to 1.
    #[serde(default, deserialize_with = "share")]
    pub share: Decimal,
    #[serde(default)]
    pub exceed: Exceed,
}

fn zero() -> Money {
    Money::ZERO
}

/// How many of the two thresholds must be exceeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exceed {
    #[default]
    Both,
    /// One is enough.
    Either,
}

impl Materiality {
    /// Whether `overdue` of `outstanding` moves a stage.
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

/// The first-lapse tolerance: more time to cure a first and minor delinquency episode before any restriction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstLapseTolerance {
    /// Delinquent days without a restriction; restrictions may follow on the day after.
    pub days: u32,
    /// Minor: at most this much is overdue.
    pub amount: Money,
    /// First: no episode ended within this many months before it.
    pub months: u32,
}

/// The consequences of a recorded cause, beside the stages that require one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CauseRules {
    /// Days after a temporary cause is recorded on which no new restriction begins.
    pub temporary_holds_days: u32,
}

/// How long an account waits for a payment in process.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessRules {
    /// The most days on which no new stage begins and no reminder is sent.
    pub max_days: u32,
}

/// How long an account waits for a promised payment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromiseRules {
    /// The most days after the promise is made on which no reminder is sent. Notices go on.
    pub max_days: u32,
}

/// How long a dispute defers consequences.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisputeRules {
    /// The most days after the dispute is opened on which no new restriction begins and no reminder is sent.
    /// Notices go on.
    pub holds_days: u32,
}

/// For how many days holds keep restrictions back, in one delinquency episode and over all kinds and items together: a
/// dispute, a case, a temporary cause, a payment in process, money that cannot be posted. Pauses are none: their days do not
/// count at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldRules {
    /// The most days of all holds; none: each kind has its own bound alone.
    pub at_most_days: Option<u32>,
    /// The most days of money that cannot be posted; none: [`MONEY_HOLD_DAYS`].
    pub hold_days: Option<u32>,
}

/// The most days on which money that cannot be posted keeps restrictions back, where the policy does not say.
pub const MONEY_HOLD_DAYS: u32 = 3;

/// The policy's rules for single operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    /// Further operations of the lender's systems, which no restriction of the policy names.
    #[serde(default)]
    pub known: Vec<String>,
    /// Operations that no restriction ever blocks, such as paying wages. Their names are the lender's own.
    #[serde(default)]
    pub never_blocked: Vec<String>,
}
