//! The last replacement of an account's schedule.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::{Money, Revision, grown};

/// Why a schedule is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// The schedule before was wrong.
    Correction,
    /// Other due dates at the borrower's wish.
    DueDateChange,
    /// Relief for a borrower in difficulty. A regulatory class then has the longer probation.
    Forbearance,
    /// The arrears begin anew, without relief.
    ReAge,
}

impl ScheduleKind {
    /// The kind as the formats write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Correction => "correction",
            Self::DueDateChange => "due_date_change",
            Self::Forbearance => "forbearance",
            Self::ReAge => "re_age",
        }
    }
}

/// What becomes of the late fee that has accrued when a schedule is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccruedFee {
    /// It stays owed as a late fee.
    Keep,
    /// It is waived, and goes with the installments that bore it.
    Waive,
    /// It becomes the fee of the first new installment.
    Move,
}

impl AccruedFee {
    /// The choice as the formats write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Waive => "waive",
            Self::Move => "move",
        }
    }
}

/// The last replacement of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    pub on: NaiveDate,
    /// None: not stated. It counts as forbearance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ScheduleKind>,
    /// What became of the late fee that was open then; none: it went with the schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accrued_fee: Option<AccruedFee>,
    #[serde(deserialize_with = "grown::deserialize")]
    pub late_fee: Money,
    /// The account's revision before.
    pub(crate) after: Revision,
}

impl Account {
    /// The last replacement of the schedule, as far as it was recorded in full.
    #[must_use]
    pub const fn new_schedule(&self) -> Option<&NewSchedule> {
        self.new_schedule.as_ref()
    }

    /// The local date of the last schedule replacement; none: never.
    pub(crate) fn schedule_replaced_on(&self) -> Option<NaiveDate> {
        self.forborne_on.max(self.new_schedule.as_ref().map(|schedule| schedule.on))
    }

    /// The replacement since the account's last revision, with a late fee that was open.
    pub(crate) fn late_fee_of_new_schedule(&self) -> Option<&NewSchedule> {
        let schedule = self.new_schedule.as_ref()?;
        (schedule.after == self.revision && schedule.late_fee.is_positive()).then_some(schedule)
    }
}
