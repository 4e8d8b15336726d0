//! The queue pump: turns queues into batches of real event JSON, as Lambda's event source mappings do.
//!
//! A failed message is received again, at once and in its order, as often as the queue allows; then it goes
//! to the dead-letter queue.

use std::collections::VecDeque;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::functions::Functions;
use super::names::{LOCAL_REGION, arn};
use super::pump::GivenUp;
use super::sqs::{LocalSqs, WaitingMessage};
use super::template::{QueueMapping, QueueSpec};

/// How often a message is received where the queue does not say.
const DEFAULT_RECEIVES: u32 = 100;

/// One queue mapping.
#[derive(Debug)]
pub struct QueuePump {
    mapping: QueueMapping,
    queue: QueueSpec,
    function: String,
    given_up: Vec<GivenUp>,
}

impl QueuePump {
    /// A mapping of a queue to a function.
    #[must_use]
    pub const fn new(mapping: QueueMapping, queue: QueueSpec, function: String) -> Self {
        Self { mapping, queue, function, given_up: Vec::new() }
    }

    /// The name of the queue.
    #[must_use]
    pub fn queue(&self) -> &str {
        &self.queue.name
    }

    /// The function that it feeds.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The messages that went to the dead-letter queue.
    #[must_use]
    pub fn given_up(&self) -> &[GivenUp] {
        &self.given_up
    }

    /// Delivers one batch to the function, until every message of it is processed or given up. Returns
    /// whether there was one.
    pub async fn deliver(&mut self, sqs: &LocalSqs, functions: &Functions) -> bool {
        let size = usize::try_from(self.mapping.batch_size).unwrap_or(1);
        let mut open: VecDeque<WaitingMessage> = sqs.take(&self.queue.name, size).into();
        let any = !open.is_empty();
        let most = self.queue.maximum_receives.unwrap_or(DEFAULT_RECEIVES);
        while !open.is_empty() {
            for message in &mut open {
                message.received += 1;
            }
            let event = queue_event(&self.queue.name, open.make_contiguous());
            let answer = functions.invoke(&self.function, &event).await;
            let failed = |message: &WaitingMessage| match &answer {
                Err(_) => true,
                Ok(answer) => {
                    let failures = answer["batchItemFailures"].as_array();
                    let mut failures = failures.into_iter().flatten();
                    self.mapping.report_batch_item_failures
                        && failures.any(|failure| failure["itemIdentifier"] == message.message_id)
                }
            };
            open.retain(failed);
            let (again, given_up): (VecDeque<_>, VecDeque<_>) =
                open.into_iter().partition(|message| message.received < most);
            open = again;
            let reason = match &answer {
                Err(error) => error.to_string(),
                Ok(_) => "the function reported it as failed".to_owned(),
            };
            self.given_up.extend(given_up.into_iter().map(|message| GivenUp {
                mapping: self.mapping.logical_id.clone(),
                reason: reason.clone(),
                record: Value::from(message.body),
            }));
        }
        any
    }
}

/// The event of a batch of messages, as Lambda makes it.
#[must_use]
pub fn queue_event(queue: &str, messages: &[WaitingMessage]) -> Value {
    let records: Vec<Value> = messages.iter().map(|message| record(queue, message)).collect();
    json!({ "Records": records })
}

fn record(queue: &str, message: &WaitingMessage) -> Value {
    let millis = |at: DateTime<Utc>| at.timestamp_millis().to_string();
    let mut attributes = json!({
        "ApproximateReceiveCount": message.received.to_string(),
        "SentTimestamp": millis(message.sent_at),
        "SenderId": "local",
        "ApproximateFirstReceiveTimestamp": millis(message.sent_at),
    });
    if let Some(group) = &message.group {
        attributes["MessageGroupId"] = Value::from(group.clone());
        attributes["MessageDeduplicationId"] = Value::from(message.message_id.clone());
    }
    json!({
        "messageId": message.message_id,
        "receiptHandle": format!("{}/{}", message.message_id, message.sent_at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": arn("sqs", queue),
        "awsRegion": LOCAL_REGION,
    })
}
