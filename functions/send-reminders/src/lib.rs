//! `send-reminders`: outgoing events and messages.
//!
//! The accounts stream invokes it with each new revision. It publishes a change of status on
//! `account-events`, and queues the revision's contact requests under the customer. A schedule invokes it
//! too. Both pass the due contact requests through the contact gate, and out to `reminders`.
//!
//! # A customer, not an account
//! All due requests of a customer are evaluated together. Each account is read again (the last look), the
//! gate decides, and the requests that may leave become one message a channel. `person.rs` describes the
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

mod message;
mod person;
mod spoken;

use std::collections::BTreeSet;

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::DynamoDbEventResponse;
use chrono::{DateTime, Utc};
use duewatch_domain::ids::CustomerId;
use duewatch_notify::{OperationsKind, ReferenceKeys};
use duewatch_runtime::{
    Deadline, Metrics, NewRevision, Outgoing, RawStreamEvent, RecordError, Wiring, outgoing, stream_batch,
};
use duewatch_store::StoreError;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::person::Looked;

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
pub enum Answer {
    /// To the stream: the failed records.
    Stream(DynamoDbEventResponse),
    /// To the schedule.
    Schedule(Swept),
}

/// The result of a sweep of queued contact requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Customers evaluated.
    pub persons: usize,
    /// The results of their due requests.
    #[serde(flatten)]
    pub looked: Looked,
    /// Customers left for the next firing.
    pub failed: usize,
    /// Whether the deadline came before the end.
    pub cut_short: bool,
}

/// Why a sweep could not begin.
#[derive(Debug, thiserror::Error)]
#[error("sweep of what is planned: {0}")]
pub struct SweepError(#[from] StoreError);

impl From<SweepError> for lambda_runtime::Diagnostic {
    fn from(error: SweepError) -> Self {
        Self { error_type: "SweepError".to_owned(), error_message: error.to_string() }
    }
}

/// Publishes revisions, or sweeps the queued contact requests.
///
/// # Errors
/// When the index of queued requests cannot be read. A failed customer does not fail the sweep.
pub async fn handle(
    wiring: &Wiring,
    keys: &ReferenceKeys,
    event: SendEvent,
    deadline: Deadline,
) -> Result<Answer, SweepError> {
    match event.records {
        Some(records) => {
            let event = RawStreamEvent { records };
            Ok(Answer::Stream(take(wiring, keys, event, deadline).await))
        }
        None => Ok(Answer::Schedule(Box::pin(sweep(wiring, keys, deadline)).await?)),
    }
}

/// Publishes a batch of revisions.
async fn take(
    wiring: &Wiring,
    keys: &ReferenceKeys,
    event: RawStreamEvent,
    deadline: Deadline,
) -> DynamoDbEventResponse {
    let clock = &*wiring.clock;
    let mut batch = stream_batch(event, &wiring.desk, clock, deadline, async |record| prepare(record)).await;
    let all: Vec<&Outgoing> = batch.done.iter().map(|done| &done.value).collect();
    let sent = outgoing::send(wiring, &all).await;
    let is_sent = |place: &usize| !sent.failed.contains(place);
    let persons: BTreeSet<CustomerId> =
        (0..all.len()).filter(is_sent).filter_map(|place| all.get(place)?.plans_for().cloned()).collect();
    let messages: usize = all.iter().map(|outgoing| outgoing.messages()).sum();
    let failed: Vec<String> = sent
        .failed
        .iter()
        .filter_map(|place| Some(batch.done.get(*place)?.sequence_number.clone()))
        .collect();
    for sequence_number in &failed {
        batch.fail(sequence_number);
    }
    let mut swept = Swept::default();
    Box::pin(look_at_all(wiring, keys, persons, deadline, &mut swept)).await;
    let metrics = Metrics::new(&wiring.metrics_namespace, NAME)
        .count("taken", batch.taken())
        .count("messages", messages)
        .count("planned", sent.planned);
    swept
        .looked
        .counted(metrics)
        .count("quarantined", batch.quarantined)
        .count("failed", batch.failures())
        .emit(clock.now());
    tracing::info!(
        records = batch.done.len(),
        messages,
        planned = sent.planned,
        looked = ?swept.looked,
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
async fn sweep(wiring: &Wiring, keys: &ReferenceKeys, deadline: Deadline) -> Result<Swept, StoreError> {
    let store = wiring.transitions.store();
    let now = wiring.clock.now();
    store.check_due_shards().await?;
    let mut swept = Swept::default();
    for shard in 0..store.due_shards() {
        let (mut from, mut seen) = (None, BTreeSet::new());
        for _ in 0..MAX_PAGES {
            if deadline.is_near(wiring.clock.now()) {
                swept.cut_short = true;
                break;
            }
            let page = store.due_contacts(shard, now, PAGE, from).await?;
            let new = page.customers.into_iter().filter(|one| seen.insert(one.clone())).collect();
            Box::pin(look_at_all(wiring, keys, new, deadline, &mut swept)).await;
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    swept
        .looked
        .counted(Metrics::new(&wiring.metrics_namespace, NAME))
        .count("persons_failed", swept.failed)
        .emit(now);
    tracing::info!(?swept, "swept what is planned");
    Ok(swept)
}

/// The result for one customer.
enum Look {
    Done(Looked),
    Failed,
    CutShort,
}

/// Evaluates customers, several at once.
async fn look_at_all(
    wiring: &Wiring,
    keys: &ReferenceKeys,
    persons: BTreeSet<CustomerId>,
    deadline: Deadline,
    swept: &mut Swept,
) {
    let looks: Vec<Look> = stream::iter(persons)
        .map(|customer_id| async move {
            let now = wiring.clock.now();
            if deadline.is_near(now) {
                return Look::CutShort;
            }
            Box::pin(look_at(wiring, keys, &customer_id, now)).await
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    for look in looks {
        match look {
            Look::Done(looked) => {
                swept.persons += 1;
                swept.looked.add(&looked);
            }
            Look::Failed => swept.failed += 1,
            Look::CutShort => swept.cut_short = true,
        }
    }
}

/// Failed requests stay queued for the next sweep. A permanent failure alerts the staff on call; there is
/// nothing to requeue.
async fn look_at(
    wiring: &Wiring,
    keys: &ReferenceKeys,
    customer_id: &CustomerId,
    now: DateTime<Utc>,
) -> Look {
    let looked = std::panic::AssertUnwindSafe(person::look(wiring, keys, customer_id));
    let reason = match futures_util::FutureExt::catch_unwind(looked).await {
        Ok(Ok(looked)) => return Look::Done(looked),
        Ok(Err(error)) if error.is_transient() => {
            tracing::warn!(customer_id = customer_id.as_str(), %error, "left for the next firing");
            return Look::Failed;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "looking at the person panicked".to_owned(),
    };
    tracing::error!(customer_id = customer_id.as_str(), reason, "left for the next firing");
    let told = "a look at this customer fails; what is planned for them waits";
    wiring.desk.tell(OperationsKind::MessageHeld, customer_id.as_str(), told, now).await;
    Look::Failed
}
