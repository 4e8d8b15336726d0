//! The two engines of `replay`, the domain alone and the whole stack, write the same bytes and refuse the
//! same events.

mod generate;

use std::fs;
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_cli::replay::{CaseFiles, Engine, Outputs, ReplayCase, replay};
use duewatch_domain::Zone;
use duewatch_stack::sweep_every;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

/// The input files of a run, with its days.
#[derive(Clone, Debug)]
struct RunFiles {
    policy: String,
    book: Vec<Value>,
    events: Vec<Value>,
    from: NaiveDate,
    to: NaiveDate,
}

/// The output of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RunOutput {
    daily: String,
    decisions: String,
    contacts: String,
}

impl RunFiles {
    /// The output of an engine, or its refusal, which leaves no output.
    fn run(&self, engine: Engine) -> Result<RunOutput, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let lines = |lines: &[Value]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        fs::write(path("policy.toml"), &self.policy).unwrap();
        fs::write(path("book.jsonl"), lines(&self.book)).unwrap();
        fs::write(path("events.jsonl"), lines(&self.events)).unwrap();
        let files = CaseFiles {
            policies: vec![path("policy.toml")],
            book: path("book.jsonl"),
            format: None,
            events: path("events.jsonl"),
        };
        let outputs = Outputs {
            daily: Some(path("daily")),
            decisions: Some(path("decisions")),
            contacts: Some(path("contacts")),
        };
        let done = ReplayCase::read(&files, self.from, self.to, sweep_every().unwrap())
            .and_then(|case| replay(&case, engine, &outputs));
        if let Err(error) = done {
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3, "output is left after: {error}");
            return Err(without_directory(&error.to_string(), directory.path()));
        }
        let read = |name: &str| fs::read_to_string(path(name)).unwrap();
        Ok(RunOutput { daily: read("daily"), decisions: read("decisions"), contacts: read("contacts") })
    }

    /// The output of both engines, or the refusal of both.
    #[track_caller]
    fn run_both(&self) -> Result<RunOutput, String> {
        let (pure, stack) = (self.run(Engine::Pure), self.run(Engine::Stack));
        assert_eq!(pure, stack, "the engines differ: pure, stack");
        pure
    }
}

fn without_directory(message: &str, directory: &Path) -> String {
    message.replace(&format!("{}/", directory.display()), "")
}

/// The line of the events file that a message names.
fn blamed_line(message: &str) -> Option<usize> {
    message.strip_prefix("events.jsonl:")?.split(':').next()?.parse().ok()
}

/// The number of cases set in the environment; else few, for each is a whole stack.
fn cases() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(12),
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn both_engines_write_the_same_bytes_and_refuse_the_same_events(mut files in generate::files()) {
        let mut refused = files.run(Engine::Pure).err();
        if refused.is_some() {
            prop_assert_eq!(&refused, &files.run(Engine::Stack).err());
        }
        // Without the refused events, the rest is accepted.
        while let Some(message) = refused {
            let line = blamed_line(&message);
            prop_assert!(line.is_some(), "{}", message);
            files.events.remove(line.unwrap() - 1);
            refused = files.run(Engine::Pure).err();
        }
        prop_assert_eq!(files.run(Engine::Pure), files.run(Engine::Stack));
    }
}

/// One account in one zone with 1000.00 due on each of the dates.
fn files_of(zone: &str, due_on: &[&str], rules: &str, from: &str, to: &str) -> RunFiles {
    let installments: Vec<Value> = (1..)
        .zip(due_on)
        .map(|(number, due_on)| json!({ "number": number, "due_on": due_on, "principal": "1000.00" }))
        .collect();
    let account = json!({
        "account_id": "A-1", "customer_id": "C-1", "policy_id": "p", "currency": "EUR",
        "time_zone": zone, "opened_on": from, "installments": installments,
    });
    RunFiles {
        policy: format!("id = \"p\"\nversion = 1\neffective_on = 2010-01-01\n{rules}\n"),
        book: vec![account],
        events: Vec::new(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
    }
}

fn stages(stages: &[(&str, u32)]) -> String {
    stages
        .iter()
        .map(|(name, days)| format!("[[stages]]\nname = \"{name}\"\nwhen = {{ days_past_due = {days} }}\n"))
        .collect()
}

fn payment(at: &str, id: &str, amount: &str) -> Value {
    json!({ "at": at, "type": "payment_received", "account_id": "A-1", "payment_id": id, "amount": amount })
}

/// The stage changes, with their instants on the zone's clock.
fn changes(written: &RunOutput, zone: &str) -> Vec<(String, String)> {
    let zone: Zone = zone.parse().unwrap();
    let line = |line: &str| {
        let decision: Value = serde_json::from_str(line).unwrap();
        let at: DateTime<Utc> = decision["at"].as_str().unwrap().parse().unwrap();
        let local = at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string();
        (local, decision["to"].as_str().unwrap().to_owned())
    };
    written.decisions.lines().map(line).collect()
}

fn named(changes: &[(String, String)]) -> Vec<(&str, &str)> {
    changes.iter().map(|(at, to)| (at.as_str(), to.as_str())).collect()
}

/// The date, stage and days past due of each daily line.
fn days(written: &RunOutput) -> Vec<(String, String, u64)> {
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        (text("date"), text("stage"), line["days_past_due"].as_u64().unwrap())
    };
    written.daily.lines().map(line).collect()
}

#[rstest]
#[case("2021-03-31", "2021-04-30", "2021-05-30", "2021-06-29")]
#[case("2021-12-01", "2021-12-31", "2022-01-30", "2022-03-01")]
fn the_reserve_bank_of_india_dates_come_out_of_both_engines(
    #[case] due_on: &str,
    #[case] sma_1: &str,
    #[case] sma_2: &str,
    #[case] npa: &str,
) {
    let zone = "Asia/Kolkata";
    let ladder = stages(&[("SMA-0", 1), ("SMA-1", 31), ("SMA-2", 61), ("NPA", 91)]);
    let files =
        files_of(zone, &[due_on], &format!("day_count = \"due_day\"\n{ladder}"), due_on, "2022-03-05");
    let written = files.run_both().unwrap();
    let reached = [(due_on, "SMA-0", 1), (sma_1, "SMA-1", 31), (sma_2, "SMA-2", 61), (npa, "NPA", 91)];
    let evenings: Vec<(String, String)> =
        reached.iter().map(|(date, stage, _)| (format!("{date} 23:59:59"), (*stage).to_owned())).collect();
    assert_eq!(changes(&written, zone), evenings);
    let days = days(&written);
    for (date, stage, count) in reached {
        assert!(days.contains(&(date.to_owned(), stage.to_owned(), count)), "{date} {stage} {count}");
        let first = days.iter().find(|(_, reached, _)| reached == stage).unwrap();
        assert_eq!(first.0, date, "{stage}");
    }
}

#[rstest]
#[case::at_midnight("2023-10-02T00:00:00+08:00", &[("2023-10-02 00:00:00", "late"), ("2023-10-02 00:00:00", "current")])]
#[case::before_midnight("2023-10-01T23:59:59.999+08:00", &[])]
#[case::after_midnight("2023-10-02T00:00:00.001+08:00", &[("2023-10-02 00:00:00", "late"), ("2023-10-02 00:00:00", "current")])]
fn a_payment_at_local_midnight_comes_on_the_new_day(
    #[case] paid_at: &str,
    #[case] expected: &[(&str, &str)],
) {
    let zone = "Asia/Shanghai";
    let mut files = files_of(zone, &["2023-10-01"], &stages(&[("late", 1)]), "2023-09-30", "2023-10-03");
    files.events = vec![payment(paid_at, "P-1", "1000.00")];
    let written = files.run_both().unwrap();
    assert_eq!(named(&changes(&written, zone)), expected);
    // At the day's last second, which the daily line evaluates, it was never late.
    assert!(days(&written).iter().all(|(_, stage, count)| stage == "current" && *count == 0));
}

// Under due_day a stage begins with the last second of the due date, and a payment received in that second is in
// time.
#[rstest]
#[case::paid_during_the_due_day("58", "1000.00", "", &[])]
#[case::paid_in_its_last_second("59", "1000.00", "", &[])]
#[case::paid_within_its_last_second("59.5", "1000.00", "", &[])]
#[case::paid_before_the_restriction_goes_out("59.5", "1000.00", "{ kind = \"freeze_drawdown\" }", &[])]
#[case::paid_in_part_then("59.5", "1.00", "{ kind = \"freeze_drawdown\" }", &[("2023-10-01 23:59:59", "late")])]
fn under_due_day_whoever_pays_during_the_due_day_was_never_restricted(
    #[case] second: &str,
    #[case] amount: &str,
    #[case] restriction: &str,
    #[case] expected: &[(&str, &str)],
) {
    let zone = "Asia/Kolkata";
    let rules = format!("day_count = \"due_day\"\n{}restrictions = [{restriction}]", stages(&[("late", 1)]));
    let mut files = files_of(zone, &["2023-10-01"], &rules, "2023-09-30", "2023-10-02");
    files.events = vec![payment(&format!("2023-10-01T23:59:{second}+05:30"), "P-1", amount)];
    assert_eq!(named(&changes(&files.run_both().unwrap(), zone)), expected);
}

#[test]
fn under_due_day_a_stage_that_begins_in_the_last_second_of_the_run_is_decided() {
    let zone = "America/New_York";
    let rules = format!("day_count = \"due_day\"\n{}", stages(&[("late", 1)]));
    let files = files_of(zone, &["2023-11-05"], &rules, "2023-11-01", "2023-11-05");
    let written = files.run_both().unwrap();
    assert_eq!(named(&changes(&written, zone)), [("2023-11-05 23:59:59", "late")]);
    assert_eq!(days(&written).last().unwrap(), &("2023-11-05".to_owned(), "late".to_owned(), 1));
}

#[rstest]
#[case::day_after("day_after", [0, 0, 1, 2, 3])]
#[case::due_day("due_day", [0, 1, 2, 3, 4])]
fn a_date_that_its_zone_skips_has_its_line(#[case] day_count: &str, #[case] counts: [u64; 5]) {
    let rules = format!("day_count = \"{day_count}\"\n{}", stages(&[("late", 1), ("later", 2)]));
    let files = files_of("Pacific/Apia", &["2011-12-29"], &rules, "2011-12-28", "2012-01-01");
    let days = days(&files.run_both().unwrap());
    let dates = ["2011-12-28", "2011-12-29", "2011-12-30", "2011-12-31", "2012-01-01"];
    let seen: Vec<(&str, u64)> = days.iter().map(|(date, _, count)| (date.as_str(), *count)).collect();
    assert_eq!(seen, dates.into_iter().zip(counts).collect::<Vec<_>>());
}

#[test]
fn what_came_before_the_first_day_counts_and_what_comes_after_the_last_does_not() {
    let zone = "America/Sao_Paulo";
    let due_on = ["2023-10-01", "2023-10-03"];
    let mut files = files_of(zone, &due_on, &stages(&[("late", 1)]), "2023-10-04", "2023-10-06");
    // A-2 is opened by an event on the second day, A-3 never, because the run ends before.
    for (account, at) in [("A-2", "2023-10-05T08:00:00-03:00"), ("A-3", "2023-10-07T00:00:00-03:00")] {
        let mut opened = files.book[0].clone();
        opened["account_id"] = json!(account);
        files
            .events
            .push(json!({ "at": at, "type": "account_opened", "account_id": account, "account": opened }));
    }
    files.events.push(payment("2023-10-03T23:59:59-03:00", "P-1", "1000.00"));
    files.events.push(payment("2023-10-07T00:00:00-03:00", "P-2", "1000.00"));
    let written = files.run_both().unwrap();
    // A-1 is late by its second installment, due before the run; A-2 by its first.
    assert_eq!(
        named(&changes(&written, zone)),
        [("2023-10-04 00:00:00", "late"), ("2023-10-05 08:00:00", "late")]
    );
    let seen: Vec<(String, u64)> = days(&written).into_iter().map(|(date, _, count)| (date, count)).collect();
    let expected =
        [("2023-10-04", 1), ("2023-10-05", 2), ("2023-10-05", 4), ("2023-10-06", 3), ("2023-10-06", 5)];
    assert_eq!(seen, expected.map(|(date, count)| (date.to_owned(), count)));
}

#[test]
fn one_account_goes_through_five_years() {
    let zone = "Europe/Berlin";
    let due_on: Vec<String> =
        (2019..2024).flat_map(|year| (1..=12).map(move |month| format!("{year}-{month:02}-01"))).collect();
    let due_on: Vec<&str> = due_on.iter().map(String::as_str).collect();
    let rules = stages(&[("late", 1), ("later", 30), ("latest", 90)]);
    let mut files = files_of(zone, &due_on, &rules, "2019-01-01", "2023-12-31");
    // Behind for most of the year, up to date twice.
    files.events = (2019..2024)
        .flat_map(|year| {
            [("02-10", "1000.00"), ("05-10", "1000.00"), ("08-20", "6000.00"), ("12-31", "4000.00")]
                .map(|(day, amount)| (format!("{year}-{day}"), amount))
        })
        .map(|(date, amount)| payment(&format!("{date}T09:30:00Z"), &date, amount))
        .collect();
    let written = files.run_both().unwrap();
    assert_eq!(written.daily.lines().count(), 5 * 365 + 1);
    let changes = changes(&written, zone);
    assert_eq!(changes.len(), 5 * 12);
    assert_eq!(
        named(&changes[4 * 12..]),
        [
            ("2023-01-02 00:00:00", "late"),
            ("2023-01-31 00:00:00", "later"),
            ("2023-02-10 10:30:00", "late"),
            ("2023-03-03 00:00:00", "later"),
            ("2023-05-02 00:00:00", "latest"),
            ("2023-05-10 11:30:00", "later"),
            ("2023-05-30 00:00:00", "latest"),
            ("2023-08-20 11:30:00", "current"),
            ("2023-09-02 00:00:00", "late"),
            ("2023-10-01 00:00:00", "later"),
            ("2023-11-30 00:00:00", "latest"),
            ("2023-12-31 10:30:00", "current"),
        ]
    );
}

#[test]
fn of_two_refused_events_the_earlier_is_named_whatever_the_zones() {
    let mut files =
        files_of("America/Los_Angeles", &["2023-01-05"], &stages(&[("late", 1)]), "2023-01-01", "2023-01-20");
    let mut east = files.book[0].clone();
    east["account_id"] = json!("A-2");
    east["time_zone"] = json!("Pacific/Kiritimati");
    files.book.push(east);
    // The later instant falls on the earlier local date.
    let mut early = payment("2023-01-09T01:00:00+14:00", "P-1", "0.00");
    early["account_id"] = json!("A-2");
    files.events = vec![payment("2023-01-08T20:00:00-08:00", "P-1", "-1.00"), early];
    assert_eq!(
        files.run_both().unwrap_err(),
        "events.jsonl:2: payment_received: amount: 0.00 is not more than zero"
    );
}

#[rstest]
#[case::unknown_account(json!({ "type": "pause_ended", "account_id": "A-9", "on": "2023-10-01" }), "pause_ended: account_id: A-9 is not known")]
#[case::unknown_payment(json!({ "type": "payment_reversed", "payment_id": "P-9" }), "payment_reversed: payment_id: P-9 is not known, so it cannot be reversed")]
#[case::payment_too_fine(json!({ "type": "payment_received", "payment_id": "P-9", "amount": "1.001" }), "payment_received: amount: 1.001 has 3 decimals, EUR has 2")]
#[case::other_currency(json!({ "type": "payment_received", "payment_id": "P-9", "amount": "1.00", "currency": "USD" }), "payment_received: currency: the payment is in USD, the account in EUR")]
#[case::other_terms(json!({ "type": "account_opened", "account": { "account_id": "A-1", "customer_id": "C-2", "policy_id": "p", "currency": "EUR", "time_zone": "UTC", "opened_on": "2023-09-30", "installments": [] } }), "account_opened: account_id: A-1 is open already, under other terms")]
fn a_refusal_reads_the_same_before_the_first_day_and_after_it(#[case] refused: Value, #[case] wording: &str) {
    for day in ["2023-09-25", "2023-10-02"] {
        let mut files =
            files_of("Asia/Shanghai", &["2023-10-01"], &stages(&[("late", 1)]), "2023-09-30", "2023-10-03");
        let mut refused = refused.clone();
        refused["at"] = json!(format!("{day}T12:00:00+08:00"));
        if refused["account_id"].is_null() {
            refused["account_id"] = json!("A-1");
        }
        files.events = vec![refused];
        assert_eq!(files.run_both().unwrap_err(), format!("events.jsonl:1: {wording}"));
    }
}

// Due on 1 October; with three days of grace `limited` holds from the 9th on. The notice leaves on the 3rd,
// within grace, and one sweep later it is recorded.
#[test]
fn a_notice_that_leaves_within_grace_lets_its_restriction_follow() {
    let zone = "Asia/Shanghai";
    let rules = "grace_days = 3\n[[stages]]\nname = \"limited\"\nwhen = { delinquent_days = 5 }\n\
        restrictions = [{ kind = \"limit_credit_line\", percent = 50, notice_days = 10 }]\n\
        [reminders]\nsend_at = \"10:00\"\nsteps = [{ stage = \"current\", days = 2, \
        channel = \"letter\", template = \"before_limit\", notice_of = \"limited\" }]";
    let files = files_of(zone, &["2023-10-01"], rules, "2023-09-30", "2023-10-20");
    let written = files.run_both().unwrap();
    let applied: Vec<bool> = written.decisions.lines().map(|line| line.contains("\"kind\"")).collect();
    assert_eq!(
        named(&changes(&written, zone)),
        [("2023-10-09 00:00:00", "limited"), ("2023-10-13 00:00:00", "limited")]
    );
    assert_eq!(applied, [false, true]);
    // No other fact follows, and the daily lines show the restriction all the same.
    let restricted = |line: &&str| line.contains("limit_credit_line");
    let first = written.daily.lines().find(restricted).unwrap();
    assert!(first.contains("\"date\":\"2023-10-13\""), "{first}");
}
