//! The version of a policy that binds an account, and since when. Installments of 250.00 are due on the first
//! of October to January.

use duewatch_domain::account::NoticeOf;
use duewatch_domain::assessment::Rules;
use duewatch_domain::kernel::end_of_day;
use duewatch_domain::policy::{self, Policy, Versions};
use duewatch_domain::{Applied, Trigger};
use rstest::rstest;

use crate::common::{TestLoan, date, four_installments, instant};

const ANNOUNCED: &str = "[announcement]\ndays = 30\nchannel = \"letter\"\ntemplate = \"new_terms\"\n";

fn version(version: u32, effective_on: &str, grace_days: u32, tables: &str) -> Policy {
    let text = format!(
        "id = \"p\"\nversion = {version}\neffective_on = {effective_on}\ngrace_days = {grace_days}\n\
         [[stages]]\nname = \"late\"\nwhen = {{ delinquent_days = 10 }}\n\
         restrictions = [{{ kind = \"freeze_drawdown\" }}]\n{tables}"
    );
    policy::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn versions(of: &[&Policy]) -> Versions {
    Versions::new(of.iter().copied().cloned().collect()).unwrap()
}

fn swept(loan: &mut TestLoan, until: &str, versions: &Versions) {
    let until = end_of_day(loan.account.time_zone, date(until));
    for _ in 0..100 {
        match loan.account.status.next_action_at.filter(|at| *at <= until) {
            Some(at) => loan.account.judge(versions, at, Trigger::Time),
            None => return,
        }
    }
}

fn judged(loan: &mut TestLoan, on: &str, versions: &Versions) {
    let now = loan.local(on);
    loan.account.judge(versions, now, Trigger::Fact);
}

#[rstest]
#[case::the_first_binds_whatever_its_date("2023-09-01", 1)]
#[case::the_day_before("2023-10-31", 1)]
#[case::on_its_date("2023-11-01", 2)]
#[case::the_third("2023-12-01", 3)]
fn the_latest_version_that_is_in_effect_binds(#[case] day: &str, #[case] expected: u32) {
    let (one, two, three) =
        (version(1, "2023-10-15", 5, ""), version(2, "2023-11-01", 0, ""), version(3, "2023-12-01", 9, ""));
    let versions = versions(&[&three, &one, &two]);
    let loan = four_installments();
    let now = loan.local(&format!("{day}T00:00:00"));
    assert_eq!(Rules::from(&versions).in_force(&loan.account, now).version, expected);
}

#[test]
fn a_version_binds_at_the_local_midnight_of_its_date_and_the_decision_says_so() {
    // Ten delinquent days: 19 October under nine days of grace, 11 October under none.
    let versions = versions(&[&version(1, "2023-01-01", 9, ""), &version(2, "2023-10-15", 0, "")]);
    let mut loan = four_installments();
    judged(&mut loan, "2023-09-01", &versions);
    swept(&mut loan, "2023-10-14", &versions);
    assert_eq!(loan.status_text(), "current []");
    swept(&mut loan, "2023-10-15", &versions);
    assert_eq!(loan.status_text(), "late [freeze_drawdown]");
    let decision = loan.account.recent_decisions().last().unwrap();
    assert_eq!((decision.at, decision.policy.version), (instant("2023-10-14T16:00:00Z"), 2));
}

#[test]
fn an_account_of_which_a_version_says_the_same_is_not_looked_at_for_it() {
    let versions = versions(&[&version(1, "2023-01-01", 9, ""), &version(2, "2023-09-15", 0, "")]);
    let mut loan = four_installments();
    judged(&mut loan, "2023-09-01", &versions);
    // The eleventh of October begins in Shanghai; the second version does not reach back before.
    assert_eq!(loan.account.status.next_action_at, Some(instant("2023-10-10T16:00:00Z")));
}

#[test]
fn a_stricter_version_never_binds_an_account_that_was_not_told() {
    let versions = versions(&[&version(1, "2023-01-01", 9, ""), &version(2, "2023-10-15", 0, ANNOUNCED)]);
    let mut loan = four_installments();
    judged(&mut loan, "2023-09-01", &versions);
    let announced: Vec<_> = loan
        .account
        .contact_requests
        .iter()
        .map(|one| (one.template.as_str(), one.notice_of.clone()))
        .collect();
    assert_eq!(announced, [("new_terms", Some(NoticeOf::Policy(2)))]);
    swept(&mut loan, "2023-10-18", &versions);
    assert_eq!(loan.status_text(), "current []");
    swept(&mut loan, "2023-10-31", &versions);
    let decision = loan.account.recent_decisions().last().unwrap();
    assert_eq!((loan.status_text().as_str(), decision.policy.version), ("late [freeze_drawdown]", 1));
}

// The announcement leaves on a day of September or October; the version is in effect on 15 October.
#[rstest]
#[case::long_before("2023-09-02", "2023-10-14", "current []")]
#[case::on_its_date("2023-09-02", "2023-10-15", "late [freeze_drawdown]")]
#[case::thirty_days_after_the_letter("2023-09-16", "2023-10-15", "current []")]
#[case::and_no_earlier("2023-09-16", "2023-10-16", "late [freeze_drawdown]")]
fn a_stricter_version_binds_so_many_days_after_its_announcement(
    #[case] told_on: &str,
    #[case] day: &str,
    #[case] expected: &str,
) {
    let versions = versions(&[&version(1, "2023-01-01", 30, ""), &version(2, "2023-10-15", 0, ANNOUNCED)]);
    let mut loan = four_installments();
    judged(&mut loan, "2023-09-01", &versions);
    let planned_at = loan.account.contact_requests[0].planned_at;
    let told_at = loan.local(told_on);
    assert_eq!(loan.account.notice_left(&NoticeOf::Policy(2), planned_at, told_at), Applied::Changed);
    judged(&mut loan, told_on, &versions);
    assert!(loan.account.contact_requests.is_empty());
    swept(&mut loan, day, &versions);
    assert_eq!(loan.status_text(), expected);
}

#[test]
fn a_letter_of_the_lenders_own_counts_as_well() {
    let versions = versions(&[&version(1, "2023-01-01", 30, ""), &version(2, "2023-10-15", 0, ANNOUNCED)]);
    let mut loan = four_installments();
    loan.learns("2023-08-01", "notice_sent", r#""policy_version":2"#);
    judged(&mut loan, "2023-09-01", &versions);
    assert!(loan.account.contact_requests.is_empty());
    swept(&mut loan, "2023-10-15", &versions);
    assert_eq!(loan.status_text(), "late [freeze_drawdown]");
}

#[test]
fn a_milder_version_binds_on_its_date_and_needs_no_letter() {
    let versions = versions(&[&version(1, "2023-01-01", 0, ""), &version(2, "2023-10-15", 9, ANNOUNCED)]);
    let mut loan = four_installments();
    judged(&mut loan, "2023-09-01", &versions);
    assert!(loan.account.contact_requests.is_empty());
    swept(&mut loan, "2023-10-14", &versions);
    assert_eq!(loan.status_text(), "late [freeze_drawdown]");
    swept(&mut loan, "2023-10-15", &versions);
    assert_eq!(loan.status_text(), "current []");
    assert_eq!(loan.account.status.since, Some(instant("2023-10-14T16:00:00Z")));
}

const BASE: &str = "grace_days = 3\nbuffer = { days = 5, amount = \"10\", months = 12 }\n\
    [[stages]]\nname = \"a\"\nwhen = { delinquent_days = 5 }\n\
    restrictions = [{ kind = \"limit_credit_line\", percent = 50, notice_days = 7 }]\n";

#[rstest]
#[case::the_same("grace_days = 3", "grace_days = 3", true)]
#[case::more_grace("grace_days = 3", "grace_days = 4", true)]
#[case::less_grace("grace_days = 3", "grace_days = 2", false)]
#[case::a_later_stage("delinquent_days = 5", "delinquent_days = 6", true)]
#[case::an_earlier_stage("delinquent_days = 5", "delinquent_days = 4", false)]
#[case::one_condition_more("delinquent_days = 5", "delinquent_days = 5, overdue_amount = \"1\"", true)]
#[case::another_condition("delinquent_days = 5", "days_past_due = 50", false)]
#[case::a_wider_line("percent = 50", "percent = 60", true)]
#[case::a_narrower_line("percent = 50", "percent = 40", false)]
#[case::a_longer_notice("notice_days = 7", "notice_days = 8", true)]
#[case::no_notice(", notice_days = 7", "", false)]
#[case::a_longer_buffer("days = 5, amount", "days = 6, amount", true)]
#[case::a_smaller_buffer("amount = \"10\"", "amount = \"9\"", false)]
#[case::one_exception_more("percent = 50", "percent = 50, except = [\"draw\"]", true)]
#[case::another_name("name = \"a\"", "name = \"b\"", false)]
#[case::one_stage_more(
    "[[stages]]",
    "[[stages]]\nname = \"z\"\nwhen = { delinquent_days = 1 }\n[[stages]]",
    false
)]
fn what_cannot_be_shown_to_be_no_stricter_counts_as_stricter(
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: bool,
) {
    let head = "id = \"p\"\nversion = 1\neffective_on = 2023-01-01\n";
    assert!(BASE.contains(from), "{from}");
    let before = policy::parse(&format!("{head}{BASE}")).unwrap();
    let after = policy::parse(&format!("{head}{}", BASE.replacen(from, to, 1))).unwrap();
    assert_eq!(after.is_no_stricter_than(&before), expected);
}
