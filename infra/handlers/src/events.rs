//! The events of a function's triggers, as Lambda makes them.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::names::{LOCAL_ACCOUNT, LOCAL_REGION, arn};

/// A message that waits in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingMessage {
    /// The same run gives the same ids.
    pub message_id: String,
    pub body: String,
    /// `None` in a standard queue.
    pub group: Option<String>,
    pub sent_at: DateTime<Utc>,
    /// The number of receives so far.
    pub received: u32,
}

/// The event that EventBridge Scheduler sends for a schedule without an input of its own.
#[must_use]
pub fn scheduled_event(schedule: &str, now: DateTime<Utc>) -> Value {
    json!({
        "version": "0",
        "id": format!("{schedule}-{}", now.timestamp()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": LOCAL_ACCOUNT,
        "time": now.to_rfc3339_opts(SecondsFormat::Secs, true),
        "region": LOCAL_REGION,
        "resources": [arn("scheduler", &format!("schedule/default/{schedule}"))],
        "detail": "{}"
    })
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
