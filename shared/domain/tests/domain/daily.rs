//! The output files: a line for each day, a line for each decision.

use chrono::{Days, NaiveDate};
use duewatch_domain::commands::event_line;
use duewatch_domain::formats::{
    DailyLines, DecisionLine, DecisionSubject, book_line, parse_book_line, parse_event_line,
};
use duewatch_domain::kernel::{end_of_day, start_of_day};
use duewatch_domain::{Account, Policy, Trigger, assess};
use proptest::collection::vec;
use proptest::prelude::*;
use rstest::rstest;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::common::generate::{DomainCase, PLACES, SPAN_DAYS, any_case, fact, happen};
use crate::common::{TestLoan, date, four_installments, ladder, loan_in, only_stage};

/// The keys of a JSON object in the order in which they are written.
fn keys(line: &str) -> Vec<String> {
    struct KeyOrder;
    impl<'de> Visitor<'de> for KeyOrder {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
            let mut keys = Vec::new();
            while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
                keys.push(key);
            }
            Ok(keys)
        }
    }
    serde::Deserializer::deserialize_map(&mut serde_json::Deserializer::from_str(line), KeyOrder).unwrap()
}

/// The documented keys of the daily output.
const DAILY_KEYS: [&str; 9] = [
    "date",
    "account_id",
    "stage",
    "days_past_due",
    "delinquent_days",
    "overdue",
    "oldest_due_on",
    "outstanding",
    "restrictions",
];

/// The keys with the late fee after the outstanding amount, where the policy has one.
fn daily_keys(policy: &Policy) -> Vec<&'static str> {
    let mut keys = DAILY_KEYS.to_vec();
    if policy.late_fee.is_some() {
        keys.insert(8, "late_fee");
    }
    if policy.classification.is_some() {
        keys.push("class");
    }
    keys
}

fn single_day(account: &Account, policy: &Policy, day: NaiveDate) -> String {
    let mut out = Vec::new();
    DailyLines::new(account, policy).write(account, day, &mut out);
    String::from_utf8(out).unwrap()
}

fn line(loan: &TestLoan, policy: &Policy, on: &str) -> String {
    single_day(&loan.account, policy, date(on))
}

// Late: DPD 4 on the fifth, less three days of grace.
#[rstest]
#[case::nothing_overdue(
    "2023-10-01",
    r#"{"date":"2023-10-01","account_id":"A-1","stage":"current","days_past_due":0,"delinquent_days":0,"overdue":"0.00","oldest_due_on":null,"outstanding":"1000.00","restrictions":[]}"#
)]
#[case::as_documented(
    "2023-10-05",
    r#"{"date":"2023-10-05","account_id":"A-1","stage":"late","days_past_due":4,"delinquent_days":1,"overdue":"250.00","oldest_due_on":"2023-10-01","outstanding":"1000.00","restrictions":[]}"#
)]
#[case::restricted(
    "2023-11-02",
    r#"{"date":"2023-11-02","account_id":"A-1","stage":"frozen","days_past_due":32,"delinquent_days":29,"overdue":"500.00","oldest_due_on":"2023-10-01","outstanding":"1000.00","restrictions":[{"kind":"limit_credit_line","percent":50},{"kind":"freeze_drawdown"}]}"#
)]
fn a_day_is_written_as_documented(#[case] on: &str, #[case] expected: &str) {
    assert_eq!(line(&four_installments(), &ladder(), on), format!("{expected}\n"));
}

#[rstest]
#[case::two_minor_units("CNY", "10.5", "\"overdue\":\"10.50\"")]
#[case::none("JPY", "10", "\"overdue\":\"10\"")]
#[case::three("KWD", "10.5", "\"overdue\":\"10.500\"")]
fn amounts_bear_the_currencys_minor_units(
    #[case] currency: &str,
    #[case] principal: &str,
    #[case] text: &str,
) {
    let loan = loan_in("Asia/Shanghai", currency, &[(1, "2023-10-01", principal)]);
    let line = line(&loan, &ladder(), "2023-10-05");
    assert!(line.contains(text), "{line}");
}

#[test]
fn under_due_day_the_due_date_itself_is_day_one() {
    let policy = only_stage("day_count = \"due_day\"", "days_past_due = 1");
    let line = line(&four_installments(), &policy, "2023-10-01");
    assert!(
        line.contains(r#""stage":"held","days_past_due":1,"delinquent_days":1,"overdue":"250.00""#),
        "{line}"
    );
}

#[test]
fn a_date_that_a_zone_skips_still_has_its_line() {
    let policy = only_stage("", "days_past_due = 1");
    let loan = loan_in("Pacific/Apia", "EUR", &[(1, "2011-12-28", "10.00")]);
    let mut out = Vec::new();
    let mut lines = DailyLines::new(&loan.account, &policy);
    for day in ["2011-12-29", "2011-12-30", "2011-12-31"] {
        lines.write(&loan.account, date(day), &mut out);
    }
    let days: Vec<(Value, Value)> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| (line["date"].clone(), line["days_past_due"].clone()))
        .collect();
    let expected = [("2011-12-29", 1), ("2011-12-30", 2), ("2011-12-31", 3)];
    assert_eq!(days, expected.map(|(date, days)| (Value::from(date), Value::from(days))));
}

#[test]
fn a_decision_is_written_as_documented() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.assessed("2023-10-25", &policy, Trigger::Time);
    let subject = DecisionSubject { account_id: &loan.account.account_id, currency: loan.account.currency };
    let decision = loan.account.decision_of_this_revision().unwrap();
    let line = serde_json::to_string(&DecisionLine::new(subject, decision)).unwrap();
    assert_eq!(
        keys(&line),
        [
            "at",
            "account_id",
            "revision",
            "policy",
            "from",
            "to",
            "applied",
            "lifted",
            "figures",
            "reasons",
            "next_action_at",
            "event_id",
        ]
    );
    let line: Value = serde_json::from_str(&line).unwrap();
    // Delinquent day 15 began with 19 October in Shanghai, whenever it was evaluated.
    assert_eq!(line["at"], "2023-10-18T16:00:00Z");
    assert_eq!(line["policy"], serde_json::json!({"id":"standard","version":1}));
    assert_eq!((&line["from"], &line["to"]), (&Value::from("current"), &Value::from("frozen")));
    assert_eq!(
        line["applied"],
        serde_json::json!([{"kind":"limit_credit_line","percent":50},{"kind":"freeze_drawdown"}])
    );
    assert_eq!(line["lifted"], serde_json::json!([]));
    assert_eq!(line["figures"]["overdue"], "250.00");
    assert_eq!(line["figures"]["days_past_due"], 24);
    assert_eq!(line["reasons"][0]["rule"], "delinquent_days");
    assert_eq!(line["reasons"][0]["threshold"], 15);
    assert_eq!(line["reasons"][0]["value"], 21);
    assert_eq!(line["reasons"][1]["rule"], "overdue_amount");
    assert_eq!(line["reasons"][1]["threshold"], "100.00");
    assert_eq!(line["reasons"][1]["value"], "250.00");
    assert!(line["reasons"][0]["sentence"].as_str().unwrap().contains("21 delinquent days"));
    // Delinquent day 30: DPD 33, on 3 November.
    assert_eq!(line["next_action_at"], "2023-11-02T16:00:00Z");
    assert_eq!(line["event_id"], "A-1/1");
}

#[test]
fn a_decision_after_which_nothing_is_due_says_so() {
    let policy = only_stage("", "days_past_due = 1");
    let mut loan = four_installments();
    loan.assessed("2023-10-02", &policy, Trigger::Time);
    let subject = DecisionSubject { account_id: &loan.account.account_id, currency: loan.account.currency };
    let decision = loan.account.decision_of_this_revision().unwrap();
    let line = serde_json::to_value(DecisionLine::new(subject, decision)).unwrap();
    assert_eq!(line["next_action_at"], Value::Null);
}

const BOOK_LINE: &str = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-01","installments":[{"number":1,"due_on":"2023-10-01","principal":"250.00","interest":"2.5","fee":"0.30"}]}"#;

#[test]
fn an_account_is_written_as_it_is_read() {
    let written: Value = serde_json::from_str(&book_line(&parse_book_line(BOOK_LINE).unwrap())).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(BOOK_LINE).unwrap());
}

/// Events in their canonical form, by type: the fields beyond those of every event.
const EVENTS: &[(&str, &str)] = &[
    ("account_opened", "\"account\":BOOK"),
    (
        "payment_received",
        r#""payment_id":"P-1","amount":"1.5","currency":"CNY","value_date":"2023-10-01","kind":"goodwill","applies_to":[2,1]"#,
    ),
    ("payment_reversed", r#""payment_id":"P-1","dated":"reversal""#),
    (
        "installment_added",
        r#""installment":{"number":2,"due_on":"2023-11-01","principal":"1.00","interest":"0.50","fee":"0.25"}"#,
    ),
    (
        "drawn",
        r#""draw_id":"D-1","amount":"1.00","currency":"CNY","installments":[{"number":7,"due_on":"2023-12-01","principal":"1.00","interest":"0.50","fee":"0.25","draw_id":"D-1"}]"#,
    ),
    ("installment_adjusted", r#""number":2,"amount":"-1.00","reason":"agreed""#),
    (
        "schedule_replaced",
        r#""installments":[{"number":3,"due_on":"2023-12-01","principal":"1.00","interest":"0.50","fee":"0.25"}],"reason":"extension""#,
    ),
    ("pause_started", r#""from":"2023-10-05","until":"2023-10-10""#),
    ("pause_ended", r#""on":"2023-10-07""#),
    ("enforcement_off", r#""reason":"court order""#),
    ("enforcement_on", r#""reason":"lifted""#),
    ("written_off", r#""number":2,"reason":"settlement""#),
    ("write_off_undone", r#""number":2,"reason":"mistake""#),
    ("cause_recorded", r#""cause":"long_term","by":"officer-7","reason":"insolvent","until":"2024-10-01""#),
    ("score_recorded", r#""score":480,"by":"scoring","until":"2024-10-01""#),
    ("payment_in_process", r#""until":"2023-10-08""#),
    ("payment_process_ended", r#""reason":"debit returned""#),
    ("notice_sent", r#""stage":"frozen""#),
    ("fee_waived", r#""number":2,"amount":"1.50","reason":"hardship""#),
    (
        "contact_changed",
        r#""channel":"sms","contact_point":"+8613800138000","name":"Li Wei","changed_by":"branch-7""#,
    ),
    ("promise_made", r#""promise_id":"PR-1","amount":"1.50","until":"2023-10-20""#),
    ("promise_ended", r#""promise_id":"PR-1","outcome":"broken""#),
    ("dispute_opened", r#""dispute_id":"D-1","reason":"paid at a branch""#),
    ("dispute_closed", r#""dispute_id":"D-1","outcome":"upheld""#),
    ("bureau_reported", ""),
    ("consent_changed", r#""channel":"sms","consent":"withdrawn","by":"the customer""#),
    (
        "preferences_changed",
        r#""language":"zh","time_zone":"Asia/Urumqi","remind_days_before":[7,1],"remind_at":"19:30","agreed_hours":[{"from":"22:00","until":"23:00"}]"#,
    ),
    (
        "contact_attempted",
        r#""contact_id":"C-1","channel":"phone","by":"agency-3","answered":true,"attempted_at":"2023-10-05T01:00:00Z","number":"work""#,
    ),
    ("complaint_made", r#""channel":"phone","reason":"called at work""#),
    ("breathing_space_started", r#""kind":"mental_health","until":"2023-12-01""#),
    ("breathing_space_ended", ""),
    ("vulnerability_recorded", r#""until":"2024-01-01","reason":"bereaved""#),
    ("contact_person_added", r#""person_id":"CP-1","relation":"spouse""#),
    ("contact_person_approved", r#""person_id":"CP-1","by":"officer-7","reason":"not reached""#),
    ("contact_person_refused", r#""person_id":"CP-1""#),
];

fn event(kind: &str, fields: &str) -> String {
    let fields = fields.replace("BOOK", BOOK_LINE);
    let comma = if fields.is_empty() { "" } else { "," };
    format!(r#"{{"at":"2023-10-05T01:30:00.250Z","type":"{kind}","account_id":"A-1"{comma}{fields}}}"#)
}

#[test]
fn an_event_in_its_canonical_form_is_written_as_it_is_read() {
    for (kind, fields) in EVENTS {
        let line = event(kind, fields);
        let written: Value = serde_json::from_str(&event_line(&parse_event_line(&line).unwrap())).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(&line).unwrap());
    }
}

#[rstest]
#[case::payment("payment_received", r#""payment_id":"P-1","amount":"1.00""#, r#""kind":"repayment""#)]
#[case::reversal("payment_reversed", r#""payment_id":"P-1""#, r#""dated":"original""#)]
#[case::write_off("written_off", r#""reason":"insolvency""#, "")]
fn what_an_event_leaves_out_is_written_as_it_is_meant_or_not_at_all(
    #[case] kind: &str,
    #[case] fields: &str,
    #[case] meant: &str,
) {
    let spelt_out = if meant.is_empty() { fields.to_owned() } else { format!("{fields},{meant}") };
    let written: Value =
        serde_json::from_str(&event_line(&parse_event_line(&event(kind, fields)).unwrap())).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(&event(kind, &spelt_out)).unwrap());
}

#[test]
fn a_written_account_leaves_out_what_is_nothing() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "1.00");
    let written = serde_json::to_value(&loan.account).unwrap();
    let expected = r#"{"label":{"number":1},"due_on":"2023-10-01","principal":"250.00"}"#;
    assert_eq!(written["installments"][0], serde_json::from_str::<Value>(expected).unwrap());
    let expected = r#"{"payment_id":"P-1","amount":"1.00","received_at":"2023-10-01T04:00:00Z","value_date":"2023-10-01"}"#;
    assert_eq!(written["payments"][0], serde_json::from_str::<Value>(expected).unwrap());
}

#[test]
fn an_account_with_everything_in_it_survives_being_written_and_read() {
    let mut loan = four_installments();
    loan.learns(
        "2023-10-01",
        "payment_received",
        r#""payment_id":"P-1","amount":"9.00","kind":"goodwill","applies_to":[2]"#,
    )
    .reverses("2023-10-02", "P-1", "reversal")
    .learns(
        "2023-10-02",
        "installment_added",
        r#""installment":{"number":5,"due_on":"2024-02-01","principal":"1.00","interest":"2.00","fee":"3.00"}"#,
    )
    .learns("2023-10-03", "installment_adjusted", r#""number":5,"amount":"0.50","reason":"agreed""#)
    .learns("2023-10-03", "written_off", r#""number":4,"reason":"settlement""#)
    .learns("2023-10-03", "fee_waived", r#""number":1,"amount":"0.50","reason":"hardship""#)
    .learns("2023-10-03", "enforcement_off", r#""reason":"court order""#)
    .pauses("2023-10-03", "2023-10-05", "2023-10-10")
    .assessed("2023-10-04", &ladder(), Trigger::Time);
    let written = serde_json::to_string(&loan.account).unwrap();
    assert_eq!(serde_json::from_str::<Account>(&written).unwrap(), loan.account);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_daily_lines_skip_changes_nothing(
        case in any_case(PLACES),
        first in -5_i64..SPAN_DAYS,
        length in 1_u64..120,
        midway in vec((0_i64..120, fact()), 0..3),
        is_judged in any::<bool>(),
    ) {
        let DomainCase { mut account, policy, now, begin, .. } = case;
        let from = account.opened_on + chrono::TimeDelta::days(first);
        let minute = (now - begin).num_minutes();
        let zone = account.time_zone;
        if is_judged {
            account.judge(&policy, start_of_day(zone, from), Trigger::Fact);
        }
        let mut run = DailyLines::new(&account, &policy);
        for day in (0..length).map(|days| from + Days::new(days)) {
            for (_, fact) in midway.iter().filter(|(on, _)| from + chrono::TimeDelta::days(*on) == day) {
                happen(&mut account, fact, begin, minute);
                if is_judged {
                    account.judge(&policy, start_of_day(zone, day), Trigger::Fact);
                }
                run.changed();
            }
            let mut line = Vec::new();
            run.write(&account, day, &mut line);
            let line = String::from_utf8(line).unwrap();
            prop_assert_eq!(&line, &single_day(&account, &policy, day));
            prop_assert_eq!(line.find('\n'), Some(line.len() - 1));
            prop_assert_eq!(keys(&line), daily_keys(&policy));
        }
    }

    #[test]
    fn a_daily_line_is_the_assessment_at_the_days_last_second(case in any_case(PLACES), day in 0_u64..300) {
        let DomainCase { account, policy, .. } = case;
        let day = account.opened_on + Days::new(day);
        let assessment = assess(&account, &policy, end_of_day(account.time_zone, day));
        let line: Value = serde_json::from_str(&single_day(&account, &policy, day)).unwrap();
        prop_assert_eq!(&line["date"], &Value::from(day.to_string()));
        prop_assert_eq!(&line["stage"], assessment.stage_name());
        prop_assert_eq!(&line["days_past_due"], assessment.figures.days_past_due);
        prop_assert_eq!(&line["delinquent_days"], assessment.figures.delinquent_days);
        prop_assert_eq!(&line["overdue"], &Value::from(account.currency.text(assessment.figures.overdue)));
        prop_assert_eq!(
            &line["outstanding"],
            &Value::from(account.currency.text(assessment.figures.outstanding))
        );
        let late_fee = assessment.figures.late_fee.map(|fee| Value::from(account.currency.text(fee)));
        prop_assert_eq!(line.get("late_fee"), late_fee.as_ref());
        let oldest = assessment.figures.oldest_due_on.map(|date| date.to_string());
        prop_assert_eq!(&line["oldest_due_on"], &Value::from(oldest));
        prop_assert_eq!(&line["restrictions"], &serde_json::to_value(assessment.restrictions()).unwrap());
        let class = assessment.class.map(|class| Value::from(class.as_str()));
        prop_assert_eq!(line.get("class"), class.as_ref());
    }
}
