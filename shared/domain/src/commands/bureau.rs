//! Reports to a credit bureau.

use chrono::{DateTime, Utc};

use super::apply::Applied;
use crate::account::Account;

impl Account {
    pub(crate) fn record_bureau_report(&mut self, at: DateTime<Utc>) -> Applied {
        let before = self.reported_at;
        self.reported_at = before.max(Some(at));
        if self.reported_at == before { Applied::Unchanged } else { Applied::Changed }
    }
}
