//! Commands on the tables that the environment names, against the embedded ones.

use std::process::{Command, Output};

use duewatch_app::Clock;
use duewatch_domain::formats::parse_book_line;
use duewatch_domain::{Trigger, policy};
use duewatch_handlers::LOCAL_REGION;
use duewatch_stack::{Ports, Stack, StackClock, Transport, local_policy_key};
use serde_json::Value;

const POLICY: &str = "id = \"standard\"\nversion = 1\neffective_on = 2023-01-01\nstages = []\n";
const LINE: &str = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"}]}"#;

/// A stack with account A-1 of customer C-1, and its environment.
async fn stack() -> (Stack, Vec<(String, String)>) {
    let clock = StackClock::simulated("2023-10-01T00:00:00Z".parse().unwrap());
    let ports = Transport::Loopback(Ports { dynamodb: 0, sns: 0, sqs: 0 });
    let mut stack = Stack::start(clock, ports).await.unwrap();
    stack
        .store()
        .install_policy(&policy::parse(POLICY).unwrap(), POLICY, &local_policy_key().unwrap())
        .await
        .unwrap();
    let contract = parse_book_line(LINE).unwrap();
    stack.transitions().open(&contract, stack.clock().now(), Trigger::Time).await.unwrap();
    stack.drain().await.unwrap();
    let mut environment = stack.environment(&stack.declared_functions()[0]).unwrap();
    environment.extend([
        ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), stack.services().dynamodb_url.clone()),
        ("AWS_ENDPOINT_URL_SNS".to_owned(), stack.services().sns_url.clone()),
        ("DUEWATCH_TOMBSTONE_KEY".to_owned(), "07".repeat(32)),
        ("AWS_REGION".to_owned(), LOCAL_REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID".to_owned(), "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "local".to_owned()),
    ]);
    (stack, environment)
}

fn duewatch(arguments: &str, environment: &[(String, String)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    command.args(arguments.split(' ')).env_clear().envs(environment.iter().cloned()).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_export_and_erase_work_on_the_tables_that_the_environment_names() {
    let (_stack, environment) = Box::pin(stack()).await;
    let run = duewatch("audit A-1", &environment);
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("1 of 1 revisions are there, unchanged"), "{said}");

    let run = duewatch("export C-1 --by officer-7 --scan --account A-1", &environment);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let export: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(export["accounts"].as_array().unwrap().len(), 1, "named and found, it is there once");
    assert_eq!(export["accounts"][0]["history"][0]["entry"]["account_id"], "A-1");

    let run = duewatch("erase C-1 --yes", &environment);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(said.starts_with("0 items deleted"), "{said}");
    assert!(duewatch("audit A-1", &environment).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_why() {
    let (_stack, environment) = Box::pin(stack()).await;
    for (arguments, why) in [
        ("audit A-9", "there is no account A-9"),
        ("export C-2 --by officer-7 --account A-1", "account A-1 is none of customer C-2"),
        ("erase C-1 --by officer-7", "say --yes"),
    ] {
        let run = duewatch(arguments, &environment);
        assert!(!run.status.success(), "{arguments}");
        assert!(run.stdout.is_empty(), "{arguments}");
        let message = String::from_utf8(run.stderr).unwrap();
        assert!(message.contains(why), "{arguments}: {message}");
    }
    let message = String::from_utf8(duewatch("audit A-1", &[]).stderr).unwrap();
    assert!(message.contains("the environment has no"), "{message}");
}

/// Three lines: one that opens, one that names a policy that was never published, and one more.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_stops_says_where_and_how_much_was_loaded() {
    let (_stack, environment) = Box::pin(stack()).await;
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("book.jsonl");
    let line = |id: &str, policy: &str| {
        LINE.replace("A-1", id).replacen("\"standard\"", &format!("\"{policy}\""), 1)
    };
    let write = |lines: &[String]| std::fs::write(&book, lines.join("\r\n")).unwrap();
    let import = |rest: &str| {
        let run = duewatch(&format!("import --book {}{rest}", book.display()), &environment);
        (run.status.code(), String::from_utf8(run.stderr).unwrap(), String::from_utf8(run.stdout).unwrap())
    };
    write(&[line("A-2", "standard"), line("A-3", "missing"), line("A-4", "standard")]);
    let (code, message, _) = import("");
    assert_eq!(code, Some(1));
    for part in [
        ":2: policy_id: policy missing was never published",
        "The import stopped: 2 accounts opened, 0 known already, 1 failed, 0 not tried",
    ] {
        assert!(message.contains(part), "{part} is missing in: {message}");
    }
    let (code, message, said) = import(" --keep-going");
    assert_eq!(code, Some(1), "{message}");
    assert_eq!(said, "0 accounts opened, 2 known already, 1 lines refused\n");
    assert!(message.contains(":2: policy_id: "), "{message}");

    write(&[line("A-5", "standard"), line("A 6", "standard"), line("=A7", "standard")]);
    let (code, message, _) = import("");
    assert_eq!(code, Some(1));
    for part in [":2: account_id: \"A 6\" is no identifier", "Nothing was loaded, for 2 lines are refused"] {
        assert!(message.contains(part), "{part} is missing in: {message}");
    }
    let (_, message, said) = import(" --keep-going");
    assert_eq!(said, "1 accounts opened, 0 known already, 2 lines refused\n", "{message}");
}

/// The account is of a release that took any id without control characters.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_stored_already_stays_valid_and_never_acts_on_the_terminal() {
    let (stack, environment) = Box::pin(stack()).await;
    let mut contract = parse_book_line(LINE).unwrap();
    contract.account_id = "A 1\u{202e}#".parse().unwrap();
    stack.transitions().open(&contract, stack.clock().now(), Trigger::Time).await.unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
        command.args(arguments).env_clear().envs(environment.iter().cloned()).output().unwrap()
    };
    for arguments in [
        ["explain", "A 1\u{202e}#"].as_slice(),
        &["permits", "A 1\u{202e}#", "repay"],
        &["explain", "A 1\u{202e}#", "--json"],
        &["export", "C-1", "--by", "o-1", "--account", "A 1\u{202e}#"],
    ] {
        let answer = run(arguments);
        assert!(answer.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&answer.stderr));
        let said = String::from_utf8(answer.stdout).unwrap();
        // An export into a pipe is left as it is, for its hashes.
        assert!(arguments[0] == "export" || !said.contains('\u{202e}'), "{said:?}");
    }
    let answer = run(&["permits", "A 1\u{202e}#", "Draw"]);
    assert_eq!(answer.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&answer.stdout), "");
}
