//! Serves a request, in full, in part, from an old index, or with a refusal.

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_stack::sns::SnsFault;
use duewatch_stack::{Engines, LocalAnswer};
use serde_json::{Value, json};

use super::choices::Choices;
use super::network::NetworkRequest;
use super::watch::IndexEntry;
use std::collections::{BTreeSet, VecDeque};

/// The longest lag of the due index.
const INDEX_LAG: TimeDelta = TimeDelta::hours(1);
/// The number of past states of the due index that are kept.
const PAST_INDEXES: usize = 40;

/// The answer of a service that does nothing.
pub(super) enum ServiceRefusal {
    Throttled,
    Failed,
    TransactionConflict,
}

impl ServiceRefusal {
    /// In the words of the service that the request is for.
    pub(super) fn answer(&self, engines: &Engines, request: &NetworkRequest) -> LocalAnswer {
        let (status, kind, of_sns) = match self {
            Self::Throttled => (400, "ThrottlingException", SnsFault::Throttled { count: 1 }),
            Self::Failed => (500, "InternalServerError", SnsFault::InternalError { count: 1 }),
            Self::TransactionConflict => {
                (400, "TransactionConflictException", SnsFault::InternalError { count: 1 })
            }
        };
        if request.target.is_some() {
            return LocalAnswer::dynamodb_error(
                status,
                &format!("com.amazonaws.dynamodb#{kind}"),
                "simulated",
            );
        }
        engines.sns.fail_entries(of_sns);
        let (status, body) = engines.sns.answer_form(&request.body);
        LocalAnswer { status, body, is_json: false }
    }
}

/// The topics in the order of their places.
const TOPICS: [&str; 3] = ["-reminders", "-account-events", "-operations"];

/// The place of the topic of a request to SNS.
pub(super) fn topic_of(request: &NetworkRequest) -> Option<usize> {
    let form = std::str::from_utf8(&request.body).ok()?;
    let arn = form.split('&').find_map(|field| field.strip_prefix("TopicArn="))?;
    TOPICS.iter().position(|name| arn.ends_with(name))
}

/// The answer of a topic that somebody has deleted.
pub(super) fn refuse_topic(engines: &Engines, request: &NetworkRequest) -> LocalAnswer {
    let form = String::from_utf8_lossy(&request.body);
    let gone = |field: &str| match field.strip_prefix("TopicArn=") {
        Some(arn) => format!("TopicArn={arn}-gone"),
        None => field.to_owned(),
    };
    let body = form.split('&').map(gone).collect::<Vec<_>>().join("&").into_bytes();
    serve(engines, &NetworkRequest { body, ..request.clone() })
}

pub(super) fn serve(engines: &Engines, request: &NetworkRequest) -> LocalAnswer {
    engines.answer(request.target.as_deref(), &request.body)
}

/// Serves all but some entries of a batch, and reports them on HTTP 200.
pub(super) fn serve_partly(
    engines: &Engines,
    request: &NetworkRequest,
    choices: &mut Choices,
) -> LocalAnswer {
    match request.name() {
        "PublishBatch" => {
            let count = 1 + choices.number(3);
            engines.sns.fail_entries(SnsFault::Entries {
                count,
                containing: String::new(),
                code: "InternalError".to_owned(),
                sender_fault: false,
            });
            serve(engines, request)
        }
        "BatchWriteItem" => serve_rest(engines, request, "UnprocessedItems"),
        "BatchGetItem" => serve_rest(engines, request, "UnprocessedKeys"),
        _ => serve(engines, request),
    }
}

/// Serves every table's entries but the last, which is returned as unprocessed.
fn serve_rest(engines: &Engines, request: &NetworkRequest, handed_back: &str) -> LocalAnswer {
    let mut body = request.json();
    let mut unprocessed = json!({});
    let tables = body["RequestItems"].as_object_mut().into_iter().flatten();
    for (table, entries) in tables {
        let keys = if entries.is_array() { &mut *entries } else { &mut entries["Keys"] };
        if let Some(last) = keys.as_array_mut().filter(|keys| keys.len() > 1).and_then(Vec::pop) {
            unprocessed[table] =
                if handed_back == "UnprocessedItems" { json!([last]) } else { json!({"Keys": [last]}) };
        }
    }
    let rest = NetworkRequest { body: body.to_string().into_bytes(), ..request.clone() };
    let mut answer = serve(engines, &rest);
    if let Ok(mut said) = serde_json::from_str::<Value>(&answer.body)
        && answer.status == 200
    {
        said[handed_back] = unprocessed;
        answer.body = said.to_string();
    }
    answer
}

/// The past states of the due index of accounts, for readers that see them late.
#[derive(Debug, Default)]
pub(super) struct PastIndexes(VecDeque<(DateTime<Utc>, BTreeSet<IndexEntry>)>);

impl PastIndexes {
    pub(super) fn keep(&mut self, now: DateTime<Utc>, index: BTreeSet<IndexEntry>) {
        if self.0.len() >= PAST_INDEXES {
            self.0.pop_front();
        }
        self.0.push_back((now, index));
    }

    /// Answers a Query of the due index from a past state, sometimes without its first entry. None: the
    /// request is no such Query, or no past state is kept.
    pub(super) fn answer(
        &self,
        request: &NetworkRequest,
        now: DateTime<Utc>,
        choices: &mut Choices,
    ) -> Option<LocalAnswer> {
        let body = request.json();
        let is_of_cases = body["TableName"].as_str().is_some_and(|table| table.ends_with("-cases"));
        if request.name() != "Query" || body["IndexName"] != "due" || is_of_cases {
            return None;
        }
        let recent: Vec<_> = self.0.iter().filter(|(at, _)| now - *at < INDEX_LAG).collect();
        if recent.is_empty() {
            return None;
        }
        let (_, index) = recent[choices.among(recent.len())];
        let value = |name: &str| body["ExpressionAttributeValues"][name]["S"].as_str().unwrap_or_default();
        let (shard, until) = (value(":shard"), value(":now"));
        let limit = body["Limit"].as_u64().unwrap_or(u64::MAX);
        let items: Vec<Value> = index
            .iter()
            .filter(|entry| entry.shard == shard && entry.next_action_at.as_str() <= until)
            .skip(usize::try_from(choices.number(2)).unwrap_or_default())
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|entry| {
                json!({
                    "account_id": {"S": entry.account_id},
                    "due_shard": {"S": entry.shard},
                    "next_action_at": {"S": entry.next_action_at},
                })
            })
            .collect();
        let body = json!({"Items": items, "Count": items.len(), "ScannedCount": items.len()});
        Some(LocalAnswer { status: 200, body: body.to_string(), is_json: true })
    }
}

#[cfg(test)]
mod tests {
    use duewatch_stack::StackClock;
    use duewatch_stack::template::Template;

    use super::*;
    use crate::simulation::network::CallerId;

    fn request(operation: &str, body: &Value) -> NetworkRequest {
        let body = body.to_string().into_bytes();
        NetworkRequest { caller: CallerId(1), target: Some(format!("DynamoDB_20120810.{operation}")), body }
    }

    #[test]
    fn a_batch_that_is_served_in_part_says_what_is_left() {
        let clock = StackClock::simulated("2026-01-01T00:00:00Z".parse().unwrap());
        let engines = Engines::in_memory(&Template::embedded().unwrap(), &clock).unwrap();
        let table = "duewatch-dev-records";
        let key = |sk: &str| json!({"pk": {"S": "a"}, "sk": {"S": sk}});
        let put = |sk: &str| json!({"PutRequest": {"Item": key(sk)}});
        let mut choices = Choices::seeded(1);

        let puts = json!({"RequestItems": {table: [put("1"), put("2")]}});
        let answer = serve_partly(&engines, &request("BatchWriteItem", &puts), &mut choices);
        let said: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, &said["UnprocessedItems"][table]), (200, &json!([put("2")])));

        let gets = json!({"RequestItems": {table: {"Keys": [key("1"), key("2")]}}});
        let answer = serve_partly(&engines, &request("BatchGetItem", &gets), &mut choices);
        let said: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(said["UnprocessedKeys"][table]["Keys"], json!([key("2")]));
        assert_eq!(said["Responses"][table], json!([key("1")]), "the second was never written");
    }
}
