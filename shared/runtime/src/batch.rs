//! A batch of stream records, with partial failures.
//!
//! Records of one account are taken one after another, accounts side by side.
//! A record that fails for a reason that will pass is reported, and Lambda
//! delivers it and all after it again. A record that can never be taken, or
//! makes the code panic, is quarantined with its payload and counts as done.
//! When more than half of a batch of ten or more is like that, it is the code or
//! the settings, not the records: the batch is refused as a whole. It is then
//! reported from its first record on, not failed as an invocation: Lambda would
//! split a failed batch in two until each part is small enough to be quarantined.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use duewatch_domain::{Account, shown};
use duewatch_store::{StoreError, TransitionError, account_from_image};
use futures_util::{FutureExt, StreamExt, stream};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Clock, Deadline, Desk};

/// Accounts that are worked on side by side.
pub(crate) const CONCURRENCY: usize = 8;
/// From how many records on a mostly poisoned batch fails.
const POISON_MIN_BATCH: usize = 10;

/// Whether so many poisoned records are the code's or the settings' fault, not theirs.
pub(crate) const fn is_mostly_poisoned(poisoned: usize, total: usize) -> bool {
    total >= POISON_MIN_BATCH && poisoned * 2 > total
}

/// A stream event whose records are read one by one, so that one that cannot be
/// read does not take the others with it.
#[derive(Debug, Deserialize)]
pub struct RawStreamEvent {
    /// The records, as they came.
    #[serde(rename = "Records")]
    pub records: Vec<Box<RawValue>>,
}

/// Why a record was not taken.
#[derive(Debug)]
pub enum RecordError {
    /// It may be taken when it is delivered again.
    Retry(String),
    /// It can never be taken.
    Poison(String),
}

impl RecordError {
    /// It can never be taken, because of that.
    #[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
    pub fn poison(reason: impl ToString) -> Self {
        Self::Poison(reason.to_string())
    }
}

impl From<StoreError> for RecordError {
    fn from(error: StoreError) -> Self {
        if error.is_transient() { Self::Retry(error.to_string()) } else { Self::Poison(error.to_string()) }
    }
}

impl From<TransitionError> for RecordError {
    fn from(error: TransitionError) -> Self {
        match error {
            TransitionError::Refused(refusal) => Self::poison(refusal),
            TransitionError::Store(error) => error.into(),
        }
    }
}

/// A revision that a record of the accounts stream brings.
#[derive(Debug)]
pub struct NewRevision {
    /// The account's image before; none: it is new.
    pub before: Option<serde_dynamo::Item>,
    /// The account.
    pub after: Account,
}

impl NewRevision {
    /// Reads it; none: the record brings none. Somebody removed the account, or only its place
    /// in the due index has changed.
    ///
    /// # Errors
    /// When the new image is no account of ours.
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

/// What a record came to: the answer of the handler, and where the record stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done<T> {
    /// Its sequence number in the stream.
    pub sequence_number: String,
    /// What the handler made of it.
    pub value: T,
}

/// What a batch came to.
#[derive(Debug)]
pub struct StreamBatch<T> {
    /// The records that were taken, in the order of the stream.
    pub done: Vec<Done<T>>,
    /// How many were quarantined.
    pub quarantined: usize,
    /// Why it was refused as a whole, if it was.
    pub refused: Option<MostlyPoisoned>,
    failed: Vec<String>,
}

/// Why a batch was refused as a whole: most of it cannot be taken, so it is the code
/// or the settings, not the records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{poisoned} of {records} records cannot be taken, the first because: {reason}")]
pub struct MostlyPoisoned {
    /// How many.
    pub poisoned: usize,
    /// Of how many.
    pub records: usize,
    /// Why the first could not.
    pub reason: String,
}

impl<T> StreamBatch<T> {
    /// Says that a record that had been taken failed after all.
    pub fn fail(&mut self, sequence_number: &str) {
        if !self.failed.iter().any(|known| known == sequence_number) {
            self.failed.push(sequence_number.to_owned());
        }
    }

    /// How many records were taken, and did not fail after all.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.done.iter().filter(|done| !self.failed.contains(&done.sequence_number)).count()
    }

    /// How many records failed and are to be delivered again.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failed.len()
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

struct Record {
    sequence_number: String,
    payload: Box<RawValue>,
    read: Result<EventRecord, String>,
}

impl Record {
    /// What it is quarantined under: the same each time, and never that of another
    /// record, which would take its place.
    fn id(&self) -> String {
        match &self.read {
            Ok(read) if !read.event_id.is_empty() => read.event_id.clone(),
            _ if !self.sequence_number.is_empty() => self.sequence_number.clone(),
            _ => format!("payload-{:08x}", crc32fast::hash(self.payload.get().as_bytes())),
        }
    }
}

/// What a handler made of a record.
pub(crate) enum Taken<T> {
    Done(T),
    Retry,
    Poison(String),
}

/// Takes every record of a batch through `handler`.
pub async fn stream_batch<T, F>(
    event: RawStreamEvent,
    desk: &Desk,
    clock: &dyn Clock,
    deadline: Deadline,
    handler: F,
) -> StreamBatch<T>
where
    F: AsyncFn(EventRecord) -> Result<T, RecordError>,
{
    let records: Vec<Record> = event.records.into_iter().map(read).collect();
    let total = records.len();
    let handler = &handler;
    let lanes = stream::iter(by_account(records))
        .map(|lane| take_lane(lane, clock, deadline, handler))
        .buffer_unordered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await;

    let mut batch =
        StreamBatch { done: Vec::with_capacity(total), quarantined: 0, refused: None, failed: Vec::new() };
    let mut poisoned = Vec::new();
    for (record, taken) in lanes.into_iter().flatten() {
        match taken {
            Taken::Done(value) => {
                batch.done.push(Done { sequence_number: record.sequence_number, value });
            }
            Taken::Retry => batch.failed.push(record.sequence_number),
            Taken::Poison(reason) => poisoned.push((record, reason)),
        }
    }
    batch.done.sort_by(|one, other| in_order(&one.sequence_number).cmp(&in_order(&other.sequence_number)));
    if let Some((_, reason)) = poisoned.first().filter(|_| is_mostly_poisoned(poisoned.len(), total)) {
        let refused = MostlyPoisoned { poisoned: poisoned.len(), records: total, reason: reason.clone() };
        tracing::error!(function = desk.function(), %refused, "batch refused");
        let done = std::mem::take(&mut batch.done).into_iter().map(|done| done.sequence_number);
        batch.failed.extend(done.chain(poisoned.into_iter().map(|(record, _)| record.sequence_number)));
        batch.refused = Some(refused);
        return batch;
    }
    for (record, reason) in poisoned {
        match desk.quarantine(&record.id(), &reason, record.payload.get(), clock.now()).await {
            Ok(()) => batch.quarantined += 1,
            Err(error) => {
                tracing::error!(%error, "not quarantined");
                batch.failed.push(record.sequence_number);
            }
        }
    }
    batch
}

/// Reads one record of a [`RawStreamEvent`], as the handlers get it.
///
/// # Errors
/// Why it is no record; it is then quarantined.
pub fn read_record(payload: &RawValue) -> Result<EventRecord, String> {
    serde_json::from_str(payload.get()).map_err(|error| shown(format!("no stream record: {error}")))
}

fn read(payload: Box<RawValue>) -> Record {
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
    Record { sequence_number: sequence_number.unwrap_or_default(), payload, read }
}

/// One lane an account: its records, in the order of the stream.
fn by_account(records: Vec<Record>) -> Vec<Vec<Record>> {
    let mut lanes: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for record in records {
        let account = match record.read.as_ref().ok().and_then(|read| read.change.keys.get("account_id")) {
            Some(serde_dynamo::AttributeValue::S(account_id)) => account_id.clone(),
            _ => String::new(),
        };
        lanes.entry(account).or_default().push(record);
    }
    lanes.into_values().collect()
}

/// Takes one account's records one after another; after one that is to be
/// delivered again, the rest waits for that too.
async fn take_lane<T, F>(
    lane: Vec<Record>,
    clock: &dyn Clock,
    deadline: Deadline,
    handler: &F,
) -> Vec<(Record, Taken<T>)>
where
    F: AsyncFn(EventRecord) -> Result<T, RecordError>,
{
    let mut taken = Vec::with_capacity(lane.len());
    let mut blocked = false;
    for record in lane {
        blocked = blocked || deadline.is_near(clock.now());
        let outcome = if blocked { Taken::Retry } else { take(&record, handler).await };
        blocked = matches!(outcome, Taken::Retry);
        taken.push((record, outcome));
    }
    taken
}

async fn take<T, F>(record: &Record, handler: &F) -> Taken<T>
where
    F: AsyncFn(EventRecord) -> Result<T, RecordError>,
{
    let event = match &record.read {
        Ok(event) => event.clone(),
        Err(reason) => return Taken::Poison(reason.clone()),
    };
    guarded(&record.sequence_number, handler(event)).await
}

/// Awaits what a handler makes of a record; a panic is poison.
pub(crate) async fn guarded<T>(id: &str, handled: impl Future<Output = Result<T, RecordError>>) -> Taken<T> {
    match AssertUnwindSafe(handled).catch_unwind().await {
        Ok(Ok(value)) => Taken::Done(value),
        Ok(Err(RecordError::Retry(reason))) => {
            tracing::warn!(id, reason, "to be delivered again");
            Taken::Retry
        }
        Ok(Err(RecordError::Poison(reason))) => Taken::Poison(reason),
        Err(panic) => Taken::Poison(shown(format!("panicked: {}", panic_text(panic.as_ref())))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a word")
}
