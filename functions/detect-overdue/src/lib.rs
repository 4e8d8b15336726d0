//! `detect-overdue`: the sweep.
//!
//! A schedule fires it. It walks the shards of the due index, oldest entry first, assesses each due account
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
//!
//! # When an account cannot be assessed
//! The account is quarantined and loses its index entry, so that it never blocks its shard. After a transient
//! failure it keeps its entry.

mod shard_queue;

use std::panic::AssertUnwindSafe;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use chrono::{DateTime, Utc};
use duewatch_domain::kernel::AccountId;
use duewatch_runtime::{Deadline, Metrics, RecordError, Services, queue_batch};
use duewatch_store::{DueAccount, StoreError, TransitionError, TransitionOutcome};
use futures_util::{FutureExt, StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::shard_queue::{SWEEP_QUEUE_URL, ShardMessage, ShardQueue};

/// The function's name.
pub const NAME: &str = "detect-overdue";
/// The name of the function that runs the same code for the queue of shards.
pub const SWEEP_SHARD: &str = "sweep-shard";

/// Index entries in one page.
const PAGE: i32 = 100;
/// Accounts processed side by side.
const CONCURRENCY: usize = 8;
/// Pages of a shard that one invocation reads at most; the next firing continues.
const MAX_PAGES: usize = 10_000;
/// Pages of a shard that the scheduled invocation takes before it hands the shard to the queue.
const OWN_PAGES: usize = 5;

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

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SweepReport {
    pub due: usize,
    /// Accounts assessed and written.
    pub written: usize,
    /// Accounts among these whose status changed.
    pub decisions: usize,
    /// Restrictions deferred because a payment could not be posted.
    pub held: usize,
    /// Accounts that could not be assessed and are quarantined.
    pub quarantined: usize,
    /// Accounts left for the next firing.
    pub failed: usize,
    /// Whether the deadline came before the end.
    pub cut_short: bool,
    /// Shards handed to the queue.
    pub handed_over: usize,
    /// How long the oldest entry had been due.
    pub oldest_due_seconds: u64,
}

/// Why a sweep could not begin.
#[derive(Debug, thiserror::Error)]
#[error("sweep: {0}")]
pub struct SweepError(#[from] StoreError);

impl From<SweepError> for lambda_runtime::Diagnostic {
    fn from(error: SweepError) -> Self {
        Self { error_type: "SweepError".to_owned(), error_message: error.to_string() }
    }
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
) -> Result<SweepAnswer, SweepError> {
    match event {
        SweepEvent::Schedule(_) => sweep_all(services, queue, deadline).await.map(SweepAnswer::Schedule),
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
) -> Result<SweepReport, SweepError> {
    let store = services.transitions.store();
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
    report(services, NAME, &swept, now);
    Ok(swept)
}

/// Sweeps the shards that messages name.
async fn sweep_handed_over(services: &Services, event: SqsEvent, deadline: Deadline) -> SqsBatchResponse {
    let now = services.clock.now();
    let batch = queue_batch(event, &services.alerts, &*services.clock, deadline, async |message| {
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
        .count("decisions", swept.decisions)
        .count("restrictions_deferred", swept.held)
        .count("quarantined", swept.quarantined)
        .count("failed", swept.failed)
        .count("handed_over", swept.handed_over)
        .seconds("oldest_due_seconds", swept.oldest_due_seconds)
        .emit(now);
}

/// Sweeps a shard, at most so many pages of it. Returns whether that was all.
async fn sweep_shard(
    services: &Services,
    shard: u32,
    pages: usize,
    now: DateTime<Utc>,
    deadline: Deadline,
    report: &mut SweepReport,
) -> Result<bool, StoreError> {
    let mut from = None;
    for _ in 0..pages {
        if deadline.is_near(services.clock.now()) {
            report.cut_short = true;
            return Ok(false);
        }
        let page = services.transitions.store().due_accounts(shard, now, PAGE, from).await?;
        let oldest = page.accounts.first().and_then(|due| due.next_action_at.parse::<DateTime<Utc>>().ok());
        let waited = oldest.map_or(0, |at| u64::try_from((now - at).num_seconds()).unwrap_or_default());
        report.oldest_due_seconds = report.oldest_due_seconds.max(waited);
        sweep_page(services, page.accounts, now, deadline, report).await;
        from = page.next;
        if from.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

enum EvaluationOutcome {
    Written { decided: bool, held: bool },
    Left,
    Quarantined,
    Failed,
    CutShort,
}

async fn sweep_page(
    services: &Services,
    accounts: Vec<DueAccount>,
    now: DateTime<Utc>,
    deadline: Deadline,
    report: &mut SweepReport,
) {
    report.due += accounts.len();
    let outcome: Vec<EvaluationOutcome> = stream::iter(accounts)
        .map(|due| async move {
            if deadline.is_near(services.clock.now()) {
                EvaluationOutcome::CutShort
            } else {
                evaluate(services, &due, now).await
            }
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    for outcome in outcome {
        match outcome {
            EvaluationOutcome::Written { decided, held } => {
                report.written += 1;
                report.decisions += usize::from(decided);
                report.held += usize::from(held);
            }
            EvaluationOutcome::Left => {}
            EvaluationOutcome::Quarantined => report.quarantined += 1,
            EvaluationOutcome::Failed => report.failed += 1,
            EvaluationOutcome::CutShort => report.cut_short = true,
        }
    }
}

async fn evaluate(services: &Services, due: &DueAccount, now: DateTime<Utc>) -> EvaluationOutcome {
    let outcome = AssertUnwindSafe(sweep_account(services, due, now)).catch_unwind().await;
    let reason = match outcome {
        Ok(Ok(outcome)) => return outcome,
        Ok(Err(error)) if error.is_transient() => {
            tracing::warn!(account_id = due.account_id, %error, "left for the next firing");
            return EvaluationOutcome::Failed;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "judging it panicked".to_owned(),
    };
    let payload = json!({"account_id": due.account_id, "next_action_at": due.next_action_at}).to_string();
    let aside = async {
        services.alerts.quarantine(&due.account_id, &reason, &payload, now).await?;
        services.transitions.store().drop_due_entry(due).await
    };
    match aside.await {
        Ok(()) => EvaluationOutcome::Quarantined,
        Err(error) => {
            tracing::error!(account_id = due.account_id, %error, "not quarantined");
            EvaluationOutcome::Failed
        }
    }
}

async fn sweep_account(
    services: &Services,
    due: &DueAccount,
    now: DateTime<Utc>,
) -> Result<EvaluationOutcome, TransitionError> {
    let account_id: AccountId =
        due.account_id.parse().map_err(|problem: duewatch_domain::kernel::NoId| StoreError::Codec {
            table: services.transitions.store().tables().accounts.clone(),
            key: due.account_id.clone(),
            problem: problem.to_string(),
        })?;
    Ok(match services.transitions.sweep(&account_id, now).await? {
        TransitionOutcome::Written(account) => {
            EvaluationOutcome::Written { decided: account.decision_of_this_revision().is_some(), held: false }
        }
        TransitionOutcome::Deferred(_, blocked) => {
            services.alerts.alert_blocked_payment(&account_id, &blocked, now).await;
            EvaluationOutcome::Written { decided: false, held: true }
        }
        TransitionOutcome::Unchanged | TransitionOutcome::NoAccount => EvaluationOutcome::Left,
    })
}
