//! `post-payment`: posts a payment, and lifts the restrictions that it cures.
//!
//! The payments stream invokes it. The record names the payment; the item of the payments table is the fact, read
//! consistently: a payment, and its reversal once there is one. The image that the record bears is not read.
//!
//! # A record whose payment is not in the table
//! Nothing is posted, whatever the record says, and it is quarantined.
//!
//! # Delivered twice
//! The account knows the payment; nothing changes and nothing is written.
//!
//! # Two payments of one account at once
//! The stream keeps the order of one payment, not of one account. The second writer conflicts, reads again
//! and posts on top of the first.
//!
//! # Racing the sweep
//! The later writer conflicts and reads again. A sweep that has not restricted yet finds the payment. A
//! restriction that the sweep has written is lifted by this very invocation.
//!
//! # A payment that can never be posted
//! The payment is quarantined with its payload, the staff on call are alerted, and the batch continues.

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::DynamoDbEventResponse;
use duewatch_app::{Deadline, PaymentOutcome, RecordError, Services, post_payment};
use duewatch_runtime::{Metrics, RawStreamEvent, stream_batch};
use duewatch_store::payment_key_of;

/// The function's name.
pub const NAME: &str = "post-payment";

/// Posts a batch of payments. A repeated record changes nothing; a failed one is delivered again.
pub async fn handle(services: &Services, event: RawStreamEvent, deadline: Deadline) -> DynamoDbEventResponse {
    let batch = stream_batch(services, event, deadline, async |record| post(services, record).await).await;
    let count = |what: PaymentOutcome| batch.done.iter().filter(|done| done.value == what).count();
    let lifted = count(PaymentOutcome::Lifted);
    let metrics = Metrics::new(&services.metrics_namespace, NAME)
        .count("posted", count(PaymentOutcome::Posted) + lifted)
        .count("lifted", lifted)
        .count("known", count(PaymentOutcome::Known))
        .count("in_suspense", count(PaymentOutcome::InSuspense));
    batch.finish(services, metrics)
}

async fn post(services: &Services, record: EventRecord) -> Result<PaymentOutcome, RecordError> {
    if record.event_name == "REMOVE" {
        // A payment is undone by its reversal; the removal of an item means nothing.
        return Ok(PaymentOutcome::Known);
    }
    let (account_id, payment_id) = payment_key_of(&record.change.keys).map_err(RecordError::poison)?;
    post_payment(services, &account_id, &payment_id).await
}
