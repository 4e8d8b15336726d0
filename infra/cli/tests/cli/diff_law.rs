//! A law of `policy diff`: it tells the accounts and figures in which two replays differ at the end of its day.
//!
//! Policies, accounts and events come from a seed each, in texts of their own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use duewatch_domain::formats::{parse_book_line, parse_event_line};
use duewatch_domain::{Account, policy};
use duewatch_testkit::date;
use fastrand::Rng;
use serde_json::{Value, json};

const FIRST_DAY: &str = "2023-09-01";
/// The days over which due dates and events are spread.
const SPAN_DAYS: u64 = 180;

fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    0..asked.unwrap_or(36)
}

/// A policy's text: each table is there in half of the policies.
fn policy_text(version: u32, rng: &mut Rng) -> String {
    let mut drafts = (0..200).map(|_| policy_draft(version, rng));
    drafts.find(|text| policy::parse(text).is_ok()).expect("a valid policy among so many")
}

fn policy_draft(version: u32, rng: &mut Rng) -> String {
    let day_count = rng.choice(["day_after", "due_day"]).unwrap();
    let mut text = format!(
        "id = \"generated\"\nversion = {version}\neffective_on = 2023-01-01\nday_count = \"{day_count}\"\ngrace_days = {}\n",
        rng.u32(0..6)
    );
    let settings = [
        format!("waterfall = {:?}\n", shuffled(&["penalty", "fee", "interest", "principal"], rng)),
        format!("overpayment = \"{}\"\n", rng.choice(["next", "last", "credit"]).unwrap()),
        format!("materiality = {{ amount = \"{}\", share = \"0.0{}\" }}\n", rng.u32(0..300), rng.u32(0..10)),
        format!("buffer = {{ days = {}, amount = \"{}\", months = 12 }}\n", rng.u32(1..20), rng.u32(50..600)),
        format!("cause = {{ temporary_holds_days = {} }}\n", rng.u32(1..30)),
        format!("payment_in_process = {{ max_days = {} }}\n", rng.u32(1..15)),
        format!("promise = {{ max_days = {} }}\n", rng.u32(1..15)),
        format!("dispute = {{ holds_days = {} }}\n", rng.u32(1..30)),
    ];
    text.extend(settings.into_iter().filter(|_| rng.bool()));
    let stages = rng.usize(1..5);
    let mut days = 0;
    for stage in 0..stages {
        days += rng.u32(1..15);
        text += &stage_text(stage, days, rng);
    }
    let tables =
        [late_fee_text(rng), business_days_text(rng), classification_text(rng), customer_text(stages, rng)];
    text.extend(tables.into_iter().filter(|_| rng.bool()));
    text + &reminders_text(stages, rng)
}

fn shuffled<'a>(names: &[&'a str], rng: &mut Rng) -> Vec<&'a str> {
    let mut names = names.to_vec();
    rng.shuffle(&mut names);
    names
}

fn stage_text(stage: usize, days: u32, rng: &mut Rng) -> String {
    let counted = rng.choice(["delinquent_days", "delinquent_days", "days_past_due"]).unwrap();
    let mut when = format!("{counted} = {days}");
    if rng.u8(0..4) == 0 {
        when += &format!(", overdue_amount = \"{}\"", rng.u32(1..400));
    }
    if rng.u8(0..8) == 0 {
        when += ", cause = \"long_term\"";
    }
    let notice =
        if rng.u8(0..3) == 0 { format!("notice_days = {}, ", rng.u32(0..10)) } else { String::new() };
    let percent = rng.choice([20, 50]).unwrap();
    let restrictions = match rng.u8(0..5) {
        0 => String::new(),
        1 => format!("{{ {notice}kind = \"limit_credit_line\", percent = {percent} }}"),
        2 => format!(
            "{{ {notice}kind = \"limit_credit_line\", percent = {percent} }}, {{ kind = \"freeze_drawdown\" }}"
        ),
        3 => format!("{{ {notice}kind = \"suspend_account\" }}"),
        _ => format!(
            "{{ {notice}kind = \"raise_rate\", percent = 1{percent} }}, {{ kind = \"call_the_guarantor\" }}"
        ),
    };
    format!("[[stages]]\nname = \"stage {stage}\"\nwhen = {{ {when} }}\nrestrictions = [{restrictions}]\n")
}

fn late_fee_text(rng: &mut Rng) -> String {
    let mut text = format!("[late_fee]\ndaily_rate = \"0.00{:02}\"\n", rng.u32(1..50));
    let keys = [
        format!("fixed = \"{}\"\n", rng.u32(1..20)),
        format!("free_days = {}\n", rng.u32(6..12)),
        format!("cap_per_installment = \"0.{}\"\n", rng.u32(10..40)),
        format!("cap_per_month = \"{}\"\n", rng.u32(20..40)),
        "annual_cost_cap = \"0.24\"\ncontract_annual_rate = \"0.1\"\n".to_owned(),
        "fee_arrears_count = true\n".to_owned(),
    ];
    text.extend(keys.into_iter().filter(|_| rng.u8(0..3) == 0));
    text
}

fn business_days_text(rng: &mut Rng) -> String {
    let moves = rng.choice(["next", "previous", "modified_next", "modified_previous"]).unwrap();
    format!(
        "[business_days]\ncalendar = \"own\"\nmove = \"{moves}\"\nmonth_end = {}\n[calendars.own]\nsource = \"generated\"\n\
         from = 2023-01-01\nto = 2024-12-31\nweekend = [\"saturday\", \"sunday\"]\nholidays = [2023-10-02, 2023-10-03, 2024-01-01]\n",
        rng.bool()
    )
}

fn classification_text(rng: &mut Rng) -> String {
    let counts = rng.choice(["days_past_due", "material_days"]).unwrap();
    format!(
        "[classification]\nname = \"generated\"\nnormal = \"good\"\n\
         classes = [{{ name = \"watch\", days_past_due = {} }}, {{ name = \"bad\", days_past_due = {} }}]\n\
         probation_from = \"bad\"\nprobation_months = {}\ncounts = \"{counts}\"\n",
        rng.u32(1..10),
        rng.u32(10..60),
        rng.u32(0..4),
    )
}

fn customer_text(stages: usize, rng: &mut Rng) -> String {
    let stage = rng.usize(0..stages);
    format!("[customer]\nstage = \"stage {stage}\"\nrestrictions = [{{ kind = \"freeze_drawdown\" }}]\n")
}

/// Reminders, each of which may be the notice of a stage.
fn reminders_text(stages: usize, rng: &mut Rng) -> String {
    let step = |rng: &mut Rng| {
        let (stage, of) = (rng.usize(0..=stages), rng.usize(0..stages));
        let name = if stage == stages { "current".to_owned() } else { format!("stage {stage}") };
        let notice = if rng.bool() { format!(", notice_of = \"stage {of}\"") } else { String::new() };
        format!(
            "{{ stage = \"{name}\", days = {}, channel = \"sms\", template = \"text\"{notice} }},\n",
            rng.u32(1..20)
        )
    };
    let steps: String = (0..rng.usize(0..5)).map(|_| step(rng)).collect();
    format!("[reminders]\nsend_at = \"10:00\"\nsteps = [\n{steps}]\n")
}

/// The time zones of a portfolio.
#[derive(Clone, Copy, PartialEq)]
enum Zones {
    One,
    Any,
}

/// Accounts of few customers, as lines of a portfolio file.
fn book(zones: Zones, rng: &mut Rng) -> Vec<Value> {
    let names = ["Asia/Shanghai", "America/New_York", "Europe/Berlin"];
    let one = rng.usize(0..names.len());
    let account = |number: usize, rng: &mut Rng| {
        let zone = if zones == Zones::One { one } else { rng.usize(0..names.len()) };
        let opened_on = date(FIRST_DAY) + Days::new(rng.u64(0..60));
        let due = |number: usize, rng: &mut Rng| {
            let due_on = opened_on + Days::new(rng.u64(0..SPAN_DAYS));
            let interest = if rng.bool() { "0.00" } else { "9.50" };
            json!({ "number": number, "due_on": due_on, "principal": format!("{}.50", rng.u32(20..400)), "interest": interest })
        };
        let installments: Vec<Value> = (1..=rng.usize(1..6)).map(|number| due(number, rng)).collect();
        json!({
            "account_id": format!("A-{number}"),
            "customer_id": format!("C-{}", rng.u8(1..5)),
            "policy_id": "generated",
            "currency": rng.choice(["CNY", "EUR"]).unwrap(),
            "time_zone": names[zone],
            "opened_on": opened_on,
            "installments": installments,
        })
    };
    (1..=8).map(|number| account(number, rng)).collect()
}

/// Events that the accounts take, by time.
fn events(book: &[Value], rng: &mut Rng) -> Vec<Value> {
    let begin: DateTime<Utc> = format!("{FIRST_DAY}T00:00:00Z").parse().unwrap();
    let minutes = i64::try_from(SPAN_DAYS).unwrap() * 24 * 60;
    let mut instants: Vec<_> = (0..60).map(|_| begin + TimeDelta::minutes(rng.i64(0..minutes))).collect();
    instants.sort_unstable();
    let open = |line: &Value| Account::open(&parse_book_line(&line.to_string()).unwrap()).unwrap();
    let mut accounts: Vec<Account> = book.iter().map(open).collect();
    let mut events = Vec::new();
    for (number, at) in instants.into_iter().enumerate() {
        let place = rng.usize(0..accounts.len());
        let mut event = event(number, at.date_naive(), rng);
        event["at"] = json!(at);
        event["account_id"] = book[place]["account_id"].clone();
        let command = parse_event_line(&event.to_string()).unwrap().command;
        if accounts[place].apply(&command, at).is_ok() {
            events.push(event);
        }
    }
    events
}

fn event(number: usize, today: NaiveDate, rng: &mut Rng) -> Value {
    let in_days = |days: u64| today + Days::new(days);
    let installment = rng.u32(1..6);
    let earlier = rng.usize(0..=number);
    match rng.u8(0..24) {
        0..=7 => {
            json!({ "type": "payment_received", "payment_id": format!("P-{number}"), "amount": format!("{}.25", rng.u32(5..500)) })
        }
        8 => {
            json!({ "type": "payment_received", "payment_id": format!("P-{number}"), "amount": "100", "applies_to": [installment] })
        }
        9 => {
            json!({ "type": "payment_received", "payment_id": format!("P-{number}"), "amount": "100", "value_date": today - Days::new(rng.u64(0..20)) })
        }
        10..=12 => {
            json!({ "type": "payment_reversed", "payment_id": format!("P-{earlier}"), "dated": rng.choice(["original", "reversal"]).unwrap() })
        }
        13 | 14 => {
            let from = rng.u64(0..10);
            json!({ "type": "pause_started", "from": in_days(from), "until": in_days(from + rng.u64(1..30)) })
        }
        15 => json!({ "type": "fee_waived", "reason": "hardship" }),
        16 => json!({ "type": "written_off", "number": installment, "reason": "insolvent" }),
        17 => {
            json!({ "type": "installment_adjusted", "number": installment, "amount": "5.00", "reason": "agreed" })
        }
        18 => {
            json!({ "type": "promise_made", "promise_id": format!("PR-{number}"), "amount": "50.00", "until": in_days(rng.u64(1..10)) })
        }
        19 => {
            json!({ "type": "dispute_opened", "dispute_id": format!("D-{number}"), "reason": "paid at a branch" })
        }
        20 => {
            json!({ "type": "cause_recorded", "cause": rng.choice(["temporary", "long_term"]).unwrap(), "by": "branch", "reason": "ill" })
        }
        21 => json!({ "type": "payment_in_process", "until": in_days(rng.u64(1..10)) }),
        22 => json!({ "type": "notice_sent", "stage": format!("stage {}", rng.u8(0..4)) }),
        _ => {
            json!({ "type": rng.choice(["enforcement_off", "enforcement_on"]).unwrap(), "reason": "generated" })
        }
    }
}

/// The standard output and standard error of a successful command.
fn says(folder: &Path, arguments: &str) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duewatch"));
    let run = command.args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
    let (out, err) = (String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap());
    assert!(run.status.success(), "{arguments}: {err}");
    (out, err)
}

/// Lines of JSON by their account.
fn by_account(lines: &str) -> BTreeMap<String, Value> {
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.map(|line: Value| (line["account_id"].as_str().unwrap().to_owned(), line)).collect()
}

/// The change of an account from one daily line to another: `None` where it is treated alike.
fn change(from: &Value, to: &Value) -> Option<&'static str> {
    let uncovered = |some: &Value, by: &Value| {
        let is_covered = |one: &Value| list(by).iter().any(|other| covers(other, one));
        list(some).iter().any(|one| !is_covered(one))
    };
    let is_current = |line: &Value| line["stage"] == "current";
    if uncovered(&to["restrictions"], &from["restrictions"]) {
        return Some("restricted");
    }
    if uncovered(&from["restrictions"], &to["restrictions"]) {
        return Some("eased");
    }
    match (is_current(from), is_current(to)) {
        (true, false) => Some("flagged"),
        (false, true) => Some("eased"),
        _ => (from["stage"] != to["stage"]).then_some("moved"),
    }
}

fn list(restrictions: &Value) -> &[Value] {
    restrictions.as_array().unwrap()
}

/// Whether a restriction weighs no less than another one.
fn covers(this: &Value, that: &Value) -> bool {
    let is_a_line = that["kind"] == "limit_credit_line";
    if this["kind"] != that["kind"] {
        return this["kind"] == "suspend_account" && (is_a_line || that["kind"] == "freeze_drawdown");
    }
    match (this["percent"].as_u64(), that["percent"].as_u64()) {
        (Some(this), Some(that)) if is_a_line => this <= that,
        (Some(this), Some(that)) => this >= that,
        (this, that) => this == that,
    }
}

/// The part of a daily line that a diff shows of an account.
fn side(line: &Value) -> Value {
    let names = ["stage", "restrictions", "days_past_due", "delinquent_days", "overdue", "late_fee"];
    let fields = names.iter().filter_map(|name| Some(((*name).to_owned(), line.get(*name)?.clone())));
    Value::Object(fields.collect())
}

fn jsonl(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Compares a diff with the daily lines of two replays, and counts the accounts by their change.
fn count_changes(seed: u64, zones: Zones) -> BTreeMap<&'static str, usize> {
    let rng = &mut Rng::with_seed(seed);
    let files = tempfile::tempdir().unwrap();
    let book = book(zones, rng);
    let texts = [
        ("p.toml", policy_text(1, rng)),
        ("q.toml", policy_text(2, rng)),
        ("events.jsonl", jsonl(&events(&book, rng))),
        ("book.jsonl", jsonl(&book)),
    ];
    for (name, text) in texts {
        fs::write(files.path().join(name), text).unwrap();
    }
    let day = date(FIRST_DAY) + Days::new(rng.u64(0..SPAN_DAYS + 30));
    let facts = "--book book.jsonl --events events.jsonl";
    let (diff, err) = says(files.path(), &format!("policy diff p.toml q.toml {facts} --on {day} --json"));
    let [from, to] = ["p", "q"].map(|policy| {
        let days = format!("--from {day} --to {day}");
        by_account(&says(files.path(), &format!("replay --policy {policy}.toml {facts} {days} --daily -")).0)
    });

    let mut expected = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for (account_id, from) in &from {
        let to = &to[account_id];
        let change = change(from, to);
        *counts.entry(change.unwrap_or("unchanged")).or_default() += 1;
        if let Some(change) = change {
            let line = json!({
                "date": day, "account_id": account_id, "change": change, "from": side(from), "to": side(to),
            });
            expected.insert(account_id.clone(), line);
        }
    }
    assert_eq!(from.len(), to.len(), "seed {seed}");
    assert_eq!(by_account(&diff), expected, "seed {seed}");
    let count = |change: &str| format!("{} {change}", counts.get(change).copied().unwrap_or(0));
    let changes = ["restricted", "flagged", "eased", "moved", "unchanged"].map(count).join(", ");
    let summary = format!("{} accounts, {changes}\n", from.len());
    assert!(err.ends_with(&summary), "seed {seed}: {err}, not {summary}");
    counts
}

#[test]
fn a_diff_tells_where_two_replays_differ() {
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    for (change, count) in seeds().flat_map(|seed| count_changes(seed, Zones::One)) {
        *all.entry(change).or_default() += count;
    }
    assert_eq!(all.len(), 5, "each change occurs: {all:?}");
}

#[test]
fn a_diff_tells_where_two_replays_differ_whatever_the_time_zones() {
    for seed in seeds() {
        count_changes(seed, Zones::Any);
    }
}
