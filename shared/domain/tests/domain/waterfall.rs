//! The order of allocation, and the use of an overpayment.

use duewatch_domain::policy::{self as policies, Policy};
use duewatch_domain::{Account, allocate_at};
use rstest::rstest;

use crate::common::{TestLoan, contract, date, loan, policy};

const BY_INTEREST: &str = r#"waterfall = [
    "past_due_penalty", "past_due_fee", "past_due_interest", "due_penalty", "due_fee", "due_interest",
    "past_due_principal", "due_principal",
    "in_advance_principal", "in_advance_interest", "in_advance_fee", "in_advance_penalty",
]"#;
const INTEREST_FIRST: &str = r#"waterfall = ["interest", "principal", "fee", "penalty"]"#;

/// Three installments of 100.00 principal and 10.00 interest, on the first of October to December.
fn three() -> TestLoan {
    let terms: Vec<String> = [(1, "2023-10-01"), (2, "2023-11-01"), (3, "2023-12-01")]
        .iter()
        .map(|(number, due_on)| {
            format!(r#"{{"number":{number},"due_on":"{due_on}","principal":"100.00","interest":"10.00"}}"#)
        })
        .collect();
    TestLoan { account: Account::open(&contract("Asia/Shanghai", "CNY", &terms.join(","))).unwrap() }
}

/// The open components of each installment, in its waterfall's order.
fn open(loan: &TestLoan, policy: &Policy) -> String {
    let allocation = allocate_at(&loan.account, policy);
    let of = |open_installment| {
        let open = allocation.open_components(open_installment, date("2023-11-01"), &loan.account, policy);
        open.iter().map(|(component, amount)| format!("{component} {amount}")).collect::<Vec<_>>().join(" ")
    };
    allocation.open_installments.iter().map(of).collect::<Vec<_>>().join(", ")
}

#[rstest]
// The whole oldest first: 10.00 and 15.00.
#[case::four(
    INTEREST_FIRST,
    "2023-11-10",
    "25.00",
    "principal 85.00, interest 10.00 principal 100.00, interest 10.00 principal 100.00"
)]
// The interest of both past due, then 5.00 of the oldest principal.
#[case::twelve(
    BY_INTEREST,
    "2023-11-10",
    "25.00",
    "principal 95.00, principal 100.00, interest 10.00 principal 100.00"
)]
// The second is due on the day: its interest comes before the first's principal.
#[case::due(
    BY_INTEREST,
    "2023-11-01",
    "25.00",
    "principal 95.00, principal 100.00, interest 10.00 principal 100.00"
)]
// In advance the principal comes first, and the next installment whole before the one after it.
#[case::in_advance(BY_INTEREST, "2023-10-10", "215.00", "interest 5.00, interest 10.00 principal 100.00")]
fn money_goes_by_the_class_of_each_installment(
    #[case] waterfall: &str,
    #[case] on: &str,
    #[case] amount: &str,
    #[case] expected: &str,
) {
    let mut loan = three();
    loan.pays(on, "P-1", amount);
    assert_eq!(open(&loan, &policy(waterfall, "")), expected);
}

fn hundreds() -> TestLoan {
    loan(&[(1, "2023-10-01", "100.00"), (2, "2023-11-01", "100.00"), (3, "2023-12-01", "100.00")])
}

#[rstest]
#[case::next("next", "principal 50.00, principal 100.00")]
#[case::last("last", "principal 100.00, principal 50.00")]
// 50.00 wait for 1 November: they count as paid, for with them the second never falls past due.
#[case::credit("credit", "principal 50.00, principal 100.00")]
fn what_is_paid_beyond_goes_where_the_policy_says(#[case] overpayment: &str, #[case] expected: &str) {
    let mut loan = hundreds();
    loan.pays("2023-10-01", "P-1", "150.00");
    assert_eq!(open(&loan, &policy(&format!("overpayment = \"{overpayment}\""), "")), expected);
}

#[rstest]
#[case::waits("2023-10-31", "200.00", "0.00")]
#[case::settles_on_the_due_date("2023-11-01", "150.00", "0.00")]
#[case::and_the_rest_falls_past_due("2023-11-02", "150.00", "50.00")]
fn credit_settles_what_falls_due_on_its_due_date(
    #[case] on: &str,
    #[case] outstanding: &str,
    #[case] overdue: &str,
) {
    let policy = policy("overpayment = \"credit\"", "");
    let mut loan = hundreds();
    loan.pays("2023-10-01", "P-1", "150.00");
    let figures = loan.figures(on, &policy);
    assert_eq!(
        (figures.outstanding.to_string().as_str(), figures.overdue.to_string().as_str()),
        (outstanding, overdue)
    );
}

// 30.00 wait for two installments of 1 November with 10.00 of interest each: a payment on that day settles
// the interest of both first, and so does an earlier one.
#[rstest]
#[case::waits("2023-10-01", "30.00")]
#[case::comes_that_day("2023-11-01", "30.00")]
fn credit_settles_what_falls_due_in_the_order_of_a_payment_of_that_day(
    #[case] on: &str,
    #[case] amount: &str,
) {
    let terms: Vec<String> = [1, 2]
        .iter()
        .map(|number| {
            format!(r#"{{"number":{number},"due_on":"2023-11-01","principal":"100.00","interest":"10.00"}}"#)
        })
        .collect();
    let account = Account::open(&contract("Asia/Shanghai", "CNY", &terms.join(","))).unwrap();
    let mut loan = TestLoan { account };
    loan.pays(on, "P-1", amount);
    let policy = policy(&format!("overpayment = \"credit\"\n{BY_INTEREST}"), "");
    assert_eq!(open(&loan, &policy), "principal 90.00, principal 100.00");
}

#[test]
fn money_for_a_later_installment_by_name_settles_it_whatever_the_policy_says() {
    let policy = policy("overpayment = \"credit\"", "");
    let mut loan = hundreds();
    loan.pays_for("2023-10-01", "P-1", "120.00", "[3]");
    assert_eq!(open(&loan, &policy), "principal 80.00, principal 100.00");
}

#[rstest]
#[case::a_class_alone(r#"["past_due_penalty", "past_due_fee", "past_due_interest", "past_due_principal"]"#)]
#[case::mixed(r#"["penalty", "fee", "interest", "past_due_principal"]"#)]
#[case::twice(&BY_INTEREST.replace("due_fee", "due_interest")[12..])]
#[case::unknown(r#"["penalty", "fee", "interest", "capital"]"#)]
#[case::too_few(r#"["penalty"]"#)]
fn a_waterfall_names_each_once(#[case] names: &str) {
    let text = format!("id = \"p\"\nversion = 1\neffective_on = 2026-01-01\nwaterfall = {names}\n");
    let error = policies::parse(&text).unwrap_err();
    assert!(error.problem.contains("once each") && error.line == 4, "{error}");
}
