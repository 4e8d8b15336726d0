//! A batch of queue messages, with partial failures.
//!
//! Messages of one group are processed one after another, groups side by side. A message with a transient
//! failure is reported with those of its group behind it, and the queue redelivers them in their order. A
//! message that can never be processed, or makes the code panic, is quarantined with its payload and counts
//! as done. When more than half of a batch of ten is like that, the code or the settings are at fault: all of
//! it is reported, and goes to the dead-letter queue if that persists.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use duewatch_app::{CONCURRENCY, Deadline, RecordError, Services};
use futures_util::{StreamExt, stream};

use crate::batch::{RecordResult, guarded, is_mostly_poisoned, take_in_order};
use crate::metrics::{Metrics, emit_batch};

/// The result of a batch of messages.
#[derive(Debug)]
pub struct QueueBatch<T> {
    /// The handler's results of the processed messages.
    pub done: Vec<T>,
    pub quarantined: usize,
    failed: Vec<String>,
}

impl<T> QueueBatch<T> {
    /// The number of failed messages, which the queue redelivers.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failed.len()
    }

    /// Counts the batch's quarantined and failed messages beside `metrics`, and answers Lambda.
    pub fn finish(&self, services: &Services, metrics: Metrics) -> SqsBatchResponse {
        emit_batch(services, metrics, self.quarantined, self.failures());
        self.response()
    }

    /// The answer to Lambda: every failed message. The queue deletes the others.
    #[must_use]
    pub fn response(&self) -> SqsBatchResponse {
        let failure = |id: &String| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier.clone_from(id);
            failure
        };
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = self.failed.iter().map(failure).collect();
        response
    }
}

/// Passes every message of a batch to `handler`.
pub async fn queue_batch<T, F>(
    services: &Services,
    event: SqsEvent,
    deadline: Deadline,
    handler: F,
) -> QueueBatch<T>
where
    F: AsyncFn(&SqsMessage) -> Result<T, RecordError>,
{
    let (alerts, clock) = (&services.alerts, &*services.clock);
    let total = event.records.len();
    let take_one = &async |message: &SqsMessage| guarded(&id(message), handler(message)).await;
    let taken = stream::iter(by_group(event.records))
        .map(|group| take_in_order(group, clock, deadline, take_one))
        .buffer_unordered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await;
    let mut batch = QueueBatch { done: Vec::with_capacity(total), quarantined: 0, failed: Vec::new() };
    let mut poisoned = Vec::new();
    let mut ids = Vec::with_capacity(total);
    for (message, taken) in taken.into_iter().flatten() {
        ids.push(id(&message));
        match taken {
            RecordResult::Done(value) => batch.done.push(value),
            RecordResult::Retry => batch.failed.push(id(&message)),
            RecordResult::Poison(reason) => poisoned.push((message, reason)),
        }
    }
    if is_mostly_poisoned(poisoned.len(), total) {
        tracing::error!(function = alerts.function(), poisoned = poisoned.len(), total, "batch refused");
        batch.done.clear();
        batch.failed = ids;
        return batch;
    }
    for (message, reason) in poisoned {
        let payload = message.body.as_deref().unwrap_or_default();
        let sender_id = message.attributes.get("SenderId").map(String::as_str);
        match alerts.quarantine_sent(&id(&message), &reason, payload, sender_id, clock.now()).await {
            Ok(()) => batch.quarantined += 1,
            Err(error) => {
                tracing::error!(%error, "not quarantined");
                batch.failed.push(id(&message));
            }
        }
    }
    batch
}

fn id(message: &SqsMessage) -> String {
    message.message_id.clone().unwrap_or_default()
}

/// One ordered group per message group; a message without a group is one of its own.
fn by_group(messages: Vec<SqsMessage>) -> Vec<Vec<SqsMessage>> {
    let mut groups: BTreeMap<String, Vec<SqsMessage>> = BTreeMap::new();
    let mut ordered_groups = Vec::new();
    for message in messages {
        match message.attributes.get("MessageGroupId") {
            Some(group) => groups.entry(group.clone()).or_default().push(message),
            None => ordered_groups.push(vec![message]),
        }
    }
    ordered_groups.extend(groups.into_values());
    ordered_groups
}
