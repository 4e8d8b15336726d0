//! Attacks on the signatures of policies, by somebody who may write the tables and has no key of the publisher.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use duewatch_app::{NewVersion, PublishError, Transitions, publish_policy};
use duewatch_domain::policy;
use duewatch_runtime::Settings;
use duewatch_stack::local_policy_key;
use duewatch_store::{PolicyApproval, PolicyKeys, PolicyPublication, PrivateKey, Store, policy_digest};
use duewatch_tests::support::{STANDARD, World, id, policy_text, sweep};
use rstest::rstest;

use super::policies::{LIMITED_AT, OPENED_AT, PUBLISHED_AT, opened, standard, version};

type PolicyItem = HashMap<String, AttributeValue>;

fn other_key() -> PrivateKey {
    PrivateKey::parse(&"42".repeat(32)).unwrap()
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A version without any grace, which restricts A-1 days earlier.
fn stricter(number: u32) -> String {
    version(number, "2023-09-01", 0, "")
}

fn publication(world: &World, by: &str) -> PolicyPublication {
    PolicyPublication { by: by.to_owned(), at: world.now(), approved_by: None, backdated: None }
}

/// The second version, published by anna as it should be.
async fn publish_second(world: &World) -> PolicyItem {
    let (text, key) = (version(2, "2023-09-02", 3, ""), local_policy_key().unwrap());
    let policy = policy::parse(&text).unwrap();
    let new = NewVersion { policy: &policy, text: &text, by: "anna", backdated: None, key: Some(&key) };
    assert!(publish_policy(world.store(), &new, world.now()).await.unwrap());
    item(world, 2).await
}

async fn item(world: &World, number: u32) -> PolicyItem {
    let table = &world.store().tables().policies;
    let items = world.items_in(table, &format!("policy#{STANDARD}"), &format!("version#{number:010}")).await;
    items.into_iter().next().unwrap()
}

async fn put(world: &World, table: &str, item: PolicyItem) {
    world.client().put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
}

/// The functions say the sentence, restrict nobody, and quarantine the account, which alerts.
async fn must_judge_nobody(world: &World, sentence: &str) {
    world.set(LIMITED_AT);
    let services = world.services(detect_overdue::NAME);
    let refused = services.transitions.sweep(&id("A-1"), world.now()).await.unwrap_err();
    assert_eq!(refused.to_string(), sentence);
    assert_eq!(sweep(&services).await.quarantined, 1);
    let [quarantined] = world.quarantined().await.try_into().unwrap();
    assert_eq!(quarantined.reason, sentence);
    assert!(world.account("A-1").await.status.restrictions.is_empty());
}

const SECOND_IS_NOT_SIGNED: &str = "policy standard version 2 is not signed by the publisher's key";

#[tokio::test]
async fn a_version_that_was_put_into_the_table_unsigned_judges_nobody() {
    let world = opened().await;
    let policy = policy::parse(&stricter(2)).unwrap();
    let by = publication(&world, "anna");
    assert!(world.store().publish_policy(&policy, &stricter(2), &by, None).await.unwrap());
    must_judge_nobody(&world, SECOND_IS_NOT_SIGNED).await;
}

#[tokio::test]
async fn a_version_that_another_key_signed_judges_nobody() {
    let world = opened().await;
    let policy = policy::parse(&stricter(2)).unwrap();
    let by = publication(&world, "anna");
    assert!(world.store().publish_policy(&policy, &stricter(2), &by, Some(&other_key())).await.unwrap());
    must_judge_nobody(&world, SECOND_IS_NOT_SIGNED).await;
}

/// The text, with a digest that fits it.
fn with_text(mut item: PolicyItem, document: &str) -> PolicyItem {
    item.insert("document".to_owned(), text(document));
    item.insert("digest".to_owned(), text(policy_digest(document)));
    item
}

fn with(mut item: PolicyItem, attribute: &str, value: &str) -> PolicyItem {
    item.insert(attribute.to_owned(), text(value));
    item
}

#[rstest]
#[case::to_a_stricter_text(|item| with_text(item, &stricter(2)))]
#[case::to_another_effective_date(|item| with_text(item, &version(2, "2023-09-01", 3, "")))]
#[case::to_another_publisher(|item| with(item, "published_by", "berta"))]
#[case::to_another_instant(|item| with(item, "published_at", "2023-09-01T00:00:00.000Z"))]
#[case::to_an_approval(|item| with(item, "approved_by", "berta"))]
#[case::to_a_reason(|item| with(item, "backdated", "the board decided late"))]
#[tokio::test]
async fn a_signature_is_not_moved(#[case] moved: fn(PolicyItem) -> PolicyItem) {
    let world = opened().await;
    let item = publish_second(&world).await;
    put(&world, &world.store().tables().policies, moved(item)).await;
    must_judge_nobody(&world, SECOND_IS_NOT_SIGNED).await;
}

#[tokio::test]
async fn a_signature_is_not_moved_to_another_version() {
    let world = opened().await;
    let mut third = with_text(publish_second(&world).await, &version(3, "2023-09-02", 3, ""));
    third.insert("sk".to_owned(), text("version#0000000003"));
    third.insert("version".to_owned(), AttributeValue::N("3".to_owned()));
    put(&world, &world.store().tables().policies, third).await;
    must_judge_nobody(&world, "policy standard version 3 is not signed by the publisher's key").await;
}

#[tokio::test]
async fn a_version_without_its_publisher_is_not_taken_for_an_earlier_releases() {
    let world = opened().await;
    let mut item = publish_second(&world).await;
    for attribute in ["published_by", "published_at", "digest"] {
        item.remove(attribute);
    }
    put(&world, &world.store().tables().policies, item).await;
    must_judge_nobody(&world, SECOND_IS_NOT_SIGNED).await;
}

#[tokio::test]
async fn a_policy_in_the_records_table_is_not_taken_where_there_is_a_key() {
    let world = World::at(OPENED_AT).await;
    let smuggled = policy_text(STANDARD).replace("\"standard\"", "\"smuggled\"");
    put(&world, &world.store().tables().records, of_earlier_release("smuggled", 1, &smuggled)).await;
    let found = world.store().policy_versions(&"smuggled".parse().unwrap()).await;
    assert_eq!(found.unwrap_err().to_string(), "policy smuggled was never published");
}

#[tokio::test]
async fn an_approval_that_is_not_signed_is_not_published_with() {
    let world = opened().await;
    let (text, key) = (version(2, "2023-09-02", 3, ""), local_policy_key().unwrap());
    let policy = policy::parse(&text).unwrap();
    let new = NewVersion { policy: &policy, text: &text, by: "anna", backdated: None, key: Some(&key) };
    let digest = policy_digest(&policy::canonical_text(&text));
    let approval = PolicyApproval { by: "berta".to_owned(), at: world.now() };
    for forger in [None, Some(&other_key())] {
        world.store().approve_policy(&standard(), &digest, &approval, forger).await.unwrap();
        let refused = publish_policy(world.store(), &new, world.now()).await.unwrap_err();
        assert!(refused.to_string().contains("the approval is not signed"), "{refused}");
    }
    world.store().approve_policy(&standard(), &digest, &approval, Some(&key)).await.unwrap();
    assert!(publish_policy(world.store(), &new, world.now()).await.unwrap());
    let published = world.store().published_policies(&standard(), 1).await.unwrap();
    let by = published[0].publication.as_ref().and_then(|one| one.approved_by.as_deref());
    assert_eq!(by, Some("berta"));
}

#[tokio::test]
async fn whoever_has_no_key_of_the_functions_publishes_nothing() {
    let world = opened().await;
    let text = version(2, "2023-09-02", 3, "");
    let policy = policy::parse(&text).unwrap();
    let other = other_key();
    let publish = async |key| {
        let new = NewVersion { policy: &policy, text: &text, by: "anna", backdated: None, key };
        publish_policy(world.store(), &new, world.now()).await
    };
    assert!(matches!(publish(None).await, Err(PublishError::NoKey)));
    assert!(matches!(publish(Some(&other)).await, Err(PublishError::UnknownKey(_))));
    assert_eq!(world.store().published_policies(&standard(), 9).await.unwrap().len(), 1);
}

/// A store whose settings name these keys.
fn store_with(world: &World, keys: &str) -> Store {
    let policy_keys = keys.parse().unwrap();
    Settings { policy_keys, ..world.stack.settings().clone() }.store(world.client().clone())
}

#[tokio::test]
async fn a_change_of_the_key_leaves_versions_valid_as_long_as_the_old_one_is_named() {
    let world = opened().await;
    let (old, new) = (local_policy_key().unwrap().public_key(), other_key().public_key());
    let both = store_with(&world, &format!("{new},{old}"));
    assert_eq!(both.policy_versions(&standard()).await.unwrap().iter().count(), 1);
    let after = store_with(&world, &new.to_string());
    let refused = after.policy_versions(&standard()).await.unwrap_err();
    assert_eq!(refused.to_string(), "policy standard version 1 is not signed by the publisher's key");
    // The new key signs all versions anew, when the old one has leaked.
    assert_eq!(after.sign_policy(&standard(), &other_key()).await.unwrap().len(), 1);
    assert_eq!(after.policy_versions(&standard()).await.unwrap().iter().count(), 1);
    assert!(world.store().policy_versions(&standard()).await.is_err());
}

/// A version as an earlier release put it: without a signature, and without a publisher.
fn of_earlier_release(policy_id: &str, number: u32, document: &str) -> PolicyItem {
    HashMap::from([
        ("pk".to_owned(), text(format!("policy#{policy_id}"))),
        ("sk".to_owned(), text(format!("version#{number:010}"))),
        ("version".to_owned(), AttributeValue::N(number.to_string())),
        ("document".to_owned(), text(document)),
    ])
}

#[tokio::test]
async fn the_policies_of_an_earlier_release_are_read_without_a_key_and_with_one_after_they_were_signed() {
    let world = World::at(OPENED_AT).await;
    let named =
        |number: u32| version(number, "2020-01-01", number, "").replace("\"standard\"", "\"earlier\"");
    for number in 1..=25 {
        let item = of_earlier_release("earlier", number, &named(number));
        put(&world, &world.store().tables().records, item).await;
    }
    let earlier = "earlier".parse().unwrap();
    let without = store_with(&world, "none");
    assert_eq!(without.policy_versions(&earlier).await.unwrap().last().unwrap().version, 25);
    assert_eq!(without.policy_version(&earlier, 3).await.unwrap().unwrap().grace_days, 3);
    let key = local_policy_key().unwrap();
    let signed = world.store().sign_policy(&earlier, &key).await.unwrap();
    assert_eq!(signed.len(), 25, "not only those that a function reads at once");
    assert_eq!(world.store().policy_versions(&earlier).await.unwrap().last().unwrap().version, 25);
    assert_eq!(world.store().policy_version(&earlier, 3).await.unwrap().unwrap().grace_days, 3);
    // Another version that is put beside the old ones afterwards is not signed with them.
    let item = of_earlier_release("earlier", 26, &named(26));
    put(&world, &world.store().tables().records, item).await;
    assert_eq!(world.store().sign_policy(&earlier, &key).await.unwrap().len(), 25);
}

#[tokio::test]
async fn a_signing_that_was_cut_off_is_gone_on_with() {
    let world = World::at(PUBLISHED_AT).await;
    let named = |number: u32| version(number, "2020-01-01", 0, "").replace("\"standard\"", "\"earlier\"");
    for number in 1..=3 {
        let item = of_earlier_release("earlier", number, &named(number));
        put(&world, &world.store().tables().records, item).await;
    }
    // The newest is put first, and was the only one.
    let (earlier, key) = ("earlier".parse().unwrap(), local_policy_key().unwrap());
    world.store().install_policy(&policy::parse(&named(3)).unwrap(), &named(3), &key).await.unwrap();
    assert_eq!(world.store().sign_policy(&earlier, &key).await.unwrap().len(), 3);
    assert_eq!(world.store().published_policies(&earlier, 9).await.unwrap().len(), 3);
}

#[tokio::test]
async fn without_a_key_an_unsigned_version_judges_and_the_sweep_says_so() {
    let world = opened().await;
    let policy = policy::parse(&stricter(2)).unwrap();
    let by = publication(&world, "anna");
    assert!(world.store().publish_policy(&policy, &stricter(2), &by, None).await.unwrap());
    world.set(LIMITED_AT);
    let settings = Settings { policy_keys: PolicyKeys::NONE, ..world.stack.settings().clone() };
    let services = world.services_under(detect_overdue::NAME, &settings);
    assert!(services.store().policy_keys().is_none());
    Transitions::new(services.store().clone()).sweep(&id("A-1"), world.now()).await.unwrap();
    assert_eq!(world.account("A-1").await.status.policy.unwrap().version, 2);
    super::super::template::watched_metric(
        "UnsignedPoliciesAlarm",
        detect_overdue::NAME,
        "policies_unsigned",
    );
}
