//! The queue pump: turns queues into batches of real event JSON, as Lambda's event source mappings do.
//!
//! A failed message is received again, at once and in its order, as often as the queue allows; then it goes
//! to the dead-letter queue.

use std::collections::VecDeque;

use duewatch_handlers::{WaitingMessage, queue_event};
use serde_json::Value;

use crate::functions::Functions;
use crate::pump::GivenUp;
use crate::sqs::LocalSqs;
use crate::template::{QueueMapping, QueueSpec};

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
