//! Discrepancies that a fault has left: `reconcile-accounts` finds them, repairs or reports them, and finds them no
//! more.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use duewatch_app::{Deadline, ReconcileReport, Services};
use duewatch_domain::kernel::Revision;
use duewatch_notify::MAX_ATTEMPTS;
use duewatch_stack::sns::SnsFault;
use duewatch_store::ContactOutcome;
use duewatch_tests::interrupt::Interrupt;
use duewatch_tests::support::{
    PublishedMessage, REMINDING, World, decisions, id, instant, payment_ids, watch,
};
use reconcile_accounts::SEGMENTS;
use rstest::rstest;
use serde_json::{Value, json};

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// The first instant of 5 October in Shanghai: one delinquent day.
const LATE_AT: &str = "2023-10-04T16:00:00Z";
/// The first instant of 9 October in Shanghai: five delinquent days.
const LIMITED_AT: &str = "2023-10-08T16:00:00Z";
/// 10:00 of 6 October in Shanghai: the first reminder of a late account.
const LATE_MILD_AT: &str = "2023-10-06T02:00:00Z";

/// `reconcile-accounts` finds no discrepancy in `looked_at` accounts.
fn healthy(looked_at: usize) -> ReconcileReport {
    ReconcileReport { evaluated: looked_at, ..ReconcileReport::default() }
}

/// A-1, opened and recorded; the time that `reconcile-accounts` leaves to the streams is over.
async fn one() -> World {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.remember("A-1").await;
    world.account_records().await;
    world.set("2023-09-02T00:00:00Z");
    world
}

/// Moves the clock on by a day.
fn tomorrow(world: &World) {
    world.stack.clock().set(world.now() + TimeDelta::days(1));
}

/// The reported discrepancies: kind, subject and text.
fn told(world: &World) -> Vec<(String, String, String)> {
    let text = |sent: &PublishedMessage, name: &str| sent.body["data"][name].as_str().unwrap().to_owned();
    world
        .sent_to("tickets")
        .iter()
        .filter(|sent| text(sent, "kind").starts_with("gap"))
        .map(|sent| (text(sent, "kind"), text(sent, "subject"), text(sent, "reason")))
        .collect()
}

fn rang(subject: &str, reason: &str) -> (String, String, String) {
    ("gap_found".to_owned(), subject.to_owned(), reason.to_owned())
}

fn repaired(reason: &str) -> (String, String, String) {
    ("gaps_repaired".to_owned(), "repaired".to_owned(), reason.to_owned())
}

/// Damages A-1's item past all rules.
async fn damage(world: &World, expression: &str, values: &[(&str, AttributeValue)]) {
    let values: HashMap<String, AttributeValue> =
        values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    world
        .client()
        .update_item()
        .table_name(&world.store().tables().accounts)
        .key("account_id", AttributeValue::S("A-1".to_owned()))
        .update_expression(expression)
        .set_expression_attribute_values(Some(values).filter(|values| !values.is_empty()))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn of_a_healthy_account_nothing_is_found_and_nothing_written() {
    let mut world = one().await;
    assert_eq!(world.reconcile().await, healthy(1));
    assert_eq!(world.reconcile().await, healthy(0), "once a day");
    tomorrow(&world);
    assert_eq!(world.reconcile().await, healthy(1));
    assert_eq!(world.account_records().await.len(), 0);
    assert_eq!(world.sent(), []);
}

#[tokio::test]
async fn an_account_that_no_sweep_has_looked_at_is_assessed() {
    let world = one().await;
    world.set("2023-10-04T16:30:00Z");
    assert_eq!(world.reconcile().await, healthy(1), "two sweeps have not passed");
    world.set("2023-10-05T01:00:00Z");
    let report = world.reconcile().await;
    let late = ReconcileReport { late: 1, oldest_late_seconds: 9 * 3600, repaired: 1, ..healthy(1) };
    assert_eq!(report, late);
    assert_eq!(decisions(&world.account("A-1").await), ["current > late"]);
    assert_eq!(
        world.account("A-1").await.recent_decisions()[0].at,
        instant(LATE_AT),
        "as if it were in time"
    );
    assert_eq!(told(&world), [repaired("late 1: A-1")]);
    // Its stream has delivered it.
    world.remember("A-1").await;
    world.store().mark_published(&id("A-1"), Revision(2), None).await.unwrap();
    tomorrow(&world);
    assert_eq!(world.reconcile().await, healthy(1));
}

#[rstest]
#[case::entry("REMOVE due_shard, next_action_at", None)]
#[case::shard("REMOVE due_shard", None)]
#[case::shard_that_nobody_walks("SET due_shard = :shard", Some("98"))]
#[tokio::test]
async fn an_account_that_is_not_queued_is_queued_again(
    #[case] expression: &str,
    #[case] shard: Option<&str>,
) {
    let world = one().await;
    let values: Vec<_> =
        shard.iter().map(|shard| (":shard", AttributeValue::S((*shard).to_owned()))).collect();
    damage(&world, expression, &values).await;
    assert_eq!(world.reconcile().await, ReconcileReport { not_due: 1, repaired: 1, ..healthy(1) });
    let due = world.due_by(LATE_AT).await;
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].account_id.as_str(), due[0].next_action_at.as_str()), ("A-1", LATE_AT));
    assert_eq!(world.account("A-1").await.revision, Revision(2));
    assert_eq!(told(&world), [repaired("not_due 1: A-1")]);
    world.remember("A-1").await;
    tomorrow(&world);
    assert_eq!(world.reconcile().await, healthy(1));
}

#[tokio::test]
async fn a_status_that_the_rules_do_not_confirm_is_reassessed() {
    let world = one().await;
    damage(&world, "SET standing.stage = :stage", &[(":stage", AttributeValue::S("late".to_owned()))]).await;
    assert_eq!(world.reconcile().await, ReconcileReport { unconfirmed: 1, repaired: 1, ..healthy(1) });
    let account = world.account("A-1").await;
    assert_eq!(decisions(&account), ["late > current"]);
    assert_eq!(account.recent_decisions()[0].at, world.now(), "nobody knows since when");
    world.remember("A-1").await;
    world.store().mark_published(&id("A-1"), Revision(2), None).await.unwrap();
    tomorrow(&world);
    assert_eq!(world.reconcile().await, healthy(1));
}

#[tokio::test]
async fn a_restriction_that_is_deferred_is_no_discrepancy() {
    let mut world = one().await;
    world.set(LATE_AT);
    world.sweep().await;
    let mut dollars = world.payment("A-1", "P-1", "40.00");
    dollars["currency"] = json!("USD");
    world.put_payment(&dollars).await;
    world.post_payments().await;
    world.set(LIMITED_AT);
    assert_eq!(world.sweep().await.held, 1);
    let held = world.account("A-1").await;
    assert_eq!(held.status.next_action_at, Some(instant("2023-10-08T17:00:00Z")));
    for revision in 2..=held.revision.0 {
        world.store().mark_published(&id("A-1"), Revision(revision), None).await.unwrap();
    }
    world.remember("A-1").await;
    assert_eq!(world.reconcile().await, healthy(1));
    assert_eq!(world.account("A-1").await, held, "it waits already");
}

#[rstest]
#[case::read("installments", "none of ours")]
#[case::judged("policy_id", "unheard-of")]
#[tokio::test]
async fn an_account_that_cannot_be_known_alerts_every_day(#[case] attribute: &str, #[case] value: &str) {
    let world = one().await;
    world.tamper("A-1", attribute, AttributeValue::S(value.to_owned())).await;
    for _ in 0..2 {
        let report = world.reconcile().await;
        assert_eq!(report, ReconcileReport { unconfirmed: 1, open: 1, ..healthy(1) });
        assert_eq!(told(&world), [rang("unconfirmed", "1: A-1")]);
        tomorrow(&world);
    }
}

#[tokio::test]
async fn a_payment_that_its_stream_forgot_is_posted_and_lifts() {
    let mut world = one().await;
    world.sweep_and_send(LIMITED_AT).await;
    world.remember("A-1").await;
    world.set("2023-10-10T00:00:00Z");
    world.pay("A-1", "P-1", "250.00").await;
    world.set("2023-10-10T00:59:00Z");
    assert_eq!(world.reconcile().await, healthy(1), "its stream has its time");
    world.set("2023-10-11T00:00:00Z");
    drop(world.sent());
    assert_eq!(world.reconcile().await, ReconcileReport { unposted: 1, repaired: 1, ..healthy(1) });
    let account = world.account("A-1").await;
    assert_eq!(payment_ids(&account), ["P-1"]);
    assert_eq!(account.status.restrictions, []);
    assert_eq!(told(&world), [repaired("unposted 1: A-1")]);
    let records = world.account_records().await;
    world.send(&records).await;
    world.remember("A-1").await;
    tomorrow(&world);
    assert_eq!(world.reconcile().await, healthy(1));
    // The stream delivers the records after all.
    world.post_payments().await;
    assert_eq!(world.account("A-1").await, account);
}

#[rstest]
#[case::backdated("2023-09-02T00:00:00Z", 1)]
#[case::from_a_clock_that_is_ahead("2023-09-10T00:30:00Z", 0)]
#[case::from_a_future_that_will_not_come_soon("2024-09-10T00:00:00Z", 1)]
#[tokio::test]
async fn a_payment_is_left_to_its_stream_for_an_hour_whatever_its_clock_says(
    #[case] received_at: &str,
    #[case] unposted: usize,
) {
    let world = one().await;
    world.set("2023-09-10T00:00:00Z");
    let mut payment = world.payment("A-1", "P-1", "250.00");
    payment["received_at"] = json!(received_at);
    world.put_payment(&payment).await;
    assert_eq!(world.reconcile().await.unposted, unposted);
}

#[rstest]
#[case::in_another_currency("currency", "USD")]
#[case::that_states_no_payment("amount", "a lot")]
#[tokio::test]
async fn money_that_cannot_be_posted_is_quarantined_and_alerts_once(
    #[case] field: &str,
    #[case] value: &str,
) {
    let world = one().await;
    let mut payment = world.payment("A-1", "P-1", "40.00");
    payment[field] = json!(value);
    world.put_payment(&payment).await;
    tomorrow(&world);
    let report = world.reconcile().await;
    assert_eq!((report.unposted, report.open, report.repaired), (1, 1, 0));
    assert_eq!(told(&world), [rang("unposted", "1: A-1")]);
    let quarantined = world.quarantined().await;
    assert_eq!(quarantined.len(), 1);
    assert_eq!(
        (quarantined[0].source.as_str(), quarantined[0].id.as_str()),
        (reconcile_accounts::NAME, "A-1/P-1")
    );
    assert!(quarantined[0].payload.contains("\"P-1\""), "{quarantined:?}");
    for quarantined in [1, 0] {
        tomorrow(&world);
        assert_eq!(world.reconcile().await, ReconcileReport { quarantined, ..healthy(1) });
        assert_eq!(world.sent(), []);
    }
}

#[tokio::test]
async fn money_that_was_quarantined_does_not_alert_again() {
    let mut world = one().await;
    let mut dollars = world.payment("A-1", "P-1", "40.00");
    dollars["currency"] = json!("USD");
    world.put_payment(&dollars).await;
    world.post_payments().await;
    drop(world.sent());
    for quarantined in [1, 0] {
        tomorrow(&world);
        assert_eq!(world.reconcile().await, ReconcileReport { quarantined, ..healthy(1) });
    }
    assert_eq!(world.sent(), []);
}

#[tokio::test]
async fn a_revision_that_the_history_lacks_is_recorded() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set("2023-09-01T01:00:00Z");
    assert_eq!(world.reconcile().await, healthy(1), "its stream has its time");
    world.set("2023-09-02T00:00:00Z");
    // The records of its stream are lost.
    world.account_records().await;
    assert_eq!(world.reconcile().await, ReconcileReport { history_behind: 1, repaired: 1, ..healthy(1) });
    let asked = world.account_records().await;
    assert_eq!(asked.len(), 1, "the account is handed in once more");
    assert!(world.send(&asked).await.is_empty());
    assert_eq!(world.sent_to("account-events"), [], "which tells nobody else anything");
    for _delivered in 0..2 {
        assert!(world.record(&asked).await.is_empty());
    }
    assert_eq!(world.store().history_head(&id("A-1")).await.unwrap(), Some(Revision(1)));
    let told = world.history("A-1").await.remove(0).content().unwrap();
    assert_eq!(told.at, instant(OPENED_AT), "when it was written, not when it was found");
    tomorrow(&world);
    assert_eq!(world.reconcile().await, healthy(1));
}

#[tokio::test]
async fn a_revision_that_nobody_can_record_any_more_alerts() {
    let mut world = one().await;
    for payment in ["P-1", "P-2"] {
        world.pay_and_post("A-1", payment, "1.00").await;
    }
    world.account_records().await;
    tomorrow(&world);
    assert_eq!(world.reconcile().await, ReconcileReport { history_behind: 1, repaired: 1, ..healthy(1) });
    drop(world.sent());
    world.record_all().await;
    assert_eq!(world.sent_to("operations")[0].body["data"]["kind"], "history_gap");
    assert_eq!(
        world.store().history_head(&id("A-1")).await.unwrap(),
        Some(Revision(3)),
        "revision 2 is lost"
    );
    tomorrow(&world);
    assert_eq!(world.reconcile().await, healthy(1));
}

#[tokio::test]
async fn decisions_that_were_not_sent_are_sent_word_for_word() {
    let mut world = one().await;
    for at in [LATE_AT, LIMITED_AT, "2023-10-18T16:00:00Z"] {
        world.set(at);
        world.sweep().await;
        world.remember("A-1").await;
    }
    let records = world.account_records().await;
    world.set("2023-10-18T16:59:00Z");
    assert_eq!(world.reconcile().await, healthy(1), "their stream has its time");
    world.set("2023-10-19T00:00:00Z");
    assert_eq!(world.reconcile().await, ReconcileReport { unpublished: 1, repaired: 1, ..healthy(1) });
    let found = world.sent();
    let events: Vec<&PublishedMessage> = found.iter().filter(|sent| sent.topic == "account-events").collect();
    let ids: Vec<&str> = events.iter().map(|sent| sent.id()).collect();
    assert_eq!(ids, ["A-1/2", "A-1/3", "A-1/4"]);
    assert_eq!(world.store().published(&id("A-1")).await.unwrap(), Some(Revision(4)));
    // The late record of the stream says the same.
    assert!(world.send(&records).await.is_empty());
    let carried = world.sent();
    assert_eq!(events, carried.iter().collect::<Vec<_>>());
    tomorrow(&world);
    assert_eq!(world.reconcile().await, healthy(1));
}

#[tokio::test]
async fn a_decision_that_a_later_one_overtook_is_sent() {
    let mut world = one().await;
    world.set(LATE_AT);
    world.sweep().await;
    world.remember("A-1").await;
    // These records are lost.
    world.account_records().await;
    world.set(LIMITED_AT);
    world.sweep().await;
    world.remember("A-1").await;
    world.send_all().await;
    assert_eq!(world.store().published(&id("A-1")).await.unwrap(), None, "not what lies below");
    drop(world.sent());
    tomorrow(&world);
    assert_eq!(world.reconcile().await, ReconcileReport { unpublished: 1, repaired: 1, ..healthy(1) });
    let ids: Vec<String> = world.sent().iter().map(|sent| sent.id().to_owned()).collect();
    assert_eq!(ids[..2], ["A-1/2", "A-1/3"]);
    assert_eq!(world.store().published(&id("A-1")).await.unwrap(), Some(Revision(3)));
}

/// A-1 under the policy with reminders: late, and about to be reminded by a revision whose stream record was
/// lost.
async fn a_lost_reminder() -> World {
    let mut world = World::at(OPENED_AT).await;
    world.open_under(REMINDING, "A-1").await;
    for at in [LATE_AT, LATE_MILD_AT] {
        world.remember("A-1").await;
        world.account_records().await;
        world.set(at);
        world.sweep().await;
    }
    world.remember("A-1").await;
    world.store().mark_published(&id("A-1"), Revision(2), None).await.unwrap();
    world
}

#[tokio::test]
async fn a_reminder_that_was_not_sent_is_sent_late_and_once() {
    let world = a_lost_reminder().await;
    world.set("2023-10-06T20:00:00Z");
    assert_eq!(world.reconcile().await, ReconcileReport { unpublished: 1, repaired: 1, ..healthy(1) });
    drop(world.sent());
    // The contact is planned; at the next time of sending the sweep of planned contacts sends it.
    world.sweep_contacts().await;
    assert_eq!(world.sent_to("reminders"), []);
    world.set("2023-10-07T02:00:00Z");
    world.sweep_contacts().await;
    let sent = world.sent_to("reminders");
    assert_eq!(sent[0].body["data"]["late_since"], "2023-10-06");
    assert_eq!(sent[0].id(), "A-1/3/sms");
    assert_eq!(world.contacts("C-1").await, [("A-1/3/sms".to_owned(), ContactOutcome::Sent)]);
    tomorrow(&world);
    assert_eq!(world.reconcile().await.unpublished, 0);
    world.sweep_contacts().await;
    assert_eq!(world.sent_to("reminders"), []);
}

#[tokio::test]
async fn a_reminder_that_was_not_sent_is_withdrawn_where_its_reason_has_gone() {
    let world = a_lost_reminder().await;
    world.pay("A-1", "P-1", "250.00").await;
    world.set("2023-10-06T20:00:00Z");
    let report = world.reconcile().await;
    assert_eq!((report.unpublished, report.unposted, report.repaired, report.open), (1, 1, 2, 0));
    world.sweep_contacts().await;
    assert_eq!(world.sent_to("reminders"), []);
    assert_eq!(world.contacts("C-1").await, [("A-1/3/sms".to_owned(), ContactOutcome::Withdrawn)]);
    assert_eq!(world.store().published(&id("A-1")).await.unwrap(), Some(Revision(3)));
}

#[tokio::test]
async fn an_announcement_of_a_date_that_has_passed_is_not_sent_late() {
    let world = World::at(OPENED_AT).await;
    world.open_under(REMINDING, "A-1").await;
    world.set("2023-10-01T02:00:00Z");
    world.sweep().await;
    let wanted = world.account("A-1").await.contact_requests.len();
    world.remember("A-1").await;
    world.set("2023-10-02T02:00:00Z");
    assert_eq!(world.reconcile().await.unpublished, 1);
    world.sweep_contacts().await;
    assert_eq!(world.sent_to("reminders"), []);
    let contacts = world.contacts("C-1").await;
    assert!(contacts.iter().all(|(_, outcome)| *outcome == ContactOutcome::Withdrawn), "{contacts:?}");
    assert_eq!(contacts.len(), wanted);
}

#[tokio::test]
async fn a_suspense_payment_is_posted_once_its_account_has_come_and_alerts_after_a_day() {
    let mut world = World::at("2023-09-01T12:00:00Z").await;
    world.pay("A-1", "P-1", "250.00").await;
    world.pay_and_post("A-2", "P-1", "250.00").await;
    drop(world.sent());
    assert_eq!(world.reconcile().await, ReconcileReport { in_suspense: 2, ..healthy(0) });
    assert_eq!(told(&world), []);

    world.open("A-1").await;
    // The invocation that opened the account was cut off before it deleted the suspense payment.
    let noted_at = world.now();
    world.store().put_in_suspense(&id("A-1"), &"P-1".parse().unwrap(), noted_at).await.unwrap();
    world.remember("A-1").await;
    tomorrow(&world);
    world.set("2023-09-02T13:00:00Z");
    let report = world.reconcile().await;
    assert_eq!(report, ReconcileReport { in_suspense: 1, repaired: 1, open: 1, ..healthy(1) });
    assert_eq!(told(&world), [rang("parked", "1: A-2/P-1"), repaired("parked 1: A-1/P-1")]);
    assert_eq!(world.store().suspense_of(&id("A-1")).await.unwrap(), Vec::<String>::new());
    assert_eq!(payment_ids(&world.account("A-1").await), ["P-1"]);
}

#[tokio::test]
async fn suspense_payments_are_told_apart_whatever_their_ids() {
    let world = World::at(OPENED_AT).await;
    let store = world.store();
    let ids = [("A", "1/2"), ("A/1", "2"), ("A#1", "2"), ("A", "1#2"), ("AA", "1")];
    for (account_id, payment_id) in ids {
        store.put_in_suspense(&id(account_id), &payment_id.parse().unwrap(), world.now()).await.unwrap();
    }
    assert_eq!(store.suspense_of(&id("A")).await.unwrap(), ["1#2", "1/2"]);
    assert_eq!(store.suspense_of(&id("A/1")).await.unwrap(), ["2"]);
    store.remove_from_suspense(&id("A"), &"1/2".parse().unwrap()).await.unwrap();
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = store.all_suspense(2, after.as_deref()).await.unwrap();
        listed.extend(page.payments.iter().map(|one| format!("{} {}", one.account_id, one.payment_id)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    listed.sort_unstable();
    assert_eq!(listed, ["A 1#2", "A#1 2", "A/1 2", "AA 1"]);
}

/// A portfolio whose histories the streams have forgotten.
async fn book(accounts: usize) -> World {
    let world = World::at(OPENED_AT).await;
    let mut world = world;
    for number in 0..accounts {
        world.open(&format!("A-{number}")).await;
    }
    world.account_records().await;
    world.set("2023-09-02T00:00:00Z");
    world
}

async fn is_whole(world: &mut World, accounts: usize) -> bool {
    for records in world.account_records().await.chunks(100) {
        assert!(world.record(records).await.is_empty());
    }
    for number in 0..accounts {
        let head = world.store().history_head(&id(&format!("A-{number}"))).await.unwrap();
        if head != Some(Revision(1)) {
            return false;
        }
    }
    true
}

async fn fire(services: &Services, deadline: Deadline) -> ReconcileReport {
    reconcile_accounts::reconcile_segments(services, SEGMENTS, deadline).await.unwrap()
}

#[tokio::test]
async fn a_day_of_firings_looks_at_each_account_once() {
    let mut world = book(60).await;
    let watcher = world.services(reconcile_accounts::NAME);
    let mut most = 0;
    let mut looked_at = 0;
    for _ in 0..SEGMENTS {
        let report = fire(&watcher, Deadline::none()).await;
        assert_eq!(fire(&watcher, Deadline::none()).await, healthy(0), "the slot is done");
        most = most.max(report.evaluated);
        looked_at += report.evaluated;
        world.stack.clock().set(world.now() + TimeDelta::minutes(15));
    }
    assert_eq!(looked_at, 60);
    assert!(most < 60, "{most} at once");
    assert!(is_whole(&mut world, 60).await);
}

#[tokio::test]
async fn after_an_outage_a_scan_is_caught_up_a_few_segments_at_a_time() {
    let mut world = book(60).await;
    let watcher = world.services(reconcile_accounts::NAME);
    fire(&watcher, Deadline::none()).await;
    world.stack.clock().set(world.now() + TimeDelta::days(7) + TimeDelta::hours(5));
    let mut looked_at = 0;
    for _ in 0..SEGMENTS / 2 {
        let report = fire(&watcher, Deadline::none()).await;
        assert!(report.evaluated < 30, "{report:?}");
        looked_at += report.evaluated;
    }
    assert!((60..120).contains(&looked_at), "{looked_at}: a whole round, and less than two");
    assert!(is_whole(&mut world, 60).await);
    assert_eq!(fire(&watcher, Deadline::none()).await, healthy(0), "it has caught up");
}

/// Services of `reconcile-accounts` for which each account takes a second.
fn slow(world: &World) -> Services {
    let clock = world.stack.clock().clone();
    let payments = &world.store().tables().payments;
    let takes = Interrupt::before("Query", payments, 10_000, move || {
        let clock = clock.clone();
        async move { clock.set(duewatch_app::Clock::now(&clock) + TimeDelta::seconds(1)) }
    });
    world.services_interrupted(reconcile_accounts::NAME, takes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_firing_that_is_cut_short_is_gone_on_with() {
    let mut world = book(250).await;
    let watcher = slow(&world);
    let mut cut_short = 0;
    let mut firings = 0;
    while !is_whole(&mut world, 250).await {
        firings += 1;
        assert!(firings < 10, "it gets nowhere");
        let deadline = Deadline::at(world.now() + TimeDelta::seconds(130));
        let report = reconcile_accounts::reconcile_segments(&watcher, 1, deadline).await.unwrap();
        assert!(report.evaluated < 150, "{report:?}");
        cut_short += usize::from(report.cut_short);
    }
    assert!(cut_short >= 2 && firings == cut_short + 1, "{cut_short} of {firings}");
}

#[tokio::test]
async fn a_firing_near_its_deadline_looks_at_nothing_and_loses_nothing() {
    let world = one().await;
    let watcher = world.services(reconcile_accounts::NAME);
    let report =
        reconcile_accounts::reconcile_segments(&watcher, 1, Deadline::at(world.now())).await.unwrap();
    assert_eq!(report, ReconcileReport { cut_short: true, ..ReconcileReport::default() });
    assert_eq!(world.reconcile().await, healthy(1));
}

#[tokio::test]
async fn two_firings_at_once_do_no_harm() {
    let mut world = book(20).await;
    for number in 0..20 {
        world.pay(&format!("A-{number}"), "P-1", "1.00").await;
    }
    tomorrow(&world);
    let (one, other) = (world.services(reconcile_accounts::NAME), world.services(reconcile_accounts::NAME));
    let (one, other) = tokio::join!(watch(&one), watch(&other));
    assert_eq!((one.open, other.open, one.failed, other.failed), (0, 0, 0, 0));
    for number in 0..20 {
        let account = world.account(&format!("A-{number}")).await;
        assert_eq!((account.revision, payment_ids(&account).len()), (Revision(2), 1));
    }
    let records = world.account_records().await;
    let revision = |record: &Value, image: &str| record["dynamodb"][image]["revision"]["N"].clone();
    let is_new = |record: &&Value| revision(record, "OldImage") != revision(record, "NewImage");
    assert_eq!(records.iter().filter(is_new).count(), 20, "posted once; the others only hand the account in");
    for some in records.chunks(100) {
        assert!(world.record(some).await.is_empty());
    }
    for number in 0..20 {
        let head = world.store().history_head(&id(&format!("A-{number}"))).await.unwrap();
        assert_eq!(head, Some(Revision(2)));
    }
    assert_eq!(world.reconcile().await, healthy(0), "the slot is done");
}

#[tokio::test]
async fn what_could_not_be_told_is_found_again_by_the_next_firing() {
    let world = one().await;
    world.tamper("A-1", "policy_id", AttributeValue::S("unheard-of".to_owned())).await;
    let count = u32::try_from(MAX_ATTEMPTS).unwrap();
    let (containing, code) = (String::new(), "InternalError".to_owned());
    let refused = SnsFault::Entries { count, containing, code, sender_fault: false };
    world.stack.services().sns.fail_entries(refused);
    let watcher = world.services(reconcile_accounts::NAME);
    let failed = reconcile_accounts::reconcile_segments(&watcher, 1, Deadline::none()).await;
    assert!(failed.unwrap_err().to_string().contains("not alerted"));
    assert_eq!(world.reconcile().await.open, 1);
    assert_eq!(told(&world), [rang("unconfirmed", "1: A-1")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_late_page_shows_is_looked_at_again_before_anything_is_done() {
    let mut world = one().await;
    world.set("2023-10-05T01:00:00Z");
    // The sweep comes right after the read of the page.
    let sweeper = world.services(detect_overdue::NAME);
    let payments = world.store().tables().payments.clone();
    let comes = Interrupt::before("Query", &payments, 1, move || {
        let sweeper = sweeper.clone();
        async move { assert_eq!(duewatch_tests::support::sweep(&sweeper).await.written, 1) }
    });
    let watcher = world.services_interrupted(reconcile_accounts::NAME, comes.clone());
    assert_eq!(watch(&watcher).await, healthy(1));
    assert_eq!(comes.left(), 0);
    assert_eq!(world.account("A-1").await.revision, Revision(2));
    assert_eq!(world.account_records().await.len(), 1);
}
