//! Whole accounts where a clock changes, where a date is missing, and on leap days.

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::kernel::end_of_day;
use duewatch_domain::{Policy, Trigger};
use duewatch_testkit::stages;
use rstest::rstest;

use crate::common::{TestLoan, date, instant, loan, loan_in, policy};

/// A stage for each of the first two days past due.
fn two_days(head: &str) -> Policy {
    policy(head, &stages(&[("one", "days_past_due = 1", ""), ("two", "days_past_due = 2", "")]))
}

/// Evaluates the loan at each of its next actions, and asserts that each brings exactly the expected day,
/// that the second before does not know that day, and that no later action comes before the next one.
fn assert_days_begin(loan: &mut TestLoan, policy: &Policy, begin: &[(&str, u32)]) {
    let mut before = 0;
    for (at, days_past_due) in begin {
        let at: DateTime<Utc> = instant(at);
        assert_eq!(loan.account.status.next_action_at, Some(at));
        let second_before = loan.assessed_at(at - TimeDelta::seconds(1), policy);
        assert_eq!(second_before.figures.days_past_due, before, "a second before {at}");
        assert_eq!(loan.assessed_at(at, policy).figures.days_past_due, *days_past_due, "at {at}");
        loan.account.judge(policy, at, Trigger::Time);
        let decision = loan.account.decision_of_this_revision().unwrap();
        assert_eq!((decision.at, decision.figures.days_past_due), (at, *days_past_due));
        before = *days_past_due;
    }
}

// Due the day before the clock changes; the day that follows is day 1, the one after day 2.
#[rstest]
// 00:00 to 01:00 does not exist on 4 November 2018.
#[case::midnight_skipped("America/Sao_Paulo", "2018-11-03", ["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"])]
#[case::midnight_skipped("Asia/Beirut", "2022-03-26", ["2022-03-26T22:00:00Z", "2022-03-27T21:00:00Z"])]
// 00:00 to 01:00 comes twice on 5 November 2023.
#[case::midnight_repeated("America/Havana", "2023-11-04", ["2023-11-05T04:00:00Z", "2023-11-06T05:00:00Z"])]
// At one minute past midnight it is a minute past eleven once more.
#[case::evening_repeated("America/St_Johns", "2006-10-28", ["2006-10-29T02:30:00Z", "2006-10-30T03:30:00Z"])]
#[case::an_hour_in_the_night("America/New_York", "2023-03-11", ["2023-03-12T05:00:00Z", "2023-03-13T04:00:00Z"])]
#[case::half_an_hour("Australia/Lord_Howe", "2023-09-30", ["2023-09-30T13:30:00Z", "2023-10-01T13:00:00Z"])]
fn each_day_past_due_begins_once(#[case] zone: &str, #[case] due_on: &str, #[case] begin: [&str; 2]) {
    let policy = two_days("");
    let mut loan = loan_in(zone, "EUR", &[(1, due_on, "10.00")]);
    loan.assessed(due_on, &policy, Trigger::Time);
    assert_days_begin(&mut loan, &policy, &[(begin[0], 1), (begin[1], 2)]);

    // Under the other count each comes a day less a second earlier: at the end of the day before.
    let policy = two_days("day_count = \"due_day\"");
    let mut loan = loan_in(zone, "EUR", &[(1, due_on, "10.00")]);
    loan.assessed(due_on, &policy, Trigger::Time);
    for (day, begin) in (1..).zip(begin) {
        let at = instant(begin) - TimeDelta::seconds(1);
        assert_eq!(loan.account.status.next_action_at, Some(at));
        assert_eq!(loan.assessed_at(at - TimeDelta::seconds(1), &policy).figures.days_past_due, day - 1);
        loan.account.judge(&policy, at, Trigger::Time);
        assert_eq!(loan.account.decision_of_this_revision().unwrap().figures.days_past_due, day);
    }
}

#[rstest]
#[case::second_midnight("America/Havana", "2023-11-04", "2023-11-05T05:00:00Z")]
#[case::second_evening("America/St_Johns", "2006-10-28", "2006-10-29T03:00:00Z")]
fn a_clock_that_is_set_back_takes_no_day_back(#[case] zone: &str, #[case] due_on: &str, #[case] at: &str) {
    let policy = two_days("");
    let mut loan = loan_in(zone, "EUR", &[(1, due_on, "10.00")]);
    let at = instant(at);
    loan.account.judge(&policy, at - TimeDelta::minutes(29), Trigger::Time);
    let before = loan.account.clone();
    assert_eq!(loan.assessed_at(at, &policy).figures.days_past_due, 1);
    loan.account.judge(&policy, at, Trigger::Time);
    assert_eq!(loan.account.decision_of_this_revision(), None);
    assert_eq!(loan.account.status.next_action_at, before.status.next_action_at);
}

// Samoa had no 30 December 2011.
#[test]
fn a_date_that_a_zone_skips_counts_and_takes_no_time() {
    let policy = two_days("");
    let mut loan = loan_in("Pacific/Apia", "EUR", &[(1, "2011-12-28", "10.00")]);
    loan.assessed("2011-12-28", &policy, Trigger::Time);
    assert_days_begin(&mut loan, &policy, &[("2011-12-29T10:00:00Z", 1), ("2011-12-30T10:00:00Z", 3)]);
}

#[rstest]
#[case::leap_year("2024-02-28", "2024-02-29", 1)]
#[case::leap_year("2024-02-28", "2024-03-01", 2)]
#[case::common_year("2023-02-28", "2023-03-01", 1)]
#[case::century_that_leaps("2000-02-28", "2000-03-01", 2)]
#[case::century_that_does_not("2100-02-28", "2100-03-01", 1)]
#[case::due_on_the_leap_day("2024-02-29", "2024-02-29", 0)]
#[case::due_on_the_leap_day("2024-02-29", "2024-03-01", 1)]
#[case::a_year_after_it("2024-02-29", "2025-02-28", 365)]
#[case::a_year_over_it("2023-10-01", "2024-10-01", 366)]
fn leap_days_count(#[case] due_on: &str, #[case] on: &str, #[case] days: u32) {
    let loan = loan(&[(1, due_on, "10.00")]);
    assert_eq!(loan.days(on, &two_days("")), (days, days));
}

#[test]
fn a_leap_day_is_waited_for_and_paused_as_any_other() {
    let policy = two_days("");
    let mut loan = loan(&[(1, "2024-02-28", "10.00")]);
    loan.assessed("2024-02-28", &policy, Trigger::Time);
    assert_days_begin(&mut loan, &policy, &[("2024-02-28T16:00:00Z", 1), ("2024-02-29T16:00:00Z", 2)]);
    loan.pauses("2024-03-01", "2024-02-29", "2024-03-02");
    assert_eq!(loan.days("2024-03-05", &policy), (6, 4));
}

// Probation of a month, from 31 January: to the last day of February, be it the 28th or 29th.
#[rstest]
#[case("2024-01-31", "2024-02-29")]
#[case("2023-01-31", "2023-02-28")]
fn a_month_ends_on_its_last_day(#[case] cured_on: &str, #[case] until: &str) {
    let policy = policy(
        "",
        "[classification]\nname = \"c\"\nnormal = \"n\"\nprobation_months = 1\nclasses = [{ name = \"bad\", days_past_due = 1 }]",
    );
    let mut loan = loan(&[(1, "2020-02-29", "10.00")]);
    loan.assessed("2020-03-01", &policy, Trigger::Time);
    loan.pays(cured_on, "P-1", "10.00").assessed(cured_on, &policy, Trigger::Fact);
    let class = |on| loan.assessed_at(end_of_day(loan.account.time_zone, on), &policy).class.unwrap();
    assert_eq!(class(date(until).pred_opt().unwrap()).as_str(), "bad");
    assert_eq!(class(date(until)).as_str(), "n");
}
