//! The heartbeat for a watch outside the AWS account.
//!
//! It leaves only when each scheduled part has done its work lately: the sweep of accounts, the sweep of contact
//! requests, the reconciliation, the anchoring. The watch outside alerts when none comes: no alarm of the account can
//! do that when the account itself, its alarms or their topic are the fault.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use duewatch_notify::{WorkDone, heartbeat};
use duewatch_store::StoreError;

use crate::Services;
use crate::anchor_history::last_ended;

/// How long ago a sweep may have done all its work, and how far the reconciler may be behind. Several firings may
/// be missed or cut short.
const LATELY: TimeDelta = TimeDelta::hours(2);
/// How many days the anchors may be behind the last day that has ended: the anchoring fires every six hours.
const ANCHORS_BEHIND: Days = Days::new(1);

/// The functions whose completed runs count: the sweep of accounts and that of contact requests.
const SWEEP: &str = "detect-overdue";
const CONTACTS: &str = "send-reminders";

/// Sends the heartbeat, if everything was done that it vouches for. Returns whether it left. `reconciled_to` is the
/// instant up to which the reconciler has visited its segments.
///
/// # Errors
/// When a call of the store fails.
pub(crate) async fn beat(
    services: &Services,
    reconciled_to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let Some(done) = work_done(services, reconciled_to, now).await? else { return Ok(false) };
    match services.publisher.publish(&[heartbeat(&done, now)], now).await {
        Ok(()) => Ok(true),
        Err(error) => {
            tracing::error!(%error, "the heartbeat did not leave");
            Ok(false)
        }
    }
}

/// What was done lately; none where a part is behind.
async fn work_done(
    services: &Services,
    reconciled_to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<WorkDone>, StoreError> {
    let runs = services.store().completed_runs().await?;
    let ran = |function: &str| runs.get(function).copied().filter(|at| now - *at <= LATELY);
    let anchored = services.store().newest_anchor().await?.map(|anchor| anchor.day);
    let anchored = anchored.filter(|day| is_anchored(*day, now));
    let is_reconciled = now - reconciled_to <= LATELY;
    match (ran(SWEEP), ran(CONTACTS), anchored) {
        (Some(sweep_at), Some(contacts_at), Some(anchored)) if is_reconciled => {
            Ok(Some(WorkDone { sweep_at, contacts_at, reconciled_to, anchored }))
        }
        (sweep, contacts, _) => {
            tracing::info!(
                sweep = sweep.is_some(),
                contacts = contacts.is_some(),
                reconciled = is_reconciled,
                anchored = anchored.is_some(),
                "no heartbeat: a part has not done its work lately"
            );
            Ok(None)
        }
    }
}

fn is_anchored(day: NaiveDate, now: DateTime<Utc>) -> bool {
    last_ended(now).checked_sub_days(ANCHORS_BEHIND).is_none_or(|least| day >= least)
}
