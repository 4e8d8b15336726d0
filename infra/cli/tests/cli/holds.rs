//! The commands of a bad day.

use duewatch_store::HoldScope;

use crate::policies::Installation;

async fn is_on(installation: &Installation, scope: HoldScope) -> bool {
    installation.stack.store().hold(scope).await.unwrap().is_some_and(|hold| hold.is_on)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_leaves_is_stopped_and_starts_again_once() {
    let installation = Installation::start().await;
    let said = installation.says("anna", "stop sending --reason mistake");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines,
        [
            "sending: stopped, within 60 s everywhere",
            "waiting: 0 contact requests; events of decisions wait in the stream of accounts",
            "called by anna",
        ]
    );
    assert!(is_on(&installation, HoldScope::Sending).await);
    assert!(!is_on(&installation, HoldScope::Restrictions).await);
    // Repeated by another person, it stays the first one's.
    let said = installation.says("berta", "stop sending --reason again");
    assert!(said.starts_with("sending: stopped already since "), "{said}");
    assert!(said.contains(", by anna: mistake\n"), "{said}");
    let said = installation.says("berta", "start --reason mended");
    assert!(said.starts_with("sending: starts again, within 60 s\n"), "{said}");
    assert!(said.contains("restrictions: not stopped\n"), "{said}");
    let hold = installation.stack.store().hold(HoldScope::Sending).await.unwrap().unwrap();
    assert_eq!((hold.is_on, hold.by.as_str(), hold.reason.as_str()), (false, "berta", "mended"));
    assert!(installation.says("berta", "start --reason mended").starts_with("sending: not stopped since "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing() {
    let installation = Installation::start().await;
    let said = installation.says("anna", "stop restrictions --reason mistake --dry-run");
    assert!(said.starts_with("restrictions: would be stopped\n"), "{said}");
    assert_eq!(installation.stack.store().hold(HoldScope::Restrictions).await.unwrap(), None);
    installation.says("anna", "stop restrictions --reason mistake");
    let said = installation.says("anna", "start --reason mended --dry-run");
    assert!(said.contains("restrictions: would start again since "), "{said}");
    assert!(is_on(&installation, HoldScope::Restrictions).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_restrictions_are_stopped_by_either_command_and_started_by_either() {
    let installation = Installation::start().await;
    installation.says("anna", "policy hold --reason mistake");
    let said = installation.says("anna", "stop restrictions --reason mistake");
    assert!(said.starts_with("restrictions: stopped already since "), "{said}");
    installation.says("anna", "start restrictions --reason mended");
    assert!(!is_on(&installation, HoldScope::Restrictions).await);
}
