//! Commands on the tables that the environment names, against the embedded ones.

use std::process::{Command, Output};

use duewatch_app::Clock;
use duewatch_domain::formats::parse_book_line;
use duewatch_domain::{Trigger, policy};
use duewatch_handlers::LOCAL_REGION;
use duewatch_stack::{Ports, Stack, StackClock, Transport};
use serde_json::Value;

const POLICY: &str = "id = \"standard\"\nversion = 1\neffective_on = 2023-01-01\nstages = []\n";
const LINE: &str = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"}]}"#;

/// A stack with account A-1 of customer C-1, and its environment.
async fn stack() -> (Stack, Vec<(String, String)>) {
    let clock = StackClock::simulated("2023-10-01T00:00:00Z".parse().unwrap());
    let ports = Transport::Loopback(Ports { dynamodb: 0, sns: 0, sqs: 0 });
    let mut stack = Stack::start(clock, ports).await.unwrap();
    stack.store().install_policy(&policy::parse(POLICY).unwrap(), POLICY).await.unwrap();
    let contract = parse_book_line(LINE).unwrap();
    stack.transitions().open(&contract, stack.clock().now(), Trigger::Time).await.unwrap();
    stack.drain().await.unwrap();
    let mut environment = stack.environment(&stack.declared_functions()[0]).unwrap();
    environment.extend([
        ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), stack.services().dynamodb_url.clone()),
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
    let (_stack, environment) = stack().await;
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
    let (_stack, environment) = stack().await;
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
