//! Whoever may write the tables rewrites a history and hashes it anew. The anchors say what it was.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use duewatch_cli::audit::audit;
use duewatch_domain::kernel::Revision;
use duewatch_store::{Anchor, AnchorWitness, HistoryEntry, PrivateKey, VerifyingKey};
use duewatch_tests::support::{KEEPING, STANDARD, World, anchor, id, instant, policy_text};
use rstest::rstest;
use serde_json::Value;

use super::super::history::{OPENED_AT, four_revisions_under, sha256_of};

const FIRST_DAY: &str = "2023-10-09";

/// A history of four revisions, anchored on 9 and 10 October 2023.
async fn anchored() -> World {
    let (world, records) = four_revisions_under(STANDARD).await;
    assert!(world.record(&records).await.is_empty());
    for at in ["2023-10-10T06:00:00Z", "2023-10-11T06:00:00Z"] {
        world.set(at);
        assert_eq!(anchor(&world.services(anchor_history::NAME)).await.anchored, 1);
    }
    world
}

/// The public key that the lender keeps beside the tables.
fn key() -> VerifyingKey {
    duewatch_stack::local_anchor_key().unwrap().public_key()
}

/// What `duewatch audit` prints, or the sentences with which it fails.
async fn audited(world: &World, keys: &[VerifyingKey]) -> Result<String, String> {
    audited_by(world, AnchorWitness { keys: keys.to_vec(), digests: Vec::new() }).await
}

async fn audited_by(world: &World, witness: AnchorWitness) -> Result<String, String> {
    let mut out = Vec::new();
    let ended = audit(world.store(), &id("A-1"), &witness, world.now(), &mut out).await;
    ended.map(|()| String::from_utf8(out).unwrap()).map_err(|error| error.to_string())
}

async fn must_find(world: &World, sentence: &str) {
    let found = audited(world, &[key()]).await.unwrap_err();
    assert!(found.contains(sentence), "{found}");
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

async fn delete(world: &World, table: &str, pk: &str, sk: &str) {
    let delete = world.client().delete_item().table_name(table).key("pk", text(pk)).key("sk", text(sk));
    delete.send().await.unwrap();
}

/// Puts a history in the place of the one that is there, each entry hashed anew over the one below.
async fn rewrite(world: &World, entries: Vec<HistoryEntry>) {
    let history = &world.store().tables().history;
    for entry in world.history("A-1").await {
        delete(world, history, "history#A-1", &format!("{:020}", entry.revision.0)).await;
    }
    let (mut follows, mut previous) = (Revision(0), "0".repeat(64));
    for entry in entries {
        let hash = sha256_of(&format!("{previous}\n{}", entry.entry));
        let item = HashMap::from([
            ("pk".to_owned(), text("history#A-1")),
            ("sk".to_owned(), text(format!("{:020}", entry.revision.0))),
            ("entry".to_owned(), text(entry.entry)),
            ("follows".to_owned(), AttributeValue::N(follows.to_string())),
            ("previous".to_owned(), text(previous)),
            ("hash".to_owned(), text(hash.clone())),
        ]);
        world.client().put_item().table_name(history).set_item(Some(item)).send().await.unwrap();
        (follows, previous) = (entry.revision, hash);
    }
}

/// The entry with one field of its text set.
fn with(entry: &HistoryEntry, field: &str, value: Value) -> HistoryEntry {
    let mut said: Value = serde_json::from_str(&entry.entry).unwrap();
    said[field] = value;
    HistoryEntry { entry: said.to_string(), ..entry.clone() }
}

#[tokio::test]
async fn a_history_that_nobody_touched_is_anchored_since_its_first_day() {
    let world = anchored().await;
    let out = audited(&world, &[key()]).await.unwrap();
    assert!(out.ends_with("anchored since 2023-10-09\n"), "{out}");
    let believed = audited(&world, &[]).await.unwrap();
    assert!(believed.contains(&format!("the anchors name the key {}", key())), "{believed}");
}

#[tokio::test]
async fn a_revision_of_today_is_not_taken_for_anchored() {
    let mut world = anchored().await;
    world.pay("A-1", "P-9", "1.00").await;
    let payments = world.payment_records().await;
    assert!(world.post(&payments).await.is_empty());
    world.record_all().await;
    let out = audited(&world, &[key()]).await.unwrap();
    assert!(out.contains("up to revision 4; the rest is not anchored yet"), "{out}");
    world.set("2023-10-12T06:00:00Z");
    anchor(&world.services(anchor_history::NAME)).await;
    let out = audited(&world, &[key()]).await.unwrap();
    assert!(out.ends_with("anchored since 2023-10-09\n"), "{out}");
}

#[tokio::test]
async fn no_amount_is_forged_by_hashing_the_chain_anew() {
    let world = anchored().await;
    let mut entries = world.history("A-1").await;
    entries[1].entry = entries[1].entry.replace("10.00", "90.00");
    rewrite(&world, entries).await;
    must_find(&world, "revision 4: the entry is not the one that was anchored on 2023-10-09").await;
}

#[tokio::test]
async fn the_earliest_entries_do_not_expire_because_a_forger_says_so() {
    let world = anchored().await;
    let entries = world.history("A-1").await;
    let forged = with(&entries[2], "kept_below_until", "2023-10-01T00:00:00Z".into());
    rewrite(&world, vec![forged, entries[3].clone()]).await;
    must_find(&world, "revision 4: the entry is not the one that was anchored on 2023-10-09").await;
}

#[tokio::test]
async fn the_newest_entries_are_not_cut_off() {
    let world = anchored().await;
    let mut entries = world.history("A-1").await;
    entries.truncate(2);
    rewrite(&world, entries).await;
    must_find(&world, "the history ends at revision 2; revision 4 was anchored on 2023-10-09").await;
}

#[tokio::test]
async fn an_entry_of_an_anchored_day_is_not_added_afterwards() {
    let world = anchored().await;
    let mut entries = world.history("A-1").await;
    let mut more = with(&entries[3], "at", "2023-10-10T00:00:00Z".into());
    more.revision = Revision(5);
    entries.push(with(&more, "revision", 5.into()));
    rewrite(&world, entries).await;
    must_find(&world, "revision 5: no anchor up to 2023-10-10 vouches for the entry").await;
}

async fn anchors_table(world: &World) -> String {
    world.store().tables().anchors.clone()
}

#[rstest]
#[case::the_first("2023-10-09", "the anchor of 2023-10-10 is not the one that follows the anchor before it")]
#[case::all("", "there is no anchor")]
#[tokio::test]
async fn no_anchor_is_removed(#[case] day: &str, #[case] sentence: &str) {
    let world = anchored().await;
    let table = anchors_table(&world).await;
    for one in ["2023-10-09", "2023-10-10"].iter().filter(|one| one.starts_with(day)) {
        delete(&world, &table, "days", one).await;
    }
    must_find(&world, sentence).await;
}

#[tokio::test]
async fn the_latest_anchors_are_not_cut_off_for_long() {
    let world = anchored().await;
    world.set("2023-10-14T00:00:00Z");
    must_find(&world, "there is no anchor since that of 2023-10-10").await;
}

#[tokio::test]
async fn no_chain_is_taken_out_of_an_anchor() {
    let world = anchored().await;
    let table = anchors_table(&world).await;
    let parts = world.client().scan().table_name(&table).send().await.unwrap().items.unwrap();
    let part = parts.iter().find(|part| part.contains_key("chains")).unwrap();
    delete(&world, &table, part["pk"].as_s().unwrap(), part["sk"].as_s().unwrap()).await;
    must_find(&world, "the anchor of 2023-10-09 does not list the chains that were signed").await;
}

#[tokio::test]
async fn no_anchor_is_made_anew_without_the_key() {
    let world = anchored().await;
    let table = anchors_table(&world).await;
    let forger = PrivateKey::parse(&"42".repeat(32)).unwrap();
    let anchors = world.store().anchors().await.unwrap();
    let shards: Vec<_> = anchors[1]
        .shards
        .iter()
        .map(|root| duewatch_store::ShardAnchor { root: root.clone(), lines: 0 })
        .collect();
    let forged = Anchor::new(anchors[1].day, &shards, Some(&anchors[0]), &forger);
    delete(&world, &table, "days", "2023-10-10").await;
    assert!(world.store().put_anchor(&forged).await.unwrap());
    must_find(&world, "the anchor of 2023-10-10 is not signed by the key").await;
    assert!(audited(&world, &[]).await.is_err(), "nor by the key of the anchors before");
}

#[tokio::test]
async fn no_day_is_signed_anew_over_a_forged_history_unseen() {
    let world = anchored().await;
    let digest = world.store().anchors().await.unwrap()[1].digest();
    let witness = AnchorWitness { keys: vec![key()], digests: vec![digest.clone()] };
    audited_by(&world, witness.clone()).await.unwrap();
    // The forger removes every anchor, rewrites the history, and lets the function sign it.
    let table = anchors_table(&world).await;
    for item in world.client().scan().table_name(&table).send().await.unwrap().items.unwrap() {
        delete(&world, &table, item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap()).await;
    }
    let mut entries = world.history("A-1").await;
    entries[1].entry = entries[1].entry.replace("10.00", "90.00");
    rewrite(&world, entries).await;
    assert_eq!(anchor(&world.services(anchor_history::NAME)).await.anchored, 1);
    let found = audited_by(&world, witness).await.unwrap_err();
    assert!(found.contains(&format!("no anchor has the digest {digest}, which went out")), "{found}");
}

#[tokio::test]
async fn a_run_that_is_repeated_or_cut_off_makes_no_other_anchor() {
    let world = anchored().await;
    let services = world.services(anchor_history::NAME);
    let before = world.store().anchors().await.unwrap();
    assert_eq!(anchor(&services).await.anchored, 0);
    // The run was cut off before it put the anchor: its shards are there.
    let sent = world.sent_to("operations");
    delete(&world, &anchors_table(&world).await, "days", "2023-10-10").await;
    assert_eq!(anchor(&services).await.anchored, 1);
    assert_eq!(world.store().anchors().await.unwrap(), before);
    let again = world.sent_to("operations");
    assert_eq!(again[0].id(), sent[1].id());
    assert_eq!(again[0].body["data"]["reason"], sent[1].body["data"]["reason"]);
}

#[tokio::test]
async fn missed_days_are_anchored_one_by_one_and_each_digest_goes_out() {
    let world = anchored().await;
    let _ = world.sent_to("operations");
    world.set("2023-10-15T06:00:00Z");
    let report = anchor(&world.services(anchor_history::NAME)).await;
    assert_eq!((report.anchored, report.days_behind), (4, 0));
    let sent = world.sent_to("operations");
    let anchors = world.store().anchors().await.unwrap();
    assert_eq!(sent.len(), 4);
    for (message, anchor) in sent.iter().zip(&anchors[2..]) {
        assert_eq!(message.body["data"]["kind"], "history_anchored");
        assert_eq!(message.body["data"]["subject"], anchor.day.to_string());
        assert!(message.body["data"]["reason"].as_str().unwrap().contains(&anchor.digest()));
    }
}

/// A policy that keeps entries for 30 days.
async fn kept_for_a_month() -> World {
    let world = World::at(OPENED_AT).await;
    let text = policy_text(KEEPING).replace("1825", "30").replace("1_825", "30");
    let text = text.replace("\"keeping\"", "\"short\"");
    world.publish(&text).await;
    world.open_under("short", "A-1").await;
    let mut world = world;
    world.set("2023-10-08T16:00:00Z");
    world.sweep().await;
    world.set("2023-10-09T03:00:00Z");
    world.record_all().await;
    world
}

#[tokio::test]
async fn what_expired_is_vouched_for_by_the_anchor_and_by_nothing_that_a_forger_writes() {
    let world = kept_for_a_month().await;
    world.set("2023-10-10T06:00:00Z");
    anchor(&world.services(anchor_history::NAME)).await;
    world.set("2023-11-09T06:00:00Z");
    anchor(&world.services(anchor_history::NAME)).await;
    let entries = world.history("A-1").await;
    assert_eq!(entries[0].expires_at, Some(instant("2023-10-01T00:00:00Z")));
    delete(&world, &world.store().tables().history, "history#A-1", &format!("{:020}", 1)).await;
    let out = audited(&world, &[key()]).await.unwrap();
    assert!(out.contains("what lay below has expired"), "{out}");
    assert!(out.ends_with(&format!("anchored since {FIRST_DAY}\n")), "{out}");

    // A forger who removes the entry and writes another expiry is found.
    let forged = with(&entries[1], "kept_below_until", "2023-09-15T00:00:00Z".into());
    rewrite(&world, vec![forged]).await;
    must_find(&world, "revision 2: the entry is not the one that was anchored on 2023-10-09").await;
}
