//! SQS on loopback, for the real SDK client.
//!
//! It speaks the AWS JSON protocol, supports `SendMessage` and `SendMessageBatch`, and refuses requests that
//! SQS refuses: an unknown queue, a FIFO message without a group, a body that is too large. A FIFO queue
//! keeps the order and drops a message whose deduplication id was sent within five minutes before. It offers
//! no receive over the wire: the stack's own pump takes the messages.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chrono::{DateTime, TimeDelta, Utc};
use duewatch_app::Clock;
use duewatch_handlers::{LOCAL_ACCOUNT, LOCAL_REGION, WaitingMessage};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::clock::StackClock;
use crate::guard;
use crate::template::QueueSpec;

/// The prefix of the operations' names.
const TARGET: &str = "AmazonSQS";
/// The most bytes of a body, by SQS's quotas of August 2025.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// The most entries of a batch.
const MAX_ENTRIES: usize = 10;
/// How long a FIFO queue remembers a deduplication id.
const DEDUPLICATION: TimeDelta = TimeDelta::minutes(5);
/// The most messages in a queue here; SQS has no such bound.
const MAX_MESSAGES: usize = 1_000_000;

/// The endpoint's state, shared by its clones.
#[derive(Clone, Debug)]
pub struct LocalSqs {
    clock: StackClock,
    kept: Arc<Mutex<SqsState>>,
}

#[derive(Debug, Default)]
struct SqsState {
    queues: BTreeMap<String, SqsQueueState>,
    sent: u64,
}

#[derive(Debug)]
struct SqsQueueState {
    fifo: bool,
    waiting: VecDeque<WaitingMessage>,
    known: VecDeque<(String, DateTime<Utc>, String)>,
}

/// Why a message is refused: SQS's code and text.
type SqsRefusal = (&'static str, String);

impl LocalSqs {
    /// An endpoint without queues.
    #[must_use]
    pub fn new(clock: StackClock) -> Self {
        Self { clock, kept: Arc::default() }
    }

    /// The local URL of a queue.
    #[must_use]
    pub fn queue_url(name: &str) -> String {
        format!("https://sqs.{LOCAL_REGION}.amazonaws.com/{LOCAL_ACCOUNT}/{name}")
    }

    /// Registers a queue; before that, sending to it is refused.
    pub fn register(&self, queue: &QueueSpec) {
        let empty = SqsQueueState { fifo: queue.fifo, waiting: VecDeque::new(), known: VecDeque::new() };
        self.lock().queues.entry(queue.name.clone()).or_insert(empty);
    }

    /// Takes at most so many messages out of a queue, in their order.
    #[must_use]
    pub fn take(&self, queue: &str, most: usize) -> Vec<WaitingMessage> {
        let mut kept = self.lock();
        let Some(queue) = kept.queues.get_mut(queue) else { return Vec::new() };
        let size = most.min(queue.waiting.len());
        queue.waiting.drain(..size).collect()
    }

    fn lock(&self) -> MutexGuard<'_, SqsState> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the target of a request is one of SQS's.
    #[must_use]
    pub fn is_target(target: &str) -> bool {
        target.starts_with(TARGET)
    }

    /// Answers a request without a socket: its status and its body.
    #[must_use]
    pub fn answer(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let now = self.clock.now();
        let answer = match operation {
            "SendMessage" => read(body).and_then(|one: Single| self.lock().send_one(one, now)),
            "SendMessageBatch" => read(body).and_then(|batch: SqsBatch| self.lock().send_batch(batch, now)),
            other => {
                Err(("AWS.SimpleQueueService.UnsupportedOperation", format!("{other} is not answered here")))
            }
        };
        match answer {
            Ok(body) => (200, body.to_string()),
            Err((code, message)) => {
                (400, json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": message}).to_string())
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Single {
    queue_url: String,
    #[serde(flatten)]
    message: SqsSendRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SqsBatch {
    queue_url: String,
    entries: Vec<SqsEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SqsEntry {
    id: String,
    #[serde(flatten)]
    message: SqsSendRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SqsSendRequest {
    message_body: String,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, SqsRefusal> {
    serde_json::from_slice(body).map_err(|error| ("InvalidParameterValue", error.to_string()))
}

impl SqsState {
    fn send_one(&mut self, one: Single, now: DateTime<Utc>) -> Result<Value, SqsRefusal> {
        let message_id = self.send(&one.queue_url, one.message, now)?;
        Ok(json!({"MessageId": message_id}))
    }

    fn send_batch(&mut self, batch: SqsBatch, now: DateTime<Utc>) -> Result<Value, SqsRefusal> {
        if batch.entries.is_empty() {
            return Err(("EmptyBatchRequest", "there are no entries".to_owned()));
        }
        if batch.entries.len() > MAX_ENTRIES {
            return Err(("TooManyEntriesInBatchRequest", format!("at most {MAX_ENTRIES} entries")));
        }
        let (mut sent, mut failed) = (Vec::new(), Vec::new());
        for entry in batch.entries {
            match self.send(&batch.queue_url, entry.message, now) {
                Ok(message_id) => sent.push(json!({"Id": entry.id, "MessageId": message_id})),
                Err(("QueueDoesNotExist", message)) => return Err(("QueueDoesNotExist", message)),
                Err((code, message)) => failed
                    .push(json!({"Id": entry.id, "Code": code, "Message": message, "SenderFault": true})),
            }
        }
        Ok(json!({"Successful": sent, "Failed": failed}))
    }

    fn send(&mut self, url: &str, message: SqsSendRequest, now: DateTime<Utc>) -> Result<String, SqsRefusal> {
        let name = url.rsplit('/').next().unwrap_or_default();
        let Some(queue) = self.queues.get_mut(name) else {
            return Err(("QueueDoesNotExist", format!("there is no queue {name}")));
        };
        let size = message.message_body.len();
        if !(1..=MAX_BODY_BYTES).contains(&size) {
            return Err((
                "InvalidParameterValue",
                format!("the body has {size} bytes, 1 to {MAX_BODY_BYTES} are taken"),
            ));
        }
        if queue.waiting.len() >= MAX_MESSAGES {
            return Err(("OverLimit", format!("{MAX_MESSAGES} messages wait")));
        }
        self.sent += 1;
        let message_id = format!("00000000-0000-4000-9000-{:012x}", self.sent);
        if queue.fifo {
            if message.message_group_id.is_none() {
                return Err(("MissingParameter", "a FIFO queue needs a MessageGroupId".to_owned()));
            }
            let Some(id) = message.message_deduplication_id else {
                return Err(("InvalidParameterValue", "the queue needs a MessageDeduplicationId".to_owned()));
            };
            while queue.known.front().is_some_and(|(_, at, _)| now - *at >= DEDUPLICATION) {
                queue.known.pop_front();
            }
            if let Some((_, _, first)) = queue.known.iter().find(|(known, _, _)| *known == id) {
                return Ok(first.clone());
            }
            queue.known.push_back((id, now, message_id.clone()));
        }
        queue.waiting.push_back(WaitingMessage {
            message_id: message_id.clone(),
            body: message.message_body,
            group: message.message_group_id,
            sent_at: now,
            received: 0,
        });
        Ok(message_id)
    }
}

/// Serves until the listener fails or the task is dropped.
///
/// # Errors
/// When the listener fails.
pub async fn serve_on(listener: TcpListener, sqs: LocalSqs) -> io::Result<()> {
    let layer = DefaultBodyLimit::max(2 * MAX_ENTRIES * MAX_BODY_BYTES);
    guard::serve(listener, Router::new().route("/", post(answer)).layer(layer).with_state(sqs)).await
}

async fn answer(State(sqs): State<LocalSqs>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let (status, body) = sqs.answer(target.rsplit('.').next().unwrap_or_default(), &body);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqs() -> (LocalSqs, StackClock) {
        let clock = StackClock::simulated("2026-01-01T00:00:00Z".parse().unwrap());
        let sqs = LocalSqs::new(clock.clone());
        let queue = |name: &str, fifo| QueueSpec {
            logical_id: name.to_owned(),
            name: name.to_owned(),
            fifo,
            visibility_timeout: TimeDelta::seconds(30),
            maximum_receives: None,
        };
        sqs.register(&queue("plain", false));
        sqs.register(&queue("ordered.fifo", true));
        (sqs, clock)
    }

    fn send(sqs: &LocalSqs, queue: &str, rest: &Value) -> (u16, Value) {
        let mut body = json!({"QueueUrl": LocalSqs::queue_url(queue), "MessageBody": "hello"});
        for (name, value) in rest.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (status, body) = sqs.answer("SendMessage", body.to_string().as_bytes());
        (status, serde_json::from_str(&body).unwrap())
    }

    #[test]
    fn a_fifo_queue_keeps_the_order_and_drops_what_comes_twice() {
        let (sqs, clock) = sqs();
        let ids = |group: &str, id: &str| json!({"MessageGroupId": group, "MessageDeduplicationId": id});
        for (group, id) in [("A-1", "1"), ("A-2", "2"), ("A-1", "1"), ("A-1", "3")] {
            assert_eq!(send(&sqs, "ordered.fifo", &ids(group, id)).0, 200);
        }
        let groups: Vec<String> =
            sqs.take("ordered.fifo", 10).into_iter().filter_map(|message| message.group).collect();
        assert_eq!(groups, ["A-1", "A-2", "A-1"]);
        clock.set(clock.now() + DEDUPLICATION);
        send(&sqs, "ordered.fifo", &ids("A-1", "1"));
        assert_eq!(sqs.take("ordered.fifo", 10).len(), 1, "five minutes later it is another message");
    }

    #[test]
    fn what_sqs_refuses_is_refused() {
        let (sqs, _) = sqs();
        for (queue, rest, code) in [
            ("nowhere", json!({}), "QueueDoesNotExist"),
            ("ordered.fifo", json!({}), "MissingParameter"),
            ("ordered.fifo", json!({"MessageGroupId": "A-1"}), "InvalidParameterValue"),
            ("plain", json!({"MessageBody": ""}), "InvalidParameterValue"),
        ] {
            let (status, body) = send(&sqs, queue, &rest);
            assert_eq!((status, body["__type"].clone()), (400, json!(format!("com.amazonaws.sqs#{code}"))));
        }
        assert_eq!(sqs.answer("ReceiveMessage", b"{}").0, 400);
    }

    #[test]
    fn an_entry_of_a_batch_may_fail_on_its_own() {
        let (sqs, _) = sqs();
        let batch = json!({"QueueUrl": LocalSqs::queue_url("plain"), "Entries": [
            {"Id": "1", "MessageBody": "hello"}, {"Id": "2", "MessageBody": ""},
        ]});
        let (status, body) = sqs.answer("SendMessageBatch", batch.to_string().as_bytes());
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["Successful"][0]["Id"]), (200, &json!("1")));
        assert_eq!(
            (&body["Failed"][0]["Id"], &body["Failed"][0]["SenderFault"]),
            (&json!("2"), &json!(true))
        );
        assert_eq!(sqs.take("plain", 10).len(), 1);
    }
}
