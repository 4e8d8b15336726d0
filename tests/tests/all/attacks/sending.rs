//! While sending is on hold nothing leaves for a borrower or another system, by whichever way it would, and everything
//! leaves once afterwards.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use duewatch_app::Services;
use duewatch_handlers::Handlers;
use duewatch_store::{ContactOutcome, HoldScope, OperatorHold};
use duewatch_tests::listening::{Log, listen};
use duewatch_tests::support::{
    JOINT, REMINDING, World, put, reference_keys, send, sequence_number, sweep_contacts,
};
use serde_json::{Value, json};

use crate::template::watched_metric;

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// 10:00 of 28 September in Shanghai: the first reminder.
const DUE_SOON_AT: &str = "2023-09-28T02:00:00Z";
/// The account is late: an event, and reminders.
const LATE_AT: &str = "2023-10-06T02:00:00Z";

async fn hold(world: &World, is_on: bool) {
    let hold =
        OperatorHold { is_on, at: world.now(), by: "anna".to_owned(), reason: "wrong texts".to_owned() };
    world.store().set_hold(HoldScope::Sending, &hold).await.unwrap();
}

/// What left for borrowers and other systems since the last call.
fn left(world: &World) -> Vec<String> {
    let sent = world.sent().into_iter();
    sent.filter(|one| ["reminders", "account-events"].contains(&one.topic.as_str()))
        .map(|one| one.topic)
        .collect()
}

/// An account whose first reminder is due, and the records of that.
async fn reminding() -> (World, Vec<Value>) {
    let mut world = World::at(OPENED_AT).await;
    world.open_under(REMINDING, "A-1").await;
    world.send_all().await;
    drop(world.sent());
    world.set(DUE_SOON_AT);
    world.sweep().await;
    let records = world.account_records().await;
    (world, records)
}

#[tokio::test]
async fn no_reminder_leaves_while_sending_is_on_hold_and_each_leaves_once_afterwards() {
    let (world, records) = reminding().await;
    hold(&world, true).await;
    assert_eq!(world.send(&records).await, [""; 0], "the request is queued, and the record is done");
    let report = world.sweep_contacts().await;
    assert!(report.is_held);
    assert_eq!((report.customers, report.failed), (0, 0));
    assert_eq!(left(&world), [""; 0]);
    world.set("2023-09-28T02:10:00Z");
    hold(&world, false).await;
    assert_eq!(world.sweep_contacts().await.evaluated.messages, 1);
    assert_eq!(world.sweep_contacts().await.evaluated.messages, 0);
    assert_eq!(left(&world), ["reminders"]);
}

#[tokio::test]
async fn a_reminder_whose_reason_has_gone_during_the_hold_never_leaves() {
    let (mut world, records) = reminding().await;
    hold(&world, true).await;
    world.send(&records).await;
    world.pay_and_post("A-1", "P-1", "1000.00").await;
    world.set("2023-09-28T05:00:00Z");
    hold(&world, false).await;
    world.sweep_contacts().await;
    assert_eq!(left(&world), [""; 0], "it passes the gate once more");
    let outcomes: Vec<ContactOutcome> =
        world.contacts("C-1").await.into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, [ContactOutcome::Withdrawn]);
}

#[tokio::test]
async fn a_message_that_was_counted_before_the_hold_does_not_leave_in_it() {
    let (world, records) = reminding().await;
    let mut settings = world.stack.settings().clone();
    settings.topics.reminders.push_str("-gone");
    send(&world.services_under(send_reminders::NAME, &settings), &records).await;
    hold(&world, true).await;
    world.set("2023-09-28T02:30:00Z");
    world.sweep_contacts().await;
    assert_eq!(left(&world), [""; 0]);
    world.set("2023-09-28T03:00:00Z");
    hold(&world, false).await;
    world.sweep_contacts().await;
    assert_eq!(left(&world), ["reminders"]);
}

#[tokio::test]
async fn no_event_leaves_while_sending_is_on_hold_and_its_record_waits_in_the_stream() {
    let (mut world, records) = reminding().await;
    world.send(&records).await;
    drop(world.sent());
    world.set(LATE_AT);
    world.sweep().await;
    let records = world.account_records().await;
    hold(&world, true).await;
    let failed: Vec<&str> = records.iter().map(sequence_number).collect();
    assert_eq!(world.send(&records).await, failed);
    assert_eq!(world.send(&records).await, failed);
    assert_eq!(left(&world), [""; 0]);
    hold(&world, false).await;
    assert_eq!(world.send(&records).await, [""; 0]);
    let sent = left(&world);
    assert_eq!(sent.iter().filter(|topic| *topic == "account-events").count(), 1, "{sent:?}");
}

#[tokio::test]
async fn the_reconciler_publishes_nothing_while_sending_is_on_hold() {
    let (mut world, _) = reminding().await;
    world.set(LATE_AT);
    world.sweep().await;
    world.account_records().await;
    // The streams have lost the records.
    world.set("2023-10-07T02:00:00Z");
    hold(&world, true).await;
    let report = world.reconcile().await;
    assert_eq!((report.unpublished, report.failed), (0, 0), "a hold is no discrepancy: {report:?}");
    assert_eq!(left(&world), [""; 0]);
    world.set("2023-10-08T02:00:00Z");
    hold(&world, false).await;
    assert_eq!(world.reconcile().await.unpublished, 1);
    assert!(left(&world).contains(&"account-events".to_owned()));
}

#[tokio::test]
async fn no_record_that_is_requeued_leaves_past_the_hold() {
    let (mut world, _) = reminding().await;
    world.set(LATE_AT);
    world.sweep().await;
    let records = world.account_records().await;
    hold(&world, true).await;
    let handlers = Handlers::over(reference_keys(), |function| world.services(function));
    let answer = handlers.invoke(send_reminders::NAME, &json!({ "Records": records })).await.unwrap();
    assert!(!answer["batchItemFailures"].as_array().unwrap().is_empty());
    assert_eq!(left(&world), [""; 0]);
}

#[tokio::test]
async fn nothing_leaves_while_nobody_knows_whether_sending_is_on_hold() {
    let (world, records) = reminding().await;
    let garbled = json!({"pk": "settings", "sk": "sending", "held": "perhaps"});
    put(world.client(), &world.store().tables().records, &garbled).await;
    world.send(&records).await;
    assert_eq!(left(&world), [""; 0]);
}

#[tokio::test]
async fn a_hold_on_sending_keeps_neither_money_nor_cures_nor_tickets_back() {
    let mut world = World::at(OPENED_AT).await;
    for account_id in ["A-3", "A-4"] {
        world.open_for("C-3", JOINT, account_id).await;
    }
    world.send_all().await;
    world.set("2023-10-18T16:00:00Z");
    world.sweep().await;
    hold(&world, true).await;
    drop(world.sent());
    // One account's restrictions reach the other, and go again, though their events wait.
    let records = world.account_records().await;
    world.send(&records).await;
    world.pay_and_post("A-3", "P-1", "1000.00").await;
    world.pay_and_post("A-4", "P-2", "1000.00").await;
    world.pay_and_post("A-4", "P-3", "0").await;
    let records = world.account_records().await;
    world.send(&records).await;
    for account_id in ["A-3", "A-4"] {
        assert_eq!(world.account(account_id).await.status.restrictions, [], "{account_id}");
    }
    let topics: Vec<String> = world.sent().into_iter().map(|one| one.topic).collect();
    assert!(!topics.is_empty() && topics.iter().all(|topic| topic == "tickets"), "{topics:?}");
}

#[tokio::test]
async fn a_function_that_runs_knows_of_the_hold_within_a_minute() {
    let (world, records) = reminding().await;
    let services: Services = world.services(send_reminders::NAME);
    assert_eq!(sweep_contacts(&services).await.evaluated.messages, 0);
    hold(&world, true).await;
    world.stack.clock().set(world.now() + TimeDelta::seconds(60));
    send(&services, &records).await;
    assert_eq!(left(&world), [""; 0]);
}

#[tokio::test]
async fn a_hold_that_is_forgotten_is_an_alarm() {
    let (world, _) = reminding().await;
    for (is_on, expected) in [(true, 1), (false, 0)] {
        hold(&world, is_on).await;
        let log = Log::default();
        let listening = listen(tracing_subscriber::fmt().json().with_writer(log.clone()).finish());
        world.sweep_contacts().await;
        drop(listening);
        assert_eq!(log.metrics()[0]["sending_held"], expected);
        world.stack.clock().set(world.now() + TimeDelta::minutes(5));
    }
    watched_metric("SendingHeldAlarm", "send-reminders", "sending_held");
}

#[tokio::test]
async fn no_change_of_a_hold_goes_unrecorded() {
    let world = World::at(OPENED_AT).await;
    hold(&world, true).await;
    world.set("2023-09-01T01:00:00Z");
    hold(&world, false).await;
    let changes = world.records("settings", "hold#").await;
    let text = |item: &std::collections::HashMap<String, AttributeValue>, name: &str| {
        item[name].as_s().unwrap().clone()
    };
    let keys: Vec<String> = changes.iter().map(|item| text(item, "sk")).collect();
    assert_eq!(keys, ["hold#2023-09-01T00:00:00.000Z#sending", "hold#2023-09-01T01:00:00.000Z#sending"]);
    assert!(changes.iter().all(|item| text(item, "by") == "anna" && text(item, "reason") == "wrong texts"));
}
