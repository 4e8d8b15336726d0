//! Attacks by the publication of policies, and on their items.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::TimeDelta;
use duewatch_app::{NewVersion, PublishError, TransitionError};
use duewatch_cli::policies::{
    Brake, BrakeError, LifeError, PolicyPublisher, PublicationOutcome, publish, rollback,
};
use duewatch_cli::publish::queue_accounts;
use duewatch_domain::Account;
use duewatch_domain::account::NoticeOf;
use duewatch_domain::kernel::PolicyId;
use duewatch_domain::policy::{self, PublicationRefusal};
use duewatch_stack::local_policy_key;
use duewatch_store::{HoldScope, OperatorHold, StoreError};
use duewatch_tests::support::{STANDARD, World, decisions, id, instant, policy_text, sweep};

pub(super) const OPENED_AT: &str = "2023-09-01T00:00:00Z";
pub(super) const PUBLISHED_AT: &str = "2023-09-02T00:00:00Z";
/// Five delinquent days in Shanghai, after three of grace: `limited`.
pub(super) const LIMITED_AT: &str = "2023-10-08T16:00:00Z";
const ANNOUNCED: &str = "\n[announcement]\ndays = 30\nchannel = \"letter\"\ntemplate = \"new_terms\"\n";

/// A version of the standard policy, with so many days of grace.
pub(super) fn version(number: u32, effective_on: &str, grace_days: u32, tables: &str) -> String {
    let text = policy_text(STANDARD)
        .replacen("version = 1", &format!("version = {number}"), 1)
        .replacen("effective_on = 2020-01-01", &format!("effective_on = {effective_on}"), 1)
        .replacen("grace_days = 3", &format!("grace_days = {grace_days}"), 1);
    format!("{text}{tables}")
}

pub(super) fn standard() -> PolicyId {
    STANDARD.parse().unwrap()
}

async fn publish_by(
    world: &World,
    text: &str,
    by: &str,
    backdated: Option<&str>,
    accepted: Option<u64>,
) -> Result<PublicationOutcome, LifeError> {
    let policy = policy::parse(text).unwrap();
    let key = local_policy_key().unwrap();
    let new = NewVersion { policy: &policy, text, by, backdated, key: Some(&key) };
    let brake = Brake { accepted, ..Brake::default() };
    publish(world.store(), &new, None, brake, world.now()).await
}

/// Publishes a version, and evaluates every account under it.
async fn publishes(world: &mut World, text: &str) {
    let published = Box::pin(publish_by(world, text, "anna", None, None)).await.unwrap();
    queue_accounts(world.store(), &published.policy, world.now()).await.unwrap();
    let evaluated_by = world.now() + TimeDelta::days(1);
    world.stack.clock().set(evaluated_by);
    world.sweep().await;
    world.send_all().await;
}

pub(super) async fn opened() -> World {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(PUBLISHED_AT);
    world
}

fn bound(account: &Account) -> u32 {
    account.status.policy.as_ref().unwrap().version
}

#[tokio::test]
async fn terms_that_are_published_again_a_minute_later_bind_nobody_whom_their_announcement_did_not_reach() {
    let mut world = opened().await;
    // Without a contact point nothing is lost: the letter leaves. The second account is opened and never told.
    publishes(&mut world, &version(2, "2023-10-03", 0, ANNOUNCED)).await;
    assert_eq!(world.account("A-1").await.notices().len(), 1);
    world.open("A-2").await;
    publishes(&mut world, &version(3, "2023-10-03", 0, ANNOUNCED)).await;
    let of: Vec<NoticeOf> =
        world.account("A-1").await.notices().iter().map(|notice| notice.of.clone()).collect();
    assert_eq!(of, [NoticeOf::Policy(2)], "one change is announced once");
    // A-1 was told on 3 September, A-2 days later; nobody is judged by the third version before.
    world.set("2023-10-02T15:59:59Z");
    world.sweep().await;
    for account in ["A-1", "A-2"] {
        assert_eq!(bound(&world.account(account).await), 1, "{account}");
    }
    world.set("2023-10-03T16:00:00Z");
    world.sweep().await;
    assert_eq!(bound(&world.account("A-1").await), 3);
}

#[tokio::test]
async fn an_account_that_was_never_told_is_bound_by_no_flood_of_versions() {
    let mut world = opened().await;
    publishes(&mut world, &version(2, "2023-09-10", 0, ANNOUNCED)).await;
    let told = world.account("A-1").await.notices()[0].sent_at.unwrap();
    // More versions than a function reads at once, all with the terms of the second; their letters come later.
    for number in 3..=30 {
        world.publish(&version(number, "2023-09-10", 0, ANNOUNCED)).await;
    }
    for at in ["2023-09-20T00:00:00Z", "2023-10-01T00:00:00Z"] {
        world.set(at);
        let services = world.services(reconcile_accounts::NAME);
        services.transitions.reconcile(&id("A-1"), world.now()).await.unwrap();
        assert!(world.now() < told + TimeDelta::days(29));
        assert_eq!(bound(&world.account("A-1").await), 1, "{at}");
    }
}

#[tokio::test]
async fn the_last_number_is_not_published_and_a_rollback_binds() {
    let world = opened().await;
    let last =
        publish_by(&world, &version(u32::MAX, "1999-01-01", 0, ""), "eve", Some("why not"), None).await;
    let is_next = |error| {
        matches!(error, LifeError::Publish(PublishError::Refused(PublicationRefusal::NotNext { .. })))
    };
    assert!(is_next(last.unwrap_err()));
    publish_by(&world, &version(2, "2023-09-02", 0, ""), "anna", None, None).await.unwrap();
    world.set("2023-10-07T00:00:00Z");
    world.sweep().await;
    assert_eq!(decisions(&world.account("A-1").await), ["current > limited +limit_credit_line"]);
    let key = local_policy_key().unwrap();
    let publisher = PolicyPublisher { by: "anna", key: Some(&key) };
    let rolled =
        rollback(world.store(), &standard(), publisher, Brake::default(), world.now()).await.unwrap();
    assert_eq!((rolled.policy.version, rolled.policy.grace_days), (3, 3));
    world.set("2023-10-07T00:02:00Z");
    queue_accounts(world.store(), &rolled.policy, world.now()).await.unwrap();
    world.set("2023-10-07T01:02:00Z");
    world.sweep().await;
    let account = world.account("A-1").await;
    assert_eq!((bound(&account), account.status.stage.as_str()), (3, "late"));
    assert!(account.status.restrictions.is_empty(), "what the second version brought is lifted");
    let listed = world.store().published_policies(&standard(), 9).await.unwrap();
    let reason = listed[0].publication.as_ref().and_then(|one| one.backdated.as_deref());
    assert_eq!(reason, Some("rollback of version 2"));
}

#[tokio::test]
async fn a_backdated_version_changes_no_day_before_its_publication() {
    let world = opened().await;
    world.set("2023-10-06T12:00:00Z");
    let text = version(2, "2023-09-01", 0, "");
    let refused = publish_by(&world, &text, "anna", None, Some(1)).await.unwrap_err();
    assert!(refused.to_string().contains("--backdate"), "{refused}");
    publish_by(&world, &text, "anna", Some("the board decided late"), Some(1)).await.unwrap();
    world.set("2023-10-06T13:00:00Z");
    world.sweep().await;
    let account = world.account("A-1").await;
    let last = account.recent_decisions().last().unwrap();
    assert!(last.at >= instant("2023-10-06T12:00:00Z") || last.policy.version == 1, "{last:?}");
    assert!(
        account.bound_versions().iter().all(|one| one.version == 1 || one.from.to_string() == "2023-10-06")
    );
}

#[tokio::test]
async fn of_two_publishers_of_one_number_one_wins_and_the_other_is_told() {
    let world = opened().await;
    let (one, two) = (version(2, "2023-10-03", 2, ""), version(2, "2023-10-03", 4, ""));
    let (first, second) = tokio::join!(
        publish_by(&world, &one, "anna", None, None),
        publish_by(&world, &two, "berta", None, None)
    );
    let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
    assert!(won.unwrap().is_new);
    let message = lost.unwrap_err().to_string();
    let by = ["anna", "berta"].into_iter().any(|by| message.contains(&format!("was published by {by}")));
    assert!(by || message.contains("version 2 is the latest"), "{message}");
    assert_eq!(world.store().published_policies(&standard(), 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_store_takes_no_version_before_the_one_before() {
    let world = opened().await;
    let (second, third) = (version(2, "2023-10-03", 2, ""), version(3, "2023-10-03", 2, ""));
    let key = local_policy_key().unwrap();
    let publication = duewatch_store::PolicyPublication {
        by: "anna".to_owned(),
        at: world.now(),
        approved_by: None,
        backdated: None,
    };
    let put = async |text: &str| {
        world.store().publish_policy(&policy::parse(text).unwrap(), text, &publication, Some(&key)).await
    };
    assert!(matches!(put(&third).await, Err(StoreError::PolicyVersionGap { version: 3, .. })));
    assert!(put(&second).await.unwrap());
    assert!(!put(&second).await.unwrap(), "the same text again");
    assert!(put(&third).await.unwrap());
    let other = version(3, "2023-10-03", 1, "");
    assert!(matches!(put(&other).await, Err(StoreError::PolicyVersionTaken { version: 3, .. })));
}

#[tokio::test]
async fn a_policy_whose_text_was_changed_in_the_table_judges_nobody() {
    let world = opened().await;
    let stricter = version(1, "2020-01-01", 0, "");
    world
        .client()
        .update_item()
        .table_name(&world.store().tables().policies)
        .key("pk", AttributeValue::S(format!("policy#{STANDARD}")))
        .key("sk", AttributeValue::S("version#0000000001".to_owned()))
        .update_expression("SET #text = :text")
        .expression_attribute_names("#text", "document")
        .expression_attribute_values(":text", AttributeValue::S(stricter))
        .send()
        .await
        .unwrap();
    world.set(LIMITED_AT);
    let services = world.services(detect_overdue::NAME);
    let swept = services.transitions.sweep(&id("A-1"), world.now()).await;
    assert!(matches!(swept, Err(TransitionError::Store(StoreError::PolicyAltered { version: 1, .. }))));
    assert!(world.account("A-1").await.status.restrictions.is_empty());
}

#[tokio::test]
async fn a_version_that_would_suspend_everybody_stops_before_it_is_published() {
    let world = opened().await;
    world.set("2023-10-03T00:00:00Z");
    world.sweep().await;
    let suspending = version(2, "2023-10-03", 0, "").replacen(
        "when = { delinquent_days = 1 }\n",
        "when = { delinquent_days = 1 }\nrestrictions = [{ kind = \"suspend_account\", notice_days = 5 }]\n",
        1,
    );
    let stopped = publish_by(&world, &suspending, "eve", None, None).await.unwrap_err();
    let message = stopped.to_string();
    assert!(
        message.starts_with("1 of 1 accounts would be newly restricted: A-1 (current -> late: "),
        "{message}"
    );
    assert!(message.ends_with("say --accept-restricting 1"), "{message}");
    let other = publish_by(&world, &suspending, "eve", None, Some(7)).await.unwrap_err();
    assert!(matches!(other, LifeError::Brake(BrakeError::OtherNumber { accepted: 7, .. })), "{other}");
    assert_eq!(world.store().published_policies(&standard(), 9).await.unwrap().len(), 1);
    let published = publish_by(&world, &suspending, "anna", None, Some(1)).await.unwrap();
    assert_eq!(published.judgement.map(|judgement| judgement.restricted), Some(1));
}

async fn hold(world: &World, is_on: bool) {
    let (at, by) = (world.now(), "anna".to_owned());
    let hold = OperatorHold { is_on, at, by, reason: "a wrong policy".to_owned() };
    world.store().set_hold(HoldScope::Restrictions, &hold).await.unwrap();
}

#[tokio::test]
async fn a_hold_lets_no_restriction_begin_and_stops_neither_flags_nor_lifts() {
    let mut world = World::at(OPENED_AT).await;
    for account in ["A-1", "A-2"] {
        world.open(account).await;
    }
    world.set(LIMITED_AT);
    world.sweep().await;
    // The second is paid while restrictions are on hold, the first goes on to the next stage.
    world.set("2023-10-09T00:00:00Z");
    hold(&world, true).await;
    world.pay_and_post("A-2", "P-1", "250.00").await;
    assert!(world.account("A-2").await.status.restrictions.is_empty(), "a lift does not wait");
    world.set("2023-10-19T00:00:00Z");
    world.sweep().await;
    let held = world.account("A-1").await;
    let restrictions: Vec<String> = held.status.restrictions.iter().map(ToString::to_string).collect();
    assert_eq!(
        (held.status.stage.as_str(), restrictions),
        ("frozen", vec!["limit_credit_line to 50 %".to_owned()])
    );
    let reasons: Vec<String> =
        held.recent_decisions().last().unwrap().reasons.iter().map(ToString::to_string).collect();
    assert!(reasons.iter().any(|reason| reason.contains("put them on hold")), "{reasons:?}");
    // To the reconciler an account whose restrictions are on hold is as it should be.
    let services = world.services(reconcile_accounts::NAME);
    services.transitions.reconcile(&id("A-1"), world.now()).await.unwrap();
    assert_eq!(world.account("A-1").await.revision, held.revision);
    // The release.
    world.set("2023-10-19T06:00:00Z");
    hold(&world, false).await;
    world.sweep().await;
    let released = world.account("A-1").await;
    assert_eq!(released.status.restrictions.len(), 2);
    assert_eq!(released.recent_decisions().last().unwrap().at, world.now(), "it begins after the release");
}

#[tokio::test]
async fn an_opening_in_a_hold_is_flagged_and_not_restricted() {
    let world = World::at(LIMITED_AT).await;
    hold(&world, true).await;
    let account = world.open("A-1").await;
    assert_eq!((account.status.stage.as_str(), account.status.restrictions.len()), ("limited", 0));
    assert!(account.status.next_action_at.unwrap() <= world.now() + TimeDelta::hours(1));
}

#[tokio::test]
async fn a_function_knows_of_a_hold_within_a_minute() {
    let world = World::at(OPENED_AT).await;
    for account in ["A-1", "A-2"] {
        world.open(account).await;
    }
    world.set(LIMITED_AT);
    let services = world.services(detect_overdue::NAME);
    services.transitions.sweep(&id("A-1"), world.now()).await.unwrap();
    assert_eq!(world.account("A-1").await.status.restrictions.len(), 1);
    hold(&world, true).await;
    world.set("2023-10-08T16:01:00Z");
    sweep(&services).await;
    assert_eq!(world.account("A-2").await.status.restrictions.len(), 0);
}
