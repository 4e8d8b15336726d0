//! The accounts stream: each revision is published, and its contact requests are evaluated at once.

use std::collections::BTreeSet;

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::DynamoDbEventResponse;
use duewatch_app::{
    ContactSweepReport, Deadline, Publication, RecordError, Services, evaluate_customers, publication,
};
use duewatch_domain::kernel::CustomerId;
use duewatch_notify::ReferenceKeys;
use duewatch_runtime::{Metrics, NewRevision, RawStreamEvent, stream_batch};

use crate::{NAME, contacts};

/// Publishes a batch of revisions.
pub(crate) async fn publish(
    services: &Services,
    keys: &ReferenceKeys,
    event: RawStreamEvent,
    deadline: Deadline,
) -> DynamoDbEventResponse {
    let mut batch = stream_batch(services, event, deadline, async |record| prepare(record)).await;
    let all: Vec<&Publication> = batch.done.iter().map(|done| &done.value).collect();
    let sent = publication::send(services, &all).await;
    let is_sent = |place: &usize| !sent.failed.contains(place);
    let customers: BTreeSet<CustomerId> =
        (0..all.len()).filter(is_sent).filter_map(|place| all.get(place)?.requests_for().cloned()).collect();
    let messages: usize = all.iter().map(|publication| publication.messages()).sum();
    let failed: Vec<String> = sent
        .failed
        .iter()
        .filter_map(|place| Some(batch.done.get(*place)?.sequence_number.clone()))
        .collect();
    for sequence_number in &failed {
        batch.fail(sequence_number);
    }
    let mut report = ContactSweepReport::default();
    Box::pin(evaluate_customers(services, keys, customers, deadline, &mut report)).await;
    let metrics = Metrics::new(&services.metrics_namespace, NAME)
        .count("taken", batch.taken())
        .count("messages", messages)
        .count("planned", sent.queued);
    batch.finish(services, contacts::counted(&report, metrics))
}

fn prepare(record: EventRecord) -> Result<Publication, RecordError> {
    Ok(NewRevision::of(record)?.map(|revision| Publication::of(&revision.after)).unwrap_or_default())
}
