//! A revision of an account, for the history.

use chrono::{DateTime, Utc};
use duewatch_domain::Account;
use duewatch_notify::OperationsKind;
use duewatch_store::Recorded;

use crate::{RecordError, Services};

/// Adds the entry of a revision that was written at `at` to the account's history, and alerts a gap below
/// it. `before` is the account one revision earlier, where its image is known.
///
/// # Errors
/// Poison where the history says something else of that revision; otherwise a later delivery may succeed.
pub async fn record_revision(
    services: &Services,
    before: Option<&Account>,
    after: &Account,
    at: DateTime<Utc>,
) -> Result<Recorded, RecordError> {
    let now = services.clock.now();
    let retention = services.transitions.retention_of(after, now).await?;
    let recorded = services.store().record_revision(before, after, at, now, retention).await?;
    if recorded == (Recorded::New { gap: true }) {
        let subject = format!("{}/{}", after.account_id, after.revision);
        let reason = "the revision below it is not in the history; duewatch audit lists the missing ones";
        services.alerts.alert(OperationsKind::HistoryGap, &subject, reason, now).await;
    }
    Ok(recorded)
}
