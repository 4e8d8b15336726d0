//! Reminders are planned by the policy, checked once more before they leave, and recorded with their outcome.

use duewatch_app::EvaluationReport;
use duewatch_cli::contacts::messages_of;
use duewatch_domain::commands::{EnforcementOff, EnforcementOn};
use duewatch_domain::policy::Channel;
use duewatch_domain::{Account, Command, Event, InboundMessage};
use duewatch_notify::{Verified, verify};
use duewatch_store::ContactOutcome;
use duewatch_tests::support::{
    NOTICING, PublishedMessage, REMINDING, World, decisions, id, reference_keys, send, sequence_number,
};
use rstest::rstest;
use serde_json::json;

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// The first instant of 5 October in Shanghai: one delinquent day.
const LATE_AT: &str = "2023-10-04T16:00:00Z";
/// 10:00 of 6 October in Shanghai: the first reminder of a late account.
const LATE_MILD_AT: &str = "2023-10-06T02:00:00Z";

/// A world with A-1 under the policy that reminds.
async fn reminding() -> World {
    let world = World::at(OPENED_AT).await;
    world.open_under(REMINDING, "A-1").await;
    world
}

/// Sweeps, and sends the reminders that follow. Returns the messages to borrowers: template, and the number
/// of earlier ones that each replaces.
async fn sweep_and_send(world: &mut World, at: &str) -> Vec<(String, u64)> {
    world.sweep_and_send(at).await;
    said(&world.sent_to("reminders"))
}

fn said(sent: &[PublishedMessage]) -> Vec<(String, u64)> {
    sent.iter()
        .flat_map(|sent| sent.body["data"]["contacts"].as_array().unwrap())
        .map(|contact| {
            (contact["template"].as_str().unwrap().to_owned(), contact["missed"].as_u64().unwrap())
        })
        .collect()
}

fn once(template: &str) -> Vec<(String, u64)> {
    vec![(template.to_owned(), 0)]
}

async fn command(world: &World, command: Command) -> Account {
    let event = Event { at: world.now(), account_id: id("A-1"), command };
    let message = InboundMessage::of_core(format!("E-{}", world.now()).parse().unwrap(), event);
    world
        .stack
        .transitions()
        .command(&message, duewatch_app::Authority::OnePerson, world.now())
        .await
        .unwrap();
    world.account("A-1").await
}

#[tokio::test]
async fn the_view_of_an_account_names_each_of_its_messages() {
    let mut world = reminding().await;
    sweep_and_send(&mut world, "2023-09-28T02:00:00Z").await;
    sweep_and_send(&mut world, "2023-10-01T02:00:00Z").await;
    let messages = messages_of(world.stack.store(), &world.account("A-1").await).await.unwrap();
    let said: Vec<_> = messages.iter().map(|one| (one.template.as_str(), one.state, one.channel)).collect();
    assert_eq!(said, [("due_soon", "sent", Some(Channel::App)), ("due_today", "sent", Some(Channel::Sms))]);
    assert!(messages.iter().all(|one| one.message_id.is_some()), "{messages:?}");
}

#[tokio::test]
async fn reminders_leave_before_the_due_date_on_it_and_after_it_each_at_its_time_and_once() {
    let mut world = reminding().await;
    for (at, expected) in [
        ("2023-09-28T01:59:59Z", vec![]),
        ("2023-09-28T02:00:00Z", once("due_soon")),
        ("2023-10-01T01:59:59Z", vec![]),
        ("2023-10-01T02:00:00Z", once("due_today")),
        ("2023-10-03T02:00:00Z", vec![]),
        (LATE_AT, vec![]),
        (LATE_MILD_AT, once("late_mild")),
        ("2023-10-08T01:45:00Z", vec![]),
        ("2023-10-08T02:00:00Z", once("late_firm")),
        ("2023-10-08T16:00:00Z", vec![]),
        ("2023-10-11T02:00:00Z", once("limited")),
        ("2023-10-18T15:59:59Z", vec![]),
    ] {
        assert_eq!(sweep_and_send(&mut world, at).await, expected, "{at}");
    }
    let outcomes: Vec<ContactOutcome> =
        world.contacts("C-1").await.into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, [ContactOutcome::Sent; 5]);
}

#[tokio::test]
async fn reminders_that_were_missed_become_one_that_says_so() {
    let mut world = reminding().await;
    sweep_and_send(&mut world, LATE_AT).await;
    // The outage spans two reminders.
    let said = sweep_and_send(&mut world, "2023-10-08T03:00:00Z").await;
    assert_eq!(said, [("late_firm".to_owned(), 1)]);
    assert_eq!(sweep_and_send(&mut world, "2023-10-08T04:00:00Z").await, vec![]);
}

#[tokio::test]
async fn a_reminder_of_a_due_date_that_has_passed_is_not_sent_late() {
    let mut world = reminding().await;
    // The outage spans the due date: neither "soon" nor "today" is true any more.
    assert_eq!(sweep_and_send(&mut world, "2023-10-02T02:00:00Z").await, vec![]);
}

#[tokio::test]
async fn a_reminder_missed_by_hours_leaves_at_the_next_time_of_sending() {
    let mut world = reminding().await;
    // 18:00 of 28 September in Shanghai; it was planned for 10:00.
    assert_eq!(sweep_and_send(&mut world, "2023-09-28T10:00:00Z").await, vec![]);
    for (at, expected) in [("2023-09-29T01:59:59Z", vec![]), ("2023-09-29T02:00:00Z", once("due_soon"))] {
        world.set(at);
        world.sweep_contacts().await;
        assert_eq!(said(&world.sent_to("reminders")), expected, "{at}");
    }
}

#[tokio::test]
async fn a_reminder_that_is_true_no_more_at_the_next_time_of_sending_is_not_sent() {
    let mut world = reminding().await;
    // The last second of the due date.
    assert_eq!(sweep_and_send(&mut world, "2023-10-01T15:59:59Z").await, vec![]);
    assert_eq!(world.contacts("C-1").await, []);
}

#[tokio::test]
async fn an_account_without_enforcement_is_neither_restricted_nor_dunned_and_on_again_at_once() {
    let mut world = reminding().await;
    sweep_and_send(&mut world, "2023-10-08T16:00:00Z").await;
    let off =
        command(&world, Command::EnforcementOff(EnforcementOff { reason: "a complaint".to_owned() })).await;
    assert_eq!(off.status.restrictions, []);
    assert_eq!(decisions(&off).last().unwrap(), "limited > current -limit_credit_line");
    assert_eq!(sweep_and_send(&mut world, "2023-10-11T02:00:00Z").await, vec![]);
    let on = command(&world, Command::EnforcementOn(EnforcementOn { reason: "answered".to_owned() })).await;
    assert_eq!(decisions(&on).last().unwrap(), "current > limited +limit_credit_line");
}

#[tokio::test]
async fn a_reminder_leaves_as_a_cloud_event_with_ids_and_figures_only() {
    let mut world = reminding().await;
    world.set(LATE_AT);
    world.sweep().await;
    world.account_records().await;
    world.sweep_and_send(LATE_MILD_AT).await;
    let sent = world.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].topic, "reminders");
    let mut body = sent[0].body.clone();
    let (text, reference) = (body["data"]["text"].take(), body["data"]["reference"].take());
    assert_eq!(
        body,
        json!({
            "specversion": "1.0",
            "id": "A-1/3/sms",
            "source": "duewatch",
            "type": "duewatch.contact.due.v1",
            "subject": "C-1",
            "time": "2023-10-06T02:00:00Z",
            "datacontenttype": "application/json",
            "data": {
                "customer_id": "C-1",
                "channel": "sms",
                "language": "en",
                "template": "late_mild",
                "text": null,
                "segments": 2,
                "reference": null,
                "stands_for": 0,
                "contacts": [{
                    "contact_id": "A-1/3/sms",
                    "account_id": "A-1",
                    "revision": 3,
                    "template": "late_mild",
                    "stage": "late",
                    "due_on": "2023-10-01",
                    "planned_at": "2023-10-06T02:00:00Z",
                    "missed": 0,
                    "currency": "CNY",
                    "overdue": "250.00",
                    "oldest_due_on": "2023-10-01",
                    "days_past_due": 5,
                    "outstanding": "1000.00",
                }],
            },
        })
    );
    let (text, reference) = (text.as_str().unwrap(), reference.as_str().unwrap());
    for part in ["CNY 250.00", "1 October 2023", reference] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert!(matches!(verify(&reference_keys(), reference, world.now()), Verified::Genuine { .. }));
    let attributes: Vec<(&str, &str)> =
        sent[0].attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        attributes,
        [
            ("channel", "sms"),
            ("language", "en"),
            ("stage", "late"),
            ("template", "late_mild"),
            ("type", "duewatch.contact.due.v1"),
        ]
    );
    assert_eq!(world.contacts("C-1").await, [("A-1/3/sms".to_owned(), ContactOutcome::Sent)]);
}

#[tokio::test]
async fn an_accounts_batch_delivered_twice_leaves_under_the_same_ids() {
    let mut world = reminding().await;
    for at in [LATE_AT, LATE_MILD_AT, "2023-10-08T16:00:00Z"] {
        world.set(at);
        world.sweep().await;
    }
    let records = world.account_records().await;
    assert!(world.send(&records).await.is_empty());
    let once = world.sent();
    let marks = (world.contacts("C-1").await, world.store().published(&id("A-1")).await.unwrap());
    assert!(world.send(&records).await.is_empty());
    let twice = world.sent();

    assert_eq!(once.len(), 2, "late and limited; the reminder's stage has passed");
    let ids = |sent: &[PublishedMessage]| sent.iter().map(|sent| sent.id().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&once), ids(&twice));
    let events = |sent: &[PublishedMessage]| sent.iter().filter(|one| one.topic == "account-events").count();
    assert_eq!((events(&once), events(&twice)), (2, 2));
    let marks_again = (world.contacts("C-1").await, world.store().published(&id("A-1")).await.unwrap());
    assert_eq!(marks, marks_again);
    assert!(world.account_records().await.is_empty(), "sending writes no account");
}

/// A world that is about to remind of a late installment, with the record.
async fn about_to_remind() -> (World, Vec<serde_json::Value>) {
    let mut world = reminding().await;
    world.set(LATE_AT);
    world.sweep().await;
    world.account_records().await;
    world.set(LATE_MILD_AT);
    world.sweep().await;
    let records = world.account_records().await;
    assert_eq!(world.account("A-1").await.contact_requests.len(), 1);
    (world, records)
}

#[rstest]
#[case::handled(true)]
#[case::not_handled_yet(false)]
#[tokio::test]
async fn a_payment_between_the_decision_and_the_sending_withdraws_the_reminder(#[case] handled: bool) {
    let (mut world, records) = about_to_remind().await;
    world.pay("A-1", "P-1", "250.00").await;
    if handled {
        world.post_payments().await;
    }
    assert!(world.send(&records).await.is_empty());
    assert_eq!(world.sent_to("reminders"), []);
    assert_eq!(world.contacts("C-1").await, [("A-1/3/sms".to_owned(), ContactOutcome::Withdrawn)]);
}

#[tokio::test]
async fn a_payment_of_a_part_does_not_withdraw_the_reminder_but_lowers_what_it_asks_for() {
    let (world, records) = about_to_remind().await;
    world.pay("A-1", "P-1", "249.99").await;
    assert!(world.send(&records).await.is_empty());
    let sent = world.sent_to("reminders");
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].body["data"]["contacts"][0]["overdue"], "0.01");
}

#[tokio::test]
async fn money_that_cannot_be_posted_keeps_the_reminder_back_and_tells_operations() {
    let (world, records) = about_to_remind().await;
    let mut dollars = world.payment("A-1", "P-1", "40.00");
    dollars["currency"] = json!("USD");
    world.put_payment(&dollars).await;
    assert!(world.send(&records).await.is_empty());
    let sent = world.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].topic.as_str(), sent[0].body["subject"].as_str()), ("tickets", Some("A-1/P-1")));
    assert_eq!(sent[0].body["data"]["kind"], "restriction_held");
    assert_eq!(world.contacts("C-1").await, [("A-1/3/sms".to_owned(), ContactOutcome::Held)]);
}

#[tokio::test]
async fn a_reminder_of_a_stage_that_the_account_has_left_is_withdrawn() {
    let (world, records) = about_to_remind().await;
    command(&world, Command::EnforcementOff(EnforcementOff { reason: "a complaint".to_owned() })).await;
    assert!(world.send(&records).await.is_empty());
    assert_eq!(world.sent_to("reminders"), []);
    assert_eq!(world.contacts("C-1").await[0].1, ContactOutcome::Withdrawn);
}

#[tokio::test]
async fn the_highest_revision_that_was_published_is_noted_and_never_falls() {
    let mut world = reminding().await;
    world.set(LATE_AT);
    world.sweep().await;
    world.set("2023-10-08T16:00:00Z");
    world.sweep().await;
    let records = world.account_records().await;
    world.send(&records).await;
    let highest = world.account("A-1").await.revision;
    assert_eq!(world.store().published(&id("A-1")).await.unwrap(), Some(highest));
    // The record of an earlier revision comes again, alone.
    assert!(sequence_number(&records[1]) < sequence_number(&records[2]));
    assert!(send(&world.services(send_reminders::NAME), &records[1..2]).await.is_empty());
    assert_eq!(world.store().published(&id("A-1")).await.unwrap(), Some(highest));
}

/// 10:00 of 8 October in Shanghai: the notice that the line is to be limited.
const NOTICE_AT: &str = "2023-10-08T02:00:00Z";

/// A world whose account has planned its notice, with the records.
async fn about_to_give_notice() -> (World, Vec<serde_json::Value>) {
    let mut world = World::at(OPENED_AT).await;
    world.open_under(NOTICING, "A-1").await;
    for at in [LATE_AT, NOTICE_AT] {
        world.set(at);
        world.sweep().await;
    }
    let records = world.account_records().await;
    assert_eq!(world.account("A-1").await.contact_requests.len(), 1);
    (world, records)
}

#[tokio::test]
async fn a_restriction_follows_the_notice_that_left_and_no_other() {
    let (world, records) = about_to_give_notice().await;
    // No notice was sent: the stage begins, its restriction does not.
    world.set("2023-10-08T16:00:00Z");
    world.sweep().await;
    let limited = world.account("A-1").await;
    assert_eq!(decisions(&limited).last().unwrap(), "late > limited");
    assert_eq!(limited.status.restrictions, []);

    // The message was late; it leaves at the time of sending of 9 October in Shanghai.
    assert!(world.send(&records).await.is_empty());
    assert_eq!(world.sent_to("reminders"), []);
    world.set("2023-10-09T02:00:00Z");
    world.sweep_contacts().await;
    let sent = world.sent_to("reminders");
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].id(), "A-1/3/letter/stage/limited");
    assert_eq!(sent[0].body["data"]["contacts"][0]["notice_of"], json!({ "stage": "limited" }));
    // Two days after today's.
    assert!(sent[0].body["data"]["text"].as_str().unwrap().contains("11 October 2023"), "{:?}", sent[0].body);
    let noticed = world.account("A-1").await;
    assert_eq!(noticed.notices()[0].sent_at, Some(world.now()));

    // A repeated delivery does not send again; the recorded instant stays.
    world.set("2023-10-09T16:00:00Z");
    assert!(world.send(&records).await.is_empty());
    assert_eq!(world.sent_to("reminders"), []);
    assert_eq!(world.account("A-1").await, noticed);
    for (at, restrictions) in [("2023-10-10T15:59:59Z", 0), ("2023-10-10T16:00:00Z", 1)] {
        world.set(at);
        world.sweep().await;
        assert_eq!(world.account("A-1").await.status.restrictions.len(), restrictions, "{at}");
    }
}

#[tokio::test]
async fn a_notice_is_counted_apart_and_with_the_reminders() {
    let (world, _) = about_to_give_notice().await;
    let one = EvaluationReport { messages: 1, sent: 1, ..EvaluationReport::default() };
    assert_eq!(planned(&world).await, EvaluationReport { notices: 1, ..one });

    let world = reminding().await;
    world.set(LATE_AT);
    world.sweep().await;
    world.set(LATE_MILD_AT);
    world.sweep().await;
    assert_eq!(planned(&world).await, one);
}

/// Plans the contact requests of the account's revision; returns the sweep's counts.
async fn planned(world: &World) -> EvaluationReport {
    world.store().queue_requests(&world.account("A-1").await, world.now()).await.unwrap();
    world.sweep_contacts().await.evaluated
}

#[tokio::test]
async fn a_notice_that_was_paid_for_before_it_left_is_withdrawn_and_not_noted() {
    let (world, records) = about_to_give_notice().await;
    world.pay("A-1", "P-1", "250.00").await;
    assert!(world.send(&records).await.is_empty());
    assert_eq!(world.sent_to("reminders"), []);
    assert_eq!(world.account("A-1").await.notices()[0].sent_at, None);
}
