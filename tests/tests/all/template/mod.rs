//! `infra/template.yaml` declares all resources of the code, under the names that the code uses.

mod alarms;
mod calls;
pub(crate) mod cloudwatch;
mod feeds;
mod names;
mod protection;
mod resources;
mod roles;

pub(crate) use self::alarms::watched_metric;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use duewatch_runtime::{ANCHOR_KEY, PAGE_KEY, REFERENCE_KEYS, SETTINGS, Settings, TOMBSTONE_KEY};
use duewatch_stack::template::{AttributeKind, Projection, StreamView, TableSpec, Template};
use duewatch_tests::support::{World, id};
use serve_borrower::Help;

const OPENED_AT: &str = "2023-09-01T00:00:00Z";

fn template() -> Template {
    Template::embedded().unwrap()
}

/// The table with this name in the settings.
fn named<'t>(template: &'t Template, name: &str) -> &'t TableSpec {
    template.tables.iter().find(|table| table.name == name).unwrap()
}

/// Every item of a table.
async fn items(world: &World, table: &str) -> Vec<std::collections::HashMap<String, AttributeValue>> {
    world.client().scan().table_name(table).send().await.unwrap().items.unwrap()
}

#[tokio::test]
async fn the_tables_keys_are_those_of_the_items_that_the_store_writes() {
    let mut world = World::at(OPENED_AT).await;
    // One item of each kind: accounts, payments, policies, a suspense payment, K, a published marker, a
    // contact profile, its contact records and their message, entries of histories, a quarantined record.
    world.open("A-1").await;
    world.open_under("reminding", "A-2").await;
    world.open_under("reminding", "A-3").await;
    world.pay("A-2", "P-1", "0").await;
    world.pay_and_post("A-9", "P-1", "10.00").await;
    world.set("2023-10-06T02:00:00Z");
    world.sweep().await;
    let records = world.account_records().await;
    assert!(world.send(&records).await.is_empty());
    assert!(world.record(&records).await.is_empty());

    let template = template();
    let tables = world.store().tables();
    for (table, hash_key, range_key) in [
        (&tables.accounts, "account_id", None),
        (&tables.payments, "account_id", Some("payment_id")),
        (&tables.records, "pk", Some("sk")),
        (&tables.history, "pk", Some("sk")),
        (&tables.policies, "pk", Some("sk")),
    ] {
        let declared = named(&template, table);
        assert_eq!(
            (declared.hash_key.as_str(), declared.range_key.as_deref()),
            (hash_key, range_key),
            "{table}"
        );
        let kinds: BTreeMap<&str, AttributeKind> =
            declared.attributes.iter().map(|attribute| (attribute.name.as_str(), attribute.kind)).collect();
        for item in items(&world, table).await {
            for key in [Some(hash_key), range_key].into_iter().flatten() {
                assert!(matches!(item[key], AttributeValue::S(_)), "{table}: {key} of {item:?}");
                assert_eq!(kinds[key], AttributeKind::S);
            }
        }
    }
    assert_eq!(kinds_in(&world, &tables.policies).await, ["policy version"]);
    assert_eq!(
        kinds_in(&world, &tables.history).await,
        ["history 00000000000000000001", "history 00000000000000000002"]
    );
    assert_eq!(
        kinds_in(&world, &tables.records).await,
        [
            "account published",
            "customer account",
            "customer person",
            "customer said",
            "message message",
            "parked A-9\u{1f}P-1",
            "quarantine post-payment",
            "settings due_shards",
        ],
        "every kind of record was written"
    );
}

/// The kinds of items in a table, by the beginnings of their keys.
async fn kinds_in(world: &World, table: &str) -> Vec<String> {
    let kinds: BTreeSet<String> = items(world, table)
        .await
        .into_iter()
        .map(|item| {
            let text = |key: &str| item[key].as_s().unwrap().split('#').next().unwrap().to_owned();
            format!("{} {}", text("pk"), text("sk"))
        })
        .collect();
    kinds.into_iter().collect()
}

#[tokio::test]
async fn the_due_index_is_the_one_that_the_store_fills_and_asks() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    let template = template();
    let accounts = named(&template, &world.store().tables().accounts);
    assert_eq!(accounts.indexes.len(), 1);
    let index = &accounts.indexes[0];
    assert_eq!(index.projection, Projection::KeysOnly);
    let item = world.item("A-1").await;
    assert_eq!(item[&index.hash_key], AttributeValue::S(world.store().shard_of(&id("A-1"))));
    let range_key = index.range_key.as_ref().unwrap();
    assert_eq!(item[range_key], AttributeValue::S("2023-10-04T16:00:00Z".to_owned()));

    // The store's result equals the index of that name.
    let indexed = world
        .client()
        .scan()
        .table_name(&accounts.name)
        .index_name(&index.name)
        .send()
        .await
        .unwrap()
        .items
        .unwrap();
    assert_eq!(indexed.len(), 1);
    let found = world.due_by("2023-10-04T16:00:00Z").await;
    assert_eq!(found.len(), 1);
    assert_eq!(indexed[0]["account_id"], AttributeValue::S(found[0].account_id.clone()));
    assert_eq!(indexed[0][range_key], AttributeValue::S(found[0].next_action_at.clone()));
}

#[test]
fn the_streams_carry_what_the_handlers_read() {
    let template = template();
    let views: Vec<(&str, Option<StreamView>)> =
        template.tables.iter().map(|table| (table.logical_id.as_str(), table.stream)).collect();
    assert_eq!(
        views,
        [
            ("AccountsTable", Some(StreamView::NewAndOldImages)),
            ("PaymentsTable", Some(StreamView::NewImage)),
            ("RecordsTable", None),
            ("HistoryTable", None),
            ("PoliciesTable", None),
            ("CasesTable", None),
            ("AnchorsTable", None),
        ]
    );
}

#[test]
fn every_setting_is_set_for_every_function_and_nothing_that_is_not_read() {
    // Only the function that fills the queue gets its address, only those that sign get their keys, and only the one
    // that takes commands asks who sends them and knows contact points that come back.
    let own = BTreeMap::from([
        ("DetectOverdueFunction", vec!["SWEEP_QUEUE_URL"]),
        ("IntakeFunction", vec![intake::SENDERS, TOMBSTONE_KEY]),
        ("SendRemindersFunction", vec![REFERENCE_KEYS]),
        ("AnchorHistoryFunction", vec![ANCHOR_KEY]),
        ("ServeBorrowerFunction", vec![PAGE_KEY, REFERENCE_KEYS, Help::HOW_TO_PAY, Help::WHOM_TO_CALL]),
    ]);
    let read: BTreeSet<&str> = SETTINGS.into_iter().chain(["RUST_LOG"]).collect();
    let template = template();
    assert_eq!(template.functions.len(), 10);
    for function in &template.functions {
        let mut set: BTreeSet<&str> = function.environment.iter().map(|(name, _)| name.as_str()).collect();
        for name in own.get(function.logical_id.as_str()).into_iter().flatten() {
            assert!(set.remove(name), "{name}: {set:?}");
        }
        assert_eq!(set, read, "{}", function.logical_id);
    }
}

#[tokio::test]
async fn every_function_is_told_the_same_and_each_name_means_what_it_says() {
    let world = World::at(OPENED_AT).await;
    for function in world.stack.declared_functions() {
        let environment: BTreeMap<String, String> =
            world.stack.environment(function).unwrap().into_iter().collect();
        let settings = Settings::from_lookup(|name| environment.get(name).cloned()).unwrap();
        assert_eq!(&settings, world.stack.settings(), "{}", function.directory);
    }
    let settings = world.stack.settings();
    for (value, ending) in [
        (&settings.tables.accounts, "-accounts"),
        (&settings.tables.payments, "-payments"),
        (&settings.tables.records, "-records"),
        (&settings.tables.history, "-history"),
        (&settings.tables.anchors, "-anchors"),
        (&settings.tables.policies, "-policies"),
        (&settings.topics.reminders, "-reminders"),
        (&settings.topics.account_events, "-account-events"),
        (&settings.topics.operations, "-operations"),
        (&settings.topics.tickets, "-tickets"),
        (&settings.topics.heartbeat, "-heartbeat"),
        (&settings.topics.archive, "-archive"),
    ] {
        assert!(value.ends_with(ending), "{value} is no name of {ending}");
    }
}
