//! How long a policy keeps what was written down.

use chrono::{DateTime, Days, Utc};

/// The fewest days that anything is kept: longer than it takes to notice that something is
/// missing, and to deliver it again.
pub const MIN_KEPT_DAYS: u32 = 30;

/// For how many days what was written of an account is kept; none: for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// An entry of the history, from the next one on: until then it says how the account
    /// stands. China: negative data is kept for 5 years after it has ended.
    pub history_days: Option<u32>,
    /// What became of a reminder, and a change of where a person can be reached, from then
    /// on. USA: records of contacts are kept for 3 years.
    pub contact_log_days: Option<u32>,
}

impl Retention {
    /// Until when an entry of the history is kept that the next one has followed at `at`.
    #[must_use]
    pub fn history_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        until(at, self.history_days)
    }

    /// Until when an entry of a contact log is kept that was written at `at`.
    #[must_use]
    pub fn contact_log_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        until(at, self.contact_log_days)
    }
}

/// An instant that no calendar has is never reached.
fn until(at: DateTime<Utc>, days: Option<u32>) -> Option<DateTime<Utc>> {
    at.checked_add_days(Days::new(u64::from(days?)))
}
