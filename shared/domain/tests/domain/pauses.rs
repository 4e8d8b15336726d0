//! Delinquency pauses, and enforcement that is switched off.

use duewatch_domain::{Applied, Policy, Trigger};
use rstest::rstest;

use crate::common::{self, TestLoan, four_installments, ladder, only_stage, pause};

/// Counts every delinquent day: no grace.
fn without_grace() -> Policy {
    only_stage("", "delinquent_days = 1")
}

fn delinquent(loan: &TestLoan, on: &str) -> u32 {
    loan.days(on, &without_grace()).1
}

#[test]
fn a_backdated_pause_takes_its_days_out() {
    let mut loan = four_installments();
    assert_eq!(loan.days("2023-10-21", &without_grace()), (20, 20));
    loan.pauses("2023-10-21", "2023-10-05", "2023-10-10");
    assert_eq!(loan.days("2023-10-21", &without_grace()), (20, 15));
}

// Due on 2023-10-01; the paused days k lie in [2023-10-01, business date).
#[rstest]
#[case::before_it_begins("2023-10-05", 4)]
#[case::on_its_second_day_one_day_has_passed("2023-10-06", 4)]
#[case::on_its_last_day("2023-10-09", 4)]
#[case::on_the_day_it_ends("2023-10-10", 4)]
#[case::the_day_after("2023-10-11", 5)]
fn a_pause_is_half_open(#[case] on: &str, #[case] expected: u32) {
    let mut loan = four_installments();
    loan.pauses("2023-10-02", "2023-10-05", "2023-10-10");
    assert_eq!(delinquent(&loan, on), expected);
}

#[test]
fn a_future_pause_takes_out_nothing_yet() {
    let mut loan = four_installments();
    loan.pauses("2023-10-02", "2023-12-01", "2024-01-01");
    assert_eq!(delinquent(&loan, "2023-11-30"), 60);
    assert_eq!(delinquent(&loan, "2024-01-01"), 61);
    assert_eq!(delinquent(&loan, "2024-01-02"), 62);
}

#[rstest]
#[case::before_the_due_date("2023-09-01", "2023-10-01", 20)]
#[case::across_the_due_date("2023-09-01", "2023-10-04", 17)]
#[case::the_due_date_itself("2023-10-01", "2023-10-02", 19)]
#[case::the_business_date_itself_does_not_count_yet("2023-10-21", "2023-10-25", 20)]
#[case::all_of_it("2023-01-01", "2025-01-01", 0)]
fn only_paused_days_since_the_oldest_due_date_count(
    #[case] from: &str,
    #[case] until: &str,
    #[case] expected: u32,
) {
    let mut loan = four_installments();
    loan.pauses("2023-10-21", from, until);
    assert_eq!(delinquent(&loan, "2023-10-21"), expected);
}

#[test]
fn pauses_may_share_an_edge() {
    let mut loan = four_installments();
    loan.pauses("2023-10-21", "2023-10-10", "2023-10-15");
    loan.pauses("2023-10-21", "2023-10-05", "2023-10-10");
    loan.pauses("2023-10-21", "2023-10-15", "2023-10-16");
    assert_eq!(delinquent(&loan, "2023-10-21"), 9);
}

#[test]
fn a_leap_day_counts_and_can_be_paused() {
    let mut loan = common::loan(&[(1, "2024-02-27", "10.00")]);
    assert_eq!(delinquent(&loan, "2024-03-01"), 3);
    loan.pauses("2024-03-01", "2024-02-29", "2024-03-01");
    assert_eq!(delinquent(&loan, "2024-03-01"), 2);
}

#[test]
fn grace_and_pause_add_up_and_never_go_below_zero() {
    let mut loan = four_installments();
    loan.pauses("2023-10-02", "2023-10-02", "2023-10-04");
    assert_eq!(loan.days("2023-10-06", &ladder()), (5, 0));
    assert_eq!(loan.days("2023-10-07", &ladder()), (6, 1));
}

#[rstest]
#[case::inside("2023-10-06", "2023-10-08")]
#[case::across_its_start("2023-10-01", "2023-10-06")]
#[case::across_its_end("2023-10-09", "2023-10-20")]
#[case::around_it("2023-10-01", "2023-10-20")]
#[case::the_same("2023-10-05", "2023-10-10")]
fn an_overlapping_pause_is_refused(#[case] from: &str, #[case] until: &str) {
    let mut loan = four_installments();
    loan.pauses("2023-10-02", "2023-10-05", "2023-10-10");
    let before = loan.clone();
    let refusal = loan.try_learn("2023-10-03", "pause_started", &pause(from, until)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        format!(
            "from: the pause from {from} until {until} overlaps the one from 2023-10-05 until 2023-10-10"
        )
    );
    assert_eq!(loan, before);
}

#[rstest]
#[case::empty("2023-10-05", "2023-10-05")]
#[case::backwards("2023-10-05", "2023-10-04")]
fn a_pause_that_holds_no_day_is_refused(#[case] from: &str, #[case] until: &str) {
    let mut loan = four_installments();
    let before = loan.clone();
    let refusal = loan.try_learn("2023-10-03", "pause_started", &pause(from, until)).unwrap_err().to_string();
    assert!(refusal.contains("until") && refusal.contains(from) && refusal.contains(until), "{refusal}");
    assert_eq!(loan, before);
}

#[test]
fn a_pause_of_one_day_is_a_pause() {
    let mut loan = four_installments();
    loan.pauses("2023-10-21", "2023-10-05", "2023-10-06");
    assert_eq!(delinquent(&loan, "2023-10-21"), 19);
}

#[test]
fn a_pause_that_ends_early_runs_to_that_date_exclusive() {
    let mut loan = four_installments();
    loan.pauses("2023-10-02", "2023-10-05", "2023-10-31");
    loan.learns("2023-10-10", "pause_ended", r#""on":"2023-10-10""#);
    assert_eq!(loan.account.pauses()[0].until, common::date("2023-10-10"));
    assert_eq!(delinquent(&loan, "2023-10-21"), 15);
}

#[test]
fn a_pause_that_is_ended_on_its_first_day_is_forgotten() {
    let mut loan = four_installments();
    let before = loan.clone();
    loan.pauses("2023-10-02", "2023-10-05", "2023-10-31");
    loan.learns("2023-10-05", "pause_ended", r#""on":"2023-10-05""#);
    assert_eq!(loan, before);
}

#[test]
fn of_two_pauses_that_touch_the_later_is_ended() {
    let mut loan = four_installments();
    loan.pauses("2023-10-02", "2023-10-05", "2023-10-10");
    let before = loan.clone();
    loan.pauses("2023-10-02", "2023-10-10", "2023-10-20");
    loan.learns("2023-10-10", "pause_ended", r#""on":"2023-10-10""#);
    assert_eq!(loan, before);
}

#[test]
fn days_freed_by_an_early_end_can_be_paused_again() {
    let mut loan = four_installments();
    loan.pauses("2023-10-02", "2023-10-05", "2023-10-31");
    loan.learns("2023-10-10", "pause_ended", r#""on":"2023-10-10""#);
    loan.pauses("2023-10-10", "2023-10-10", "2023-10-12");
    assert_eq!(delinquent(&loan, "2023-10-21"), 13);
}

#[rstest]
#[case::before_it("2023-10-04")]
#[case::on_the_day_it_has_ended("2023-10-10")]
#[case::long_after("2024-01-01")]
fn ending_a_pause_when_none_runs_is_refused(#[case] on: &str) {
    let mut loan = four_installments();
    loan.pauses("2023-10-02", "2023-10-05", "2023-10-10");
    let before = loan.clone();
    let refusal = loan.try_learn("2023-10-12", "pause_ended", &format!(r#""on":"{on}""#)).unwrap_err();
    assert_eq!(refusal.to_string(), format!("on: no pause holds on {on}, so none can end"));
    assert_eq!(loan, before);
}

#[test]
fn a_backdated_pause_lifts_what_its_days_had_brought() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.assessed("2023-10-19", &policy, Trigger::Time);
    assert_eq!(loan.status_text(), "frozen [limit_credit_line to 50 %, freeze_drawdown]");
    loan.pauses("2023-10-19", "2023-10-05", "2023-10-19").assessed("2023-10-19", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "late []");
}

#[test]
fn with_enforcement_off_nothing_holds_while_the_figures_go_on() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.assessed("2023-10-19", &policy, Trigger::Time);
    loan.learns("2023-10-20", "enforcement_off", r#""reason":"court order""#);
    loan.assessed("2023-10-20", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "current []");
    let lifted = loan.account.decision_of_this_revision().unwrap();
    assert_eq!(lifted.lifted.len(), 2);
    assert_eq!(lifted.figures.days_past_due, 19);
    assert_eq!(loan.days("2024-01-01", &policy), (92, 89));
    assert_eq!(loan.stage("2024-01-01", &policy), "current");
}

#[test]
fn enforcement_on_again_restores_at_once() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.learns("2023-10-02", "enforcement_off", r#""reason":"court order""#);
    loan.assessed("2023-11-15", &policy, Trigger::Time);
    assert_eq!(loan.status_text(), "current []");
    loan.learns("2023-11-16", "enforcement_on", r#""reason":"lifted""#);
    loan.assessed("2023-11-16", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "suspended [suspend_account]");
}

#[rstest]
#[case::on_when_it_is_on("enforcement_on", &[])]
#[case::off_when_it_is_off("enforcement_off", &["enforcement_off"])]
fn a_switch_that_stands_already_changes_nothing(#[case] kind: &str, #[case] before: &[&str]) {
    let mut loan = four_installments();
    for kind in before {
        loan.learns("2023-10-02", kind, r#""reason":"first""#);
    }
    let untouched = loan.clone();
    let applied = loan.try_learn("2023-10-03", kind, r#""reason":"second""#);
    assert_eq!(applied, Ok(Applied::Unchanged));
    assert_eq!(loan, untouched);
}
