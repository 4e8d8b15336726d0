//! The days and the time that a borrower has chosen for reminders of coming due dates.

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::written_time;

/// A borrower's choice of days and time for reminders of coming due dates, in place of the policy's. The
/// choice applies to reminders planned for dates after `since`, so that no borrower is reminded twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReminderPreference {
    /// Days before the due date, in order; empty: the policy's days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days_before: Vec<u32>,
    /// Local time; none: the policy's.
    #[serde(default, with = "written_time::maybe", skip_serializing_if = "Option::is_none")]
    pub at: Option<NaiveTime>,
    /// The local date on which the borrower chose.
    pub since: NaiveDate,
}

impl Account {
    /// The borrower's choice of reminder days and time; none: the policy's apply.
    #[must_use]
    pub const fn reminder_preference(&self) -> Option<&ReminderPreference> {
        self.reminder_preference.as_ref()
    }
}
