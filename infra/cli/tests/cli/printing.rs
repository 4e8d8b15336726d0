//! Texts from outside that must not act on a terminal: colours, cursor movements, turned directions, forged lines.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use duewatch_domain::kernel::is_unprintable;
use duewatch_testkit::{LATE, policy_text, stages};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

/// A colour, a cursor movement of one byte, a turned direction, a hidden character, a forged line.
const EVIL: &str = "\u{1b}[2J\u{9b}1A\u{202e}\u{200b}\r\nduewatch: all is well";

fn duewatch(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    command.args(arguments).current_dir(folder).env_clear().output().unwrap()
}

/// Asserts that nothing in an output acts on a terminal, and that the text is shown all the same.
#[track_caller]
fn assert_harmless(bytes: &[u8], shows: &str) {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.chars().all(|one| one == '\n' || !is_unprintable(one)), "{text:?}");
    assert!(!text.lines().any(|line| line == "duewatch: all is well"), "{text:?}");
    assert!(text.contains(shows), "{shows} is missing in: {text}");
}

fn account(id: &str) -> serde_json::Value {
    json!({
        "account_id": id, "customer_id": "C-1", "policy_id": "standard", "currency": "CNY",
        "time_zone": "Asia/Shanghai", "opened_on": "2023-10-01",
        "installments": [{ "number": 1, "due_on": "2023-10-01", "principal": "250.00" }],
    })
}

fn case(book: &serde_json::Value, events: &[serde_json::Value]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy_text("standard", "", &stages(&[LATE]));
    let events: String = events.iter().map(|event| format!("{event}\n")).collect();
    for (name, text) in
        [("policy.toml", policy), ("book.jsonl", format!("{book}\n")), ("events.jsonl", events)]
    {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

const EXPLAIN: [&str; 9] =
    ["explain", "A-1", "--case", ".", "--from", "2023-10-01", "--to", "2023-10-31", "--json"];

#[test]
fn the_reason_of_a_hold_never_acts_on_the_terminal_of_explain() {
    let held = json!({
        "at": "2023-10-05T09:30:00+08:00", "type": "installment_held", "account_id": "A-1", "number": 1,
        "reason": EVIL,
    });
    let folder = case(&account("A-1"), &[held]);
    let run = duewatch(folder.path(), &EXPLAIN[..8]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_harmless(&run.stdout, "\\u{202e}");
    let run = duewatch(folder.path(), &EXPLAIN);
    assert!(run.status.success());
    assert_harmless(&run.stdout, "A-1");
}

#[rstest]
#[case::account("account_id")]
#[case::customer("customer_id")]
#[case::currency("currency")]
#[case::zone("time_zone")]
fn a_value_in_an_error_never_acts_on_the_terminal(#[case] field: &str) {
    let mut book = account("A-1");
    book[field] = EVIL.into();
    let folder = case(&book, &[]);
    let run = duewatch(folder.path(), &EXPLAIN);
    assert_eq!((run.status.code(), run.stdout.is_empty()), (Some(1), true));
    assert_harmless(&run.stderr, &format!("book.jsonl:1: {field}: "));
}

#[test]
fn a_key_a_type_and_a_path_in_an_error_never_act_on_the_terminal() {
    let mut book = account("A-1");
    book[EVIL] = 1.into();
    assert_harmless(&duewatch(case(&book, &[]).path(), &EXPLAIN).stderr, "unknown field");
    let unknown = json!({ "at": "2023-10-05T09:30:00Z", "type": EVIL, "account_id": "A-1" });
    let folder = case(&account("A-1"), &[unknown]);
    assert_harmless(&duewatch(folder.path(), &EXPLAIN).stderr, "events.jsonl:1: type: ");
    assert_harmless(&duewatch(folder.path(), &["policy", "check", EVIL]).stderr, "\\u{202e}");
    fs::write(folder.path().join("bad.toml"), "id = \"\\u202e\\u001b[2J\"\nversion = 0\n").unwrap();
    assert_harmless(&duewatch(folder.path(), &["policy", "check", "bad.toml"]).stderr, "bad.toml");
}

#[test]
fn an_argument_never_acts_on_the_terminal() {
    let folder = case(&account("A-1"), &[]);
    for arguments in [vec!["explain", EVIL], vec!["permits", "A-1", EVIL, "--case", "."], vec![EVIL]] {
        let run = duewatch(folder.path(), &arguments);
        assert_eq!((run.status.code(), run.stdout.is_empty()), (Some(2), true), "{arguments:?}");
        assert_harmless(&run.stderr, "\\u{202e}");
    }
}

#[test]
fn a_stage_of_a_policy_never_acts_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let policy =
        policy_text("p", "", "[[stages]]\nname = \"l\\u202e\\u200bate\"\nwhen = { days_past_due = 1 }\n");
    fs::write(folder.path().join("policy.toml"), policy).unwrap();
    let run = duewatch(folder.path(), &["policy", "check", "policy.toml"]);
    assert_harmless(&run.stdout, "l\\u{202e}\\u{200b}ate");
    let run = duewatch(folder.path(), &["policy", "describe", "policy.toml"]);
    assert_harmless(&run.stdout, "u{202e}");
}
