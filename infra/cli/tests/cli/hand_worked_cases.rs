//! Cases that others worked out by hand from the rules, run as they lie in their folder. They are no part of the
//! project: where the folder is absent, the tests say so and pass.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rstest::rstest;
use serde_json::Value;

use crate::readings;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases");

/// The folder of a case; none: it is absent.
fn folder(case: &str) -> Option<PathBuf> {
    let folder = Path::new(CASES).join(case);
    let is_there = folder.is_dir();
    if !is_there {
        eprintln!("skipped: there is no folder {}", folder.display());
    }
    is_there.then_some(folder)
}

/// The daily lines and the contact requests of a case; both engines write the same.
fn replayed(folder: &Path, policies: &[&str], from: &str, to: &str, further: &str) -> [Vec<Value>; 2] {
    let outputs = tempfile::tempdir().unwrap();
    let events = fs::read_to_string(folder.join("events.jsonl")).unwrap_or_default() + further;
    fs::write(outputs.path().join("events.jsonl"), events).unwrap();
    let policies: Vec<PathBuf> = policies.iter().map(|policy| folder.join(policy)).collect();
    let [pure, stack] = ["pure", "stack"].map(|engine| {
        readings::replayed(outputs.path(), engine, &policies, &folder.join("book.jsonl"), (from, to))
    });
    assert_eq!(pure, stack, "both engines write the same");
    pure.map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The fields of a line that matter here, each as a word.
fn shown(line: &Value, fields: &[&str]) -> String {
    let field = |name: &&str| match &line[*name] {
        Value::String(text) => text.clone(),
        Value::Array(all) => {
            let kinds: Vec<&str> = all.iter().filter_map(|one| one["kind"].as_str()).collect();
            if kinds.is_empty() { "free".to_owned() } else { kinds.join("+") }
        }
        other => other.to_string(),
    };
    fields.iter().map(field).collect::<Vec<_>>().join(" ")
}

/// Accounts, dates and the words that the case's own page says of them; the first line names the fields.
#[rstest]
#[case::due_in_its_last_second("01c-due-day-last-second-buffer", &["policy.toml"], "2023-10-15", "2023-12-20", "
    stage restrictions
    B 2023-10-18 current free
    T 2023-10-18 current free
    B 2023-12-10 limited free
    C 2023-12-10 limited free
    T 2023-12-10 limited free
    B 2023-12-11 limited limit_credit_line
    C 2023-12-11 limited limit_credit_line
    T 2023-12-11 limited limit_credit_line")]
#[case::in_time_by_value_date("01d-value-date-buffer", &["policy.toml"], "2023-10-15", "2023-12-20", "
    restrictions
    B 2023-12-11 free
    F 2023-12-11 free
    R 2023-12-11 free
    B 2023-12-12 limit_credit_line
    F 2023-12-12 limit_credit_line
    R 2023-12-12 limit_credit_line")]
#[case::beside_a_write_off("10b-payment-beside-written-off", &["policy.toml"], "2024-06-08", "2024-07-05", "
    stage overdue oldest_due_on
    A 2024-06-26 current 0.00 null
    B 2024-06-27 current 0.00 null
    A 2024-06-30 limited 100.00 2024-05-31
    B 2024-06-30 limited 70.00 2024-05-31
    C 2024-07-02 limited 100.00 2024-06-10")]
#[case::a_cap_at_the_months_edge("12b-monthly-cap-month-edge", &["policy.toml"], "2025-01-30", "2025-03-03", "
    late_fee
    A 2025-02-19 19.00
    A 2025-02-20 20.00
    A 2025-02-28 20.00
    B 2025-01-31 1.00
    B 2025-02-20 21.00
    B 2025-02-28 21.00
    C 2025-02-01 20.00
    C 2025-02-28 20.00
    C 2025-03-01 40.00")]
#[case::a_pause_from_the_day_after("12d-pause-from-the-day-after", &["policy.toml"], "2025-01-01", "2025-01-08", "
    delinquent_days late_fee
    C 2025-01-02 1 1.00
    D 2025-01-02 0 0.00
    D 2025-01-03 1 1.00
    E 2025-01-02 1 1.00")]
#[case::a_pause_under_due_day("12d-pause-from-the-day-after", &["policy-dd.toml"], "2025-01-01", "2025-01-08", "
    delinquent_days late_fee
    C 2025-01-01 1 1.00
    C 2025-01-02 1 1.00
    D 2025-01-01 0 0.00
    D 2025-01-02 1 1.00
    E 2025-01-01 1 1.00
    E 2025-01-02 2 2.00")]
#[case::a_cent_since_january("20b-cent-residue-then-one-day-late", &["policy.toml"], "2026-01-10", "2026-09-10", "
    stage restrictions
    CENT 2026-06-02 current free
    CLEAN 2026-06-02 current free
    CENT 2026-06-30 late free
    CLEAN 2026-06-30 late free
    CENT 2026-08-30 frozen limit_credit_line+freeze_drawdown
    CENT 2026-08-31 suspended suspend_account
    CLEAN 2026-08-31 suspended suspend_account")]
#[case::a_higher_rate_from_a_day_on("25-frappe-penalty-rate-timeline", &["policy.toml", "policy-v2.toml"], "2026-10-01", "2026-11-30", "
    late_fee
    A 2026-11-29 59.00
    A 2026-11-30 61.00")]
#[case::a_lower_rate_from_a_day_on("25-frappe-penalty-rate-timeline", &["policy.toml", "policy-v2-low.toml"], "2026-10-01", "2026-11-30", "
    late_fee
    A 2026-11-29 59.00
    A 2026-11-30 59.50")]
#[case::no_notice_before_the_opening("import-notice", &["policy.toml"], "2024-01-01", "2024-01-27", "
    restrictions
    A-1 2024-01-21 free
    A-1 2024-01-25 free
    A-1 2024-01-26 freeze_drawdown")]
#[case::credit_outlives_a_schedule("new-schedule-loses-credit", &["policy.toml"], "2024-01-19", "2024-02-21", "
    overdue outstanding
    A-1 2024-02-20 0.00 150.00
    A-1 2024-02-21 50.00 150.00")]
#[case::a_notice_that_leaves_again("notice-again-lifts", &["policy.toml"], "2024-01-17", "2024-01-28", "
    restrictions
    A-1 2024-01-17 free
    A-1 2024-01-18 freeze_drawdown
    A-1 2024-01-19 freeze_drawdown
    A-1 2024-01-20 freeze_drawdown
    A-1 2024-01-26 freeze_drawdown
    A-1 2024-01-28 freeze_drawdown")]
#[case::paused_from_the_due_day("pause-under-due-day", &["policy.toml"], "2024-01-01", "2024-01-08", "
    late_fee
    A-1 2024-01-01 0.00
    A-1 2024-01-04 0.00
    A-1 2024-01-05 1.00")]
#[case::judged_at_the_days_end("rbi-day-end", &["policy.toml"], "2022-05-31", "2022-06-02", "
    class
    A-1 2022-05-31 NPA
    A-1 2022-06-01 NPA")]
#[case::probation_from_the_middle("window-class", &["policy.toml"], "2024-05-20", "2024-06-01", "
    class
    A-1 2024-06-01 default")]
#[case::a_notice_from_the_middle("window-notice", &["policy.toml"], "2024-01-15", "2024-01-21", "
    restrictions
    A-1 2024-01-15 freeze_drawdown")]
#[case::a_fee_is_written_off("writeoff-fee-left", &["policy.toml"], "2023-10-08", "2023-10-09", "
    stage overdue outstanding late_fee
    A-1 2023-10-09 current 0.00 0.00 0.00")]
#[case::a_write_off_beside_credit("writeoff-under-credit", &["policy.toml"], "2024-01-06", "2024-02-11", "
    overdue outstanding
    A-1 2024-01-07 0.00 100.00
    A-1 2024-02-11 0.00 0.00")]
fn a_case_comes_out_as_its_page_says(
    #[case] case: &str,
    #[case] policies: &[&str],
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: &str,
) {
    let Some(folder) = folder(case) else { return };
    let [daily, _] = replayed(&folder, policies, from, to, "");
    let mut expected = expected.trim().lines().map(str::trim);
    let fields: Vec<&str> = expected.next().unwrap().split(' ').collect();
    for line in expected {
        let (account_id, rest) = line.split_once(' ').unwrap();
        let (date, words) = rest.split_once(' ').unwrap();
        let is_it = |line: &&Value| line["account_id"] == account_id && line["date"] == date;
        let found = daily.iter().find(is_it).unwrap_or_else(|| panic!("no line of {account_id} on {date}"));
        assert_eq!(shown(found, &fields), words, "{account_id} on {date}");
    }
}

/// Whoever had paid what the first version charged stays current under a second one.
#[test]
fn a_later_rate_charges_nobody_who_had_paid() {
    let Some(folder) = folder("25b-version-change-after-paid") else { return };
    let paid = r#"{"at":"2026-11-29T09:00:00Z","type":"payment_received","account_id":"B","payment_id":"P-1","amount":"1059.00"}"#;
    let policies = ["policy.toml", "policy-v2.toml"];
    let [daily, _] = replayed(&folder, &policies, "2026-11-28", "2026-12-19", &format!("{paid}\n"));
    let of_it = daily.iter().filter(|line| line["account_id"] == "B").collect::<Vec<_>>();
    for line in &of_it[1..] {
        assert_eq!(shown(line, &["stage", "outstanding", "restrictions"]), "current 0.00 free", "{line}");
    }
    assert_eq!(of_it.len(), 22);
}

/// The requests of each account, by their templates and when they would leave.
fn requests(folder: &Path, from: &str, to: &str) -> BTreeMap<String, Vec<String>> {
    let [_, contacts] = replayed(folder, &["policy.toml"], from, to, "");
    let mut requests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in contacts {
        requests.entry(shown(&line, &["account_id"])).or_default().push(shown(&line, &["at", "template"]));
    }
    requests
}

#[test]
fn a_reminder_after_a_cure_leaves_at_its_local_time() {
    let Some(folder) = folder("13c-due-soon-after-cure") else { return };
    let requests = requests(&folder, "2023-05-31", "2023-07-05");
    assert_eq!(requests["B"], ["2023-06-28T10:00:00Z due_soon"]);
    for late in ["A", "C"] {
        let of_it = requests.get(late).map_or(&[][..], Vec::as_slice);
        assert!(of_it.iter().all(|one| one.contains("T10:00:00Z")), "{of_it:?}");
    }
}

#[test]
fn nobody_is_told_in_a_pause_that_they_missed_a_date() {
    let Some(folder) = folder("26-pause-under-preset") else { return };
    let requests = requests(&folder, "2023-09-29", "2023-12-05");
    let of_q = ["2023-10-07T10:00:00Z due_soon", "2023-10-12T10:00:00Z missed", "2023-10-18T10:00:00Z late"];
    assert_eq!(requests["Q"], of_q);
    let in_october = requests["P"].iter().filter(|one| one.starts_with("2023-10"));
    assert!(in_october.clone().all(|one| one.ends_with("due_soon")), "{:?}", requests["P"]);
}
