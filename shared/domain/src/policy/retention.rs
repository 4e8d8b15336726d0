//! Retention: how long a policy keeps records.

use chrono::{DateTime, Days, Utc};

/// The fewest days for which any record is kept: longer than it takes to notice a lost delivery and to repeat
/// it.
pub const MIN_KEPT_DAYS: u32 = 30;

/// For how many days records of an account are kept; none: for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Days for a history entry, counted from the writing of its revision. The newest entry is the account's current
    /// status, and is kept for as long as it is the newest. China: negative data is kept for 5 years after it has
    /// ended, and no longer.
    pub history_days: Option<u32>,
    /// Days for a contact record and for a change of a contact point, counted from its writing. USA: records
    /// of contacts are kept for 3 years.
    pub contact_log_days: Option<u32>,
}

impl Retention {
    /// When a history entry expires whose revision was written at `at`; none: never.
    #[must_use]
    pub fn history_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        until(at, self.history_days)
    }

    /// When an entry of a contact log expires that was written at `at`; none: never.
    #[must_use]
    pub fn contact_log_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        until(at, self.contact_log_days)
    }
}

/// An instant beyond the calendar is never reached.
fn until(at: DateTime<Utc>, days: Option<u32>) -> Option<DateTime<Utc>> {
    at.checked_add_days(Days::new(u64::from(days?)))
}
