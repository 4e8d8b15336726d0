//! The policy commands: check, diff, preset, describe, `replay --against`, schema.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use duewatch_testkit::{FROZEN, LATE, LIMIT, policy_text, reminders, stages};
use rstest::rstest;
use tempfile::TempDir;

/// Three days of grace; then a late stage, a lowered line, and no more drawdowns.
fn standard() -> String {
    let ladder =
        [LATE, ("limited", "delinquent_days = 10", LIMIT), ("frozen", "delinquent_days = 20", FROZEN.2)];
    let steps = reminders(&[("current", 2, "sms", "missed"), ("late", 5, "email", "late")]);
    let announcement = r#"announcement = { days = 30, channel = "sms", template = "new_rules" }"#;
    let settings = format!("grace_days = 3\n{announcement}");
    policy_text("standard", &settings, &format!("{}{steps}", stages(&ladder))).replacen("2020", "2023", 1)
}

/// `A-1` is never paid, `A-2` in time, `A-3` on 8 October; `A-4` opens after all other events.
const BOOK: &str = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-09-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00"}]}
{"account_id":"A-2","customer_id":"C-2","policy_id":"standard","currency":"USD","time_zone":"America/New_York","opened_on":"2023-09-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"80.00"}]}
{"account_id":"A-3","customer_id":"C-3","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-09-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"90.00"}]}
{"account_id":"A-4","customer_id":"C-4","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2024-02-01","installments":[]}
"#;

const EVENTS: &str = r#"{"at":"2023-09-30T09:00:00-04:00","type":"payment_received","account_id":"A-2","payment_id":"P-1","amount":"80.00"}
{"at":"2023-10-08T09:00:00+08:00","type":"payment_received","account_id":"A-3","payment_id":"P-2","amount":"90.00"}
{"at":"2023-10-14T18:00:00Z","type":"enforcement_off","account_id":"A-3","reason":"in dispute"}
"#;

/// A policy, another one, a portfolio file and its events, in a folder of their own.
struct DiffFiles(TempDir);

impl DiffFiles {
    fn new(other: &str) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        let policy = standard();
        let texts =
            [("p.toml", policy.as_str()), ("q.toml", other), ("book.jsonl", BOOK), ("events.jsonl", EVENTS)];
        for (name, text) in texts {
            fs::write(files.path().join(name), text).unwrap();
        }
        files
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
        command.args(arguments.split_whitespace()).current_dir(self.path()).output().unwrap()
    }

    /// Standard output and standard error of a successful command.
    #[track_caller]
    fn says(&self, arguments: &str) -> (String, String) {
        let run = self.run(arguments);
        let (out, err) = (String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap());
        assert!(run.status.success(), "{err}");
        (out, err)
    }

    /// Standard error of a command that fails and prints nothing.
    #[track_caller]
    fn refuses(&self, arguments: &str) -> String {
        let run = self.run(arguments);
        assert!(!run.status.success());
        assert!(run.stdout.is_empty(), "{}", String::from_utf8_lossy(&run.stdout));
        String::from_utf8(run.stderr).unwrap()
    }
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

/// A policy that freezes ten days earlier than the first one, and leaves the line alone.
fn stricter() -> String {
    let limited = "[[stages]]\nname = \"limited\"\nwhen = { delinquent_days = 10 }\n\
                   restrictions = [{ kind = \"limit_credit_line\", percent = 50 }]\n\n";
    let text = replaced(&standard(), limited, "").replace("version = 1", "version = 2");
    replaced(&text, "delinquent_days = 20", "delinquent_days = 10")
}

#[test]
fn a_clean_policy_is_checked_without_a_warning() {
    let (out, err) = DiffFiles::new("").says("policy check p.toml");
    assert_eq!(
        out,
        "p.toml: valid: policy standard version 1, binding from 2023-01-01\n  late: no restriction\n  \
         limited: limit_credit_line to 50 %\n  frozen: limit_credit_line to 50 %, freeze_drawdown\n"
    );
    assert_eq!(err, "");
}

#[test]
fn a_ladder_that_jumps_is_valid_and_warned_of_by_line_and_column() {
    let (out, err) = DiffFiles::new(&stricter()).says("policy check q.toml");
    assert!(out.starts_with("q.toml: valid: policy standard version 2"), "{out}");
    assert_eq!(
        err,
        "duewatch: q.toml: line 11, column 1: warning: stage \"frozen\" takes 2 rungs at once, from no step of \
         the ladder to freeze_drawdown; the line comes first, then draw-downs, the whole account last\n"
    );
}

#[test]
fn a_policy_that_is_no_policy_is_refused_by_line_and_column() {
    let message = DiffFiles::new("id = \"q\"\nversion = 0\n").refuses("policy check q.toml");
    assert!(message.starts_with("duewatch: q.toml: line 1, column 1: "), "{message}");
    assert!(message.contains("effective_on"), "{message}");
}

/// The announcement names its template on line 5, the first step on line 24.
#[rstest]
#[case::a_step(
    "\"missed\"",
    "\"mised\"",
    "",
    "line 24, column 64: reminders.steps.template: there is no template \"mised\""
)]
#[case::an_announcement(
    "\"new_rules\"",
    "\"rules\"",
    "",
    "line 5, column 57: announcement.template: there is no template \"rules\""
)]
#[case::a_variable(
    "",
    "",
    "[templates.late]\nzh = 'text = { $accounts }'\nen = 'text = { $amount }'\n",
    "line 29, column 17: templates.late: there is no variable $amount here"
)]
#[case::a_language(
    "",
    "",
    "[templates.late]\nzh = 'text = x'\n",
    "line 27, column 1: templates.late: missing field `en`"
)]
fn a_text_that_cannot_be_sent_is_refused_by_line_and_column(
    #[case] from: &str,
    #[case] to: &str,
    #[case] more: &str,
    #[case] problem: &str,
) {
    let files = DiffFiles::new(&(replaced(&standard(), from, to) + more));
    let message = files.refuses("policy check q.toml");
    assert!(message.starts_with(&format!("duewatch: q.toml: {problem}")), "{message}");
    // The publication is refused before the command looks for a table.
    assert_eq!(files.refuses("policy publish q.toml"), message);
}

#[test]
fn a_diff_names_who_would_be_treated_differently() {
    let files = DiffFiles::new(&stricter());
    let (out, err) = files.says("policy diff p.toml q.toml --book book.jsonl --events events.jsonl");
    assert_eq!(
        out,
        "account  change      stage              restrictions\n\
         A-1      restricted  limited -> frozen  limit_credit_line to 50 % -> limit_credit_line to 50 %, freeze_drawdown\n\
         \n\
         standard version 2 instead of standard version 1, at the end of 2023-10-15: 3 accounts, \
         1 restricted, 0 flagged, 0 eased, 0 moved, 2 unchanged\n"
    );
    assert_eq!(err, "");
}

#[test]
fn a_diff_is_json_lines_for_scripts() {
    let files = DiffFiles::new(&stricter());
    let (out, err) = files.says("policy diff q.toml p.toml --book book.jsonl --events events.jsonl --json");
    assert_eq!(
        out,
        "{\"date\":\"2023-10-15\",\"account_id\":\"A-1\",\"change\":\"eased\",\
         \"from\":{\"stage\":\"frozen\",\"restrictions\":[{\"kind\":\"limit_credit_line\",\"percent\":50},{\"kind\":\"freeze_drawdown\"}],\
         \"days_past_due\":14,\"delinquent_days\":11,\"overdue\":\"250.00\"},\
         \"to\":{\"stage\":\"limited\",\"restrictions\":[{\"kind\":\"limit_credit_line\",\"percent\":50}],\
         \"days_past_due\":14,\"delinquent_days\":11,\"overdue\":\"250.00\"}}\n"
    );
    assert!(err.ends_with("0 restricted, 0 flagged, 1 eased, 0 moved, 2 unchanged\n"), "{err}");
}

#[rstest]
#[case::before_the_payment_is_known("--events events.jsonl --on 2023-10-07", "3 accounts, 0 restricted")]
#[case::after_it("--events events.jsonl --on 2023-10-14", "3 accounts, 1 restricted")]
#[case::without_events("--on 2023-10-14", "3 accounts, 3 restricted")]
#[case::the_fourth_is_open(
    "--on 2024-02-01",
    "4 accounts, 0 restricted, 0 flagged, 0 eased, 0 moved, 4 unchanged"
)]
#[case::today("", "4 accounts, 0 restricted")]
fn a_diff_is_of_the_facts_of_its_day(#[case] arguments: &str, #[case] summary: &str) {
    let files = DiffFiles::new(&stricter());
    let (out, _) = files.says(&format!("policy diff p.toml q.toml --book book.jsonl {arguments}"));
    assert!(out.contains(summary), "{out}");
}

#[test]
fn a_diff_of_a_policy_and_itself_is_empty() {
    let files = DiffFiles::new(&standard());
    let (out, _) = files.says("policy diff p.toml q.toml --book book.jsonl --on 2023-10-20");
    assert!(out.starts_with("Nobody would be treated differently.\n\n"), "{out}");
    let (out, _) = files.says("policy diff p.toml q.toml --book book.jsonl --on 2023-10-20 --json");
    assert_eq!(out, "");
}

#[rstest]
#[case::no_policy("policy diff p.toml q.toml --book book.jsonl", "duewatch: q.toml: line 1, column 1: ")]
#[case::no_file("policy diff p.toml r.toml --book book.jsonl", "duewatch: r.toml: ")]
#[case::no_book("policy diff p.toml p.toml --book none.jsonl", "duewatch: none.jsonl: ")]
#[case::no_day("policy diff p.toml p.toml --book book.jsonl --on 3000-01-01", "3000-01-01: days lie between")]
#[case::a_refused_event(
    "policy diff p.toml p.toml --book book.jsonl --events bad.jsonl",
    "duewatch: bad.jsonl:1: payment_reversed: payment_id: P-9 is not known"
)]
#[case::describe_no_policy("policy describe q.toml", "duewatch: q.toml: line 1, column 1: ")]
#[case::describe_in_no_language("policy describe p.toml --language fr", "[possible values: zh, en]")]
#[case::no_preset("policy preset atlantis", "[possible values: cn, eu, in, uk, us]")]
#[case::no_name("policy preset", "<NAME>")]
#[case::no_format("schema policies", "[possible values: policy, account, command, decision, event]")]
#[case::against_no_policy("replay --against q.toml --policy p.toml", "duewatch: q.toml: line 1, column 1: ")]
#[case::against_the_stack(
    "replay --engine stack --against p.toml --policy p.toml",
    "duewatch: --against compares by the domain alone; leave --engine stack out"
)]
#[case::against_on_one_output(
    "replay --daily - --against p.toml --policy p.toml",
    "let --daily, --decisions and --contacts name files"
)]
fn what_cannot_be_done_is_refused(#[case] arguments: &str, #[case] names: &str) {
    let files = DiffFiles::new("id = \"q\"\n");
    let reversal = r#"{"at":"2023-10-08T09:00:00+08:00","type":"payment_reversed","account_id":"A-3","payment_id":"P-9"}"#;
    fs::write(files.path().join("bad.jsonl"), reversal).unwrap();
    let rest = if arguments.starts_with("replay") {
        "--book book.jsonl --events events.jsonl --from 2023-10-01 --to 2023-10-31"
    } else {
        ""
    };
    let message = files.refuses(&format!("{arguments} {rest}"));
    assert!(message.contains(names), "{message}");
}

const REPLAY: &str =
    "replay --policy p.toml --book book.jsonl --events events.jsonl --from 2023-10-01 --to 2023-10-31";

#[test]
fn a_replay_against_another_policy_shows_both_sides_and_the_accounts_that_differ() {
    let files = DiffFiles::new(&stricter());
    let (out, _) = files.says(&format!("{REPLAY} --against q.toml"));
    assert_eq!(
        out,
        "                        standard version 1  standard version 2  difference\n\
         accounts flagged                         2                   2           0\n\
         accounts restricted                      1                   1           0\n\
         days under restriction                  18                  18           0\n\
         decisions                                5                   4          -1\n\
         reminders planned                        4                   4           0\n\
         \n\
         Accounts with a difference: 1 of 4:\n\
         account  days under restriction  decisions  reminders planned\n\
         A-1                          18     3 -> 2                  2\n"
    );
}

// Three days of grace: A-1 is charged for the 4th to the 30th, 27 days of 0.25. A-3 is charged for the 4th to
// the 7th, 0.36, which its payment settles first. The 0.36 that stay open are of a fee: they bear no fee, and A-3
// is current.
#[test]
fn a_replay_against_another_policy_says_what_late_fees_it_would_have_charged() {
    let charging =
        standard().replace("version = 1", "version = 2") + "\n[late_fee]\ndaily_rate = \"0.001\"\n";
    let (out, _) = DiffFiles::new(&charging).says(&format!("{REPLAY} --against q.toml"));
    assert_eq!(
        out,
        "                        standard version 1  standard version 2  difference\n\
         accounts flagged                         2                   2           0\n\
         accounts restricted                      1                   1           0\n\
         days under restriction                  18                  18           0\n\
         decisions                                5                   5           0\n\
         reminders planned                        4                   4           0\n\
         late fees charged, CNY                0.00                7.11       +7.11\n\
         late fees charged, USD                0.00                0.00        0.00\n\
         \n\
         Accounts with a difference: 2 of 4:\n\
         account  days under restriction  decisions  reminders planned  late fees charged\n\
         A-1                          18          3                  2   0.00 -> 6.75 CNY\n\
         A-3                           0          2                  2   0.00 -> 0.36 CNY\n"
    );
}

#[test]
fn the_outputs_of_a_replay_against_another_policy_are_those_of_the_first() {
    let files = DiffFiles::new(&stricter());
    let read = |name: &str| fs::read_to_string(files.path().join(name)).unwrap();
    let (alone, _) = files.says(&format!("{REPLAY} --daily alone.jsonl --decisions alone-decisions.jsonl"));
    files.says(&format!("{REPLAY} --against q.toml --daily both.jsonl --decisions both-decisions.jsonl"));
    assert_eq!(alone, "");
    assert_eq!(read("alone.jsonl"), read("both.jsonl"));
    assert_eq!(read("alone-decisions.jsonl"), read("both-decisions.jsonl"));
    let restricted = read("alone.jsonl").lines().filter(|line| line.contains("\"kind\"")).count();
    assert_eq!(restricted, 18, "days under restriction, counted from the daily lines");
}

#[test]
fn a_replay_against_the_same_policy_differs_nowhere() {
    let (out, _) = DiffFiles::new(&standard()).says(&format!("{REPLAY} --against q.toml"));
    assert!(out.ends_with("\nNo account would have been treated differently.\n"), "{out}");
}

#[test]
fn each_preset_is_printed_as_it_is_and_is_a_clean_policy() {
    let files = DiffFiles::new("");
    let (list, _) = files.says("policy preset --list");
    assert_eq!(list, "cn  China\neu  European Union\nin  India\nuk  United Kingdom\nus  United States\n");
    for name in list.lines().filter_map(|line| line.split(' ').next()) {
        let (text, _) = files.says(&format!("policy preset {name}"));
        fs::write(files.path().join("preset.toml"), text).unwrap();
        let (out, err) = files.says("policy check preset.toml");
        assert!(out.contains(&format!("policy {name} version 1")), "{out}");
        assert_eq!(err, "");
    }
}

#[rstest]
#[case("", "# If a payment is late\n")]
#[case("--language en", "# If a payment is late\n")]
#[case("--language zh", "# 逾期还款怎么办\n")]
fn a_policy_is_described_in_the_language_that_is_asked_for(#[case] arguments: &str, #[case] title: &str) {
    let (out, _) = DiffFiles::new("").says(&format!("policy describe p.toml {arguments}"));
    assert!(out.starts_with(title), "{out}");
}

#[rstest]
#[case("policy")]
#[case("account")]
#[case("command")]
#[case("decision")]
#[case("event")]
fn each_schema_is_printed(#[case] format: &str) {
    let (out, _) = DiffFiles::new("").says(&format!("schema {format}"));
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn help_tells_of_a_policys_life() {
    let files = DiffFiles::new("");
    let (policy, _) = files.says("policy --help");
    for command in
        ["check", "publish", "approve", "rollback", "list", "hold", "release", "diff", "preset", "describe"]
    {
        assert!(policy.contains(command), "{command} is missing in:\n{policy}");
    }
    let (diff, _) = files.says("policy diff --help");
    for option in ["--book <FILE>", "--events <FILE>", "--on <DATE>", "--json", "<POLICY>", "<OTHER>"] {
        assert!(diff.contains(option), "{option} is missing in:\n{diff}");
    }
    assert!(files.says("replay --help").0.contains("--against <FILE>"));
    assert!(files.says("--help").0.contains("schema"));
}
