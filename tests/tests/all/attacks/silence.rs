//! Nothing that stops is silent: a metric shows it, and an alarm of the template watches that metric.

use duewatch_app::{Deadline, Services};
use duewatch_store::ScanCursor;
use duewatch_tests::listening::{Log, listen};
use duewatch_tests::support::{REMINDING, World, anchor, send, sweep_contacts};
use serde_json::Value;

use crate::template::watched_metric;

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// 10:00 of 28 September in Shanghai: the first reminder.
const DUE_SOON_AT: &str = "2023-09-28T02:00:00Z";
/// A quarter of an hour and a sweep later.
const NEXT_TRY_AT: &str = "2023-09-28T02:20:00Z";

/// A world with an account whose first reminder is due, and the records of that decision.
async fn reminding() -> (World, Vec<Value>) {
    let mut world = World::at(OPENED_AT).await;
    world.open_under(REMINDING, "A-1").await;
    world.send_all().await;
    world.set(DUE_SOON_AT);
    world.sweep().await;
    let records = world.account_records().await;
    (world, records)
}

/// `send-reminders` with a topic for reminders that does not exist, as after somebody deleted it.
fn without_topic(world: &World) -> Services {
    let mut settings = world.stack.settings().clone();
    settings.topics.reminders.push_str("-gone");
    world.services_under(send_reminders::NAME, &settings)
}

fn log() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let guard = listen(tracing_subscriber::fmt().json().with_writer(log.clone()).finish());
    (log, guard)
}

/// The sums of a metric over the lines that report it.
fn sum(lines: &[Value], metric: &str) -> u64 {
    lines.iter().filter_map(|line| line[metric].as_u64()).sum()
}

#[tokio::test]
async fn a_topic_that_refuses_every_reminder_is_no_success() {
    let (world, records) = reminding().await;
    let services = without_topic(&world);
    let (log, _listening) = log();
    send(&services, &records).await;
    world.set(NEXT_TRY_AT);
    let report = sweep_contacts(&services).await;
    assert_eq!((report.evaluated.messages, report.evaluated.unsent), (0, 1));
    assert_eq!(world.sent_to("reminders"), []);
    assert_eq!(sum(&log.metrics(), "unsent"), 2, "each try is counted");
    watched_metric("UnsentAlarm", "send-reminders", "unsent");
}

#[tokio::test]
async fn a_schedule_of_contacts_that_is_disabled_is_not_kept_quiet_by_the_stream() {
    let (world, records) = reminding().await;
    let (log, _listening) = log();
    assert_eq!(world.send(&records).await, [""; 0]);
    let reports = |log: &Log| {
        let lines = log.metrics();
        lines.iter().filter(|line| line.get("oldest_request_seconds").is_some()).count()
    };
    assert_eq!(reports(&log), 0, "the stream alone reports no sweep");
    world.sweep_contacts().await;
    assert_eq!(reports(&log), 1);
    watched_metric("ContactsSilentAlarm", "send-reminders", "oldest_request_seconds");
}

#[tokio::test]
async fn a_request_that_waits_for_a_sweep_that_does_not_come_ages() {
    let (world, records) = reminding().await;
    send(&without_topic(&world), &records).await;
    world.set("2023-09-28T04:15:00Z");
    let (log, _listening) = log();
    world.sweep_contacts().await;
    // It was due again a quarter of an hour after the first try.
    assert_eq!(sum(&log.metrics(), "oldest_request_seconds"), 2 * 3600);
    watched_metric("OldestRequestAlarm", "send-reminders", "oldest_request_seconds");
}

/// The parts whose work the heartbeat vouches for.
const PARTS: [&str; 4] = ["sweep", "contacts", "reconciliation", "anchors"];

/// Two days in which every part has done its work, but for one at the end. Says whether a heartbeat then leaves.
async fn beats_without(stopped: Option<&str>) -> bool {
    let world = World::at("2023-09-04T02:00:00Z").await;
    let works = |part: &str| stopped != Some(part);
    for (at, is_last) in [("2023-09-04T02:00:00Z", false), ("2023-09-06T12:00:00Z", true)] {
        world.set(at);
        if !is_last || works("sweep") {
            world.sweep().await;
        }
        if !is_last || works("contacts") {
            world.sweep_contacts().await;
        }
        if !is_last || works("anchors") {
            anchor(&world.services(anchor_history::NAME)).await;
        }
    }
    drop(world.sent());
    let services = world.services(reconcile_accounts::NAME);
    // A firing that visits the whole table, or one that is far behind and catches up a few segments.
    let segments = if works("reconciliation") { 1 } else { 96 };
    if !works("reconciliation") {
        // Twenty hours ago.
        let position = u64::try_from(world.now().timestamp()).unwrap() / 900 - 80;
        let mut cursor = ScanCursor { position, ..ScanCursor::default() };
        assert!(world.store().save_scan_cursor(&mut cursor).await.unwrap());
    }
    let report = reconcile_accounts::reconcile_segments(&services, segments, Deadline::none()).await.unwrap();
    let left = world.sent_to("heartbeat");
    assert_eq!(left.len(), usize::from(report.heartbeat));
    for message in &left {
        assert_eq!(message.body["type"], "duewatch.heartbeat.v1");
        assert_eq!(message.body["data"]["sweep_at"], "2023-09-06T12:00:00Z");
        assert_eq!(message.body["data"]["anchored"], "2023-09-05");
    }
    report.heartbeat
}

#[tokio::test]
async fn no_heartbeat_leaves_while_a_part_has_not_done_its_work() {
    assert!(beats_without(None).await);
    for part in PARTS {
        assert!(!beats_without(Some(part)).await, "{part} has stopped");
    }
}

#[tokio::test]
async fn a_topic_that_is_gone_is_seen_before_anything_is_lost_on_it() {
    let world = World::at(OPENED_AT).await;
    let topics = world.stack.settings().topics.clone();
    let all = [topics.reminders, topics.account_events, topics.operations, topics.tickets, topics.heartbeat];
    for (gone, topic) in (1..).zip(&all) {
        world.stack.services().sns.remove(topic);
        assert_eq!(world.reconcile().await.topics_missing, gone, "{topic}");
    }
}
