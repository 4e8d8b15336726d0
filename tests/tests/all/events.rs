//! Messages to other systems leave however SNS fails, and every handler takes the sample events of `events/`.

use std::collections::BTreeMap;

use duewatch_app::Deadline;
use duewatch_domain::kernel::Revision;
use duewatch_notify::MAX_ATTEMPTS;
use duewatch_stack::sns::SnsFault;
use duewatch_tests::support::{
    PublishedMessage, REMINDING, World, decisions, id, payment_ids, reference_keys, sample, sequence_number,
};
use rstest::rstest;
use serde_json::{Value, json};

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// The first instant of 5 October in Shanghai: one delinquent day.
const LATE_AT: &str = "2023-10-04T16:00:00Z";
/// 10:00 of 6 October in Shanghai: the first reminder of a late account.
const LATE_MILD_AT: &str = "2023-10-06T02:00:00Z";

fn ids(sent: &[PublishedMessage]) -> Vec<&str> {
    sent.iter().map(PublishedMessage::id).collect()
}

/// Three accounts that have just become late, with their records.
async fn three_late() -> (World, Vec<Value>) {
    let mut world = World::at(OPENED_AT).await;
    for account_id in ["A-1", "A-2", "A-3"] {
        world.open(account_id).await;
    }
    world.stack.drain().await.unwrap();
    world.account_records().await;
    world.set(LATE_AT);
    for account_id in ["A-1", "A-2", "A-3"] {
        world.stack.transitions().sweep(&id(account_id), world.now()).await.unwrap();
    }
    let records = world.account_records().await;
    assert_eq!(records.len(), 3);
    (world, records)
}

/// The next `count` entries about A-2 fail.
fn entries_fail(world: &World, count: usize, sender_fault: bool) {
    let count = u32::try_from(count).unwrap();
    let code = "InternalError".to_owned();
    let fault = SnsFault::Entries { count, containing: "\"A-2\"".to_owned(), code, sender_fault };
    world.stack.services().sns.fail_entries(fault);
}

#[tokio::test]
async fn an_entry_that_fails_once_is_tried_again_within_the_call() {
    let (world, records) = three_late().await;
    entries_fail(&world, 1, false);
    assert!(world.send(&records).await.is_empty());
    assert_eq!(ids(&world.sent()), ["A-1/2", "A-3/2", "A-2/2"], "each once");
    assert_eq!(world.store().published(&id("A-2")).await.unwrap(), Some(Revision(2)));
}

#[rstest]
#[case::that_keeps_failing(MAX_ATTEMPTS, false)]
#[case::that_is_our_own_fault(1, true)]
#[tokio::test]
async fn the_record_of_an_entry_is_reported(#[case] count: usize, #[case] sender_fault: bool) {
    let (world, records) = three_late().await;
    entries_fail(&world, count, sender_fault);
    assert_eq!(world.send(&records).await, [sequence_number(&records[1])]);
    assert_eq!(ids(&world.sent()), ["A-1/2", "A-3/2"]);
    assert_eq!(world.store().published(&id("A-1")).await.unwrap(), Some(Revision(2)));
    assert_eq!(world.store().published(&id("A-2")).await.unwrap(), None, "it has not been published");
}

#[tokio::test]
async fn a_record_that_was_reported_is_delivered_again_and_published_under_the_same_id() {
    let (mut world, _) = three_late().await;
    entries_fail(&world, MAX_ATTEMPTS, false);
    world.stack.drain().await.unwrap();
    // Lambda delivers from the failed record on, so that A-3 leaves again.
    let sent = world.sent();
    assert_eq!(ids(&sent), ["A-1/2", "A-3/2", "A-2/2", "A-3/2"]);
    assert_eq!(sent[1], sent[3]);
    assert_eq!(world.stack.given_up().count(), 0);
    assert_eq!(world.store().published(&id("A-2")).await.unwrap(), Some(Revision(2)));
}

#[tokio::test]
async fn what_left_although_the_answer_was_lost_leaves_again_under_the_same_ids() {
    let (world, records) = three_late().await;
    world.stack.services().sns.fail_entries(SnsFault::AnswerLost { count: 1 });
    assert!(world.send(&records).await.is_empty());
    let sent = world.sent();
    assert_eq!(ids(&sent), ["A-1/2", "A-2/2", "A-3/2", "A-1/2", "A-2/2", "A-3/2"]);
    assert_eq!(sent[..3], sent[3..]);
}

#[rstest]
#[case::failing(SnsFault::InternalError { count: 100 })]
#[case::throttled(SnsFault::Throttled { count: 100 })]
#[tokio::test]
async fn while_sns_is_down_every_record_is_reported_and_nothing_is_noted(#[case] fault: SnsFault) {
    let (world, records) = three_late().await;
    world.stack.services().sns.fail_entries(fault);
    assert_eq!(world.send(&records).await, [sequence_number(&records[0])], "from the first on");
    assert_eq!(world.sent(), []);
    for account_id in ["A-1", "A-2", "A-3"] {
        assert_eq!(world.store().published(&id(account_id)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn more_messages_than_a_batch_holds_all_leave_once() {
    let mut world = World::at(OPENED_AT).await;
    for number in 10..35 {
        world.open(&format!("A-{number}")).await;
    }
    world.sweep_and_send(LATE_AT).await;
    let sent = world.sent();
    let mut sent = ids(&sent);
    sent.sort_unstable();
    let expected: Vec<String> = (10..35).map(|number| format!("A-{number}/2")).collect();
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_change_that_only_takes_an_account_out_of_the_index_says_nothing() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LATE_AT);
    world.sweep().await;
    world.account_records().await;
    world.set("2023-10-08T16:00:00Z");
    let due = world.due_by("2023-10-08T16:00:00Z").await;
    world.store().drop_due_entry(&due[0]).await.unwrap();
    let records = world.account_records().await;
    assert_eq!(records.len(), 1);
    assert!(world.send(&records).await.is_empty());
    assert_eq!(world.sent(), []);
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn a_revision_without_a_decision_says_nothing() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay_and_post("A-1", "P-1", "1.00").await;
    let records = world.account_records().await;
    assert_eq!(records.len(), 2);
    assert!(world.send(&records).await.is_empty());
    assert_eq!(world.sent(), []);
}

/// A-1 on the morning of the sample: late and reminded by the same sweep.
async fn morning_of_the_sample() -> (World, Value) {
    let mut world = World::at(OPENED_AT).await;
    world.open_under(REMINDING, "A-1").await;
    world.account_records().await;
    world.set(LATE_MILD_AT);
    world.sweep().await;
    let mut records = world.account_records().await;
    assert_eq!(records.len(), 1);
    (world, records.remove(0))
}

#[tokio::test]
async fn the_samples_of_the_accounts_stream_are_what_the_stream_carries() {
    let (_, record) = morning_of_the_sample().await;
    assert_is_sample(record, "send-reminders.stream.json");
    let mut world = World::at(OPENED_AT).await;
    world.open_under(REMINDING, "A-2").await;
    let mut records = world.account_records().await;
    assert_is_sample(records.remove(0), "record-history.stream.json");
}

#[track_caller]
fn assert_is_sample(mut record: Value, name: &str) {
    let sample = sample(name)["Records"][0].clone();
    // AWS sets these, differently on every run.
    for name in ["eventID", "eventSourceARN", "awsRegion"] {
        record[name] = sample[name].clone();
    }
    let (carried, sampled) = (&mut record["dynamodb"], &sample["dynamodb"]);
    carried["SequenceNumber"] = sampled["SequenceNumber"].clone();
    // A number of seconds, with a fraction or without.
    let created_at = "ApproximateCreationDateTime";
    assert_eq!(carried[created_at].as_f64(), sampled[created_at].as_f64());
    carried[created_at] = sampled[created_at].clone();
    assert_eq!(sample, record, "the stream carries now:\n{record:#}");
}

#[tokio::test]
async fn record_history_takes_its_sample() {
    let world = World::at(OPENED_AT).await;
    let event = sample("record-history.stream.json");
    assert!(world.record(event["Records"].as_array().unwrap()).await.is_empty());
    let entries = world.history("A-2").await;
    assert_eq!(entries.len(), 1);
    let entry: Value = serde_json::from_str(&entries[0].entry).unwrap();
    assert_eq!(
        entry,
        json!({
            "account_id": "A-2",
            "revision": 1,
            "at": "2023-09-01T00:00:00Z",
            "policy": { "id": "reminding", "version": 1 },
            "stage": "current",
            "restrictions": [],
            "facts": { "installments": [1, 2, 3, 4], "due": { "to": "1000.00" } },
            "image": entry["image"],
        })
    );
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn send_reminders_takes_its_sample() {
    let (world, _) = morning_of_the_sample().await;
    let event = sample("send-reminders.stream.json");
    assert!(world.send(event["Records"].as_array().unwrap()).await.is_empty());
    let sent = world.sent();
    assert_eq!(ids(&sent), ["A-1/2", "A-1/2/sms"]);
    assert_eq!((sent[0].topic.as_str(), sent[1].topic.as_str()), ("account-events", "reminders"));
    assert_eq!(
        sent[0].body,
        json!({
            "specversion": "1.0",
            "id": "A-1/2",
            "source": "duewatch",
            "type": "duewatch.account.changed.v1",
            "subject": "A-1",
            "time": "2023-10-04T16:00:00Z",
            "datacontenttype": "application/json",
            "data": {
                "account_id": "A-1",
                "customer_id": "C-1",
                "revision": 2,
                "stage": "late",
                "restrictions": [],
                "since": "2023-10-04T16:00:00Z",
                "decision": {
                    "at": "2023-10-04T16:00:00Z",
                    "account_id": "A-1",
                    "revision": 2,
                    "policy": { "id": "reminding", "version": 1 },
                    "from": "current",
                    "to": "late",
                    "applied": [],
                    "lifted": [],
                    "figures": {
                        "days_past_due": 5,
                        "delinquent_days": 2,
                        "overdue": "250.00",
                        "oldest_due_on": "2023-10-01",
                        "outstanding": "1000.00",
                        "unpaid_installments": 1,
                    },
                    "reasons": [{
                        "rule": "delinquent_days",
                        "threshold": 1,
                        "value": 2,
                        "sentence": "2 delinquent days, at least 1 for this stage; \
                                     grace and paused days are not counted.",
                    }],
                    "next_action_at": "2023-10-08T02:00:00Z",
                    "event_id": "A-1/2",
                },
            },
        })
    );
    let expected = [
        ("from", "current"),
        ("restrictions", "none"),
        ("to", "late"),
        ("type", "duewatch.account.changed.v1"),
    ];
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(sent[0].attributes, expected, "amounts are in no attribute");
}

#[tokio::test]
async fn the_schedule_of_what_is_planned_and_the_receipts_take_their_samples() {
    let world = World::at(OPENED_AT).await;
    for account_id in ["A-1", "A-2", "A-3"] {
        world.open_under(REMINDING, account_id).await;
    }
    world.set(LATE_MILD_AT);
    world.sweep().await;
    for account_id in ["A-1", "A-2", "A-3"] {
        let account = world.account(account_id).await;
        assert_eq!(world.store().queue_requests(&account, world.now()).await.unwrap(), 1);
    }
    let schedule = sample("send-reminders.schedule.json");
    world.set(schedule["time"].as_str().unwrap());
    let event = serde_json::from_value(schedule).unwrap();
    let services = world.services(send_reminders::NAME);
    let answer = send_reminders::handle(&services, &reference_keys(), event, Deadline::none()).await.unwrap();
    assert!(
        matches!(answer, send_reminders::SendAnswer::Schedule(report) if report.customers == 3),
        "{answer:?}"
    );
    let mut left: Vec<String> = world.sent_to("reminders").iter().map(|sent| sent.id().to_owned()).collect();
    left.sort();
    assert_eq!(left, ["A-1/2/sms", "A-2/2/sms", "A-3/2/sms"]);

    let receipts = sample("record-delivery.queue.json");
    let bodies = receipts["Records"].as_array().unwrap().iter();
    let named: Vec<Value> = bodies
        .map(|record| serde_json::from_str(record["body"].as_str().unwrap()).unwrap())
        .map(|body: Value| body["message_id"].clone())
        .collect();
    assert_eq!(named, left);
    let event = serde_json::from_value(receipts).unwrap();
    let services = world.services(record_delivery::NAME);
    let response = record_delivery::handle(&services, event, Deadline::none()).await;
    assert!(response.batch_item_failures.is_empty());
    assert_eq!(world.quarantined().await, []);
    assert_eq!(world.account("A-3").await.cause().unwrap().reason, "My wages come a week late this month.");
}

#[tokio::test]
async fn detect_overdue_and_post_payment_take_their_samples() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let records = |name| sample(name)["Records"].as_array().unwrap().clone();
    // The item that the stream told of is in the table.
    let put = async |records: &[Value]| {
        let image = records[0]["dynamodb"]["NewImage"].as_object().unwrap();
        let item = image.iter().map(|(name, value)| (name.clone(), value["S"].clone())).collect();
        world.put_payment(&Value::Object(item)).await;
    };

    world.set(sample("detect-overdue.schedule.json")["time"].as_str().unwrap());
    assert_eq!(world.sweep().await.decisions, 1);
    put(&records("post-payment.stream.json")).await;
    assert!(world.post(&records("post-payment.stream.json")).await.is_empty());
    let paid = world.account("A-1").await;
    assert_eq!(payment_ids(&paid), ["P-1"]);
    assert_eq!(paid.status.stage.as_str(), "current");

    world.set("2023-10-20T03:05:04Z");
    put(&records("post-payment.reversal.stream.json")).await;
    assert!(world.post(&records("post-payment.reversal.stream.json")).await.is_empty());
    assert_eq!(
        decisions(&world.account("A-1").await),
        [
            "current > limited +limit_credit_line",
            "limited > current -limit_credit_line",
            "current > frozen +limit_credit_line +freeze_drawdown"
        ]
    );
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn reconcile_accounts_takes_its_sample() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let event = sample("reconcile-accounts.schedule.json");
    world.set(event["time"].as_str().unwrap());
    let event = serde_json::from_value(event).unwrap();
    let report =
        reconcile_accounts::handle(&world.services(reconcile_accounts::NAME), event, Deadline::none())
            .await
            .unwrap();
    // The firing of 04:30; DynamoDB decides which accounts its segment holds.
    assert_eq!((report.open, report.cut_short), (0, false));
    assert_eq!(
        world.store().scan_cursor().await.unwrap().position % u64::from(reconcile_accounts::SEGMENTS),
        19
    );
}

#[test]
fn every_sample_is_listed() {
    let folder = format!("{}/../events", env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(format!("{folder}/README.md")).unwrap();
    for file in std::fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let listed = name == "README.md" || readme.contains(&format!("| `{name}` |"));
        assert!(listed, "events/README.md does not list {name}");
    }
}
