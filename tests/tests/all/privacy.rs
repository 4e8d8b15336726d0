//! Names, contact points and amounts stay in their places, whatever is logged, counted, sent or quarantined.
//!
//! The log is that of the test's own thread, on which the handlers, the clients and the engine run.

use chrono::{DateTime, Utc};
use duewatch_app::Deadline;
use duewatch_domain::formats::message_line;
use duewatch_tests::listening::{Log, listen};
use duewatch_tests::support::{PublishedMessage, REMINDING, World, message, take_in};
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

const NAME: &str = "Zhang Qiaolian";
const PHONE: &str = "+8613912345678";
const EMAIL: &str = "qiaolian@example.org";
const ADDRESS: &str = "17 Weihai Road";
/// A contact point with a typing error: no valid number.
const MISTYPED: &str = "13912345678";
const PERSONAL: [&str; 5] = [NAME, "13912345678", EMAIL, ADDRESS, "Mrs Zhang is ill"];
/// Amounts due, paid, and reported as paid: none reads like the seconds of a time stamp.
const AMOUNTS: [&str; 4] = ["271.83", "131.41", "140.42", "-57.72"];

fn holds_any(text: &str, needles: &[&str]) -> Option<String> {
    needles.iter().find(|needle| text.contains(**needle)).map(|needle| format!("{needle} is in: {text}"))
}

/// An account with one loan of an odd amount.
fn opening(account_id: &str, now: DateTime<Utc>) -> String {
    let account = json!({
        "account_id": account_id, "customer_id": "C-1", "policy_id": REMINDING, "currency": "CNY",
        "time_zone": "Asia/Shanghai", "opened_on": "2023-09-01",
        "installments": [
            {"number": 1, "due_on": "2023-10-01", "principal": "271.83"},
            {"number": 2, "due_on": "2023-11-01", "principal": "271.83"},
        ],
    });
    message_line(&message("E-0", now, account_id, "account_opened", &format!(r#""account":{account}"#)))
}

fn contact(id: &str, now: DateTime<Utc>, channel: &str, point: &str) -> String {
    json!({
        "event_id": id, "at": now.to_rfc3339(), "type": "contact_changed", "account_id": "A-1",
        "channel": channel, "contact_point": point, "name": NAME, "changed_by": "branch-7",
    })
    .to_string()
}

/// Runs through a late month: valid and invalid messages, valid and invalid payments, sweeps, reminders,
/// history, and a reconciliation.
async fn live(world: &mut World) -> Vec<PublishedMessage> {
    let now = world.now();
    let intake = world.services(intake::NAME);
    let reason = format!(r#""reason":"Mrs Zhang is ill, {PHONE}""#);
    let off = message("E-5", now, "A-1", "enforcement_off", &reason);
    let on = message("E-6", now, "A-1", "enforcement_on", &reason);
    let adjusted = r#""number":1,"amount":"-57.72","reason":"Mrs Zhang is ill""#;
    let bodies = [
        opening("A-1", now),
        contact("E-1", now, "sms", PHONE),
        contact("E-2", now, "email", EMAIL),
        contact("E-3", now, "letter", ADDRESS),
        contact("E-4", now, "sms", MISTYPED),
        contact("E-9", now, EMAIL, PHONE),
        message_line(&off),
        message_line(&on),
        message_line(&message("E-7", now, "A-1", "installment_adjusted", adjusted))
            .replace("\"number\":1", "\"number\":9"),
        format!("{NAME} {PHONE} owes 271.83"),
    ];
    for body in bodies {
        assert!(take_in(&intake, &[("A-1", body)]).await.is_empty());
    }
    assert!(take_in(&intake, &[("A-2", opening("A-2", now))]).await.is_empty());
    world.pay("A-2", "P-0", "-57.72").await;
    let mut sent = Vec::new();
    for at in ["2023-09-28T02:00:00Z", "2023-10-04T16:00:00Z", "2023-10-06T02:00:00Z", "2023-10-08T16:00:00Z"]
    {
        world.set(at);
        world.sweep().await;
        let records = world.account_records().await;
        assert!(world.send(&records).await.is_empty());
        assert!(world.record(&records).await.is_empty());
        world.reconcile().await;
        sent.extend(world.sent());
    }
    world.pay_and_post("A-1", "P-1", "131.41").await;
    let records = world.account_records().await;
    assert!(world.send(&records).await.is_empty());
    assert!(world.record(&records).await.is_empty());
    world.stack.clock().set(world.now() + chrono::TimeDelta::days(3));
    assert!(
        !reconcile_accounts::reconcile_segments(
            &world.services(reconcile_accounts::NAME),
            1,
            Deadline::none()
        )
        .await
        .unwrap()
        .cut_short
    );
    sent.extend(world.sent());
    sent
}

async fn items(world: &World, table: &str) -> Vec<Value> {
    let answer = world.client().scan().table_name(table).send().await.unwrap();
    let items = answer.items.unwrap_or_default();
    items.into_iter().map(|item| serde_dynamo::from_item(serde_dynamo::Item::from(item)).unwrap()).collect()
}

#[tokio::test]
async fn nothing_personal_leaves_and_amounts_are_only_where_they_are_needed() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new("trace")).with_writer(log.clone());
    let _listening = listen(subscriber.finish());
    let mut world = World::at("2023-09-01T00:00:00Z").await;
    let begun = log.text().len();
    let sent = live(&mut world).await;

    // The debug output of the clients' own crates is theirs: `start` silences it.
    let logged: Vec<String> = log.text()[begun..]
        .lines()
        .filter(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let target = line["target"].as_str().unwrap();
            [
                "duewatch",
                "detect_overdue",
                "intake",
                "post_payment",
                "send_reminders",
                "record_history",
                "reconcile_accounts",
            ]
            .iter()
            .any(|ours| target.starts_with(ours))
        })
        .map(str::to_owned)
        .collect();
    assert!(logged.len() > 30, "it was listened to: {}", logged.len());
    assert!(logged.iter().any(|line| line.contains("quarantined")), "also where something was wrong");
    for line in &logged {
        assert_eq!(holds_any(line, &PERSONAL), None, "log");
        assert_eq!(holds_any(line, &AMOUNTS), None, "log or metric");
    }

    let topics: Vec<&str> = sent.iter().map(|one| one.topic.as_str()).collect();
    for topic in ["reminders", "account-events", "tickets"] {
        assert!(topics.contains(&topic), "{topics:?}");
    }
    for one in &sent {
        let (body, attributes) = (one.body.to_string(), format!("{:?}", one.attributes));
        assert_eq!(holds_any(&body, &PERSONAL), None, "{}", one.topic);
        assert_eq!(holds_any(&attributes, &PERSONAL), None, "{}", one.topic);
        assert_eq!(holds_any(&attributes, &AMOUNTS), None, "{}", one.topic);
        if one.topic == "tickets" {
            assert_eq!(holds_any(&body, &AMOUNTS), None, "tickets");
        }
    }
    let reminded = sent.iter().any(|one| one.topic == "reminders" && one.body.to_string().contains("140.42"));
    let owed = sent.iter().any(|one| one.topic == "reminders" && one.body.to_string().contains("271.83"));
    assert!(owed || reminded, "a reminder says what is owed");

    let tables = world.store().tables().clone();
    let mut contact_points = 0;
    for item in items(&world, &tables.records).await {
        let text = item.to_string();
        let key = item["pk"].as_str().unwrap();
        let may = key.starts_with("customer#") || key.starts_with("quarantine#");
        // What an officer wrote into a command is kept with the customer too.
        let is_written = item["sk"].as_str().unwrap().starts_with("written#");
        let has_phone = key.starts_with("customer#") && text.contains(PHONE);
        contact_points += usize::from(has_phone && !is_written);
        assert!(may || holds_any(&text, &PERSONAL).is_none(), "records: {text}");
        assert!(key.starts_with("quarantine#") || holds_any(&text, &AMOUNTS).is_none(), "records: {text}");
    }
    assert_eq!(contact_points, 2, "the contact and its entry in the log");
    for table in [&tables.accounts, &tables.payments, &tables.history, &tables.policies] {
        for item in items(&world, table).await {
            assert_eq!(holds_any(&item.to_string(), &PERSONAL), None, "{table}");
        }
    }
}

#[test]
fn a_line_that_a_thread_without_a_log_reaches_first_is_in_the_log() {
    fn line() {
        tracing::info!("reached");
    }
    let log = Log::default();
    let _listening = listen(tracing_subscriber::fmt().with_writer(log.clone()).finish());
    std::thread::spawn(line).join().unwrap();
    assert_eq!(log.text(), "");
    line();
    assert!(log.text().contains("reached"), "{}", log.text());
}
