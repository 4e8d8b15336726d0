//! The reconciliation of accounts, a segment of the table at a time: is anything late, stuck, unsent?
//!
//! # When it misses a firing, or is cut off
//! The scan cursor is stored after each page. The next firing continues there, a few segments at a time until
//! it has caught up: after a long outage at least one whole scan, and less than two.
//!
//! # When two run at once
//! The first to store its page continues, the other stops. An account that both found is assessed, posted or
//! recorded once; messages that both have sent bear the same ids.
//!
//! # When a page is out of date
//! Pages are eventually consistent, so they only raise a suspicion. Before a repair or an alert, the account
//! is read again.

mod account;
mod findings;
mod proof;
mod suspense;

use std::panic::AssertUnwindSafe;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_notify::NotifyError;
use duewatch_store::{ScanCursor, StoreError, Stored};
use futures_util::{FutureExt, StreamExt, stream};
use serde::Serialize;

use self::account::AccountFindings;
pub use self::findings::Discrepancy;
use self::findings::Findings;
use crate::heartbeat::beat;
use crate::{CONCURRENCY, Deadline, Services};

/// Accounts in one page.
const PAGE: i32 = 100;
/// Segments that one firing reads at most while it catches up.
const CATCH_UP: usize = 4;
/// Pages that one firing reads at most; the next continues.
const MAX_PAGES: usize = 10_000;

/// The result of a firing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReconcileReport {
    /// Accounts reconciled.
    #[serde(rename = "looked_at")]
    pub evaluated: usize,
    /// Accounts that no sweep had evaluated in time.
    pub late: usize,
    /// The longest delay among them.
    pub oldest_late_seconds: usize,
    /// Accounts with a next action that were not in the due index.
    pub not_due: usize,
    /// Accounts whose status `assess` does not confirm.
    pub unconfirmed: usize,
    /// Accounts that lacked a payment of the payments table.
    pub unposted: usize,
    /// Accounts with a payment that is not in the payments table, or differs from its item.
    pub unproven: usize,
    /// Accounts whose revision was not in the history.
    pub history_behind: usize,
    /// Accounts with an unsent publication.
    pub unpublished: usize,
    /// Accounts whose restrictions one of the customer's other accounts had not applied.
    #[serde(rename = "unheeded")]
    pub unpropagated: usize,
    /// Accounts in a message without a receipt in time.
    pub unreported: usize,
    /// Suspense payments.
    #[serde(rename = "parked")]
    pub in_suspense: usize,
    /// Records quarantined today and yesterday.
    pub quarantined: usize,
    /// Accounts on which a hold has kept a restriction back since the day before or longer.
    pub held: usize,
    /// Repaired findings.
    pub repaired: usize,
    /// Unrepaired findings, which were alerted.
    pub open: usize,
    /// Accounts that could not be reconciled, and will be tomorrow.
    pub failed: usize,
    /// Whether the deadline came before the end.
    pub cut_short: bool,
    /// Topics that do not answer.
    pub topics_missing: usize,
    /// Whether the heartbeat left.
    pub heartbeat: bool,
}

/// Why a firing failed. The next one continues at the stored scan cursor.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The accounts or the scan cursor could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The alerts could not be published.
    #[error("operations were not alerted: {0}")]
    NotAlerted(#[from] NotifyError),
}

/// Reconciles the next accounts of the scan, with so many segments a day. Returns the report even where the
/// firing then fails: the findings are alerted all the same.
///
/// # Errors
/// When the table cannot be read, or the alerts cannot be published. A failed account does not fail the
/// firing.
pub async fn reconcile(
    services: &Services,
    segments: u32,
    deadline: Deadline,
) -> (ReconcileReport, Result<(), ReconcileError>) {
    let mut run = ReconcileRun {
        services,
        now: services.clock.now(),
        deadline,
        report: ReconcileReport::default(),
        found: Findings::default(),
    };
    let ended = run.fire(segments).await;
    tracing::info!(report = ?run.report, "reconciled");
    (run.report, ended)
}

/// One firing under way.
struct ReconcileRun<'a> {
    services: &'a Services,
    now: DateTime<Utc>,
    deadline: Deadline,
    report: ReconcileReport,
    found: Findings,
}

impl ReconcileRun<'_> {
    async fn fire(&mut self, segments: u32) -> Result<(), ReconcileError> {
        let store = self.services.store();
        store.check_due_shards().await?;
        let missing = self.services.publisher.missing_topics().await;
        self.report.topics_missing = missing.len();
        for topic in missing {
            tracing::error!(%topic, "the topic does not answer");
        }
        let mut cursor = store.scan_cursor().await?;
        let scanned = self.scan(&mut cursor, segments).await;
        self.alert().await?;
        scanned?;
        // The cursor passes a page with open findings only once they are alerted.
        if self.report.open > 0 {
            store.save_scan_cursor(&mut cursor).await?;
        }
        self.report.heartbeat =
            beat(self.services, begin_of(cursor.position, segments), self.services.clock.now()).await?;
        Ok(())
    }

    async fn scan(&mut self, cursor: &mut ScanCursor, segments: u32) -> Result<(), StoreError> {
        let store = self.services.store();
        let today = self.now.date_naive();
        for date in [today - TimeDelta::days(1), today] {
            self.report.quarantined += store.count_quarantined(date).await?;
        }
        let current = position_of(self.now, segments);
        begin(cursor, current, segments);
        let suspense_scan = suspense::post_suspense(
            self.services,
            cursor.suspense_after.as_deref(),
            self.now,
            &mut self.found,
        );
        let suspense_scan = suspense_scan.await?;
        self.report.in_suspense = suspense_scan.waiting;
        cursor.suspense_after = suspense_scan.next;
        let last = current.min(cursor.position + CATCH_UP as u64 - 1);
        for _ in 0..MAX_PAGES {
            if cursor.position > last {
                return Ok(());
            }
            let segment = u32::try_from(cursor.position % u64::from(segments)).unwrap_or_default();
            let page = store.accounts_of_segment(segment, segments, PAGE, cursor.after.as_deref());
            let page = page.await?;
            if !self.evaluate_page(page.accounts).await {
                self.report.cut_short = true;
                return Ok(());
            }
            cursor.position += u64::from(page.next.is_none());
            cursor.after = page.next;
            // With open findings, the cursor is stored after the alert.
            if !self.found.alerts() && !store.save_scan_cursor(cursor).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reconciles a page; returns whether all of it was done before the deadline.
    async fn evaluate_page(&mut self, accounts: Vec<(String, Result<Stored, StoreError>)>) -> bool {
        let (services, now, deadline) = (self.services, self.now, self.deadline);
        let looks: Vec<(String, Option<AccountFindings>)> = stream::iter(accounts)
            .map(|(account_id, seen)| async move {
                if deadline.is_near(services.clock.now()) {
                    return (account_id, None);
                }
                let findings = AssertUnwindSafe(account::reconcile_account(services, &account_id, seen, now))
                    .catch_unwind()
                    .await;
                (account_id, Some(findings.unwrap_or_else(|_| AccountFindings::panicked())))
            })
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut whole = true;
        for (account_id, findings) in looks {
            let Some(findings) = findings else {
                whole = false;
                continue;
            };
            self.report.evaluated += 1;
            self.report.failed += usize::from(findings.failed);
            self.report.held += usize::from(findings.held);
            self.report.oldest_late_seconds = self.report.oldest_late_seconds.max(findings.late_seconds);
            for (discrepancy, is_repaired) in findings.found {
                self.found.add(discrepancy, &account_id, is_repaired);
            }
        }
        whole
    }

    /// Sums the findings up, and publishes the alerts.
    async fn alert(&mut self) -> Result<(), NotifyError> {
        let (report, found) = (&mut self.report, &self.found);
        report.late = found.count(Discrepancy::Late);
        report.not_due = found.count(Discrepancy::NotDue);
        report.unconfirmed = found.count(Discrepancy::Unconfirmed);
        report.unposted = found.count(Discrepancy::Unposted);
        report.unproven = found.count(Discrepancy::Unproven);
        report.history_behind = found.count(Discrepancy::HistoryBehind);
        report.unpublished = found.count(Discrepancy::Unpublished);
        report.unpropagated = found.count(Discrepancy::Unpropagated);
        report.unreported = found.count(Discrepancy::Unreported);
        report.repaired = found.repaired();
        report.open = found.open();
        let alerts = found.messages(self.services.alerts.function(), self.now);
        self.services.publisher.publish(&alerts, self.now).await
    }
}

/// The length of a time slot in seconds: each day has one slot a segment.
fn slot_seconds(segments: u32) -> i64 {
    (TimeDelta::days(1).num_seconds() / i64::from(segments.max(1))).max(1)
}

/// The time slot of an instant, counted since 1970.
fn position_of(now: DateTime<Utc>, segments: u32) -> u64 {
    u64::try_from(now.timestamp() / slot_seconds(segments)).unwrap_or_default()
}

/// The instant at which a time slot begins.
fn begin_of(position: u64, segments: u32) -> DateTime<Utc> {
    let seconds = i64::try_from(position).unwrap_or_default().saturating_mul(slot_seconds(segments));
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH)
}

/// Sets the cursor for this firing. Of the missed slots it catches up at least one whole scan and less than
/// two, and always finishes a segment that was begun.
fn begin(cursor: &mut ScanCursor, current: u64, segments: u32) {
    let segments = u64::from(segments);
    if cursor.position == 0 || cursor.position > current + segments {
        // The scan never began; or a clock has been wrong by more than a day.
        (cursor.position, cursor.after) = (current, None);
    }
    let rounds_missed = current.saturating_sub(cursor.position) / segments;
    cursor.position += rounds_missed.saturating_sub(1) * segments;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(position: u64, current: u64) -> u64 {
        let mut cursor = ScanCursor { position, ..ScanCursor::default() };
        begin(&mut cursor, current, 96);
        cursor.position
    }

    #[test]
    fn a_quarter_of_an_hour_has_its_segment() {
        let at = |text: &str| position_of(text.parse().unwrap(), 96) % 96;
        assert_eq!(at("2023-10-17T00:00:00Z"), 0);
        assert_eq!(at("2023-10-17T00:14:59Z"), 0);
        assert_eq!(at("2023-10-17T00:15:00Z"), 1);
        assert_eq!(at("2023-10-17T23:59:59Z"), 95);
    }

    #[test]
    fn a_slot_begins_where_the_one_before_ends() {
        let now: DateTime<Utc> = "2023-10-17T23:59:59Z".parse().unwrap();
        assert_eq!(begin_of(position_of(now, 96), 96).to_string(), "2023-10-17 23:45:00 UTC");
        assert_eq!(begin_of(position_of(now, 1) + 1, 1).to_string(), "2023-10-18 00:00:00 UTC");
        assert_eq!(begin_of(u64::MAX, 96), DateTime::UNIX_EPOCH);
    }

    #[test]
    fn a_scan_goes_on_where_it_was_and_catches_up_one_whole_pass_at_most_twice() {
        assert_eq!(begun(0, 10_000), 10_000, "it never began");
        assert_eq!(begun(10_000, 10_000), 10_000);
        assert_eq!(begun(10_001, 10_000), 10_001, "this slot is done");
        assert_eq!(begun(9_990, 10_000), 9_990, "ten were missed");
        let after_a_week = begun(10_000 - 7 * 96 - 5, 10_000);
        assert_eq!(after_a_week, 10_000 - 96 - 5);
        assert_eq!(begun(20_000, 10_000), 10_000, "from a future that has not come");
    }
}
