//! Policies: versioned, dated, validated documents that say how accounts are judged.

mod check;
mod document;
mod late_fee;
mod reminders;
mod waterfall;

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use self::document::{PolicyError, parse};
pub use self::late_fee::{AnnualCap, LateFee, MAX_RATE_DECIMALS};
pub use self::reminders::{Channel, MAX_REMINDER_STEPS, ReminderStep, Reminders};
pub use self::waterfall::{Component, DueClass, Entry, Overpayment, Waterfall};
use crate::days::DayCount;
use crate::ids::PolicyId;
use crate::money::Money;

/// The most stages a ladder may have.
pub const MAX_STAGES: usize = 50;
/// The most restrictions a stage may bring.
pub const MAX_RESTRICTIONS: usize = 20;
/// The most days a threshold or a grace may ask for: a hundred years.
pub const MAX_DAYS: u32 = 36_500;

/// How accounts are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The same over all versions.
    pub id: PolicyId,
    /// Counts up.
    pub version: u32,
    /// The first date on which this version binds.
    pub effective_on: NaiveDate,
    /// Where days past due begin.
    pub day_count: DayCount,
    /// Days that delay `delinquent_days`, and nothing else.
    pub grace_days: u32,
    /// The order in which money settles what is owed.
    pub waterfall: Waterfall,
    /// What becomes of money beyond what is past due or due.
    pub overpayment: Overpayment,
    /// What being late costs; none: nothing.
    pub late_fee: Option<LateFee>,
    /// The ladder above `current`, mildest first.
    pub stages: Vec<Stage>,
    /// When whom to remind; none: nobody.
    pub reminders: Option<Reminders>,
}

impl Policy {
    /// Which version of which policy this is.
    #[must_use]
    pub fn reference(&self) -> PolicyRef {
        PolicyRef { id: self.id.clone(), version: self.version }
    }

    /// Whether it depends on the dates of payments what they settle. Where it does not, the
    /// allocation of all of them at once says it.
    #[must_use]
    pub fn keeps_a_ledger(&self) -> bool {
        self.late_fee.is_some()
            || self.waterfall.entries().is_some()
            || self.overpayment != Overpayment::default()
    }
}

/// Names one version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRef {
    /// The policy.
    pub id: PolicyId,
    /// Its version.
    pub version: u32,
}

impl fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.id, self.version)
    }
}

/// The name of a stage. The bottom of every ladder is [`StageName::current`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StageName(String);

impl StageName {
    const CURRENT: &'static str = "current";

    /// Nothing holds against the account.
    #[must_use]
    pub fn current() -> Self {
        Self(Self::CURRENT.to_owned())
    }

    /// Whether this is the bottom of the ladder.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.0 == Self::CURRENT
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A rung of the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Unique within the policy.
    pub name: StageName,
    /// When it holds.
    pub when: When,
    /// What the account may not do while it holds.
    pub restrictions: Vec<Restriction>,
}

/// The conditions of a stage: all that are given must hold, and something must
/// be overdue.
///
/// Each is a minimum over a figure that only grows while the facts stay as they
/// are. A stage that holds therefore goes on holding until a fact changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// Days past due less grace and paused days.
    pub delinquent_days: Option<u32>,
    /// Days since the due date of the oldest unpaid installment.
    pub days_past_due: Option<u32>,
    /// What is unpaid of the installments past due.
    pub overdue_amount: Option<Money>,
    /// The overdue amount as a part of all that is outstanding, 0 to 1.
    pub overdue_share: Option<Decimal>,
    /// How many installments past due still owe.
    pub unpaid_installments: Option<u32>,
}

/// Something the account may not do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    /// `limit_credit_line`, `freeze_drawdown`, `raise_rate`, `suspend_account`, or
    /// a name of the lender's own.
    pub kind: String,
    /// To which part, in percent: of the credit line, or of the contract's rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        self.percent.map_or(Ok(()), |percent| write!(f, " to {percent} %"))
    }
}
