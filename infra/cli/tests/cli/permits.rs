//! `permits` and `explain`: an answer is one about the account that was asked for, or there is none.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use duewatch_testkit::{FROZEN, LATE, policy_text, stages};
use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

const BOOK: &str = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"}]}
"#;
const DAYS: &str = "--case . --from 2023-10-01 --to 2023-10-24";

/// A case in which A-1 is frozen in the end.
fn case(tables: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let frozen = ("frozen", "delinquent_days = 15", FROZEN.2);
    let policy = policy_text("standard", "grace_days = 3", &format!("{}{tables}", stages(&[LATE, frozen])));
    for (name, text) in [("policy.toml", policy.as_str()), ("book.jsonl", BOOK), ("events.jsonl", "")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Without any variable of the environment.
fn duewatch(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    command.args(arguments).current_dir(folder).env_clear().output().unwrap()
}

fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

#[rstest]
#[case::misspelt("withdraw")]
#[case::another_case("Draw")]
#[case::with_a_space("draw ")]
#[case::empty("")]
fn an_operation_that_is_not_known_is_never_allowed(#[case] operation: &str) {
    let folder = case("[operations]\nknown = [\"order_card\"]\n");
    for json in [false, true] {
        let mut arguments = vec!["permits", "A-1", operation];
        arguments.extend(words(DAYS));
        arguments.extend(json.then_some("--json"));
        let run = duewatch(folder.path(), &arguments);
        let message = String::from_utf8(run.stderr).unwrap();
        assert_eq!((run.status.code(), run.stdout.is_empty()), (Some(2), true), "{message}");
        for known in ["repay", "draw", "transfer", "pay_wages", "receive", "order_card"] {
            assert!(message.contains(known), "{known} is missing in: {message}");
        }
    }
}

#[rstest]
#[case("draw", 3, "blocked", Some("freeze_drawdown"))]
#[case("transfer", 0, "allowed", None)]
#[case("order_card", 0, "allowed", None)]
fn permits_answers_scripts_in_json(
    #[case] operation: &str,
    #[case] code: i32,
    #[case] answer: &str,
    #[case] restriction: Option<&str>,
) {
    let folder = case("[operations]\nknown = [\"order_card\"]\n");
    let run = duewatch(folder.path(), &words(&format!("permits A-1 {operation} {DAYS} --json")));
    assert_eq!((run.status.code(), run.stderr.is_empty()), (Some(code), true));
    let said: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(said["answer"], answer);
    assert_eq!(said["allowed"], code == 0);
    assert_eq!(said["restriction"]["kind"].as_str(), restriction);
    assert_eq!((said["stage"].as_str(), said["account_id"].as_str()), (Some("frozen"), Some("A-1")));
}

#[test]
fn explain_answers_scripts_in_json() {
    let folder = case("");
    let run = duewatch(folder.path(), &words(&format!("explain A-1 {DAYS} --json")));
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (said["stage"].as_str(), said["figures"]["overdue"].as_str()),
        (Some("frozen"), Some("250.00"))
    );
    assert_eq!(said["decisions"][0]["to"], "late");
    assert_eq!(said["reasons"][0]["rule"], "delinquent_days");
    assert_eq!(
        (said["clears"]["today"].as_str(), said["clears"]["tomorrow"].as_str()),
        (Some("250.00"), Some("250.00"))
    );
    assert_eq!(said["installments"][0]["state"], "past_due");
    let blocked = said["operations"].as_array().unwrap().iter().filter(|one| one["answer"] == "blocked");
    assert_eq!(blocked.map(|one| &one["operation"]).collect::<Vec<_>>(), ["draw"]);
    // A case has no contact records: it does not claim that no message was planned.
    assert!(said.get("messages").is_none());
    let run =
        duewatch(folder.path(), &words("explain A-1 --case . --from 2023-09-01 --to 2023-09-20 --json"));
    let said: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (&said["stage"], &said["figures"], said["opened_on"].as_str()),
        (&Value::Null, &Value::Null, Some("2023-10-01"))
    );
}

/// The demo's files lie where an earlier release looked for them by itself.
#[test]
fn without_its_settings_no_question_is_answered_from_a_sample() {
    let folder = case("");
    let demo = folder.path().join("target/demo");
    fs::create_dir_all(&demo).unwrap();
    for name in ["policy.toml", "book.jsonl", "events.jsonl"] {
        fs::rename(folder.path().join(name), demo.join(name)).unwrap();
    }
    for arguments in ["permits A-1 draw", "permits A-1 withdraw", "explain A-1", "explain A-1 --json"] {
        let run = duewatch(folder.path(), &words(arguments));
        let message = String::from_utf8(run.stderr).unwrap();
        assert_eq!((run.status.code(), run.stdout.is_empty()), (Some(1), true), "{arguments}: {message}");
        for setting in [
            "ACCOUNTS_TABLE",
            "PAYMENTS_TABLE",
            "RECORDS_TABLE",
            "HISTORY_TABLE",
            "POLICIES_TABLE",
            "CASES_TABLE",
            "POLICY_KEYS",
            "REMINDERS_TOPIC_ARN",
            "ACCOUNT_EVENTS_TOPIC_ARN",
            "OPERATIONS_TOPIC_ARN",
            "TICKETS_TOPIC_ARN",
            "HEARTBEAT_TOPIC_ARN",
            "ARCHIVE_TOPIC_ARN",
            "DUE_SHARDS",
            "METRICS_NAMESPACE",
            "--case",
        ] {
            assert!(message.contains(setting), "{arguments}: {setting} is missing in: {message}");
        }
    }
}

#[test]
fn a_folder_without_a_case_is_never_replaced_by_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let run = duewatch(folder.path(), &words("permits A-1 draw --case ."));
    let message = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert!(message.contains("--case .: no case there"), "{message}");
    let run = duewatch(folder.path(), &words("explain A-1 --from 2023-10-01"));
    assert_eq!(run.status.code(), Some(2), "days are of a case alone");
}

#[test]
fn a_warning_fails_a_strict_check_alone() {
    let folder = case("");
    // A ladder that jumps from nothing to a suspended account.
    let jumps = policy_text(
        "jump",
        "",
        "[[stages]]\nname = \"off\"\nwhen = { days_past_due = 1 }\nrestrictions = [{ kind = \"suspend_account\" }]\n",
    );
    fs::write(folder.path().join("jump.toml"), jumps).unwrap();
    fs::write(folder.path().join("none.toml"), policy_text("none", "", "")).unwrap();
    let code = |arguments: &str| duewatch(folder.path(), &words(arguments)).status.code();
    assert_eq!(code("policy check jump.toml"), Some(0));
    assert_eq!(code("policy check --strict jump.toml"), Some(5));
    assert_eq!(code("policy check --strict none.toml"), Some(0));
    assert_eq!(code("policy check --strict missing.toml"), Some(1));
}

#[rstest]
#[case("bash")]
#[case("zsh")]
#[case("fish")]
fn a_shell_is_told_how_to_complete_the_command(#[case] shell: &str) {
    let folder = tempfile::tempdir().unwrap();
    let run = duewatch(folder.path(), &["completions", shell]);
    assert!(run.status.success());
    let script = String::from_utf8(run.stdout).unwrap();
    assert!(script.contains("duewatch") && script.contains("permits"), "{script}");
}
