//! The life of a policy in the tables, by the command line.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use duewatch_domain::kernel::PolicyId;
use duewatch_handlers::LOCAL_REGION;
use duewatch_stack::{LOCAL_POLICY_KEY, Ports, Stack, StackClock, Transport, local_policy_key};
use duewatch_store::{HoldScope, PublishedPolicy};
use serde_json::Value;
use tempfile::TempDir;

const LINE: &str = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"}]}"#;

fn version(number: u32, effective_on: &str, restrictions: &str) -> String {
    format!(
        "id = \"standard\"\nversion = {number}\neffective_on = {effective_on}\n\
         [[stages]]\nname = \"late\"\nwhen = {{ delinquent_days = 1 }}\nrestrictions = [{restrictions}]\n"
    )
}

/// Tables on this machine, and a folder of files.
pub(crate) struct Installation {
    pub(crate) stack: Stack,
    environment: Vec<(String, String)>,
    folder: TempDir,
}

impl Installation {
    pub(crate) async fn start() -> Self {
        let clock = StackClock::simulated("2023-10-01T00:00:00Z".parse().unwrap());
        let ports = Transport::Loopback(Ports { dynamodb: 0, sns: 0, sqs: 0 });
        let stack = Stack::start(clock, ports).await.unwrap();
        let mut environment = stack.environment(&stack.declared_functions()[0]).unwrap();
        environment.extend([
            ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), stack.services().dynamodb_url.clone()),
            ("AWS_ENDPOINT_URL_SNS".to_owned(), stack.services().sns_url.clone()),
            ("AWS_REGION".to_owned(), LOCAL_REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "local".to_owned()),
        ]);
        let installation = Self { stack, environment, folder: tempfile::tempdir().unwrap() };
        installation.file("key", LOCAL_POLICY_KEY);
        installation
    }

    pub(super) fn file(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    pub(super) fn run(&self, user: &str, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
        command.args(arguments.split(' ')).env_clear().envs(self.environment.iter().cloned());
        let folder: &Path = self.folder.path();
        command.env("USER", user).current_dir(folder).output().unwrap()
    }

    #[track_caller]
    pub(crate) fn says(&self, user: &str, arguments: &str) -> String {
        let run = self.run(user, arguments);
        assert!(run.status.success(), "{arguments}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    }

    #[track_caller]
    fn refuses(&self, arguments: &str) -> String {
        let run = self.run("anna", arguments);
        assert!(!run.status.success(), "{arguments}");
        assert!(run.stdout.is_empty(), "{arguments}: {}", String::from_utf8_lossy(&run.stdout));
        String::from_utf8(run.stderr).unwrap()
    }

    async fn published(&self) -> Vec<PublishedPolicy> {
        let id: PolicyId = "standard".parse().unwrap();
        self.stack.store().published_policies(&id, 20).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_version_is_published_with_its_publisher_and_its_approver() {
    let installation = Installation::start().await;
    // As an editor of another system writes it.
    installation.file("p.toml", &version(1, "2020-01-01", "").replace('\n', "\r\n"));
    let said = installation.says("berta", "policy approve p.toml --signing-key key");
    assert!(said.starts_with("standard version 1 is approved by berta: "), "{said}");
    let said = installation.says("anna", "policy publish p.toml --signing-key key");
    assert_eq!(said, "policy standard version 1 is published, binding from 2020-01-01\n");
    let said = installation.says("anna", "policy publish p.toml --signing-key key");
    assert_eq!(said, "policy standard version 1 is published already, binding from 2020-01-01\n");

    let published = installation.published().await;
    let publication = published[0].publication.clone().unwrap();
    assert_eq!((publication.by.as_str(), publication.approved_by.as_deref()), ("anna", Some("berta")));
    assert_eq!(published[0].text, version(1, "2020-01-01", ""));
    let line: Value =
        serde_json::from_str(&installation.says("anna", "policy list standard --json")).unwrap();
    assert_eq!(
        (&line["version"], &line["published_by"], &line["accounts"]),
        (&1.into(), &"anna".into(), &0.into())
    );
    assert_eq!(line["digest"], published[0].digest);
    let table = installation.says("anna", "policy list standard");
    assert!(table.lines().nth(1).unwrap().starts_with("1        2020-01-01    20"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_a_policy_of_his_own() {
    let installation = Installation::start().await;
    installation.file("p.toml", &version(1, "2020-01-01", ""));
    installation.says("anna", "policy approve p.toml --signing-key key");
    installation.says("anna", "policy publish p.toml --signing-key key");
    assert_eq!(installation.published().await[0].publication.clone().unwrap().approved_by, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_out_of_order_is_refused_and_nothing_is_published() {
    let installation = Installation::start().await;
    installation.file("second.toml", &version(2, "2020-01-01", ""));
    let message = installation.refuses("policy publish second.toml --signing-key key");
    assert!(message.contains("a policy begins with version 1"), "{message}");
    installation.file("p.toml", &version(1, "2020-01-01", ""));
    installation.file("book.jsonl", LINE);
    installation.says("anna", "import --book book.jsonl --policy p.toml --signing-key key");
    installation.says("anna", "import --book book.jsonl --policy p.toml --signing-key key");

    let suspending = "{ kind = \"suspend_account\" }";
    installation.file("last.toml", &version(u32::MAX, "1999-01-01", suspending));
    installation.file("past.toml", &version(2, "1999-01-01", suspending));
    installation.file("next.toml", &version(2, "2100-01-01", suspending));
    for (arguments, says) in [
        (
            "policy publish last.toml --backdate eve --signing-key key",
            "version 1 is the latest, so the next one is version 2",
        ),
        ("policy publish past.toml --signing-key key", "1999-01-01 has passed"),
        (
            "policy publish next.toml --signing-key key",
            "1 of 1 accounts would be newly restricted: A-1 (late -> late: suspend_account)",
        ),
        ("policy publish next.toml --signing-key key", "say --accept-restricting 1"),
        ("policy publish next.toml --accept-restricting 2 --signing-key key", "--accept-restricting names 2"),
        (
            "policy publish next.toml --book book.jsonl --on 2023-10-05 --signing-key key",
            "say --accept-restricting 1",
        ),
        ("import --book book.jsonl --policy next.toml --signing-key key", "duewatch policy publish"),
        ("policy rollback standard --signing-key key", "no version before the latest one"),
        ("policy rollback other --signing-key key", "no version before the latest one"),
        ("policy list other", "policy other was never published"),
    ] {
        let message = installation.refuses(arguments);
        assert!(message.contains(says), "{arguments}: {message}");
    }
    assert_eq!(installation.published().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_restrictions_are_put_on_hold_and_released_once() {
    let installation = Installation::start().await;
    installation.file("p.toml", &version(1, "2020-01-01", ""));
    installation.says("anna", "policy publish p.toml --signing-key key");
    let message = installation.refuses("policy release --reason mended");
    assert!(message.contains("not on hold"), "{message}");
    installation.says("anna", "policy hold --reason wrong");
    assert!(installation.refuses("policy hold --reason wrong").contains("on hold already, since "));
    let table = installation.says("berta", "policy list standard");
    assert!(
        table.contains("New restrictions are on hold since ") && table.ends_with(", by anna: wrong\n"),
        "{table}"
    );
    installation.says("berta", "policy release --reason mended");
    assert!(!installation.says("berta", "policy list standard").contains("hold"));
    let hold = installation.stack.store().hold(HoldScope::Restrictions).await.unwrap().unwrap();
    assert_eq!((hold.is_on, hold.by.as_str(), hold.reason.as_str()), (false, "berta", "mended"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_published_without_the_publishers_key() {
    let installation = Installation::start().await;
    installation.file("p.toml", &version(1, "2020-01-01", ""));
    installation.file("book.jsonl", LINE);
    installation.file("other", &"42".repeat(32));
    installation.file("garbled", "words that are no key");
    for command in
        ["policy publish p.toml", "policy approve p.toml", "import --book book.jsonl --policy p.toml"]
    {
        for (key, says) in [
            ("", "--signing-key names the file with the publisher's key"),
            (" --signing-key other", "deploy it with the parameter PolicyKeys first"),
            (" --signing-key garbled", "garbled: a key that signs, and its public half, are 32 bytes each"),
            (" --signing-key missing", "missing: No such file"),
        ] {
            let message = installation.refuses(&format!("{command}{key}"));
            assert!(message.contains(says), "{command}{key}: {message}");
            assert!(!message.contains("words that"), "{message}");
        }
    }
    assert!(installation.published().await.is_empty());
    let public = installation.says("anna", "policy key key");
    assert_eq!(public, format!("{}\n", local_policy_key().unwrap().public_key()));
    let setting = installation.environment.iter().find(|(name, _)| name == "POLICY_KEYS").unwrap();
    assert_eq!(setting.1, public.trim_end());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_versions_are_signed_anew_with_another_key() {
    let mut installation = Installation::start().await;
    installation.file("p.toml", &version(1, "2020-01-01", ""));
    installation.says("anna", "policy publish p.toml --signing-key key");
    installation.file("new", &"42".repeat(32));
    let new = installation.says("anna", "policy key new");
    for (name, value) in &mut installation.environment {
        if name == "POLICY_KEYS" {
            *value = new.trim_end().to_owned();
        }
    }
    let message = installation.refuses("policy list standard");
    assert!(message.contains("policy standard version 1 is not signed by the publisher's key"), "{message}");
    let said = installation.says("berta", "policy sign standard --signing-key new");
    let digest = duewatch_store::policy_digest(&version(1, "2020-01-01", ""));
    assert_eq!(said, format!("standard version 1 is signed: {digest}, published by anna\n"));
    assert!(installation.says("anna", "policy list standard").contains(" anna "));
}
