//! `post-payment`: a payment is posted, and lifts what it cures.
//!
//! The payments stream invokes it. The whole image of the item is the fact: a
//! payment, and its reversal once there is one.
//!
//! # Delivered twice
//! The account knows the payment; nothing changes and nothing is written.
//!
//! # Two payments of one account at once
//! The stream keeps the order of one payment, not of one account. The second
//! writer conflicts, reads again and posts on top of the first.
//!
//! # Racing the sweep
//! Whoever writes first, the other reads again: a sweep that has not restricted
//! yet finds the payment, one that has is lifted by this very invocation.
//!
//! # No account yet
//! The payment is parked; whoever creates the account looks into the payments
//! table and posts what it finds.
//!
//! # A payment that can never be posted
//! It is quarantined with its payload, people on duty are told, and the batch
//! goes on.

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::DynamoDbEventResponse;
use duewatch_notify::OperationsKind;
use duewatch_runtime::{Deadline, Metrics, RawStreamEvent, RecordError, Wiring, stream_batch};
use duewatch_store::{Outcome, PaymentFact, TransitionError};

/// The function's name.
pub const NAME: &str = "post-payment";

/// What a payment's record came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Posted {
    /// The account was written.
    Written,
    /// It also lifted a restriction.
    Lifted,
    /// It was known, or is none of ours.
    Nothing,
    /// There is no account yet.
    Parked,
}

/// Posts a batch of payments.
pub async fn handle(wiring: &Wiring, event: RawStreamEvent, deadline: Deadline) -> DynamoDbEventResponse {
    let clock = &*wiring.clock;
    let batch =
        stream_batch(event, &wiring.desk, clock, deadline, async |record| post(wiring, record).await).await;
    let count = |what: Posted| batch.done.iter().filter(|done| done.value == what).count();
    let lifted = count(Posted::Lifted);
    Metrics::new(&wiring.metrics_namespace, NAME)
        .count("posted", count(Posted::Written) + lifted)
        .count("lifted", lifted)
        .count("known", count(Posted::Nothing))
        .count("parked", count(Posted::Parked))
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

async fn post(wiring: &Wiring, record: EventRecord) -> Result<Posted, RecordError> {
    if record.event_name == "REMOVE" {
        // Payments are undone by a reversal; an item that is gone says nothing.
        return Ok(Posted::Nothing);
    }
    let fact = PaymentFact::from_image(record.change.new_image)
        .map_err(|faulty| RecordError::Poison(faulty.to_string()))?;
    let now = wiring.clock.now();
    let posted = outcome(wiring, &fact, wiring.transitions.post(&fact, now).await).await?;
    let store = wiring.transitions.store();
    let unpark = async || {
        let unparked = store.unpark(&fact.account_id, &fact.payment_id).await;
        unparked.map_err(|error| RecordError::Retry(error.to_string()))
    };
    match posted {
        Posted::Written | Posted::Lifted => return Ok(posted),
        Posted::Nothing => {
            // An earlier delivery may have parked it, and have been cut off before it said that
            // the account had come after all.
            unpark().await?;
            return Ok(posted);
        }
        Posted::Parked => {}
    }
    let parked = store.park(&fact.account_id, &fact.payment_id, now).await;
    parked.map_err(|error| RecordError::Retry(error.to_string()))?;
    // The account may have come while the payment was being parked.
    let posted = outcome(wiring, &fact, wiring.transitions.post(&fact, now).await).await?;
    if posted == Posted::Parked {
        let subject = format!("{}/{}", fact.account_id, fact.payment_id);
        wiring.desk.tell(OperationsKind::PaymentParked, &subject, "the account is not known", now).await;
    } else {
        unpark().await?;
    }
    Ok(posted)
}

async fn outcome(
    wiring: &Wiring,
    fact: &PaymentFact,
    outcome: Result<Outcome, TransitionError>,
) -> Result<Posted, RecordError> {
    match outcome {
        Ok(Outcome::Written(account)) => {
            let lifted =
                account.decision_of_this_revision().is_some_and(|decision| !decision.lifted.is_empty());
            Ok(if lifted { Posted::Lifted } else { Posted::Written })
        }
        Ok(Outcome::Held(_, hold)) => {
            wiring.desk.tell_held(&fact.account_id, &hold, wiring.clock.now()).await;
            Ok(Posted::Written)
        }
        Ok(Outcome::Unchanged) => Ok(Posted::Nothing),
        Ok(Outcome::NoAccount) => Ok(Posted::Parked),
        Err(error) => Err(error.into()),
    }
}
