//! Money: what is not in the payments table posts nothing, what is no money holds nothing, and what holds, holds for a
//! bounded time.

use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use duewatch_cli::import::past::PastEvents;
use duewatch_cli::import::{Portfolio, import};
use duewatch_cli::input::NumberedLine;
use duewatch_cli::requeue::{QuarantineScope, Requeue, Requeued};
use duewatch_domain::commands::Contract;
use duewatch_domain::formats::message_line;
use duewatch_domain::kernel::Revision;
use duewatch_handlers::Handlers;
use duewatch_stack::local_reference_keys;
use duewatch_testkit::{LIMIT, policy_text, stages};
use duewatch_tests::support::{
    NOTICING, REMINDING, STANDARD, World, contract, decisions, id, instant, message, payment_ids, post,
    take_in,
};
use rstest::rstest;
use serde_json::{Value, json};

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// The first instant of 9 October in Shanghai: five delinquent days, and a limited line.
const LIMITED_AT: &str = "2023-10-08T16:00:00Z";

fn requeue(world: &World) -> Requeue {
    Requeue::new(Handlers::over(local_reference_keys().unwrap(), |function| world.services(function)))
}

/// A file of failed records, as anybody can write one.
fn failed_batch(function: &str, records: &[Value]) -> String {
    json!({
        "requestContext": {
            "functionArn": format!("arn:aws:lambda:eu-central-1:123456789012:function:duewatch-prod-{function}"),
        },
        "payload": json!({ "Records": records }).to_string(),
    })
    .to_string()
}

/// A record of a payment that nobody made.
fn made_up(account_id: &str, payment_id: &str, amount: &str) -> Value {
    json!({
        "eventID": format!("forged-{payment_id}"), "eventName": "INSERT", "eventVersion": "1.1",
        "eventSource": "aws:dynamodb", "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_696_800_000, "SequenceNumber": "1", "SizeBytes": 100,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            "Keys": { "account_id": { "S": account_id }, "payment_id": { "S": payment_id } },
            "NewImage": {
                "account_id": { "S": account_id }, "payment_id": { "S": payment_id },
                "amount": { "S": amount }, "kind": { "S": "repayment" },
                "received_at": { "S": "2023-10-08T00:00:00Z" },
            },
        },
    })
}

async fn limited() -> World {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LIMITED_AT);
    world.sweep().await;
    assert_eq!(world.account("A-1").await.status.restrictions.len(), 1);
    world
}

#[tokio::test]
async fn a_hand_made_batch_file_clears_no_debt() {
    let world = limited().await;
    let before = world.account("A-1").await;
    let text = failed_batch("post-payment", &[made_up("A-1", "P-1", "250.00")]);
    let mut told = Vec::new();
    let came = requeue(&world).failed_batch(Path::new("made-up.json"), &text, |line| told.push(line)).await;
    assert_eq!(came.unwrap(), Requeued { taken: 0, left: 1 });
    assert!(told[0].contains("P-1 of account A-1 is not in the payments table"), "{told:?}");
    assert_eq!(world.account("A-1").await, before);
    let quarantined = world.quarantined().await;
    assert_eq!(quarantined.len(), 1);
    assert!(quarantined[0].reason.contains("not in the payments table"), "{quarantined:?}");
}

#[tokio::test]
async fn a_hand_made_stream_record_posts_nothing_and_an_image_is_not_believed() {
    let world = limited().await;
    let function = world.services(post_payment::NAME);
    assert!(post(&function, &[made_up("A-1", "P-1", "250.00")]).await.is_empty());
    assert_eq!(payment_ids(&world.account("A-1").await), Vec::<&str>::new());
    // One cent is in the table; the image says 250.00.
    world.pay("A-1", "P-2", "0.01").await;
    assert!(post(&function, &[made_up("A-1", "P-2", "250.00")]).await.is_empty());
    let account = world.account("A-1").await;
    assert_eq!(account.payments()[0].amount.to_string(), "0.01");
    assert_eq!(account.status.restrictions.len(), 1, "it is as late as before");
}

#[tokio::test]
async fn a_hand_made_payload_in_quarantine_posts_nothing() {
    let world = limited().await;
    let payload = json!({
        "account_id": "A-1", "payment_id": "P-1", "amount": "250.00", "received_at": "2023-10-08T00:00:00Z",
    });
    let record = duewatch_store::Quarantined {
        source: "reconcile-accounts".to_owned(),
        id: "A-1/P-1".to_owned(),
        reason: "none".to_owned(),
        payload: payload.to_string(),
        at: world.now() - TimeDelta::seconds(1),
        lacks_bytes: 0,
        sender_id: None,
    };
    world.store().quarantine(&record).await.unwrap();
    let scope = QuarantineScope { since: world.now().date_naive(), source: None };
    let came = requeue(&world).quarantine(scope, drop).await.unwrap();
    assert_eq!(came, Requeued { taken: 0, left: 1 });
    assert_eq!(payment_ids(&world.account("A-1").await), Vec::<&str>::new());
}

#[tokio::test]
async fn a_hand_made_revision_in_a_batch_file_enters_no_history() {
    let mut world = limited().await;
    let mut records = world.account_records().await;
    let came = |world: &World, records: &[Value]| {
        let (requeue, text) = (requeue(world), failed_batch("record-history", records));
        async move { Box::pin(requeue.failed_batch(Path::new("batch.json"), &text, drop)).await.unwrap() }
    };
    let genuine = records.clone();
    let last = records.last_mut().unwrap();
    last["dynamodb"]["NewImage"]["enforcement_off"] = json!({ "S": "an officer said so" });
    assert_eq!(came(&world, &records[1..]).await, Requeued { taken: 0, left: 1 });
    records.last_mut().unwrap()["dynamodb"]["NewImage"]["revision"] = json!({ "N": "7" });
    assert_eq!(came(&world, &records[1..]).await, Requeued { taken: 0, left: 1 });
    assert_eq!(world.store().history_head(&id("A-1")).await.unwrap(), None);
    assert_eq!(came(&world, &genuine).await, Requeued { taken: 2, left: 0 });
    assert_eq!(world.store().history_head(&id("A-1")).await.unwrap(), Some(Revision(2)));
}

#[rstest]
#[case::that_was_never_in_the_table(None, "A-1")]
#[case::of_another_amount(Some(json!({ "amount": "1.00" })), "A-1")]
#[case::of_another_currency(Some(json!({ "currency": "USD" })), "A-1")]
#[case::of_another_kind(Some(json!({ "kind": "goodwill" })), "A-1")]
#[case::that_cannot_be_read(Some(json!({ "amount": "a lot" })), "A-1")]
#[tokio::test]
async fn a_payment_in_an_account_that_the_table_does_not_state_is_not_believed_quietly(
    #[case] instead: Option<Value>,
    #[case] account_id: &str,
) {
    let mut world = World::at(OPENED_AT).await;
    world.open(account_id).await;
    world.pay_and_post(account_id, "P-1", "250.00").await;
    world.record_all().await;
    world.set("2023-09-02T00:00:00Z");
    assert_eq!(world.reconcile().await.unproven, 0);
    let mut item = world.payment(account_id, "P-1", "250.00");
    world.remove_payment(account_id, "P-1").await;
    if let Some(other) = instead {
        item.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        world.put_payment(&item).await;
    }
    for day in ["2023-09-03T00:00:00Z", "2023-09-04T00:00:00Z"] {
        world.set(day);
        drop(world.sent());
        let report = world.reconcile().await;
        assert_eq!(report.unproven, 1, "{report:?}");
        let told = world.sent_to("tickets");
        let is_told = told.iter().any(|sent| sent.body["subject"] == "unproven");
        assert!(is_told, "every day: {told:?}");
        assert_eq!(payment_ids(&world.account(account_id).await), ["P-1"], "nothing is taken away by itself");
    }
}

#[tokio::test]
async fn a_reversal_in_an_account_that_the_table_does_not_state_is_not_believed_quietly() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let plain = world.payment("A-1", "P-1", "250.00");
    let mut reversed = plain.clone();
    reversed["reversed_at"] = json!("2023-09-01T00:00:00Z");
    world.put_payment(&reversed).await;
    world.post_payments().await;
    world.record_all().await;
    world.set("2023-09-02T00:00:00Z");
    assert_eq!(world.reconcile().await.unproven, 0);
    world.put_payment(&plain).await;
    world.set("2023-09-03T00:00:00Z");
    assert_eq!(world.reconcile().await.unproven, 1);
}

#[tokio::test]
async fn payments_that_came_as_commands_or_before_their_account_raise_no_false_alarm() {
    let mut world = World::at(OPENED_AT).await;
    world.pay("A-1", "P-1", "10.00").await;
    world.post_payments().await;
    world.open("A-1").await;
    let paid =
        message("E-1", world.now(), "A-1", "payment_received", r#""payment_id":"P-2","amount":"20.00""#);
    let back =
        message("E-2", world.now(), "A-1", "payment_reversed", r#""payment_id":"P-2","amount":"5.00""#);
    for one in [&paid, &back] {
        assert!(take_in(&world.services(intake::NAME), &[("A-1", message_line(one))]).await.is_empty());
    }
    world.post_payments().await;
    world.set("2023-09-02T00:00:00Z");
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1", "P-2"]);
    assert_eq!(world.reconcile().await.unproven, 0);
}

#[tokio::test]
async fn money_dated_ahead_of_the_clock_settles_nothing_by_the_table() {
    let mut world = limited().await;
    let mut payment = world.payment("A-1", "P-1", "250.00");
    payment["received_at"] = json!("2199-01-01T00:00:00Z");
    world.put_payment(&payment).await;
    world.post_payments().await;
    assert_eq!(payment_ids(&world.account("A-1").await), Vec::<&str>::new());
    let quarantined = world.quarantined().await;
    assert!(quarantined[0].reason.contains("received_at: 2199-01-01"), "{quarantined:?}");
    // A reversal of that time takes nothing back either.
    world.pay_and_post("A-1", "P-2", "250.00").await;
    let mut reversed = world.payment("A-1", "P-2", "250.00");
    reversed["reversed_at"] = json!("2199-01-01T00:00:00Z");
    world.put_payment(&reversed).await;
    world.post_payments().await;
    let account = world.account("A-1").await;
    assert!(account.payments()[0].is_effective());
    assert_eq!(account.status.stage.as_str(), "current");
    // Nor do sweeps, reconciliation and requeue post it.
    world.set("2023-11-10T00:00:00Z");
    world.sweep().await;
    world.reconcile().await;
    let scope = QuarantineScope { since: "2023-10-01".parse().unwrap(), source: None };
    assert!(requeue(&world).quarantine(scope, drop).await.unwrap().left > 0);
    let account = world.account("A-1").await;
    assert_eq!(payment_ids(&account), ["P-2"]);
    assert!(!account.status.restrictions.is_empty(), "and it holds nothing");
}

#[tokio::test]
async fn money_dated_ahead_of_the_clock_settles_nothing_by_the_queue() {
    let world = limited().await;
    let ahead = message(
        "E-1",
        instant("2199-01-01T00:00:00Z"),
        "A-1",
        "payment_received",
        r#""payment_id":"P-1","amount":"250.00""#,
    );
    assert!(take_in(&world.services(intake::NAME), &[("A-1", message_line(&ahead))]).await.is_empty());
    assert_eq!(world.quarantined().await.len(), 1);
    assert!(world.store().payments_of(&id("A-1")).await.unwrap().is_empty());
}

/// Days from 9 October on which a sweep an hour leaves A-1 without its restriction, of `days` days.
async fn held_days(world: &World, days: i64) -> i64 {
    let mut held = 0;
    for day in 0..days {
        let mut is_held = true;
        for hour in 0..24 {
            let at = instant(LIMITED_AT) + TimeDelta::days(day) + TimeDelta::hours(hour);
            world.stack.clock().set(at);
            world.sweep().await;
            is_held &= world.account("A-1").await.status.restrictions.is_empty();
        }
        held += i64::from(is_held);
    }
    held
}

async fn cent_of_another_currency(world: &World, payment_id: &str) {
    let mut cent = world.payment("A-1", payment_id, "0.01");
    cent["currency"] = json!("USD");
    world.put_payment(&cent).await;
}

#[tokio::test]
async fn a_cent_of_another_currency_does_not_hold_a_restriction_for_ever() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LIMITED_AT);
    cent_of_another_currency(&world, "X-1").await;
    assert_eq!(held_days(&world, 6).await, 3);
    let account = world.account("A-1").await;
    assert_eq!(decisions(&account), ["current > limited +limit_credit_line"]);
    let decided = account.recent_decisions()[0].at;
    assert_eq!(
        decided,
        instant(LIMITED_AT) + TimeDelta::days(3),
        "it is not dated back to a day on which it was held"
    );
}

#[tokio::test]
async fn a_cent_a_day_holds_no_longer_than_one_cent() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let mut held = 0;
    for day in 0..8 {
        world.stack.clock().set(instant(LIMITED_AT) + TimeDelta::days(day));
        cent_of_another_currency(&world, &format!("X-{day}")).await;
        world.sweep().await;
        held += i64::from(world.account("A-1").await.status.restrictions.is_empty());
    }
    assert_eq!(held, 3);
}

#[tokio::test]
async fn another_episode_has_days_of_its_own() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LIMITED_AT);
    cent_of_another_currency(&world, "X-1").await;
    assert_eq!(held_days(&world, 4).await, 3);
    world.pay_and_post("A-1", "P-1", "250.00").await;
    assert_eq!(world.account("A-1").await.status.holds, duewatch_domain::account::HoldUse::default());
    // The second installment, due on 1 November, restricts on the 9th.
    world.set("2023-11-09T00:00:00Z");
    world.sweep().await;
    let account = world.account("A-1").await;
    assert_eq!((account.status.restrictions.len(), account.status.holds.money_days), (0, 1));
}

#[rstest]
#[case::reversed(json!({ "currency": "USD", "reversed_at": "2023-10-08T00:00:00Z" }))]
#[case::of_nothing(json!({ "amount": "0.00" }))]
#[case::of_less_than_nothing(json!({ "amount": "-40.00" }))]
#[case::of_no_amount(json!({ "amount": "a lot" }))]
#[case::of_a_time_to_come(json!({ "received_at": "2199-01-01T00:00:00Z" }))]
#[case::unreadable_and_of_a_time_to_come(json!({ "kind": "gift", "received_at": "2199-01-01T00:00:00Z" }))]
#[tokio::test]
async fn a_payment_that_is_no_money_holds_nothing(#[case] fields: Value) {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LIMITED_AT);
    let mut payment = world.payment("A-1", "P-1", "40.00");
    payment.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    world.put_payment(&payment).await;
    assert_eq!(world.sweep().await.held, 0);
    assert_eq!(world.account("A-1").await.status.restrictions.len(), 1);
}

/// A policy under which all holds together last seven days, money two of them.
fn bounded() -> String {
    let tables = "dispute = { holds_days = 5 }\nholds = { at_most_days = 7, hold_days = 2 }";
    policy_text("bounded", tables, &stages(&[("limited", "days_past_due = 8", LIMIT)]))
}

#[tokio::test]
async fn disputes_and_money_one_after_another_hold_no_longer_than_the_policy_allows() {
    let world = World::at(OPENED_AT).await;
    world.publish(&bounded()).await;
    world.open_under("bounded", "A-1").await;
    let services = world.services(intake::NAME);
    let mut held = 0;
    for day in -1..20 {
        world.stack.clock().set(instant(LIMITED_AT) + TimeDelta::days(day) + TimeDelta::hours(12));
        cent_of_another_currency(&world, &format!("X-{day}")).await;
        let number = day + 1;
        // Each day the last dispute is taken back, and another one opened.
        for (kind, event, fields) in [
            ("dispute_closed", "C", format!(r#""dispute_id":"D-{}","outcome":"withdrawn""#, number - 1)),
            ("dispute_opened", "O", format!(r#""dispute_id":"D-{number}","reason":"no""#)),
        ] {
            let said = message(&format!("{event}-{number}"), world.now(), "A-1", kind, &fields);
            assert!(take_in(&services, &[("A-1", message_line(&said))]).await.is_empty());
        }
        world.sweep().await;
        held += i64::from(day >= 0 && world.account("A-1").await.status.restrictions.is_empty());
    }
    assert!((1..=7).contains(&held), "{held} days");
    assert_eq!(world.account("A-1").await.status.restrictions.len(), 1);
}

fn rows(contract: Contract) -> Vec<NumberedLine<Contract>> {
    vec![NumberedLine { line: 1, value: contract }]
}

/// Imports A-1 with its past, as the command does.
async fn imported(world: &World, policy_id: &str, events: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    std::fs::write(&path, events).unwrap();
    let accounts = rows(contract(policy_id, "A-1"));
    let past = PastEvents::read(&path, &accounts, world.now()).map_err(|error| error.to_string())?;
    let book = Portfolio { past, ..Portfolio::new(Path::new("book.jsonl"), accounts) };
    let services = world.services(intake::NAME);
    let done = import(&services.transitions, book, None, world.now(), false).await;
    done.map(drop).map_err(|error| error.to_string())
}

const PAID: &str = r#"{"at":"2023-10-01T02:00:00Z","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"250.00"}
{"at":"2023-10-03T02:00:00Z","type":"payment_received","account_id":"A-1","payment_id":"P-2","amount":"10.00"}
{"at":"2023-10-04T02:00:00Z","type":"payment_reversed","account_id":"A-1","payment_id":"P-2"}
"#;

#[rstest]
#[case::reminded_by(REMINDING)]
#[case::noticed_by(NOTICING)]
#[tokio::test]
async fn a_book_that_is_taken_over_blames_no_outage_and_decides_nothing_in_the_past(#[case] policy_id: &str) {
    let mut world = World::at("2023-11-20T04:00:00Z").await;
    imported(&world, policy_id, PAID).await.unwrap();
    let account = world.account("A-1").await;
    assert_eq!(payment_ids(&account), ["P-1", "P-2"]);
    assert!(account.recent_decisions().iter().all(|decision| decision.at >= world.now()), "{account:?}");
    let stated = world.store().payments_of(&id("A-1")).await.unwrap();
    assert_eq!(stated.len(), 2, "reconciliation finds them");
    world.post_payments().await;
    world.send_all().await;
    for at in ["2023-11-20T05:00:00Z", "2023-11-21T04:00:00Z"] {
        world.set(at);
        world.sweep().await;
        world.send_all().await;
        world.sweep_contacts().await;
    }
    for sent in world.sent() {
        let text = sent.body.to_string();
        assert!(!text.contains("out of service") && !text.contains("\u{7cfb}\u{7edf}"), "{text}");
        assert_ne!(sent.body["data"]["kind"], "payment_parked", "{text}");
    }
    world.set("2023-11-22T04:00:00Z");
    assert_eq!(world.reconcile().await.unproven, 0);
}

#[tokio::test]
async fn a_book_that_is_imported_twice_pays_once() {
    let mut world = World::at("2023-11-20T04:00:00Z").await;
    imported(&world, STANDARD, PAID).await.unwrap();
    let once = world.account("A-1").await;
    imported(&world, STANDARD, PAID).await.unwrap();
    world.post_payments().await;
    assert_eq!(world.account("A-1").await, once);
}

#[rstest]
#[case::a_time_to_come(r#"{"at":"2199-01-01T00:00:00Z","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"250.00"}"#, "later than now")]
#[case::another_account(r#"{"at":"2023-10-01T00:00:00Z","type":"payment_received","account_id":"A-2","payment_id":"P-1","amount":"250.00"}"#, "not in the book")]
#[case::no_payment(r#"{"at":"2023-10-01T00:00:00Z","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"-1.00"}"#, "not more than zero")]
#[tokio::test]
async fn a_past_that_cannot_have_been_is_not_taken_over(#[case] event: &str, #[case] problem: &str) {
    let world = World::at("2023-11-20T04:00:00Z").await;
    let refused = imported(&world, STANDARD, event).await.unwrap_err();
    assert!(refused.contains("events.jsonl:1: ") && refused.contains(problem), "{refused}");
    assert!(world.store().payments_of(&id("A-1")).await.unwrap().is_empty(), "no money is left behind");
    assert!(world.store().account(&id("A-1")).await.unwrap().is_none());
}

/// Quarantines records of junk, many pages of them.
async fn much_junk(world: &World, records: usize) {
    let record = |number: usize| duewatch_store::Quarantined {
        source: "intake".to_owned(),
        id: format!("junk-{number:04}"),
        reason: "no".to_owned(),
        payload: "x".repeat(200_000),
        at: world.now() - TimeDelta::seconds(1),
        lacks_bytes: 0,
        sender_id: None,
    };
    for number in 0..records {
        world.store().quarantine(&record(number)).await.unwrap();
    }
}

#[tokio::test]
async fn junk_in_quarantine_hides_no_record_behind_it() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set("2023-09-02T00:00:01Z");
    much_junk(&world, 12).await;
    world.pay_and_post("A-1", "P-1", "-1.00").await;
    world.set("2023-09-02T00:00:02Z");
    let scope = QuarantineScope { since: "2023-09-01".parse().unwrap(), source: None };
    let mut listed = Vec::new();
    assert_eq!(requeue(&world).list(scope, |line| listed.push(line)).await.unwrap(), 13);
    let last = listed.last().unwrap();
    assert!(last.contains("post-payment") && last.contains("account A-1: "), "{last}");
    let ids: Vec<String> = (0..12).map(|number| format!("junk-{number:04}")).collect();
    let dropped = requeue(&world).drop_records(scope, &ids, "junk of a test", drop).await.unwrap();
    assert_eq!(dropped, 12);
    assert_eq!(requeue(&world).list(scope, drop).await.unwrap(), 1);
    let noted = world.records("dropped#2023-09-02", "intake#").await;
    assert_eq!(noted.len(), 12);
    assert_eq!(noted[0]["dropped_because"], AttributeValue::S("junk of a test".to_owned()));
    assert_eq!(noted[0]["payload"], AttributeValue::S(String::new()), "it may name people");
    let missing = requeue(&world).drop_records(scope, &ids[..1], "again", drop).await.unwrap_err();
    assert!(missing.to_string().starts_with("junk-0000: no such record"), "{missing}");
}

#[tokio::test]
async fn a_mostly_poisoned_batch_keeps_back_no_payment() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay("A-1", "P-1", "250.00").await;
    let mut records = world.payment_records().await;
    records.extend((0..11).map(|number| made_up("A-1", &format!("F-{number}"), "1.00")));
    assert!(!world.post(&records).await.is_empty(), "the function refuses the batch");
    let text = failed_batch("post-payment", &records);
    let came = requeue(&world).failed_batch(Path::new("batch.json"), &text, drop).await.unwrap();
    assert_eq!(came, Requeued { taken: 1, left: 11 });
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1"]);
    assert_eq!(world.quarantined().await.len(), 11);
}

#[tokio::test]
async fn a_long_message_in_quarantine_is_not_cut() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    // The message comes before the account that it is about.
    let note = "\u{5ba2}".repeat(290_000);
    let paused =
        message("E-1", world.now(), "A-2", "pause_started", r#""from":"2023-11-01","until":"2023-11-08""#);
    let body = message_line(&paused).replacen('{', &format!(r#"{{"note":"{note}","#), 1);
    assert!(body.len() > 850_000);
    assert!(take_in(&world.services(intake::NAME), &[("A-2", body.clone())]).await.is_empty());
    let quarantined = world.quarantined().await;
    assert_eq!((quarantined.len(), quarantined[0].lacks_bytes), (1, 0));
    assert!(quarantined[0].payload == body, "it is kept whole");
    assert_eq!(world.store().count_quarantined(world.now().date_naive()).await.unwrap(), 1);
    world.store().release(&quarantined[0]).await.unwrap();
    assert!(world.records(&format!("quarantine#{}", world.now().date_naive()), "").await.is_empty());
    // Beyond all bounds it says so, and is not requeued.
    let too_long = duewatch_store::Quarantined { payload: "x".repeat(3_000_000), ..quarantined[0].clone() };
    world.store().quarantine(&too_long).await.unwrap();
    world.set("2023-09-01T00:00:01Z");
    let mut told = Vec::new();
    let scope = QuarantineScope { since: world.now().date_naive(), source: None };
    let came = requeue(&world).quarantine(scope, |line| told.push(line)).await.unwrap();
    assert_eq!(came, Requeued { taken: 0, left: 1 });
    assert!(told[0].contains("cannot be requeued"), "{}", told[0].len());
}
