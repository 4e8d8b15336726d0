//! The restore drill: tables are copied at an instant, life goes on, the tables are lost, and the copy is brought up to
//! date from the archive.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use duewatch_cli::customer::erase;
use duewatch_cli::restore::{Archive, RestoreError, Restored, replay};
use duewatch_domain::Account;
use duewatch_domain::commands::Consent;
use duewatch_domain::formats::book_line;
use duewatch_domain::policy::Channel;
use duewatch_store::{HoldScope, OperatorHold, verify_history};
use duewatch_tests::support::{REMINDING, World, contract, instant, message, report, take_messages};
use serde_json::json;
use tempfile::TempDir;

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
const COPIED_AT: &str = "2023-10-03T00:00:00Z";
const LOST_AT: &str = "2023-10-08T02:00:00Z";
const ACCOUNTS: [&str; 4] = ["A-1", "A-2", "A-3", "A-4"];
/// Of customer C-1: after the copy and before the erasure, and after the erasure.
const ERASED_NUMBER: &str = "+8613800138001";
const LATER_NUMBER: &str = "+8613800138002";

/// A life with a copy in the midst of it.
struct Lived {
    world: World,
    folder: TempDir,
    /// The commands and erasures that were archived since the copy.
    lines: usize,
}

impl Lived {
    fn copy(&self) -> String {
        self.folder.path().join("copy.db").display().to_string()
    }

    fn archive(&self) -> Archive {
        let paths: [PathBuf; 1] = [self.folder.path().join("archive")];
        Archive::read(&paths, instant(COPIED_AT)).unwrap()
    }

    /// Tables that were restored to the instant of the copy, payments to the newest.
    async fn restored(&self) -> World {
        let mut world = World::at(LOST_AT).await;
        world.stack.services().db.restore_from(&self.copy()).unwrap();
        let newest =
            self.world.client().scan().table_name(&self.world.store().tables().payments).send().await;
        for item in newest.unwrap().items.unwrap_or_default() {
            let put = world.client().put_item().table_name(&world.store().tables().payments);
            put.set_item(Some(item)).send().await.unwrap();
        }
        // A restored table has no stream of the time before.
        drop((world.account_records().await, world.payment_records().await));
        world
    }
}

async fn tell(world: &World, event_id: &str, account_id: &str, kind: &str, fields: &str) {
    let told = message(event_id, world.now(), account_id, kind, fields);
    assert_eq!(take_messages(&world.services(intake::NAME), &[told]).await, [""; 0]);
    assert_eq!(world.quarantined().await, [], "{event_id}");
}

/// Delivers the revisions of the stream to both of its readers. While sending is stopped, the stream keeps them for
/// `send-reminders`.
async fn deliver(world: &mut World, waiting: &mut Vec<serde_json::Value>) {
    waiting.extend(world.account_records().await);
    assert_eq!(world.record(waiting).await, [""; 0]);
    if world.send(waiting).await.is_empty() {
        waiting.clear();
    }
}

fn number(number: &str) -> String {
    format!(r#""channel":"sms","contact_point":"{number}","changed_by":"branch-7""#)
}

const OPT_OUT: &str = r#""channel":"sms","consent":"withdrawn","by":"borrower""#;

async fn lived() -> Lived {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::at(OPENED_AT).await;
    for (account_id, event_id) in [("A-1", "E-1"), ("A-2", "E-2"), ("A-3", "E-3")] {
        world.open_under(REMINDING, account_id).await;
        tell(&world, event_id, account_id, "contact_changed", &number("+8613800138000")).await;
    }
    world.set("2023-10-02T02:00:00Z");
    world.sweep().await;
    deliver(&mut world, &mut Vec::new()).await;
    world.set(COPIED_AT);
    let mut lived = Lived { world, folder, lines: 0 };
    lived.world.stack.services().db.vacuum_into(&lived.copy()).unwrap();
    drop(lived.world.published());

    let world = &mut lived.world;
    world.set("2023-10-04T08:00:00Z");
    let grounds = r#""cause":"temporary","by":"officer-7","reason":"HIV treatment""#;
    tell(world, "E-10", "A-1", "cause_recorded", grounds).await;
    tell(world, "E-11", "A-1", "contact_changed", &number(ERASED_NUMBER)).await;
    tell(world, "E-12", "A-2", "consent_changed", OPT_OUT).await;
    let opened = format!(r#""account":{}"#, book_line(&contract(REMINDING, "A-4")));
    tell(world, "E-13", "A-4", "account_opened", &opened).await;
    tell(world, "E-14", "A-4", "contact_changed", &number("+8613800138004")).await;
    tell(world, "E-15", "A-2", "pause_started", r#""from":"2023-10-04","until":"2023-10-20""#).await;
    tell(world, "E-16", "A-4", "payment_received", r#""payment_id":"P-4","amount":"250.00""#).await;
    world.post_payments().await;
    let mut archived = world.published();
    world.set("2023-10-06T02:00:00Z");
    world.sweep().await;
    deliver(world, &mut Vec::new()).await;
    let sent = world.published();
    let to_third = sent.iter().find(|one| one.topic == "reminders" && one.body["subject"] == "C-3");
    let receipt = json!({"message_id": to_third.unwrap().id(), "at": world.now(), "outcome": "opted_out"});
    assert_eq!(report(&world.services(record_delivery::NAME), &[receipt.to_string()]).await, [""; 0]);
    world.set("2023-10-07T08:00:00Z");
    erase(&world.services("duewatch"), &"C-1".parse().unwrap(), "officer-8", world.now()).await.unwrap();
    world.set("2023-10-07T09:00:00Z");
    tell(world, "E-20", "A-1", "contact_changed", &number(LATER_NUMBER)).await;
    world.pay_and_post("A-3", "P-3", "250.00").await;
    archived.extend(world.published());
    archived.retain(|one| one.topic == "archive");
    lived.lines = archived.len();

    // As a delivery stream writes them: in folders, one after another, in no order of theirs.
    let (even, odd): (Vec<_>, Vec<_>) = archived.iter().enumerate().partition(|(place, _)| place % 2 == 0);
    for (hour, lines) in [("07", odd), ("08", even)] {
        let place = lived.folder.path().join("archive/2023/10").join(hour);
        fs::create_dir_all(&place).unwrap();
        let text: String = lines.iter().rev().map(|(_, line)| line.body.to_string()).collect();
        fs::write(place.join("archive-1"), text).unwrap();
    }
    lived
}

async fn hold(world: &World, is_on: bool) {
    let hold = OperatorHold {
        is_on,
        at: world.now(),
        by: "anna".to_owned(),
        reason: "the tables are lost".to_owned(),
    };
    world.store().set_hold(HoldScope::Sending, &hold).await.unwrap();
}

async fn replayed(lived: &Lived, world: &World) -> Restored {
    let mut left = Vec::new();
    let services = world.services(intake::NAME);
    let done = replay(&services, lived.world.store(), &lived.archive(), "anna", |line| left.push(line)).await;
    assert_eq!(left, [""; 0]);
    done.unwrap()
}

/// Whatever the tables hold, as one text.
async fn whole(world: &World) -> String {
    let mut all = String::new();
    let tables = world.store().tables();
    for table in [&tables.accounts, &tables.payments, &tables.records] {
        let found = world.client().scan().table_name(table).send().await.unwrap();
        all.push_str(&format!("{:?}", found.items()));
    }
    all
}

async fn messages_to(
    world: &mut World,
    waiting: &mut Vec<serde_json::Value>,
) -> BTreeMap<String, Vec<String>> {
    world.sweep().await;
    deliver(world, waiting).await;
    world.sweep_contacts().await;
    let mut to: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for sent in world.sent_to("reminders") {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        to.entry(text(&sent.body["subject"])).or_default().push(text(&sent.body["data"]["channel"]));
    }
    to
}

#[tokio::test]
async fn lost_tables_come_back_with_everything_that_was_accepted() {
    let lived = lived().await;
    let mut world = lived.restored().await;
    let mut waiting = Vec::new();
    hold(&world, true).await;
    assert_eq!(messages_to(&mut world, &mut waiting).await, BTreeMap::new(), "opt-outs are not replayed yet");

    let restored = replayed(&lived, &world).await;
    // Of the erased customer: the grounds of a cause, and a number.
    let expected =
        Restored { erasures: 1, applied: 7, known: 1, without_texts: 1, erased_points: 1, left: 0 };
    assert_eq!(restored, expected);
    assert_eq!(restored.applied + restored.known + restored.erased_points + restored.erasures, lived.lines);
    world.post_payments().await;
    world.reconcile().await;
    assert_eq!(
        messages_to(&mut world, &mut waiting).await,
        BTreeMap::new(),
        "nothing leaves before the release"
    );

    for account_id in ACCOUNTS {
        let (before, after) = (lived.world.account(account_id).await, world.account(account_id).await);
        assert_eq!(after.payments().len(), before.payments().len(), "{account_id}");
        assert_eq!(after.pauses(), before.pauses(), "{account_id}");
        let cause = |account: &Account| account.cause().map(|recorded| recorded.cause);
        assert_eq!(cause(&after), cause(&before), "{account_id}");
        assert_eq!(after.status.stage, before.status.stage, "{account_id}");
    }
    for (customer_id, consent) in
        [("C-1", None), ("C-2", Some(Consent::Withdrawn)), ("C-3", Some(Consent::Withdrawn))]
    {
        let profile = world.store().profile(&customer_id.parse().unwrap()).await.unwrap();
        assert_eq!(profile.consent(Channel::Sms), consent, "{customer_id}");
    }

    // The audit is whole.
    deliver(&mut world, &mut waiting).await;
    for account_id in ACCOUNTS {
        let (history, account) = (world.history(account_id).await, world.account(account_id).await);
        assert!(!history.is_empty(), "{account_id}");
        assert_eq!(verify_history(&history, &account, world.now()).unwrap(), [], "{account_id}");
    }

    hold(&world, false).await;
    world.set("2023-10-08T02:05:00Z");
    let messages = messages_to(&mut world, &mut waiting).await;
    for opted_out in ["C-2", "C-3"] {
        let channels = messages.get(opted_out).cloned().unwrap_or_default();
        assert!(!channels.contains(&"sms".to_owned()), "{opted_out}: {messages:?}");
    }
    assert!(!messages.is_empty(), "the others are reminded again");
}

#[tokio::test]
async fn no_restore_brings_back_what_was_erased() {
    let lived = lived().await;
    let world = lived.restored().await;
    hold(&world, true).await;
    replayed(&lived, &world).await;
    let stored = whole(&world).await;
    for gone in ["HIV", ERASED_NUMBER] {
        assert!(!stored.contains(gone), "{gone}");
    }
    assert!(stored.contains(LATER_NUMBER), "it was given after the erasure");
}

#[tokio::test]
async fn no_text_of_a_person_is_in_the_archive() {
    let lived = lived().await;
    for hour in ["07", "08"] {
        let text =
            fs::read_to_string(lived.folder.path().join("archive/2023/10").join(hour).join("archive-1"));
        let text = text.unwrap();
        for secret in ["HIV", "officer-7", "branch-7", "+86138"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[tokio::test]
async fn a_second_replay_changes_nothing() {
    let lived = lived().await;
    let mut world = lived.restored().await;
    hold(&world, true).await;
    let first = replayed(&lived, &world).await;
    drop(world.account_records().await);
    let second = replayed(&lived, &world).await;
    assert_eq!((second.erasures, second.applied), (0, 0));
    assert_eq!(second.known, first.applied + first.known);
    assert!(world.account_records().await.is_empty(), "no revision is written");
    assert!(whole(&world).await.contains(LATER_NUMBER));
}

#[tokio::test]
async fn nothing_is_replayed_while_messages_could_leave() {
    let lived = lived().await;
    let world = lived.restored().await;
    let services = world.services(intake::NAME);
    let refused = replay(&services, lived.world.store(), &lived.archive(), "anna", |_| ()).await;
    assert!(matches!(refused, Err(RestoreError::NotHeld)), "{refused:?}");
}

#[tokio::test]
async fn a_text_whose_key_is_lost_is_not_taken_for_an_erased_one() {
    let lived = lived().await;
    let world = lived.restored().await;
    hold(&world, true).await;
    let mut left = Vec::new();
    let services = world.services(intake::NAME);
    // The keys that were made after the copy are not in the restored records.
    let done = replay(&services, world.store(), &lived.archive(), "anna", |line| left.push(line)).await;
    assert_eq!(done.unwrap().left, 2, "{left:?}");
    assert!(left.iter().all(|line| line.contains("--keys-from")), "{left:?}");
}

#[tokio::test]
async fn a_command_that_is_not_archived_is_not_taken_as_done() {
    let world = World::at(OPENED_AT).await;
    world.open_under(REMINDING, "A-1").await;
    let told = [message("E-1", world.now(), "A-1", "consent_changed", OPT_OUT)];
    world.stack.services().sns.fail_entries(duewatch_stack::sns::SnsFault::InternalError { count: 3 });
    let services = world.services(intake::NAME);
    assert_eq!(take_messages(&services, &told).await, ["m-0"], "the queue brings it again");
    assert_eq!(world.sent_to("archive").len(), 0);
    assert_eq!(take_messages(&services, &told).await, [""; 0]);
    assert_eq!(world.sent_to("archive").len(), 1, "though the profile knows it");
}
