//! `duewatch approve`: the second of two people, by the command line.

use duewatch_app::{Clock, SystemClock};
use duewatch_domain::formats::parse_message;
use duewatch_domain::kernel::AccountId;
use serde_json::Value;

use super::policies::Installation;

const POLICY: &str =
    "id = \"standard\"\nversion = 1\neffective_on = 2023-10-01\n[approval]\namount_above = \"100.00\"\n";
const LINE: &str = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"}]}"#;

/// An installation whose account A-1 has a write-off that waits, with its digest.
async fn waiting() -> (Installation, String) {
    let mut installation = Installation::start().await;
    installation.file("policy.toml", POLICY);
    installation.file("book.jsonl", LINE);
    installation.says("anna", "import --book book.jsonl --policy policy.toml --signing-key key");
    // The command reads the clock of this machine, and a proposal ends after two weeks.
    installation.stack.clock().set(SystemClock.now());
    let command = r#"{"event_id":"E-1","at":"2023-10-01T00:00:00Z","account_id":"A-1","type":"written_off","reason":"a \u001b[2J favour","actor":{"kind":"officer","id":"berta"}}"#;
    installation.stack.send_to_intake(&parse_message(command).unwrap()).await.unwrap();
    installation.stack.drain().await.unwrap();
    let listed: Value = serde_json::from_str(&installation.says("anna", "approve --list --json")).unwrap();
    assert_eq!((&listed["state"], &listed["message"]["type"]), (&"waiting".into(), &"written_off".into()));
    let digest = listed["digest"].as_str().unwrap().to_owned();
    (installation, digest)
}

async fn is_written_off(installation: &Installation) -> bool {
    let id: AccountId = "A-1".parse().unwrap();
    installation.stack.store().account(&id).await.unwrap().unwrap().account.installments()[0].written_off
}

#[tokio::test(flavor = "multi_thread")]
async fn another_person_approves_by_the_digest_and_the_list_shows_it() {
    let (installation, digest) = waiting().await;
    let own = installation.run("berta", &format!("approve {digest}"));
    assert_eq!(own.status.code(), Some(1));
    let told = String::from_utf8(own.stderr).unwrap();
    assert!(told.contains("berta proposed it: another person must approve it"), "{told}");
    assert!(!is_written_off(&installation).await);
    let list = installation.says("anna", "approve --list");
    assert!(list.contains(&digest) && list.contains("by berta through core"), "{list}");
    assert!(list.ends_with("1 commands wait for an approval\n") && !list.contains('\u{1b}'), "{list}");

    let approved = installation.says("anna", &format!("approve {digest}"));
    assert_eq!(approved, "approved by anna; the account has taken the command\n");
    assert!(is_written_off(&installation).await);
    let list = installation.says("anna", "approve --list");
    assert!(
        list.contains("account A-1: taken") && list.contains("approved by anna, of 1 who must"),
        "{list}"
    );
    let again = installation.run("carla", &format!("approve {digest}"));
    assert!(String::from_utf8(again.stderr).unwrap().contains("it has ended"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_bears_its_reason_and_ends_the_proposal() {
    let (installation, digest) = waiting().await;
    let without = installation.run("anna", &format!("approve --refuse {digest}"));
    assert_eq!(without.status.code(), Some(2), "a reason is asked for");
    installation.says("anna", &format!("approve --refuse {digest} --reason unfounded"));
    let list = installation.says("anna", "approve --list");
    assert!(list.contains("refused by anna: unfounded"), "{list}");
    let approved = installation.run("carla", &format!("approve {digest}"));
    assert!(!approved.status.success() && !is_written_off(&installation).await);
}
