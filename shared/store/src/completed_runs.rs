//! When a scheduled function last came to its end.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::records::texts;
use crate::{Store, StoreError, keys};

impl Store {
    /// Notes that a scheduled run of a function has done all its work.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn note_completed_run(&self, function: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let item = texts([("at", at.to_rfc3339_opts(SecondsFormat::Secs, true))]);
        self.put_item(keys::SETTINGS.to_owned(), keys::completed_run(function), item).await
    }

    /// When each function last did, by its name.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn completed_runs(&self) -> Result<BTreeMap<String, DateTime<Utc>>, StoreError> {
        let query = self.records_under(keys::SETTINGS.to_owned(), keys::COMPLETED_RUNS.to_owned());
        let items = self.records_table().page(query).await?.items;
        let runs = items.iter().filter_map(|item| {
            let text = |name| item.get(name)?.as_s().ok();
            let function = text(keys::SK)?.strip_prefix(keys::COMPLETED_RUNS)?;
            Some((function.to_owned(), text("at")?.parse().ok()?))
        });
        Ok(runs.collect())
    }
}
