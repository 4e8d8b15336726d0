//! Reasons of a stage, as data. The sentence is made where a reason is printed.

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::new_schedule::AccruedFee;
use crate::kernel::{AccountId, Money, grown};
use crate::policy::{HardshipCause, StageName};

/// Why an account is on its stage: a rule, its threshold, and the value compared with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reason {
    /// `value` delinquent days, at least `threshold`.
    DelinquentDays {
        threshold: u32,
        value: u32,
    },
    /// `value` days past due, at least `threshold`.
    DaysPastDue {
        threshold: u32,
        value: u32,
    },
    /// `value` is overdue, at least `threshold`.
    OverdueAmount {
        threshold: Money,
        #[serde(deserialize_with = "grown::deserialize")]
        value: Money,
    },
    /// A share of the outstanding balance is overdue: `value`, to four decimals, at least `threshold`.
    OverdueShare {
        #[serde(with = "rust_decimal::serde::str")]
        threshold: Decimal,
        #[serde(with = "rust_decimal::serde::str")]
        value: Decimal,
    },
    /// `value` installments are past due, at least `threshold`.
    UnpaidInstallments {
        threshold: u32,
        value: u32,
    },
    /// The hardship cause that the stage requires is recorded: `value` equals `threshold`.
    Cause {
        threshold: HardshipCause,
        value: HardshipCause,
    },
    /// The recorded score `value` is at most `threshold`.
    ScoreAtMost {
        threshold: u32,
        value: u32,
    },
    /// The stage's own restrictions are deferred.
    #[serde(rename = "restrictions_held")]
    RestrictionsDeferred {
        by: DeferralReason,
        /// The day on which they take effect; none: not before a fact changes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<NaiveDate>,
    },
    /// Another account of the customer, `value`, has reached `threshold`, the stage of its policy's customer
    /// rule.
    Customer {
        threshold: StageName,
        value: AccountId,
    },
    /// What became of the late fee that was open when the schedule was replaced.
    AccruedFee {
        /// None: it went with the schedule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        becomes: Option<AccruedFee>,
        #[serde(deserialize_with = "grown::deserialize")]
        value: Money,
    },
    NothingOverdue,
    /// All installments past due are on hold.
    InstallmentsHeld,
    /// The overdue balance is too small to move a stage.
    BelowMateriality,
    /// A balance is overdue, but no stage's conditions all hold.
    BelowEveryStage,
    EnforcementOff,
}

/// Why a stage's restrictions are deferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeferralReason {
    /// A notice must have been sent a number of days before.
    Notice,
    /// The first-lapse tolerance: the episode is a first and minor one.
    #[serde(rename = "buffer")]
    FirstLapseTolerance,
    TemporaryCause,
    PaymentInProcess,
    Dispute,
    /// A case is open: an appeal, a hardship application.
    Case,
    /// No restriction begins inside a delinquency pause.
    Pause,
    /// The operator has put new restrictions on hold.
    Hold,
}

impl DeferralReason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::FirstLapseTolerance => "buffer",
            Self::TemporaryCause => "temporary_cause",
            Self::PaymentInProcess => "payment_in_process",
            Self::Dispute => "dispute",
            Self::Case => "case",
            Self::Pause => "pause",
            Self::Hold => "hold",
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
            Self::RestrictionsDeferred { .. } => "restrictions_held",
            Self::Customer { .. } => "customer",
            Self::AccruedFee { .. } => "accrued_fee",
            Self::InstallmentsHeld => "installments_held",
            Self::BelowMateriality => "below_materiality",
            Self::NothingOverdue => "nothing_overdue",
            Self::BelowEveryStage => "below_every_stage",
            Self::EnforcementOff => "enforcement_off",
        }
    }

    /// The threshold and the value compared with it, as JSON: numbers for counts, strings for amounts and
    /// shares, null where the rule has none.
    #[must_use]
    pub fn threshold_and_value(&self) -> (serde_json::Value, serde_json::Value) {
        use serde_json::Value;
        match self {
            Self::DelinquentDays { threshold, value }
            | Self::DaysPastDue { threshold, value }
            | Self::UnpaidInstallments { threshold, value }
            | Self::ScoreAtMost { threshold, value } => ((*threshold).into(), (*value).into()),
            Self::Cause { threshold, value } => (threshold.as_str().into(), value.as_str().into()),
            Self::RestrictionsDeferred { by, until } => {
                (by.as_str().into(), until.map_or(Value::Null, |until| until.to_string().into()))
            }
            Self::Customer { threshold, value } => (threshold.as_str().into(), value.as_str().into()),
            Self::OverdueAmount { threshold, value } => {
                (threshold.to_string().into(), value.to_string().into())
            }
            Self::OverdueShare { threshold, value } => {
                (threshold.to_string().into(), value.to_string().into())
            }
            Self::AccruedFee { becomes, value } => {
                (becomes.map_or(Value::Null, |becomes| becomes.as_str().into()), value.to_string().into())
            }
            Self::NothingOverdue
            | Self::InstallmentsHeld
            | Self::BelowMateriality
            | Self::BelowEveryStage
            | Self::EnforcementOff => (Value::Null, Value::Null),
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
            Self::RestrictionsDeferred { by, until } => {
                f.write_str(match by {
                    DeferralReason::Notice => "Its restrictions wait for the time after a notice",
                    DeferralReason::FirstLapseTolerance => {
                        "Its restrictions wait, for this is a first and minor lapse"
                    }
                    DeferralReason::TemporaryCause => "Its restrictions wait, for the cause is temporary",
                    DeferralReason::PaymentInProcess => "Its restrictions wait for a payment under way",
                    DeferralReason::Dispute => "Its restrictions wait for the answer to a dispute",
                    DeferralReason::Case => "Its restrictions wait for the answer to a case",
                    DeferralReason::Pause => "Its restrictions wait, for the days are paused",
                    DeferralReason::Hold => "New restrictions wait, for the lender has put them on hold",
                })?;
                match until {
                    Some(until) => write!(f, ", until {until}."),
                    None if *by == DeferralReason::Hold => f.write_str("."),
                    None => f.write_str(", which has not been sent."),
                }
            }
            Self::Customer { threshold, value } => write!(
                f,
                "Account {value} of the same customer has reached {threshold}; what follows from that for this \
                 account is lifted when what is overdue there is paid."
            ),
            Self::AccruedFee { becomes, value } => {
                write!(f, "The late fee of {value} that was open under the schedule before ")?;
                f.write_str(match becomes {
                    None => "is dropped with it.",
                    Some(AccruedFee::Keep) => "stays owed.",
                    Some(AccruedFee::Waive) => "is waived.",
                    Some(AccruedFee::Move) => "is part of the first new installment.",
                })
            }
            Self::InstallmentsHeld => f.write_str("What is overdue is on hold."),
            Self::BelowMateriality => f.write_str("What is overdue is too little to count."),
            Self::NothingOverdue => f.write_str("No installment is overdue."),
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
