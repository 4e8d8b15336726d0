//! A quarantined record is taken after its cause is gone, and stays quarantined otherwise.

use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::NaiveDate;
use duewatch_cli::requeue::{QuarantineScope, Requeue, Requeued};
use duewatch_handlers::Handlers;
use duewatch_stack::local_reference_keys;
use duewatch_tests::support::{World, message, payment_ids, take_in};
use serde_json::{Value, json};

const OPENED_AT: &str = "2023-09-01T00:00:00Z";

fn requeue(world: &World) -> Requeue {
    Requeue::new(Handlers::over(local_reference_keys().unwrap(), |function| world.services(function)))
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

async fn handed_back(world: &World) -> (Requeued, Vec<String>) {
    let mut left = Vec::new();
    let scope = QuarantineScope { since: day("2023-08-01"), source: None };
    let came = Box::pin(requeue(world).quarantine(scope, |line| left.push(line))).await.unwrap();
    (came, left)
}

/// Damages A-1's installments; returns the original attribute.
async fn spoil(world: &World) -> AttributeValue {
    let whole = world.item("A-1").await["installments"].clone();
    world.tamper("A-1", "installments", AttributeValue::S("none".to_owned())).await;
    whole
}

#[tokio::test]
async fn what_could_not_be_taken_is_taken_once_its_cause_has_gone() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let whole = spoil(&world).await;
    world.pay_and_post("A-1", "P-1", "250.00").await;
    world.set("2023-10-20T00:00:00Z");
    world.sweep().await;
    let paused =
        message("E-1", world.now(), "A-1", "pause_started", r#""from":"2023-11-01","until":"2023-11-08""#);
    let body = duewatch_domain::formats::message_line(&paused);
    assert!(take_in(&world.services(intake::NAME), &[("A-1", body)]).await.is_empty());
    world.set("2023-10-21T00:00:00Z");
    let (came, left) = handed_back(&world).await;
    assert_eq!((came, left.len()), (Requeued { taken: 0, left: 3 }, 3), "the cause is still there: {left:?}");

    world.tamper("A-1", "installments", whole).await;
    world.set("2023-10-22T00:00:00Z");
    let (came, left) = handed_back(&world).await;
    assert_eq!(left, Vec::<String>::new());
    assert!(came.taken >= 3 && came.left == 0, "{came:?}");
    let account = world.account("A-1").await;
    assert_eq!((payment_ids(&account), account.pauses().len()), (vec!["P-1"], 1));
    assert!(account.status.next_action_at.is_some(), "and it is in the index again");
    assert_eq!(handed_back(&world).await.0, Requeued::default(), "nothing is left");
}

#[tokio::test]
async fn what_can_never_be_taken_stays_with_its_reason() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay_and_post("A-1", "P-1", "-1.00").await;
    world.set("2023-09-02T00:00:00Z");
    let (came, left) = handed_back(&world).await;
    assert_eq!(came, Requeued { taken: 0, left: 1 });
    assert!(left[0].contains("amount"), "{left:?}");
}

fn failed_batch(records: &[Value]) -> String {
    json!({
        "requestContext": {
            "requestId": "1", "condition": "RecordAgeExceeded", "approximateInvokeCount": 70,
            "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:duewatch-prod-post-payment",
        },
        "version": "1.0",
        "DDBStreamBatchInfo": {"shardId": "shardId-1", "batchSize": records.len()},
        "payload": json!({ "Records": records }).to_string(),
    })
    .to_string()
}

#[tokio::test]
async fn a_batch_that_was_given_up_is_taken_from_its_file() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay("A-1", "P-1", "250.00").await;
    let text = failed_batch(&world.payment_records().await);
    for _ in 0..2 {
        let came = requeue(&world).failed_batch(Path::new("batch.json"), &text, drop).await.unwrap();
        assert_eq!(came, Requeued { taken: 1, left: 0 });
    }
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1"]);
    for (text, problem) in [
        ("nonsense".to_owned(), "expected"),
        (failed_batch(&[]), "payload: it holds no records"),
        (text.replace("duewatch-prod-post-payment", "somebody-elses"), "none of ours"),
    ] {
        let refused = requeue(&world).failed_batch(Path::new("batch.json"), &text, drop).await.unwrap_err();
        assert!(refused.to_string().starts_with("batch.json: "), "{refused}");
        assert!(refused.to_string().contains(problem), "{refused}");
    }
}
