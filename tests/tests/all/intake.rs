//! Messages of the lender's systems are taken once, in order, or quarantined with a reason.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use duewatch_app::Deadline;
use duewatch_domain::InboundMessage;
use duewatch_domain::formats::{book_line, message_line};
use duewatch_domain::kernel::{Actor, ActorKind, Revision};
use duewatch_tests::interrupt::Interrupt;
use duewatch_tests::support::{STANDARD, World, contract, id, message, post, sample, take_in, take_messages};
use intake::SenderMap;
use rstest::rstest;
use serde_json::{Value, json};

const NOW: &str = "2023-10-05T01:00:00Z";

fn at(minutes: i64) -> DateTime<Utc> {
    NOW.parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

async fn world() -> World {
    let world = World::at(NOW).await;
    world.open("A-1").await;
    world
}

/// Delivers the new records of the payments stream to `post-payment`.
async fn post_new(world: &mut World) {
    let records = world.payment_records().await;
    assert!(post(&world.services(post_payment::NAME), &records).await.is_empty());
}

fn installment(number: u32) -> String {
    format!(r#""installment":{{"number":{number},"due_on":"2024-06-01","principal":"10.00"}}"#)
}

#[tokio::test]
async fn each_message_is_one_revision_and_sent_again_it_is_none() {
    let world = world().await;
    let services = world.services(intake::NAME);
    let before = world.account("A-1").await.revision;
    let messages = [
        message("E-1", at(-2), "A-1", "installment_added", &installment(11)),
        message("E-2", at(-1), "A-1", "pause_started", r#""from":"2023-10-05","until":"2023-10-12""#),
        message("E-3", at(0), "A-1", "enforcement_off", r#""reason":"court order""#),
    ];
    assert!(take_messages(&services, &messages).await.is_empty());
    let taken = world.account("A-1").await;
    assert_eq!(taken.revision, Revision(before.0 + 3));
    assert_eq!((taken.installments().len(), taken.pauses().len(), taken.is_enforced()), (5, 1, false));
    for _ in 0..2 {
        assert!(take_messages(&services, &messages).await.is_empty());
    }
    assert_eq!(world.account("A-1").await, taken);
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn an_account_is_opened_by_message_and_its_money_that_came_before_is_posted() {
    let mut world = World::at(NOW).await;
    world.pay("A-7", "P-1", "250.00").await;
    post_new(&mut world).await;
    assert_eq!(world.store().suspense_of(&id("A-7")).await.unwrap(), ["P-1"]);
    let account = book_line(&contract(STANDARD, "A-7"));
    let opened = message("E-1", at(0), "A-7", "account_opened", &format!(r#""account":{account}"#));
    for _ in 0..2 {
        assert!(take_messages(&world.services(intake::NAME), std::slice::from_ref(&opened)).await.is_empty());
    }
    let account = world.account("A-7").await;
    assert_eq!(account.payments().len(), 1);
    assert!(world.store().suspense_of(&id("A-7")).await.unwrap().is_empty());
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn money_that_comes_by_message_goes_into_the_payments_table_and_by_its_stream() {
    let mut world = world().await;
    let services = world.services(intake::NAME);
    let paid = message("E-1", at(0), "A-1", "payment_received", r#""payment_id":"P-1","amount":"250.00""#);
    for _ in 0..2 {
        assert!(take_messages(&services, std::slice::from_ref(&paid)).await.is_empty());
    }
    assert!(world.account("A-1").await.payments().is_empty(), "the stream posts it");
    post_new(&mut world).await;
    assert_eq!(world.account("A-1").await.payments().len(), 1);

    let other = message("E-2", at(1), "A-1", "payment_received", r#""payment_id":"P-1","amount":"9.00""#);
    assert!(take_messages(&services, &[other]).await.is_empty());
    assert_eq!(reasons(&world).await.len(), 1, "another payment under its id is set aside");
    post_new(&mut world).await;
    assert_eq!(world.account("A-1").await.payments()[0].amount.to_string(), "250.00");

    let reversed = |payment: &str| {
        message("E-3", at(2), "A-1", "payment_reversed", &format!(r#""payment_id":"{payment}""#))
    };
    assert!(take_messages(&services, &[reversed("P-1"), reversed("P-9")]).await.is_empty());
    post_new(&mut world).await;
    assert!(world.account("A-1").await.payments()[0].reversals.len() == 1);
    assert_eq!(reasons(&world).await.len(), 2, "one of a payment that never came is set aside");
}

async fn reasons(world: &World) -> Vec<String> {
    world.quarantined().await.into_iter().map(|one| one.reason).collect()
}

#[rstest]
#[case::no_json("A-1", "nonsense".to_owned(), "no JSON object")]
#[case::no_id("A-1", message_body(|body| drop(body.as_object_mut().unwrap().remove("event_id"))), "missing field `event_id`")]
#[case::unknown_type("A-1", message_body(|body| body["type"] = json!("forgiven")), "type: \"forgiven\" is no event type")]
#[case::unknown_field("A-1", message_body(|body| body["extra"] = json!(1)), "unknown field `extra`")]
#[case::no_offset("A-1", message_body(|body| body["at"] = json!("2023-10-05T01:00:00")), "at: ")]
#[case::in_another_group("A-2", message_body(|_| ()), "MessageGroupId: \"A-2\" is not the account_id")]
#[case::of_next_year("A-1", message_body(|body| body["at"] = json!("2024-10-05T01:00:00Z")), "at: 2024-10-05 01:00:00 UTC is later than now")]
#[case::no_account("A-9", message_body(|body| body["account_id"] = json!("A-9")), "account_id: A-9 is not known")]
#[case::refused("A-1", message_body(|body| body["number"] = json!(77)), "number: the account has no installment 77")]
#[case::too_large("A-1", message_body(|body| body["reason"] = json!("x".repeat(1_100_000))), "at most 1048576 are read")]
#[tokio::test]
async fn what_cannot_be_taken_is_quarantined_with_its_reason_and_the_rest_is_taken(
    #[case] group: &str,
    #[case] body: String,
    #[case] reason: &str,
) {
    let world = world().await;
    let good = message_line(&message("E-9", at(0), "A-1", "enforcement_off", r#""reason":"court""#));
    let failed = take_in(&world.services(intake::NAME), &[(group, body.clone()), ("A-1", good)]).await;
    assert!(failed.is_empty(), "{failed:?}");
    let aside = world.quarantined().await;
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert!(aside[0].reason.contains(reason), "{}", aside[0].reason);
    assert!(body.starts_with(&aside[0].payload), "its payload is kept, up to what an item holds");
    assert!(!world.account("A-1").await.is_enforced(), "the other one was taken");
}

/// A valid message, after a change.
fn message_body(change: impl FnOnce(&mut Value)) -> String {
    let mut body = json!({
        "event_id": "E-1", "at": NOW, "type": "installment_adjusted", "account_id": "A-1",
        "number": 1, "amount": "1.00", "reason": "agreed",
    });
    change(&mut body);
    body.to_string()
}

#[tokio::test]
async fn a_message_that_was_overtaken_is_quarantined() {
    let world = world().await;
    let messages = [
        message("E-2", at(-1), "A-1", "installment_added", &installment(12)),
        message("E-1", at(-2), "A-1", "installment_added", &installment(11)),
    ];
    assert!(take_messages(&world.services(intake::NAME), &messages).await.is_empty());
    let numbers: Vec<_> = world
        .account("A-1")
        .await
        .installments()
        .iter()
        .filter_map(|one| one.number())
        .map(|one| one.0)
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4, 12]);
    assert!(reasons(&world).await[0].contains("out of order"));
}

#[tokio::test]
async fn when_one_fails_those_of_its_account_wait_and_those_of_others_do_not() {
    let world = world().await;
    world.open("A-2").await;
    let accounts = &world.store().tables().accounts;
    let down = Interrupt::failing("GetItem", accounts, 1).about("A-1");
    let services = world.services_interrupted(intake::NAME, down);
    let messages = [
        message("E-1", at(-2), "A-1", "installment_added", &installment(11)),
        message("E-2", at(-1), "A-1", "installment_added", &installment(12)),
        message("E-3", at(0), "A-2", "installment_added", &installment(11)),
    ];
    assert_eq!(take_messages(&services, &messages).await, ["m-0", "m-1"]);
    assert_eq!(world.account("A-1").await.installments().len(), 4);
    assert_eq!(world.account("A-2").await.installments().len(), 5);
    assert!(take_messages(&services, &messages[..2]).await.is_empty());
    assert_eq!(world.account("A-1").await.installments().len(), 6);
}

async fn customer(world: &World) -> Vec<(String, Value)> {
    let answer = world
        .client()
        .query()
        .table_name(&world.store().tables().records)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", AttributeValue::S("customer#C-1".to_owned()))
        .send()
        .await
        .unwrap();
    answer
        .items()
        .iter()
        .map(|item| {
            let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
            let shown = ["contact_point", "from_contact_point", "to_contact_point", "changed_by", "by"];
            let shown = shown.into_iter().filter_map(|name| Some((name.to_owned(), text(name)?.into())));
            (text("sk").unwrap_or_default(), Value::Object(shown.collect()))
        })
        .collect()
}

#[tokio::test]
async fn a_contact_point_is_the_customers_and_every_change_of_it_is_logged() {
    let world = world().await;
    let services = world.services(intake::NAME);
    let first = message(
        "E-1",
        at(-2),
        "A-1",
        "contact_changed",
        r#""channel":"sms","contact_point":"+8613800138000","name":"Li Wei","changed_by":"branch-7""#,
    );
    let gone =
        message("E-2", at(-1), "A-1", "contact_changed", r#""channel":"sms","changed_by":"the customer""#);
    for _ in 0..2 {
        assert!(take_messages(&services, &[first.clone(), gone.clone()]).await.is_empty());
    }
    let before = world.account("A-1").await.revision;
    assert_eq!(
        customer(&world).await,
        [
            ("account#A-1".to_owned(), json!({})),
            // It seals the customer's texts in the archive.
            ("archive-key".to_owned(), json!({})),
            ("contact#sms".to_owned(), json!({"changed_by": "the customer"})),
            (
                "contact-log#2023-10-05T00:58:00.000000000Z#E-1".to_owned(),
                json!({"to_contact_point": "+8613800138000", "by": "branch-7"}),
            ),
            (
                "contact-log#2023-10-05T00:59:00.000000000Z#E-2".to_owned(),
                json!({"from_contact_point": "+8613800138000", "by": "the customer"}),
            ),
            // The profile knows which channels have a contact point, and no contact point itself.
            ("person".to_owned(), json!({})),
        ]
    );
    assert_eq!(world.account("A-1").await.revision, before, "the account holds none of it");
    let older = message(
        "E-3",
        at(-5),
        "A-1",
        "contact_changed",
        r#""channel":"sms","contact_point":"+8613800138001","changed_by":"branch-7""#,
    );
    assert!(take_messages(&services, &[older]).await.is_empty());
    assert!(reasons(&world).await[0].contains("out of order"), "{:?}", reasons(&world).await);
}

#[tokio::test]
async fn intake_takes_its_samples() {
    let world = world().await;
    for name in ["intake.queue.json", "intake.drawn.queue.json", "intake.drawn.queue.json"] {
        let event = serde_json::from_value(sample(name)).unwrap();
        let response =
            intake::handle(&world.services(intake::NAME), &SenderMap::default(), event, Deadline::none())
                .await;
        assert!(response.batch_item_failures.is_empty());
    }
    let account = world.account("A-1").await;
    assert_eq!((account.pauses().len(), account.draws().len(), account.installments().len()), (1, 1, 6));
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn what_is_sent_to_the_queue_is_taken_in_order_by_the_whole_stack() {
    let mut world = world().await;
    for (number, minutes) in [(11, -3), (12, -2), (13, -1)] {
        let sent =
            message(&format!("E-{number}"), at(minutes), "A-1", "installment_added", &installment(number));
        world.stack.send_to_intake(&sent).await.unwrap();
        world.stack.send_to_intake(&sent).await.unwrap();
    }
    world.stack.drain().await.unwrap();
    assert_eq!(world.account("A-1").await.installments().len(), 7);
    assert_eq!(world.stack.given_up().count(), 0);
    assert_eq!(world.quarantined().await, []);
}

/// A message that an officer sends at the desk.
fn of_desk(message: InboundMessage) -> InboundMessage {
    InboundMessage {
        source: "desk".parse().unwrap(),
        actor: Actor { kind: ActorKind::Officer, id: "officer-7".parse().unwrap() },
        ..message
    }
}

#[tokio::test]
async fn the_lenders_message_that_arrives_after_an_officers_later_one_is_applied() {
    let world = World::at("2023-10-05T12:00:05Z").await;
    world.open("A-1").await;
    let services = world.services(intake::NAME);
    let instant = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let (lender_at, officer_at) = (instant("2023-10-05T12:00:00Z"), instant("2023-10-05T12:00:01Z"));
    let officer = of_desk(message("E-1", officer_at, "A-1", "enforcement_off", r#""reason":"a complaint""#));
    let lender =
        message("E-1", lender_at, "A-1", "pause_started", r#""from":"2023-10-05","until":"2023-10-12""#);
    let before = world.account("A-1").await.revision;
    for _ in 0..2 {
        assert!(take_messages(&services, &[officer.clone(), lender.clone()]).await.is_empty());
    }
    let account = world.account("A-1").await;
    assert_eq!((account.is_enforced(), account.pauses().len()), (false, 1));
    assert_eq!(account.revision, Revision(before.0 + 2), "the repetition is none");
    assert_eq!(world.quarantined().await, []);

    // Its own source's earlier one is out of order, and one whose target is gone is refused.
    let older = of_desk(message("E-2", lender_at, "A-1", "enforcement_on", r#""reason":"answered""#));
    let gone = of_desk(message("E-3", officer_at, "A-1", "pause_ended", r#""on":"2023-10-05""#));
    let late = message("E-4", lender_at, "A-1", "pause_ended", r#""on":"2023-10-06""#);
    assert!(take_messages(&services, &[older, gone, late]).await.is_empty());
    let reasons = reasons(&world).await;
    assert!(reasons.iter().any(|reason| reason.contains("out of order")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("no pause holds on 2023-10-06")), "{reasons:?}");
    assert_eq!(reasons.len(), 2, "{reasons:?}");
}

#[tokio::test]
async fn a_contact_point_follows_each_source_in_its_order_and_the_sources_as_they_arrive() {
    let world = world().await;
    let services = world.services(intake::NAME);
    let change = |event_id: &str, minutes: i64, number: &str| {
        let fields = format!(r#""channel":"sms","contact_point":"+86138001380{number}","changed_by":"x""#);
        message(event_id, at(minutes), "A-1", "contact_changed", &fields)
    };
    let officer = of_desk(change("E-1", -1, "01"));
    let lender = change("E-1", -2, "02");
    for _ in 0..2 {
        assert!(take_messages(&services, &[officer.clone(), lender.clone()]).await.is_empty());
    }
    assert_eq!(world.quarantined().await, []);
    let older = [change("E-2", -3, "03"), of_desk(change("E-3", -2, "04"))];
    assert!(take_messages(&services, &older).await.is_empty());
    let reasons = reasons(&world).await;
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons.iter().all(|reason| reason.contains("out of order")), "{reasons:?}");
    let keys: Vec<String> = customer(&world).await.into_iter().map(|(key, _)| key).collect();
    let log: Vec<&String> = keys.iter().filter(|key| key.starts_with("contact-log#")).collect();
    assert_eq!(
        log,
        [
            "contact-log#2023-10-05T00:58:00.000000000Z#E-1",
            "contact-log#2023-10-05T00:59:00.000000000Z@4:desk#E-1",
        ]
    );
    let point = world
        .client()
        .get_item()
        .table_name(&world.store().tables().records)
        .key("pk", AttributeValue::S("customer#C-1".to_owned()))
        .key("sk", AttributeValue::S("contact#sms".to_owned()))
        .send()
        .await
        .unwrap();
    let point = point.item().unwrap();
    assert_eq!(point["contact_point"], AttributeValue::S("+8613800138002".to_owned()), "the last to arrive");
    assert_eq!(point["changed_at"], AttributeValue::S("2023-10-05T00:58:00.000000000Z".to_owned()));
}

/// The messages that each entry of the account's history names, in the order of the revisions.
async fn messages_in_history(world: &mut World) -> Vec<Value> {
    let records = world.account_records().await;
    assert!(world.record(&records).await.is_empty());
    let entries = world.history("A-7").await;
    let entry = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    entries.iter().map(|one| entry(&one.entry).get("messages").cloned().unwrap_or_default()).collect()
}

async fn payment_item(world: &World) -> HashMap<String, AttributeValue> {
    let item = world
        .client()
        .get_item()
        .table_name(&world.store().tables().payments)
        .key("account_id", AttributeValue::S("A-7".to_owned()))
        .key("payment_id", AttributeValue::S("P-1".to_owned()))
        .send()
        .await
        .unwrap();
    item.item.unwrap()
}

/// The opening, a payment and its reversal, as the lender's own system sends them of its own accord.
fn opened_paid_and_reversed() -> [InboundMessage; 3] {
    let account = book_line(&contract(STANDARD, "A-7"));
    [
        message("E-1", at(-2), "A-7", "account_opened", &format!(r#""account":{account}"#)),
        message("E-2", at(-1), "A-7", "payment_received", r#""payment_id":"P-1","amount":"250.00""#),
        message("E-3", at(0), "A-7", "payment_reversed", r#""payment_id":"P-1""#),
    ]
}

/// Delivers each message twice to `intake`, and the stream of payments to `post-payment`.
async fn take_one_by_one(world: &mut World, messages: impl IntoIterator<Item = InboundMessage>) {
    for message in messages {
        for _ in 0..2 {
            let failed = take_messages(&world.services(intake::NAME), std::slice::from_ref(&message)).await;
            assert!(failed.is_empty());
        }
        post_new(world).await;
    }
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn the_history_names_who_opened_an_account_and_who_stated_its_money() {
    let mut world = World::at(NOW).await;
    take_one_by_one(&mut world, opened_paid_and_reversed().map(of_desk)).await;
    let officer = json!({ "kind": "officer", "id": "officer-7" });
    let named = |event_id: &str, kind: &str| json!({ "event_id": event_id, "type": kind, "source": "desk", "actor": officer, "sender_id": "local" });
    let of_money = |event_id: &str, kind: &str| {
        let mut named = named(event_id, kind);
        named["payment_id"] = json!("P-1");
        named
    };
    let expected = [
        json!([named("E-1", "account_opened")]),
        json!([of_money("E-2", "payment_received")]),
        json!([of_money("E-3", "payment_reversed")]),
    ];
    assert_eq!(messages_in_history(&mut world).await, expected);
    let item = payment_item(&world).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for (name, value) in
        [("event_id", "E-2"), ("source", "desk"), ("reversal_event_id", "E-3"), ("reversal_source", "desk")]
    {
        assert_eq!(item[name], text(value), "{name}");
    }
    for name in ["actor", "reversal_actor"] {
        let actor = item[name].as_m().unwrap();
        assert_eq!((&actor["kind"], &actor["id"]), (&text("officer"), &text("officer-7")), "{name}");
    }
    // Another reversal under another id changes nothing, and the first one's origin stays.
    let other = message("E-4", at(0), "A-7", "payment_reversed", r#""payment_id":"P-1""#);
    take_one_by_one(&mut world, [of_desk(other.clone()), other]).await;
    assert_eq!(payment_item(&world).await, item);
}

#[tokio::test]
async fn commands_that_name_no_sender_are_in_the_history_all_the_same() {
    let mut world = World::at(NOW).await;
    take_one_by_one(&mut world, opened_paid_and_reversed()).await;
    let account = world.account("A-7").await;
    assert!(account.recent_messages().is_empty());
    let payment = &account.payments()[0];
    for (origin, event_id) in [(&payment.origin, "E-2"), (&payment.reversals[0].origin, "E-3")] {
        let origin = origin.as_ref().unwrap();
        assert_eq!(origin.event_id.as_ref().unwrap().as_str(), event_id);
        assert_eq!(origin.sender_id.as_ref().unwrap().as_str(), "local");
    }
    let mut attributes: Vec<String> = payment_item(&world).await.into_keys().collect();
    attributes.sort_unstable();
    let stated = ["event_id", "reversal_event_id", "reversal_sender_id", "sender_id"];
    assert!(stated.iter().all(|name| attributes.iter().any(|one| one == name)), "{attributes:?}");
    assert!(
        !attributes.iter().any(|name| name.contains("source") || name.contains("actor")),
        "{attributes:?}"
    );
    let core = json!({ "kind": "system", "id": "core" });
    let entry = |event_id: &str, kind: &str| json!({ "event_id": event_id, "type": kind, "source": "core", "actor": core, "sender_id": "local" });
    let of_money = |event_id: &str, kind: &str| {
        let mut entry = entry(event_id, kind);
        entry["payment_id"] = json!("P-1");
        json!([entry])
    };
    let expected = [
        json!([entry("E-1", "account_opened")]),
        of_money("E-2", "payment_received"),
        of_money("E-3", "payment_reversed"),
    ];
    assert_eq!(messages_in_history(&mut world).await, expected);
}

#[tokio::test]
async fn a_payment_system_may_name_who_acts_and_what_cannot_be_read_of_it_holds_no_money() {
    let mut world = World::at(NOW).await;
    let [opened, ..] = opened_paid_and_reversed();
    take_one_by_one(&mut world, [opened]).await;
    for (payment_id, source, actor) in [
        ("P-1", AttributeValue::S("one-pay".to_owned()), AttributeValue::S("Li Wei".to_owned())),
        ("P-2", AttributeValue::N("7".to_owned()), AttributeValue::Null(true)),
    ] {
        world.pay("A-7", payment_id, "1.00").await;
        world
            .client()
            .update_item()
            .table_name(&world.store().tables().payments)
            .key("account_id", AttributeValue::S("A-7".to_owned()))
            .key("payment_id", AttributeValue::S(payment_id.to_owned()))
            .update_expression("SET #source = :source, #actor = :actor")
            .expression_attribute_names("#source", "source")
            .expression_attribute_names("#actor", "actor")
            .expression_attribute_values(":source", source)
            .expression_attribute_values(":actor", actor)
            .send()
            .await
            .unwrap();
    }
    let mut records = world.payment_records().await;
    // Each stream record bears the item as it was then: the last of each is the whole one.
    records.reverse();
    assert!(post(&world.services(post_payment::NAME), &records).await.is_empty());
    assert_eq!(world.account("A-7").await.payments().len(), 2);
    assert_eq!(world.quarantined().await, []);
    // The first entry names the opening.
    let named = messages_in_history(&mut world).await.split_off(1);
    let expected = json!([{
        "type": "payment_received", "payment_id": "P-1", "source": "one-pay",
        "actor": { "kind": "system", "id": "one-pay" },
    }]);
    assert_eq!(named.into_iter().filter(|one| !one.is_null()).collect::<Vec<_>>(), [expected]);
}
