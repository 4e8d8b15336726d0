//! One invocation of each handler, as Lambda would make it.

use aws_lambda_events::streams::DynamoDbEventResponse;
use detect_overdue::{ShardQueue, SweepAnswer};
use duewatch_app::{AnchorReport, Deadline, ReconcileReport, Services, SweepReport};
use duewatch_domain::InboundMessage;
use duewatch_domain::formats::message_line;
use duewatch_handlers::{WaitingMessage, queue_event};
use duewatch_notify::ReferenceKeys;
use duewatch_runtime::RawStreamEvent;
use duewatch_stack::{local_anchor_key, local_reference_keys};
use send_reminders::SendEvent;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::facts::sample;

/// Fires a sweep with the sample event.
pub async fn sweep(services: &Services) -> SweepReport {
    sweep_within(services, Deadline::none()).await
}

/// Fires a sweep with the sample event, before a deadline.
pub async fn sweep_within(services: &Services, deadline: Deadline) -> SweepReport {
    sweep_handing_over(services, None, deadline).await
}

/// Fires a sweep with the sample event, before a deadline and with a queue for large shards.
pub async fn sweep_handing_over(
    services: &Services,
    queue: Option<&ShardQueue>,
    deadline: Deadline,
) -> SweepReport {
    let event = serde_json::from_value(sample("detect-overdue.schedule.json")).unwrap();
    match detect_overdue::handle(services, queue, event, deadline).await.unwrap() {
        SweepAnswer::Schedule(report) => report,
        SweepAnswer::Shards(response) => panic!("it took the schedule for a queue: {response:?}"),
    }
}

/// Delivers bodies to `intake`, each with its group, as its queue would; returns those reported as failed.
pub async fn take_in(services: &Services, bodies: &[(&str, String)]) -> Vec<String> {
    let waiting = |(place, (group, body)): (usize, &(&str, String))| WaitingMessage {
        message_id: format!("m-{place}"),
        body: body.clone(),
        group: Some((*group).to_owned()),
        sent_at: services.clock.now(),
        received: 1,
    };
    let messages: Vec<WaitingMessage> = bodies.iter().enumerate().map(waiting).collect();
    let event = serde_json::from_value(queue_event("duewatch-dev-intake.fifo", &messages)).unwrap();
    let response = intake::handle(services, &intake::SenderMap::default(), event, Deadline::none()).await;
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

/// Delivers messages to `intake` in their own groups.
pub async fn take_messages(services: &Services, messages: &[InboundMessage]) -> Vec<String> {
    let bodies: Vec<(&str, String)> =
        messages.iter().map(|one| (one.event.account_id.as_str(), message_line(one))).collect();
    take_in(services, &bodies).await
}

/// Fires `anchor-history`.
pub async fn anchor(services: &Services) -> AnchorReport {
    let event = serde_json::from_value(sample("anchor-history.schedule.json")).unwrap();
    let key = local_anchor_key().unwrap();
    anchor_history::handle(services, &key, event, Deadline::none()).await.unwrap()
}

/// Delivers receipts to `record-delivery`, as its queue would; returns those reported as failed.
pub async fn report(services: &Services, bodies: &[String]) -> Vec<String> {
    let waiting = |(place, body): (usize, &String)| WaitingMessage {
        message_id: format!("r-{place}"),
        body: body.clone(),
        group: None,
        sent_at: services.clock.now(),
        received: 1,
    };
    let messages: Vec<WaitingMessage> = bodies.iter().enumerate().map(waiting).collect();
    let event = serde_json::from_value(queue_event("duewatch-dev-receipts", &messages)).unwrap();
    let response = record_delivery::handle(services, event, Deadline::none()).await;
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

/// Fires `reconcile-accounts` with a scan of one segment, which reconciles all accounts once a day.
pub async fn watch(services: &Services) -> ReconcileReport {
    reconcile_accounts::reconcile_segments(services, 1, Deadline::none()).await.unwrap()
}

/// Delivers records to `post-payment`; returns those reported as failed.
pub async fn post(services: &Services, records: &[Value]) -> Vec<String> {
    failures(post_payment::handle(services, stream_event(records), Deadline::none()).await)
}

/// Delivers records to `post-payment` on a thread of its own.
#[must_use]
pub fn post_aside(services: Services, records: Vec<Value>) -> JoinHandle<Vec<String>> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(post(&services, &records)))
}

/// Delivers records to `send-reminders`; returns those reported as failed.
pub async fn send(services: &Services, records: &[Value]) -> Vec<String> {
    let event = SendEvent { records: Some(stream_event(records).records) };
    match send_reminders::handle(services, &reference_keys(), event, Deadline::none()).await.unwrap() {
        send_reminders::SendAnswer::Stream(response) => failures(response),
        send_reminders::SendAnswer::Schedule(report) => {
            panic!("it took the stream for a schedule: {report:?}")
        }
    }
}

/// Fires the schedule of `send-reminders`: due planned contacts pass the gate.
pub async fn sweep_contacts(services: &Services) -> duewatch_app::ContactSweepReport {
    let event = SendEvent { records: None };
    match send_reminders::handle(services, &reference_keys(), event, Deadline::none()).await.unwrap() {
        send_reminders::SendAnswer::Schedule(report) => report,
        send_reminders::SendAnswer::Stream(response) => {
            panic!("it took the schedule for a stream: {response:?}")
        }
    }
}

/// The keys that sign references on this machine.
#[must_use]
pub fn reference_keys() -> ReferenceKeys {
    local_reference_keys().unwrap()
}

/// Delivers records to `record-history`; returns those reported as failed.
pub async fn record(services: &Services, records: &[Value]) -> Vec<String> {
    failures(record_history::handle(services, stream_event(records), Deadline::none()).await)
}

/// The records as Lambda delivers them.
#[must_use]
pub fn stream_event(records: &[Value]) -> RawStreamEvent {
    serde_json::from_str(&json!({ "Records": records }).to_string()).unwrap()
}

/// The sequence numbers that an answer reports as failed.
#[must_use]
pub fn failures(response: DynamoDbEventResponse) -> Vec<String> {
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier.unwrap()).collect()
}

/// The position of a record in its stream.
#[must_use]
pub fn sequence_number(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap()
}
