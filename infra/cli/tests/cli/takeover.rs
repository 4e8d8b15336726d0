//! `import --takeover`: the restrictions that a lender has in force already, by the command line.

use duewatch_domain::Account;
use duewatch_domain::commands::{Command, PaymentReceived};
use duewatch_domain::formats::parse_event_line;
use duewatch_domain::kernel::AccountId;
use duewatch_store::PaymentFact;

use super::policies::Installation;

const POLICY: &str = "id = \"standard\"\nversion = 1\neffective_on = 2020-01-01\n\
    [[stages]]\nname = \"late\"\nwhen = { delinquent_days = 1 }\nrestrictions = []\n\
    [[stages]]\nname = \"frozen\"\nwhen = { delinquent_days = 15 }\nrestrictions = [{ kind = \"freeze_drawdown\" }]\n";

/// An account that owes 250.00 since that date, with restrictions of those kinds.
fn line(account: &str, due_on: &str, kinds: &[&str]) -> String {
    let restrictions: Vec<String> = kinds.iter().map(|kind| format!(r#"{{"kind":"{kind}"}}"#)).collect();
    format!(
        r#"{{"account_id":"{account}","customer_id":"C-{account}","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-09-01","installments":[{{"number":1,"due_on":"{due_on}","principal":"250.00"}}],"restrictions":[{}]}}"#,
        restrictions.join(",")
    )
}

async fn installed() -> Installation {
    let installation = Installation::start().await;
    installation.file("policy.toml", POLICY);
    let book = [
        line("A-1", "2023-09-02", &["suspend_account"]),
        line("A-2", "2023-09-02", &["freeze_drawdown"]),
        line("A-3", "2099-01-01", &["freeze_drawdown"]),
    ];
    installation.file("book.jsonl", &book.join("\n"));
    installation
}

async fn account(installation: &Installation, id: &str) -> Option<Account> {
    let id: AccountId = id.parse().unwrap();
    installation.stack.store().account(&id).await.unwrap().map(|stored| stored.account)
}

fn restrictions(account: &Account) -> Vec<String> {
    account.status.restrictions.iter().map(ToString::to_string).collect()
}

const IMPORT: &str = "import --book book.jsonl --policy policy.toml --signing-key key";

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_what_is_kept_eased_and_applied_and_writes_nothing() {
    let installation = installed().await;
    let keep = installation.says("anna", &format!("{IMPORT} --takeover keep --dry-run"));
    assert_eq!(
        keep,
        "freeze_drawdown: 1 kept, 1 eased, 1 applied\nsuspend_account: 1 kept, 0 eased, 0 applied\n\
         3 accounts to be opened, 0 known already; nothing was written\n"
    );
    let apply = installation.says("anna", &format!("{IMPORT} --takeover apply --dry-run"));
    assert!(apply.contains("suspend_account: 0 kept, 1 eased, 0 applied"), "{apply}");
    assert!(account(&installation, "A-1").await.is_none());
    let id = "standard".parse().unwrap();
    assert!(installation.stack.store().published_policies(&id, 9).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_book_that_names_restrictions_is_not_taken_over_without_saying_what_becomes_of_them() {
    let installation = installed().await;
    let run = installation.run("anna", IMPORT);
    let message = String::from_utf8(run.stderr).unwrap();
    assert!(
        message.contains("book.jsonl:1: restrictions:") && message.contains("--takeover keep"),
        "{message}"
    );
    assert!(account(&installation, "A-1").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_restrictions_stay_until_the_stage_gets_milder_and_no_restriction_outlives_a_cure() {
    let mut installation = installed().await;
    installation.says("anna", &format!("{IMPORT} --takeover keep"));
    let kept = account(&installation, "A-1").await.unwrap();
    assert_eq!(restrictions(&kept), ["freeze_drawdown", "suspend_account"]);
    let decision = kept.recent_decisions().last().unwrap();
    assert_eq!((decision.applied.len(), decision.lifted.len()), (1, 0), "what was there is no news");
    assert_eq!(restrictions(&account(&installation, "A-2").await.unwrap()), ["freeze_drawdown"]);
    assert_eq!(restrictions(&account(&installation, "A-3").await.unwrap()), [""; 0]);
    let again = installation.says("anna", &format!("{IMPORT} --takeover keep"));
    assert_eq!(again, "0 accounts opened, 3 known already, 0 lines refused\n");

    let paid = r#"{"at":"2023-10-01T00:00:00Z","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"250.00"}"#;
    let event = parse_event_line(paid).unwrap();
    let Command::PaymentReceived(payment) = &event.command else { panic!("{event:?}") };
    let payment: &PaymentReceived = payment;
    let fact = PaymentFact::received(event.account_id.clone(), payment, event.at);
    installation.stack.store().put_payment(&fact).await.unwrap();
    installation.stack.drain().await.unwrap();
    let cured = account(&installation, "A-1").await.unwrap();
    assert_eq!((restrictions(&cured), cured.status.stage.as_str()), (Vec::new(), "current"));
    assert_eq!(cured.recent_decisions().last().unwrap().lifted.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_apply_the_policy_alone_says_what_holds_and_the_decision_names_what_is_eased() {
    let installation = installed().await;
    installation.says("anna", &format!("{IMPORT} --takeover apply"));
    let judged = account(&installation, "A-1").await.unwrap();
    assert_eq!(restrictions(&judged), ["freeze_drawdown"]);
    let decision = judged.recent_decisions().last().unwrap();
    assert_eq!(decision.lifted[0].to_string(), "suspend_account");
}
