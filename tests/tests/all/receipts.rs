//! Receipts of delivery providers and reports of the lender about customers, with the contacts that follow.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use duewatch_app::EvaluationReport;
use duewatch_domain::contact::{ContactProfile, ReceiptOutcome};
use duewatch_domain::policy;
use duewatch_stack::GivenUp;
use duewatch_stack::sqs::LocalSqs;
use duewatch_store::{ContactOutcome, MessageRecord};
use duewatch_tests::interrupt::Interrupt;
use duewatch_tests::support::{
    PublishedMessage, STANDARD, World, instant, message, report, sweep_contacts, take_messages,
};
use rstest::rstest;
use serde_json::{Value, json};

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// 10:00 of 6 October in Shanghai: the first reminder of a late account.
const MILD_AT: &str = "2023-10-06T02:00:00Z";
/// Two days later: the second.
const FIRM_AT: &str = "2023-10-08T02:00:00Z";

/// Reminders by text message, else by e-mail; a week between two contacts after a complaint; third-party
/// contacts after two delinquent days and one failed attempt.
const REACHING: &str = r#"
id = "reaching"
version = 1
effective_on = 2020-01-01
grace_days = 3
stages = [{ name = "late", when = { delinquent_days = 1 } }]

[contact]
language = "en"
address = "https://lender.example/help"
complaint = { min_gap_days = 7 }
contact_persons = { delinquent_days = 2, failed_attempts = 1, template = "contact_person" }

[reminders]
send_at = "10:00"
steps = [
    { stage = "late", days = 5, channels = ["sms", "email"], template = "late_mild" },
    { stage = "late", days = 7, channels = ["sms", "email"], template = "late_firm" },
]
"#;

/// A-1 of C-1, under a policy that reminds by text message first.
async fn world() -> World {
    let world = World::at(OPENED_AT).await;
    world.publish(REACHING).await;
    world.open_under("reaching", "A-1").await;
    world
}

/// The messages that leave at an instant, after the sweep of the accounts and the delivery of their stream.
async fn leaves(world: &mut World, at: &str) -> Vec<PublishedMessage> {
    world.sweep_and_send(at).await;
    world.sweep_contacts().await;
    world.sent_to("reminders")
}

/// The channel and the template of each message.
fn said(sent: &[PublishedMessage]) -> Vec<(&str, &str)> {
    sent.iter().map(|one| (one.attributes["channel"].as_str(), one.attributes["template"].as_str())).collect()
}

/// The world after the first reminder, by text message, with its id.
async fn reminded() -> (World, String) {
    let mut world = world().await;
    let sent = leaves(&mut world, MILD_AT).await;
    assert_eq!(said(&sent), [("sms", "late_mild")]);
    (world, sent[0].id().to_owned())
}

fn receipt(message_id: &str, at: DateTime<Utc>, outcome: &str) -> String {
    json!({ "message_id": message_id, "at": at, "outcome": outcome }).to_string()
}

fn answer(message_id: &str, at: DateTime<Utc>, reason: &str) -> String {
    json!({ "message_id": message_id, "at": at, "outcome": "answered", "reason": reason }).to_string()
}

/// A delivery provider's receipt arrives now and is taken.
async fn reports(world: &World, message_id: &str, outcome: &str) {
    let body = receipt(message_id, world.now(), outcome);
    assert!(report(&world.services(record_delivery::NAME), &[body]).await.is_empty());
    assert_eq!(world.quarantined().await, []);
}

/// The lender's message arrives now and is taken.
async fn tells(world: &World, event_id: &str, kind: &str, fields: &str) {
    let told = message(event_id, world.now(), "A-1", kind, fields);
    assert!(take_messages(&world.services(intake::NAME), &[told]).await.is_empty());
    assert_eq!(world.quarantined().await, []);
}

async fn person(world: &World) -> ContactProfile {
    world.store().profile(&"C-1".parse().unwrap()).await.unwrap()
}

async fn known(world: &World, message_id: &str) -> MessageRecord {
    world.store().message(&message_id.parse().unwrap()).await.unwrap().unwrap()
}

async fn outcomes(world: &World) -> Vec<ContactOutcome> {
    world.contacts("C-1").await.into_iter().map(|(_, outcome)| outcome).collect()
}

/// The id and the kind of each alert.
fn rang(sent: Vec<PublishedMessage>) -> Vec<(String, String)> {
    let rang = sent.into_iter().filter(|one| one.topic == "tickets");
    rang.map(|one| (one.id().to_owned(), one.body["data"]["kind"].as_str().unwrap().to_owned())).collect()
}

#[rstest]
#[case::unknown(json!({"message_id": "A-9/1/sms", "at": MILD_AT, "outcome": "bounced"}), "message_id: A-9/1/sms is not known")]
#[case::no_receipt(json!("bounced"), "no JSON object")]
#[case::unknown_field(json!({"message_id": "A-1/2/sms", "at": MILD_AT, "outcome": "bounced", "code": 550}), "unknown field `code`")]
#[case::of_next_year(json!({"message_id": "A-1/2/sms", "at": "2024-10-06T02:00:00Z", "outcome": "bounced"}), "at: 2024-10-06 02:00:00 UTC is later than now")]
#[tokio::test]
async fn what_cannot_be_taken_is_quarantined_with_its_reason_and_the_rest_is_taken(
    #[case] body: Value,
    #[case] reason: &str,
) {
    let (world, message_id) = reminded().await;
    assert_eq!(message_id, "A-1/2/sms");
    let good = receipt(&message_id, world.now(), "delivered");
    let services = world.services(record_delivery::NAME);
    assert!(report(&services, &[body.to_string(), good]).await.is_empty());
    let aside = world.quarantined().await;
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert!(aside[0].reason.contains(reason), "{}", aside[0].reason);
    assert_eq!((aside[0].source.as_str(), &aside[0].payload), (record_delivery::NAME, &body.to_string()));
    assert_eq!(known(&world, &message_id).await.receipts.len(), 1, "the other one was taken");
}

#[tokio::test]
async fn a_receipt_that_comes_twice_is_taken_once() {
    let (world, message_id) = reminded().await;
    reports(&world, &message_id, "delivered").await;
    let (then, noted) = (person(&world).await, known(&world, &message_id).await);
    assert_eq!(noted.receipts[0].outcome, ReceiptOutcome::Delivered);
    reports(&world, &message_id, "delivered").await;
    assert_eq!((person(&world).await, known(&world, &message_id).await), (then, noted));
}

#[tokio::test]
async fn what_came_back_leaves_by_the_next_channel_and_ends_when_none_is_left() {
    let (mut world, by_sms) = reminded().await;
    reports(&world, &by_sms, "bounced").await;
    reports(&world, &by_sms, "bounced").await;
    world.sweep_contacts().await;
    let sent = world.sent();
    assert_eq!(said(&sent), [("email", "late_mild")], "once, and nobody is rung");
    let by_email = sent[0].id().to_owned();
    assert_ne!(by_email, by_sms);
    reports(&world, &by_email, "bounced").await;
    world.sweep_contacts().await;
    assert_eq!(rang(world.sent()), [("no_channel/C-1/2023-10-06".to_owned(), "no_channel".to_owned())]);
    assert_eq!(
        outcomes(&world).await,
        [ContactOutcome::Sent, ContactOutcome::Sent, ContactOutcome::Suppressed]
    );
    world.sweep_contacts().await;
    assert_eq!(world.sent(), [], "it has ended");
    // With another address the next reminder is sent.
    world.set("2023-10-07T02:00:00Z");
    let new = r#""channel":"email","contact_point":"li@example.org","changed_by":"branch-7""#;
    tells(&world, "E-1", "contact_changed", new).await;
    let sent = leaves(&mut world, FIRM_AT).await;
    assert_eq!(said(&sent), [("email", "late_firm")]);
}

#[tokio::test]
async fn the_only_number_that_came_back_alerts_at_once_and_not_once_more_by_the_gate() {
    let mut world = world().await;
    let number = r#""channel":"sms","contact_point":"+8613800138000","changed_by":"branch-7""#;
    tells(&world, "E-1", "contact_changed", number).await;
    let no_email = r#""channel":"email","changed_by":"branch-7""#;
    tells(&world, "E-2", "contact_changed", no_email).await;
    let sent = leaves(&mut world, MILD_AT).await;
    reports(&world, sent[0].id(), "bounced").await;
    let at_once = rang(world.sent());
    assert_eq!(at_once, [("no_channel/C-1/2023-10-06".to_owned(), "no_channel".to_owned())]);
    world.sweep_contacts().await;
    assert_eq!(rang(world.sent()), at_once, "under the same id");
}

#[tokio::test]
async fn what_came_back_before_it_was_noted_that_it_left_waits_for_the_note() {
    let world = world().await;
    world.set(MILD_AT);
    world.sweep().await;
    let account = world.account("A-1").await;
    assert_eq!(world.store().queue_requests(&account, world.now()).await.unwrap(), 1);
    // `send-reminders` is killed when the message has left.
    let records = &world.store().tables().records;
    let killed = Interrupt::failing("TransactWriteItems", records, 9).about("said#A-1/2/sms");
    assert_eq!(sweep_contacts(&world.services_interrupted(send_reminders::NAME, killed)).await.failed, 1);
    let left = world.sent_to("reminders");
    assert_eq!(said(&left), [("sms", "late_mild")]);
    assert_eq!(outcomes(&world).await, []);
    let body = receipt(left[0].id(), world.now(), "bounced");
    let receipts = world.services(record_delivery::NAME);
    assert_eq!(report(&receipts, std::slice::from_ref(&body)).await, ["r-0"], "to be delivered again");
    // The note never arrives. The sweep takes the next channel by itself, once.
    world.set("2023-10-06T02:20:00Z");
    world.sweep_contacts().await;
    assert_eq!(said(&world.sent_to("reminders")), [("email", "late_mild")]);
    assert!(report(&receipts, &[body]).await.is_empty());
    world.sweep_contacts().await;
    assert_eq!(world.sent(), []);
    assert_eq!(outcomes(&world).await, [ContactOutcome::Sent]);
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn a_reminder_of_an_account_that_a_newer_release_wrote_waits_and_alerts_until_it_can_be_read() {
    let (world, message_id) = reminded().await;
    let schema = async |version: &str| {
        world.tamper("A-1", "schema", AttributeValue::N(version.to_owned())).await;
    };
    schema("2").await;
    reports(&world, &message_id, "bounced").await;
    let alert = ("send-reminders/message_held/A-1".to_owned(), "message_held".to_owned());
    for at in [MILD_AT, "2023-10-06T03:00:00Z"] {
        world.set(at);
        let report = world.sweep_contacts().await.evaluated;
        assert_eq!(report, EvaluationReport { deferred: 1, ..EvaluationReport::default() }, "{at}");
        assert_eq!(rang(world.sent()), std::slice::from_ref(&alert), "{at}");
        let queued = world.store().load_profile(&"C-1".parse().unwrap()).await.unwrap().requests;
        assert_eq!(queued[0].evaluate_at, instant(at) + TimeDelta::hours(1));
        assert_eq!(queued[0].waits_for, None, "the gate was not asked");
    }
    schema("1").await;
    world.set("2023-10-06T04:00:00Z");
    world.sweep_contacts().await;
    assert_eq!(said(&world.sent_to("reminders")), [("email", "late_mild")]);
}

#[tokio::test]
async fn whoever_opts_out_is_not_contacted_on_that_channel_again() {
    let (mut world, message_id) = reminded().await;
    reports(&world, &message_id, "opted_out").await;
    world.sweep_contacts().await;
    assert_eq!(world.sent(), [], "the message has arrived: nothing is said again");
    assert_eq!(said(&leaves(&mut world, FIRM_AT).await), [("email", "late_firm")]);
}

#[tokio::test]
async fn whoever_complains_is_contacted_less_and_not_on_that_channel() {
    let (mut world, message_id) = reminded().await;
    reports(&world, &message_id, "complained").await;
    assert_eq!(said(&leaves(&mut world, FIRM_AT).await), []);
    // The seventh day after the last contact, at 10:00 in Shanghai.
    assert_eq!(said(&leaves(&mut world, "2023-10-13T01:59:59Z").await), []);
    assert_eq!(said(&leaves(&mut world, "2023-10-13T02:00:00Z").await), [("email", "late_firm")]);
}

#[tokio::test]
async fn a_consent_withdrawn_by_the_lenders_systems_holds_for_what_is_planned_next() {
    let mut world = world().await;
    world.set(MILD_AT);
    let withdrawn = r#""channel":"sms","consent":"withdrawn","by":"the customer""#;
    let before = world.account("A-1").await.revision;
    tells(&world, "E-1", "consent_changed", withdrawn).await;
    let then = person(&world).await;
    tells(&world, "E-1", "consent_changed", withdrawn).await;
    assert_eq!(person(&world).await, then, "twice");
    assert_eq!(world.account("A-1").await.revision, before, "it is the person's");
    assert_eq!(said(&leaves(&mut world, MILD_AT).await), [("email", "late_mild")]);
}

#[tokio::test]
async fn when_to_remind_is_taken_by_the_profile_and_then_by_the_account() {
    let world = world().await;
    let preferences = r#""language":"zh","remind_days_before":[2]"#;
    tells(&world, "E-1", "preferences_changed", preferences).await;
    let (then, account) = (person(&world).await, world.account("A-1").await);
    assert!(then.language().is_some());
    assert_eq!(account.reminder_preference().unwrap().days_before, [2]);
    tells(&world, "E-1", "preferences_changed", preferences).await;
    assert_eq!((person(&world).await, world.account("A-1").await), (then, account), "twice");
}

#[tokio::test]
async fn a_contact_point_of_which_the_profile_did_not_hear_is_told_by_the_retry() {
    let world = world().await;
    let gone =
        message("E-1", world.now(), "A-1", "contact_changed", r#""channel":"sms","changed_by":"desk""#);
    let down = Interrupt::failing("Query", &world.store().tables().records, 9).about("customer#C-1");
    let services = world.services_interrupted(intake::NAME, down);
    assert_eq!(take_messages(&services, std::slice::from_ref(&gone)).await, ["m-0"]);
    assert_eq!(person(&world).await.channel(policy::Channel::Sms), None);
    assert!(take_messages(&world.services(intake::NAME), &[gone]).await.is_empty());
    let profile = person(&world).await;
    let known = profile.channel(policy::Channel::Sms).unwrap().has_point.as_ref().unwrap();
    assert!(!known.value);
}

#[tokio::test]
async fn an_answer_is_the_recorded_cause_until_an_officer_finds_out() {
    let (world, message_id) = reminded().await;
    let services = world.services(record_delivery::NAME);
    let said = answer(&message_id, world.now(), "My wages come late.");
    for _ in 0..2 {
        assert!(report(&services, std::slice::from_ref(&said)).await.is_empty());
    }
    let account = world.account("A-1").await;
    let cause = account.cause().unwrap();
    assert_eq!((cause.cause.as_str(), cause.by.as_str()), ("unknown", "borrower"));
    assert_eq!(cause.reason, "My wages come late.");
    let revision = account.revision;
    // Known before the answer arrived, and taken after it.
    let found = message(
        "E-1",
        instant("2023-10-06T01:00:00Z"),
        "A-1",
        "cause_recorded",
        r#""cause":"long_term","by":"officer-7","reason":"visited""#,
    );
    assert!(take_messages(&world.services(intake::NAME), &[found]).await.is_empty());
    let later = answer(&message_id, instant("2023-10-06T02:20:00Z"), "It was my brother.");
    assert!(report(&services, &[later]).await.is_empty());
    let account = world.account("A-1").await;
    assert_eq!(account.cause().unwrap().by, "officer-7", "it stands");
    assert_eq!(account.revision.0, revision.0 + 1);
    let noted = known(&world, &message_id).await;
    assert_eq!(noted.receipts.iter().filter(|one| one.reason.is_none()).count(), 2, "not in whose words");
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn whoever_is_killed_at_any_call_starts_over_and_nothing_is_done_twice() {
    for call in ["GetItem", "Query", "TransactWriteItems", "UpdateItem"] {
        let (world, message_id) = reminded().await;
        let body = receipt(&message_id, world.now(), "bounced");
        let down = Interrupt::failing(call, &world.store().tables().records, 1);
        let services = world.services_interrupted(record_delivery::NAME, down);
        for _ in 0..9 {
            if report(&services, std::slice::from_ref(&body)).await.is_empty() {
                break;
            }
        }
        assert_eq!(known(&world, &message_id).await.receipts.len(), 1, "{call}");
        world.sweep_contacts().await;
        assert_eq!(said(&world.sent_to("reminders")), [("email", "late_mild")], "{call}");
        assert_eq!(world.quarantined().await, [], "{call}");
    }
}

/// The world after a message to a third-party contact of C-1, with that message.
async fn asked() -> (World, PublishedMessage) {
    let (world, message_id) = reminded().await;
    // One attempt has failed.
    let tried = r#""contact_id":"call-1","channel":"phone","by":"officer-7","answered":false"#;
    tells(&world, "E-1", "contact_attempted", tried).await;
    tells(&world, "E-2", "contact_person_added", r#""person_id":"P-1","relation":"sister""#).await;
    let approved = r#""person_id":"P-1","by":"officer-7","reason":"no answer for a week""#;
    for _ in 0..2 {
        tells(&world, "E-3", "contact_person_approved", approved).await;
    }
    world.sweep_contacts().await;
    let [sent] = world.sent().try_into().unwrap();
    assert_ne!(sent.id(), message_id);
    (world, sent)
}

#[tokio::test]
async fn an_approved_third_party_is_asked_once_and_told_no_amount() {
    let (world, sent) = asked().await;
    assert_eq!(said(std::slice::from_ref(&sent)), [("phone", "contact_person")]);
    let data = &sent.body["data"];
    assert_eq!((&data["contact_person"], &data["contacts"]), (&json!("P-1"), &json!([])));
    for told in ["250.00", "1000.00", "CNY", "A-1"] {
        assert!(!data["text"].as_str().unwrap().contains(told), "{told}: {data}");
    }
    let approved = r#""person_id":"P-1","by":"officer-7","reason":"no answer for a week""#;
    tells(&world, "E-3", "contact_person_approved", approved).await;
    world.sweep_contacts().await;
    assert_eq!(world.sent(), [], "once");
}

#[tokio::test]
async fn what_a_third_party_reports_is_theirs() {
    let (mut world, sent) = asked().await;
    reports(&world, sent.id(), "bounced").await;
    world.sweep_contacts().await;
    assert_eq!(world.sent(), [], "nobody knows their other channels");
    let said_so = answer(sent.id(), world.now(), "she has moved");
    assert!(report(&world.services(record_delivery::NAME), &[said_so]).await.is_empty());
    assert_eq!(world.account("A-1").await.cause(), None, "they are not the borrower");
    reports(&world, sent.id(), "opted_out").await;
    let then = person(&world).await;
    assert!(then.third_parties()[&"P-1".parse().unwrap()].refused_at.is_some());
    assert_eq!(said(&leaves(&mut world, FIRM_AT).await), [("sms", "late_firm")], "to the debtor");
}

#[tokio::test]
async fn what_a_provider_reports_to_the_queue_is_taken_by_the_whole_stack() {
    let mut world = World::at(OPENED_AT).await;
    world.publish(REACHING).await;
    world.open_under("reaching", "A-1").await;
    world.open_under(STANDARD, "A-2").await;
    world.stack.drain().await.unwrap();
    world.set(MILD_AT);
    world.sweep().await;
    world.stack.drain().await.unwrap();
    let [sent] = world.sent_to("reminders").try_into().unwrap();
    let reported = world
        .stack
        .services()
        .sqs_client
        .send_message()
        .queue_url(LocalSqs::queue_url("duewatch-dev-receipts"))
        .message_body(receipt(sent.id(), world.now(), "bounced"));
    reported.send().await.unwrap();
    world.stack.drain().await.unwrap();
    world.stack.fire_sweeps().await.unwrap();
    assert_eq!(said(&world.sent_to("reminders")), [("email", "late_mild")]);
    assert_eq!(world.stack.given_up().collect::<Vec<_>>(), Vec::<&GivenUp>::new());
    assert_eq!(world.quarantined().await, []);
}
