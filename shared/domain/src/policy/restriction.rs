//! Restrictions that a stage brings.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::operation::DRAW;

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
    /// It takes effect so many days after a notice of its stage was sent, and never before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_days: Option<u32>,
    /// The operations that a restriction of the lender's own blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
    /// The operations that it leaves alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
}

impl Restriction {
    /// Whether it blocks an operation, exceptions apart.
    #[must_use]
    pub fn blocks(&self, operation: &str) -> bool {
        match self.kind.as_str() {
            "suspend_account" => true,
            "freeze_drawdown" => operation == DRAW,
            "limit_credit_line" => operation == DRAW && self.percent == Some(0),
            "raise_rate" => false,
            _ => self.blocks.iter().any(|one| one == operation),
        }
    }

    /// To which part of the credit line it limits an operation, in percent.
    #[must_use]
    pub fn limits(&self, operation: &str) -> Option<u32> {
        let limits = self.kind == "limit_credit_line" && operation == DRAW;
        self.percent.filter(|percent| limits && *percent > 0)
    }
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        self.percent.map_or(Ok(()), |percent| write!(f, " to {percent} %"))
    }
}
