//! The quarantine as people read it, and records that are dropped from it.

use std::collections::BTreeSet;

use duewatch_domain::printable;
use duewatch_store::Quarantined;
use serde_json::Value;

use super::{QuarantineScope, Requeue, RequeueError};

impl Requeue {
    /// Lists the quarantined records of a scope through `tell`, a line each: date, function, id, account, reason.
    /// Returns their number.
    ///
    /// # Errors
    /// When the quarantine cannot be read.
    pub async fn list(
        &self,
        scope: QuarantineScope<'_>,
        mut tell: impl FnMut(String),
    ) -> Result<usize, RequeueError> {
        let mut listed = 0;
        self.each(scope, async |record| {
            tell(line(&record, &record.reason));
            listed += 1;
            Ok(())
        })
        .await?;
        Ok(listed)
    }

    /// Drops the records of those ids from quarantine for good; the reason and the record's name stay for as long as
    /// the record would have stayed. Returns their number.
    ///
    /// # Errors
    /// When an id is of no record of the scope; the others are dropped all the same. When the quarantine cannot be
    /// read or written.
    pub async fn drop_records(
        &self,
        scope: QuarantineScope<'_>,
        ids: &[String],
        reason: &str,
        mut tell: impl FnMut(String),
    ) -> Result<usize, RequeueError> {
        let mut missing: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let now = self.now();
        let mut dropped = 0;
        self.each(scope, async |record| {
            if ids.contains(&record.id) {
                self.store().drop_quarantined(&record, reason, now).await?;
                tell(line(&record, &format!("dropped: {reason}")));
                missing.remove(record.id.as_str());
                dropped += 1;
            }
            Ok(())
        })
        .await?;
        match missing.first() {
            Some(id) => Err(RequeueError::NotThere(printable((*id).to_owned()))),
            None => Ok(dropped),
        }
    }
}

/// A record as one line: date, function, id, account, and why it is there.
pub(super) fn line(record: &Quarantined, reason: &str) -> String {
    let Quarantined { source, id, at, .. } = record;
    let account = account_of(record).map_or_else(String::new, |account| format!(" account {account}"));
    printable(format!("{} {source} {id}{account}: {reason}", at.date_naive()))
}

/// The account that a record is about, as far as its payload tells.
fn account_of(record: &Quarantined) -> Option<String> {
    let payload: Value = serde_json::from_str(&record.payload).ok()?;
    let places = ["/account_id", "/dynamodb/Keys/account_id/S", "/account/account_id", "/accounts/0"];
    places.into_iter().find_map(|place| payload.pointer(place)?.as_str()).map(ToOwned::to_owned)
}
