//! A restore by the command line.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use duewatch_app::Clock;
use duewatch_domain::formats::parse_message;
use duewatch_domain::policy;
use duewatch_handlers::LOCAL_REGION;
use duewatch_stack::{Ports, Stack, StackClock, Transport, local_policy_key};
use duewatch_store::{HoldScope, OperatorHold};
use tempfile::TempDir;

const POLICY: &str = "id = \"standard\"\nversion = 1\neffective_on = 2023-01-01\n\
    [[stages]]\nname = \"late\"\nwhen = { delinquent_days = 1 }\n";
const OPENED: &str = r#"{"event_id":"E-1","at":"2023-10-01T00:00:00Z","type":"account_opened","account_id":"A-1","account":{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-12-01","principal":"250.00"}]}}"#;
const OPTED_OUT: &str = r#"{"event_id":"E-2","at":"2023-10-01T00:00:00Z","type":"consent_changed","account_id":"A-1","consent":"withdrawn","by":"borrower"}"#;

/// Tables on this machine, with a policy.
struct Installation {
    stack: Stack,
    environment: Vec<(String, String)>,
}

impl Installation {
    async fn start() -> Self {
        let clock = StackClock::simulated("2023-10-01T00:00:00Z".parse().unwrap());
        let ports = Transport::Loopback(Ports { dynamodb: 0, sns: 0, sqs: 0 });
        let stack = Stack::start(clock, ports).await.unwrap();
        stack
            .store()
            .install_policy(&policy::parse(POLICY).unwrap(), POLICY, &local_policy_key().unwrap())
            .await
            .unwrap();
        let mut environment = stack.environment(&stack.declared_functions()[0]).unwrap();
        for (name, value) in [
            ("AWS_ENDPOINT_URL_DYNAMODB", stack.services().dynamodb_url.as_str()),
            ("AWS_ENDPOINT_URL_SNS", &stack.services().sns_url),
            ("AWS_REGION", LOCAL_REGION),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("DUEWATCH_TOMBSTONE_KEY", &"07".repeat(32)),
            ("USER", "anna"),
        ] {
            environment.push((name.to_owned(), value.to_owned()));
        }
        Self { stack, environment }
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
        command.arg("restore").args(arguments).env_clear().envs(self.environment.iter().cloned());
        command.current_dir(folder).output().unwrap()
    }
}

/// The archive of an installation that took two commands.
async fn archived() -> (Installation, TempDir) {
    let mut installation = Installation::start().await;
    for line in [OPENED, OPTED_OUT] {
        installation.stack.send_to_intake(&parse_message(line).unwrap()).await.unwrap();
    }
    installation.stack.drain().await.unwrap();
    let sent = installation.stack.services().sns.take();
    let text: String =
        sent.into_iter().filter(|one| one.topic_arn.ends_with("-archive")).map(|one| one.message).collect();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("archive.json"), text).unwrap();
    (installation, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_replays_the_archive_only_while_sending_is_stopped() {
    let (_lost, folder) = archived().await;
    let installation = Installation::start().await;
    let replay = ["--archive", "archive.json", "--since", "2023-09-30T00:00:00Z"];
    let refused = installation.run(folder.path(), &replay);
    assert!(!refused.status.success());
    assert!(String::from_utf8(refused.stderr).unwrap().contains("duewatch stop sending"));

    let hold = OperatorHold {
        is_on: true,
        at: installation.stack.clock().now(),
        by: "anna".to_owned(),
        reason: "the tables are lost".to_owned(),
    };
    installation.stack.store().set_hold(HoldScope::Sending, &hold).await.unwrap();

    // The key of C-1 was lost with the tables.
    let left = installation.run(folder.path(), &replay);
    assert!(!left.status.success());
    let said = String::from_utf8(left.stdout).unwrap();
    assert!(said.starts_with("account A-1 consent_changed E-2: the key of its texts is not there"), "{said}");
    assert!(said.ends_with("0 erasures; 1 commands applied, 0 known, 0 of them without erased texts; 0 erased contact points left out; 1 left\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_none_is_refused_by_its_file() {
    let installation = Installation::start().await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("other.json"), r#"{"type":"x","time":"2023-10-01T00:00:00Z","data":{}}"#)
        .unwrap();
    let replay = ["--archive", "other.json", "--since", "2023-09-30T00:00:00Z"];
    let refused = installation.run(folder.path(), &replay);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("other.json: \"x\" is no line of the archive"), "{said}");
}
