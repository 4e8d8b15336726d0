//! One account's stage restricts the customer's others, and lifts with it: the way from one account to the
//! other. A-1 owes and is frozen on 19 October; A-2, of the same customer, is paid up.

use aws_sdk_dynamodb::types::AttributeValue;
use duewatch_cli::explain::story;
use duewatch_domain::Policy;
use duewatch_domain::kernel::MAX_ACCOUNTS_OF_CUSTOMER;
use duewatch_domain::kernel::Revision;
use duewatch_domain::policy;
use duewatch_tests::interrupt::Interrupt;
use duewatch_tests::support::{JOINT, STANDARD, World, consumed, decisions, id, policy_text, put, send};
use duewatch_views::AccountView;
use serde_json::json;

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
const FROZEN_AT: &str = "2023-10-18T16:00:00Z";
const PAID_AT: &str = "2023-10-18T17:00:00Z";
const TOMORROW: &str = "2023-10-19T20:00:00Z";

/// A-1, about to be frozen, and A-2 without debt.
async fn two() -> World {
    let mut world = World::at(OPENED_AT).await;
    for account_id in ["A-1", "A-2"] {
        world.open_for("C-1", JOINT, account_id).await;
    }
    world.pay_and_post("A-2", "P-1", "1000.00").await;
    told(&mut world).await;
    world.set(FROZEN_AT);
    world
}

/// Delivers the records of the accounts stream until it has no more.
async fn told(world: &mut World) {
    for _round in 0..10 {
        let records = world.account_records().await;
        if records.is_empty() {
            return;
        }
        assert!(world.send(&records).await.is_empty());
    }
    panic!("there is no end to it");
}

async fn restricted(world: &World, account_id: &str) -> String {
    let status = world.account(account_id).await.status;
    let restrictions: Vec<String> = status.restrictions.iter().map(ToString::to_string).collect();
    format!("{} [{}]", status.stage, restrictions.join(", "))
}

async fn pay_and_post(world: &mut World, account_id: &str, payment_id: &str, amount: &str) {
    world.pay_and_post(account_id, payment_id, amount).await;
}

fn joint() -> Policy {
    policy::parse(&policy_text(JOINT)).unwrap()
}

async fn explained(world: &World, account_id: &str) -> String {
    let account = world.account(account_id).await;
    let others = world.stack.transitions().others_of(&account).await.unwrap();
    let versions = policy::Versions::new(vec![joint()]).unwrap();
    let view = AccountView::new(&account, account.recent_decisions(), &versions, world.now());
    story(&account, account.recent_decisions(), &others, &versions, &view)
}

#[tokio::test]
async fn the_others_are_restricted_when_the_stream_is_through_and_free_after_the_payment() {
    let mut world = two().await;
    world.sweep().await;
    assert_eq!(restricted(&world, "A-2").await, "current []", "it has not heard yet");
    told(&mut world).await;
    assert_eq!(restricted(&world, "A-2").await, "current [freeze_drawdown]");
    world.set(PAID_AT);
    pay_and_post(&mut world, "A-1", "P-1", "250.00").await;
    told(&mut world).await;
    assert_eq!(restricted(&world, "A-2").await, "current []");
    let account = world.account("A-2").await;
    assert_eq!(
        decisions(&account),
        ["current > current +freeze_drawdown", "current > current -freeze_drawdown"]
    );
}

#[tokio::test]
async fn what_is_delivered_twice_is_applied_once() {
    let mut world = two().await;
    world.sweep().await;
    let records = world.account_records().await;
    assert!(world.send(&records).await.is_empty());
    let restricted = world.account("A-2").await;
    assert!(world.send(&records).await.is_empty());
    assert_eq!(world.account("A-2").await, restricted);
}

#[tokio::test]
async fn a_payment_that_nobody_has_posted_yet_wins() {
    let mut world = two().await;
    world.sweep().await;
    world.set(PAID_AT);
    world.pay("A-1", "P-1", "250.00").await;
    told(&mut world).await;
    assert_eq!(restricted(&world, "A-1").await, "current []", "it is posted by whoever has found it");
    assert_eq!(restricted(&world, "A-2").await, "current []");
    assert_eq!(decisions(&world.account("A-2").await), Vec::<String>::new());
}

#[tokio::test]
async fn money_that_cannot_be_posted_holds_it_until_that_is_settled() {
    let mut world = two().await;
    world.sweep().await;
    let mut dollars = world.payment("A-1", "P-9", "40.00");
    dollars["currency"] = "USD".into();
    world.put_payment(&dollars).await;
    told(&mut world).await;
    assert_eq!(restricted(&world, "A-2").await, "current []");
    let rang: Vec<_> = world.sent_to("tickets");
    assert_eq!(rang[0].body["subject"], "A-1/P-9");
    // A-1's other messages are out: only `reconcile-accounts` finds that A-2 lacks the restriction.
    assert_eq!(world.store().published(&id("A-1")).await.unwrap(), Some(Revision(2)));
    world.remove_payment("A-1", "P-9").await;
    for account_id in ["A-1", "A-2"] {
        world.remember(account_id).await;
    }
    world.set(TOMORROW);
    world.reconcile().await;
    assert_eq!(restricted(&world, "A-2").await, "current [freeze_drawdown]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cure_between_the_look_and_the_write_is_seen() {
    let mut world = two().await;
    world.sweep().await;
    let records = world.account_records().await;
    let (transitions, now) = (world.stack.transitions().clone(), world.now());
    let payment = world.payment("A-1", "P-1", "250.00");
    let (client, table) = (world.client().clone(), world.store().tables().payments.clone());
    let cure = Interrupt::before("UpdateItem", &world.store().tables().accounts, 1, move || {
        let (transitions, client) = (transitions.clone(), client.clone());
        let (table, payment) = (table.clone(), payment.clone());
        async move {
            put(&client, &table, &payment).await;
            let fact = transitions.store().payments_of(&id("A-1")).await.unwrap().remove(0).unwrap();
            transitions.post(&fact, now).await.unwrap();
            // At this moment A-2 needs no change.
            let outcome = transitions.apply_cross_restrictions_to(&id("A-2"), now).await.unwrap();
            assert!(matches!(outcome.outcome, duewatch_app::TransitionOutcome::Unchanged));
        }
    });
    let services = world.services_interrupted(send_reminders::NAME, cure.about("A-2"));
    assert!(send(&services, &records).await.is_empty());
    assert_eq!(restricted(&world, "A-2").await, "current []");
}

// Of four accounts, A-1 restricts the other three. One read shows all four, and one more follows after the
// three took restrictions; each write reads the payments of its account, and the restrictions those of A-1 once.
#[tokio::test]
async fn the_customers_accounts_are_read_at_once_and_only_those_that_change_are_written() {
    let mut world = World::at(OPENED_AT).await;
    for account_id in ["A-1", "A-2", "A-3", "A-4"] {
        world.open_for("C-1", JOINT, account_id).await;
    }
    for account_id in ["A-2", "A-3", "A-4"] {
        pay_and_post(&mut world, account_id, "P-1", "1000.00").await;
    }
    told(&mut world).await;
    world.set(FROZEN_AT);
    world.sweep().await;
    let records = world.account_records().await;
    let services = world.services(send_reminders::NAME);
    assert!(send(&services, &records).await.is_empty());
    let (store, tables) = (services.store(), services.store().tables());
    let requests = |operation, table: &str| consumed(store, operation, table).requests;
    assert_eq!(requests("BatchGetItem", &tables.accounts), 2);
    assert_eq!(requests("GetItem", &tables.accounts), 0);
    assert_eq!(requests("UpdateItem", &tables.accounts), 3);
    assert_eq!(requests("Query", &tables.payments), 4);
    for account_id in ["A-2", "A-3", "A-4"] {
        assert_ne!(restricted(&world, account_id).await, "current []");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_whose_others_could_not_be_told_is_delivered_again() {
    let mut world = two().await;
    world.sweep().await;
    let records = world.account_records().await;
    let failing = Interrupt::failing("UpdateItem", &world.store().tables().accounts, 10).about("A-2");
    let services = world.services_interrupted(send_reminders::NAME, failing);
    assert_eq!(send(&services, &records).await.len(), 1);
    assert_eq!(world.store().published(&id("A-1")).await.unwrap(), None);
    assert!(world.send(&records).await.is_empty());
    assert_eq!(restricted(&world, "A-2").await, "current [freeze_drawdown]");
    assert_eq!(world.store().published(&id("A-1")).await.unwrap(), Some(Revision(2)));
}

#[tokio::test]
async fn an_account_that_is_opened_meanwhile_starts_restricted() {
    let mut world = two().await;
    world.sweep().await;
    world.account_records().await;
    world.open_for("C-1", STANDARD, "A-3").await;
    world.open_for("C-2", JOINT, "A-4").await;
    assert_eq!(world.account("A-3").await.imposed_by().len(), 1);
    assert!(restricted(&world, "A-3").await.ends_with("freeze_drawdown]"));
    assert_eq!(world.account("A-4").await.imposed_by(), []);
}

#[tokio::test]
async fn what_a_stream_forgot_the_reconciler_propagates() {
    let mut world = two().await;
    world.sweep().await;
    // These records are lost.
    world.account_records().await;
    for account_id in ["A-1", "A-2"] {
        world.remember(account_id).await;
    }
    world.set(TOMORROW);
    let report = world.reconcile().await;
    assert_eq!(report.open, 0);
    assert!(report.unpublished + report.unpropagated >= 1, "{report:?}");
    assert_eq!(restricted(&world, "A-2").await, "current [freeze_drawdown]");
    assert_eq!(world.store().published(&id("A-1")).await.unwrap(), Some(Revision(2)));
}

#[tokio::test]
async fn an_account_that_does_not_know_what_is_asked_of_it_is_found() {
    let mut world = two().await;
    world.sweep().await;
    told(&mut world).await;
    world.tamper("A-2", "asked_by", AttributeValue::L(Vec::new())).await;
    for account_id in ["A-1", "A-2"] {
        world.remember(account_id).await;
    }
    world.set(TOMORROW);
    let report = world.reconcile().await;
    assert_eq!((report.unpropagated, report.unpublished), (1, 0), "{report:?}");
    assert_eq!(world.account("A-2").await.imposed_by().len(), 1);
}

#[tokio::test]
async fn a_customer_with_too_many_accounts_is_quarantined_and_each_assessed_apart() {
    let mut world = two().await;
    let table = world.store().tables().records.clone();
    for number in 3..=MAX_ACCOUNTS_OF_CUSTOMER + 1 {
        let link = json!({ "pk": "customer#C-1", "sk": format!("account#A-{number}") });
        put(world.client(), &table, &link).await;
    }
    world.sweep().await;
    told(&mut world).await;
    assert_eq!(restricted(&world, "A-1").await, "frozen [limit_credit_line to 50 %, freeze_drawdown]");
    assert_eq!(restricted(&world, "A-2").await, "current []");
    assert_eq!(world.quarantined().await.len(), 1);
    world.open_for("C-1", JOINT, "A-200").await;
    assert_eq!(world.account("A-200").await.imposed_by(), []);
}

#[tokio::test]
async fn the_story_says_what_is_pending_and_what_has_arrived() {
    let mut world = two().await;
    world.sweep().await;
    assert!(explained(&world, "A-1").await.contains("    Account A-2: pending.\n"));
    let pending = "  Pending: account A-1 of the same customer has reached frozen; what that brings here has not \
                   arrived yet: freeze_drawdown.\n";
    assert!(explained(&world, "A-2").await.contains(pending));
    told(&mut world).await;
    let source = explained(&world, "A-1").await;
    assert!(source.contains(
        "  It has reached frozen, so that the customer's other accounts may not: freeze_drawdown.\n"
    ));
    assert!(source.contains("    Account A-2: it has arrived.\n"), "{source}");
    let arrived = "  Account A-1 of the same customer has reached frozen, which brings here since \
                   2023-10-18T16:00:00Z: freeze_drawdown. Paying what is overdue there lifts it.\n";
    let target = explained(&world, "A-2").await;
    assert!(target.contains(arrived), "{target}");
    pay_and_post(&mut world, "A-1", "P-1", "250.00").await;
    assert!(explained(&world, "A-1").await.contains("Account A-2 is restricted for it no more: pending."));
    assert!(
        explained(&world, "A-2")
            .await
            .contains("Pending: what account A-1 of the same customer brought is lifted")
    );
    told(&mut world).await;
    let freed = explained(&world, "A-2").await;
    assert!(!freed.contains("Pending") && !freed.contains("which brings here"), "{freed}");
}
