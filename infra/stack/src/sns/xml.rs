//! The answers in XML, as the SDK parses them.

use std::fmt::Write;

use super::query::SnsRefusal;
use super::{EntryFailure, EntryResult};

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The answer to `CreateTopic`.
pub(super) fn topic_created(topic_arn: &str, request_id: &str) -> String {
    response("CreateTopic", &element("TopicArn", topic_arn), request_id)
}

/// The answer to `GetTopicAttributes`: the one attribute that a topic has here.
pub(super) fn topic_attributes(topic_arn: &str, request_id: &str) -> String {
    let entry = element("key", "TopicArn") + &element("value", topic_arn);
    let attributes = format!("<Attributes><entry>{entry}</entry></Attributes>");
    response("GetTopicAttributes", &attributes, request_id)
}

/// The answer to `Publish`.
pub(super) fn published(message_id: &str, request_id: &str) -> String {
    response("Publish", &element("MessageId", message_id), request_id)
}

/// The answer to `PublishBatch`. Both lists are always present, as with SNS.
pub(super) fn batch_published(results: &[EntryResult], request_id: &str) -> String {
    let (mut successful, mut failed) = (String::new(), String::new());
    for EntryResult { id, outcome } in results {
        // Writing to a `String` never fails.
        let _ = match outcome {
            Ok(message_id) => write!(
                successful,
                "<member>{}{}</member>",
                element("Id", id),
                element("MessageId", message_id)
            ),
            Err(failure) => write!(failed, "<member>{}{}</member>", element("Id", id), failed_entry(failure)),
        };
    }
    let result = format!("<Successful>{successful}</Successful><Failed>{failed}</Failed>");
    response("PublishBatch", &result, request_id)
}

fn failed_entry(failure: &EntryFailure) -> String {
    let sender_fault = if failure.sender_fault { "true" } else { "false" };
    element("Code", &failure.code)
        + &element("Message", "The entry was told to fail")
        + &element("SenderFault", sender_fault)
}

/// The answer to a refused request.
pub(super) fn refusal(refusal: &SnsRefusal, request_id: &str) -> String {
    let kind = if refusal.status().is_server_error() { "Receiver" } else { "Sender" };
    format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error>{}{}{}</Error>{}</ErrorResponse>",
        element("Type", kind),
        element("Code", refusal.code()),
        element("Message", &refusal.to_string()),
        element("RequestId", request_id),
    )
}

fn response(action: &str, result: &str, request_id: &str) -> String {
    let request_id = element("RequestId", request_id);
    format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata>{request_id}</ResponseMetadata></{action}Response>"
    )
}

fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// Text for XML; a character that XML cannot carry becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\0'..' ' | '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            other => escaped.push(other),
        }
    }
    escaped
}
