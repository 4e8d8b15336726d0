//! The readings of days and money that `POLICY.md` explains, each with the figures worked out by hand from the rule.
//! The runs go through the command line, and both engines must write the same bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rstest::rstest;
use serde_json::{Value, json};

pub(crate) const FEE_OF_A_THOUSANDTH: &str = "[late_fee]\ndaily_rate = \"0.001\"\n";
pub(crate) const LATE: &str = "[[stages]]\nname = \"late\"\nwhen = { delinquent_days = 1 }\n";
pub(crate) const FROZEN: &str = "[[stages]]\nname = \"frozen\"\nwhen = { delinquent_days = 5 }\nrestrictions = [{ kind = \"freeze_drawdown\" }]\n";

/// A folder with the files of a run: accounts in UTC, opened on 1 September 2023.
pub(crate) struct Run {
    folder: tempfile::TempDir,
    policies: Vec<String>,
    book: Vec<Value>,
    events: Vec<Value>,
}

impl Run {
    pub(crate) fn under(tables: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, policies: Vec::new(), book: Vec::new(), events: Vec::new() }
            .version("2020-01-01", tables)
    }

    /// One more version of the policy.
    pub(crate) fn version(mut self, effective_on: &str, tables: &str) -> Self {
        let version = self.policies.len() + 1;
        self.policies
            .push(format!("id = \"p\"\nversion = {version}\neffective_on = {effective_on}\n{tables}"));
        self
    }

    pub(crate) fn account(mut self, id: &str, due: &[(&str, &str)]) -> Self {
        let installment = |(number, (due_on, principal)): (usize, &(&str, &str))| json!({ "number": number + 1, "due_on": due_on, "principal": principal });
        let installments: Vec<Value> = due.iter().enumerate().map(installment).collect();
        self.book.push(json!({
            "account_id": id, "customer_id": format!("C-{id}"), "policy_id": "p", "currency": "EUR",
            "time_zone": "UTC", "opened_on": "2023-09-01", "installments": installments,
        }));
        self
    }

    /// States the interest terms of the account that came last.
    pub(crate) fn with_interest(mut self, terms: Value) -> Self {
        self.book.last_mut().unwrap()["interest"] = terms;
        self
    }

    /// Changes an installment of the account that came last.
    pub(crate) fn with_amount(mut self, place: usize, field: &str, amount: &str) -> Self {
        self.book.last_mut().unwrap()["installments"][place][field] = amount.into();
        self
    }

    pub(crate) fn event(mut self, at: &str, id: &str, mut event: Value) -> Self {
        event["at"] = at.into();
        event["account_id"] = id.into();
        self.events.push(event);
        self
    }

    pub(crate) fn pays(self, at: &str, id: &str, payment_id: &str, amount: &str) -> Self {
        self.event(at, id, json!({ "type": "payment_received", "payment_id": payment_id, "amount": amount }))
    }

    fn lines(&self, engine: &str, from: &str, to: &str) -> [String; 2] {
        let path = |name: &str| self.folder.path().join(name);
        let text = |lines: &[Value]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        fs::write(path("book.jsonl"), text(&self.book)).unwrap();
        fs::write(path("events.jsonl"), text(&self.events)).unwrap();
        let policies: Vec<PathBuf> =
            (0..self.policies.len()).map(|place| path(&format!("p{place}.toml"))).collect();
        for (file, policy) in policies.iter().zip(&self.policies) {
            fs::write(file, policy).unwrap();
        }
        replayed(self.folder.path(), engine, &policies, &path("book.jsonl"), (from, to))
    }

    /// The contact requests of an account, each when it would leave, with its template; both engines write them.
    pub(crate) fn contacts(&self, id: &str) -> Vec<String> {
        let [pure, stack] = ["pure", "stack"].map(|engine| self.lines(engine, "2023-09-01", "2024-03-15"));
        assert_eq!(pure, stack);
        let lines = pure[1].lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let of_it = lines.filter(|line| line["account_id"] == id);
        of_it
            .map(|line| format!("{} {}", line["at"].as_str().unwrap(), line["template"].as_str().unwrap()))
            .collect()
    }

    /// The fields of an account's line on a date, as both engines write it.
    #[track_caller]
    pub(crate) fn on(&self, id: &str, date: &str, fields: &[&str]) -> String {
        self.from("2023-09-01").on(id, date, fields)
    }

    /// The lines of a run that begins on a date and ends half a year after the opening.
    pub(crate) fn from(&self, from: &str) -> Lines {
        let [pure, stack] = ["pure", "stack"].map(|engine| self.lines(engine, from, "2024-03-15"));
        assert_eq!(pure, stack);
        Lines(pure[0].lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

/// The daily lines and the contact requests of a run over a book and the events of a folder.
pub(crate) fn replayed(
    folder: &Path,
    engine: &str,
    policies: &[PathBuf],
    book: &Path,
    (from, to): (&str, &str),
) -> [String; 2] {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    command.arg("replay").arg("--book").arg(book);
    for policy in policies {
        command.arg("--policy").arg(policy);
    }
    let arguments = format!(
        "--events events.jsonl --engine {engine} --from {from} --to {to} --daily daily.jsonl --contacts contacts.jsonl"
    );
    let run = command.args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    ["daily.jsonl", "contacts.jsonl"].map(|name| fs::read_to_string(folder.join(name)).unwrap())
}

pub(crate) struct Lines(Vec<Value>);

impl Lines {
    #[track_caller]
    pub(crate) fn on(&self, id: &str, date: &str, fields: &[&str]) -> String {
        let line = self.0.iter().find(|line| line["date"] == date && line["account_id"] == id);
        let line = line.unwrap_or_else(|| panic!("no line of {id} on {date}"));
        let shown = |field: &&str| match &line[*field] {
            Value::String(text) => text.clone(),
            Value::Array(all) if *field == "buckets" => {
                let each =
                    |one: &Value| format!("{} {} in {}", one["name"], one["amount"], one["installments"]);
                all.iter().map(each).collect::<Vec<_>>().join(", ").replace('"', "")
            }
            Value::Array(all) => {
                all.iter().map(|one| one["kind"].as_str().unwrap_or_default()).collect::<Vec<_>>().join("+")
            }
            other => other.to_string(),
        };
        fields.iter().map(shown).collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn money_follows_the_version_of_its_day() {
    let run = Run::under(FEE_OF_A_THOUSANDTH)
        .version("2023-11-29", "[late_fee]\ndaily_rate = \"0.002\"\n")
        .account("A", &[("2023-10-01", "1000.00")])
        .account("B", &[("2023-10-01", "1000.00")])
        .pays("2023-11-29T09:00:00Z", "B", "P-1", "1059.00");
    let lines = run.from("2023-09-01");
    for (date, fee) in [("2023-11-28", "58.00"), ("2023-11-29", "59.00"), ("2023-11-30", "61.00")] {
        assert_eq!(lines.on("A", date, &["late_fee"]), fee, "on {date}");
    }
    assert_eq!(lines.on("B", "2024-03-15", &["stage", "outstanding"]), "current 0.00");
}

// Ten nights by the 11th at 0.50; under `due_day` the 11th itself costs in its last second, at which a line is written.
#[rstest]
#[case::to_due_day("day_after", "due_day", ["4.50", "5.50", "6.00"])]
#[case::to_day_after("due_day", "day_after", ["5.00", "5.00", "5.50"])]
fn where_the_day_count_changes_each_date_costs_once(
    #[case] before: &str,
    #[case] after: &str,
    #[case] fees: [&str; 3],
) {
    let tables = |day_count| format!("day_count = \"{day_count}\"\n[late_fee]\ndaily_rate = \"0.0005\"\n");
    let run = Run::under(&tables(before))
        .version("2023-10-11", &tables(after))
        .account("A", &[("2023-10-01", "1000.00")]);
    let lines = run.from("2023-09-01");
    for (date, fee) in ["2023-10-10", "2023-10-11", "2023-10-12"].into_iter().zip(fees) {
        assert_eq!(lines.on("A", date, &["late_fee"]), fee, "on {date}");
    }
}

// 15 October 2023 is a Sunday, 14 October a Saturday.
#[rstest]
#[case::not_before_its_own_first_day("2023-10-15", "", "previous", ["0", "0", "0", "1"])]
#[case::as_an_earlier_one_moved_it("2023-10-15", "previous", "", ["0", "1", "2", "3"])]
#[case::by_the_one_of_the_contracts_date("2023-10-14", "next", "", ["0", "0", "0", "0"])]
fn a_due_date_is_moved_to_no_day_of_another_version(
    #[case] due_on: &str,
    #[case] before: &str,
    #[case] after: &str,
    #[case] days: [&str; 4],
) {
    let tables = |moves: &str| match moves {
        "" => String::new(),
        moves => format!("[business_days]\ncalendar = \"cn\"\nmove = \"{moves}\"\n"),
    };
    let run = Run::under(&tables(before))
        .version("2023-10-15", &tables(after))
        .account("A", &[(due_on, "1000.00")]);
    let lines = run.from("2023-09-01");
    for (date, days) in ["2023-10-13", "2023-10-14", "2023-10-15", "2023-10-16"].into_iter().zip(days) {
        assert_eq!(lines.on("A", date, &["days_past_due"]), days, "on {date}");
    }
}

#[test]
fn the_first_late_fee_ever_charges_no_day_before_it() {
    let run =
        Run::under("").version("2023-11-29", FEE_OF_A_THOUSANDTH).account("A", &[("2023-10-01", "1000.00")]);
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-11-29", &["overdue"]), "1000.00");
    assert_eq!(lines.on("A", "2023-11-30", &["overdue"]), "1001.00");
}

// Due on 31 January 2024; 20.00 a day, at most 20.00 a month.
#[rstest]
#[case("2024-01-31", "0.00")]
#[case("2024-02-01", "20.00")]
#[case("2024-02-29", "20.00")]
#[case("2024-03-01", "40.00")]
fn a_night_belongs_to_the_month_of_the_date_that_it_ends_on(#[case] date: &str, #[case] fee: &str) {
    let tables = "[late_fee]\ndaily_rate = \"0.01\"\ncap_per_month = \"20.00\"\n";
    let run = Run::under(tables).account("A", &[("2024-01-31", "2000.00")]);
    assert_eq!(run.on("A", date, &["late_fee"]), fee);
}

// Due on 1 October, paused from the 2nd to the 4th, and under `due_day` from the 1st to the 5th.
#[rstest]
#[case::first("day_after", "2023-10-02", "2023-10-04", "2023-10-02", "1 1 1.00")]
#[case::last("day_after", "2023-10-02", "2023-10-04", "2023-10-04", "3 1 1.00")]
#[case::after("day_after", "2023-10-02", "2023-10-04", "2023-10-05", "4 2 2.00")]
#[case::the_date_itself("due_day", "2023-10-01", "2023-10-05", "2023-10-04", "4 0 0.00")]
#[case::after_the_date("due_day", "2023-10-01", "2023-10-05", "2023-10-05", "5 1 1.00")]
fn the_count_stands_still_in_a_pause(
    #[case] day_count: &str,
    #[case] from: &str,
    #[case] until: &str,
    #[case] date: &str,
    #[case] expected: &str,
) {
    let run = Run::under(&format!("day_count = \"{day_count}\"\n{FEE_OF_A_THOUSANDTH}"))
        .account("A", &[("2023-10-01", "1000.00")])
        .event("2023-09-15T09:00:00Z", "A", json!({ "type": "pause_started", "from": from, "until": until }));
    assert_eq!(run.on("A", date, &["days_past_due", "delinquent_days", "late_fee"]), expected);
}

// The fifth delinquent day is 6 October, the first day of the pause.
#[test]
fn no_restriction_begins_inside_a_pause() {
    let pause = json!({ "type": "pause_started", "from": "2023-10-06", "until": "2023-10-10" });
    let run = Run::under(&format!("{LATE}{FROZEN}")).account("A", &[("2023-10-01", "100.00")]).event(
        "2023-10-03T09:00:00Z",
        "A",
        pause,
    );
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-06", &["stage", "restrictions"]), "frozen ");
    assert_eq!(lines.on("A", "2023-10-09", &["stage", "restrictions"]), "frozen ");
    assert_eq!(lines.on("A", "2023-10-10", &["stage", "restrictions"]), "frozen freeze_drawdown");
}

// One cent open since 1 October; 200.00 missed on 1 December.
#[test]
fn days_count_from_the_first_material_day() {
    let materiality = "[materiality]\namount = \"100.00\"\nshare = \"0.01\"\n";
    let run = Run::under(&format!("{materiality}\n{LATE}{FROZEN}"))
        .account("CENT", &[("2023-10-01", "200.00"), ("2023-12-01", "200.00")])
        .account("CLEAN", &[("2023-10-01", "200.00"), ("2023-12-01", "200.00")])
        .pays("2023-10-01T09:00:00Z", "CENT", "P-1", "199.99")
        .pays("2023-10-01T09:00:00Z", "CLEAN", "P-2", "200.00");
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("CENT", "2023-12-01", &["stage", "days_past_due"]), "current 61");
    for id in ["CENT", "CLEAN"] {
        assert_eq!(lines.on(id, "2023-12-05", &["stage", "restrictions"]), "late ");
        assert_eq!(lines.on(id, "2023-12-06", &["stage", "restrictions"]), "frozen freeze_drawdown");
    }
}

// #1 was paid on its day: by value date, or by a payment that the bank took back in error and sent again. #2 is missed:
// the first lapse, tolerated for ten delinquent days.
#[rstest]
#[case::in_time("", "2023-12-11", "frozen ", "2023-12-12", "frozen freeze_drawdown")]
#[case::by_value_date("value_date", "2023-12-11", "frozen ", "2023-12-12", "frozen freeze_drawdown")]
#[case::taken_back_in_error("reversed", "2023-12-11", "frozen ", "2023-12-12", "frozen freeze_drawdown")]
#[case::never_owed("adjusted", "2023-12-11", "frozen ", "2023-12-12", "frozen freeze_drawdown")]
#[case::late("late", "2023-12-05", "late ", "2023-12-06", "frozen freeze_drawdown")]
fn a_lapse_that_is_disproved_leaves_no_trace(
    #[case] how: &str,
    #[case] before: &str,
    #[case] then: &str,
    #[case] on: &str,
    #[case] expected: &str,
) {
    let buffer = "buffer = { days = 10, amount = \"500.00\", months = 12 }\n";
    let run = Run::under(&format!("{buffer}{LATE}{FROZEN}"))
        .account("A", &[("2023-10-01", "100.00"), ("2023-12-01", "100.00")]);
    let payment = |id: &str, value_date: &str| json!({ "type": "payment_received", "payment_id": id, "amount": "100.00", "value_date": value_date });
    let run = match how {
        "value_date" => run.event("2023-10-03T09:00:00Z", "A", payment("P-1", "2023-10-01")),
        "reversed" => run
            .pays("2023-10-01T09:00:00Z", "A", "P-1", "100.00")
            .event("2023-10-03T09:00:00Z", "A", json!({ "type": "payment_reversed", "payment_id": "P-1" }))
            .event("2023-10-04T09:00:00Z", "A", payment("P-2", "2023-10-01")),
        "adjusted" => run.event(
            "2023-10-03T09:00:00Z",
            "A",
            json!({ "type": "installment_adjusted", "number": 1, "amount": "100.00", "reason": "never owed" }),
        ),
        "late" => run.pays("2023-10-03T09:00:00Z", "A", "P-1", "100.00"),
        _ => run.pays("2023-10-01T09:00:00Z", "A", "P-1", "100.00"),
    };
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", before, &["stage", "restrictions"]), then);
    assert_eq!(lines.on("A", on, &["stage", "restrictions"]), expected);
}

#[test]
fn a_write_off_takes_the_open_late_fee_with_it() {
    let run = Run::under(FEE_OF_A_THOUSANDTH)
        .account("A", &[("2023-10-01", "100.00")])
        .pays("2023-10-05T09:00:00Z", "A", "P-1", "100.00")
        .event("2023-10-07T09:00:00Z", "A", json!({ "type": "written_off", "reason": "a residue" }));
    // Four nights of 0.10 were paid first.
    assert_eq!(run.on("A", "2023-10-06", &["overdue", "outstanding", "days_past_due"]), "0.40 0.40 0");
    assert_eq!(run.on("A", "2023-10-07", &["overdue", "outstanding"]), "0.00 0.00");
}

// 100.00 wait for 1 November. A write-off of #1 leaves them for #2; a new schedule has them pay its own #3.
#[rstest]
#[case::a_write_off(
    json!({ "type": "written_off", "number": 1, "reason": "agreed" }),
    &[("2023-10-02", "0.00 100.00"), ("2023-11-02", "0.00 100.00"), ("2023-12-02", "0.00 0.00")]
)]
#[case::a_new_schedule(
    json!({ "type": "schedule_replaced", "reason": "agreed", "installments": [
        { "number": 3, "due_on": "2023-11-01", "principal": "100.00" },
        { "number": 4, "due_on": "2023-12-01", "principal": "100.00" },
    ] }),
    &[("2023-10-02", "0.00 200.00"), ("2023-11-02", "0.00 100.00"), ("2023-12-02", "100.00 100.00")]
)]
fn credit_that_waits_goes_on_waiting(#[case] event: Value, #[case] expected: &[(&str, &str)]) {
    let run = Run::under("overpayment = \"credit\"\n")
        .account("A", &[("2023-11-01", "100.00"), ("2023-12-01", "100.00")])
        .pays("2023-10-01T09:00:00Z", "A", "P-1", "100.00")
        .event("2023-10-02T09:00:00Z", "A", event);
    let lines = run.from("2023-09-01");
    for (date, expected) in expected {
        assert_eq!(lines.on("A", date, &["overdue", "outstanding"]), *expected, "on {date}");
    }
}

// 10.00 of late fee by 11 October, paid with 90.00 of principal; then a new schedule of the 10.00 left.
#[test]
fn a_late_fee_that_was_paid_does_not_pay_again_after_a_new_schedule() {
    let new = json!({ "type": "schedule_replaced", "reason": "agreed", "installments": [
        { "number": 2, "due_on": "2023-12-01", "principal": "910.00" },
    ] });
    let run = Run::under(FEE_OF_A_THOUSANDTH)
        .account("A", &[("2023-10-01", "1000.00")])
        .pays("2023-10-11T09:00:00Z", "A", "P-1", "100.00")
        .event("2023-10-12T09:00:00Z", "A", new);
    assert_eq!(run.on("A", "2023-10-12", &["outstanding"]), "910.00");
    assert_eq!(run.on("A", "2023-12-01", &["overdue", "outstanding"]), "0.00 910.00");
}

// The first notice leaves on 8 October, a further one on the 12th.
#[test]
fn days_after_a_notice_count_from_the_first() {
    let frozen = FROZEN.replace("\"freeze_drawdown\" }", "\"freeze_drawdown\", notice_days = 7 }");
    let notice = || json!({ "type": "notice_sent", "stage": "frozen" });
    let run = Run::under(&format!("{LATE}{frozen}"))
        .account("A", &[("2023-10-01", "100.00")])
        .event("2023-10-08T09:00:00Z", "A", notice())
        .event("2023-10-12T09:00:00Z", "A", notice())
        .event("2023-10-17T09:00:00Z", "A", notice());
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-14", &["stage", "restrictions"]), "frozen ");
    for date in ["2023-10-15", "2023-10-18", "2023-10-23"] {
        assert_eq!(lines.on("A", date, &["stage", "restrictions"]), "frozen freeze_drawdown", "on {date}");
    }
}

// 91 days past due on 31 December under `due_day`; all arrears are paid on 1 January, on which #2 falls due.
#[test]
fn a_class_is_judged_after_what_falls_due_at_the_days_end() {
    let classes = "day_count = \"due_day\"\n[classification]\nname = \"sma\"\nnormal = \"standard\"\n\
                   classes = [{ name = \"SMA\", days_past_due = 1 }, { name = \"NPA\", days_past_due = 91 }]\n\
                   probation_from = \"NPA\"\ncured = \"nothing_overdue\"\nprobation_months = 0\n";
    let run = Run::under(classes)
        .account("A", &[("2023-10-02", "100.00"), ("2024-01-01", "100.00")])
        .pays("2024-01-01T10:00:00Z", "A", "P-1", "100.00")
        .pays("2024-01-03T10:00:00Z", "A", "P-2", "100.00");
    let lines = run.from("2023-09-01");
    for (date, expected) in [
        ("2023-12-31", "NPA 91"),
        ("2024-01-01", "NPA 1"),
        ("2024-01-02", "NPA 2"),
        ("2024-01-03", "standard 0"),
    ] {
        assert_eq!(lines.on("A", date, &["class", "days_past_due"]), expected, "on {date}");
    }
}

// A lapse, a notice, a class in probation: what a run remembers from before its first day.
#[test]
fn a_run_from_the_middle_equals_a_run_from_the_start() {
    let frozen = FROZEN.replace("\"freeze_drawdown\" }", "\"freeze_drawdown\", notice_days = 7 }");
    let tables = format!(
        "buffer = {{ days = 10, amount = \"500.00\", months = 12 }}\n{LATE}{frozen}\
         [reminders]\nsend_at = \"10:00\"\nsteps = [{{ stage = \"late\", days = 3, channel = \"letter\", template = \"before_freeze\", notice_of = \"frozen\" }}]\n\
         [classification]\nname = \"c\"\nnormal = \"n\"\nclasses = [{{ name = \"bad\", days_past_due = 10 }}]\nprobation_months = 3\n"
    );
    let run = Run::under(&tables)
        .account("A", &[("2023-10-01", "100.00"), ("2023-12-01", "100.00")])
        .account("B", &[("2023-10-01", "100.00")])
        .pays("2023-10-20T09:00:00Z", "A", "P-1", "100.00");
    let whole = run.from("2023-09-01").0;
    for from in ["2023-10-05", "2023-10-15", "2023-12-05", "2024-01-10"] {
        let expected: Vec<&Value> = whole.iter().filter(|line| line["date"].as_str() >= Some(from)).collect();
        let lines = run.from(from).0;
        assert_eq!(lines.iter().collect::<Vec<_>>(), expected, "from {from}");
    }
}

#[test]
fn two_versions_of_one_number_are_refused() {
    let run = Run::under("").account("A", &[]);
    let path = run.folder.path();
    let text = "id = \"p\"\nversion = 1\neffective_on = 2020-01-01\n";
    for (name, text) in [("a.toml", text), ("b.toml", text), ("book.jsonl", ""), ("events.jsonl", "")] {
        fs::write(path.join(name), text).unwrap();
    }
    let message = refusal(path, "--policy a.toml --policy b.toml");
    assert!(message.contains("p version 1 and p version 1 are not two versions of one policy"), "{message}");
}

fn refusal(folder: &Path, policies: &str) -> String {
    let rest = "--book book.jsonl --events events.jsonl --from 2023-10-01 --to 2023-10-02";
    let arguments = format!("replay {policies} {rest}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    let run = command.args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert_eq!(run.status.code(), Some(1));
    String::from_utf8(run.stderr).unwrap()
}
