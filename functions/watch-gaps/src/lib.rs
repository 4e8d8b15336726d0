//! `watch-gaps`: is anything late, stuck, unsent?
//!
//! A schedule fires it every quarter of an hour. Each firing looks at one segment of the
//! accounts table, so that each account is looked at once a day and the table is never
//! read whole. What can be made good is; what cannot rings at `operations`.
//!
//! | what is found | how | what is done |
//! |---|---|---|
//! | late | it has been due for longer than two sweeps | it is judged |
//! | not due | it waits for something and is not in the due index | it is judged, and queued |
//! | unconfirmed | `assess` says something else than its standing; or it cannot be judged | it is judged; or it rings |
//! | unposted | the payments table holds money that the account does not | it is posted; or set aside, and rings |
//! | history behind | its revision is not in the history | it is recorded; what is missing below rings |
//! | unpublished | a recent decision, its reminders, or what it asks of the customer's others, are above the published marker | they are sent, reminders after a last look; the others heed it |
//! | unheeded | one of the customer's other accounts does not know what it asks of them | that one takes it; or it rings, where money keeps it back |
//! | parked | a payment waits for its account | it is posted once that has come; after a day it rings |
//!
//! # When it misses a firing, or is cut off
//! How far it has come is on record, after each page. The next firing goes on from there,
//! a few segments at a time until it has caught up: after a long outage a whole round, and
//! less than two.
//!
//! # When two run at once
//! Whoever notes its page first goes on, the other stops. What both have found is judged,
//! posted or recorded once; what both have sent bears the same ids.
//!
//! # When something is amiss with the reading itself
//! Pages are read late, so they only raise a suspicion: before anything is repaired, or
//! rings, the account is read again.

mod findings;
mod look;
mod parked;

use std::panic::AssertUnwindSafe;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use chrono::{DateTime, TimeDelta, Utc};
use duewatch_notify::NotifyError;
use duewatch_runtime::{Deadline, Metrics, Wiring};
use duewatch_store::{Round, StoreError, Stored};
use futures_util::{FutureExt, StreamExt, stream};
use serde::Serialize;

use self::findings::Findings;
pub use self::findings::Gap;
use self::look::Look;

/// The function's name.
pub const NAME: &str = "watch-gaps";
/// The segments of the accounts table: one for each quarter of an hour of a day (UTC).
pub const SEGMENTS: u32 = 96;

/// Accounts that are read at once.
const PAGE: i32 = 100;
/// Accounts that are worked on side by side.
const CONCURRENCY: usize = 8;
/// Segments that one firing looks at where it has to catch up.
const CATCH_UP: usize = 4;
/// Pages that one firing reads at most; the next goes on.
const MAX_PAGES: usize = 10_000;

/// What a firing came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// Accounts that were looked at.
    pub looked_at: usize,
    /// Accounts that no sweep had looked at in time.
    pub late: usize,
    /// For how long the longest of them had waited.
    pub oldest_late_seconds: usize,
    /// Accounts that wait for something and were not in the due index.
    pub not_due: usize,
    /// Accounts whose standing `assess` does not confirm.
    pub unconfirmed: usize,
    /// Accounts with money in the payments table that they did not know of.
    pub unposted: usize,
    /// Accounts whose revision was not in the history.
    pub history_behind: usize,
    /// Accounts of which something was not sent.
    pub unpublished: usize,
    /// Accounts of which one of the customer's others did not know what they ask.
    pub unheeded: usize,
    /// Payments that wait for their account.
    pub parked: usize,
    /// Records that were quarantined today and yesterday.
    pub quarantined: usize,
    /// Findings that were made good.
    pub repaired: usize,
    /// Findings that were not, and rang.
    pub open: usize,
    /// Accounts that could not be looked at, and will be tomorrow.
    pub failed: usize,
    /// Whether the deadline came before the end.
    pub cut_short: bool,
}

/// Why a firing failed. The next one goes on where this one had come to.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The accounts, or how far it has come, cannot be read or written.
    #[error("watch: {0}")]
    Store(#[from] StoreError),
    /// People on duty could not be told.
    #[error("watch: operations were not told: {0}")]
    NotTold(#[from] NotifyError),
}

impl From<WatchError> for lambda_runtime::Diagnostic {
    fn from(error: WatchError) -> Self {
        Self { error_type: "WatchError".to_owned(), error_message: error.to_string() }
    }
}

/// Looks at what is next in the round.
///
/// # Errors
/// When the table cannot be read, or nobody can be told. Single accounts that fail do not
/// fail the firing.
pub async fn handle(
    wiring: &Wiring,
    _event: EventBridgeEvent,
    deadline: Deadline,
) -> Result<Watched, WatchError> {
    watch(wiring, SEGMENTS, deadline).await
}

/// The same in a round of so many segments a day.
///
/// # Errors
/// As [`handle`].
pub async fn watch(wiring: &Wiring, segments: u32, deadline: Deadline) -> Result<Watched, WatchError> {
    let now = wiring.clock.now();
    let store = wiring.transitions.store();
    let mut firing =
        Firing { wiring, now, deadline, watched: Watched::default(), found: Findings::default() };
    store.check_due_shards().await?;
    let mut round = store.round().await?;
    // What was found is told even where the firing then fails.
    let walked = firing.walk(&mut round, segments).await;
    firing.tell().await?;
    let watched = firing.watched;
    walked?;
    // What rang was not noted as looked at before it had rung.
    if watched.open > 0 {
        store.note_round(&mut round).await?;
    }
    tracing::info!(?watched, "watched");
    Ok(watched)
}

/// One firing under way.
struct Firing<'a> {
    wiring: &'a Wiring,
    now: DateTime<Utc>,
    deadline: Deadline,
    watched: Watched,
    found: Findings,
}

impl Firing<'_> {
    async fn walk(&mut self, round: &mut Round, segments: u32) -> Result<(), StoreError> {
        let store = self.wiring.transitions.store();
        let today = self.now.date_naive();
        for date in [today - TimeDelta::days(1), today] {
            self.watched.quarantined += store.count_quarantined(date).await?;
        }
        let current = slot_of(self.now, segments);
        begin(round, current, segments);
        let parked = parked::look_at(self.wiring, round.parked_after.as_deref(), self.now, &mut self.found);
        let parked = parked.await?;
        self.watched.parked = parked.waiting;
        round.parked_after = parked.next;
        let last = current.min(round.slot + CATCH_UP as u64 - 1);
        for _ in 0..MAX_PAGES {
            if round.slot > last {
                return Ok(());
            }
            let segment = u32::try_from(round.slot % u64::from(segments)).unwrap_or_default();
            let page = store.accounts_of_segment(segment, segments, PAGE, round.after.as_deref());
            let page = page.await?;
            if !self.look_at_page(page.accounts).await {
                self.watched.cut_short = true;
                return Ok(());
            }
            round.slot += u64::from(page.next.is_none());
            round.after = page.next;
            // Where something is going to ring, it is noted when it has.
            if !self.found.rings() && !store.note_round(round).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Says whether all of it was looked at before the deadline.
    async fn look_at_page(&mut self, accounts: Vec<(String, Result<Stored, StoreError>)>) -> bool {
        let (wiring, now, deadline) = (self.wiring, self.now, self.deadline);
        let looks: Vec<(String, Option<Look>)> = stream::iter(accounts)
            .map(|(account_id, seen)| async move {
                if deadline.is_near(wiring.clock.now()) {
                    return (account_id, None);
                }
                let look =
                    AssertUnwindSafe(look::look_at(wiring, &account_id, seen, now)).catch_unwind().await;
                (account_id, Some(look.unwrap_or_else(|_| Look::panicked())))
            })
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut whole = true;
        for (account_id, look) in looks {
            let Some(look) = look else {
                whole = false;
                continue;
            };
            self.watched.looked_at += 1;
            self.watched.failed += usize::from(look.failed);
            self.watched.oldest_late_seconds = self.watched.oldest_late_seconds.max(look.late_seconds);
            for (gap, is_repaired) in look.found {
                self.found.add(gap, &account_id, is_repaired);
            }
        }
        whole
    }

    /// Tells people on duty, and CloudWatch.
    async fn tell(&mut self) -> Result<(), NotifyError> {
        let (watched, found) = (&mut self.watched, &self.found);
        watched.late = found.count(Gap::Late);
        watched.not_due = found.count(Gap::NotDue);
        watched.unconfirmed = found.count(Gap::Unconfirmed);
        watched.unposted = found.count(Gap::Unposted);
        watched.history_behind = found.count(Gap::HistoryBehind);
        watched.unpublished = found.count(Gap::Unpublished);
        watched.unheeded = found.count(Gap::Unheeded);
        watched.repaired = found.repaired();
        watched.open = found.open();
        Metrics::new(&self.wiring.metrics_namespace, NAME)
            .count("looked_at", watched.looked_at)
            .count("late", watched.late)
            .count("oldest_late_seconds", watched.oldest_late_seconds)
            .count("not_due", watched.not_due)
            .count("unconfirmed", watched.unconfirmed)
            .count("unposted", watched.unposted)
            .count("history_behind", watched.history_behind)
            .count("unpublished", watched.unpublished)
            .count("unheeded", watched.unheeded)
            .count("parked", watched.parked)
            .count("quarantined", watched.quarantined)
            .count("repaired", watched.repaired)
            .count("failed", watched.failed)
            .emit(self.now);
        self.wiring.notifier.publish(&found.messages(self.now)).await
    }
}

/// The slot of an instant, counted since 1970; each day has as many as there are segments.
fn slot_of(now: DateTime<Utc>, segments: u32) -> u64 {
    let seconds = TimeDelta::days(1).num_seconds() / i64::from(segments.max(1));
    u64::try_from(now.timestamp() / seconds.max(1)).unwrap_or_default()
}

/// Goes on where the round has come to. Of what was missed a whole round is caught up, and
/// less than two, but no segment that was begun is left.
fn begin(round: &mut Round, current: u64, segments: u32) {
    let segments = u64::from(segments);
    if round.slot == 0 || round.slot > current + segments {
        // It never began; or a clock has been wrong by more than a day.
        (round.slot, round.after) = (current, None);
    }
    let rounds_missed = current.saturating_sub(round.slot) / segments;
    round.slot += rounds_missed.saturating_sub(1) * segments;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(slot: u64, current: u64) -> u64 {
        let mut round = Round { slot, ..Round::default() };
        begin(&mut round, current, SEGMENTS);
        round.slot
    }

    #[test]
    fn a_quarter_of_an_hour_has_its_segment() {
        let at = |text: &str| slot_of(text.parse().unwrap(), SEGMENTS) % u64::from(SEGMENTS);
        assert_eq!(at("2023-10-17T00:00:00Z"), 0);
        assert_eq!(at("2023-10-17T00:14:59Z"), 0);
        assert_eq!(at("2023-10-17T00:15:00Z"), 1);
        assert_eq!(at("2023-10-17T23:59:59Z"), 95);
    }

    #[test]
    fn a_round_goes_on_where_it_was_and_catches_up_one_whole_round_at_most_twice() {
        assert_eq!(begun(0, 10_000), 10_000, "it never began");
        assert_eq!(begun(10_000, 10_000), 10_000);
        assert_eq!(begun(10_001, 10_000), 10_001, "this slot is done");
        assert_eq!(begun(9_990, 10_000), 9_990, "ten were missed");
        let after_a_week = begun(10_000 - 7 * 96 - 5, 10_000);
        assert_eq!(after_a_week, 10_000 - 96 - 5);
        assert_eq!(begun(20_000, 10_000), 10_000, "from a future that has not come");
    }
}
