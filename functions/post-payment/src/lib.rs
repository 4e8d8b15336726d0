//! `post-payment`: posts a payment, and lifts the restrictions that it cures.
//!
//! The payments stream invokes it. The whole image of the item is the fact: a payment, and its reversal once
//! there is one.
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
//! # No account yet
//! The payment is a suspense payment, and its note is stored. The function that creates the account reads the
//! payments table and posts it.
//!
//! # A payment that can never be posted
//! The payment is quarantined with its payload, the staff on call are alerted, and the batch continues.

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::DynamoDbEventResponse;
use duewatch_notify::OperationsKind;
use duewatch_runtime::{Deadline, Metrics, RawStreamEvent, RecordError, Services, stream_batch};
use duewatch_store::{PaymentFact, TransitionError, TransitionOutcome};

/// The function's name.
pub const NAME: &str = "post-payment";

/// The result of a payment's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Posted {
    Written,
    /// The account was written, and a restriction lifted.
    Lifted,
    /// The payment was known, or the record is no payment.
    Nothing,
    /// There is no account yet: the payment is in suspense.
    InSuspense,
}

/// Posts a batch of payments. A repeated record changes nothing; a failed one is delivered again.
pub async fn handle(services: &Services, event: RawStreamEvent, deadline: Deadline) -> DynamoDbEventResponse {
    let clock = &*services.clock;
    let batch =
        stream_batch(event, &services.alerts, clock, deadline, async |record| post(services, record).await)
            .await;
    let count = |what: Posted| batch.done.iter().filter(|done| done.value == what).count();
    let lifted = count(Posted::Lifted);
    Metrics::new(&services.metrics_namespace, NAME)
        .count("posted", count(Posted::Written) + lifted)
        .count("lifted", lifted)
        .count("known", count(Posted::Nothing))
        .count("in_suspense", count(Posted::InSuspense))
        .count("quarantined", batch.quarantined)
        .count("failed", batch.failures())
        .emit(clock.now());
    tracing::info!(
        records = batch.done.len(),
        lifted,
        quarantined = batch.quarantined,
        failed = batch.failures(),
        "posted"
    );
    batch.response()
}

async fn post(services: &Services, record: EventRecord) -> Result<Posted, RecordError> {
    if record.event_name == "REMOVE" {
        // A payment is undone by its reversal; the removal of an item means nothing.
        return Ok(Posted::Nothing);
    }
    let fact = PaymentFact::from_image(record.change.new_image)
        .map_err(|faulty| RecordError::Poison(faulty.to_string()))?;
    let now = services.clock.now();
    let posted = outcome(services, &fact, services.transitions.post(&fact, now).await).await?;
    let store = services.transitions.store();
    let unpark = async || {
        let unparked = store.remove_from_suspense(&fact.account_id, &fact.payment_id).await;
        unparked.map_err(|error| RecordError::Retry(error.to_string()))
    };
    match posted {
        Posted::Written | Posted::Lifted => return Ok(posted),
        Posted::Nothing => {
            // An earlier delivery may have noted a suspense payment, and have been cut off before it found
            // that the account had come after all.
            unpark().await?;
            return Ok(posted);
        }
        Posted::InSuspense => {}
    }
    let parked = store.put_in_suspense(&fact.account_id, &fact.payment_id, now).await;
    parked.map_err(|error| RecordError::Retry(error.to_string()))?;
    // The account may have come while the suspense payment was being noted.
    let posted = outcome(services, &fact, services.transitions.post(&fact, now).await).await?;
    if posted == Posted::InSuspense {
        let subject = format!("{}/{}", fact.account_id, fact.payment_id);
        services
            .alerts
            .alert(OperationsKind::PaymentInSuspense, &subject, "the account is not known", now)
            .await;
    } else {
        unpark().await?;
    }
    Ok(posted)
}

async fn outcome(
    services: &Services,
    fact: &PaymentFact,
    outcome: Result<TransitionOutcome, TransitionError>,
) -> Result<Posted, RecordError> {
    match outcome {
        Ok(TransitionOutcome::Written(account)) => {
            let lifted =
                account.decision_of_this_revision().is_some_and(|decision| !decision.lifted.is_empty());
            Ok(if lifted { Posted::Lifted } else { Posted::Written })
        }
        Ok(TransitionOutcome::Deferred(_, blocked)) => {
            services.alerts.alert_blocked_payment(&fact.account_id, &blocked, services.clock.now()).await;
            Ok(Posted::Written)
        }
        Ok(TransitionOutcome::Unchanged) => Ok(Posted::Nothing),
        Ok(TransitionOutcome::NoAccount) => Ok(Posted::InSuspense),
        Err(error) => Err(error.into()),
    }
}
