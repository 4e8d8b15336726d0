//! The account's side of cases: the consequences that wait for an open case. With three days of grace the line is
//! limited on 9 October.

use chrono::{DateTime, Days, Utc};
use duewatch_domain::account::{DeferralReason, Reason};
use duewatch_domain::{Applied, Policy, Trigger, assess, decide};
use proptest::prelude::*;
use rstest::rstest;

use crate::common::{TestLoan, date, four_installments};
use crate::holds::{limited_on, told, watched, with};

/// Appeals hold for ten days, two in a year.
fn holding(more: &str) -> Policy {
    with(&format!(
        "[cases.appeal]\nanswer = {{ amount = 30, unit = \"days\" }}\nholds = [\"restrictions\"]\nholds_days = 10\n\
         repeat = {{ at_most = 2, within_days = 365 }}\n{more}"
    ))
}

const FIRST: &str = r#""case_id":"A-1/1","kind":"appeal""#;
const SECOND: &str = r#""case_id":"A-1/2","kind":"appeal""#;
const THIRD: &str = r#""case_id":"A-1/3","kind":"appeal""#;

// Opened on 8 October it holds until the 18th, its tenth day over.
#[rstest]
#[case::its_days("", "2023-10-18")]
#[case::those_of_all_holds("[holds]\nat_most_days = 4\n", "2023-10-13")]
fn an_open_case_keeps_a_restriction_back_within_its_days(#[case] more: &str, #[case] expected: &str) {
    let policy = holding(more);
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-08", "case_opened", FIRST);
    assert_eq!(limited_on(&mut loan, &policy), expected);
}

// 9 to 13 October are five days; a day on which both hold counts once.
#[test]
fn a_case_and_a_dispute_share_the_days_of_all_holds() {
    let policy = holding("[dispute]\nholds_days = 10\n[holds]\nat_most_days = 5\n");
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-08", "dispute_opened", r#""dispute_id":"D-1","reason":"no""#);
    told(&mut loan, &policy, "2023-10-10", "case_opened", FIRST);
    assert_eq!(limited_on(&mut loan, &policy), "2023-10-14");
}

#[rstest]
#[case::withdrawn("withdrawn")]
#[case::rejected("rejected")]
#[case::upheld("upheld")]
fn the_end_of_a_case_ends_its_hold_in_the_same_write(#[case] outcome: &str) {
    let policy = holding("");
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-08", "case_opened", FIRST);
    loan.swept("2023-10-11", &policy);
    let held = Reason::RestrictionsDeferred { by: DeferralReason::Case, until: Some(date("2023-10-18")) };
    assert!(loan.account.status.restrictions.is_empty());
    assert!(loan.account.recent_decisions().last().unwrap().reasons.contains(&held));
    let fields = format!(r#"{FIRST},"outcome":"{outcome}""#);
    loan.learns("2023-10-12", "case_decided", &fields).assessed("2023-10-12", &policy, Trigger::Fact);
    assert_eq!(loan.account.status.restrictions.len(), 1);
}

#[test]
fn a_third_case_within_a_year_holds_nothing() {
    let policy = holding("");
    let mut loan = watched(&policy);
    for (on, case) in [("2023-10-02", FIRST), ("2023-10-03", SECOND)] {
        told(&mut loan, &policy, on, "case_opened", case);
        told(&mut loan, &policy, on, "case_decided", &format!(r#"{case},"outcome":"withdrawn""#));
    }
    told(&mut loan, &policy, "2023-10-08", "case_opened", THIRD);
    assert_eq!(limited_on(&mut loan, &policy), "2023-10-09");
}

#[test]
fn a_case_of_a_kind_that_holds_nothing_keeps_nothing_back() {
    let policy = with("[cases.complaint]\nanswer = { amount = 15, unit = \"days\" }\n");
    let mut loan = watched(&policy);
    told(&mut loan, &policy, "2023-10-08", "case_opened", r#""case_id":"A-1/1","kind":"complaint""#);
    assert_eq!(limited_on(&mut loan, &policy), "2023-10-09");
}

#[test]
fn a_case_is_known_by_its_id() {
    let mut loan = four_installments();
    loan.learns("2023-10-08", "case_opened", FIRST);
    assert_eq!(loan.try_learn("2023-10-09", "case_opened", FIRST), Ok(Applied::Unchanged));
    assert_eq!(loan.account.cases().len(), 1);
    let complaint = r#""case_id":"A-1/1","kind":"complaint""#;
    assert_eq!(
        loan.try_learn("2023-10-09", "case_opened", complaint).unwrap_err().to_string(),
        "kind: case A-1/1 is known as appeal"
    );
    let unknown = format!(r#"{SECOND},"outcome":"upheld""#);
    assert_eq!(
        loan.try_learn("2023-10-09", "case_decided", &unknown).unwrap_err().to_string(),
        "case_id: no case A-1/2 is known"
    );
}

#[test]
fn an_account_keeps_its_open_cases() {
    let mut loan = four_installments();
    let case = |number: usize| format!(r#""case_id":"A-1/{number}","kind":"appeal""#);
    for number in 1..=20 {
        loan.learns("2023-10-08", "case_opened", &case(number));
    }
    let beyond = loan.try_learn("2023-10-08", "case_opened", &case(21)).unwrap_err().to_string();
    assert_eq!(beyond, "case_id: an account holds at most 20 open cases");
    loan.learns("2023-10-08", "case_decided", &format!(r#"{},"outcome":"upheld""#, case(3)));
    loan.learns("2023-10-08", "case_opened", &case(21));
    assert_eq!(loan.account.cases().len(), 20);
    assert!(loan.account.cases().iter().all(|known| known.case_id.as_str() != "A-1/3"));
}

/// The instants of decisions, with the stages and the number of restrictions that they led to.
fn course(loan: &TestLoan) -> Vec<(DateTime<Utc>, String, usize)> {
    let decided = loan.account.recent_decisions().iter();
    decided.map(|one| (one.at, one.to.to_string(), one.applied.len())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Cases and disputes hold by one mechanism: where their bounds are the same, so is the account's course, and
    /// before each next action nothing changes.
    #[test]
    fn cases_hold_as_disputes_do(
        days in 1_u32..20,
        most in prop::option::of(1_u32..20),
        facts in prop::collection::vec((0_u64..8, any::<bool>()), 0..10),
    ) {
        let bound = most.map_or_else(String::new, |most| format!("[holds]\nat_most_days = {most}\n"));
        let by_dispute = with(&format!("[dispute]\nholds_days = {days}\n{bound}"));
        let by_case = with(&format!(
            "[cases.dispute]\nanswer = {{ amount = 30, unit = \"days\" }}\nholds = [\"restrictions\", \"contact\"]\n\
             holds_days = {days}\nrepeat = {{ at_most = 100, within_days = 1 }}\n{bound}"
        ));
        let (mut disputed, mut in_case) = (watched(&by_dispute), watched(&by_case));
        let (mut on, mut opened, mut closed) = (date("2023-10-03"), 0, 0);
        for (later, is_opened) in facts {
            on = on.checked_add_days(Days::new(later + 1)).unwrap();
            let day = on.to_string();
            let (dispute, case) = if is_opened {
                opened += 1;
                (("dispute_opened", format!(r#""dispute_id":"D-{opened}","reason":"no""#)),
                 ("case_opened", format!(r#""case_id":"A-1/{opened}","kind":"dispute""#)))
            } else if closed < opened {
                closed += 1;
                (("dispute_closed", format!(r#""dispute_id":"D-{closed}","outcome":"rejected""#)),
                 ("case_decided", format!(r#""case_id":"A-1/{closed}","kind":"dispute","outcome":"rejected""#)))
            } else {
                continue;
            };
            told(&mut disputed, &by_dispute, &day, dispute.0, &dispute.1);
            told(&mut in_case, &by_case, &day, case.0, &case.1);
            if let Some(next) = in_case.account.status.next_action_at {
                let now = in_case.local(&day);
                for part in [1, 400, 999] {
                    let at = now + (next - now) / 1_000 * part;
                    let assessed = assess(&in_case.account, &by_case, at);
                    let decision = decide(&in_case.account, &by_case, &assessed, at, Trigger::Time);
                    prop_assert!(decision.is_none(), "at {}: {:?}", at, decision);
                }
            }
        }
        for (loan, policy) in [(&mut disputed, &by_dispute), (&mut in_case, &by_case)] {
            loan.swept("2024-03-01", policy);
        }
        prop_assert_eq!(course(&disputed), course(&in_case));
    }
}
