//! Refusals of the command line: by file, line, field and value, alike with both engines, and with no output
//! left behind.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use duewatch_testkit::{FROZEN, LATE, policy_text, stages};
use rstest::rstest;
use tempfile::TempDir;

/// `late` on lines 6 to 8, `frozen` on lines 10 to 13.
fn standard() -> String {
    let frozen = ("frozen", "delinquent_days = 15, overdue_amount = \"100.00\"", FROZEN.2);
    policy_text("standard", "grace_days = 3", &stages(&[LATE, frozen]))
}

const BOOK: &str = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"},{"number":2,"due_on":"2023-11-01","principal":"250.00"}]}
{"account_id":"A-2","customer_id":"C-1","policy_id":"standard","currency":"JPY","time_zone":"Asia/Tokyo","opened_on":"2023-10-01","installments":[]}
"#;

const EVENTS: &str = r#"{"at":"2023-10-02T09:30:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"100.00"}
{"at":"2023-10-03T09:30:00+08:00","type":"pause_started","account_id":"A-1","from":"2023-10-05","until":"2023-10-10"}
"#;

const ENGINES: [&str; 2] = ["pure", "stack"];

/// The three files of a run, in a directory of their own.
struct Files {
    directory: TempDir,
}

impl Files {
    fn new(policy: &str, book: &str, events: &str) -> Self {
        let files = Self { directory: tempfile::tempdir().unwrap() };
        for (name, text) in [("policy.toml", policy), ("book.jsonl", book), ("events.jsonl", events)] {
            fs::write(files.path().join(name), text).unwrap();
        }
        files
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn replay(&self, engine: &str) -> Output {
        replay_in(self.path(), "--from 2023-10-01 --to 2023-10-31", engine)
    }

    /// Asserts that both engines refuse the files, with the place and the fault in the message.
    #[track_caller]
    fn assert_refused(&self, names: &[&str]) {
        for engine in ENGINES {
            let run = self.replay(engine);
            let message = String::from_utf8(run.stderr).unwrap();
            assert_eq!(run.status.code(), Some(1), "{engine}: {message}");
            assert!(run.stdout.is_empty(), "{engine} writes to standard output");
            for name in names {
                assert!(message.contains(name), "{engine}: {name:?} is missing in: {message}");
            }
            let untouched = ["book.jsonl", "events.jsonl", "policy.toml"].map(str::to_owned);
            assert_eq!(self.names(), BTreeSet::from(untouched), "{engine}");
        }
    }
}

fn run_in(folder: &Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    command.args(arguments.split(' ')).current_dir(folder).output().unwrap()
}

/// Replays the three files of a folder.
fn replay_in(folder: &Path, days: &str, engine: &str) -> Output {
    let files = "--policy policy.toml --book book.jsonl --events events.jsonl";
    let outputs = "--daily daily.jsonl --decisions decisions.jsonl";
    run_in(folder, &format!("replay {files} {days} {outputs} --engine {engine}"))
}

/// The output of both engines, for the same files.
#[track_caller]
fn replayed_alike(folder: &Path, days: &str) -> [String; 2] {
    let [pure, stack] = ENGINES.map(|engine| {
        let run = replay_in(folder, days, engine);
        assert!(run.status.success(), "{engine}: {}", String::from_utf8_lossy(&run.stderr));
        ["daily.jsonl", "decisions.jsonl"].map(|name| fs::read_to_string(folder.join(name)).unwrap())
    });
    assert_eq!(pure, stack);
    pure
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn the_files_these_refusals_vary_are_fine_with_both_engines() {
    let files = Files::new(&standard(), BOOK, EVENTS);
    let [daily, _] = replayed_alike(files.path(), "--from 2023-10-01 --to 2023-10-31");
    assert_eq!(daily.lines().count(), 2 * 31);
}

#[test]
fn the_demo_is_replayed_alike_by_both_engines() {
    let folder = tempfile::tempdir().unwrap();
    let made = run_in(folder.path(), "demo --accounts 10 --days 30 --out .");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let [daily, decisions] = replayed_alike(folder.path(), "--from 2025-01-01 --to 2025-01-30");
    assert!(!daily.is_empty() && !decisions.is_empty());
}

#[rstest]
#[case::pause_over_another(
    r#""type":"pause_started","from":"2023-10-09","until":"2023-10-12""#,
    &["pause_started: from: ", "from 2023-10-09 until 2023-10-12", "from 2023-10-05 until 2023-10-10"]
)]
#[case::pause_of_no_day(
    r#""type":"pause_started","from":"2023-10-20","until":"2023-10-20""#,
    &["pause_started: until: 2023-10-20"]
)]
#[case::pause_backwards(
    r#""type":"pause_started","from":"2023-10-20","until":"2023-10-19""#,
    &["pause_started: until: 2023-10-19", "2023-10-20"]
)]
#[case::pause_that_does_not_run(r#""type":"pause_ended","on":"2023-10-10""#, &["pause_ended: on: ", "2023-10-10"])]
#[case::payment_of_nothing(
    r#""type":"payment_received","payment_id":"P-2","amount":"0.00""#,
    &["payment_received: amount: 0.00 is not more than zero"]
)]
#[case::payment_below_nothing(
    r#""type":"payment_received","payment_id":"P-2","amount":"-5.00""#,
    &["payment_received: amount: -5.00 is not more than zero"]
)]
#[case::payment_too_fine(
    r#""type":"payment_received","payment_id":"P-2","amount":"5.001""#,
    &["payment_received: amount: 5.001 has 3 decimals, CNY has 2"]
)]
#[case::payment_in_another_currency(
    r#""type":"payment_received","payment_id":"P-2","amount":"5.00","currency":"USD""#,
    &["payment_received: currency: ", "USD", "CNY"]
)]
#[case::payment_known_with_another_amount(
    r#""type":"payment_received","payment_id":"P-1","amount":"100.01""#,
    &["payment_received: payment_id: P-1", "amount (100.00, now 100.01)"]
)]
#[case::payment_known_with_another_currency(
    r#""type":"payment_received","payment_id":"P-1","amount":"100.00","currency":"USD""#,
    &["payment_received: payment_id: P-1", "currency (CNY, now USD)"]
)]
#[case::payment_known_with_another_kind(
    r#""type":"payment_received","payment_id":"P-1","amount":"100.00","kind":"goodwill""#,
    &["payment_received: payment_id: P-1", "kind (repayment, now goodwill)"]
)]
#[case::reversal_of_an_unknown_payment(
    r#""type":"payment_reversed","payment_id":"P-9""#,
    &["payment_reversed: payment_id: P-9 is not known"]
)]
#[case::unknown_event_type(r#""type":"payment_recieved","payment_id":"P-2","amount":"5.00""#, &["type: \"payment_recieved\""])]
#[case::unknown_field(
    r#""type":"payment_received","payment_id":"P-2","amount":"5.00","note":"x""#,
    &["note", "applies_to"]
)]
#[case::amount_as_a_number(
    r#""type":"payment_received","payment_id":"P-2","amount":5.5"#,
    &["amount: ", "5.5", "string"]
)]
#[case::amount_as_a_whole_number(
    r#""type":"payment_received","payment_id":"P-2","amount":5"#,
    &["amount: ", "5", "string"]
)]
#[case::installment_number_taken(
    r#""type":"installment_added","installment":{"number":2,"due_on":"2024-01-01","principal":"1.00"}"#,
    &["installment_added: number: installment 2 exists already"]
)]
#[case::account_opened_in_no_zone(
    r#""type":"account_opened","account":{"account_id":"A-1","customer_id":"C","policy_id":"p","currency":"CNY","time_zone":"Asia/Peking","opened_on":"2023-10-01","installments":[]}"#,
    &["account.time_zone: ", "Asia/Peking"]
)]
fn an_event_is_refused_by_file_line_field_and_value(#[case] fields: &str, #[case] names: &[&str]) {
    let line = format!(r#"{{"at":"2023-10-04T09:30:00+08:00","account_id":"A-1",{fields}}}"#);
    let names: Vec<&str> = [&["duewatch: events.jsonl:3: "], names].concat();
    Files::new(&standard(), BOOK, &format!("{EVENTS}{line}\n")).assert_refused(&names);
}

#[rstest]
#[case::unknown_account(
    r#"{"at":"2023-10-04T09:30:00+08:00","account_id":"A-9","type":"pause_ended","on":"2023-10-06"}"#,
    &["pause_ended: account_id: A-9 is not known"]
)]
#[case::decimals_that_the_currency_has_not(
    r#"{"at":"2023-10-04T09:30:00+08:00","account_id":"A-2","type":"payment_received","payment_id":"P-2","amount":"5.00"}"#,
    &["payment_received: amount: 5.00 has 2 decimals, JPY has 0"]
)]
#[case::time_without_an_offset(
    r#"{"at":"2023-10-04T09:30:00","account_id":"A-1","type":"pause_ended","on":"2023-10-06"}"#,
    &["at: \"2023-10-04T09:30:00\"", "offset"]
)]
#[case::no_json("at: 2023-10-04", &["no JSON object"])]
fn an_event_line_is_refused_by_file_line_field_and_value(#[case] line: &str, #[case] names: &[&str]) {
    let names: Vec<&str> = [&["duewatch: events.jsonl:3: "], names].concat();
    Files::new(&standard(), BOOK, &format!("{EVENTS}{line}\n")).assert_refused(&names);
}

#[test]
fn nothing_after_a_refused_event_hides_it() {
    let refused =
        r#"{"at":"2023-10-04T09:30:00+08:00","account_id":"A-1","type":"pause_ended","on":"2023-10-20"}"#;
    let later = r#"{"at":"2023-10-20T09:30:00+08:00","account_id":"A-2","type":"payment_received","payment_id":"P","amount":"-1"}"#;
    let files = Files::new(&standard(), BOOK, &format!("{EVENTS}{later}\n{refused}\n"));
    files.assert_refused(&["duewatch: events.jsonl:4: pause_ended: on: ", "2023-10-20"]);
}

#[rstest]
#[case::two_installments_of_one_number("\"number\":2", "\"number\":1", 1, &["number: installment 1 exists already"])]
#[case::unknown_time_zone("Asia/Tokyo", "Asia/Edo", 2, &["time_zone: ", "Asia/Edo"])]
#[case::offset_as_time_zone("Asia/Tokyo", "+09:00", 2, &["time_zone: ", "+09:00"])]
#[case::unknown_currency("JPY", "YEN", 2, &["currency: ", "YEN"])]
#[case::amount_as_a_number("\"250.00\"", "250.5", 1, &["installments[0].principal: ", "250.5", "string"])]
#[case::amount_too_fine("\"250.00\"", "\"250.005\"", 1, &["principal: 250.005 has 3 decimals, CNY has 2"])]
#[case::unknown_field("\"opened_on\"", "\"opened\"", 1, &["opened", "opened_on"])]
#[case::account_twice("A-2", "A-1", 2, &["account_id: \"A-1\" is on line 1 already"])]
fn a_book_line_is_refused_by_file_line_field_and_value(
    #[case] from: &str,
    #[case] to: &str,
    #[case] line: usize,
    #[case] names: &[&str],
) {
    let place = format!("duewatch: book.jsonl:{line}: ");
    let names: Vec<&str> = [&[place.as_str()], names].concat();
    Files::new(&standard(), &replaced(BOOK, from, to), EVENTS).assert_refused(&names);
}

#[rstest]
#[case::ladder_out_of_order("delinquent_days = 1 ", "delinquent_days = 15, overdue_amount = \"100.00\" ", 6, &["stage \"late\" can never win", "\"frozen\""])]
#[case::stage_named_twice("\"frozen\"", "\"late\"", 10, &["name: stage \"late\" is there already"])]
#[case::unknown_condition("overdue_amount", "overdue_sum", 12, &["stages[1].when.overdue_sum: ", "overdue_amount"])]
#[case::unknown_restriction_option("percent", "percentage", 13, &["stages[1].restrictions[0].percentage: ", "`percent`"])]
#[case::option_of_another_restriction("\"freeze_drawdown\"", "\"freeze_drawdown\", percent = 5", 10, &["freeze_drawdown has no option percent"])]
#[case::unknown_table("grace_days", "gracious_days", 4, &["gracious_days", "grace_days"])]
#[case::amount_as_a_number("\"100.00\"", "100.5", 12, &["overdue_amount: ", "100.5", "string"])]
fn a_policy_is_refused_by_file_line_field_and_value(
    #[case] from: &str,
    #[case] to: &str,
    #[case] line: usize,
    #[case] names: &[&str],
) {
    let place = format!("duewatch: policy.toml: line {line}, column ");
    let names: Vec<&str> = [&[place.as_str()], names].concat();
    Files::new(&replaced(&standard(), from, to), BOOK, EVENTS).assert_refused(&names);
}

#[rstest]
#[case::policy("policy.toml")]
#[case::book("book.jsonl")]
#[case::events("events.jsonl")]
fn a_file_that_is_not_there_is_named(#[case] name: &str) {
    let files = Files::new(&standard(), BOOK, EVENTS);
    fs::remove_file(files.path().join(name)).unwrap();
    let run = files.replay("pure");
    assert!(!run.status.success());
    let message = String::from_utf8(run.stderr).unwrap();
    assert!(message.starts_with(&format!("duewatch: {name}: ")), "{message}");
    assert_eq!(files.names().len(), 2);
}

fn help(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_duewatch")).args(arguments).output().unwrap();
    assert!(run.status.success());
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn help_lists_the_commands_and_their_options() {
    let commands = help(&["--help"]);
    for command in [
        "demo",
        "replay",
        "import",
        "explain",
        "permits",
        "audit",
        "export",
        "erase",
        "restore",
        "serve",
        "policy",
        "verify",
        "--help",
        "--version",
    ] {
        assert!(commands.contains(command), "{command} is missing in:\n{commands}");
    }
    let options = help(&["replay", "--help"]);
    for option in [
        "--policy <FILE>",
        "--book <FILE>",
        "--format <FORMAT>",
        "--events <FILE>",
        "--from <DATE>",
        "--to <DATE>",
        "--daily <FILE>",
        "--decisions <FILE>",
        "--engine <ENGINE>",
        "pure",
        "stack",
        "jsonl",
        "csv",
    ] {
        assert!(options.contains(option), "{option} is missing in:\n{options}");
    }
}

#[rstest]
#[case("2023-10-31", "2023-10-01", "is before --from")]
#[case("1899-12-31", "2023-10-01", "days lie between 1900-01-01 and 2999-12-31")]
#[case("2023-10-01", "+12000-01-01", "days lie between 1900-01-01 and 2999-12-31")]
fn days_that_cannot_be_run_are_refused(#[case] from: &str, #[case] to: &str, #[case] names: &str) {
    let files = Files::new(&standard(), BOOK, EVENTS);
    let run = Command::new(env!("CARGO_BIN_EXE_duewatch"))
        .args(["replay", "--policy", "policy.toml", "--book", "book.jsonl", "--events", "events.jsonl"])
        .args([format!("--from={from}"), format!("--to={to}")])
        .current_dir(files.path())
        .output()
        .unwrap();
    assert!(!run.status.success());
    let message = String::from_utf8(run.stderr).unwrap();
    assert!(message.contains(names), "{message}");
}

#[rstest]
#[case::frozen("2023-10-24", "draw", "Blocked by freeze_drawdown.\nAccount A-1 is frozen.\n", 3)]
#[case::the_day_before(
    "2023-10-23",
    "draw",
    "Allowed: no restriction concerns it.\nAccount A-1 is late.\n",
    0
)]
#[case::paying_back(
    "2023-10-24",
    "repay",
    "Allowed: no restriction concerns it.\nAccount A-1 is frozen.\n",
    0
)]
fn permits_answers_with_a_sentence_and_an_exit_code(
    #[case] day: &str,
    #[case] operation: &str,
    #[case] answer: &str,
    #[case] code: i32,
) {
    let files = Files::new(&standard(), BOOK, EVENTS);
    let arguments = format!("permits A-1 {operation} --case . --from 2023-10-01 --to {day}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    let run = command.args(arguments.split(' ')).current_dir(files.path()).output().unwrap();
    assert_eq!(String::from_utf8(run.stdout).unwrap(), answer);
    assert_eq!((run.status.code(), run.stderr.is_empty()), (Some(code), true));
}

/// The portfolio file contains one drawdown of the line; an installment of a later one is overdue.
#[test]
fn explain_shows_the_plan_of_each_draw() {
    let book = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-09-01","installments":[{"number":1,"due_on":"2023-10-10","principal":"100.00","draw_id":"D-0"}]}
"#;
    let events = r#"{"at":"2023-09-30T23:30:00Z","type":"drawn","account_id":"A-1","draw_id":"D-1","amount":"300.00","installments":[{"number":11,"due_on":"2023-10-15","principal":"150.00","interest":"1.50"},{"number":12,"due_on":"2023-11-15","principal":"150.00","interest":"1.50"}]}
{"at":"2023-10-09T09:30:00+08:00","type":"payment_received","account_id":"A-1","payment_id":"P-1","amount":"200.00"}
"#;
    let files = Files::new(&standard(), book, events);
    let arguments = "explain A-1 --case . --from 2023-10-01 --to 2023-10-20";
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    let run = command.args(arguments.split(' ')).current_dir(files.path()).output().unwrap();
    let story = String::from_utf8(run.stdout).unwrap();
    let draws: Vec<&str> = story.lines().filter(|line| line.starts_with("  Draw ")).collect();
    assert_eq!(
        draws,
        [
            "  Draw D-0, from the book: 100.00 CNY in 1 installment; paid 100.00 CNY; settled.",
            "  Draw D-1, drawn on 2023-10-01: 300.00 CNY in 2 installments; paid 100.00 CNY, open 203.00 CNY, \
             overdue 51.50 CNY since 2023-10-15; next due on 2023-11-15.",
        ],
        "{story}"
    );
}

// Ten years of two accounts are more than a pipe holds.
#[test]
fn a_closed_pipe_ends_quietly() {
    let files = Files::new(&standard(), BOOK, EVENTS);
    let mut replay = Command::new(env!("CARGO_BIN_EXE_duewatch"))
        .args("replay --policy policy.toml --book book.jsonl --events events.jsonl".split(' '))
        .args("--from 2023-10-01 --to 2033-10-01 --daily -".split(' '))
        .current_dir(files.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(replay.stdout.take());
    let ended = replay.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
}
