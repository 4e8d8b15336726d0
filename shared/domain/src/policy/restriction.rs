//! Restrictions that a stage imposes.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::operation::DRAW;

/// The kinds of restrictions: four with effects of their own, and the lender's own names.
///
/// A new kind needs an arm here, in `severity.rs`, in `milder.rs` and in `describe/ladder.rs`: the compiler
/// names each place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum RestrictionKind {
    /// The credit line is limited to a percentage of the agreed line.
    LimitCreditLine,
    /// The rate is raised to a percentage of the contract's rate.
    RaiseRate,
    FreezeDrawdown,
    SuspendAccount,
    /// The lender's own name. Its effects are the operations that it names.
    Custom(String),
}

/// The bounds of a kind's percentage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PercentBounds {
    pub range: RangeInclusive<u32>,
    /// Whether a restriction of that kind must name a percentage.
    pub required: bool,
}

impl RestrictionKind {
    /// The kinds with effects of their own.
    pub const SHIPPED: [Self; 4] =
        [Self::LimitCreditLine, Self::RaiseRate, Self::FreezeDrawdown, Self::SuspendAccount];

    /// The name in policies, items and events.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::LimitCreditLine => "limit_credit_line",
            Self::RaiseRate => "raise_rate",
            Self::FreezeDrawdown => "freeze_drawdown",
            Self::SuspendAccount => "suspend_account",
            Self::Custom(name) => name,
        }
    }

    /// The bounds of its percentage; none: it takes no percentage.
    #[must_use]
    pub const fn percent_bounds(&self) -> Option<PercentBounds> {
        match self {
            Self::LimitCreditLine => Some(PercentBounds { range: 0..=100, required: true }),
            Self::RaiseRate => Some(PercentBounds { range: 100..=1_000, required: false }),
            Self::FreezeDrawdown | Self::SuspendAccount | Self::Custom(_) => None,
        }
    }
}

impl From<String> for RestrictionKind {
    fn from(name: String) -> Self {
        let shipped = Self::SHIPPED.into_iter().find(|kind| kind.as_str() == name);
        shipped.unwrap_or(Self::Custom(name))
    }
}

impl From<RestrictionKind> for String {
    fn from(kind: RestrictionKind) -> Self {
        kind.as_str().to_owned()
    }
}

impl fmt::Display for RestrictionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A restriction of the account's operations, credit line or rate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    pub kind: RestrictionKind,
    /// The level, in percent of the credit line or of the contract's rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    /// The restriction takes effect this many days after a notice of its stage was sent, and never before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_days: Option<u32>,
    /// The operations that a restriction of the lender's own blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
    /// The operations that the restriction leaves alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
}

impl Restriction {
    /// Whether the restriction blocks an operation, without regard to exceptions.
    #[must_use]
    pub fn blocks(&self, operation: &str) -> bool {
        match self.kind {
            RestrictionKind::SuspendAccount => true,
            RestrictionKind::FreezeDrawdown => operation == DRAW,
            RestrictionKind::LimitCreditLine => operation == DRAW && self.percent == Some(0),
            RestrictionKind::RaiseRate => false,
            RestrictionKind::Custom(_) => self.blocks.iter().any(|one| one == operation),
        }
    }

    /// The operations that the restriction names: those that it blocks and those that it leaves alone.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().chain(&self.except).map(String::as_str)
    }

    /// The percent of the credit line to which the restriction limits an operation; none: it does not.
    #[must_use]
    pub fn limits(&self, operation: &str) -> Option<u32> {
        let limits = self.kind == RestrictionKind::LimitCreditLine && operation == DRAW;
        self.percent.filter(|percent| limits && *percent > 0)
    }
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        self.percent.map_or(Ok(()), |percent| write!(f, " to {percent} %"))
    }
}
