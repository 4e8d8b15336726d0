//! `record-delivery`: the receipts of delivery providers.
//!
//! A queue invokes it. The body is a receipt: the id that the message bore on `reminders`, an instant, and
//! the outcome. [`take_receipt`] says what follows from each.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use duewatch_app::{Deadline, ReceiptEffect, RecordError, Services, take_receipt};
use duewatch_domain::contact::ReceiptOutcome;
use duewatch_domain::formats::parse_receipt;
use duewatch_runtime::{Metrics, queue_batch};

/// The function's name.
pub const NAME: &str = "record-delivery";

/// Processes a batch of receipts. A repeated receipt changes nothing; a failed one is delivered again.
pub async fn handle(services: &Services, event: SqsEvent, deadline: Deadline) -> SqsBatchResponse {
    let batch = queue_batch(services, event, deadline, async |message| take(services, message).await).await;
    let count = |what: ReceiptEffect| batch.done.iter().filter(|done| **done == what).count();
    let new = |outcome| count(ReceiptEffect::New(outcome));
    let metrics = Metrics::new(&services.metrics_namespace, NAME)
        .count("delivered", new(ReceiptOutcome::Delivered))
        .count("bounced", new(ReceiptOutcome::Bounced))
        .count("complained", new(ReceiptOutcome::Complained))
        .count("opted_out", new(ReceiptOutcome::OptedOut))
        .count("answered", new(ReceiptOutcome::Answered))
        .count("unanswered", new(ReceiptOutcome::Unanswered))
        .count("known", count(ReceiptEffect::Known));
    batch.finish(services, metrics)
}

async fn take(services: &Services, sent: &SqsMessage) -> Result<ReceiptEffect, RecordError> {
    let receipt = parse_receipt(sent.body.as_deref().unwrap_or_default()).map_err(RecordError::poison)?;
    take_receipt(services, &receipt).await
}
