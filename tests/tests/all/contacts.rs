//! Contacts pass the gate: one message a borrower and channel, counted before it leaves, and never lost.

use duewatch_app::EvaluationReport;
use duewatch_domain::contact::GateReason;
use duewatch_notify::MAX_ATTEMPTS;
use duewatch_stack::sns::SnsFault;
use duewatch_store::ContactOutcome;
use duewatch_tests::interrupt::Interrupt;
use duewatch_tests::support::{GATED, PublishedMessage, World, message, policy_text, sweep_contacts};
use serde_json::Value;

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// The first instant of 5 October in Shanghai: one delinquent day.
const LATE_AT: &str = "2023-10-04T16:00:00Z";
/// 10:00 of 6 October in Shanghai: the first reminder of a late account.
const REMINDED_AT: &str = "2023-10-06T02:00:00Z";
/// 23:00 of that day.
const AT_NIGHT: &str = "2023-10-06T15:00:00Z";
/// The next morning's time of sending, 10:00, and the second before it.
const BEFORE_MORNING: &str = "2023-10-07T01:59:59Z";
const MORNING: &str = "2023-10-07T02:00:00Z";

/// A world in which each of these accounts of one customer is late.
async fn late(accounts: &[&str]) -> World {
    let mut world = World::at(OPENED_AT).await;
    for account_id in accounts {
        world.open_for("C-1", GATED, account_id).await;
    }
    world.sweep_and_send(LATE_AT).await;
    drop(world.sent());
    world
}

/// Sweeps at an instant and delivers the records to `send-reminders`. Returns the messages to borrowers.
async fn sweep_and_send(world: &mut World, at: &str) -> Vec<PublishedMessage> {
    world.sweep_and_send(at).await;
    world.sent_to("reminders")
}

/// Sweeps the planned contacts at an instant. Returns the messages to borrowers.
async fn sweep_planned(world: &World, at: &str) -> Vec<PublishedMessage> {
    world.set(at);
    world.sweep_contacts().await;
    world.sent_to("reminders")
}

fn contact_ids(sent: &PublishedMessage) -> Vec<&str> {
    let contacts = sent.body["data"]["contacts"].as_array().unwrap();
    contacts.iter().map(|contact| contact["contact_id"].as_str().unwrap()).collect()
}

fn text(sent: &PublishedMessage) -> &str {
    sent.body["data"]["text"].as_str().unwrap()
}

async fn tell(world: &World, kind: &str, fields: &str) {
    let told = message(&format!("E-{kind}"), world.now(), "A-1", kind, fields);
    let customer_id = "C-1".parse().unwrap();
    let taken = world.store().change_profile(&customer_id, world.now(), |profile| {
        profile.take(&told).map_err(duewatch_app::TransitionError::from)
    });
    taken.await.unwrap();
}

#[tokio::test]
async fn what_would_leave_at_night_waits_for_the_morning_and_says_that_it_is_late() {
    let mut world = late(&["A-1"]).await;
    // No function has run all day.
    assert_eq!(sweep_and_send(&mut world, AT_NIGHT).await, []);
    assert_eq!(world.contacts("C-1").await, []);
    let waiting = world.store().load_profile(&"C-1".parse().unwrap()).await.unwrap().requests;
    assert_eq!(waiting[0].evaluate_at.to_rfc3339(), "2023-10-07T02:00:00+00:00");
    // A change of the profile does not make it leave before.
    tell(&world, "preferences_changed", r#""language":"en""#).await;
    assert_eq!(sweep_planned(&world, BEFORE_MORNING).await, []);

    let sent = sweep_planned(&world, MORNING).await;
    assert_eq!(sent.len(), 1);
    assert_eq!(contact_ids(&sent[0]), ["A-1/3/sms"]);
    assert_eq!(sent[0].body["data"]["late_since"], "2023-10-06");
    assert!(text(&sent[0]).contains("in the app, or at 400-000-0000"), "{}", text(&sent[0]));
    assert!(text(&sent[0]).contains("https://lender.example/rules"));
    assert_eq!(world.contacts("C-1").await, [("A-1/3/sms".to_owned(), ContactOutcome::Sent)]);
    assert_eq!(sweep_planned(&world, MORNING).await, []);
}

// The account was evaluated in time, and no function sent anything all day.
#[tokio::test]
async fn what_was_planned_in_time_and_not_sent_waits_for_the_time_of_sending() {
    let mut world = late(&["A-1"]).await;
    world.set(REMINDED_AT);
    world.sweep().await;
    let records = world.account_records().await;
    world.set(AT_NIGHT);
    assert!(world.send(&records).await.is_empty());
    assert_eq!(world.sent_to("reminders"), []);
    let waiting = world.store().load_profile(&"C-1".parse().unwrap()).await.unwrap().requests;
    assert!(matches!(waiting[0].waits_for, Some(GateReason::SendTime { .. })), "{waiting:?}");
    assert_eq!(sweep_planned(&world, BEFORE_MORNING).await, []);
    let sent = sweep_planned(&world, MORNING).await;
    assert_eq!(sent.iter().flat_map(contact_ids).collect::<Vec<_>>(), ["A-1/3/sms"]);
    assert_eq!(sent[0].body["data"]["late_since"], "2023-10-06");
}

#[tokio::test]
async fn a_payment_while_it_waits_withdraws_it() {
    let mut world = late(&["A-1"]).await;
    assert_eq!(sweep_and_send(&mut world, AT_NIGHT).await, []);
    world.pay("A-1", "P-1", "250.00").await;
    assert_eq!(sweep_planned(&world, MORNING).await, []);
    assert_eq!(world.contacts("C-1").await, [("A-1/3/sms".to_owned(), ContactOutcome::Withdrawn)]);
}

#[tokio::test]
async fn accounts_of_one_customer_leave_in_one_message_that_counts_once() {
    let mut world = late(&["A-1", "A-2", "A-3"]).await;
    let sent = sweep_and_send(&mut world, REMINDED_AT).await;
    let ids: Vec<&str> = sent.iter().flat_map(contact_ids).collect();
    // Each revision is its own record; the stream decides the order.
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(ids, ["A-1/3/sms", "A-2/3/sms", "A-3/3/sms"]);
    assert_eq!(sent[0].body["subject"], "C-1");
    let profile = world.store().profile(&"C-1".parse().unwrap()).await.unwrap();
    assert_eq!(profile.attempts().len(), 1);
    assert_eq!(profile.attempts()[0].accounts.len(), 3);
}

#[tokio::test]
async fn a_week_of_outage_ends_in_one_message_that_says_so_and_never_in_a_burst() {
    let mut world = late(&["A-1", "A-2"]).await;
    // The accounts were evaluated each day, and no message has left since the 6th.
    let mut records = Vec::new();
    for day in 6..13 {
        world.set(&format!("2023-10-{day:02}T02:00:00Z"));
        world.sweep().await;
        records.extend(world.account_records().await);
    }
    world.set("2023-10-13T02:00:00Z");
    assert!(world.send(&records).await.is_empty());
    let sent = world.sent_to("reminders");
    assert_eq!(sent.len(), 1, "{sent:?}");
    let data = &sent[0].body["data"];
    // Of the three planned contacts of each account, two were for a stage that it has left.
    assert_eq!(contact_ids(&sent[0]).len(), 2);
    assert_eq!(data["late_since"], "2023-10-11");
    assert!(text(&sent[0]).contains("11 October 2023"), "{}", text(&sent[0]));
    let outcomes = |wanted: ContactOutcome, contacts: &[(String, ContactOutcome)]| {
        contacts.iter().filter(|(_, outcome)| *outcome == wanted).count()
    };
    let contacts = world.contacts("C-1").await;
    assert_eq!(
        (outcomes(ContactOutcome::Sent, &contacts), outcomes(ContactOutcome::Withdrawn, &contacts)),
        (2, 4)
    );
    // A repeated delivery sends no second message.
    assert!(world.send(&records).await.is_empty());
    assert_eq!(world.sent_to("reminders"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_invocations_and_two_accounts_under_one_cap_send_one_message() {
    let world = late(&["A-1", "A-2"]).await;
    world.set(REMINDED_AT);
    world.sweep().await;
    let (one, other) = (world.account("A-1").await, world.account("A-2").await);
    world.store().queue_requests(&one, world.now()).await.unwrap();
    // Right before the first contact is counted, the second account plans its own and its invocation sends.
    let (store, services, now) = (world.store().clone(), world.services(send_reminders::NAME), world.now());
    let rival = Interrupt::before("TransactWriteItems", &store.tables().records.clone(), 1, move || {
        let (store, services, other) = (store.clone(), services.clone(), other.clone());
        async move {
            store.queue_requests(&other, now).await.unwrap();
            assert_eq!(sweep_contacts(&services).await.evaluated.messages, 1);
        }
    });
    let report = sweep_contacts(&world.services_interrupted(send_reminders::NAME, rival.clone())).await;
    assert_eq!(
        (rival.left(), report.failed, report.evaluated),
        (0, 0, EvaluationReport::default()),
        "the other has sent all of it"
    );
    let sent = world.sent_to("reminders");
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(contact_ids(&sent[0]), ["A-1/3/sms", "A-2/3/sms"]);
}

#[tokio::test]
async fn what_comes_when_the_cap_is_used_up_waits_for_the_next_day() {
    let mut world = late(&["A-1"]).await;
    assert_eq!(sweep_and_send(&mut world, REMINDED_AT).await.len(), 1);
    // Another late account of the customer is opened on the same day.
    world.open_for("C-1", GATED, "A-2").await;
    let mut contract = world.account("A-2").await;
    contract.contact_requests = world.account("A-1").await.contact_requests;
    contract.status.stage = world.account("A-1").await.status.stage;
    world.store().queue_requests(&contract, world.now()).await.unwrap();
    let report = world.sweep_contacts().await;
    assert_eq!(report.evaluated, EvaluationReport { deferred: 1, ..EvaluationReport::default() });
    assert_eq!(sweep_planned(&world, BEFORE_MORNING).await, []);
    assert_eq!(sweep_planned(&world, MORNING).await.len(), 1);
}

#[tokio::test]
async fn a_message_that_was_counted_and_did_not_leave_leaves_later_under_its_id_and_counts_once() {
    let mut world = late(&["A-1"]).await;
    world.set(REMINDED_AT);
    world.sweep().await;
    let records = world.account_records().await;
    let count = u32::try_from(MAX_ATTEMPTS).unwrap();
    world.stack.services().sns.fail_entries(SnsFault::InternalError { count });
    assert!(world.send(&records).await.is_empty(), "it is planned, and the sweep takes it");
    assert_eq!(world.sent_to("reminders"), []);
    assert_eq!(sweep_planned(&world, "2023-10-06T02:14:59Z").await, []);
    let sent = sweep_planned(&world, "2023-10-06T02:15:00Z").await;
    assert_eq!(sent.iter().map(PublishedMessage::id).collect::<Vec<_>>(), ["A-1/3/sms"]);
    let profile = world.store().profile(&"C-1".parse().unwrap()).await.unwrap();
    assert_eq!(profile.attempts().len(), 1);
    assert_eq!(profile.attempts()[0].at, world.now());
}

#[tokio::test]
async fn who_has_opted_out_is_not_written_to_and_operations_is_alerted() {
    let mut world = late(&["A-1"]).await;
    tell(&world, "consent_changed", r#""channel":"sms","consent":"withdrawn","by":"the customer""#).await;
    world.sweep_and_send(REMINDED_AT).await;
    let sent = world.sent();
    assert_eq!(sent.iter().map(|one| one.topic.as_str()).collect::<Vec<_>>(), ["tickets"]);
    assert_eq!(
        (&sent[0].body["data"]["kind"], &sent[0].body["subject"]),
        (&Value::from("no_channel"), &Value::from("C-1"))
    );
    let record = world.store().contact_records(&"C-1".parse().unwrap()).await.unwrap();
    assert_eq!(record[0].outcome, ContactOutcome::Suppressed);
    assert!(matches!(record[0].reason, Some(GateReason::NoChannel { .. })));
}

#[tokio::test]
async fn a_breathing_space_keeps_it_until_its_end_where_it_is_withdrawn_if_its_reason_has_gone() {
    let mut world = late(&["A-1"]).await;
    tell(&world, "breathing_space_started", r#""kind":"standard""#).await;
    assert_eq!(sweep_and_send(&mut world, REMINDED_AT).await, []);
    let waiting = world.store().load_profile(&"C-1".parse().unwrap()).await.unwrap().requests;
    // Day 0 is 5 October, day 60 the last: 4 December.
    assert_eq!(waiting[0].evaluate_at.to_rfc3339(), "2023-12-05T02:00:00+00:00");
    // By then the account is in another stage.
    sweep_and_send(&mut world, "2023-12-05T02:00:00Z").await;
    world.sweep_contacts().await;
    assert_eq!(world.contacts("C-1").await[0], ("A-1/3/sms".to_owned(), ContactOutcome::Withdrawn));
}

#[tokio::test]
async fn what_cannot_be_rendered_ends_and_alerts() {
    let mut world = late(&["A-1"]).await;
    world.set("2023-10-05T00:00:00Z");
    // This version was published past every check.
    let unsaid = policy_text(GATED).replace("version = 1", "version = 2").replace("late_mild", "unheard_of");
    world.publish(&unsaid).await;
    world.sweep_and_send(REMINDED_AT).await;
    let sent = world.sent();
    assert_eq!(sent.iter().map(|one| one.topic.as_str()).collect::<Vec<_>>(), ["tickets"]);
    assert_eq!(sent[0].body["data"]["kind"], "message_held");
    assert_eq!(world.contacts("C-1").await, [("A-1/3/sms".to_owned(), ContactOutcome::Unrenderable)]);
    let profile = world.store().profile(&"C-1".parse().unwrap()).await.unwrap();
    assert!(profile.attempts().is_empty(), "it was not counted");
}

#[tokio::test]
async fn an_account_that_cannot_be_assessed_keeps_nobody_elses_message_back() {
    let mut world = late(&["A-1", "A-2"]).await;
    world.set(REMINDED_AT);
    world.sweep().await;
    let records = world.account_records().await;
    let whole = world.item("A-2").await["installments"].clone();
    world.tamper("A-2", "installments", aws_sdk_dynamodb::types::AttributeValue::S("none".to_owned())).await;
    assert!(world.send(&records).await.is_empty());
    let sent = world.sent_to("reminders");
    assert_eq!(sent.iter().flat_map(contact_ids).collect::<Vec<_>>(), ["A-1/3/sms"]);
    // An hour later it can be read; the day's frequency cap is used up by then.
    world.tamper("A-2", "installments", whole).await;
    world.set("2023-10-06T02:59:59Z");
    assert_eq!(world.sweep_contacts().await.customers, 0);
    world.set("2023-10-06T03:00:00Z");
    assert_eq!(world.sweep_contacts().await.evaluated.deferred, 1);
    world.set(MORNING);
    assert_eq!(world.sweep_contacts().await.evaluated.sent, 1);
}
