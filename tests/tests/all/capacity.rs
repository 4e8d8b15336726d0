//! The capacity that the tables charge, counted and never timed: a transition costs its account's size and
//! the move of its index entry, and a sweep costs the due accounts, not the portfolio.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{Months, NaiveDate};
use duewatch_app::{Services, TransitionOutcome};
use duewatch_domain::Trigger;
use duewatch_store::{Consumed, HistoryEntry, Store};
use duewatch_tests::cost::inputs::{
    ACCOUNT_BYTES, CONTACT_BYTES, DECISION_ENTRY_BYTES, ENTRY_BYTES, HISTORY_ENTRY_BYTES, PAGE, SIDE_BY_SIDE,
    SMALL_ITEM_BYTES,
};
use duewatch_tests::cost::{
    RECEIPT, TransitionKind, WATCH, WorkUnits, account_read_units, account_write_units, kinds,
};
use duewatch_tests::support::{
    KEEPING, REMINDING, STANDARD, World, consumed, contract_of, decisions, message, post, record, report,
    send, sweep, take_messages, watch,
};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::json;

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// Bytes of a write unit.
const WRITE_UNIT: usize = 1024;
/// Write units of a move in the due index: one for the old entry, one for the new.
const INDEX_MOVE: usize = 2;

/// The size of an item by the documented rules ("DynamoDB item sizes and formats").
fn item_size(item: &HashMap<String, AttributeValue>) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number_size(number),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::L(list) => 3 + list.iter().map(|one| 1 + value_size(one)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.len() + item_size(map),
        other => panic!("an account holds no {other:?}"),
    }
}

/// Two digits a byte and one byte more; leading and trailing zeros are dropped.
fn number_size(number: &str) -> usize {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let sign = usize::from(number.starts_with('-'));
    digits.trim_start_matches('0').trim_end_matches('0').len().div_ceil(2) + 1 + sign
}

/// A year of installments from 1 October on.
fn a_year() -> Vec<String> {
    let first: NaiveDate = "2023-10-01".parse().unwrap();
    (0..12).map(|month| (first + Months::new(month)).to_string()).collect()
}

/// A-1 of twelve installments, late for the third time with eight payments and three
/// decisions in its item, about to be restricted at [`RESTRICTED_AT`].
async fn a_grown_account() -> World {
    let mut world = World::at(OPENED_AT).await;
    open(&world, "A-1", &a_year()).await;
    for number in 1..=6 {
        world.pay("A-1", &format!("P-{number}"), "0.01").await;
    }
    for (late_at, paid_at, payment) in [
        ("2023-10-05T00:00:00Z", "2023-10-06T00:00:00Z", "P-7"),
        ("2023-11-05T00:00:00Z", "2023-11-06T00:00:00Z", "P-8"),
    ] {
        world.set(late_at);
        world.sweep().await;
        world.set(paid_at);
        world.pay_and_post("A-1", payment, "250.00").await;
    }
    let account = world.account("A-1").await;
    assert_eq!((account.installments().len(), account.payments().len()), (12, 8));
    assert_eq!(decisions(&account), ["late > current", "current > late", "late > current"]);
    world
}

const LATE_AGAIN_AT: &str = "2023-12-04T16:00:00Z";
const RESTRICTED_AT: &str = "2023-12-08T16:00:00Z";
const PAID_AT: &str = "2023-12-10T00:00:00Z";

async fn open(world: &World, account_id: &str, due_on: &[String]) {
    open_under(world, STANDARD, account_id, due_on).await;
}

async fn open_under(world: &World, policy_id: &str, account_id: &str, due_on: &[String]) {
    let contract = contract_of(policy_id, account_id, due_on);
    let opened =
        Box::pin(world.stack.transitions().open(&contract, world.now(), Trigger::Time)).await.unwrap();
    assert!(matches!(opened, TransitionOutcome::Written(_)));
}

/// A function that has run before and holds the policy in its cache, and the hold on sending, which it reads once a
/// minute.
async fn warm(
    world: &World,
    function: &'static str,
) -> (Services, HashMap<(&'static str, String), Consumed>) {
    warm_up(world, world.services(function)).await
}

async fn warm_up(world: &World, services: Services) -> (Services, HashMap<(&'static str, String), Consumed>) {
    services.transitions.rules_of(&world.account("A-1").await, world.now()).await.unwrap();
    services.publisher.sending_is_held(world.now()).await.unwrap();
    let before = services.transitions.store().meter().read().into_iter().collect();
    (services, before)
}

/// The cost of a function's calls to the accounts since a reading.
fn since(
    before: &HashMap<(&'static str, String), Consumed>,
    store: &Store,
    call: &'static str,
    table: &str,
) -> (u64, u64) {
    let then = before.get(&(call, table.to_owned())).copied().unwrap_or_default();
    let now = consumed(store, call, table);
    (now.requests - then.requests, now.half_units - then.half_units)
}

/// The allowed write units of the account's item, in halves.
fn allowed_half_units(
    before: &HashMap<String, AttributeValue>,
    after: &HashMap<String, AttributeValue>,
) -> u64 {
    let size = item_size(before).max(item_size(after));
    assert!(size > 2 * WRITE_UNIT, "a small item proves nothing: {size} bytes");
    2 * (size.div_ceil(WRITE_UNIT) + INDEX_MOVE) as u64
}

/// Two halves a read unit.
const ONE_READ_UNIT: u64 = 2;
/// Two halves a write unit.
const ONE_WRITE_UNIT: u64 = 2;
const TWO_WRITE_UNITS: u64 = 4;

#[tokio::test]
async fn a_transition_costs_one_read_unit_and_one_write_of_its_accounts_size() {
    let world = a_grown_account().await;
    world.set(LATE_AGAIN_AT);
    let (sweeper, start) = warm(&world, detect_overdue::NAME).await;
    let before = world.item("A-1").await;
    assert_eq!(sweep(&sweeper).await.decisions, 1);
    let after = world.item("A-1").await;

    let store = sweeper.transitions.store();
    let accounts = &store.tables().accounts;
    let (gets, read) = since(&start, store, "GetItem", accounts);
    assert_eq!(gets, 1);
    assert!(read <= ONE_READ_UNIT, "{read} half units, {} bytes", item_size(&before));
    let (updates, written) = since(&start, store, "UpdateItem", accounts);
    assert_eq!(updates, 1);
    let allowed = allowed_half_units(&before, &after);
    assert!(written <= allowed, "{written} half units, {allowed} allowed, {} bytes", item_size(&after));
    assert_eq!(since(&start, store, "Query", &store.tables().payments), (0, 0));
}

#[tokio::test]
async fn a_transition_that_restricts_also_costs_one_look_at_the_payments() {
    let world = a_grown_account().await;
    world.set(LATE_AGAIN_AT);
    world.sweep().await;
    world.set(RESTRICTED_AT);
    let (sweeper, start) = warm(&world, detect_overdue::NAME).await;
    let before = world.item("A-1").await;
    assert_eq!(sweep(&sweeper).await.decisions, 1);
    let after = world.item("A-1").await;
    assert!(!world.account("A-1").await.status.restrictions.is_empty());

    let store = sweeper.transitions.store();
    let (accounts, payments) = (&store.tables().accounts, &store.tables().payments);
    assert_eq!(since(&start, store, "GetItem", accounts).0, 1);
    let (updates, written) = since(&start, store, "UpdateItem", accounts);
    assert_eq!(updates, 1);
    assert!(written <= allowed_half_units(&before, &after));
    let (queries, read) = since(&start, store, "Query", payments);
    assert_eq!(queries, 1);
    assert!(read <= ONE_READ_UNIT, "{read} half units");
}

#[tokio::test]
async fn a_payment_that_lifts_costs_one_read_unit_and_one_write() {
    let mut world = a_grown_account().await;
    world.set(RESTRICTED_AT);
    world.sweep().await;
    world.set(PAID_AT);
    world.pay("A-1", "P-9", "250.00").await;
    let records = world.payment_records().await;
    let (poster, start) = warm(&world, post_payment::NAME).await;
    let before = world.item("A-1").await;
    assert!(post(&poster, &records).await.is_empty());
    let after = world.item("A-1").await;
    assert_eq!(world.account("A-1").await.status.restrictions, []);

    let store = poster.transitions.store();
    let accounts = &store.tables().accounts;
    let (gets, read) = since(&start, store, "GetItem", accounts);
    assert_eq!(gets, 1);
    assert!(read <= ONE_READ_UNIT, "{read} half units");
    let payments = &store.tables().payments;
    let (gets, read) = since(&start, store, "GetItem", payments);
    assert_eq!(gets, 1, "the payment, as the table states it");
    assert!(read <= ONE_READ_UNIT, "{read} half units");
    let (updates, written) = since(&start, store, "UpdateItem", accounts);
    assert_eq!(updates, 1);
    assert!(written <= allowed_half_units(&before, &after));
    let calls: Vec<(&str, String)> = store
        .meter()
        .read()
        .into_iter()
        .filter(|(call, consumed)| {
            consumed.requests > start.get(call).map_or(0, |consumed| consumed.requests)
        })
        .map(|(call, _)| call)
        .collect();
    let expected = [("GetItem", accounts), ("GetItem", payments), ("UpdateItem", accounts)];
    assert_eq!(calls, expected.map(|(call, table)| (call, table.clone())), "and nothing else");
}

#[tokio::test]
async fn an_entry_of_the_history_costs_one_look_and_one_write_of_its_size() {
    let mut world = a_grown_account().await;
    world.set(LATE_AGAIN_AT);
    world.sweep().await;
    world.set(RESTRICTED_AT);
    world.sweep().await;
    world.pay_and_post("A-1", "P-9", "1.00").await;
    let mut records = world.account_records().await;
    // A stage, a restriction, and a payment that changes neither; each with its place in the index of its day.
    const WITH_DECISION: u64 = TWO_WRITE_UNITS + ONE_WRITE_UNIT;
    let newest = records.split_off(records.len() - 3);
    world.record(&records).await;
    let (recorder, warmed) = warm(&world, record_history::NAME).await;
    let store = recorder.transitions.store();
    let table = &store.tables().history;
    for (record_of, allowed) in newest.iter().zip([WITH_DECISION, WITH_DECISION, TWO_WRITE_UNITS]) {
        let start = store.meter().read().into_iter().collect();
        assert!(record(&recorder, std::slice::from_ref(record_of)).await.is_empty());
        let (queries, read) = since(&start, store, "Query", table);
        assert_eq!((queries, read), (1, ONE_READ_UNIT));
        let (puts, written) = since(&start, store, "PutItem", table);
        assert_eq!(puts, 1);
        assert!(written <= allowed, "{written} half units, {allowed} allowed");
    }
    let asked: u64 = store.meter().read().values().map(|consumed| consumed.requests).sum();
    let policy: u64 = warmed.values().map(|consumed| consumed.requests).sum();
    assert_eq!(asked - policy, 6, "and nothing else");

    // A repeated delivery costs a read.
    assert!(record(&recorder, &newest).await.is_empty());
    assert_eq!(since(&warmed, store, "PutItem", table).0, 3);
    assert_eq!(since(&warmed, store, "Query", table).0, 6);
}

#[tokio::test]
async fn where_a_history_expires_an_entry_costs_no_further_call() {
    let mut world = World::at(OPENED_AT).await;
    open_under(&world, KEEPING, "A-1", &a_year()).await;
    world.set(LATE_AGAIN_AT);
    world.sweep().await;
    let records = world.account_records().await;
    assert!(world.record(&records[..1]).await.is_empty());
    let (recorder, start) = warm(&world, record_history::NAME).await;
    assert!(record(&recorder, &records[1..]).await.is_empty());
    let store = recorder.transitions.store();
    let table = &store.tables().history;
    assert_eq!(since(&start, store, "Query", table), (1, ONE_READ_UNIT));
    assert_eq!(since(&start, store, "PutItem", table).0, 1);
    let asked: u64 = store.meter().read().values().map(|consumed| consumed.requests).sum();
    assert_eq!(asked - start.values().map(|consumed| consumed.requests).sum::<u64>(), 2, "and nothing else");
}

#[tokio::test]
async fn a_payment_that_is_known_costs_a_read_and_no_write() {
    let mut world = a_grown_account().await;
    world.pay("A-1", "P-9", "1.00").await;
    let records = world.payment_records().await;
    world.post(&records).await;
    let (poster, start) = warm(&world, post_payment::NAME).await;
    assert!(post(&poster, &records).await.is_empty());
    let store = poster.transitions.store();
    let (gets, read) = since(&start, store, "GetItem", &store.tables().accounts);
    assert_eq!(gets, 1);
    assert!(read <= ONE_READ_UNIT);
    assert_eq!(store.meter().of("UpdateItem").requests, 0);
}

#[tokio::test]
async fn an_opening_costs_one_small_write_and_one_small_read_for_the_customers_other_accounts() {
    let world = World::at(OPENED_AT).await;
    open(&world, "A-1", &a_year()).await;
    let start = world.store().meter().read().into_iter().collect();
    open(&world, "A-2", &a_year()).await;
    let (store, tables) = (world.store(), world.store().tables());
    assert_eq!(since(&start, store, "PutItem", &tables.records), (1, 2), "the link: one write unit");
    assert_eq!(since(&start, store, "Query", &tables.records), (1, 2), "who else is there: one read unit");
    assert_eq!(since(&start, store, "PutItem", &tables.accounts).0, 1);
    assert_eq!(since(&start, store, "GetItem", &tables.accounts), (0, 0), "nobody else is");
}

/// The half units that a sweep reads of a portfolio with ten due accounts.
async fn read_by_a_sweep(book: usize) -> u64 {
    let world = World::at(OPENED_AT).await;
    for number in 0..book {
        let due_on = if number < 10 { "2023-10-01" } else { "2023-12-01" };
        open(&world, &format!("A-{number}"), &[due_on.to_owned()]).await;
    }
    world.set("2023-10-05T00:00:00Z");
    // A cold start would read the policy a random number of times before the cache holds it.
    let (sweeper, _) = warm(&world, detect_overdue::NAME).await;
    let report = sweep(&sweeper).await;
    assert_eq!((report.due, report.written), (10, 10));
    let meter = sweeper.transitions.store().meter();
    meter.of("Query").half_units + meter.of("GetItem").half_units
}

#[tokio::test]
async fn a_sweep_over_a_book_ten_times_as_large_reads_the_same() {
    let small = read_by_a_sweep(20).await;
    let large = read_by_a_sweep(200).await;
    assert!(small > 0);
    assert_eq!(small, large);
}

/// The requests of a sweep with `due` due accounts: `GetItem`, `UpdateItem` and `Query` of the accounts and
/// their index, then the number of requests to other tables.
async fn asked_by_a_sweep(due: usize) -> [u64; 4] {
    let world = World::at(OPENED_AT).await;
    for number in 0..due {
        open(&world, &format!("A-{number}"), &["2023-10-01".to_owned()]).await;
    }
    world.set("2023-10-05T00:00:00Z");
    let sweeper = world.services(detect_overdue::NAME);
    assert_eq!(sweep(&sweeper).await.written, due);
    let store = sweeper.transitions.store();
    let accounts = &store.tables().accounts;
    let asked = ["GetItem", "UpdateItem", "Query"].map(|call| consumed(store, call, accounts).requests);
    let all: u64 = store.meter().read().values().map(|consumed| consumed.requests).sum();
    [asked[0], asked[1], asked[2], all - asked.iter().sum::<u64>()]
}

#[tokio::test]
async fn a_sweep_asks_for_each_that_is_due_once_and_for_a_page_of_a_hundred() {
    let [_, _, idle_pages, idle_others] = asked_by_a_sweep(0).await;
    for due in [30, 330] {
        let [gets, updates, pages, others] = asked_by_a_sweep(due).await;
        assert_eq!((gets, updates), (due as u64, due as u64));
        // Each shard has its last page.
        assert!(pages <= idle_pages + due as u64 / 100, "{pages} pages");
        // Each account evaluated side by side reads the policy before the cache holds it.
        assert!(others <= idle_others + SIDE_BY_SIDE.value.to_u64().unwrap(), "{others} others");
    }
}

#[tokio::test]
async fn a_daily_look_at_a_healthy_account_costs_its_share_of_a_page_and_three_small_reads() {
    let mut world = a_grown_account().await;
    world.remember("A-1").await;
    world.send_all().await;
    world.set("2023-11-08T00:00:00Z");
    let watcher = world.services(reconcile_accounts::NAME);
    // K, which a process reads once.
    watcher.transitions.store().check_due_shards().await.unwrap();
    let (watcher, start) = warm_up(&world, watcher).await;
    let report = watch(&watcher).await;
    assert_eq!((report.evaluated, report.repaired, report.open), (1, 0, 0), "{report:?}");

    let store = watcher.transitions.store();
    let tables = store.tables();
    let (scans, scanned) = since(&start, store, "Scan", &tables.accounts);
    let size = item_size(&world.item("A-1").await);
    assert_eq!(scans, 1);
    assert!(scanned <= size.div_ceil(4 * 1024) as u64, "{scanned} half units, {size} bytes");
    assert_eq!(since(&start, store, "Query", &tables.payments), (1, ONE_READ_UNIT));
    // The scan cursor and the published marker.
    assert_eq!(since(&start, store, "GetItem", &tables.records), (2, 2 * ONE_READ_UNIT));
    // Two days of quarantine and the list of suspense payments, a half each; for the heartbeat, once a firing, the
    // completed runs.
    assert_eq!(since(&start, store, "Query", &tables.records), (4, 3 + ONE_READ_UNIT));
    assert_eq!(since(&start, store, "Query", &tables.history), (1, ONE_READ_UNIT));
    // For the heartbeat, once a firing.
    assert_eq!(since(&start, store, "Query", &tables.anchors), (1, ONE_READ_UNIT));
    // The cost page counts the account's share only.
    assert_eq!(WATCH, WorkUnits { payment_queries: 1, record_reads: 2, ..WorkUnits::default() });
    // The new scan cursor.
    assert_eq!(since(&start, store, "PutItem", &tables.records), (1, 2));
    let asked = |meter: u64| meter - start.values().map(|consumed| consumed.requests).sum::<u64>();
    let all: u64 = store.meter().read().values().map(|consumed| consumed.requests).sum();
    assert_eq!(asked(all), 1 + 1 + 2 + 5 + 1 + 1, "and nothing else");
}

/// The calls since `before` in the cost page's terms.
fn work_since(before: &HashMap<(&'static str, String), Consumed>, store: &Store) -> WorkUnits {
    let tables = store.tables();
    let count = |calls: &[&'static str], table: &str| {
        calls.iter().map(|call| since(before, store, call, table).0).sum::<u64>().to_u32().unwrap()
    };
    WorkUnits {
        account_reads: count(&["GetItem"], &tables.accounts),
        account_writes: count(&["UpdateItem"], &tables.accounts),
        payment_queries: count(&["GetItem", "Query"], &tables.payments),
        small_writes: count(&["PutItem", "UpdateItem"], &tables.records),
        transactions: count(&["TransactWriteItems"], &tables.records),
        transaction_units: units_in(before, store, "TransactWriteItems", &tables.records),
        from_index: count(&["Query"], &tables.accounts) > 0,
        ..WorkUnits::default()
    }
}

fn units_in(
    before: &HashMap<(&'static str, String), Consumed>,
    store: &Store,
    call: &'static str,
    table: &str,
) -> u32 {
    let (_, half_units) = since(before, store, call, table);
    half_units.div_ceil(2).to_u32().unwrap()
}

/// The half units charged since `before`: reads, writes. Index pages and a function's single reads are left
/// out.
fn half_units_since(before: &HashMap<(&'static str, String), Consumed>, store: &Store) -> (u64, u64) {
    let tables = store.tables();
    let units = |call, table: &str| since(before, store, call, table).1;
    (
        units("GetItem", &tables.accounts)
            + units("GetItem", &tables.payments)
            + units("Query", &tables.payments),
        units("UpdateItem", &tables.accounts)
            + units("PutItem", &tables.records)
            + units("UpdateItem", &tables.records)
            + units("TransactWriteItems", &tables.records),
    )
}

/// Delivers an account's new revisions to `record-history`, and compares the charge with the stated one.
async fn assert_kept(world: &World, records: &[serde_json::Value], stated: &TransitionKind) {
    let (recorder, start) = warm(world, record_history::NAME).await;
    let store = recorder.transitions.store();
    let table = &store.tables().history;
    assert!(record(&recorder, records).await.is_empty());
    let reads = since(&start, store, "Query", table);
    assert_eq!(reads, (u64::from(stated.keep.record_reads), halves(stated.keep.reads())), "{}", stated.name);
    let (puts, written) = since(&start, store, "PutItem", table);
    assert_eq!(puts, 1, "{}", stated.name);
    assert!(written <= halves(stated.keep.table_writes()), "{}: {written} half units", stated.name);
}

fn kind(name: &str) -> TransitionKind {
    kinds().into_iter().find(|kind| kind.name == name).unwrap()
}

fn halves(units: Decimal) -> u64 {
    (units * Decimal::TWO).to_u64().unwrap()
}

fn decimal(size: usize) -> Decimal {
    Decimal::from(size)
}

#[tokio::test]
async fn the_cost_page_reckons_with_the_sizes_of_a_grown_account() {
    let world = a_grown_account().await;
    world.set(LATE_AGAIN_AT);
    world.sweep().await;
    let size = item_size(&world.item("A-1").await);
    assert_eq!(account_write_units(), decimal(size.div_ceil(1024)), "{size} bytes");
    assert_eq!(account_read_units(), decimal(size.div_ceil(4096)), "{size} bytes");
    let stated = ACCOUNT_BYTES.value.to_usize().unwrap();
    assert!(size.abs_diff(stated) <= 100, "{size} bytes, the page says {stated}");

    let page = world.due_by("2024-12-01T00:00:00Z").await;
    let entry = "account_id".len()
        + page[0].account_id.len()
        + "due_shard".len()
        + "00".len()
        + "next_action_at".len()
        + page[0].next_action_at.len();
    assert!(is_near(entry + ADDED, ENTRY_BYTES.value), "{entry} bytes");
    let payment = world.payment("A-1", "P-1", "250.00");
    let payment: usize = payment
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, text)| name.len() + text.as_str().unwrap().len())
        .sum();
    assert!(is_near(payment + ADDED, SMALL_ITEM_BYTES.value), "{payment} bytes");
    assert_eq!(PAGE.value, Decimal::ONE_HUNDRED);
}

#[tokio::test]
async fn the_cost_page_reckons_with_the_sizes_of_the_history() {
    let mut world = a_grown_account().await;
    world.set(LATE_AGAIN_AT);
    world.sweep().await;
    world.set(RESTRICTED_AT);
    world.sweep().await;
    world.record_all().await;
    // Most entries of a portfolio record one payment, or a reminder.
    let mut sizes = [(HISTORY_ENTRY_BYTES, Vec::new()), (DECISION_ENTRY_BYTES, Vec::new())];
    for entry in world.history("A-1").await.iter().skip(1) {
        let is_decision = entry.entry.contains(r#""decision":"#);
        sizes[usize::from(is_decision)].1.push(entry_size(entry) + ADDED);
    }
    for (stated, sizes) in sizes {
        let mean = decimal(sizes.iter().sum::<usize>()) / decimal(sizes.len());
        assert!((mean - stated.value).abs() <= Decimal::from(60), "{}: {sizes:?} bytes", stated.name);
    }
}

fn entry_size(entry: &HistoryEntry) -> usize {
    let texts = [
        ("pk", format!("history#{}", entry.account_id)),
        ("sk", format!("{:020}", entry.revision.0)),
        ("entry", entry.entry.clone()),
        ("previous", entry.previous.clone()),
        ("hash", entry.hash.clone()),
    ];
    // The attributes by which it stands in the index of its day; the index holds them again, with the key.
    let recorded = ["recorded_shard2023-10-09#07", "recorded_as"].map(str::len).iter().sum::<usize>()
        + entry.account_id.as_str().len()
        + 3
        + 2 * 20
        + entry.hash.len();
    let key = texts[..2].iter().map(|(name, text)| name.len() + text.len()).sum::<usize>();
    texts.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>()
        + "follows".len()
        + number_size(&entry.follows.to_string())
        + recorded
        + (key + recorded + ADDED)
}

/// The bytes that DynamoDB adds to each stored item and entry.
const ADDED: usize = 100;

/// The page rounds small sizes; ids differ in length.
fn is_near(size: usize, stated: Decimal) -> bool {
    (decimal(size) - stated).abs() <= Decimal::from(60)
}

#[tokio::test]
async fn the_cost_page_reckons_with_what_a_sweep_is_charged() {
    let world = a_grown_account().await;
    for (at, name) in
        [(LATE_AGAIN_AT, "stage without restrictions"), (RESTRICTED_AT, "stage with restrictions")]
    {
        world.set(at);
        let (sweeper, start) = warm(&world, detect_overdue::NAME).await;
        assert_eq!(sweep(&sweeper).await.decisions, 1);
        let (store, stated) = (sweeper.transitions.store(), kind(name).decide);
        assert_eq!(WorkUnits { small_writes: 0, ..work_since(&start, store) }, stated, "{name}");
        let (reads, writes) = half_units_since(&start, store);
        assert!(reads <= halves(stated.reads()), "{name}: {reads} half units read");
        let records = since(&start, store, "PutItem", &store.tables().records).1;
        let records = records + since(&start, store, "UpdateItem", &store.tables().records).1;
        assert_eq!(writes - records, halves(stated.table_writes() + stated.index_writes()), "{name}");
    }
}

#[tokio::test]
async fn the_cost_page_reckons_with_what_a_payment_and_its_news_are_charged() {
    let mut world = a_grown_account().await;
    world.sweep_and_send(RESTRICTED_AT).await;
    world.set(PAID_AT);
    world.pay("A-1", "P-9", "250.00").await;
    let records = world.payment_records().await;
    let (poster, start) = warm(&world, post_payment::NAME).await;
    assert!(post(&poster, &records).await.is_empty());
    let stated = kind("payment that changes the account status");
    assert_eq!(work_since(&start, poster.transitions.store()), stated.decide);
    let (reads, writes) = half_units_since(&start, poster.transitions.store());
    assert!(reads <= halves(stated.decide.reads()), "{reads} half units read");
    assert_eq!(writes, halves(stated.decide.table_writes() + stated.decide.index_writes()));

    let records = world.account_records().await;
    drop(world.sent());
    let (sender, start) = warm(&world, send_reminders::NAME).await;
    assert!(send(&sender, &records).await.is_empty());
    let messages = world.sent().len().to_u32().unwrap();
    assert_eq!(WorkUnits { messages, ..work_since(&start, sender.transitions.store()) }, stated.tell);
    assert_eq!(half_units_since(&start, sender.transitions.store()), (0, halves(stated.tell.table_writes())));
    assert_kept(&world, &records, &stated).await;
}

#[tokio::test]
async fn the_cost_page_reckons_with_what_a_command_is_charged() {
    let mut world = a_grown_account().await;
    world.account_records().await;
    let stated = kind("command of the lender");
    let (taker, start) = warm(&world, intake::NAME).await;
    let pause = message("E-1", world.now(), "A-1", "pause_started", PAUSE);
    assert!(take_messages(&taker, &[pause]).await.is_empty());
    assert_eq!(work_since(&start, taker.transitions.store()), stated.decide);
    let (reads, writes) = half_units_since(&start, taker.transitions.store());
    assert!(reads <= halves(stated.decide.reads()), "{reads} half units read");
    assert!(
        writes <= halves(stated.decide.table_writes() + stated.decide.index_writes()),
        "{writes} written"
    );
    let records = world.account_records().await;
    assert_kept(&world, &records, &stated).await;
}

const PAUSE: &str = r#""from":"2023-11-10","until":"2023-11-17""#;

#[tokio::test]
async fn the_cost_page_reckons_with_what_a_reminder_is_charged() {
    let mut world = World::at(OPENED_AT).await;
    open_under(&world, REMINDING, "A-1", &a_year()).await;
    world.account_records().await;
    world.set("2023-09-28T02:00:00Z");
    let stated = kind("reminder before the due date");
    let (sweeper, start) = warm(&world, detect_overdue::NAME).await;
    assert_eq!(sweep(&sweeper).await.written, 1);
    assert_eq!(
        WorkUnits { small_writes: 0, ..work_since(&start, sweeper.transitions.store()) },
        stated.decide
    );

    let records = world.account_records().await;
    let (sender, start) = warm(&world, send_reminders::NAME).await;
    assert!(send(&sender, &records).await.is_empty());
    let messages = world.sent().len().to_u32().unwrap();
    let store = sender.transitions.store();
    let (queries, read) = since(&start, store, "Query", &store.tables().records);
    assert!(read <= ONE_READ_UNIT, "{read} half units for the person and what is planned");
    let record_reads = queries.to_u32().unwrap();
    assert_eq!(WorkUnits { messages, record_reads, ..work_since(&start, store) }, stated.tell);
    let (_, writes) = half_units_since(&start, sender.transitions.store());
    assert_eq!(writes, halves(stated.tell.table_writes()));
    // The stored items of a reminder: its outcome, and its message.
    let said = world.records("customer#C-1", "said#").await;
    let message = world.records("message#A-1/2/app", "message").await;
    let size = said.iter().chain(&message).map(|item| item_size(item) + ADDED).sum::<usize>();
    assert_eq!((said.len(), message.len()), (1, 1));
    assert!(is_near(size, CONTACT_BYTES.value), "{size} bytes");

    // The cost of its receipt.
    world.set("2023-09-28T03:00:00Z");
    let receipt = json!({ "message_id": "A-1/2/app", "at": world.now(), "outcome": "delivered" });
    let (recorder, start) = warm(&world, record_delivery::NAME).await;
    assert!(report(&recorder, &[receipt.to_string()]).await.is_empty());
    let store = recorder.transitions.store();
    let [(gets, read), (queries, queried)] =
        ["GetItem", "Query"].map(|call| since(&start, store, call, &store.tables().records));
    assert_eq!((gets, queries), (2, 1), "the message, twice, and the person");
    assert!(read + queried <= halves(RECEIPT.reads()), "{read} and {queried} half units read");
    let record_reads = (gets + queries).to_u32().unwrap();
    assert_eq!(WorkUnits { record_reads, ..work_since(&start, store) }, RECEIPT);
    assert_eq!(half_units_since(&start, store), (0, halves(RECEIPT.table_writes())));
    assert_kept(&world, &records, &stated).await;
}

#[test]
fn sizes_are_those_of_the_documented_rules() {
    let item = HashMap::from([
        ("id".to_owned(), AttributeValue::S("A-1".to_owned())),
        ("n".to_owned(), AttributeValue::N("-1200.50".to_owned())),
        (
            "l".to_owned(),
            AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::N("0".to_owned())]),
        ),
        ("m".to_owned(), AttributeValue::M(HashMap::from([("k".to_owned(), AttributeValue::Null(true))]))),
    ]);
    // id 2+3; n 1 + (5 digits: 3, 1, sign 1); l 1 + 3 + (1+1) + (1+1); m 1 + 3 + 1 + (1+1)
    assert_eq!(item_size(&item), 5 + 6 + 8 + 7);
}
