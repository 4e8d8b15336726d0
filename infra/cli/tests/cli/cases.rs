//! `duewatch cases`: opened, shown and decided by the command line.

use duewatch_app::{Clock, SystemClock};
use duewatch_domain::account::CaseOutcome;
use duewatch_domain::kernel::AccountId;
use serde_json::Value;

use super::policies::Installation;

const POLICY: &str = "id = \"standard\"\nversion = 1\neffective_on = 2023-10-01\n[cases.appeal]\n\
    answer = { amount = 30, unit = \"days\", extended_to = [45] }\nholds = [\"restrictions\"]\nholds_days = 30\n\
    repeat = { at_most = 2, within_days = 365 }\n";
const LINE: &str = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"}]}"#;

/// An installation with an appeal that anna opened for the borrower of A-1.
async fn opened() -> Installation {
    let installation = Installation::start().await;
    installation.file("policy.toml", POLICY);
    installation.file("book.jsonl", LINE);
    installation.says("anna", "import --book book.jsonl --policy policy.toml --signing-key key");
    installation.stack.clock().set(SystemClock.now());
    let told = installation.says("anna", "cases open A-1 appeal --request-id R-1 --statement not-late");
    assert!(told.starts_with("case A-1/1 opened by anna; open, the answer is due on "), "{told}");
    installation
}

fn refused(installation: &Installation, by: &str, command: &str, code: i32) -> String {
    let output = installation.run(by, command);
    assert_eq!(output.status.code(), Some(code), "{command}");
    String::from_utf8(output.stderr).unwrap()
}

async fn outcome(installation: &Installation) -> Option<CaseOutcome> {
    let id: AccountId = "A-1".parse().unwrap();
    let account = installation.stack.store().account(&id).await.unwrap().unwrap().account;
    account.cases()[0].closed.map(|(outcome, _)| outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_person_decides_the_case_and_the_account_knows_it() {
    let installation = opened().await;
    installation.says("anna", "cases open A-1 appeal --request-id R-1 --statement not-late");
    let listed: Value = serde_json::from_str(&installation.says("anna", "cases --json")).unwrap();
    assert_eq!((&listed["case_id"], &listed["deadlines"][0]["state"]), (&"A-1/1".into(), &"open".into()));
    assert!(installation.says("anna", "cases").ends_with("1 cases are open\n"));
    installation.says("anna", "cases acknowledge A-1/1");
    installation.says("anna", "cases extend A-1/1");
    assert_eq!(outcome(&installation).await, None);

    let own = refused(&installation, "anna", "cases decide A-1/1 --uphold --reason genuine", 1);
    assert!(own.contains("the one who opened the case, or added to it, does not decide it"), "{own}");
    let told = installation.says("berta", "cases decide A-1/1 --reject --reason unfounded");
    assert_eq!(told, "case A-1/1 changed by berta; rejected by berta: unfounded\n");
    assert_eq!(outcome(&installation).await, Some(CaseOutcome::Rejected));
    let shown = installation.says("carla", "cases A-1/1");
    for line in [
        "opened by anna: not-late",
        "acknowledged",
        "rejected by berta",
        "the account knows of its end",
        "answer by ",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let again = refused(&installation, "berta", "cases withdraw A-1/1 --reason late", 1);
    assert!(again.contains("and stays closed"), "{again}");
    assert_eq!(installation.says("anna", "cases"), "0 cases are open\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_added_to_and_withdrawn_and_a_wrong_command_is_told_so() {
    let installation = opened().await;
    installation.says("anna", "cases add A-1/1 receipt");
    installation.says("anna", "cases withdraw A-1/1 --reason paid");
    assert_eq!(outcome(&installation).await, Some(CaseOutcome::Withdrawn));
    let unknown = refused(&installation, "anna", "cases A-1/7", 1);
    assert!(unknown.contains("there is no case A-1/7"), "{unknown}");
    let kind = refused(&installation, "anna", "cases open A-1 complaint --statement calls", 1);
    assert!(kind.contains("takes no case of the kind complaint"), "{kind}");
    refused(&installation, "anna", "cases open A-1 grievance --statement calls", 2);
    refused(&installation, "anna", "cases decide A-1/1 --reason none", 2);
}
