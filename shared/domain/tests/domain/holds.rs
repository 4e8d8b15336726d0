//! Bounded holds: over all kinds and items together they keep restrictions back on so many days of a delinquency
//! episode. With three days of grace the line is limited on 9 October, draw-downs are frozen on the 19th.

use duewatch_domain::account::{DeferralReason, HoldUse, Reason};
use duewatch_domain::kernel::{end_of_day, start_of_day};
use duewatch_domain::{Policy, Trigger};
use duewatch_testkit::ladder;
use rstest::rstest;

use crate::common::{TestLoan, date, four_installments, policy};

pub(crate) fn with(tables: &str) -> Policy {
    policy("grace_days = 3", &format!("{}\n{tables}", ladder()))
}

fn bounded(days: u32) -> Policy {
    with(&format!(
        "[dispute]\nholds_days = 10\n[cause]\ntemporary_holds_days = 10\n[payment_in_process]\nmax_days = 10\n\
         [holds]\nat_most_days = {days}\n"
    ))
}

/// The loan, evaluated as duewatch would evaluate it from its opening on.
pub(crate) fn watched(policy: &Policy) -> TestLoan {
    let mut loan = four_installments();
    loan.assessed("2023-09-01", policy, Trigger::Fact);
    loan
}

/// A fact that becomes known on a day: evaluated first for the time that has gone by, then with it.
pub(crate) fn told(loan: &mut TestLoan, policy: &Policy, on: &str, kind: &str, fields: &str) {
    let before = date(on).pred_opt().unwrap().to_string();
    loan.swept(&before, policy);
    loan.learns(on, kind, fields).assessed(on, policy, Trigger::Fact);
}

/// The first day of October or November with a limited line.
pub(crate) fn limited_on(loan: &mut TestLoan, policy: &Policy) -> String {
    let mut day = date("2023-10-01");
    loop {
        loan.swept(&day.to_string(), policy);
        if !loan.account.status.restrictions.is_empty() {
            return day.to_string();
        }
        day = day.succ_opt().unwrap();
        assert!(day < date("2023-12-01"), "it is held for ever");
    }
}

const DISPUTED: &str = r#""dispute_id":"D-1","reason":"no""#;

#[test]
fn an_account_that_is_assessed_late_for_the_first_time_has_used_its_days_all_the_same() {
    let policy = bounded(4);
    for (on, is_limited) in [("2023-10-12", false), ("2023-10-13", true), ("2023-10-17", true)] {
        let mut loan = four_installments();
        loan.learns("2023-10-08", "dispute_opened", DISPUTED).assessed(on, &policy, Trigger::Fact);
        assert_eq!(!loan.account.status.restrictions.is_empty(), is_limited, "{on}");
    }
}

#[rstest]
#[case::within_them(12, "2023-10-18")]
#[case::exactly(9, "2023-10-18")]
#[case::fewer(4, "2023-10-13")]
#[case::one(1, "2023-10-10")]
fn a_dispute_holds_for_as_many_days_as_are_left(#[case] days: u32, #[case] expected: &str) {
    let policy = bounded(days);
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-08", "dispute_opened", DISPUTED);
    assert_eq!(limited_on(&mut loan, &policy), expected);
}

#[test]
fn one_hold_after_another_has_the_days_that_those_before_have_left() {
    let policy = bounded(5);
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-08", "dispute_opened", DISPUTED);
    // Three days are used: 9, 10 and 11 October.
    told(&mut loan, &policy, "2023-10-11", "payment_in_process", r#""until":"2023-10-20""#);
    told(&mut loan, &policy, "2023-10-12", "dispute_closed", r#""dispute_id":"D-1","outcome":"withdrawn""#);
    told(
        &mut loan,
        &policy,
        "2023-10-13",
        "cause_recorded",
        r#""cause":"temporary","by":"officer-7","reason":"ill""#,
    );
    assert_eq!(loan.account.status.holds.used_by(date("2023-10-13")), 4);
    assert_eq!(limited_on(&mut loan, &policy), "2023-10-14");
    assert_eq!(loan.account.status.holds.over_on, Some(date("2023-10-14")));
    let decided = loan.account.recent_decisions().last().unwrap();
    assert_eq!(decided.at, start_of_day(loan.account.time_zone, date("2023-10-14")));
}

#[test]
fn days_on_which_nothing_is_kept_back_are_not_used() {
    // The dispute is over before the line would be limited, and another one holds the next restriction.
    let policy = bounded(3);
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-05", "dispute_opened", DISPUTED);
    told(&mut loan, &policy, "2023-10-08", "dispute_closed", r#""dispute_id":"D-1","outcome":"rejected""#);
    assert_eq!(limited_on(&mut loan, &policy), "2023-10-09");
    assert_eq!(loan.account.status.holds, HoldUse::default());
    told(&mut loan, &policy, "2023-10-18", "dispute_opened", r#""dispute_id":"D-2","reason":"no""#);
    loan.swept("2023-10-21", &policy);
    assert_eq!(loan.status_text(), "frozen [limit_credit_line to 50 %]");
    loan.swept("2023-10-22", &policy);
    assert_eq!(loan.status_text(), "frozen [limit_credit_line to 50 %, freeze_drawdown]");
}

#[test]
fn paused_days_are_not_used() {
    let policy = bounded(4);
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-08", "dispute_opened", DISPUTED);
    // 9 and 10 October are used; then the days stand still for three days.
    told(&mut loan, &policy, "2023-10-10", "pause_started", r#""from":"2023-10-11","until":"2023-10-14""#);
    assert_eq!(limited_on(&mut loan, &policy), "2023-10-16");
}

#[test]
fn another_episode_has_days_of_its_own() {
    let policy = bounded(2);
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-08", "dispute_opened", DISPUTED);
    assert_eq!(limited_on(&mut loan, &policy), "2023-10-11");
    loan.pays("2023-10-12", "P-1", "250.00").assessed("2023-10-12", &policy, Trigger::Fact);
    assert_eq!(
        (loan.status_text().as_str(), &loan.account.status.holds),
        ("current []", &HoldUse::default())
    );
    // The second installment, due on 1 November, would limit the line on the 9th.
    told(&mut loan, &policy, "2023-11-08", "dispute_opened", r#""dispute_id":"D-2","reason":"no""#);
    loan.swept("2023-11-10", &policy);
    assert_eq!(loan.status_text(), "limited []");
    loan.swept("2023-11-11", &policy);
    assert_eq!(loan.status_text(), "limited [limit_credit_line to 50 %]");
}

/// An installment on hold is overdue all the same, though no stage counts its days.
#[test]
fn an_installment_on_hold_does_not_renew_the_days() {
    let policy = bounded(2);
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-08", "dispute_opened", DISPUTED);
    assert_eq!(limited_on(&mut loan, &policy), "2023-10-11");
    told(&mut loan, &policy, "2023-10-12", "installment_held", r#""number":1"#);
    assert_eq!(loan.status_text(), "current []");
    told(&mut loan, &policy, "2023-10-16", "installment_released", r#""number":1"#);
    assert_eq!(loan.status_text(), "limited [limit_credit_line to 50 %]");
}

#[test]
fn paying_the_oldest_installment_of_several_does_not_renew_the_days() {
    let policy = bounded(2);
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-08", "dispute_opened", DISPUTED);
    loan.swept("2023-11-20", &policy);
    loan.pays("2023-11-20", "P-1", "250.00").assessed("2023-11-20", &policy, Trigger::Fact);
    assert_eq!(loan.account.status.holds.over_on, Some(date("2023-10-11")), "it is the same episode");
}

#[test]
fn the_reason_states_the_day_on_which_the_hold_ends() {
    let policy = bounded(4);
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-08", "dispute_opened", DISPUTED);
    loan.swept("2023-10-09", &policy);
    let assessment = loan.assessed_at(end_of_day(loan.account.time_zone, date("2023-10-09")), &policy);
    let held = Reason::RestrictionsDeferred { by: DeferralReason::Dispute, until: Some(date("2023-10-13")) };
    assert_eq!(assessment.reasons.last(), Some(&held));
    assert_eq!(assessment.next_action_at, Some(start_of_day(loan.account.time_zone, date("2023-10-13"))));
}

#[rstest]
#[case::by_default("", 3)]
#[case::as_the_policy_says("[holds]\nhold_days = 1\n", 1)]
#[case::as_all_holds("[holds]\nat_most_days = 2\n", 2)]
fn money_that_cannot_be_posted_holds_for_so_many_days(#[case] tables: &str, #[case] days: u32) {
    let policy = with(tables);
    let mut loan = watched(&policy);
    loan.swept("2023-10-08", &policy);
    for day in 9..9 + days {
        for hour in [1, 23] {
            let now = loan.local(&format!("2023-10-{day:02}T{hour:02}:00:00"));
            let holds = loan.account.assess_by(&policy, now).held_by_money();
            loan.account.defer_restriction(holds.expect("it holds"), now);
        }
    }
    assert_eq!(loan.account.status.holds.money_days, days);
    let after = loan.local(&format!("2023-10-{:02}T00:00:00", 9 + days));
    assert_eq!(loan.account.assess_by(&policy, after).held_by_money(), None);
}

#[rstest]
#[case::none("[holds]\nat_most_days = 0\n", "holds.at_most_days: 0 is not between 1 and")]
#[case::no_money("[holds]\nhold_days = 0\n", "holds.hold_days: 0 is not between 1 and")]
#[case::money_longer_than_all(
    "[holds]\nat_most_days = 2\nhold_days = 3\n",
    "holds.hold_days: 3 is more than at_most_days, 2"
)]
fn bounds_that_mean_nothing_are_refused(#[case] tables: &str, #[case] problem: &str) {
    let text = duewatch_testkit::policy_text("bounded", "grace_days = 3", &format!("{}\n{tables}", ladder()));
    let refused = duewatch_domain::policy::parse(&text).unwrap_err().to_string();
    assert!(refused.contains(problem), "{refused}");
}

#[rstest]
#[case::a_bound_where_there_was_none("", "[holds]\nat_most_days = 30\n", false)]
#[case::a_longer_bound("[holds]\nat_most_days = 30\n", "[holds]\nat_most_days = 31\n", true)]
#[case::a_shorter_bound("[holds]\nat_most_days = 30\n", "[holds]\nat_most_days = 29\n", false)]
#[case::shorter_for_money("", "[holds]\nhold_days = 2\n", false)]
#[case::no_bound_any_more("[holds]\nat_most_days = 30\n", "", true)]
fn a_shorter_hold_is_stricter(#[case] before: &str, #[case] after: &str, #[case] milder: bool) {
    assert_eq!(with(after).is_no_stricter_than(&with(before)), milder);
}
