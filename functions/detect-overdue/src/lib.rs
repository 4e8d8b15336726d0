//! `detect-overdue`: the sweep.
//!
//! A schedule fires it. It walks the shards of the due indexes, oldest entry first, assesses each due case and account
//! and writes the resulting transition.
//!
//! # When many accounts are due
//! The invocation takes the first five hundred accounts of a shard itself and hands the rest to a queue, one
//! message a shard. The same code reads that queue, deployed as a function of its own.
//!
//! # When it fires twice, or two run at once
//! The first writer wins. The other reads again, finds the account not due any more, and leaves it as it is.
//!
//! # When it is cut off, or misses a run
//! Nothing is lost: the index is the queue, and the next firing finds the rest. The sweep stops by itself
//! before its deadline.

mod shard_queue;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use chrono::{DateTime, Utc};
use duewatch_app::{Deadline, RecordError, Services, SweepReport, sweep_shard};
use duewatch_runtime::{FiringError, Metrics, queue_batch};
use duewatch_store::StoreError;
use serde::{Deserialize, Serialize};

pub use self::shard_queue::{SWEEP_QUEUE_URL, ShardMessage, ShardQueue};

/// The function's name.
pub const NAME: &str = "detect-overdue";
/// The name of the function that runs the same code for the queue of shards.
pub const SWEEP_SHARD: &str = "sweep-shard";

/// Pages of a shard that one invocation reads at most; the next firing continues.
const MAX_PAGES: usize = 10_000;
/// Pages of a shard that the scheduled invocation takes before it hands the shard to the queue.
const OWN_PAGES: usize = 5;

/// A sweep that meets an entry which has been due for longer, in seconds, does not count as complete: the shards that
/// were handed over before are not swept.
const COMPLETE_WITHIN: u64 = 2 * 60 * 60;

/// The event of an invocation.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum SweepEvent {
    /// Shards handed to the queue.
    Shards(SqsEvent),
    Schedule(EventBridgeEvent),
}

/// The answer of an invocation.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum SweepAnswer {
    /// To the queue: the failed messages.
    Shards(SqsBatchResponse),
    /// To the schedule.
    Schedule(SweepReport),
}

/// Sweeps all shards, or those that the event names.
///
/// # Errors
/// When the index cannot be read. A failed account does not fail the sweep.
pub async fn handle(
    services: &Services,
    queue: Option<&ShardQueue>,
    event: SweepEvent,
    deadline: Deadline,
) -> Result<SweepAnswer, FiringError> {
    match event {
        SweepEvent::Schedule(_) => {
            let swept = sweep_all(services, queue, deadline).await.map_err(FiringError::of("sweep"))?;
            Ok(SweepAnswer::Schedule(swept))
        }
        SweepEvent::Shards(event) => {
            Ok(SweepAnswer::Shards(sweep_handed_over(services, event, deadline).await))
        }
    }
}

/// Sweeps all shards; with a queue, hands over the large ones.
async fn sweep_all(
    services: &Services,
    queue: Option<&ShardQueue>,
    deadline: Deadline,
) -> Result<SweepReport, StoreError> {
    let store = services.store();
    let now = services.clock.now();
    store.check_due_shards().await?;
    let pages = if queue.is_some() { OWN_PAGES } else { MAX_PAGES };
    let mut swept = SweepReport::default();
    let mut large = Vec::new();
    for shard in 0..store.due_shards() {
        if !sweep_shard(services, shard, pages, now, deadline, &mut swept).await? {
            large.push(shard);
        }
    }
    if let Some(queue) = queue {
        let not_sent = queue.send(&large).await;
        swept.handed_over = large.len() - not_sent.len();
    }
    let is_whole = !swept.cut_short && swept.handed_over == large.len();
    if is_whole && swept.oldest_due_seconds <= COMPLETE_WITHIN {
        store.note_completed_run(NAME, now).await?;
    }
    report(services, NAME, &swept, now);
    Ok(swept)
}

/// Sweeps the shards that messages name.
async fn sweep_handed_over(services: &Services, event: SqsEvent, deadline: Deadline) -> SqsBatchResponse {
    let now = services.clock.now();
    let batch = queue_batch(services, event, deadline, async |message| {
        let message = ShardMessage::parse(message.body.as_deref().unwrap_or_default());
        let ShardMessage { shard } = message.map_err(RecordError::poison)?;
        let mut swept = SweepReport::default();
        sweep_shard(services, shard, MAX_PAGES, now, deadline, &mut swept).await?;
        Ok(swept)
    })
    .await;
    for swept in &batch.done {
        report(services, SWEEP_SHARD, swept, now);
    }
    batch.response()
}

fn report(services: &Services, function: &'static str, swept: &SweepReport, now: DateTime<Utc>) {
    tracing::info!(?swept, "swept");
    Metrics::new(&services.metrics_namespace, function)
        .count("due", swept.due)
        .count("written", swept.written)
        .count("cases", swept.cases)
        .count("case_deadlines_missed", swept.case_deadlines_missed)
        .count("decisions", swept.decisions)
        .count("restrictions_deferred", swept.held)
        .count("quarantined", swept.quarantined)
        .count("failed", swept.failed)
        .count("handed_over", swept.handed_over)
        .count("policies_unsigned", usize::from(services.store().policy_keys().is_none()))
        .seconds("oldest_due_seconds", swept.oldest_due_seconds)
        .emit(now);
}
