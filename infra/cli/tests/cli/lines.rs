//! The line of a fault, as an editor counts it: with line ends from Windows, quoted fields, a byte order mark, and
//! bytes that are no text.

use std::fs;
use std::path::Path;
use std::process::Command;

use duewatch_testkit::policy_text;
use rstest::rstest;

const HEADER: &str = "account_id,customer_id,policy_id,currency,time_zone,opened_on,number,due_on,principal";

fn row(account: &str, number: u32, principal: &str) -> String {
    format!("{account},C-1,standard,CNY,Asia/Shanghai,2023-10-01,{number},2023-10-01,{principal}")
}

/// The message about a portfolio file.
fn message(folder: &Path, book: &str) -> String {
    let arguments = format!("policy diff policy.toml policy.toml --book {book}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    let run = command.args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert_eq!(run.status.code(), Some(1), "{}", String::from_utf8_lossy(&run.stdout));
    String::from_utf8(run.stderr).unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.toml"), policy_text("standard", "", "")).unwrap();
    folder
}

#[rstest]
#[case::amount(row("A-2", 2, "1.0.0"), 4, "principal: ")]
#[case::amount_too_fine(row("A-2", 2, "1.001"), 4, "principal: 1.001 has 3 decimals")]
#[case::number_twice(row("A-2", 1, "1.00"), 4, "number: installment 1 exists already")]
#[case::terms_differ(row("A-2", 2, "1.00").replace("CNY", "EUR"), 4, "currency: ")]
#[case::formula(row("=1+1", 2, "1.00"), 4, "account_id: \"=1+1\"")]
#[case::too_few_fields("A-2,C-1".to_owned(), 4, "the row has 2 fields, the header has 9")]
fn a_fault_in_csv_is_never_given_another_line(
    #[case] bad: String,
    #[case] line: u64,
    #[case] problem: &str,
    #[values("\n", "\r\n")] end: &str,
    #[values("", "\u{feff}")] mark: &str,
) {
    let folder = folder();
    let rows = [HEADER.to_owned(), row("A-1", 1, "1.00"), row("A-2", 1, "1.00"), bad, row("A-3", 1, "1.00")];
    fs::write(folder.path().join("book.csv"), format!("{mark}{}{end}", rows.join(end))).unwrap();
    let said = message(folder.path(), "book.csv");
    assert!(said.starts_with(&format!("duewatch: book.csv:{line}: {problem}")), "{said}");
}

#[rstest]
fn lines_without_rows_and_rows_of_two_lines_count(#[values("\n", "\r\n")] end: &str) {
    let folder = folder();
    let quoted = row("A-1", 1, "1.00").replace("A-1", &format!("\"A-1{end}\""));
    let rows = [HEADER.to_owned(), String::new(), quoted, String::new(), row("A-2", 1, "x")];
    fs::write(folder.path().join("book.csv"), rows.join(end)).unwrap();
    let said = message(folder.path(), "book.csv");
    assert!(said.starts_with("duewatch: book.csv:6: principal: "), "{said}");
}

#[rstest]
fn a_fault_in_json_lines_is_given_its_line(
    #[values("\n", "\r\n")] end: &str,
    #[values("", "\u{feff}")] mark: &str,
) {
    let folder = folder();
    let line = |id: &str, amount: &str| {
        format!(
            r#"{{"account_id":"{id}","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{{"number":1,"due_on":"2023-10-01","principal":"{amount}"}}]}}"#
        )
    };
    let lines = [line("A-1", "1.00"), String::new(), line("A-2", "x"), line("A-3", "y")];
    fs::write(folder.path().join("book.jsonl"), format!("{mark}{}{end}", lines.join(end))).unwrap();
    let said = message(folder.path(), "book.jsonl");
    assert!(said.starts_with("duewatch: book.jsonl:3: installments[0].principal: "), "{said}");
}

#[rstest]
#[case("book.csv")]
#[case("book.jsonl")]
fn bytes_that_are_no_text_are_named_by_their_line(#[case] name: &str, #[values("\n", "\r\n")] end: &str) {
    let folder = folder();
    let mut bytes = format!("{HEADER}{end}{end}A-1,").into_bytes();
    bytes.extend_from_slice(b"M\xfcller\n");
    fs::write(folder.path().join(name), bytes).unwrap();
    let said = message(folder.path(), name);
    assert!(
        said.starts_with(&format!("duewatch: {name}:3: byte 6 of the line is 0xfc, which is no UTF-8")),
        "{said}"
    );
}

#[test]
fn a_policy_with_bytes_that_are_no_text_or_an_unfit_id_is_named_by_its_line() {
    let folder = folder();
    let check = |bytes: &[u8]| {
        fs::write(folder.path().join("bad.toml"), bytes).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
        let run = command.args(["policy", "check", "bad.toml"]).current_dir(folder.path()).output().unwrap();
        assert_eq!(run.status.code(), Some(1));
        String::from_utf8(run.stderr).unwrap()
    };
    let said = check(b"id = \"p\"\nversion = 1\n# caf\xe9\n");
    assert!(said.starts_with("duewatch: bad.toml:3: byte 6"), "{said}");
    let said = check(b"# rules\nid = \"a b\"\nversion = 1\neffective_on = 2026-01-01\n");
    assert!(said.starts_with("duewatch: bad.toml: line 2, column 6: id: \"a b\" is no identifier"), "{said}");
}
