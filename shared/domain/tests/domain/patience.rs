//! The rules that delay the consequences of a delinquency episode: materiality, the first-lapse tolerance,
//! causes and scores, payments in process, notices. Four installments of 250.00 are due on the first of
//! October to January; with three days of grace the account reaches `late` on 5 October, `limited` on the
//! 9th, `frozen` on the 19th and `suspended` on 3 November.

use duewatch_domain::account::{DeferralReason, Reason};
use duewatch_domain::kernel::{end_of_day, start_of_day};
use duewatch_domain::{Applied, Policy, Refusal, Trigger};
use duewatch_testkit::{LATE, LIMITED, SUSPEND, StageText, ladder, reminders, stages};
use rstest::rstest;

use crate::common::{TestLoan, date, four_installments, instant, policy};

fn with(tables: &str) -> Policy {
    policy("grace_days = 3", &format!("{}\n{tables}", ladder()))
}

/// The stage and the restrictions at the last second of a local date.
fn on(loan: &TestLoan, day: &str, policy: &Policy) -> String {
    let assessment = loan.assessed_at(end_of_day(loan.account.time_zone, date(day)), policy);
    let restrictions: Vec<String> = assessment.restrictions().iter().map(ToString::to_string).collect();
    format!("{} [{}]", assessment.stage_name(), restrictions.join(", "))
}

// 250.00 of 1000.00 are overdue until 1 November, then 500.00.
#[rstest]
#[case::amount_not_exceeded("amount = \"250.00\"", "2023-11-05")]
#[case::amount_exceeded("amount = \"249.99\"", "2023-10-05")]
#[case::share_not_exceeded("share = \"0.25\"", "2023-11-05")]
#[case::share_exceeded("share = \"0.2499\"", "2023-10-05")]
#[case::both_and_one_is_missing("amount = \"100.00\", share = \"0.25\"", "2023-11-05")]
#[case::either_and_one_is_there("amount = \"100.00\", share = \"0.25\", exceed = \"either\"", "2023-10-05")]
#[case::either_and_none_is_there("amount = \"250.00\", share = \"0.25\", exceed = \"either\"", "2023-11-05")]
fn what_is_not_material_moves_no_stage_and_is_shown(#[case] table: &str, #[case] first: &str) {
    let policy = policy("grace_days = 3", &format!("materiality = {{ {table} }}\n{}", ladder()));
    let loan = four_installments();
    let shown = |day: &str| loan.assessed_at(end_of_day(loan.account.time_zone, date(day)), &policy);
    assert_eq!(shown("2023-10-04").figures.overdue.to_string(), "250.00");
    assert_eq!(shown(&date(first).pred_opt().unwrap().to_string()).stage_name(), "current");
    assert_ne!(loan.stage(first, &policy), "current");
    // Days, and the grace of three, count from the first day on which the overdue amount is material.
    let material_days = shown("2023-11-05").figures.material_days;
    if first == "2023-11-05" {
        let before = shown("2023-11-01");
        assert_eq!((before.reasons, before.figures.material_days), (vec![Reason::BelowMateriality], Some(0)));
        let begins = start_of_day(loan.account.time_zone, date("2023-11-05"));
        assert_eq!((before.next_action_at, material_days), (Some(begins), Some(4)));
    } else {
        assert_eq!(material_days, Some(35));
    }
}

#[rstest]
#[case::not_yet_restricted("2023-10-14", "limited []")]
#[case::the_day_after_the_buffer("2023-10-15", "limited [limit_credit_line to 50 %]")]
fn a_first_and_minor_episode_is_restricted_after_its_tolerance(#[case] day: &str, #[case] expected: &str) {
    // Ten delinquent days are days past due 13, on 14 October.
    let policy = with("[buffer]\ndays = 10\namount = \"300.00\"\nmonths = 12\n");
    let mut loan = four_installments();
    loan.assessed("2023-09-01", &policy, Trigger::Fact);
    loan.swept(day, &policy);
    assert_eq!(loan.status_text(), expected);
    assert_eq!(on(&loan, day, &policy), expected);
}

#[test]
fn an_episode_that_is_minor_no_more_is_restricted_at_once() {
    // 500.00 is overdue from 2 November on, delinquent day 29.
    let policy = with("[buffer]\ndays = 60\namount = \"300.00\"\nmonths = 12\n");
    let mut loan = four_installments();
    loan.assessed("2023-09-01", &policy, Trigger::Fact);
    loan.swept("2023-11-01", &policy);
    assert_eq!(loan.status_text(), "frozen []");
    let reasons = &loan.account.recent_decisions().last().unwrap().reasons;
    let held = Reason::RestrictionsDeferred {
        by: DeferralReason::FirstLapseTolerance,
        until: Some(date("2023-11-02")),
    };
    assert_eq!(reasons.last(), Some(&held));
    loan.swept("2023-11-02", &policy);
    assert_eq!(loan.status_text(), "frozen [limit_credit_line to 50 %, freeze_drawdown]");
}

// The first delinquency episode lasts from 5 October to its payment on the 10th; the second begins on 5
// November, 31 days after the first began and 26 after it was over.
#[rstest]
#[case::within_the_memory(12, "limited [limit_credit_line to 50 %]")]
#[case::still_within_it(1, "limited [limit_credit_line to 50 %]")]
fn a_second_episode_within_the_memory_has_no_tolerance(#[case] months: u32, #[case] expected: &str) {
    let policy = with(&format!("[buffer]\ndays = 10\namount = \"300.00\"\nmonths = {months}\n"));
    let mut loan = four_installments();
    loan.assessed("2023-09-01", &policy, Trigger::Fact);
    loan.swept("2023-10-09", &policy);
    assert_eq!(loan.status_text(), "limited []");
    loan.pays("2023-10-10", "P-1", "250.00").assessed("2023-10-10", &policy, Trigger::Fact);
    assert_eq!(loan.account.status.delinquency_history.last_over_on, Some(date("2023-10-10")));
    loan.swept("2023-11-09", &policy);
    assert_eq!(loan.status_text(), expected);
}

#[test]
fn an_episode_is_the_first_again_when_the_last_one_is_forgotten() {
    let policy = with("[buffer]\ndays = 10\namount = \"300.00\"\nmonths = 1\n");
    let mut loan = four_installments();
    loan.assessed("2023-09-01", &policy, Trigger::Fact);
    loan.swept("2023-10-06", &policy);
    // Two installments are paid; the third episode begins on 5 December.
    loan.pays("2023-10-07", "P-1", "500.00").assessed("2023-10-07", &policy, Trigger::Fact);
    loan.swept("2023-12-14", &policy);
    assert_eq!(loan.status_text(), "limited []");
}

#[test]
fn an_episode_that_was_paid_before_it_began_is_none() {
    let policy = with("[buffer]\ndays = 10\namount = \"300.00\"\nmonths = 12\n");
    let mut loan = four_installments();
    loan.assessed("2023-09-01", &policy, Trigger::Fact);
    loan.swept("2023-10-04", &policy);
    loan.pays("2023-10-04", "P-1", "250.00").assessed("2023-10-04", &policy, Trigger::Fact);
    assert_eq!(loan.account.status.delinquency_history.last_over_on, None);
    loan.swept("2023-11-09", &policy);
    assert_eq!(loan.status_text(), "limited []");
}

const LONG_TERM: [StageText<'_>; 3] = [
    ("written_to", "delinquent_days = 40", ""),
    ("closed", "delinquent_days = 5, cause = \"long_term\"", SUSPEND),
    ("watched", "delinquent_days = 1, score_at_most = 480", ""),
];

// Delinquent day 1 is 5 October, day 5 the 9th.
#[rstest]
#[case::no_cause(&[], "2023-10-09", "current")]
#[case::another_cause(&[("2023-10-02", "cause_recorded", r#""cause":"temporary","by":"o","reason":"r""#)], "2023-10-09", "current")]
#[case::the_cause(&[("2023-10-02", "cause_recorded", r#""cause":"long_term","by":"o","reason":"r""#)], "2023-10-09", "closed")]
#[case::too_early(&[("2023-10-02", "cause_recorded", r#""cause":"long_term","by":"o","reason":"r""#)], "2023-10-08", "current")]
#[case::recorded_later(&[("2023-10-20", "cause_recorded", r#""cause":"long_term","by":"o","reason":"r""#)], "2023-10-20", "closed")]
#[case::it_binds_no_more(&[("2023-10-02", "cause_recorded", r#""cause":"long_term","by":"o","reason":"r","until":"2023-10-15""#)], "2023-10-15", "current")]
#[case::its_last_day(&[("2023-10-02", "cause_recorded", r#""cause":"long_term","by":"o","reason":"r","until":"2023-10-15""#)], "2023-10-14", "closed")]
#[case::recorded_anew(&[("2023-10-02", "cause_recorded", r#""cause":"long_term","by":"o","reason":"r""#), ("2023-10-10", "cause_recorded", r#""cause":"unknown","by":"o","reason":"r""#)], "2023-10-11", "current")]
#[case::score(&[("2023-10-02", "score_recorded", r#""score":480,"by":"s""#)], "2023-10-05", "watched")]
#[case::score_too_high(&[("2023-10-02", "score_recorded", r#""score":481,"by":"s""#)], "2023-10-05", "current")]
#[case::score_expired(&[("2023-10-02", "score_recorded", r#""score":480,"by":"s","until":"2023-10-05""#)], "2023-10-05", "current")]
fn a_stage_may_ask_for_a_cause_or_a_score(
    #[case] events: &[(&str, &str, &str)],
    #[case] day: &str,
    #[case] stage: &str,
) {
    let policy = policy("grace_days = 3", &stages(&LONG_TERM));
    let mut loan = four_installments();
    for (at, kind, fields) in events {
        loan.learns(at, kind, fields);
    }
    assert_eq!(loan.stage(day, &policy), stage);
}

#[test]
fn a_stage_that_time_ends_is_left_when_its_cause_binds_no_more() {
    let policy = policy("grace_days = 3", &stages(&LONG_TERM));
    let mut loan = four_installments();
    let fields = r#""cause":"long_term","by":"o","reason":"r","until":"2023-10-15""#;
    loan.learns("2023-10-02", "cause_recorded", fields).assessed("2023-10-02", &policy, Trigger::Fact);
    loan.swept("2023-10-20", &policy);
    let decisions = loan.account.recent_decisions();
    let told: Vec<String> = decisions.iter().map(|one| format!("{} {}", one.at, one.to)).collect();
    assert_eq!(told, ["2023-10-08 16:00:00 UTC closed", "2023-10-14 16:00:00 UTC current"]);
}

#[rstest]
#[case::held("2023-10-06", "", "2023-10-15", "limited []")]
#[case::over("2023-10-06", "", "2023-10-16", "limited [limit_credit_line to 50 %]")]
#[case::bound_for_less(
    "2023-10-06",
    r#","until":"2023-10-12""#,
    "2023-10-12",
    "limited [limit_credit_line to 50 %]"
)]
#[case::what_is_in_force_stays("2023-10-09", "", "2023-10-10", "limited [limit_credit_line to 50 %]")]
#[case::the_milder_ones_go_on("2023-10-10", "", "2023-10-19", "frozen [limit_credit_line to 50 %]")]
fn a_temporary_cause_holds_new_restrictions_for_a_while(
    #[case] recorded: &str,
    #[case] until: &str,
    #[case] day: &str,
    #[case] expected: &str,
) {
    let policy = with("[cause]\ntemporary_holds_days = 10\n");
    let mut loan = four_installments();
    loan.learns(recorded, "cause_recorded", &format!(r#""cause":"temporary","by":"o","reason":"r"{until}"#));
    assert_eq!(on(&loan, day, &policy), expected);
}

#[rstest]
#[case::no_new_stage("2023-10-12", "late []")]
#[case::after_the_bound("2023-10-13", "limited [limit_credit_line to 50 %]")]
fn a_payment_under_way_is_waited_for_but_not_beyond_the_policys_bound(
    #[case] day: &str,
    #[case] expected: &str,
) {
    let policy = with("[payment_in_process]\nmax_days = 5\n");
    let mut loan = four_installments();
    loan.learns("2023-10-08", "payment_in_process", r#""until":"2023-10-20""#);
    // A second report does not begin the wait anew.
    loan.learns("2023-10-12", "payment_in_process", r#""until":"2023-10-25""#);
    assert_eq!(on(&loan, day, &policy), expected);
}

#[test]
fn a_payment_that_is_not_under_way_any_more_is_not_waited_for() {
    let policy = with("[payment_in_process]\nmax_days = 5\n");
    let mut loan = four_installments();
    loan.learns("2023-10-08", "payment_in_process", r#""until":"2023-10-12""#);
    assert_eq!(on(&loan, "2023-10-09", &policy), "late []");
    loan.learns("2023-10-10", "payment_process_ended", r#""reason":"returned""#);
    assert_eq!(on(&loan, "2023-10-10", &policy), "limited [limit_credit_line to 50 %]");
    let again = loan.try_learn("2023-10-10", "payment_in_process", r#""until":"2023-10-10""#);
    assert!(matches!(again, Err(Refusal::ProcessOver { .. })), "{again:?}");
}

#[test]
fn nobody_is_reminded_while_a_payment_is_under_way() {
    let policy = with(&waiting_and_reminding());
    let mut loan = four_installments();
    loan.learns("2023-10-05", "payment_in_process", r#""until":"2023-10-09""#);
    loan.assessed("2023-10-05", &policy, Trigger::Fact);
    loan.swept("2023-10-08", &policy);
    assert_eq!((loan.status_text().as_str(), loan.account.contact_requests.len()), ("late []", 0));
    // On the 9th the account is limited, so that the reminders of `late` are no longer due.
    assert_eq!(loan.account.status.next_action_at, Some(instant("2023-10-08T16:00:00Z")));
    let mut patient = loan.clone();
    let gentle = policy_without_limits();
    patient.assessed("2023-10-08", &gentle, Trigger::Fact);
    patient.swept("2023-10-09", &gentle);
    let intents: Vec<_> =
        patient.account.contact_requests.iter().map(|one| (one.template.as_str(), one.missed)).collect();
    assert_eq!(intents, [("second", 1)]);
}

fn policy_without_limits() -> Policy {
    policy("grace_days = 3", &format!("{}{}", stages(&[LATE]), waiting_and_reminding()))
}

/// A payment in process is waited for; two reminders while the account is late.
fn waiting_and_reminding() -> String {
    let steps = [("late", 5, "sms", "first"), ("late", 7, "sms", "second")];
    format!("[payment_in_process]\nmax_days = 5\n{}", reminders(&steps))
}

const NOTICED: &str = r#"
    [[stages]]
    name = "limited"
    when = { delinquent_days = 5 }
    restrictions = [{ kind = "limit_credit_line", percent = 50, notice_days = 7 }]
    [[stages]]
    name = "frozen"
    when = { delinquent_days = 15 }
    restrictions = [{ kind = "freeze_drawdown", notice_days = 7 }, { kind = "raise_rate", notice_days = 3 }]
"#;

#[rstest]
#[case::never_without_a_notice(&[], "2024-01-31", "frozen []")]
#[case::too_early(&[("2023-10-05", "limited")], "2023-10-11", "limited []")]
#[case::seven_days_after(&[("2023-10-05", "limited")], "2023-10-12", "limited [limit_credit_line to 50 %]")]
#[case::not_before_the_stage(&[("2023-10-01", "limited")], "2023-10-08", "current []")]
#[case::long_before(&[("2023-10-01", "limited")], "2023-10-09", "limited [limit_credit_line to 50 %]")]
#[case::of_an_earlier_debt(&[("2023-09-30", "limited")], "2023-10-31", "frozen []")]
#[case::of_the_milder_stage(&[("2023-10-05", "limited")], "2023-10-31", "frozen [limit_credit_line to 50 %]")]
#[case::of_the_severer_stage(&[("2023-10-05", "limited"), ("2023-10-15", "frozen")], "2023-10-22", "frozen [freeze_drawdown, raise_rate]")]
#[case::one_day_before(&[("2023-10-05", "limited"), ("2023-10-15", "frozen")], "2023-10-21", "frozen [limit_credit_line to 50 %]")]
fn nothing_is_restricted_before_the_notice_it_owes(
    #[case] notices: &[(&str, &str)],
    #[case] day: &str,
    #[case] expected: &str,
) {
    let policy = policy("grace_days = 3", NOTICED);
    let mut loan = four_installments();
    for (sent, stage) in notices {
        loan.learns(sent, "notice_sent", &format!(r#""stage":"{stage}""#));
    }
    assert_eq!(on(&loan, day, &policy), expected);
    // The same after an evaluation at every next action, and after a single late one.
    let mut punctual = loan.clone();
    punctual.assessed("2023-09-01", &policy, Trigger::Time);
    punctual.swept(day, &policy);
    assert_eq!(punctual.status_text(), expected);
    let mut late = loan;
    late.assessed(&format!("{day}T23:59:59"), &policy, Trigger::Time);
    assert_eq!(late.status_text(), expected);
}

// The notice's time is over on 12 October; a cause recorded on the 10th defers the restriction from then on.
#[rstest]
#[case::a_cause("cause_recorded", r#""cause":"temporary","by":"o","reason":"r""#, "2023-10-19", "2023-10-20")]
#[case::a_payment("payment_in_process", r#""until":"2023-10-15""#, "2023-10-14", "2023-10-15")]
fn what_has_waited_for_its_notice_waits_for_what_was_recorded_since(
    #[case] kind: &str,
    #[case] fields: &str,
    #[case] held: &str,
    #[case] begins: &str,
) {
    let policy = policy(
        "grace_days = 3\ncause = { temporary_holds_days = 10 }\npayment_in_process = { max_days = 9 }",
        NOTICED,
    );
    let mut loan = four_installments();
    loan.assessed("2023-09-01", &policy, Trigger::Time);
    loan.swept("2023-10-04", &policy);
    loan.learns("2023-10-05", "notice_sent", r#""stage":"limited""#);
    loan.learns("2023-10-10", kind, fields).assessed("2023-10-10", &policy, Trigger::Fact);
    loan.swept(held, &policy);
    assert_eq!(loan.status_text(), if held == "2023-10-19" { "frozen []" } else { "limited []" });
    loan.swept(begins, &policy);
    assert!(loan.status_text().ends_with("[limit_credit_line to 50 %]"), "{}", loan.status_text());
}

#[test]
fn a_payment_under_way_that_ends_within_a_temporary_cause_is_not_the_end_of_waiting() {
    // Limited from 9 October, within the first-lapse tolerance until the 15th, a payment in process until the
    // 18th, and a temporary cause that was recorded on the 16th and holds until the 26th.
    let policy = with(
        "[buffer]\ndays = 10\namount = \"300.00\"\nmonths = 12\n\
         [cause]\ntemporary_holds_days = 10\n[payment_in_process]\nmax_days = 9\n",
    );
    let mut loan = four_installments();
    loan.learns("2023-10-10", "payment_in_process", r#""until":"2023-10-18""#);
    loan.learns("2023-10-16", "cause_recorded", r#""cause":"temporary","by":"o","reason":"r""#);
    assert_eq!(on(&loan, "2023-10-18", &policy), "limited []");
    assert_eq!(on(&loan, "2023-10-26", &policy), "frozen [limit_credit_line to 50 %, freeze_drawdown]");
}

#[test]
fn a_restriction_bears_its_own_day_where_a_severer_stage_that_restricted_nothing_is_over() {
    // The line is limited when the tolerance is over, on 15 October; `closed` holds on the 18th and 19th
    // without its notice.
    let closed = "[[stages]]\nname = \"closed\"\nwhen = { delinquent_days = 10, cause = \"long_term\" }\n\
                  restrictions = [{ kind = \"suspend_account\", notice_days = 5 }]\n\
                  [[stages]]\nname = \"written_to\"\nwhen = { delinquent_days = 6, overdue_amount = \"1.00\" }\n\
                  restrictions = [{ kind = \"raise_rate\", percent = 110, notice_days = 5 }]\n";
    let ladder = stages(&[LATE, LIMITED]);
    let tables = "[buffer]\ndays = 10\namount = \"300.00\"\nmonths = 12\n";
    let policy = policy("grace_days = 3", &format!("{ladder}{closed}{tables}"));
    let mut loan = four_installments();
    let until = r#""cause":"long_term","by":"o","reason":"r","until":"2023-10-20""#;
    loan.learns("2023-10-02", "cause_recorded", until).assessed("2023-10-10", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "written_to []");
    // No evaluation for two weeks.
    loan.assessed("2023-10-24", &policy, Trigger::Time);
    let decision = loan.account.recent_decisions().last().unwrap();
    assert_eq!(loan.status_text(), "written_to [limit_credit_line to 50 %]");
    assert_eq!(decision.at, instant("2023-10-14T16:00:00Z"));
}

#[test]
fn a_restriction_that_a_notice_brings_bears_the_day_on_which_its_time_is_over() {
    let policy = policy("grace_days = 3", NOTICED);
    let mut loan = four_installments();
    loan.assessed("2023-09-01", &policy, Trigger::Time);
    loan.swept("2023-10-10", &policy);
    loan.learns("2023-10-11", "notice_sent", r#""stage":"limited""#).assessed(
        "2023-10-11",
        &policy,
        Trigger::Fact,
    );
    loan.swept("2023-10-18", &policy);
    let decision = loan.account.recent_decisions().last().unwrap();
    assert_eq!(decision.at, instant("2023-10-17T16:00:00Z"));
    assert_eq!((decision.from.as_str(), decision.to.as_str()), ("limited", "limited"));
    assert_eq!(decision.applied.len(), 1);
}

const NOTICE_STEP: &str = r#"
    [reminders]
    send_at = "10:00"
    steps = [{ stage = "current", days = 3, channel = "letter", template = "before_limit", notice_of = "limited" }]
"#;

#[test]
fn a_notice_that_left_lets_the_restriction_follow() {
    let policy = policy("grace_days = 3", &format!("{NOTICED}{NOTICE_STEP}"));
    let mut loan = four_installments();
    loan.assessed("2023-09-01", &policy, Trigger::Time);
    loan.swept("2023-10-04", &policy);
    let planned_at = loan.local("2023-10-04T10:00:00");
    let request = loan.account.contact_requests.last().unwrap();
    assert_eq!((request.planned_at, request.template.as_str()), (planned_at, "before_limit"));
    let stage = request.notice_of.clone().unwrap();

    // A planned notice does not count as sent.
    let mut unsent = loan.clone();
    unsent.swept("2023-12-31", &policy);
    assert_eq!(unsent.status_text(), "frozen []");

    let left_at = loan.local("2023-10-05T08:00:00");
    assert_eq!(loan.account.notice_left(&stage, planned_at, left_at), Applied::Changed);
    assert_eq!(loan.account.notice_left(&stage, planned_at, left_at), Applied::Unchanged);
    loan.assessed("2023-10-05T08:00:00", &policy, Trigger::Fact);
    assert!(loan.account.contact_requests.is_empty());
    loan.swept("2023-10-11", &policy);
    assert_eq!(loan.status_text(), "limited []");
    loan.swept("2023-10-12", &policy);
    assert_eq!(loan.status_text(), "limited [limit_credit_line to 50 %]");
    assert!(loan.account.contact_requests.is_empty());
}

#[test]
fn a_late_run_that_skips_to_a_severe_stage_still_sends_the_notice_it_owes() {
    let policy = policy("grace_days = 3", &format!("{NOTICED}{NOTICE_STEP}"));
    let mut loan = four_installments();
    loan.assessed("2023-09-01", &policy, Trigger::Time);
    loan.assessed("2023-11-15", &policy, Trigger::Time);
    assert_eq!(loan.status_text(), "frozen []");
    let notices: Vec<_> = loan.account.contact_requests.iter().map(|one| one.template.as_str()).collect();
    assert_eq!(notices, ["before_limit"]);
}

#[test]
fn what_falls_overdue_anew_has_a_notice_of_its_own() {
    let policy = policy("grace_days = 3", &format!("{NOTICED}{NOTICE_STEP}"));
    let mut loan = four_installments();
    loan.learns("2023-10-05", "notice_sent", r#""stage":"limited""#);
    loan.assessed("2023-11-15", &policy, Trigger::Time);
    assert_eq!(
        (loan.status_text().as_str(), loan.account.contact_requests.len()),
        ("frozen [limit_credit_line to 50 %]", 0)
    );
    // The second installment is overdue since 1 November, without a notice since then.
    loan.pays("2023-11-20", "P-1", "250.00").assessed("2023-11-20", &policy, Trigger::Fact);
    assert_eq!((loan.status_text().as_str(), loan.account.contact_requests.len()), ("frozen []", 1));
}

#[rstest]
#[case::negative_amount("materiality = { amount = \"-1\" }", "materiality.amount")]
#[case::whole_share("materiality = { share = 1 }", "materiality.share")]
#[case::no_buffer("buffer = { days = 0, amount = \"1\", months = 12 }", "buffer.days")]
#[case::no_memory("buffer = { days = 1, amount = \"1\", months = 0 }", "buffer.months")]
#[case::no_minor_amount("buffer = { days = 1, amount = \"0\", months = 12 }", "buffer.amount")]
#[case::no_hold("cause = { temporary_holds_days = 0 }", "cause.temporary_holds_days")]
#[case::no_wait("payment_in_process = { max_days = 0 }", "payment_in_process.max_days")]
#[case::no_such_stage(
    "reminders = { send_at = \"10:00\", steps = [{ stage = \"current\", days = 1, channel = \"sms\", template = \"t\", notice_of = \"x\" }] }",
    "notice_of"
)]
#[case::no_known_operation("operations = { known = [\"Pay wages\"] }", "operations.known")]
#[case::no_operation("operations = { never_blocked = [\"Pay wages\"] }", "operations.never_blocked")]
fn a_table_that_says_nothing_sensible_is_refused_by_its_line(#[case] table: &str, #[case] names: &str) {
    let text = format!("id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n{table}\n");
    let error = duewatch_domain::policy::parse(&text).unwrap_err();
    assert_eq!(error.line, 4);
    assert!(error.problem.contains(names), "{error}");
}

#[rstest]
#[case::blocks_of_a_shipped_kind("{ kind = \"raise_rate\", blocks = [\"draw\"] }", "raise_rate.blocks")]
#[case::blocks_repaying("{ kind = \"own\", blocks = [\"repay\"] }", "own.blocks")]
#[case::except_is_no_name("{ kind = \"own\", except = [\"\"] }", "own.except")]
#[case::notice_beyond_all("{ kind = \"own\", notice_days = 40000 }", "own.notice_days")]
fn an_option_of_a_restriction_is_refused(#[case] restriction: &str, #[case] names: &str) {
    let text = format!(
        "id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n[[stages]]\nname = \"a\"\nwhen = {{ days_past_due = 1 }}\nrestrictions = [{restriction}]\n"
    );
    let error = duewatch_domain::policy::parse(&text).unwrap_err();
    assert!(error.problem.contains(names), "{error}");
}
