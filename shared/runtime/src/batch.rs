//! A batch of stream records, with partial failures.
//!
//! Records of one account are processed one after another, accounts side by side. A record with a transient
//! failure is reported, and Lambda redelivers it and all records after it. A record that can never be
//! processed, or makes the code panic, is poisoned: it is quarantined with its payload and counts as done.
//! When more than half of a batch of ten or more is poisoned, the code or the settings are at fault, not the
//! records, and the batch is refused as a whole. The refusal reports the batch from its first record on
//! instead of failing the invocation: Lambda would split a failed batch in two until each part is small
//! enough to be quarantined.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use duewatch_app::{CONCURRENCY, Clock, Deadline, RecordError, Services};
use duewatch_domain::{Account, printable};
use duewatch_store::account_from_image;
use futures_util::{FutureExt, StreamExt, stream};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::metrics::{Metrics, emit_batch};

/// The smallest batch that is refused when mostly poisoned.
const POISON_MIN_BATCH: usize = 10;

/// Whether so many poisoned records indicate a fault of the code or the settings.
pub(crate) const fn is_mostly_poisoned(poisoned: usize, total: usize) -> bool {
    total >= POISON_MIN_BATCH && poisoned * 2 > total
}

/// A stream event whose records are parsed one by one, so that a malformed record leaves the others intact.
#[derive(Debug, Deserialize)]
pub struct RawStreamEvent {
    /// The records, unparsed.
    #[serde(rename = "Records")]
    pub records: Vec<Box<RawValue>>,
}

/// An account revision in a record of the accounts stream.
#[derive(Debug)]
pub struct NewRevision {
    /// The account's image before; `None` for a new account.
    pub before: Option<serde_dynamo::Item>,
    pub after: Account,
}

impl NewRevision {
    /// Reads the revision; `None` where the record has none: the account was removed, or only its index entry
    /// has changed.
    ///
    /// # Errors
    /// When the new image is no account that this release can decode.
    pub fn of(record: EventRecord) -> Result<Option<Self>, RecordError> {
        if record.event_name == "REMOVE" {
            return Ok(None);
        }
        let change = record.change;
        let before = match change.old_image.get("revision") {
            Some(serde_dynamo::AttributeValue::N(revision)) => revision.parse::<u64>().ok(),
            _ => None,
        };
        let after = account_from_image(change.new_image)?;
        if before.is_some_and(|before| before >= after.revision.0) {
            return Ok(None);
        }
        Ok(Some(Self { before: before.map(|_| change.old_image), after }))
    }
}

/// A processed record: the handler's result and the record's place in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done<T> {
    pub sequence_number: String,
    /// The handler's result.
    pub value: T,
}

/// The result of a batch.
#[derive(Debug)]
pub struct StreamBatch<T> {
    /// The processed records, in the order of the stream.
    pub done: Vec<Done<T>>,
    pub quarantined: usize,
    /// `None` unless the batch was refused as a whole.
    pub refused: Option<MostlyPoisoned>,
    failed: Vec<String>,
}

/// The refusal of a whole batch: most of its records are poisoned, so the code or the settings are at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{poisoned} of {records} records cannot be taken, the first because: {reason}")]
pub struct MostlyPoisoned {
    pub poisoned: usize,
    /// The size of the batch.
    pub records: usize,
    /// The reason of the first poisoned record.
    pub reason: String,
}

impl<T> StreamBatch<T> {
    /// Marks a processed record as failed after all.
    pub fn fail(&mut self, sequence_number: &str) {
        if !self.failed.iter().any(|known| known == sequence_number) {
            self.failed.push(sequence_number.to_owned());
        }
    }

    /// The number of processed records that have not failed after all.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.done.iter().filter(|done| !self.failed.contains(&done.sequence_number)).count()
    }

    /// The number of failed records, which Lambda redelivers.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failed.len()
    }

    /// Counts the batch's quarantined and failed records beside `metrics`, and answers Lambda.
    pub fn finish(&self, services: &Services, metrics: Metrics) -> DynamoDbEventResponse {
        emit_batch(services, metrics, self.quarantined, self.failures());
        self.response()
    }

    /// The answer to Lambda: the lowest sequence number that failed. Lambda
    /// delivers that record and all after it again.
    #[must_use]
    pub fn response(&self) -> DynamoDbEventResponse {
        let mut response = DynamoDbEventResponse::default();
        let lowest = self.failed.iter().min_by_key(|number| in_order(number));
        response.batch_item_failures = lowest
            .map(|number| {
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = Some(number.clone());
                failure
            })
            .into_iter()
            .collect();
        response
    }
}

/// Sequence numbers are decimal numbers of up to 40 digits.
fn in_order(number: &str) -> (usize, &str) {
    let digits = number.trim_start_matches('0');
    (digits.len(), digits)
}

struct StreamRecord {
    sequence_number: String,
    payload: Box<RawValue>,
    read: Result<EventRecord, String>,
}

impl StreamRecord {
    /// The record's id in quarantine: the same for each delivery, and different from that of any other
    /// record, whose item it would overwrite.
    fn id(&self) -> String {
        match &self.read {
            Ok(read) if !read.event_id.is_empty() => read.event_id.clone(),
            _ if !self.sequence_number.is_empty() => self.sequence_number.clone(),
            _ => format!("payload-{:08x}", crc32fast::hash(self.payload.get().as_bytes())),
        }
    }
}

/// A handler's result for a record.
pub(crate) enum RecordResult<T> {
    Done(T),
    Retry,
    Poison(String),
}

/// Passes every record of a batch to `handler`.
pub async fn stream_batch<T, F>(
    services: &Services,
    event: RawStreamEvent,
    deadline: Deadline,
    handler: F,
) -> StreamBatch<T>
where
    F: AsyncFn(EventRecord) -> Result<T, RecordError>,
{
    let (alerts, clock) = (&services.alerts, &*services.clock);
    let records: Vec<StreamRecord> = event.records.into_iter().map(read).collect();
    let total = records.len();
    let take_one = &async |record: &StreamRecord| take(record, &handler).await;
    let groups = stream::iter(by_account(records))
        .map(|group| take_in_order(group, clock, deadline, take_one))
        .buffer_unordered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await;

    let mut batch =
        StreamBatch { done: Vec::with_capacity(total), quarantined: 0, refused: None, failed: Vec::new() };
    let mut poisoned = Vec::new();
    for (record, taken) in groups.into_iter().flatten() {
        match taken {
            RecordResult::Done(value) => {
                batch.done.push(Done { sequence_number: record.sequence_number, value });
            }
            RecordResult::Retry => batch.failed.push(record.sequence_number),
            RecordResult::Poison(reason) => poisoned.push((record, reason)),
        }
    }
    batch.done.sort_by(|one, other| in_order(&one.sequence_number).cmp(&in_order(&other.sequence_number)));
    if let Some((_, reason)) = poisoned.first().filter(|_| is_mostly_poisoned(poisoned.len(), total)) {
        let refused = MostlyPoisoned { poisoned: poisoned.len(), records: total, reason: reason.clone() };
        tracing::error!(function = alerts.function(), %refused, "batch refused");
        let done = std::mem::take(&mut batch.done).into_iter().map(|done| done.sequence_number);
        batch.failed.extend(done.chain(poisoned.into_iter().map(|(record, _)| record.sequence_number)));
        batch.refused = Some(refused);
        return batch;
    }
    for (record, reason) in poisoned {
        match alerts.quarantine(&record.id(), &reason, record.payload.get(), clock.now()).await {
            Ok(()) => batch.quarantined += 1,
            Err(error) => {
                tracing::error!(%error, "not quarantined");
                batch.failed.push(record.sequence_number);
            }
        }
    }
    batch
}

/// Parses one record of a [`RawStreamEvent`] for a handler.
///
/// # Errors
/// The fault of a malformed record, which is then quarantined.
pub fn read_record(payload: &RawValue) -> Result<EventRecord, String> {
    serde_json::from_str(payload.get()).map_err(|error| printable(format!("no stream record: {error}")))
}

fn read(payload: Box<RawValue>) -> StreamRecord {
    #[derive(Deserialize)]
    struct Numbered {
        dynamodb: Sequence,
    }
    #[derive(Deserialize)]
    struct Sequence {
        #[serde(rename = "SequenceNumber")]
        sequence_number: String,
    }
    let read = read_record(&payload);
    let sequence_number = match &read {
        Ok(record) => record.change.sequence_number.clone(),
        Err(_) => {
            serde_json::from_str::<Numbered>(payload.get()).ok().map(|record| record.dynamodb.sequence_number)
        }
    };
    StreamRecord { sequence_number: sequence_number.unwrap_or_default(), payload, read }
}

/// One ordered group an account: its records, in the order of the stream.
fn by_account(records: Vec<StreamRecord>) -> Vec<Vec<StreamRecord>> {
    let mut groups: BTreeMap<String, Vec<StreamRecord>> = BTreeMap::new();
    for record in records {
        let account = match record.read.as_ref().ok().and_then(|read| read.change.keys.get("account_id")) {
            Some(serde_dynamo::AttributeValue::S(account_id)) => account_id.clone(),
            _ => String::new(),
        };
        groups.entry(account).or_default().push(record);
    }
    groups.into_values().collect()
}

/// Processes the records of an ordered group one after another. After a record that is to be redelivered, or
/// once the deadline is near, the rest of the group waits for redelivery.
pub(crate) async fn take_in_order<R, T>(
    group: Vec<R>,
    clock: &dyn Clock,
    deadline: Deadline,
    take: impl AsyncFn(&R) -> RecordResult<T>,
) -> Vec<(R, RecordResult<T>)> {
    let mut taken = Vec::with_capacity(group.len());
    let mut blocked = false;
    for record in group {
        blocked = blocked || deadline.is_near(clock.now());
        let outcome = if blocked { RecordResult::Retry } else { take(&record).await };
        blocked = matches!(outcome, RecordResult::Retry);
        taken.push((record, outcome));
    }
    taken
}

async fn take<T, F>(record: &StreamRecord, handler: &F) -> RecordResult<T>
where
    F: AsyncFn(EventRecord) -> Result<T, RecordError>,
{
    let event = match &record.read {
        Ok(event) => event.clone(),
        Err(reason) => return RecordResult::Poison(reason.clone()),
    };
    guarded(&record.sequence_number, handler(event)).await
}

/// Awaits a handler's result for a record; a panic is poison.
pub(crate) async fn guarded<T>(
    id: &str,
    handled: impl Future<Output = Result<T, RecordError>>,
) -> RecordResult<T> {
    match AssertUnwindSafe(handled).catch_unwind().await {
        Ok(Ok(value)) => RecordResult::Done(value),
        Ok(Err(RecordError::Retry(reason))) => {
            tracing::warn!(id, reason, "to be delivered again");
            RecordResult::Retry
        }
        Ok(Err(RecordError::Poison(reason))) => RecordResult::Poison(reason),
        Err(panic) => RecordResult::Poison(printable(format!("panicked: {}", panic_text(panic.as_ref())))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a word")
}
