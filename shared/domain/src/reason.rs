//! Reasons are data; sentences are made when they are shown.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::figures::Figures;
use crate::money::Money;
use crate::policy::Stage;

/// Why an account stands where it stands: a rule, its threshold, and the value
/// that was held against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reason {
    /// Enough delinquent days.
    DelinquentDays {
        /// At least this many.
        threshold: u32,
        /// So many.
        value: u32,
    },
    /// Enough days past due.
    DaysPastDue {
        /// At least this many.
        threshold: u32,
        /// So many.
        value: u32,
    },
    /// Enough is overdue.
    OverdueAmount {
        /// At least this much.
        threshold: Money,
        /// So much.
        value: Money,
    },
    /// Enough of what is outstanding is overdue.
    OverdueShare {
        /// At least this part.
        #[serde(with = "rust_decimal::serde::str")]
        threshold: Decimal,
        /// This part, to four decimals.
        #[serde(with = "rust_decimal::serde::str")]
        value: Decimal,
    },
    /// Enough installments are past due.
    UnpaidInstallments {
        /// At least this many.
        threshold: u32,
        /// So many.
        value: u32,
    },
    /// Nothing is overdue.
    NothingOverdue,
    /// Something is overdue, but no stage's conditions all hold.
    BelowEveryStage,
    /// The account's enforcement is switched off.
    EnforcementOff,
}

/// Decimals of a share that is shown.
const SHARE_DECIMALS: u32 = 4;

/// Why the account stands on `stage`.
pub(crate) fn reasons(account: &Account, figures: &Figures, stage: Option<&Stage>) -> Vec<Reason> {
    let Some(stage) = stage else {
        return vec![if !account.is_enforced() {
            Reason::EnforcementOff
        } else if figures.oldest_due_on.is_none() {
            Reason::NothingOverdue
        } else {
            Reason::BelowEveryStage
        }];
    };
    let when = &stage.when;
    let mut reasons = Vec::with_capacity(2);
    if let Some(threshold) = when.delinquent_days {
        reasons.push(Reason::DelinquentDays { threshold, value: figures.delinquent_days });
    }
    if let Some(threshold) = when.days_past_due {
        reasons.push(Reason::DaysPastDue { threshold, value: figures.days_past_due });
    }
    if let Some(threshold) = when.overdue_amount {
        reasons.push(Reason::OverdueAmount { threshold, value: figures.overdue });
    }
    if let Some(threshold) = when.overdue_share {
        let value = figures
            .overdue
            .as_decimal()
            .checked_div(figures.outstanding.as_decimal())
            .unwrap_or_default()
            .round_dp(SHARE_DECIMALS);
        reasons.push(Reason::OverdueShare { threshold, value });
    }
    if let Some(threshold) = when.unpaid_installments {
        reasons.push(Reason::UnpaidInstallments { threshold, value: figures.unpaid_installments });
    }
    reasons
}

impl Reason {
    /// The rule's name, as the formats write it.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::DelinquentDays { .. } => "delinquent_days",
            Self::DaysPastDue { .. } => "days_past_due",
            Self::OverdueAmount { .. } => "overdue_amount",
            Self::OverdueShare { .. } => "overdue_share",
            Self::UnpaidInstallments { .. } => "unpaid_installments",
            Self::NothingOverdue => "nothing_overdue",
            Self::BelowEveryStage => "below_every_stage",
            Self::EnforcementOff => "enforcement_off",
        }
    }

    /// The threshold and the value held against it, as JSON: numbers for counts,
    /// strings for amounts and shares, null where the rule has none.
    #[must_use]
    pub fn threshold_and_value(&self) -> (serde_json::Value, serde_json::Value) {
        use serde_json::Value;
        match self {
            Self::DelinquentDays { threshold, value }
            | Self::DaysPastDue { threshold, value }
            | Self::UnpaidInstallments { threshold, value } => ((*threshold).into(), (*value).into()),
            Self::OverdueAmount { threshold, value } => {
                (threshold.to_string().into(), value.to_string().into())
            }
            Self::OverdueShare { threshold, value } => {
                (threshold.to_string().into(), value.to_string().into())
            }
            Self::NothingOverdue | Self::BelowEveryStage | Self::EnforcementOff => (Value::Null, Value::Null),
        }
    }
}

/// The reason as an English sentence.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DelinquentDays { threshold, value } => write!(
                f,
                "{}, at least {threshold} for this stage; grace and paused days are not counted.",
                counted(*value, "delinquent day", "delinquent days")
            ),
            Self::DaysPastDue { threshold, value } => {
                let days = counted(*value, "day past due", "days past due");
                write!(f, "{days}, at least {threshold} for this stage.")
            }
            Self::OverdueAmount { threshold, value } => {
                write!(f, "{value} is overdue, at least {threshold} for this stage.")
            }
            Self::OverdueShare { threshold, value } => {
                write!(f, "{value} of what is outstanding is overdue, at least {threshold} for this stage.")
            }
            Self::UnpaidInstallments { threshold, value } => {
                write!(f, "{value} installments past due are unpaid, at least {threshold} for this stage.")
            }
            Self::NothingOverdue => f.write_str("Nothing is overdue."),
            Self::BelowEveryStage => {
                f.write_str("Something is overdue, but the conditions of no stage all hold.")
            }
            Self::EnforcementOff => f.write_str("Enforcement is switched off for this account."),
        }
    }
}

fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
