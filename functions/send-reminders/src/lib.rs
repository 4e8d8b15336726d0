//! `send-reminders`: outgoing events and messages.
//!
//! The accounts stream invokes it with each new revision. It publishes a change of status on
//! `account-events`, and queues the revision's contact requests under the customer. A schedule invokes it
//! too. Both pass the due contact requests through the contact gate, and out to `reminders`.
//!
//! # A customer, not an account
//! All due requests of a customer are evaluated together. Each account is read again (the last look), the
//! gate decides, and the requests that may leave become one message a channel. `customer.rs` describes the
//! steps.
//!
//! # Delivered twice, killed in between
//! Decisions leave again under the same id, for consumers to drop. A message to a borrower is counted before
//! it leaves, under an id that it keeps. When an invocation is killed in between, the first sweep a quarter
//! of an hour later sends the message.
//!
//! # SNS takes a part of a batch
//! Each failed entry is tried again. After that, the record of a decision is reported, and Lambda redelivers
//! it; a message to a borrower waits for the sweep.

mod customer;
mod message;
mod sendable;

use std::collections::BTreeSet;

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::DynamoDbEventResponse;
use chrono::{DateTime, Utc};
use duewatch_domain::kernel::CustomerId;
use duewatch_notify::{OperationsKind, ReferenceKeys};
use duewatch_runtime::{
    Deadline, Metrics, NewRevision, Outgoing, RawStreamEvent, RecordError, Services, outgoing, stream_batch,
};
use duewatch_store::StoreError;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::customer::EvaluationReport;

/// The function's name.
pub const NAME: &str = "send-reminders";
/// Customers evaluated side by side.
const CONCURRENCY: usize = 8;
/// Index entries in one page.
const PAGE: i32 = 100;
/// Pages of a shard that one invocation reads at most; the next firing continues.
const MAX_PAGES: usize = 1_000;

/// The event of an invocation: records of the accounts stream, or, without any, a firing of its schedule.
#[derive(Debug, Deserialize)]
pub struct SendEvent {
    /// The records, unparsed.
    #[serde(rename = "Records")]
    pub records: Option<Vec<Box<RawValue>>>,
}

/// The answer of an invocation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum SendAnswer {
    /// To the stream: the failed records.
    Stream(DynamoDbEventResponse),
    /// To the schedule.
    Schedule(ContactSweepReport),
}

/// The result of a sweep of queued contact requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ContactSweepReport {
    /// Customers evaluated.
    #[serde(rename = "persons")]
    pub customers: usize,
    /// The results of their due requests.
    #[serde(flatten)]
    pub evaluated: EvaluationReport,
    /// Customers left for the next firing.
    pub failed: usize,
    /// Whether the deadline came before the end.
    pub cut_short: bool,
}

/// Why a sweep could not begin.
#[derive(Debug, thiserror::Error)]
#[error("sweep of contact requests: {0}")]
pub struct ContactSweepError(#[from] StoreError);

impl From<ContactSweepError> for lambda_runtime::Diagnostic {
    fn from(error: ContactSweepError) -> Self {
        Self { error_type: "SweepError".to_owned(), error_message: error.to_string() }
    }
}

/// Publishes revisions, or sweeps the queued contact requests.
///
/// # Errors
/// When the index of queued requests cannot be read. A failed customer does not fail the sweep.
pub async fn handle(
    services: &Services,
    keys: &ReferenceKeys,
    event: SendEvent,
    deadline: Deadline,
) -> Result<SendAnswer, ContactSweepError> {
    match event.records {
        Some(records) => {
            let event = RawStreamEvent { records };
            Ok(SendAnswer::Stream(take(services, keys, event, deadline).await))
        }
        None => Ok(SendAnswer::Schedule(Box::pin(sweep(services, keys, deadline)).await?)),
    }
}

/// Publishes a batch of revisions.
async fn take(
    services: &Services,
    keys: &ReferenceKeys,
    event: RawStreamEvent,
    deadline: Deadline,
) -> DynamoDbEventResponse {
    let clock = &*services.clock;
    let mut batch =
        stream_batch(event, &services.alerts, clock, deadline, async |record| prepare(record)).await;
    let all: Vec<&Outgoing> = batch.done.iter().map(|done| &done.value).collect();
    let sent = outgoing::send(services, &all).await;
    let is_sent = |place: &usize| !sent.failed.contains(place);
    let customers: BTreeSet<CustomerId> =
        (0..all.len()).filter(is_sent).filter_map(|place| all.get(place)?.requests_for().cloned()).collect();
    let messages: usize = all.iter().map(|outgoing| outgoing.messages()).sum();
    let failed: Vec<String> = sent
        .failed
        .iter()
        .filter_map(|place| Some(batch.done.get(*place)?.sequence_number.clone()))
        .collect();
    for sequence_number in &failed {
        batch.fail(sequence_number);
    }
    let mut report = ContactSweepReport::default();
    Box::pin(evaluate_all(services, keys, customers, deadline, &mut report)).await;
    let metrics = Metrics::new(&services.metrics_namespace, NAME)
        .count("taken", batch.taken())
        .count("messages", messages)
        .count("planned", sent.queued);
    report
        .evaluated
        .counted(metrics)
        .count("quarantined", batch.quarantined)
        .count("failed", batch.failures())
        .emit(clock.now());
    tracing::info!(
        records = batch.done.len(),
        messages,
        planned = sent.queued,
        looked = ?report.evaluated,
        quarantined = batch.quarantined,
        failed = batch.failures(),
        "sent"
    );
    batch.response()
}

fn prepare(record: EventRecord) -> Result<Outgoing, RecordError> {
    Ok(NewRevision::of(record)?.map(|revision| Outgoing::of(&revision.after)).unwrap_or_default())
}

/// Evaluates each customer with due contact requests.
async fn sweep(
    services: &Services,
    keys: &ReferenceKeys,
    deadline: Deadline,
) -> Result<ContactSweepReport, StoreError> {
    let store = services.transitions.store();
    let now = services.clock.now();
    store.check_due_shards().await?;
    let mut report = ContactSweepReport::default();
    for shard in 0..store.due_shards() {
        let (mut from, mut seen) = (None, BTreeSet::new());
        for _ in 0..MAX_PAGES {
            if deadline.is_near(services.clock.now()) {
                report.cut_short = true;
                break;
            }
            let page = store.due_contacts(shard, now, PAGE, from).await?;
            let new = page.customers.into_iter().filter(|one| seen.insert(one.clone())).collect();
            Box::pin(evaluate_all(services, keys, new, deadline, &mut report)).await;
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    report
        .evaluated
        .counted(Metrics::new(&services.metrics_namespace, NAME))
        .count("persons_failed", report.failed)
        .emit(now);
    tracing::info!(?report, "contact requests swept");
    Ok(report)
}

/// The result for one customer.
enum CustomerOutcome {
    Done(EvaluationReport),
    Failed,
    CutShort,
}

/// Evaluates customers, several at once.
async fn evaluate_all(
    services: &Services,
    keys: &ReferenceKeys,
    customers: BTreeSet<CustomerId>,
    deadline: Deadline,
    swept: &mut ContactSweepReport,
) {
    let looks: Vec<CustomerOutcome> = stream::iter(customers)
        .map(|customer_id| async move {
            let now = services.clock.now();
            if deadline.is_near(now) {
                return CustomerOutcome::CutShort;
            }
            Box::pin(evaluate_guarded(services, keys, &customer_id, now)).await
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    for outcome in looks {
        match outcome {
            CustomerOutcome::Done(report) => {
                swept.customers += 1;
                swept.evaluated.add(&report);
            }
            CustomerOutcome::Failed => swept.failed += 1,
            CustomerOutcome::CutShort => swept.cut_short = true,
        }
    }
}

/// Failed requests stay queued for the next sweep. A permanent failure alerts the staff on call; there is
/// nothing to requeue.
async fn evaluate_guarded(
    services: &Services,
    keys: &ReferenceKeys,
    customer_id: &CustomerId,
    now: DateTime<Utc>,
) -> CustomerOutcome {
    let report = std::panic::AssertUnwindSafe(customer::evaluate(services, keys, customer_id));
    let reason = match futures_util::FutureExt::catch_unwind(report).await {
        Ok(Ok(report)) => return CustomerOutcome::Done(report),
        Ok(Err(error)) if error.is_transient() => {
            tracing::warn!(customer_id = customer_id.as_str(), %error, "left for the next firing");
            return CustomerOutcome::Failed;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "evaluating the customer panicked".to_owned(),
    };
    tracing::error!(customer_id = customer_id.as_str(), reason, "left for the next firing");
    let told = "evaluating this customer fails; the contact requests wait";
    services.alerts.alert(OperationsKind::MessageBlocked, customer_id.as_str(), told, now).await;
    CustomerOutcome::Failed
}
