//! The sweep of the due indexes: each due case and account is assessed, oldest entry first.
//!
//! # When an account or a case cannot be assessed
//! The entry is quarantined and dropped from its index, so that it never blocks its shard. After a transient failure
//! it stays.

use std::panic::AssertUnwindSafe;

use chrono::{DateTime, Utc};
use duewatch_domain::kernel::{AccountId, CaseId, NoId};
use duewatch_store::{DueEntry, DueTable, StoreError};
use futures_util::{FutureExt, StreamExt, stream};
use serde::Serialize;
use serde_json::json;

use crate::cases::{CaseError, sweep_case};
use crate::{CONCURRENCY, Deadline, Services, TransitionError, TransitionOutcome};

/// Index entries in one page.
const PAGE: i32 = 100;

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SweepReport {
    pub due: usize,
    /// Cases among these.
    pub cases: usize,
    /// Deadlines of cases that were found missed.
    pub case_deadlines_missed: usize,
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

/// Sweeps a shard, at most so many pages of each index: first the cases, which are few. Returns whether that was all.
///
/// # Errors
/// When an index cannot be read. A failed entry does not fail the sweep.
pub async fn sweep_shard(
    services: &Services,
    shard: u32,
    pages: usize,
    now: DateTime<Utc>,
    deadline: Deadline,
    report: &mut SweepReport,
) -> Result<bool, StoreError> {
    let mut is_whole = true;
    for of in [DueTable::Cases, DueTable::Accounts] {
        is_whole &= sweep_index(services, of, (shard, pages), now, deadline, report).await?;
    }
    Ok(is_whole)
}

async fn sweep_index(
    services: &Services,
    of: DueTable,
    (shard, pages): (u32, usize),
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
        let page = services.store().due_entries(of, shard, now, PAGE, from).await?;
        let oldest = page.entries.first().and_then(|due| due.next_action_at.parse::<DateTime<Utc>>().ok());
        let waited = oldest.map_or(0, |at| u64::try_from((now - at).num_seconds()).unwrap_or_default());
        report.oldest_due_seconds = report.oldest_due_seconds.max(waited);
        sweep_page(services, page.entries, now, deadline, report).await;
        from = page.next;
        if from.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

enum EvaluationOutcome {
    Written { decided: bool, held: bool },
    Case { missed: usize },
    Left,
    Quarantined,
    Failed,
    CutShort,
}

async fn sweep_page(
    services: &Services,
    entries: Vec<DueEntry>,
    now: DateTime<Utc>,
    deadline: Deadline,
    report: &mut SweepReport,
) {
    report.due += entries.len();
    let outcome: Vec<EvaluationOutcome> = stream::iter(entries)
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
            EvaluationOutcome::Case { missed } => {
                report.cases += 1;
                report.case_deadlines_missed += missed;
            }
            EvaluationOutcome::Left => {}
            EvaluationOutcome::Quarantined => report.quarantined += 1,
            EvaluationOutcome::Failed => report.failed += 1,
            EvaluationOutcome::CutShort => report.cut_short = true,
        }
    }
}

async fn evaluate(services: &Services, due: &DueEntry, now: DateTime<Utc>) -> EvaluationOutcome {
    let outcome = AssertUnwindSafe(sweep_entry(services, due, now)).catch_unwind().await;
    let reason = match outcome {
        Ok(Ok(outcome)) => return outcome,
        Ok(Err(error)) if error.is_transient() => {
            tracing::warn!(account_id = due.account_id, %error, "left for the next firing");
            return EvaluationOutcome::Failed;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "judging it panicked".to_owned(),
    };
    let (id, at) = (due.case_id.as_ref().unwrap_or(&due.account_id), &due.next_action_at);
    let payload = match &due.case_id {
        Some(case_id) => json!({"case_id": case_id, "next_action_at": at}),
        None => json!({"account_id": due.account_id, "next_action_at": at}),
    };
    let payload = payload.to_string();
    let quarantined = async {
        services.alerts.quarantine(id, &reason, &payload, now).await?;
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

/// Why an entry was not assessed.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Account(#[from] TransitionError),
    #[error(transparent)]
    Case(#[from] CaseError),
    #[error(transparent)]
    Id(#[from] NoId),
}

impl SweepError {
    const fn is_transient(&self) -> bool {
        match self {
            Self::Account(error) => error.is_transient(),
            Self::Case(error) => error.is_transient(),
            Self::Id(_) => false,
        }
    }
}

async fn sweep_entry(
    services: &Services,
    due: &DueEntry,
    now: DateTime<Utc>,
) -> Result<EvaluationOutcome, SweepError> {
    if let Some(case_id) = &due.case_id {
        let case_id: CaseId = case_id.parse()?;
        return Ok(EvaluationOutcome::Case { missed: Box::pin(sweep_case(services, &case_id, now)).await? });
    }
    let account_id: AccountId = due.account_id.parse()?;
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
