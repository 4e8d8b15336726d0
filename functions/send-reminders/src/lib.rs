//! `send-reminders`: what leaves.
//!
//! The accounts stream invokes it with each new revision. A change of standing
//! goes to `account-events`; what the revision wants to tell the borrower goes to
//! `reminders`, after a last look.
//!
//! # The last look
//! Right before a reminder leaves, the account and its payments are read again.
//! A reminder whose reason has gone is recorded as withdrawn; money that cannot be
//! posted keeps it back and rings at `operations`.
//!
//! # Delivered twice
//! Everything leaves again under the same id, for consumers to drop.
//!
//! # SNS takes a part of a batch
//! Each entry that failed is tried again, then its record is reported, and Lambda
//! delivers it again.

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::DynamoDbEventResponse;
use duewatch_runtime::{
    Deadline, Metrics, NewRevision, Outgoing, RawStreamEvent, RecordError, Wiring, outgoing, stream_batch,
};

/// The function's name.
pub const NAME: &str = "send-reminders";

/// Sends what a batch of revisions wants to say.
pub async fn handle(wiring: &Wiring, event: RawStreamEvent, deadline: Deadline) -> DynamoDbEventResponse {
    let clock = &*wiring.clock;
    let mut batch =
        stream_batch(event, &wiring.desk, clock, deadline, async |record| prepare(wiring, record).await)
            .await;
    let all: Vec<&Outgoing> = batch.done.iter().map(|done| &done.value).collect();
    let failed = outgoing::send(wiring, &all).await;
    let failed: Vec<String> =
        failed.into_iter().map(|place| batch.done[place].sequence_number.clone()).collect();
    for sequence_number in &failed {
        batch.fail(sequence_number);
    }
    let sum = |of: fn(&Outgoing) -> usize| batch.done.iter().map(|done| of(&done.value)).sum::<usize>();
    Metrics::new(&wiring.metrics_namespace, NAME)
        .count("taken", batch.taken())
        .count("messages", sum(Outgoing::messages))
        .count("reminders", sum(Outgoing::reminders))
        .count("notices", sum(Outgoing::notices))
        .count("withdrawn", sum(Outgoing::withdrawn))
        .count("quarantined", batch.quarantined)
        .count("failed", batch.failures())
        .emit(clock.now());
    tracing::info!(
        records = batch.done.len(),
        messages = sum(Outgoing::messages),
        notices = sum(Outgoing::notices),
        quarantined = batch.quarantined,
        failed = batch.failures(),
        "sent"
    );
    batch.response()
}

async fn prepare(wiring: &Wiring, record: EventRecord) -> Result<Outgoing, RecordError> {
    match NewRevision::of(record)? {
        Some(revision) => Ok(Outgoing::of(wiring, &revision.after).await?),
        None => Ok(Outgoing::default()),
    }
}
