//! Reasons of a stage as data; a sentence is made where one is printed.

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::kernel::{AccountId, Money};
use crate::policy::{Cause, StageName};

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
    /// The cause that the stage asks for is recorded.
    Cause {
        /// This one.
        threshold: Cause,
        /// The same.
        value: Cause,
    },
    /// The recorded score is low enough.
    ScoreAtMost {
        /// At most this.
        threshold: u32,
        /// So high.
        value: u32,
    },
    /// The stage's own restrictions are not in force yet.
    RestrictionsHeld {
        /// What keeps them back.
        by: HeldBy,
        /// The day on which they take effect; none: not before something else happens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<NaiveDate>,
    },
    /// Another account of the customer has reached the stage of its policy's customer rule.
    Customer {
        /// The stage that it has reached.
        threshold: StageName,
        /// The other account.
        value: AccountId,
    },
    /// Nothing is overdue.
    NothingOverdue,
    /// Something is overdue, but too little to move a stage.
    BelowMateriality,
    /// Something is overdue, but no stage's conditions all hold.
    BelowEveryStage,
    /// The account's enforcement is switched off.
    EnforcementOff,
}

/// What keeps a stage's restrictions back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBy {
    /// A notice must have been sent some days before.
    Notice,
    /// It is a first and minor lapse.
    Buffer,
    /// A temporary cause is recorded.
    TemporaryCause,
    /// A payment is under way.
    PaymentInProcess,
    /// There is a dispute.
    Dispute,
}

impl HeldBy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Buffer => "buffer",
            Self::TemporaryCause => "temporary_cause",
            Self::PaymentInProcess => "payment_in_process",
            Self::Dispute => "dispute",
        }
    }
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
            Self::Cause { .. } => "cause",
            Self::ScoreAtMost { .. } => "score_at_most",
            Self::RestrictionsHeld { .. } => "restrictions_held",
            Self::Customer { .. } => "customer",
            Self::BelowMateriality => "below_materiality",
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
            | Self::UnpaidInstallments { threshold, value }
            | Self::ScoreAtMost { threshold, value } => ((*threshold).into(), (*value).into()),
            Self::Cause { threshold, value } => (threshold.as_str().into(), value.as_str().into()),
            Self::RestrictionsHeld { by, until } => {
                (by.as_str().into(), until.map_or(Value::Null, |until| until.to_string().into()))
            }
            Self::Customer { threshold, value } => (threshold.as_str().into(), value.as_str().into()),
            Self::OverdueAmount { threshold, value } => {
                (threshold.to_string().into(), value.to_string().into())
            }
            Self::OverdueShare { threshold, value } => {
                (threshold.to_string().into(), value.to_string().into())
            }
            Self::NothingOverdue | Self::BelowMateriality | Self::BelowEveryStage | Self::EnforcementOff => {
                (Value::Null, Value::Null)
            }
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
            Self::Cause { value, .. } => write!(f, "The recorded cause is {}.", value.as_str()),
            Self::ScoreAtMost { threshold, value } => {
                write!(f, "The recorded score is {value}, at most {threshold} for this stage.")
            }
            Self::RestrictionsHeld { by, until } => {
                f.write_str(match by {
                    HeldBy::Notice => "Its restrictions wait for the time after a notice",
                    HeldBy::Buffer => "Its restrictions wait, for this is a first and minor lapse",
                    HeldBy::TemporaryCause => "Its restrictions wait, for the cause is temporary",
                    HeldBy::PaymentInProcess => "Its restrictions wait for a payment under way",
                    HeldBy::Dispute => "Its restrictions wait for the answer to a dispute",
                })?;
                match until {
                    Some(until) => write!(f, ", until {until}."),
                    None => f.write_str(", which has not been sent."),
                }
            }
            Self::Customer { threshold, value } => write!(
                f,
                "Account {value} of the same customer has reached {threshold}; what follows from that for this \
                 account is lifted when what is overdue there is paid."
            ),
            Self::BelowMateriality => f.write_str("What is overdue is too little to count."),
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
