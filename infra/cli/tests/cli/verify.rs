//! `duewatch verify`, as called by a clerk or a script.

use std::process::Command;

use chrono::{DateTime, Utc};
use duewatch_notify::{Reference, ReferenceKeys};
use rstest::rstest;

const KEYS: &str = "2=0808080808080808080808080808080808080808080808080808080808080808,\
                    1=0707070707070707070707070707070707070707070707070707070707070707";

/// Standard output, standard error and the exit code.
fn verify(keys: Option<&str>, arguments: &[&str]) -> (String, String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    command.arg("verify").args(arguments).env_remove("DUEWATCH_REFERENCE_KEYS");
    let run = command.envs(keys.map(|keys| ("DUEWATCH_REFERENCE_KEYS", keys))).output().unwrap();
    (String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap(), run.status.code())
}

/// Of 5 January 2026: 180 days later is 4 July.
fn reference() -> String {
    let now: DateTime<Utc> = "2026-01-05T02:00:00Z".parse().unwrap();
    Reference::issue(&ReferenceKeys::parse(KEYS).unwrap(), "A-1/7/sms", now).to_string()
}

#[rstest]
#[case::genuine("2026-07-04", "Genuine: a message with this reference is ours. Valid until 2026-07-04.\n", 0)]
#[case::expired(
    "2026-07-05",
    "Expired: a message with this reference was ours. It was valid until 2026-07-04.\n",
    3
)]
fn a_reference_is_genuine_until_its_day(#[case] on: &str, #[case] answer: &str, #[case] code: i32) {
    for reference in [reference(), reference().to_lowercase().replace('-', "")] {
        let said = verify(Some(KEYS), &[&reference, "--on", on]);
        assert_eq!(said, (answer.to_owned(), String::new(), Some(code)));
    }
}

#[test]
fn anything_else_is_not_one_of_ours() {
    let other = KEYS.replace("08", "09");
    let answer = "Not one of ours. Check that each character is as in the message.\n".to_owned();
    for (keys, reference) in [(KEYS, "2345-6789".to_owned()), (other.as_str(), reference())] {
        let said = verify(Some(keys), &[&reference, "--on", "2026-01-05"]);
        assert_eq!(said, (answer.clone(), String::new(), Some(4)));
    }
}

#[rstest]
#[case::none(None)]
#[case::malformed(Some("1=secret"))]
fn without_keys_it_says_in_one_line_what_to_set(#[case] keys: Option<&str>) {
    let (out, err, code) = verify(keys, &[&reference()]);
    assert!(err.starts_with("duewatch: DUEWATCH_REFERENCE_KEYS: "), "{err}");
    assert_eq!((out.as_str(), err.lines().count(), code), ("", 1, Some(1)));
    assert!(!err.contains("secret"), "{err}");
}
