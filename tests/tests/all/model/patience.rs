//! The rules that delay the consequences of a delinquency episode, with the values that follow from the
//! pages: the model alone. Four installments of 250.00 are due on the first of October to January; with three
//! days of grace delinquent day 1 is 5 October, day 5 the 9th and day 15 the 19th.

use duewatch_domain::Policy;
use duewatch_domain::account::NoticeOf;
use duewatch_testkit::{FREEZE, LATE, LIMITED, SUSPEND, stages};
use duewatch_tests::model::Reminder;
use rstest::rstest;
use serde_json::{Value, json};

use super::pages::{ModelLoan, under};

pub(crate) fn ladder() -> String {
    stages(&[LATE, LIMITED, ("frozen", "delinquent_days = 15", FREEZE)])
}

/// The same with a notice of seven days before the line is limited.
const NOTICED: &str = r#"
    [[stages]]
    name = "limited"
    when = { delinquent_days = 5 }
    restrictions = [{ kind = "limit_credit_line", percent = 50, notice_days = 7 }]
    [reminders]
    send_at = "10:00"
    steps = [
        { stage = "current", days = 3, channel = "letter", template = "before_limit", notice_of = "limited" },
        { stage = "limited", days = 9, channel = "letter", template = "late" },
    ]
"#;

pub(crate) fn with(tables: &str, ladder: &str) -> Policy {
    under(&format!("grace_days = 3\n{tables}\n{ladder}"))
}

/// The stage and the restrictions at the end of a date.
pub(crate) fn on(loan: &ModelLoan, policy: &Policy, date: &str) -> String {
    let assessed = loan.model.judge(policy, loan.at(&format!("{date}T23:59:59")));
    let restrictions: Vec<String> = assessed.restrictions.iter().map(ToString::to_string).collect();
    format!("{} [{}]", assessed.stage, restrictions.join(", "))
}

fn cause(what: &str, until: Option<&str>) -> Value {
    json!({ "type": "cause_recorded", "cause": what, "by": "officer", "reason": "call", "until": until })
}

fn in_process(until: &str) -> Value {
    json!({ "type": "payment_in_process", "until": until })
}

fn notice(stage: &str) -> Value {
    json!({ "type": "notice_sent", "stage": stage })
}

// 250.00 of 1000.00 are overdue from 2 October on, 500.00 from 2 November. The days, and the three of grace, count
// from the first day on which the overdue amount is material.
#[rstest]
#[case::as_much_is_not_more("amount = \"250.00\"", "2023-11-04", "2023-11-05")]
#[case::more("amount = \"249.99\"", "2023-10-04", "2023-10-05")]
#[case::as_large_a_part("share = \"0.25\"", "2023-11-04", "2023-11-05")]
#[case::only_one_of_both("amount = \"100.00\", share = \"0.25\"", "2023-11-04", "2023-11-05")]
#[case::one_is_enough(
    "amount = \"100.00\", share = \"0.25\", exceed = \"either\"",
    "2023-10-04",
    "2023-10-05"
)]
fn what_is_not_material_moves_no_stage(#[case] table: &str, #[case] before: &str, #[case] reached: &str) {
    let (loan, policy) = (ModelLoan::four(), with(&format!("materiality = {{ {table} }}"), &ladder()));
    assert_eq!(on(&loan, &policy, before), "current []");
    assert_ne!(on(&loan, &policy, reached), "current []");
}

const BUFFER: &str = "buffer = { days = 10, amount = \"300.00\", months = 12 }";

// Ten delinquent days are over with 14 October.
#[rstest]
#[case::minor(BUFFER, "2023-10-14", "limited []")]
#[case::over(BUFFER, "2023-10-15", "limited [limit_credit_line to 50 %]")]
#[case::not_minor(
    "buffer = { days = 10, amount = \"249.99\", months = 12 }",
    "2023-10-09",
    "limited [limit_credit_line to 50 %]"
)]
#[case::minor_no_more("buffer = { days = 60, amount = \"300.00\", months = 12 }", "2023-11-01", "frozen []")]
#[case::at_once(
    "buffer = { days = 60, amount = \"300.00\", months = 12 }",
    "2023-11-02",
    "frozen [freeze_drawdown]"
)]
fn a_first_and_minor_episode_has_a_tolerance(
    #[case] table: &str,
    #[case] date: &str,
    #[case] expected: &str,
) {
    assert_eq!(on(&ModelLoan::four(), &with(table, &ladder()), date), expected);
}

// The first delinquency episode begins on 5 October and is paid on the 10th; the second begins on 5 November
// and has five delinquent days on the 9th.
#[rstest]
#[case::seen(&["2023-10-05", "2023-10-10"], 12, "limited [limit_credit_line to 50 %]")]
#[case::seen_for_a_day(&["2023-10-09", "2023-10-10"], 1, "limited [limit_credit_line to 50 %]")]
#[case::seen_to_be_over_later(&["2023-10-05", "2023-11-04"], 1, "limited [limit_credit_line to 50 %]")]
#[case::never_seen(&["2023-10-04", "2023-10-10"], 12, "limited []")]
#[case::never_seen_to_be_over(&["2023-10-05"], 12, "limited []")]
fn only_an_episode_that_was_seen_is_remembered(
    #[case] looks: &[&str],
    #[case] months: u32,
    #[case] expected: &str,
) {
    let policy =
        with(&format!("buffer = {{ days = 10, amount = \"300.00\", months = {months} }}"), &ladder());
    let mut loan = ModelLoan::four();
    for date in looks {
        if *date >= "2023-10-10" && loan.debts().starts_with("1:") {
            loan = loan.pays("2023-10-10", "P-1", "250.00", &[]);
        }
        loan = loan.evaluated(&policy, &format!("{date}T13:00:00"));
    }
    if loan.debts().starts_with("1:") {
        loan = loan.pays("2023-10-10", "P-1", "250.00", &[]);
    }
    assert_eq!(on(&loan, &policy, "2023-11-09"), expected);
}

#[test]
fn an_episode_is_the_first_again_when_the_last_one_is_a_while_ago() {
    let policy = with("buffer = { days = 10, amount = \"300.00\", months = 1 }", &ladder());
    let mut loan = ModelLoan::four().evaluated(&policy, "2023-10-05T12:00:00");
    // Over on 5 November, a month before the next one begins; a day later would be too late.
    loan = loan.pays("2023-11-05", "P-1", "500.00", &[]).evaluated(&policy, "2023-11-05T13:00:00");
    assert_eq!(on(&loan, &policy, "2023-12-09"), "limited []");
}

// Recorded at noon.
#[rstest]
#[case::no_cause(&[], "2023-10-09", "late []")]
#[case::the_cause(&[("2023-10-02", cause("long_term", None))], "2023-10-09", "closed [suspend_account]")]
#[case::another(&[("2023-10-02", cause("unknown", None))], "2023-10-09", "late []")]
#[case::on_that_day(&[("2023-10-20", cause("long_term", None))], "2023-10-20", "closed [suspend_account]")]
#[case::its_last_day(&[("2023-10-02", cause("long_term", Some("2023-10-12")))], "2023-10-11", "closed [suspend_account]")]
#[case::it_is_over(&[("2023-10-02", cause("long_term", Some("2023-10-12")))], "2023-10-12", "late []")]
#[case::a_newer_one(
    &[("2023-10-02", cause("long_term", None)), ("2023-10-10", cause("temporary", None))],
    "2023-10-10",
    "late []"
)]
#[case::score(&[("2023-10-02", json!({ "type": "score_recorded", "score": 480, "by": "s" }))], "2023-10-05", "watched []")]
#[case::too_good(&[("2023-10-02", json!({ "type": "score_recorded", "score": 481, "by": "s" }))], "2023-10-05", "late []")]
fn a_stage_may_ask_for_a_cause_or_a_score(
    #[case] recorded: &[(&str, Value)],
    #[case] date: &str,
    #[case] expected: &str,
) {
    let policy = with(
        "",
        &stages(&[
            LATE,
            ("watched", "delinquent_days = 1, score_at_most = 480", ""),
            ("closed", "delinquent_days = 5, cause = \"long_term\"", SUSPEND),
        ]),
    );
    assert_eq!(on(&ModelLoan::after(recorded), &policy, date), expected);
}

const TEMPORARY: &str = "cause = { temporary_holds_days = 10 }";

#[rstest]
#[case::held("2023-10-06", None, "2023-10-15", "limited []")]
#[case::over("2023-10-06", None, "2023-10-16", "limited [limit_credit_line to 50 %]")]
#[case::it_binds_for_less(
    "2023-10-06",
    Some("2023-10-12"),
    "2023-10-12",
    "limited [limit_credit_line to 50 %]"
)]
#[case::what_is_in_force_stays("2023-10-09", None, "2023-10-10", "limited [limit_credit_line to 50 %]")]
#[case::the_milder_goes_on("2023-10-10", None, "2023-10-19", "frozen [limit_credit_line to 50 %]")]
fn a_temporary_cause_holds_what_is_new(
    #[case] recorded_on: &str,
    #[case] until: Option<&str>,
    #[case] date: &str,
    #[case] expected: &str,
) {
    let loan = ModelLoan::four().learns(recorded_on, cause("temporary", until));
    assert_eq!(on(&loan, &with(TEMPORARY, &ladder()), date), expected);
}

const PROCESS: &str = "payment_in_process = { max_days = 5 }";

#[rstest]
#[case::waits(&[("2023-10-08", in_process("2023-10-20"))], "2023-10-12", "late []")]
#[case::not_for_ever(&[("2023-10-08", in_process("2023-10-20"))], "2023-10-13", "limited [limit_credit_line to 50 %]")]
#[case::as_long_as_it_takes(&[("2023-10-08", in_process("2023-10-11"))], "2023-10-11", "limited [limit_credit_line to 50 %]")]
#[case::another_is_the_same(
    &[("2023-10-08", in_process("2023-10-10")), ("2023-10-09", in_process("2023-10-20"))],
    "2023-10-13",
    "limited [limit_credit_line to 50 %]"
)]
#[case::it_failed(
    &[("2023-10-08", in_process("2023-10-20")), ("2023-10-10", json!({ "type": "payment_process_ended", "reason": "failed" }))],
    "2023-10-10",
    "limited [limit_credit_line to 50 %]"
)]
#[case::what_began_goes_on(&[("2023-10-09", in_process("2023-10-20"))], "2023-10-10", "limited [limit_credit_line to 50 %]")]
fn a_payment_under_way_is_waited_for(
    #[case] events: &[(&str, Value)],
    #[case] date: &str,
    #[case] expected: &str,
) {
    assert_eq!(on(&ModelLoan::after(events), &with(PROCESS, &ladder()), date), expected);
}

#[rstest]
#[case::none(&[], "2024-01-31", "limited []")]
#[case::too_early(&[("2023-10-05", notice("limited"))], "2023-10-11", "limited []")]
#[case::seven_days_after(&[("2023-10-05", notice("limited"))], "2023-10-12", "limited [limit_credit_line to 50 %]")]
#[case::of_another_debt(&[("2023-09-30", notice("limited"))], "2023-10-31", "limited []")]
#[case::of_another_stage(&[("2023-10-05", notice("frozen"))], "2023-10-31", "limited []")]
// One deferral does not shorten the other.
#[case::within_a_temporary_cause(
    &[("2023-10-05", notice("limited")), ("2023-10-10", cause("temporary", None))],
    "2023-10-19",
    "limited []"
)]
#[case::after_a_temporary_cause(
    &[("2023-10-05", notice("limited")), ("2023-10-10", cause("temporary", None))],
    "2023-10-20",
    "limited [limit_credit_line to 50 %]"
)]
#[case::within_a_payment_under_way(
    &[("2023-10-05", notice("limited")), ("2023-10-10", in_process("2023-10-15"))],
    "2023-10-14",
    "limited []"
)]
fn nothing_is_restricted_before_the_notice_it_owes(
    #[case] events: &[(&str, Value)],
    #[case] date: &str,
    #[case] expected: &str,
) {
    let loan = ModelLoan::after(events);
    assert_eq!(on(&loan, &with(&format!("{TEMPORARY}\n{PROCESS}"), NOTICED), date), expected);
}

pub(crate) fn wanted(reminders: &[Reminder]) -> Vec<(&str, u32)> {
    reminders.iter().map(|one| (one.template.as_str(), one.missed)).collect()
}

#[test]
fn a_notice_is_planned_once_and_counts_when_it_has_left() {
    let (mut loan, policy) =
        (ModelLoan::four().evaluated(&with("", NOTICED), "2023-09-30T12:00:00"), with("", NOTICED));
    let planned_at = loan.at("2023-10-04T10:00:00");
    assert_eq!(loan.model.next_change(&policy, loan.at("2023-10-02T12:00:00"), planned_at), Some(planned_at));
    assert_eq!(wanted(&loan.model.reminders(&policy, planned_at)), [("before_limit", 0)]);
    // A late evaluation finds the notice still due, and it replaces that day's letter.
    assert_eq!(wanted(&loan.model.reminders(&policy, loan.at("2023-10-10T10:00:00"))), [("before_limit", 1)]);

    loan = loan.evaluated(&policy, "2023-10-04T10:00:00");
    assert!(loan.model.reminders(&policy, loan.at("2023-10-05T10:00:00")).is_empty());
    assert_eq!(on(&loan, &policy, "2023-10-31"), "limited []");
    let limited = NoticeOf::Stage(policy.stages[0].name.clone());
    loan.model.notice_left(&limited, planned_at, loan.at("2023-10-04T12:00:00"));
    assert_eq!(on(&loan, &policy, "2023-10-10"), "limited []");
    assert_eq!(on(&loan, &policy, "2023-10-11"), "limited [limit_credit_line to 50 %]");
}

#[test]
fn nobody_is_reminded_while_a_payment_is_under_way() {
    let policy = with(PROCESS, NOTICED);
    let loan = ModelLoan::four()
        .evaluated(&policy, "2023-09-30T12:00:00")
        .learns("2023-10-03", in_process("2023-10-07"));
    assert!(loan.model.reminders(&policy, loan.at("2023-10-07T09:59:59")).is_empty());
    let reminders = loan.model.reminders(&policy, loan.at("2023-10-07T10:00:00"));
    assert_eq!(wanted(&reminders), [("before_limit", 0)]);
    assert_eq!(reminders[0].planned_at, loan.at("2023-10-07T10:00:00"));
}
