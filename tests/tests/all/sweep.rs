//! The sweep: the accounts it marks as late and restricts, the payment that lifts, a second firing, a cut-off
//! firing, and an account that cannot be evaluated.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use detect_overdue::{ShardMessage, ShardQueue, SweepAnswer};
use duewatch_app::{Deadline, SweepReport};
use duewatch_domain::Account;
use duewatch_domain::kernel::Revision;
use duewatch_handlers::queue_event;
use duewatch_runtime::Settings;
use duewatch_stack::sqs::LocalSqs;
use duewatch_store::{MAX_DUE_SHARDS, Store, StoreError};
use duewatch_tests::support::{
    END_OF_TIME, STANDARD, World, consumed, contract, decisions, id, instant, payment_ids, post, sample,
    sweep, sweep_handing_over, sweep_within,
};
use proptest::prelude::*;
use serde_json::json;
use std::cell::Cell;

/// The first instant of 5 October in Shanghai: four days past due, one of them delinquent.
const LATE_AT: &str = "2023-10-04T16:00:00Z";
/// The first instant of 9 October in Shanghai: five delinquent days.
const LIMITED_AT: &str = "2023-10-08T16:00:00Z";

#[tokio::test]
async fn a_sweep_flags_and_restricts_and_the_payment_lifts_in_its_own_invocation() {
    let mut world = World::at("2023-09-01T00:00:00Z").await;
    world.open("A-1").await;

    world.set("2023-10-04T15:59:59Z");
    assert_eq!(world.sweep().await, SweepReport::default(), "a second too early");
    world.set(LATE_AT);
    assert_eq!(
        world.sweep().await,
        SweepReport { due: 1, written: 1, decisions: 1, ..SweepReport::default() }
    );
    assert_eq!(decisions(&world.account("A-1").await), ["current > late"]);
    world.set(LIMITED_AT);
    assert_eq!(
        world.sweep().await,
        SweepReport { due: 1, written: 1, decisions: 1, ..SweepReport::default() }
    );
    let restricted = world.account("A-1").await;
    assert_eq!(restricted.status.stage.as_str(), "limited");
    assert_eq!(restricted.status.restrictions[0].to_string(), "limit_credit_line to 50 %");

    world.set("2023-10-17T01:27:41Z");
    world.pay("A-1", "P-1", "250.00").await;
    let records = world.payment_records().await;
    let function = world.services(post_payment::NAME);
    assert!(post(&function, &records).await.is_empty());

    let lifted = world.account("A-1").await;
    assert_eq!(lifted.status.stage.as_str(), "current");
    assert_eq!(lifted.status.restrictions, []);
    assert_eq!(decisions(&lifted)[2], "limited > current -limit_credit_line");
    // 17 October lies before `frozen`: only the payment was new.
    assert_eq!(lifted.revision, restricted.revision.next());
    let store = function.transitions.store();
    assert_eq!(consumed(store, "UpdateItem", &store.tables().accounts).requests, 1);
}

#[tokio::test]
async fn a_payment_that_comes_when_the_account_is_due_is_posted_and_assessed_at_once() {
    let mut world = World::at("2023-09-01T00:00:00Z").await;
    world.open("A-1").await;
    world.set(LATE_AT);
    world.sweep().await;
    // The sweep that would limit the account has not come yet.
    world.set("2023-10-12T00:00:00Z");
    world.pay_and_post("A-1", "P-1", "250.00").await;

    let account = world.account("A-1").await;
    assert_eq!(decisions(&account), ["current > late", "late > current"]);
    assert_eq!(payment_ids(&account), ["P-1"]);
    assert_eq!(world.sweep().await, SweepReport::default());
}

#[tokio::test]
async fn a_late_run_gives_the_status_of_a_punctual_one() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    world.open("A-1").await;
    // A week's outage, over two stages.
    world.set("2023-10-12T07:00:00Z");
    world.sweep().await;
    let account = world.account("A-1").await;
    assert_eq!(decisions(&account), ["current > limited +limit_credit_line"]);
    assert_eq!(account.recent_decisions()[0].at, instant(LIMITED_AT), "dated when it came true");
}

#[tokio::test]
async fn a_schedule_that_fires_twice_changes_nothing_further() {
    let mut world = World::at("2023-09-01T00:00:00Z").await;
    world.open("A-1").await;
    world.set(LIMITED_AT);
    world.sweep().await;
    let (account, records) = (world.account("A-1").await, world.account_records().await.len());
    assert_eq!(world.sweep().await, SweepReport::default());
    assert_eq!(world.account("A-1").await, account);
    assert_eq!(records, 2, "opened and limited");
    assert_eq!(world.account_records().await.len(), 0);
}

#[tokio::test]
async fn two_sweeps_at_once_write_an_account_once() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    for number in 0..20 {
        world.open(&format!("A-{number}")).await;
    }
    world.set(LIMITED_AT);
    let (one, other) = (world.services(detect_overdue::NAME), world.services(detect_overdue::NAME));
    let (one, other) = tokio::join!(sweep(&one), sweep(&other));
    assert_eq!(one.written + other.written, 20);
    assert_eq!(one.failed + other.failed, 0);
    for number in 0..20 {
        let account = world.account(&format!("A-{number}")).await;
        assert_eq!(account.revision, Revision(2));
        assert_eq!(decisions(&account), ["current > limited +limit_credit_line"]);
    }
}

#[tokio::test]
async fn a_sweep_near_its_deadline_is_cut_short_and_writes_nothing() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    let opened = world.open("A-1").await;
    world.set(LIMITED_AT);
    let function = world.services(detect_overdue::NAME);
    let report = sweep_within(&function, Deadline::at(world.now())).await;
    assert_eq!(report, SweepReport { cut_short: true, ..SweepReport::default() });
    assert_eq!(world.account("A-1").await, opened);
    // The index is the queue: the next firing finds the account.
    assert_eq!(world.sweep().await.written, 1);
}

/// A store that is set to another number of shards.
fn store_with(world: &World, shards: u32) -> Store {
    Settings { due_shards: shards, ..world.stack.settings().clone() }.store(world.client().clone())
}

#[tokio::test]
async fn fewer_shards_than_are_recorded_are_refused() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    world.open("A-1").await;
    world.sweep().await;
    let recorded = world.store().due_shards();
    let with = |shards| store_with(&world, shards);
    let refused = with(recorded - 1).check_due_shards().await;
    assert!(
        matches!(&refused, Err(StoreError::TooFewShards { stored, set }) if (*stored, *set) == (recorded, recorded - 1)),
        "{refused:?}"
    );
    with(recorded).check_due_shards().await.unwrap();
    with(MAX_DUE_SHARDS).check_due_shards().await.unwrap();
    assert!(with(recorded).check_due_shards().await.is_err(), "it was raised, and never falls");
}

#[tokio::test]
async fn a_sweep_over_fewer_shards_than_are_recorded_touches_nothing() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    let opened = world.open("A-1").await;
    world.set(LIMITED_AT);
    let more = store_with(&world, MAX_DUE_SHARDS);
    more.check_due_shards().await.unwrap();
    let event = serde_json::from_value(json!({
        "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": "{}", "resources": []
    }))
    .unwrap();
    let refused =
        detect_overdue::handle(&world.services(detect_overdue::NAME), None, event, Deadline::none()).await;
    assert!(refused.unwrap_err().to_string().contains("K never falls"));
    assert_eq!(world.account("A-1").await, opened);
}

#[tokio::test]
async fn an_account_that_cannot_be_decoded_leaves_the_queue_and_the_others_are_swept() {
    let mut world = World::at("2023-09-01T00:00:00Z").await;
    for number in 1..=12 {
        world.open(&format!("A-{number}")).await;
    }
    world.tamper("A-3", "installments", AttributeValue::S("none of ours".to_owned())).await;
    world.account_records().await;
    world.set(LIMITED_AT);

    let report = world.sweep().await;
    assert_eq!(
        report,
        SweepReport {
            due: 12,
            written: 11,
            decisions: 11,
            quarantined: 1,
            oldest_due_seconds: 345_600,
            ..SweepReport::default()
        }
    );
    let quarantined = world.quarantined().await;
    assert_eq!(quarantined.len(), 1);
    assert_eq!((quarantined[0].source.as_str(), quarantined[0].id.as_str()), (detect_overdue::NAME, "A-3"));
    assert_eq!(quarantined[0].reason, "duewatch-dev-accounts: item A-3: installments: Expected seq");
    assert!(quarantined[0].payload.contains("\"A-3\""), "{}", quarantined[0].payload);
    let item = world.item("A-3").await;
    assert_eq!((item.get("due_shard"), item.get("next_action_at")), (None, None));
    assert_eq!(item["installments"], AttributeValue::S("none of ours".to_owned()), "nothing else is touched");
    let told = world.sent_to("tickets");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].body["data"]["kind"], "quarantined");
    assert_eq!(told[0].body["subject"], "A-3");

    assert_eq!(world.sweep().await, SweepReport::default(), "it never blocks its shard");
}

#[tokio::test]
async fn an_account_of_an_unknown_policy_leaves_the_queue_and_the_others_are_swept() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    for number in 1..=4 {
        world.open(&format!("A-{number}")).await;
    }
    world.tamper("A-2", "policy_id", AttributeValue::S("unheard-of".to_owned())).await;
    world.set(LIMITED_AT);

    let report = world.sweep().await;
    assert_eq!(
        report,
        SweepReport {
            due: 4,
            written: 3,
            decisions: 3,
            quarantined: 1,
            oldest_due_seconds: 345_600,
            ..SweepReport::default()
        }
    );
    let quarantined = world.quarantined().await;
    assert_eq!(quarantined[0].id, "A-2");
    assert_eq!(quarantined[0].reason, "policy unheard-of was never published");
    let item = world.item("A-2").await;
    assert_eq!((item.get("due_shard"), item.get("next_action_at")), (None, None));
    assert_eq!(world.sweep().await, SweepReport::default());
}

#[tokio::test]
async fn an_account_that_waits_for_nothing_is_not_in_the_index() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    world.open("A-1").await;
    let store = world.store();
    assert_eq!(world.due_by(END_OF_TIME).await[0].next_action_at, LATE_AT);

    let stored = store.account(&id("A-1")).await.unwrap().unwrap();
    let mut settled = stored.account.clone();
    settled.status.next_action_at = None;
    settled.revision = settled.revision.next();
    store.update_account(&stored, settled.clone()).await.unwrap();
    assert_eq!(world.due_by(END_OF_TIME).await, []);
    let item = world.item("A-1").await;
    assert_eq!((item.get("due_shard"), item.get("next_action_at")), (None, None));
    assert_eq!(world.account("A-1").await, settled);
}

#[tokio::test]
async fn a_write_of_an_account_moves_its_entry_in_the_index() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    world.open("A-1").await;
    world.set(LATE_AT);
    world.sweep().await;
    let waiting: Vec<String> =
        world.due_by(END_OF_TIME).await.into_iter().map(|due| due.next_action_at).collect();
    assert_eq!(waiting, [LIMITED_AT], "one entry, not two");
}

#[test]
fn accounts_come_back_from_the_table_as_they_were_written() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::at("2023-09-01T00:00:00Z"));
    let policy = duewatch_domain::policy::parse(&duewatch_tests::support::policy_text(STANDARD)).unwrap();
    let number = Cell::new(0);
    let facts = prop::collection::vec((0u8..4, 1i64..100_000, 0i64..200), 0..12);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(24));
    runner
        .run(&facts, |facts| {
            number.set(number.get() + 1);
            let account_id = format!("G-{}", number.get());
            let mut account =
                duewatch_domain::account::Account::open(&contract(STANDARD, &account_id)).unwrap();
            let mut last = world.now();
            for (place, (kind, minor, day)) in facts.iter().enumerate() {
                let at = world.now() + TimeDelta::days(*day);
                let _ = account.apply(&fact(*kind, place, *minor, *day), at);
                last = last.max(at);
                account.judge(&policy, last, duewatch_domain::assessment::Trigger::Fact);
            }
            runtime.block_on(async {
                world.store().create_account(account.clone()).await.unwrap();
                let written = world.account(&account_id).await;
                prop_assert_eq!(&written, &account);
                // An update writes the changed attributes and keeps the others.
                let stored = world.store().account(&id(&account_id)).await.unwrap().unwrap();
                account.judge(
                    &policy,
                    last + TimeDelta::days(40),
                    duewatch_domain::assessment::Trigger::Time,
                );
                world.store().update_account(&stored, account.clone()).await.unwrap();
                let updated = world.account(&account_id).await;
                prop_assert_eq!(&updated, &account);
                Ok(())
            })
        })
        .unwrap();
}

/// A fact of any kind; a refused one gives a state as good as any other.
fn fact(kind: u8, place: usize, minor: i64, day: i64) -> duewatch_domain::Command {
    let fields = match kind {
        0 => json!({ "type": "payment_received", "payment_id": format!("P-{place}"),
                     "amount": format!("{}.{:02}", minor / 100, minor % 100), "applies_to": [1 + day % 4] }),
        1 => json!({ "type": "payment_reversed", "payment_id": format!("P-{}", place.saturating_sub(1)),
                     "dated": if day % 2 == 0 { "original" } else { "reversal" } }),
        2 => {
            json!({ "type": "pause_started", "from": (instant("2023-09-01T00:00:00Z") + TimeDelta::days(day)).date_naive(),
                     "until": (instant("2023-09-01T00:00:00Z") + TimeDelta::days(day + 5)).date_naive() })
        }
        _ => json!({ "type": "installment_adjusted", "number": 1 + day % 4,
                     "amount": "10.50", "reason": "a complaint \u{2014} \u{5ba2}\u{8bc9}" }),
    };
    let mut line = json!({ "at": "2023-09-01T00:00:00Z", "account_id": "A-1" });
    line.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    duewatch_domain::formats::parse_event_line(&line.to_string()).unwrap().command
}

/// Accounts of one shard, more than a scheduled invocation takes itself.
const LARGE: usize = 510;

#[tokio::test]
async fn a_shard_with_much_due_is_handed_to_the_queue_and_swept_from_there() {
    let mut world = World::at("2023-09-01T00:00:00Z").await;
    let store = world.store().clone();
    let shard = Store::shard_key(0);
    let large = (0..).map(|number| format!("A-{number}")).filter(|name| store.shard_of(&id(name)) == shard);
    let large: Vec<String> = large.take(LARGE).collect();
    let small = (0..).map(|number| format!("B-{number}")).find(|name| store.shard_of(&id(name)) != shard);
    let small = small.unwrap();
    let open = |name: &String| Account::open(&contract(STANDARD, name)).unwrap();
    for name in large.iter().chain([&small]) {
        let mut account = open(name);
        account.status.next_action_at = Some(world.now());
        store.create_account(account).await.unwrap();
    }
    world.account_records().await;
    let sqs = world.stack.services().sqs.clone();
    let queue = ShardQueue::new(
        world.stack.services().sqs_client.clone(),
        LocalSqs::queue_url("duewatch-dev-sweeps"),
    );
    let services = world.services(detect_overdue::NAME);
    let report = sweep_handing_over(&services, Some(&queue), Deadline::none()).await;
    assert_eq!((report.due, report.handed_over, report.cut_short), (501, 1, false), "{report:?}");
    let waiting = sqs.take("duewatch-dev-sweeps", 10);
    let messages: Vec<_> = waiting.iter().map(|one| ShardMessage::parse(&one.body)).collect();
    assert_eq!(messages, [Ok(ShardMessage { shard: 0 })]);

    let event = serde_json::from_value(queue_event("duewatch-dev-sweeps", &waiting)).unwrap();
    let answer = detect_overdue::handle(&services, None, event, Deadline::none()).await.unwrap();
    let SweepAnswer::Shards(response) = answer else { panic!("{answer:?}") };
    assert!(response.batch_item_failures.is_empty());
    assert_eq!(sweep(&services).await.due, 0, "nothing is left");
}

#[tokio::test]
async fn a_queue_that_is_down_keeps_nothing_from_the_next_firing() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    world.open("A-1").await;
    world.set(LATE_AT);
    let nowhere = ShardQueue::new(
        world.stack.services().sqs_client.clone(),
        LocalSqs::queue_url("there-is-no-such-queue"),
    );
    let services = world.services(detect_overdue::NAME);
    let late = Deadline::at(world.now());
    let report = sweep_handing_over(&services, Some(&nowhere), late).await;
    assert_eq!((report.written, report.handed_over, report.cut_short), (0, 0, true));
    assert_eq!(sweep(&services).await.written, 1);
}

#[tokio::test]
async fn the_sample_of_a_shard_is_swept_and_what_names_none_is_quarantined() {
    let world = World::at("2023-09-01T00:00:00Z").await;
    let services = world.services(detect_overdue::NAME);
    let mut event = sample("detect-overdue.sweeps.json");
    for (body, aside) in [(json!("{\"shard\":2}"), 0), (json!("{\"shard\":2000}"), 1)] {
        event["Records"][0]["body"] = body;
        let event = serde_json::from_value(event.clone()).unwrap();
        let answer = detect_overdue::handle(&services, None, event, Deadline::none()).await.unwrap();
        let SweepAnswer::Shards(response) = answer else { panic!("{answer:?}") };
        assert!(response.batch_item_failures.is_empty());
        assert_eq!(world.quarantined().await.len(), aside);
    }
}
