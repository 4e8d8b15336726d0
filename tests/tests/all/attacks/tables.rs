//! The history of an earlier release lies in the records table. A chain goes on from there, and nothing that is put
//! there afterwards takes the place of an entry.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use duewatch_cli::audit::audit;
use duewatch_domain::kernel::Revision;
use duewatch_store::{AnchorWitness, Recorded};
use duewatch_tests::support::{STANDARD, World, anchor, id};
use serde_json::Value;

use super::super::history::{breaks, four_revisions_under};

type EntryItem = HashMap<String, AttributeValue>;

async fn entries_in(world: &World, table: &str) -> Vec<EntryItem> {
    world.items_in(table, "history#A-1", "").await
}

async fn put(world: &World, table: &str, item: EntryItem) {
    world.client().put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
}

/// Four revisions, the first three of which an earlier release recorded. Returns the record of the fourth.
async fn upgraded() -> (World, Value) {
    let (world, mut records) = four_revisions_under(STANDARD).await;
    let newest = records.split_off(3).remove(0);
    assert!(world.record(&records).await.is_empty());
    let tables = world.store().tables().clone();
    for item in entries_in(&world, &tables.history).await {
        let delete = world.client().delete_item().table_name(&tables.history);
        delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
        put(&world, &tables.records, item).await;
    }
    assert_eq!(world.history("A-1").await.len(), 3, "they are read where they lie");
    (world, newest)
}

#[tokio::test]
async fn no_entry_of_an_earlier_release_is_lost_and_the_chain_goes_on_from_it() {
    let (world, newest) = upgraded().await;
    for _delivered in 0..2 {
        assert!(world.record(std::slice::from_ref(&newest)).await.is_empty());
    }
    let entries = world.history("A-1").await;
    let follows: Vec<u64> = entries.iter().map(|entry| entry.follows.0).collect();
    assert_eq!(follows, [0, 1, 2, 3]);
    assert_eq!(breaks(&world).await, []);
    assert_eq!(entries_in(&world, &world.store().tables().history).await.len(), 1, "and none is copied");
    assert_eq!(world.sent_to("operations"), [], "there is no gap");
}

#[tokio::test]
async fn what_an_earlier_release_recorded_is_not_recorded_again() {
    let (world, _) = upgraded().await;
    let mut account = world.account("A-1").await;
    account.revision = Revision(3);
    let head = world.store().entry_until(&id("A-1"), account.revision).await.unwrap().unwrap();
    assert_eq!(head.revision, Revision(3));
    assert_eq!(world.store().history_head(&id("A-1")).await.unwrap(), Some(Revision(3)));
}

#[tokio::test]
async fn the_day_of_the_upgrade_is_anchored_whole() {
    let (mut world, newest) = upgraded().await;
    assert!(world.record(&[newest]).await.is_empty());
    world.open("A-2").await;
    world.record_all().await;
    world.set("2023-10-10T06:00:00Z");
    assert_eq!(anchor(&world.services(anchor_history::NAME)).await.lines, 2, "of A-1 and of A-2");
    let mut out = Vec::new();
    audit(world.store(), &id("A-1"), &AnchorWitness::default(), world.now(), &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("4 of 4 revisions are there, unchanged"), "{out}");
    assert!(out.contains("anchored since 2023-10-09\n"), "{out}");
}

/// With the right to write records alone.
#[tokio::test]
async fn an_entry_that_is_put_among_the_records_takes_no_ones_place() {
    let (world, records) = four_revisions_under(STANDARD).await;
    assert!(world.record(&records).await.is_empty());
    let tables = world.store().tables().clone();
    let mut forged = entries_in(&world, &tables.history).await.remove(3);
    let text = forged["entry"].as_s().unwrap().replace("240.00", "900.00");
    forged.insert("entry".to_owned(), AttributeValue::S(text));
    put(&world, &tables.records, forged).await;
    let account = world.account("A-1").await;
    let known = world
        .store()
        .record_revision(
            None,
            &account,
            world.now(),
            world.now(),
            duewatch_domain::policy::Retention::default(),
        )
        .await;
    assert_eq!(known.unwrap(), Recorded::Known, "the function does not look there");
    assert!(!breaks(&world).await.is_empty(), "and an auditor sees both");
}
