//! The events of a function's triggers, as Lambda makes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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

/// A request as a browser sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: String,
    /// As in the first line, still encoded.
    pub path: String,
    /// Without the question mark; empty: none.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The event of a request, as an HTTP API makes it with payload version 2.0: cookies apart from the other headers,
/// and the body in Base64.
#[must_use]
pub fn http_event(request: &HttpRequest, now: DateTime<Utc>) -> Value {
    let mut headers = serde_json::Map::new();
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "cookie") {
        headers.insert(name.clone(), Value::from(value.clone()));
    }
    let cookies = request.headers.iter().filter(|(name, _)| name == "cookie");
    let cookies: Vec<&str> = cookies.flat_map(|(_, all)| all.split(';')).map(str::trim).collect();
    let host = headers.get("host").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (method, path) = (request.method.as_str(), request.path.as_str());
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": LOCAL_ACCOUNT,
            "apiId": "local",
            "domainName": host,
            "domainPrefix": "local",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
            },
            "requestId": format!("local-{}", now.timestamp_micros()),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.format("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.timestamp_millis(),
        },
        "isBase64Encoded": false,
    });
    if !cookies.is_empty() {
        event["cookies"] = Value::from(cookies);
    }
    if !request.body.is_empty() {
        event["body"] = Value::from(STANDARD.encode(&request.body));
        event["isBase64Encoded"] = Value::from(true);
    }
    event
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
