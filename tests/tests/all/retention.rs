//! History is kept for as long as the account's policy says, and then may expire. An expired entry is told
//! apart from a deleted one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use duewatch_cli::audit::audit;
use duewatch_cli::customer::{erase, export};
use duewatch_domain::kernel::Revision;
use duewatch_domain::policy;
use duewatch_store::{AnchorWitness, HistoryBreak, HistoryEntry, verify_history};
use duewatch_tests::support::{KEEPING, STANDARD, World, id, instant, message, policy_text, take_messages};
use rstest::rstest;

use super::history::{OPENED_AT, PAID_AT, four_revisions_under};

/// Each 1,825 days after a revision was written: the first two, the third, the fourth.
const FIRST_UNTIL: &str = "2028-08-30T00:00:00Z";
const SECOND_UNTIL: &str = "2028-10-06T16:00:00Z";
const THIRD_UNTIL: &str = "2028-10-07T03:00:00Z";

type RecordItem = HashMap<String, AttributeValue>;

fn expiries(entries: &[HistoryEntry]) -> Vec<Option<DateTime<Utc>>> {
    entries.iter().map(|entry| entry.expires_at).collect()
}

/// The expiry of an item.
fn expiry(item: &RecordItem) -> Option<DateTime<Utc>> {
    let seconds = item.get("expires_at")?.as_n().unwrap().parse().unwrap();
    DateTime::from_timestamp(seconds, 0)
}

/// Deletes an entry of A-1's history, as DynamoDB or an intruder does.
async fn delete_entry(world: &World, revision: u64) {
    world
        .client()
        .delete_item()
        .table_name(&world.store().tables().history)
        .key("pk", AttributeValue::S("history#A-1".to_owned()))
        .key("sk", AttributeValue::S(format!("{revision:020}")))
        .send()
        .await
        .unwrap();
}

async fn breaks(world: &World) -> Vec<HistoryBreak> {
    verify_history(&world.history("A-1").await, &world.account("A-1").await, world.now()).unwrap()
}

#[tokio::test]
async fn each_entry_is_kept_five_years_from_its_writing_on() {
    let (world, records) = four_revisions_under(KEEPING).await;
    for _delivered in 0..2 {
        assert!(world.record(&records).await.is_empty());
    }
    let until = [FIRST_UNTIL, FIRST_UNTIL, SECOND_UNTIL, THIRD_UNTIL].map(|until| Some(instant(until)));
    let entries = world.history("A-1").await;
    assert_eq!(expiries(&entries), until);
    let stored = world.items_in(&world.store().tables().history, "history#A-1", "").await;
    assert_eq!(stored.iter().map(expiry).collect::<Vec<_>>(), until, "from the put on");
    let told: Vec<_> = entries[1..].iter().map(|entry| entry.content().unwrap().kept_below_until).collect();
    assert_eq!(told, until[..3], "and the next one says it");
    assert_eq!(breaks(&world).await, []);
}

#[tokio::test]
async fn without_a_retention_nothing_of_an_account_expires() {
    let (world, records) = four_revisions_under(STANDARD).await;
    assert!(world.record(&records).await.is_empty());
    let entries = world.history("A-1").await;
    assert_eq!(expiries(&entries), [None; 4]);
    assert!(entries.iter().all(|entry| !entry.entry.contains("kept_below_until")));
}

#[rstest]
#[case::the_first(0, FIRST_UNTIL)]
#[case::one_between(2, SECOND_UNTIL)]
#[tokio::test]
async fn an_entry_that_comes_late_is_kept_from_its_writing_on_too(#[case] late: usize, #[case] until: &str) {
    let (world, mut records) = four_revisions_under(KEEPING).await;
    let record = records.remove(late);
    assert!(world.record(&records).await.is_empty());
    assert!(world.record(&[record]).await.is_empty());
    let entries = world.history("A-1").await;
    assert_eq!(entries[late].expires_at, Some(instant(until)));
    assert_eq!(breaks(&world).await, []);
}

#[tokio::test]
async fn what_the_reconciler_has_filled_in_is_kept_from_its_writing_on() {
    let (mut world, records) = four_revisions_under(KEEPING).await;
    assert!(world.record(&records[..3]).await.is_empty());
    world.set("2023-10-09T12:00:00Z");
    assert!(world.reconcile().await.history_behind > 0);
    world.record_all().await;
    let entries = world.history("A-1").await;
    assert_eq!(expiries(&entries)[2..4], [Some(instant(SECOND_UNTIL)), Some(instant(THIRD_UNTIL))]);
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_lets_nothing_go_and_loses_nothing() {
    let (world, records) = four_revisions_under(KEEPING).await;
    let key = duewatch_stack::local_policy_key().unwrap();
    let newer = policy_text(KEEPING).replace("version = 1", "version = 2");
    world.store().install_policy(&policy::parse(&newer).unwrap(), "no policy", &key).await.unwrap();
    assert!(world.record(&records).await.is_empty());
    assert_eq!(expiries(&world.history("A-1").await), [None; 4]);
    assert_eq!(world.quarantined().await, []);
}

/// Any missing entries, at every instant at which one expires: a missing entry is a break unless it has
/// expired.
#[tokio::test]
async fn what_has_had_its_time_may_be_missing_and_nothing_else() {
    let (world, records) = four_revisions_under(KEEPING).await;
    world.record(&records).await;
    let (entries, account) = (world.history("A-1").await, world.account("A-1").await);
    let second_before = |until: &str| instant(until) - chrono::TimeDelta::seconds(1);
    let times = [FIRST_UNTIL, SECOND_UNTIL, THIRD_UNTIL].map(|until| [second_before(until), instant(until)]);
    for now in times.concat() {
        for kept in 0..16_u32 {
            let is_kept = |entry: &&HistoryEntry| kept & (1 << (entry.revision.0 - 1)) != 0;
            let left: Vec<HistoryEntry> = entries.iter().filter(is_kept).cloned().collect();
            let has_ended = |entry: &HistoryEntry| entry.expires_at.is_some_and(|until| until <= now);
            // The newest one is renewed before.
            let may_go = |entry: &HistoryEntry| entry.revision < Revision(4) && has_ended(entry);
            let expected = entries.iter().all(|entry| is_kept(&entry) || may_go(entry));
            let breaks = verify_history(&left, &account, now).unwrap();
            assert_eq!(breaks.is_empty(), expected, "{kept:04b} at {now}: {breaks:?}");
        }
    }
}

#[tokio::test]
async fn audit_says_from_which_revision_on_an_expired_history_is_known() {
    let (world, records) = four_revisions_under(KEEPING).await;
    world.record(&records).await;
    // The second is gone, the first is about to expire: DynamoDB keeps no order.
    delete_entry(&world, 2).await;
    world.set(FIRST_UNTIL);
    assert_eq!(breaks(&world).await, []);
    let mut out = Vec::new();
    audit(world.store(), &id("A-1"), &AnchorWitness::default(), world.now(), &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out.lines().count(), 5, "{out}");
    assert!(
        out.contains(
            "revisions 3 to 4 are there, unchanged; what lay below has expired; \
             the account is what the last one says\n\
             no anchor vouches for the history yet; no anchor vouches for what has expired\n"
        ),
        "{out}"
    );
    // A gap above the oldest kept entry is a break, and so is an entry deleted before it expires.
    delete_entry(&world, 1).await;
    delete_entry(&world, 3).await;
    let missing = HistoryBreak::Missing { from: Revision(1), to: Revision(3) };
    assert_eq!(breaks(&world).await, [missing]);
}

/// An account that is paid whole: nothing happens to it any more.
async fn at_rest() -> World {
    let mut world = World::at(OPENED_AT).await;
    world.open_under(KEEPING, "A-1").await;
    world.pay_and_post("A-1", "P-1", "1000.00").await;
    world.record_all().await;
    world
}

async fn places(world: &World) -> Vec<String> {
    let items = world.items_in(&world.store().tables().history, "history#A-1", "").await;
    items.iter().map(|item| item["sk"].as_s().unwrap().trim_start_matches('0').to_owned()).collect()
}

#[tokio::test]
async fn the_newest_entry_of_an_account_at_rest_is_put_once_more_before_it_expires() {
    let mut world = at_rest().await;
    for (at, stored) in [
        ("2028-07-30T00:00:00Z", &["1", "2"][..]),
        ("2028-07-31T00:00:00Z", &["1", "2", "2#2028-07-31"]),
        // The copy has five years of its own.
        ("2028-08-01T00:00:00Z", &["1", "2", "2#2028-07-31"]),
    ] {
        world.set(at);
        assert_eq!(world.reconcile().await.history_behind, 0, "nothing is missing");
        world.record_all().await;
        assert_eq!(places(&world).await, stored, "{at}");
    }
    let entries = world.history("A-1").await;
    assert_eq!(expiries(&entries), [Some(instant(FIRST_UNTIL)), Some(instant("2033-07-30T00:00:00Z"))]);
    assert_eq!(breaks(&world).await, []);
    // The other two expire, and the chain goes on from the copy.
    for revision in 1..=2 {
        delete_entry(&world, revision).await;
    }
    world.set("2029-01-01T00:00:00Z");
    assert_eq!(world.store().history_head(&id("A-1")).await.unwrap(), Some(Revision(2)));
    assert_eq!(breaks(&world).await, []);
    drop(world.sent());
    let pause =
        message("E-1", world.now(), "A-1", "pause_started", r#""from":"2028-12-01","until":"2028-12-02""#);
    assert!(take_messages(&world.services(intake::NAME), &[pause]).await.is_empty());
    world.record_all().await;
    let entries = world.history("A-1").await;
    assert_eq!((entries[1].revision, entries[1].follows), (Revision(3), Revision(2)));
    assert_eq!(entries[1].content().unwrap().kept_below_until, Some(instant("2033-07-30T00:00:00Z")));
    assert_eq!(breaks(&world).await, []);
    assert_eq!(world.sent_to("operations"), [], "there is no gap");
}

#[tokio::test]
async fn an_entry_that_another_one_follows_is_not_renewed() {
    let (world, records) = four_revisions_under(KEEPING).await;
    assert!(world.record(&records).await.is_empty());
    world.set("2028-08-20T00:00:00Z");
    assert!(world.record(&records[..3]).await.is_empty());
    assert_eq!(places(&world).await, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn what_became_of_a_reminder_is_kept_three_years() {
    let mut world = World::at(OPENED_AT).await;
    world.open_under(KEEPING, "A-1").await;
    world.sweep_and_send("2023-09-28T02:00:00Z").await;
    let [sent] = world.sent_to("reminders").try_into().unwrap();
    let mut noted = world.records("customer#C-1", "said#").await;
    noted.extend(world.records(&format!("message#{}", sent.id()), "").await);
    assert_eq!(noted.len(), 2, "how the wish ended, and the message");
    for item in &noted {
        assert_eq!(expiry(item), Some(instant("2026-09-27T02:00:00Z")), "{item:?}");
    }
    assert_eq!(expiry(&world.records("account#A-1", "published").await[0]), None);
}

#[tokio::test]
async fn the_log_of_a_contact_point_is_kept_three_years_and_erased_all_the_same() {
    let world = World::at(PAID_AT).await;
    world.open_under(KEEPING, "A-1").await;
    let change = r#""channel":"sms","contact_point":"+8613800138000","name":"Li Wei","changed_by":"desk""#;
    let change = message("E-1", world.now(), "A-1", "contact_changed", change);
    assert!(take_messages(&world.services(intake::NAME), &[change]).await.is_empty());
    let until = Some(instant("2026-10-08T03:00:00Z"));
    let log = world.records("customer#C-1", "contact-log#").await;
    assert_eq!(log.iter().map(expiry).collect::<Vec<_>>(), [until]);
    assert_eq!(expiry(&world.records("customer#C-1", "contact#").await[0]), None, "it is in force");

    let customer = "C-1".parse().unwrap();
    let exported = export(world.store(), &customer, &[id("A-1")], "officer-7", world.now()).await.unwrap();
    // The contact point, its log, the contact profile, and the list of its accounts.
    assert_eq!(exported.records.len(), 4);
    erase(&world.services("duewatch"), &customer, "officer-8", world.now()).await.unwrap();
    let log = world.records("customer#C-1", "contact-log#").await;
    assert_eq!(expiry(&log[0]), until);
    assert!(!log[0].contains_key("to_contact_point"));
}

#[tokio::test]
async fn what_is_quarantined_stays_for_400_days_and_is_quarantined_anew_where_it_still_cannot_be_posted() {
    let mut world = World::at(PAID_AT).await;
    world.open("A-1").await;
    world.pay("A-1", "P-1", "0").await;
    world.payment_records().await;
    world.set("2023-10-10T12:00:00Z");
    world.reconcile().await;
    let until = Some(instant("2024-11-13T12:00:00Z"));
    let quarantined = world.records("quarantine#2023-10-10", "").await;
    let noted = world.records("account#A-1", "set-aside#").await;
    let expiries: Vec<_> = quarantined.iter().chain(&noted).map(expiry).collect();
    assert_eq!(expiries, [until, until]);

    for (pk, item) in [("quarantine#2023-10-10", &quarantined[0]), ("account#A-1", &noted[0])] {
        world
            .client()
            .delete_item()
            .table_name(&world.store().tables().records)
            .key("pk", AttributeValue::S(pk.to_owned()))
            .key("sk", item["sk"].clone())
            .send()
            .await
            .unwrap();
    }
    world.set("2024-11-14T00:00:00Z");
    world.reconcile().await;
    assert_eq!(world.quarantined().await.len(), 1);
}
