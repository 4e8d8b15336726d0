//! `send-reminders`: outgoing events and messages.
//!
//! The accounts stream invokes it with each new revision. It publishes a change of status on
//! `account-events`, and queues the revision's contact requests under the customer. A schedule invokes it
//! too. Both pass the due contact requests through the contact gate, and out to `reminders`.
//!
//! # A customer, not an account
//! All due requests of a customer are evaluated together. Each account is read again (the last look), the
//! gate decides, and the requests that may leave become one message a channel.
//!
//! # Delivered twice, killed in between
//! Decisions leave again under the same id, for consumers to drop. A message to a borrower is counted before
//! it leaves, under an id that it keeps. When an invocation is killed in between, the first sweep a quarter
//! of an hour later sends the message.
//!
//! # While sending is on hold
//! Nothing leaves. Contact requests wait, and the records of decisions are reported as failed, so that the stream keeps
//! them. A batch that is too old for the stream goes to the bucket of failed records, whole.
//!
//! # SNS takes a part of a batch
//! Each failed entry is tried again. After that, the record of a decision is reported, and Lambda redelivers
//! it; a message to a borrower waits for the sweep.

mod changes;
mod contacts;

use aws_lambda_events::streams::DynamoDbEventResponse;
use duewatch_app::{ContactSweepReport, Deadline, Services};
use duewatch_notify::ReferenceKeys;
use duewatch_runtime::{FiringError, RawStreamEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The function's name.
pub const NAME: &str = "send-reminders";

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
pub enum SendAnswer {
    /// To the stream: the failed records.
    Stream(DynamoDbEventResponse),
    /// To the schedule.
    Schedule(ContactSweepReport),
}

/// Publishes revisions, or sweeps the queued contact requests.
///
/// # Errors
/// When the index of queued requests cannot be read. A failed customer does not fail the sweep.
pub async fn handle(
    services: &Services,
    keys: &ReferenceKeys,
    event: SendEvent,
    deadline: Deadline,
) -> Result<SendAnswer, FiringError> {
    match event.records {
        Some(records) => {
            let event = RawStreamEvent { records };
            Ok(SendAnswer::Stream(changes::publish(services, keys, event, deadline).await))
        }
        None => {
            let swept = contacts::sweep(services, keys, deadline).await;
            Ok(SendAnswer::Schedule(swept.map_err(FiringError::of("sweep of contact requests"))?))
        }
    }
}
