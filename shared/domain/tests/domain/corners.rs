//! Corner cases that a first reading of the rules gets wrong.

use duewatch_domain::commands::AccountOpened;
use duewatch_domain::formats::{parse_book_line, parse_event_line};
use duewatch_domain::kernel::DayCount;
use duewatch_domain::policy::{self as policies, Timeline};
use duewatch_domain::{Applied, Command, Policy, Trigger, assess, decide};
use duewatch_testkit::{ContractTerms, equal_installments};
use proptest::prelude::*;
use rstest::rstest;

use crate::common;
use crate::common::generate::{DATE_SKIPPED, DomainCase, case};
use crate::common::{
    TestLoan, contract, date, four_installments, instant, ladder, loan, loan_in, only_stage, policy,
};

#[test]
fn a_payment_reversed_at_its_reversal_leaves_settled_what_it_had_paid_ahead() {
    let mut loan = loan(&[(1, "2023-10-01", "100.00"), (2, "2024-06-01", "100.00")]);
    loan.pays("2023-10-01", "P-1", "200.00").reverses("2024-03-01", "P-1", "reversal");
    assert_eq!(loan.unpaid(), "P-1 since 2024-03-01: 200.00");
}

/// Two installments are paid ahead; then an older one is added.
fn paid_ahead_and_topped_up() -> TestLoan {
    let mut loan = loan(&[(1, "2023-01-01", "100.00"), (2, "2023-12-01", "100.00")]);
    loan.pays("2023-01-01", "P-1", "200.00");
    loan.learns(
        "2023-01-05",
        "schedule_replaced",
        r#""installments":[{"number":3,"due_on":"2023-02-01","principal":"50.00"}],"reason":"top-up""#,
    );
    loan
}

#[test]
fn paying_everything_overdue_lifts_everything_after_a_new_schedule_and_a_reversal() {
    let policy = ladder();
    let mut loan = paid_ahead_and_topped_up();
    loan.reverses("2023-02-10", "P-1", "original").assessed("2023-03-15", &policy, Trigger::Time);
    assert_eq!(loan.figures("2023-03-15", &policy).overdue.to_string(), "150.00");
    loan.pays("2023-03-15", "P-2", "150.00").assessed("2023-03-15", &policy, Trigger::Fact);
    assert_eq!(loan.unpaid(), "2: 100.00");
    assert_eq!(loan.status_text(), "current []");
}

#[test]
fn the_oldest_is_settled_first_after_a_kept_installment_was_adjusted_upwards() {
    let mut loan = paid_ahead_and_topped_up();
    loan.learns("2023-01-06", "installment_adjusted", r#""number":2,"amount":"-50.00","reason":"fee""#);
    loan.pays("2023-02-03", "P-2", "50.00");
    assert_eq!(loan.unpaid(), "2: 50.00");
}

#[test]
fn under_due_day_the_next_action_lies_ahead_where_a_zone_skips_a_date() {
    let policy = only_stage("day_count = \"due_day\"", "days_past_due = 2");
    let loan = loan_in("Pacific/Apia", "EUR", &[(1, "2011-12-29", "10.00")]);
    let now = instant("2011-12-30T09:59:59Z");
    let next = loan.assessed_at(now, &policy).next_action_at;
    assert!(next.is_none_or(|next| next > now), "{next:?} is not after {now}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn under_due_day_every_next_action_lies_ahead_where_a_zone_skips_a_date(case in case(DATE_SKIPPED)) {
        let DomainCase { mut account, mut policy, begin, .. } = case;
        policy.day_count = DayCount::DueDay;
        let mut now = begin;
        for _ in 0..500 {
            account.judge(&policy, now, Trigger::Time);
            let Some(next) = account.status.next_action_at else { break };
            prop_assert!(next > now, "{} is not after {}", next, now);
            now = next;
        }
    }
}

#[test]
fn the_same_restrictions_in_another_order_are_no_change() {
    let stage = |restrictions: &str| {
        let held = "[[stages]]\nname = \"held\"\nwhen = { days_past_due = 1 }";
        common::policy("", &format!("{held}\nrestrictions = {restrictions}"))
    };
    let first = stage(r#"[{ kind = "freeze_drawdown" }, { kind = "suspend_account" }]"#);
    let second = stage(r#"[{ kind = "suspend_account" }, { kind = "freeze_drawdown" }]"#);
    let mut loan = four_installments();
    loan.assessed("2023-10-05", &first, Trigger::Time);
    let now = loan.local("2023-10-06");
    let assessment = assess(&loan.account, &second, now);
    assert_eq!(decide(&loan.account, &second, &assessment, now, Trigger::Time), None);
}

#[test]
fn an_account_opened_again_after_a_new_schedule_is_still_one_account() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.learns("2023-10-02", "schedule_replaced", r#""installments":[],"reason":"settled elsewhere""#);
    let before = loan.clone();
    let terms = r#"{"number":1,"due_on":"2023-10-01","principal":"250.00"}"#;
    let again = Command::AccountOpened(AccountOpened { account: contract("Asia/Shanghai", "CNY", terms) });
    let applied = loan.account.apply(&again, before.local("2023-10-03"));
    assert_eq!(applied, Ok(Applied::Unchanged));
    assert_eq!(loan, before);
}

#[rstest]
#[case::version("version = 0\neffective_on = 2026-01-01", 2, "version: 0")]
#[case::grace_days("version = 1\neffective_on = 2026-01-01\ngrace_days = 40000", 4, "grace_days: 40000")]
#[case::effective_on("version = 1\neffective_on = 1800-01-01", 3, "effective_on: 1800-01-01")]
fn a_policy_is_refused_by_its_line(#[case] rest: &str, #[case] line: usize, #[case] names: &str) {
    let error = policies::parse(&format!("id = \"p\"\n{rest}\n")).unwrap_err();
    assert_eq!((error.line, error.problem.contains(names)), (line, true), "{error}");
}

const HEAD: &str = "id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n";
const STAGE: &str = "[[stages]]\nname = \"a\"\n";

#[rstest]
#[case::grace_days("", "grace_days = -1", &["grace_days", "-1"])]
#[case::day_count("", "day_count = \"next\"", &["day_count", "next"])]
#[case::overdue_amount(STAGE, "when = { overdue_amount = 100 }", &["overdue_amount", "100"])]
#[case::overdue_share(STAGE, "when = { overdue_share = \"lots\" }", &["overdue_share", "lots", "a share from 0 to 1"])]
#[case::percent(
    STAGE,
    "when = { days_past_due = 1 }\nrestrictions = [{ kind = \"limit_credit_line\", percent = \"50\" }]",
    &["percent", "50"]
)]
#[case::send_at("", "[reminders]\nsend_at = \"25:00\"", &["send_at", "25:00"])]
fn a_policy_value_of_the_wrong_type_is_refused_by_field_and_value(
    #[case] before: &str,
    #[case] faulty: &str,
    #[case] names: &[&str],
) {
    let error = policies::parse(&format!("{HEAD}{before}{faulty}\n")).unwrap_err();
    for name in names {
        assert!(error.problem.contains(name), "{name:?} is missing in: {error}");
    }
}

#[rstest]
#[case(r#""type":"pause_ended","on":"2023-02-30""#, "on", "2023-02-30")]
#[case(
    r#""type":"payment_received","payment_id":"P-1","amount":"1.00","value_date":"1 May""#,
    "value_date",
    "1 May"
)]
fn an_event_date_is_refused_by_field_and_value(
    #[case] fields: &str,
    #[case] field: &str,
    #[case] value: &str,
) {
    let line = format!(r#"{{"at":"2023-01-01T00:00:00Z","account_id":"A-1",{fields}}}"#);
    let error = parse_event_line(&line).unwrap_err().to_string();
    assert!(error.contains(field) && error.contains(value), "{error}");
}

#[test]
fn a_book_date_is_refused_by_field_and_value() {
    let line = r#"{"account_id":"A-1","customer_id":"C-1","policy_id":"standard","currency":"CNY","time_zone":"Asia/Shanghai","opened_on":"2023-10-32","installments":[]}"#;
    let error = parse_book_line(line).unwrap_err().to_string();
    assert!(error.contains("opened_on") && error.contains("2023-10-32"), "{error}");
}

#[test]
fn a_refused_kind_is_worded_as_the_format_writes_it() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "100.00");
    let again = r#""payment_id":"P-1","amount":"100.00","kind":"merchant_refund""#;
    let refusal = loan.try_learn("2023-10-02", "payment_received", again).unwrap_err().to_string();
    assert!(refusal.contains("(repayment, now merchant_refund)"), "{refusal}");
}

#[test]
fn money_paid_for_an_old_number_does_not_move_to_the_new_installment_of_that_number() {
    let mut loan = loan(&[(1, "2023-01-01", "100.00"), (2, "2023-02-01", "100.00")]);
    loan.pays_for("2023-01-01", "P-1", "100.00", "[4]");
    loan.learns(
        "2023-01-05",
        "schedule_replaced",
        r#""installments":[{"number":4,"due_on":"2023-06-01","principal":"100.00"}],"reason":"later""#,
    );
    assert_eq!(loan.unpaid(), "4: 100.00");
}

#[test]
fn a_payment_at_the_instant_of_a_new_schedule_settles_the_oldest_first() {
    let mut loan = loan(&[(1, "2023-01-01", "100.00"), (2, "2023-12-01", "100.00")]);
    loan.pays("2023-01-01", "P-1", "150.00");
    let new = r#""installments":[{"number":3,"due_on":"2023-01-15","principal":"50.00"}],"reason":"top-up""#;
    loan.learns("2023-02-01", "schedule_replaced", new);
    loan.learns("2023-02-01", "installment_adjusted", r#""number":2,"amount":"-50.00","reason":"fee""#);
    loan.pays("2023-02-01", "P-2", "50.00");
    assert_eq!(loan.unpaid(), "2: 50.00");
}

#[rstest]
#[case::installment_added(
    "installment_added",
    r#""installment":{"number":5,"due_on":"2024-02-01","principal":"999999999999999.00"}"#
)]
#[case::installment_adjusted(
    "installment_adjusted",
    r#""number":4,"amount":"-999999999999999.00","reason":"fee""#
)]
#[case::schedule_replaced(
    "schedule_replaced",
    r#""installments":[{"number":5,"due_on":"2024-02-01","principal":"999999999999999.00"}],"reason":"new terms""#
)]
#[case::payment_reversed("payment_reversed", r#""payment_id":"P-1","dated":"reversal""#)]
fn an_account_that_would_ask_for_more_than_an_amount_can_say_refuses_and_stays_as_it_was(
    #[case] kind: &str,
    #[case] fields: &str,
) {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "999999999999999.00");
    let before = loan.clone();
    let refusal = loan.try_learn("2023-10-02", kind, fields).unwrap_err().to_string();
    assert!(refusal.contains("100000000000") && refusal.contains("15 digits"), "{refusal}");
    assert_eq!(loan, before);
}

#[test]
fn an_account_may_ask_for_as_much_as_an_amount_can_say() {
    let mut loan = loan(&[(1, "2023-10-01", "999999999999998.00")]);
    loan.learns("2023-10-02", "installment_adjusted", r#""number":1,"amount":"-1.99","reason":"fee""#);
    assert_eq!(loan.unpaid(), "1: 999999999999999.99");
    loan.learns(
        "2023-10-02",
        "installment_adjusted",
        r#""number":1,"amount":"999999999999999.99","reason":"x""#,
    );
    assert_eq!(loan.unpaid(), "");
}

#[rstest]
#[case::payment_received(r#""payment_id":"P-2","amount":"1.00""#)]
#[case::payment_reversed(r#""payment_id":"P-1","dated":"reversal""#)]
fn a_fact_from_outside_all_dates_is_refused(#[case] fields: &str) {
    let kind = if fields.contains("dated") { "payment_reversed" } else { "payment_received" };
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "100.00");
    let before = loan.clone();
    for at in [chrono::DateTime::<chrono::Utc>::MIN_UTC, chrono::DateTime::<chrono::Utc>::MAX_UTC] {
        let refusal = loan.account.apply(&common::command(kind, fields), at).unwrap_err().to_string();
        assert!(refusal.starts_with("at: ") && refusal.contains("2999-12-31"), "{refusal}");
    }
    // In Shanghai the year 3000 has begun.
    let at = instant("2999-12-31T20:00:00Z");
    let refusal = loan.account.apply(&common::command(kind, fields), at).unwrap_err().to_string();
    assert!(refusal.contains("3000-01-01"), "{refusal}");
    assert_eq!(loan, before);
}

#[test]
fn what_was_paid_under_one_new_schedule_stays_paid_under_the_next() {
    let mut loan = loan(&[(1, "2023-01-01", "100.00")]);
    let first =
        r#""installments":[{"number":2,"due_on":"2023-06-01","principal":"100.00"}],"reason":"later""#;
    let second =
        r#""installments":[{"number":3,"due_on":"2023-02-01","principal":"50.00"}],"reason":"top-up""#;
    loan.learns("2023-01-05", "schedule_replaced", first).pays("2023-01-10", "P-1", "100.00");
    loan.learns("2023-01-15", "schedule_replaced", second);
    assert_eq!(loan.unpaid(), "3: 50.00");
}

// Due on 1 January, and late from the 2nd on; the lender hands the account over on the 21st.
#[test]
fn nothing_is_decided_before_the_opening() {
    let installments = equal_installments("400.00", &["2024-01-01"]);
    let mut loan =
        TestLoan::of(&ContractTerms { opened_on: "2024-01-21", installments, ..ContractTerms::default() });
    loan.assessed("2024-01-21", &ladder(), Trigger::Time);
    let decision = loan.account.decision_of_this_revision().unwrap();
    assert_eq!(decision.at, instant("2024-01-20T16:00:00Z"));
    assert_eq!(decision.figures.days_past_due, 20);
}

// Credit waits under the first version. Under the second one the next payment takes it in advance, before the bank takes
// that payment back: the credit is gone by then.
#[test]
fn credit_pays_no_debt_that_comes_after_it_was_spent() {
    let (waits, next) = (policy("overpayment = \"credit\"", ""), policy("overpayment = \"next\"", ""));
    let next = Policy { version: 2, ..next };
    let mut loan = loan(&[(1, "2023-06-01", "100.00")]);
    loan.pays("2023-03-01", "P-1", "50.00").pays("2023-03-27", "P-2", "50.00");
    loan.reverses("2023-03-27", "P-2", "reversal");
    let mut timeline = Timeline::from(&waits);
    timeline.bind(date("2023-03-27"), &next);
    let figures = assess(&loan.account, &timeline, loan.local("2023-03-28")).figures;
    assert_eq!((figures.overdue.to_string(), figures.days_past_due), ("50.00".to_owned(), 1));
    assert_eq!(figures.outstanding.to_string(), "50.00");
}
