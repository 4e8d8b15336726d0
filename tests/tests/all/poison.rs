//! Records that can never be taken are quarantined with their payload and the reason, and the others go on.

use std::collections::BTreeSet;

use aws_lambda_events::dynamodb::EventRecord;
use aws_sdk_dynamodb::types::AttributeValue;
use duewatch_app::{Deadline, RecordError};
use duewatch_runtime::stream_batch;
use duewatch_store::Quarantined;
use duewatch_tests::support::{World, payment_ids, post, send, sequence_number, stream_event};
use rstest::rstest;
use serde_json::{Value, json};

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// The first instant of 5 October in Shanghai: one delinquent day.
const LATE_AT: &str = "2023-10-04T16:00:00Z";

/// The record of a payment with one attribute replaced.
async fn record_with(world: &mut World, payment_id: &str, attribute: &str, value: Value) -> Value {
    let mut payment = world.payment("A-1", payment_id, "10.00");
    payment[attribute] = value;
    payment["payer_name"] = json!("Zhang San");
    payment["payer_phone"] = json!("+86 138 0013 8000");
    world.put_payment(&payment).await;
    world.payment_records().await.pop().unwrap()
}

#[rstest]
#[case::amount_zero("amount", json!("0.00"), "amount: 0.00 is not more than zero")]
#[case::amount_negative("amount", json!("-10.00"), "amount: -10.00 is not more than zero")]
#[case::three_decimals("amount", json!("10.001"), "amount: 10.001 has 3 decimals")]
#[case::number_instead_of_string("amount", json!(10), "amount: ")]
#[case::no_amount("amount", json!("ten"), "amount: ")]
#[case::other_currency("currency", json!("USD"), "currency: the payment is in USD, the account in CNY")]
#[case::no_currency("currency", json!("yuan"), "currency: ")]
#[case::time_without_offset("received_at", json!("2023-09-01T08:00:00"), "received_at: ")]
#[case::unknown_kind("kind", json!("gift"), "kind: ")]
#[case::no_date("value_date", json!("2023-02-30"), "value_date: ")]
#[case::reversal_of_unknown_date("reversal_dated", json!("yesterday"), "reversal_dated: ")]
#[tokio::test]
async fn a_record_that_is_no_payment_is_quarantined_and_the_rest_of_the_batch_is_posted(
    #[case] attribute: &str,
    #[case] value: Value,
    #[case] reason: &str,
) {
    let mut world = World::at(OPENED_AT).await;
    let mut records = Vec::new();
    world.open("A-1").await;
    world.pay("A-1", "P-1", "10.00").await;
    records.extend(world.payment_records().await);
    records.push(record_with(&mut world, "P-2", attribute, value).await);
    world.pay("A-1", "P-3", "10.00").await;
    records.extend(world.payment_records().await);

    assert!(world.post(&records).await.is_empty());
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1", "P-3"]);
    let quarantined = world.quarantined().await;
    assert_eq!(quarantined.len(), 1);
    let Quarantined { source, id, payload, .. } = &quarantined[0];
    assert_eq!(source, post_payment::NAME);
    assert_eq!(Value::from(id.as_str()), records[1]["eventID"]);
    assert_eq!(serde_json::from_str::<Value>(payload).unwrap(), records[1], "the record, as it came");
    assert!(quarantined[0].reason.contains(reason), "{}", quarantined[0].reason);

    // The alert names the record, and none of its contents.
    let told = world.sent();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].topic, "tickets");
    assert_eq!(told[0].body["data"]["kind"], "quarantined");
    assert_eq!(told[0].body["data"]["subject"], *id);
    let said = format!("{}{:?}", told[0].body, told[0].attributes);
    for private in ["Zhang", "138 0013", "10.0", "USD"] {
        assert!(!said.contains(private), "{said}");
    }
}

#[tokio::test]
async fn the_same_payment_id_with_another_amount_is_quarantined_and_the_first_stands() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay_and_post("A-1", "P-1", "10.00").await;
    world.pay_and_post("A-1", "P-1", "20.00").await;
    let account = world.account("A-1").await;
    assert_eq!(account.payments()[0].amount.to_string(), "10.00");
    let quarantined = world.quarantined().await;
    assert_eq!(quarantined.len(), 1);
    assert!(
        quarantined[0].reason.contains("P-1 was received before with another amount (10.00, now 20.00)"),
        "{}",
        quarantined[0].reason
    );
}

#[rstest]
#[case::no_stream_record(json!({ "eventID": "E-1", "dynamodb": { "SequenceNumber": "7" } }), "7")]
#[case::nothing_of_a_record(json!({ "hello": "world" }), "payload-")]
#[case::no_object(json!("hello"), "payload-")]
#[tokio::test]
async fn what_is_no_stream_record_is_quarantined_and_the_rest_of_the_batch_is_posted(
    #[case] stray: Value,
    #[case] called: &str,
) {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay("A-1", "P-1", "10.00").await;
    let mut records = world.payment_records().await;
    records.insert(0, stray.clone());
    assert!(world.post(&records).await.is_empty());
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1"]);
    let quarantined = world.quarantined().await;
    assert_eq!(quarantined.len(), 1);
    assert!(quarantined[0].id.starts_with(called), "{}", quarantined[0].id);
    assert!(quarantined[0].reason.contains("no stream record"), "{}", quarantined[0].reason);
    assert_eq!(serde_json::from_str::<Value>(&quarantined[0].payload).unwrap(), stray);
}

#[tokio::test]
async fn records_without_any_id_are_quarantined_each_on_its_own() {
    let world = World::at(OPENED_AT).await;
    let strays = [json!({ "hello": "world" }), json!({ "hello": "moon" })];
    assert!(world.post(&strays).await.is_empty());
    let payloads: BTreeSet<String> =
        world.quarantined().await.into_iter().map(|quarantined| quarantined.payload).collect();
    assert_eq!(payloads, strays.iter().map(ToString::to_string).collect());
    // A repeated delivery quarantines the same two.
    assert!(world.post(&strays).await.is_empty());
    assert_eq!(world.quarantined().await.len(), 2);
}

#[tokio::test]
async fn a_poisoned_record_delivered_twice_is_quarantined_once() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let records = [record_with(&mut world, "P-1", "amount", json!("0")).await];
    assert!(world.post(&records).await.is_empty());
    let once = world.quarantined().await;
    assert!(world.post(&records).await.is_empty());
    assert_eq!(world.quarantined().await, once);
    let ids: BTreeSet<String> = world.sent().iter().map(|sent| sent.id().to_owned()).collect();
    assert_eq!(ids.len(), 1, "a retry does not ring twice");
}

/// A batch of ten payments, the first `poisoned` of which are invalid.
async fn ten_payments(world: &mut World, poisoned: usize) -> Vec<Value> {
    for place in 0..10 {
        let amount = if place < poisoned { "0" } else { "10.00" };
        world.pay("A-1", &format!("P-{place}"), amount).await;
    }
    world.payment_records().await
}

#[tokio::test]
async fn a_batch_of_ten_with_six_poisoned_fails_as_a_whole_and_nothing_of_it_is_quarantined() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let records = ten_payments(&mut world, 6).await;
    let function = world.services(post_payment::NAME);
    // Reported from the first record on, not failed as an invocation: Lambda would split a failed batch until
    // its parts are small enough to be quarantined.
    assert_eq!(post(&function, &records).await, [sequence_number(&records[0])]);
    assert_eq!(world.quarantined().await, []);
    assert_eq!(world.sent(), []);
}

#[tokio::test]
async fn a_mostly_poisoned_batch_is_given_up_whole_by_the_mapping_and_never_quarantined_in_parts() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    for place in 0..10 {
        world.pay("A-1", &format!("P-{place}"), "0").await;
    }
    world.stack.drain().await.unwrap();
    assert_eq!(world.stack.given_up().count(), 10);
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn a_batch_of_ten_with_five_poisoned_is_taken() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let records = ten_payments(&mut world, 5).await;
    assert!(world.post(&records).await.is_empty());
    assert_eq!(world.quarantined().await.len(), 5);
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-5", "P-6", "P-7", "P-8", "P-9"]);
}

#[tokio::test]
async fn a_small_batch_that_is_poisoned_whole_is_quarantined() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let records = ten_payments(&mut world, 10).await;
    assert!(world.post(&records[..9]).await.is_empty());
    assert_eq!(world.quarantined().await.len(), 9);
}

#[tokio::test]
async fn an_account_of_a_newer_schema_is_quarantined_and_the_rest_of_the_batch_is_sent() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.open("A-2").await;
    world.set(LATE_AT);
    world.sweep().await;
    let mut records = world.account_records().await;
    records.retain(|record| record["eventName"] == "MODIFY");
    let place = records.iter().position(|one| one["dynamodb"]["Keys"]["account_id"]["S"] == "A-1").unwrap();
    records[place]["dynamodb"]["NewImage"]["schema"] = json!({ "N": "2" });
    assert!(world.send(&records).await.is_empty());

    let quarantined = world.quarantined().await;
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0].source, send_reminders::NAME);
    assert!(quarantined[0].reason.contains("this version reads 1"), "{}", quarantined[0].reason);
    assert_eq!(serde_json::from_str::<Value>(&quarantined[0].payload).unwrap(), records[place]);
    let sent = world.sent_to("account-events");
    assert_eq!(sent.iter().map(|sent| sent.id()).collect::<Vec<_>>(), ["A-2/2"]);
}

#[tokio::test]
async fn an_attribute_that_is_none_of_ours_in_an_account_is_quarantined() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.account_records().await;
    world.tamper("A-1", "nickname", AttributeValue::S("Al".to_owned())).await;
    let mut records = world.account_records().await;
    records[0]["dynamodb"]["OldImage"]["revision"] = json!({ "N": "0" });
    assert!(send(&world.services(send_reminders::NAME), &records).await.is_empty());
    assert!(world.quarantined().await[0].reason.contains("nickname"));
}

#[tokio::test]
async fn a_record_that_makes_the_code_panic_is_quarantined_and_the_rest_is_taken() {
    let mut world = World::at(OPENED_AT).await;
    for number in 1..=3 {
        world.pay(&format!("A-{number}"), "P-1", "10.00").await;
    }
    let records = world.payment_records().await;
    let services = world.services(post_payment::NAME);
    let panicking = sequence_number(&records[1]).to_owned();
    let batch =
        stream_batch(&services, stream_event(&records), Deadline::none(), async |record: EventRecord| {
            assert!(record.change.sequence_number.as_ref() != Some(&panicking), "beyond all bounds");
            Ok::<_, RecordError>(record.event_id)
        })
        .await;
    let done: Vec<&str> = batch.done.iter().map(|done| done.sequence_number.as_str()).collect();
    assert_eq!(done, [sequence_number(&records[0]), sequence_number(&records[2])]);
    assert_eq!((batch.quarantined, batch.failures()), (1, 0));
    let quarantined = world.quarantined().await;
    assert_eq!(quarantined[0].reason, "panicked: beyond all bounds");
    assert_eq!(serde_json::from_str::<Value>(&quarantined[0].payload).unwrap(), records[1]);
}

#[tokio::test]
async fn a_batch_that_panics_for_most_of_ten_records_fails_as_a_whole() {
    let mut world = World::at(OPENED_AT).await;
    let records = ten_payments(&mut world, 0).await;
    let services = world.services(post_payment::NAME);
    let failed = stream_batch(
        &services,
        stream_event(&records),
        Deadline::none(),
        async |_: EventRecord| -> Result<(), RecordError> { panic!("it is the code") },
    )
    .await;
    let why = "10 of 10 records cannot be taken, the first because: panicked: it is the code";
    assert_eq!(failed.refused.map(|refused| refused.to_string()).as_deref(), Some(why));
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn a_payload_beyond_what_an_item_holds_is_quarantined_as_far_as_it_fits() {
    let world = World::at(OPENED_AT).await;
    let stray = json!({ "eventID": "E-1", "noise": "\u{5ba2}".repeat(150_000) });
    assert!(post(&world.services(post_payment::NAME), &[stray]).await.is_empty());
    let quarantined = world.quarantined().await;
    assert_eq!(quarantined.len(), 1);
    assert!(quarantined[0].payload.len() > 300_000);
}
