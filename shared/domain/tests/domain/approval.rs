//! Relief that one person alone may not grant: the policy's table, and what each command counts.

use duewatch_domain::formats::parse_message;
use duewatch_domain::policy::{Language, parse, review};
use duewatch_domain::{Policy, Refusal, describe::describe};
use duewatch_testkit::ladder;
use rstest::rstest;

use crate::common::{TestLoan, four_installments, policy};

const NOON: &str = "2023-10-05T12:00:00Z";

fn with(tables: &str) -> Policy {
    policy("grace_days = 3", &format!("{}\n{tables}", ladder()))
}

fn text(tables: &str) -> String {
    duewatch_testkit::policy_text("guarded", "grace_days = 3", &format!("{}\n{tables}", ladder()))
}

#[rstest]
#[case::no_limit("[approval]\n", "approval: it needs amount_above or pause_days_above")]
#[case::less_than_nothing(
    "[approval]\namount_above = \"-1.00\"\n",
    "approval.amount_above: -1.00 is less than zero"
)]
#[case::no_days(
    "[approval]\namount_above = \"1\"\nwithin_days = 0\n",
    "approval.within_days: 0 is not between 1 and 92"
)]
#[case::a_year(
    "[approval]\namount_above = \"1\"\nwithin_days = 365\n",
    "approval.within_days: 365 is not between"
)]
#[case::long_pauses(
    "[approval]\npause_days_above = 99999\n",
    "approval.pause_days_above: 99999 is more than"
)]
#[case::another_key("[approval]\namount_above = \"1\"\npeople = 3\n", "unknown field `people`")]
fn limits_that_mean_nothing_are_refused(#[case] tables: &str, #[case] problem: &str) {
    let refused = parse(&text(tables)).unwrap_err().to_string();
    assert!(refused.contains(problem), "{refused}");
}

#[test]
fn a_limit_that_is_left_out_is_warned_of_and_the_page_for_borrowers_names_those_there_are() {
    let (policy, warnings) = review(&text("[approval]\namount_above = \"300.00\"\n")).unwrap();
    let warned: Vec<String> = warnings.iter().map(|one| one.problem.clone()).collect();
    let expected =
        "approval: without pause_days_above, one person alone may pause an account for any number of days";
    assert!(warned.iter().any(|one| one == expected), "{warned:?}");
    let page = describe(&policy, Language::En);
    assert!(page.contains("If we forgive or put off more than 300.00"), "{page}");
    assert!(page.contains("two of our people must agree"), "{page}");
    assert!(describe(&policy, Language::Zh).contains("须由我们的两名人员分别同意"));
    assert!(!describe(&with(""), Language::En).contains("two of our people"));
    assert!(policy.is_no_stricter_than(&with("")) && with("").is_no_stricter_than(&policy));
}

/// What the account says to a command of one person.
fn taken(loan: &mut TestLoan, policy: &Policy, id: &str, fields: &str) -> Option<String> {
    let line = format!(r#"{{"event_id":"{id}","at":"{NOON}","account_id":"A-1",{fields}}}"#);
    let message = parse_message(&line).unwrap();
    match loan.account.take_unapproved(&message, &policy.into()) {
        Ok(_) => None,
        Err(Refusal::NeedsApproval { sum, .. }) => Some(sum),
        Err(other) => panic!("{other}"),
    }
}

/// Four times 250.00, the first due on 1 October. At noon of the 5th the first bears a fixed late fee of 7.00.
#[rstest]
#[case::an_adjustment(
    r#""type":"installment_adjusted","number":1,"amount":"1.00","reason":"x""#,
    Some("1.00")
)]
#[case::an_increase(r#""type":"installment_adjusted","number":1,"amount":"-1.00","reason":"x""#, None)]
#[case::the_fee_that_is_open(r#""type":"fee_waived","reason":"x""#, Some("7.00"))]
#[case::no_more_than_is_open(r#""type":"fee_waived","amount":"99.00","reason":"x""#, Some("7.00"))]
#[case::a_part_of_it(r#""type":"fee_waived","amount":"2.00","reason":"x""#, Some("2.00"))]
#[case::none_of_another(r#""type":"fee_waived","number":2,"reason":"x""#, None)]
#[case::a_write_off_with_its_fee(r#""type":"written_off","number":1,"reason":"x""#, Some("257.00"))]
#[case::all_that_is_outstanding(r#""type":"written_off","reason":"x""#, Some("1007.00"))]
#[case::a_schedule(r#""type":"schedule_replaced","reason":"x","installments":[]"#, Some("1007.00"))]
#[case::enforcement(r#""type":"enforcement_off","reason":"x""#, Some("1007.00"))]
#[case::a_pause(r#""type":"pause_started","from":"2023-10-05","until":"2023-10-09""#, Some("4 days"))]
#[case::what_only_takes(r#""type":"enforcement_on","reason":"x""#, None)]
fn relief_counts_what_it_forgives_or_defers(#[case] fields: &str, #[case] expected: Option<&str>) {
    let tables = "[late_fee]\nfixed = \"7.00\"\n[approval]\namount_above = \"0\"\npause_days_above = 0\n";
    let (policy, mut loan) = (with(tables), four_installments());
    let before = loan.account.clone();
    let sum = taken(&mut loan, &policy, "E-1", fields);
    assert_eq!(sum.as_deref(), expected);
    if sum.is_some() {
        assert_eq!(loan.account, before, "the account is unchanged");
    }
}

#[test]
fn the_days_that_are_added_up_are_bounded_and_never_move_back() {
    let policy = with("[approval]\namount_above = \"100.00\"\nwithin_days = 3\n");
    let mut loan = four_installments();
    for day in 1..=20 {
        let line = format!(
            r#"{{"event_id":"E-{day}","at":"2023-10-{day:02}T04:00:00Z","account_id":"A-1","type":"installment_adjusted","number":1,"amount":"1.00","reason":"x"}}"#
        );
        loan.account.take_unapproved(&parse_message(&line).unwrap(), &(&policy).into()).unwrap();
    }
    let stored = serde_json::to_value(&loan.account).unwrap();
    let days: Vec<&str> = stored["unapproved_relief"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| day["on"].as_str().unwrap())
        .collect();
    assert_eq!(days, ["2023-10-18", "2023-10-19", "2023-10-20"]);
    assert_eq!(serde_json::from_value::<duewatch_domain::Account>(stored).unwrap(), loan.account);
}
