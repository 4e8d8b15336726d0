//! The days and the time that a borrower has chosen for reminders of coming due dates.

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::written_time;

/// When a borrower wants to be reminded of what is coming due, in place of the policy's days
/// and time. It holds for what is planned for a later date than the one on which it was said,
/// so that nobody is reminded twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReminderPreference {
    /// So many days before the due date, in order; empty: on the policy's days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days_before: Vec<u32>,
    /// At this local time; none: at the policy's.
    #[serde(default, with = "written_time::maybe", skip_serializing_if = "Option::is_none")]
    pub at: Option<NaiveTime>,
    /// The local date on which it was said.
    pub since: NaiveDate,
}

impl Account {
    /// When its borrower wants to be reminded of what is coming due.
    #[must_use]
    pub const fn reminder_preference(&self) -> Option<&ReminderPreference> {
        self.reminder_preference.as_ref()
    }
}
