//! The history: one entry a revision, chained to the entry below it. A changed or deleted entry is detected.

use std::sync::LazyLock;

use aws_sdk_dynamodb::types::AttributeValue;
use duewatch_cli::audit::{AuditError, audit};
use duewatch_domain::Account;
use duewatch_domain::kernel::Revision;
use duewatch_domain::policy::Retention;
use duewatch_store::{AnchorWitness, HistoryBreak, HistoryEntry, Recorded, StoreError, verify_history};
use duewatch_tests::interrupt::Interrupt;
use duewatch_tests::support::{REMINDING, STANDARD, World, consumed, id, instant, record};
use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// The first instant of 9 October in Shanghai: five delinquent days.
pub(crate) const LIMITED_AT: &str = "2023-10-08T16:00:00Z";
pub(crate) const PAID_AT: &str = "2023-10-09T03:00:00Z";

/// A-1 is opened, pays a little, is limited, and pays the rest: four revisions.
pub(crate) async fn four_revisions_under(policy_id: &str) -> (World, Vec<Value>) {
    let mut world = World::at(OPENED_AT).await;
    world.open_under(policy_id, "A-1").await;
    world.pay_and_post("A-1", "P-1", "10.00").await;
    world.set(LIMITED_AT);
    world.sweep().await;
    world.set(PAID_AT);
    world.pay_and_post("A-1", "P-2", "240.00").await;
    let records = world.account_records().await;
    assert_eq!(records.len(), 4);
    (world, records)
}

async fn four_revisions() -> (World, Vec<Value>) {
    four_revisions_under(STANDARD).await
}

pub(crate) fn told(entry: &HistoryEntry) -> Value {
    serde_json::from_str(&entry.entry).unwrap()
}

fn revisions(entries: &[HistoryEntry]) -> Vec<(u64, u64)> {
    entries.iter().map(|entry| (entry.revision.0, entry.follows.0)).collect()
}

pub(crate) async fn breaks(world: &World) -> Vec<HistoryBreak> {
    verify_history(&world.history("A-1").await, &world.account("A-1").await, world.now()).unwrap()
}

#[tokio::test]
async fn each_revision_has_an_entry_that_says_what_it_brought() {
    let (world, records) = four_revisions().await;
    assert!(world.record(&records).await.is_empty());
    let entries = world.history("A-1").await;
    assert_eq!(revisions(&entries), [(1, 0), (2, 1), (3, 2), (4, 3)]);
    assert_eq!(breaks(&world).await, []);

    let facts: Vec<Value> = entries.iter().map(|entry| told(entry)["facts"].clone()).collect();
    assert_eq!(
        facts,
        [
            json!({ "installments": [1, 2, 3, 4], "due": { "to": "1000.00" } }),
            json!({ "payments": [{ "payment_id": "P-1", "amount": "10.00" }] }),
            json!({}),
            json!({ "payments": [{ "payment_id": "P-2", "amount": "240.00" }] }),
        ]
    );
    assert!(entries.iter().all(|entry| told(entry).get("messages").is_none()), "none came by a message");
    let limited = told(&entries[2]);
    assert_eq!(limited["at"], LIMITED_AT);
    assert_eq!((&limited["stage"], &limited["policy"]["id"]), (&json!("limited"), &json!("standard")));
    assert_eq!(limited["restrictions"][0]["kind"], "limit_credit_line");
    assert_eq!(limited["decision"]["event_id"], "A-1/3");
    assert_eq!(limited["decision"]["figures"]["overdue"], "240.00");
    assert_eq!(told(&entries[1]).get("decision"), None);
}

#[tokio::test]
async fn an_entry_names_whom_its_revision_wants_contacted() {
    let mut world = World::at(OPENED_AT).await;
    world.open_under(REMINDING, "A-1").await;
    world.set("2023-09-28T02:00:00Z");
    world.sweep().await;
    world.record_all().await;
    let wishes = told(&world.history("A-1").await[1])["intents"].clone();
    let due_soon = json!({ "channel": "app", "template": "due_soon", "planned_at": "2023-09-28T02:00:00Z" });
    assert_eq!(wishes, json!([due_soon]));
}

#[tokio::test]
async fn records_that_are_delivered_again_write_nothing_and_alert_nowhere() {
    let (world, records) = four_revisions().await;
    world.record(&records).await;
    let before = world.history("A-1").await;
    let again = world.services(record_history::NAME);
    assert!(record(&again, &records).await.is_empty());
    assert_eq!(world.history("A-1").await, before);
    let store = again.transitions.store();
    assert_eq!(consumed(store, "PutItem", &store.tables().history).requests, 0);
    assert!(world.sent_to("operations").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_deliveries_that_race_leave_one_entry() {
    let (world, records) = four_revisions().await;
    let (other, all) = (world.services(record_history::NAME), records.clone());
    let table = world.store().tables().history.clone();
    let interrupt = Interrupt::before("PutItem", &table, 1, move || {
        let (other, all) = (other.clone(), all.clone());
        async move { assert!(record(&other, &all).await.is_empty()) }
    });
    let function = world.services_interrupted(record_history::NAME, interrupt.clone());
    assert!(record(&function, &records).await.is_empty());
    assert_eq!(interrupt.left(), 0);
    assert_eq!(revisions(&world.history("A-1").await), [(1, 0), (2, 1), (3, 2), (4, 3)]);
    assert_eq!(breaks(&world).await, []);
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn a_revision_that_never_came_is_a_gap_that_alerts_once_and_is_filled_when_it_comes() {
    let (world, records) = four_revisions().await;
    let without: Vec<Value> = [0, 2, 3].map(|place| records[place].clone()).into();
    assert!(world.record(&without).await.is_empty());
    assert_eq!(revisions(&world.history("A-1").await), [(1, 0), (3, 1), (4, 3)]);
    assert_eq!(breaks(&world).await, [HistoryBreak::Missing { from: Revision(2), to: Revision(2) }]);
    let told = world.sent_to("operations");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].body["data"]["kind"], "history_gap");
    assert_eq!(told[0].body["data"]["subject"], "A-1/3");

    assert!(world.record(&records[1..2]).await.is_empty());
    assert_eq!(revisions(&world.history("A-1").await), [(1, 0), (2, 1), (3, 1), (4, 3)]);
    assert_eq!(breaks(&world).await, []);
    assert!(world.sent_to("operations").is_empty());
}

#[tokio::test]
async fn the_first_entries_may_be_missing_too() {
    let (world, records) = four_revisions().await;
    assert!(world.record(&records[2..]).await.is_empty());
    assert_eq!(revisions(&world.history("A-1").await), [(3, 0), (4, 3)]);
    assert_eq!(breaks(&world).await, [HistoryBreak::Missing { from: Revision(1), to: Revision(2) }]);
}

#[tokio::test]
async fn a_repair_from_the_table_and_the_record_that_comes_after_it_are_one_entry() {
    let (world, records) = four_revisions().await;
    assert!(world.record(&records[..3]).await.is_empty());
    let account = world.account("A-1").await;
    let store = world.store();
    assert_eq!(store.history_head(&id("A-1")).await.unwrap(), Some(Revision(3)));
    let judged_at = account.status.last_assessed_at.unwrap();
    let repaired =
        store.record_revision(None, &account, judged_at, world.now(), Retention::default()).await.unwrap();
    assert_eq!(repaired, Recorded::New { gap: false });
    assert_eq!(store.history_head(&id("A-1")).await.unwrap(), Some(Revision(4)));
    let before = world.history("A-1").await;
    assert_eq!(told(&before[3])["facts"], Value::Null, "nobody has seen the image before");

    assert!(world.record(&records[3..]).await.is_empty());
    assert_eq!(
        store
            .record_revision(None, &account, instant(PAID_AT), world.now(), Retention::default())
            .await
            .unwrap(),
        Recorded::Known
    );
    assert_eq!(world.history("A-1").await, before);
    assert_eq!(breaks(&world).await, []);
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn an_account_without_a_history_has_no_head() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    assert_eq!(world.store().history_head(&id("A-1")).await.unwrap(), None);
    assert_eq!(breaks(&world).await, [HistoryBreak::Behind { history: Revision(0), account: Revision(1) }]);
}

#[tokio::test]
async fn another_account_under_a_revision_that_is_recorded_is_quarantined() {
    let (world, mut records) = four_revisions().await;
    world.record(&records).await;
    let before = world.history("A-1").await;
    records[3]["dynamodb"]["NewImage"]["payments"]["L"][0]["M"]["amount"] = json!({ "S": "11.00" });
    assert!(world.record(&records[3..]).await.is_empty());
    assert_eq!(world.history("A-1").await, before);
    let quarantined = world.quarantined().await;
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0].source, record_history::NAME);
    assert_eq!(quarantined[0].reason, "the history of account A-1 says something else of revision 4");
}

#[tokio::test]
async fn a_record_that_is_no_account_is_quarantined_and_the_rest_is_recorded() {
    let (world, mut records) = four_revisions().await;
    records[1]["dynamodb"]["NewImage"]["schema"] = json!({ "N": "2" });
    assert!(world.record(&records).await.is_empty());
    assert_eq!(revisions(&world.history("A-1").await), [(1, 0), (3, 1), (4, 3)]);
    assert_eq!(world.quarantined().await.len(), 1);
}

#[tokio::test]
async fn an_account_that_only_lost_its_place_in_the_index_is_known_and_verifies() {
    let (mut world, records) = four_revisions().await;
    world.record(&records).await;
    let due = world.due_by("2099-01-01T00:00:00Z").await;
    world.store().drop_due_entry(&due[0]).await.unwrap();
    let dropped = world.account_records().await;
    assert_eq!(dropped.len(), 1);
    let before = world.history("A-1").await;
    assert!(world.record(&dropped).await.is_empty());
    assert_eq!(world.history("A-1").await, before);
    assert_eq!(breaks(&world).await, []);
    // A repair of the current revision finds the entry too.
    let account = world.account("A-1").await;
    assert_eq!(
        world
            .store()
            .record_revision(None, &account, world.now(), world.now(), Retention::default())
            .await
            .unwrap(),
        Recorded::Known
    );
}

#[tokio::test]
async fn while_the_table_is_down_records_are_reported_and_nothing_is_recorded() {
    let (world, records) = four_revisions().await;
    let nowhere = "http://127.0.0.1:9";
    let client = aws_sdk_dynamodb::Client::from_conf(
        world.client().config().to_builder().endpoint_url(nowhere).build(),
    );
    let function = world.services_over(record_history::NAME, client);
    let first = records[0]["dynamodb"]["SequenceNumber"].as_str().unwrap();
    assert_eq!(record(&function, &records).await, [first]);
    assert_eq!(world.history("A-1").await, []);
}

#[tokio::test]
async fn the_stack_records_what_its_functions_write() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let mut world = world;
    world.stack.drain().await.unwrap();
    world.set(LIMITED_AT);
    world.sweep().await;
    world.stack.drain().await.unwrap();
    assert_eq!(revisions(&world.history("A-1").await), [(1, 0), (2, 1)]);
    assert_eq!(breaks(&world).await, []);
}

/// The output of `audit`, and its result.
async fn audited(world: &World, account_id: &str) -> (String, Result<(), AuditError>) {
    let mut out = Vec::new();
    let ended = audit(world.store(), &id(account_id), &AnchorWitness::default(), world.now(), &mut out).await;
    (String::from_utf8(out).unwrap(), ended)
}

#[tokio::test]
async fn audit_tells_each_entry_and_that_all_is_well() {
    let (world, records) = four_revisions().await;
    world.record(&records).await;
    let (out, ended) = audited(&world, "A-1").await;
    ended.unwrap();
    let hashes: Vec<String> =
        world.history("A-1").await.iter().map(|entry| entry.hash[..12].to_owned()).collect();
    let expected = format!(
        "       1  2023-09-01T00:00:00Z  current                       {}
       2  2023-09-01T00:00:00Z  current                       {}
       3  2023-10-08T16:00:00Z  current -> limited            {}
       4  2023-10-09T03:00:00Z  limited -> current            {}
4 of 4 revisions are there, unchanged; the account is what the last one says
no anchor vouches for the history yet
",
        hashes[0], hashes[1], hashes[2], hashes[3]
    );
    assert_eq!(out, expected);
}

#[tokio::test]
async fn audit_of_what_was_tampered_with_ends_with_each_break() {
    let (world, records) = four_revisions().await;
    world.record(&records[1..]).await;
    let table = &world.store().tables().history;
    let entry = world.history("A-1").await.remove(1);
    world
        .client()
        .update_item()
        .table_name(table)
        .key("pk", AttributeValue::S("history#A-1".to_owned()))
        .key("sk", AttributeValue::S(format!("{:020}", entry.revision.0)))
        .update_expression("SET entry = :entry")
        .expression_attribute_values(
            ":entry",
            AttributeValue::S(entry.entry.replace("\"limited\"", "\"late\"")),
        )
        .send()
        .await
        .unwrap();
    world.tamper("A-1", "customer_id", AttributeValue::S("C-2".to_owned())).await;
    let (out, ended) = audited(&world, "A-1").await;
    assert_eq!(out.lines().count(), 3, "{out}");
    assert_eq!(
        ended.unwrap_err().to_string(),
        "the history of account A-1 does not verify:
  revisions 1 to 1 are missing
  revision 3: the entry is not what its hash was taken of
  revision 4: the account is not the one that the entry was made of"
    );
}

#[tokio::test]
async fn audit_of_no_account_says_so() {
    let world = World::at(OPENED_AT).await;
    let (_, ended) = audited(&world, "A-9").await;
    assert_eq!(ended.unwrap_err().to_string(), "there is no account A-9");
}

#[tokio::test]
async fn a_history_longer_than_a_page_is_read_whole() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    for number in 0..120 {
        world.pay("A-1", &format!("P-{number:03}"), "0.01").await;
    }
    let payments = world.payment_records().await;
    for batch in payments.chunks(100) {
        assert!(world.post(batch).await.is_empty());
    }
    let records = world.account_records().await;
    for batch in records.chunks(100) {
        assert!(world.record(batch).await.is_empty());
    }
    assert_eq!(world.history("A-1").await.len(), 121);
    let (out, ended) = audited(&world, "A-1").await;
    ended.unwrap();
    assert!(
        out.contains("121 of 121 revisions are there, unchanged; the account is what the last one says\n")
    );
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_named() {
    let (world, records) = four_revisions().await;
    world.record(&records).await;
    world
        .client()
        .update_item()
        .table_name(&world.store().tables().history)
        .key("pk", AttributeValue::S("history#A-1".to_owned()))
        .key("sk", AttributeValue::S(format!("{:020}", 2)))
        .update_expression("REMOVE previous")
        .send()
        .await
        .unwrap();
    let error = audited(&world, "A-1").await.1.unwrap_err();
    assert!(matches!(error, AuditError::Store(StoreError::Codec { .. })), "{error}");
    assert!(error.to_string().contains("history#A-1"), "{error}");
}

/// A history of four revisions, with its account.
static WHOLE: LazyLock<(Vec<HistoryEntry>, Account)> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let (world, records) = four_revisions().await;
        world.record(&records).await;
        (world.history("A-1").await, world.account("A-1").await)
    })
});

fn any_entry() -> impl Strategy<Value = usize> {
    0..4_usize
}

/// A text with one character replaced.
fn altered(text: &str, place: usize, by: char) -> String {
    let place = place % text.len();
    let mut bytes = text.as_bytes().to_vec();
    bytes[place] = if bytes[place] == by as u8 { b'~' } else { by as u8 };
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_entry_that_is_changed_is_found(
        which in any_entry(), field in 0..4_usize, place in 0..10_000_usize, by in "[ -z]",
    ) {
        let (mut entries, account) = WHOLE.clone();
        let by = by.chars().next().unwrap();
        let entry = &mut entries[which];
        match field {
            0 => entry.entry = altered(&entry.entry, place, by),
            1 => entry.previous = altered(&entry.previous, place, by),
            2 => entry.hash = altered(&entry.hash, place, by),
            _ => entry.follows = Revision(entry.follows.0 + 1 + place as u64),
        }
        prop_assert_ne!(verify_history(&entries, &account, instant(PAID_AT)).unwrap(), []);
    }

    #[test]
    fn any_entry_below_the_newest_that_is_made_anew_is_found(
        which in 0..3_usize, place in 0..10_000_usize, by in "[ -z]",
    ) {
        let (mut entries, account) = WHOLE.clone();
        let entry = &mut entries[which];
        entry.entry = altered(&entry.entry, place, by.chars().next().unwrap());
        entry.hash = sha256(&entry.previous, &entry.entry);
        let breaks = verify_history(&entries, &account, instant(PAID_AT)).unwrap();
        let above = HistoryBreak::PreviousDiffers {
            revision: Revision(which as u64 + 2),
            follows: Revision(which as u64 + 1),
        };
        prop_assert!(breaks.contains(&above), "{:?}", breaks);
    }

    #[test]
    fn any_entries_that_are_taken_away_are_found(kept in proptest::collection::vec(any::<bool>(), 4)) {
        prop_assume!(kept.contains(&false));
        let (entries, account) = WHOLE.clone();
        let entries: Vec<HistoryEntry> =
            entries.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(entry, _)| entry).collect();
        prop_assert_ne!(verify_history(&entries, &account, instant(PAID_AT)).unwrap(), []);
    }

    #[test]
    fn any_entry_that_takes_the_place_of_another_is_found(from in any_entry(), to in any_entry()) {
        prop_assume!(from != to);
        let (mut entries, account) = WHOLE.clone();
        entries[to] = HistoryEntry { revision: entries[to].revision, ..entries[from].clone() };
        prop_assert_ne!(verify_history(&entries, &account, instant(PAID_AT)).unwrap(), []);
    }
}

fn sha256(previous: &str, entry: &str) -> String {
    sha256_of(&format!("{previous}\n{entry}"))
}

pub(crate) fn sha256_of(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_hash_is_the_one_that_anybody_can_take_again() {
    let (entries, account) = WHOLE.clone();
    assert_eq!(verify_history(&entries, &account, instant(PAID_AT)).unwrap(), []);
    assert_eq!(entries[0].previous, "0".repeat(64));
    for (below, entry) in entries.iter().zip(&entries[1..]) {
        assert_eq!(entry.previous, below.hash);
        assert_eq!(entry.hash, sha256(&entry.previous, &entry.entry));
    }
}

#[test]
fn a_history_that_is_ahead_of_an_account_that_was_put_back_is_found() {
    let (entries, mut account) = WHOLE.clone();
    account.revision = Revision(2);
    assert_eq!(
        verify_history(&entries, &account, instant(PAID_AT)).unwrap(),
        [HistoryBreak::Ahead { history: Revision(4), account: Revision(2) }]
    );
}
