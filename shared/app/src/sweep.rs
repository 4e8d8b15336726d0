//! The sweep of the due index: each due account is assessed, oldest entry first.
//!
//! # When an account cannot be assessed
//! The account is quarantined and loses its index entry, so that it never blocks its shard. After a transient
//! failure it keeps its entry.

use std::panic::AssertUnwindSafe;

use chrono::{DateTime, Utc};
use duewatch_domain::kernel::{AccountId, NoId};
use duewatch_store::{DueAccount, StoreError};
use futures_util::{FutureExt, StreamExt, stream};
use serde::Serialize;
use serde_json::json;

use crate::{CONCURRENCY, Deadline, Services, TransitionError, TransitionOutcome};

/// Index entries in one page.
const PAGE: i32 = 100;

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

/// Sweeps a shard, at most so many pages of it. Returns whether that was all.
///
/// # Errors
/// When the index cannot be read. A failed account does not fail the sweep.
pub async fn sweep_shard(
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
        let page = services.store().due_accounts(shard, now, PAGE, from).await?;
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
    let quarantined = async {
        services.alerts.quarantine(&due.account_id, &reason, &payload, now).await?;
        services.store().drop_due_entry(due).await
    };
    match quarantined.await {
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
    let account_id: AccountId = due.account_id.parse().map_err(|problem: NoId| StoreError::Codec {
        table: services.store().tables().accounts.clone(),
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
