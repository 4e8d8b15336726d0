//! Outputs that must not destroy anything: no input, no device, no link, no other output, and no old file before the
//! new one is complete.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use duewatch_testkit::{LATE, policy_text, stages};
use rstest::rstest;
use tempfile::TempDir;

const BOOK: &str = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"}]}
"#;
const EVENTS: &str = r#"{"at":"2023-10-09T09:30:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"250.00"}
"#;
const RUN: &str =
    "replay --policy policy.toml --book book.jsonl --events events.jsonl --from 2023-10-01 --to 2023-10-31";

fn case() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy_text("standard", "", &stages(&[LATE]));
    for (name, text) in [("policy.toml", policy.as_str()), ("book.jsonl", BOOK), ("events.jsonl", EVENTS)] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn replay(folder: &Path, outputs: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    let arguments = format!("{RUN} {outputs}");
    command.args(arguments.split(' ')).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Asserts that a run is refused with the option and the path, and leaves the three files as they were.
#[track_caller]
fn assert_refused(folder: &Path, outputs: &str, option: &str, path: &str) {
    let before = names(folder);
    let run = replay(folder, outputs);
    let message = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1), "{outputs}: {message}");
    assert!(message.starts_with(&format!("duewatch: {option} {path}: ")), "{outputs}: {message}");
    assert_eq!(fs::read_to_string(folder.join("book.jsonl")).unwrap(), BOOK);
    assert_eq!(fs::read_to_string(folder.join("events.jsonl")).unwrap(), EVENTS);
    assert_eq!(names(folder), before);
}

#[rstest]
#[case::policy("policy.toml")]
#[case::book("book.jsonl")]
#[case::events("events.jsonl")]
#[case::by_another_way("./sub/../events.jsonl")]
#[case::by_a_link("link.jsonl")]
#[case::by_a_hard_link("hard.jsonl")]
fn an_output_never_replaces_an_input(#[case] path: &str) {
    let folder = case();
    fs::create_dir(folder.path().join("sub")).unwrap();
    symlink("events.jsonl", folder.path().join("link.jsonl")).unwrap();
    fs::hard_link(folder.path().join("events.jsonl"), folder.path().join("hard.jsonl")).unwrap();
    for option in ["--daily", "--decisions", "--contacts"] {
        assert_refused(folder.path(), &format!("{option} {path}"), option, path);
    }
    assert_refused(folder.path(), &format!("--daily new.jsonl --decisions {path}"), "--decisions", path);
}

#[test]
fn an_output_never_replaces_the_policy_that_it_is_compared_with() {
    let folder = case();
    fs::copy(folder.path().join("policy.toml"), folder.path().join("other.toml")).unwrap();
    assert_refused(folder.path(), "--against other.toml --daily other.toml", "--daily", "other.toml");
}

#[rstest]
#[case::same_name("--daily new.jsonl --decisions new.jsonl", "--decisions", "new.jsonl")]
#[case::another_way("--daily new.jsonl --contacts ./new.jsonl", "--contacts", "./new.jsonl")]
#[case::a_file_that_is_there("--daily old.jsonl --decisions link.jsonl", "--decisions", "link.jsonl")]
#[case::standard_output_twice("--daily - --decisions /dev/stdout", "--decisions", "/dev/stdout")]
fn two_outputs_are_never_one_file(#[case] outputs: &str, #[case] option: &str, #[case] path: &str) {
    let folder = case();
    fs::write(folder.path().join("old.jsonl"), "old").unwrap();
    symlink("old.jsonl", folder.path().join("link.jsonl")).unwrap();
    assert_refused(folder.path(), outputs, option, path);
    assert_eq!(fs::read_to_string(folder.path().join("old.jsonl")).unwrap(), "old");
}

#[test]
fn an_output_never_takes_the_place_of_what_is_no_file() {
    let folder = case();
    let path = folder.path();
    fs::create_dir(path.join("directory")).unwrap();
    symlink("directory", path.join("to-directory")).unwrap();
    symlink("nowhere.jsonl", path.join("to-nothing")).unwrap();
    let _socket = UnixListener::bind(path.join("socket")).unwrap();
    for name in ["directory", "to-directory", "to-nothing", "socket", "absent/new.jsonl", "..", "."] {
        assert_refused(path, &format!("--daily {name}"), "--daily", name);
    }
    assert!(!path.join("nowhere.jsonl").exists(), "a link must not make the file that it names");
}

#[test]
fn a_file_that_may_not_be_written_is_never_replaced() {
    let folder = case();
    let old = folder.path().join("old.jsonl");
    fs::write(&old, "old").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o444)).unwrap();
    assert_refused(folder.path(), "--daily old.jsonl", "--daily", "old.jsonl");
    assert_eq!(fs::read_to_string(&old).unwrap(), "old");
}

#[test]
fn a_run_that_fails_leaves_the_old_outputs() {
    let folder = case();
    let reversal = r#"{"at":"2023-10-10T09:30:00+08:00","type":"payment_reversed","account_id":"A-1","payment_id":"P-9"}"#;
    fs::write(folder.path().join("events.jsonl"), format!("{EVENTS}{reversal}\n")).unwrap();
    for name in ["daily.jsonl", "decisions.jsonl"] {
        fs::write(folder.path().join(name), "old").unwrap();
    }
    let before = names(folder.path());
    assert_eq!(
        replay(folder.path(), "--daily daily.jsonl --decisions decisions.jsonl").status.code(),
        Some(1)
    );
    for name in ["daily.jsonl", "decisions.jsonl"] {
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), "old");
    }
    assert_eq!(names(folder.path()), before, "no partial file is left");
}

/// A link leads to its file: the file is replaced as a whole, and keeps its permissions; the link stays a link.
#[test]
fn a_link_to_a_file_is_followed_and_stays() {
    let folder = case();
    let (old, link) = (folder.path().join("old.jsonl"), folder.path().join("link.jsonl"));
    fs::write(&old, "old").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("old.jsonl", &link).unwrap();
    let run = replay(folder.path(), "--daily link.jsonl");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&old).unwrap().lines().count(), 31);
    assert_eq!(fs::metadata(&old).unwrap().mode() & 0o777, 0o640);
}

#[test]
fn standard_output_and_devices_are_written_as_they_are() {
    let folder = case();
    let to_stdout = replay(folder.path(), "--daily -");
    assert!(to_stdout.status.success());
    assert_eq!(String::from_utf8_lossy(&to_stdout.stdout).lines().count(), 31);
    assert_eq!(replay(folder.path(), "--daily /dev/stdout").stdout, to_stdout.stdout);
    let before = fs::symlink_metadata("/dev/null").unwrap();
    let run = replay(folder.path(), "--daily /dev/null --decisions /dev/null");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(run.stdout.is_empty());
    let after = fs::symlink_metadata("/dev/null").unwrap();
    assert!(after.file_type().is_char_device() && after.ino() == before.ino());
}

/// As a shell's process substitution passes one.
#[test]
fn a_pipe_is_written_and_stays_a_pipe() {
    let folder = case();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::read_to_string(pipe).unwrap())
    };
    let run = replay(folder.path(), "--daily pipe");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(reader.join().unwrap().lines().count(), 31);
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn the_demo_never_writes_through_what_lies_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("out/book.jsonl")).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_duewatch"))
        .args("demo --accounts 1 --days 1 --out out".split(' '))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let message = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert!(message.starts_with("duewatch: --out out/book.jsonl: it is a directory"), "{message}");
    assert_eq!(names(&folder.path().join("out")).len(), 1, "nothing is written before the check");
}

#[test]
fn the_environment_file_of_serve_never_replaces_its_inputs() {
    let folder = case();
    let run = Command::new(env!("CARGO_BIN_EXE_duewatch"))
        .args("serve --book book.jsonl --policy policy.toml --env-file ./policy.toml".split(' '))
        .args("--dynamodb-port 0 --sns-port 0 --sqs-port 0 --pages-port 0".split(' '))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let message = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1), "{message}");
    assert!(
        message.starts_with("duewatch: --env-file ./policy.toml: it is what --policy names too"),
        "{message}"
    );
}
