//! The anchors of the history, day by day.
//!
//! # Delivered twice
//! A day that has an anchor is left as it is. An anchor follows from what its day's index states, so two runs make
//! the same one; the second finds it there.
//!
//! # Cut off
//! Each shard of a day is stored before its anchor. The next run finds the stored ones, and goes on with the first
//! that is missing. The root goes out before the anchor is put, under an id of its day: a run that is cut off in
//! between sends it again.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use duewatch_notify::{NotifyError, OperationsKind, operations};
use duewatch_store::{ANCHOR_SHARDS, Anchor, PrivateKey, StoreError};
use serde::Serialize;

use crate::{Deadline, Services};

/// After the end of a day its entries are all in its index: one that is stamped in its last second is put within a
/// minute.
const SETTLED_AFTER: TimeDelta = TimeDelta::hours(1);
/// The most days that one run anchors.
const MAX_DAYS: usize = 31;

/// Why a run failed. The next one goes on with the day that has no anchor.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root did not go out.
    #[error(transparent)]
    Notify(#[from] NotifyError),
}

/// The result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AnchorReport {
    /// Days that were anchored.
    pub anchored: usize,
    /// The lines of their anchors.
    pub lines: u64,
    /// Days that have ended and have no anchor yet.
    pub days_behind: u64,
}

/// Anchors each day that has ended since the last anchor, oldest first; the first time, the last day that has
/// ended. Stops by itself before the deadline.
///
/// # Errors
/// When a call fails. What was anchored until then stays.
pub async fn anchor_history(
    services: &Services,
    key: &PrivateKey,
    deadline: Deadline,
) -> Result<AnchorReport, AnchorError> {
    let last = last_ended(services.clock.now());
    let mut newest = services.store().newest_anchor().await?;
    let mut report = AnchorReport::default();
    for _ in 0..MAX_DAYS {
        let Some(day) = next_day(newest.as_ref(), last) else { break };
        let Some(anchor) = anchor_day(services, key, day, newest.as_ref(), deadline).await? else { break };
        report.anchored += 1;
        report.lines += anchor.lines;
        newest = Some(anchor);
    }
    let behind = next_day(newest.as_ref(), last).map_or(0, |day| (last - day).num_days() + 1);
    report.days_behind = u64::try_from(behind).unwrap_or_default();
    Ok(report)
}

/// The last day (UTC) whose entries are all recorded.
pub(crate) fn last_ended(now: DateTime<Utc>) -> NaiveDate {
    let day = (now - SETTLED_AFTER).date_naive();
    day.checked_sub_days(Days::new(1)).unwrap_or(day)
}

/// The day to anchor next; none: it has not ended.
fn next_day(newest: Option<&Anchor>, last: NaiveDate) -> Option<NaiveDate> {
    let day = newest.map_or(Some(last), |newest| newest.day.succ_opt())?;
    (day <= last).then_some(day)
}

/// Anchors a day; none where the time is up before it is done.
async fn anchor_day(
    services: &Services,
    key: &PrivateKey,
    day: NaiveDate,
    newest: Option<&Anchor>,
    deadline: Deadline,
) -> Result<Option<Anchor>, AnchorError> {
    let mut shards = Vec::new();
    for shard in 0..ANCHOR_SHARDS {
        if deadline.is_near(services.clock.now()) {
            return Ok(None);
        }
        shards.push(services.store().anchor_shard(day, shard).await?);
    }
    let anchor = Anchor::new(day, &shards, newest, key);
    let said = format!("digest {}, root {}, key {}", anchor.digest(), anchor.root, anchor.public_key);
    let function = services.alerts.function();
    let message =
        operations(OperationsKind::HistoryAnchored, function, &day.to_string(), &said, services.clock.now());
    services.publisher.publish(&[message], services.clock.now()).await?;
    services.store().put_anchor(&anchor).await?;
    Ok(Some(anchor))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test's own input is known to be good")]

    use super::*;

    #[test]
    fn a_day_is_anchored_an_hour_after_its_end_and_not_before() {
        let ended = |now: &str| last_ended(now.parse().unwrap()).to_string();
        assert_eq!(ended("2023-09-02T00:59:59Z"), "2023-08-31");
        assert_eq!(ended("2023-09-02T01:00:00Z"), "2023-09-01");
    }
}
