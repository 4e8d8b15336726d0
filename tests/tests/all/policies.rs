//! A policy's life: a version is published, announced, and binds at its time.

use std::path::Path;

use chrono::TimeDelta;
use duewatch_app::ReconcileReport;
use duewatch_cli::import::{Portfolio, import};
use duewatch_cli::input::NumberedLine;
use duewatch_cli::publish::queue_accounts;
use duewatch_domain::{Account, policy};
use duewatch_testkit::ContractTerms;
use duewatch_tests::support::{
    PublishedMessage, REMINDING, STANDARD, World, decisions, instant, policy_text,
};
use serde_json::{Value, json};

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
const PUBLISHED_AT: &str = "2023-09-02T00:00:00Z";
/// By then the letters must have left: 20 days before 3 October begins anywhere.
const ANNOUNCED_BY: &str = "2023-09-12T10:00:00Z";

/// The common policy without its grace, from 3 October on.
fn stricter() -> String {
    let text = policy_text(STANDARD)
        .replacen("version = 1", "version = 2", 1)
        .replacen("effective_on = 2020-01-01", "effective_on = 2023-10-03", 1)
        .replacen("grace_days = 3", "grace_days = 0", 1);
    format!("{text}\n[announcement]\ndays = 20\nchannel = \"letter\"\ntemplate = \"new_terms\"\n")
}

/// A world of two accounts, in which the stricter version has been published.
async fn published() -> World {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.open_under(REMINDING, "A-2").await;
    world.set(PUBLISHED_AT);
    let text = stricter();
    let version = policy::parse(&text).unwrap();
    world.publish(&text).await;
    let queued = queue_accounts(world.store(), &version, world.now()).await.unwrap();
    assert_eq!((queued.accounts, queued.queued), (1, 1));
    assert_eq!(world.now() + queued.spread, instant(ANNOUNCED_BY));
    world
}

#[tokio::test]
async fn publishing_a_version_queues_the_accounts_under_it_and_no_other() {
    let world = published().await;
    let due: Vec<String> =
        world.due_by(ANNOUNCED_BY).await.into_iter().map(|entry| entry.account_id).collect();
    assert_eq!(due, ["A-1"]);
    // A second run changes no account.
    let version = policy::parse(&stricter()).unwrap();
    let again = queue_accounts(world.store(), &version, world.now()).await.unwrap();
    assert_eq!((again.accounts, again.queued), (1, 0));
}

#[tokio::test]
async fn a_stricter_version_is_announced_and_binds_in_its_time() {
    let mut world = published().await;
    world.sweep_and_send(ANNOUNCED_BY).await;
    let sent = world.sent_to("reminders");
    assert_eq!(sent.len(), 1);
    let data = &sent[0].body["data"];
    let of = &data["contacts"][0]["notice_of"];
    assert_eq!((&data["template"], of), (&json!("new_terms"), &json!({ "policy": 2 })));
    assert!(data["text"].as_str().unwrap().contains("3 October 2023"), "{data}");
    assert_eq!(sent[0].id(), "A-1/2/letter/policy/2");
    assert_eq!(world.account("A-1").await.notices()[0].sent_at, Some(world.now()));

    // 3 October begins in Shanghai: two days past due, without grace.
    for (at, stage) in [("2023-10-02T15:59:59Z", "current"), ("2023-10-02T16:00:00Z", "late")] {
        world.set(at);
        world.sweep().await;
        assert_eq!(world.account("A-1").await.status.stage.as_str(), stage, "{at}");
    }
    let account = world.account("A-1").await;
    assert_eq!(decisions(&account), ["current > late"]);
    let decision = account.recent_decisions().last().unwrap();
    assert_eq!((decision.policy.version, decision.at), (2, world.now()));
    // The other accounts stay under their version.
    assert_eq!(world.account("A-2").await.status.stage.as_str(), "current");
}

#[tokio::test]
async fn a_stricter_version_does_not_bind_where_its_letter_never_left() {
    let world = published().await;
    for at in [ANNOUNCED_BY, "2023-10-04T15:59:59Z", "2023-10-04T16:00:00Z"] {
        world.set(at);
        world.sweep().await;
    }
    let account = world.account("A-1").await;
    let decision = account.recent_decisions().last().unwrap();
    assert_eq!((decision.to.as_str(), decision.policy.version), ("late", 1));
    assert_eq!(decision.at, instant(ANNOUNCED_BY) + TimeDelta::days(22) + TimeDelta::hours(6));
}

#[tokio::test]
async fn to_the_reconciler_an_announcement_that_waits_for_its_turn_is_no_discrepancy() {
    let mut world = published().await;
    world.remember("A-1").await;
    world.remember("A-2").await;
    world.account_records().await;
    let queued_for = world.due_by(ANNOUNCED_BY).await[0].next_action_at.clone();
    world.set("2023-09-02T12:00:00Z");
    assert!(world.now() < instant(&queued_for), "its turn has not come");
    assert_eq!(world.reconcile().await, ReconcileReport { evaluated: 2, ..ReconcileReport::default() });
    assert_eq!(world.account_records().await.len(), 0);
}

#[tokio::test]
async fn an_announcement_that_nobody_queued_is_found_by_the_reconciler() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.remember("A-1").await;
    world.account_records().await;
    world.set(PUBLISHED_AT);
    let text = stricter();
    world.publish(&text).await;
    world.set("2023-09-02T12:00:00Z");
    // A-1's next action is on 5 October, and the letter must leave by 13 September.
    let found = ReconcileReport { evaluated: 1, unconfirmed: 1, repaired: 1, ..ReconcileReport::default() };
    assert_eq!(world.reconcile().await, found);
    assert_eq!(world.account("A-1").await.notices().len(), 1);
}

/// A fixed late fee from the fifth day past due on, and a reminder on that day.
const FEE: &str = r#"
id = "fee"
version = 1
effective_on = 2020-01-01
grace_days = 3
stages = [{ name = "late", when = { delinquent_days = 1 } }]

[late_fee]
fixed = "5.00"

[reminders]
send_at = "10:00"
steps = [{ stage = "late", days = 5, channel = "sms", template = "late_mild" }]
"#;
/// 10:00 of 6 October in Shanghai: 250.00 has been due since 1 October.
const REMINDED_AT: &str = "2023-10-06T02:00:00Z";

fn lower_fee() -> String {
    FEE.replacen("version = 1", "version = 2", 1).replacen("5.00", "3.00", 1)
}

/// An account that is to be reminded now, and the records of its stream.
async fn to_be_reminded() -> (World, Vec<Value>) {
    let mut world = World::at(OPENED_AT).await;
    world.publish(FEE).await;
    world.open_under("fee", "A-1").await;
    world.set(REMINDED_AT);
    world.sweep().await;
    let records = world.account_records().await;
    (world, records)
}

/// What is overdue and outstanding, as each message says.
fn amounts(sent: &[PublishedMessage]) -> Vec<(&str, &str)> {
    let contacts = sent.iter().map(|sent| &sent.body["data"]["contacts"][0]);
    contacts.map(|one| (one["overdue"].as_str().unwrap(), one["outstanding"].as_str().unwrap())).collect()
}

fn judged_by(account: &Account) -> Option<u32> {
    account.status.policy.as_ref().map(|policy| policy.version)
}

#[tokio::test]
async fn a_message_names_the_fee_that_the_version_of_its_day_charged() {
    let (world, records) = to_be_reminded().await;
    // The fee was charged on the 5th, before the lower one binds.
    world.publish(&lower_fee()).await;
    assert!(world.send(&records).await.is_empty());
    assert_eq!(amounts(&world.sent_to("reminders")), [("255.00", "1005.00")]);
    assert_eq!(judged_by(&world.account("A-1").await), Some(1), "its turn has not come");
}

#[tokio::test]
async fn a_function_that_holds_an_older_version_than_the_one_that_assessed_an_account_reads_them_again() {
    let world = World::at("2023-10-03T02:00:00Z").await;
    let (account, now) = (world.open("A-1").await, world.now());
    let slow = world.services(send_reminders::NAME).transitions;
    let newest = async |account: &Account| slow.rules_of(account, now).await.unwrap().last().unwrap().version;
    assert_eq!(newest(&account).await, 1);
    let text = policy_text(STANDARD)
        .replacen("version = 1", "version = 2", 1)
        .replacen("effective_on = 2020-01-01", "effective_on = 2023-10-01", 1)
        .replacen("grace_days = 3", "grace_days = 0", 1);
    world.publish(&text).await;
    // For a minute the function goes on with the version that it holds, as long as no other has used the new one.
    assert_eq!(newest(&account).await, 1);
    world.services(reconcile_accounts::NAME).transitions.reconcile(&account.account_id, now).await.unwrap();
    let account = world.account("A-1").await;
    assert_eq!(account.status.policy.as_ref().unwrap().version, 2);
    assert_eq!(newest(&account).await, 2);
}

#[tokio::test]
async fn a_row_whose_policy_was_never_published_is_named_and_the_rest_is_imported() {
    let world = World::at(OPENED_AT).await;
    let row = |line, account_id, policy_id| {
        let contract = ContractTerms { account_id, policy_id, ..ContractTerms::default() }.contract();
        NumberedLine { line, value: contract }
    };
    let rows = || vec![row(1, "A-1", "nowhere"), row(2, "A-2", STANDARD)];
    let transitions = &world.services(intake::NAME).transitions;
    let run = |keep_going| {
        import(
            transitions,
            Portfolio::new(Path::new("book.jsonl"), rows()),
            None,
            instant(OPENED_AT),
            keep_going,
        )
    };
    assert!(run(false).await.is_err());
    let imported = run(true).await.unwrap();
    assert_eq!((imported.opened + imported.known, imported.refused), (1, 1));
}
