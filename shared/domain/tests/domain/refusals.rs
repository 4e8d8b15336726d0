//! A refused command leaves the account as it was, and states the reason.

use duewatch_domain::commands::{AccountOpened, EnforcementOff};
use duewatch_domain::{Account, Applied, Command, Refusal};
use rstest::rstest;

use crate::common::{self, TestLoan, contract, four_installments, loan, pause};

/// An account with facts of every kind.
fn eventful() -> TestLoan {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00")
        .pays_for("2023-10-02", "P-2", "100.00", "[3]")
        .reverses("2023-10-03", "P-1", "reversal")
        .pauses("2023-10-04", "2023-10-10", "2023-10-20")
        .learns("2023-10-05", "written_off", r#""number":4,"reason":"settlement""#)
        .assessed("2023-10-06", &common::ladder(), duewatch_domain::assessment::Trigger::Fact);
    loan
}

fn added(number: u32, due_on: &str, rest: &str) -> String {
    format!(r#""installment":{{"number":{number},"due_on":"{due_on}",{rest}}}"#)
}

#[rstest]
#[case::payment_of_nothing(
    "payment_received",
    r#""payment_id":"P-9","amount":"0.00""#,
    "amount: 0.00 is not more than zero"
)]
#[case::payment_below_nothing(
    "payment_received",
    r#""payment_id":"P-9","amount":"-5.00""#,
    "amount: -5.00 is not more than zero"
)]
#[case::payment_too_fine(
    "payment_received",
    r#""payment_id":"P-9","amount":"5.001""#,
    "amount: 5.001 has 3 decimals, CNY has 2"
)]
#[case::payment_in_another_currency(
    "payment_received",
    r#""payment_id":"P-9","amount":"5.00","currency":"USD""#,
    "currency: the payment is in USD, the account in CNY"
)]
#[case::payment_before_all_dates(
    "payment_received",
    r#""payment_id":"P-9","amount":"5.00","value_date":"1899-12-31""#,
    "value_date: 1899-12-31 is not between"
)]
#[case::payment_known_with_another_amount(
    "payment_received",
    r#""payment_id":"P-1","amount":"5.00""#,
    "payment_id: P-1 was received before with another amount (250.00, now 5.00)"
)]
#[case::reversal_of_an_unknown_payment(
    "payment_reversed",
    r#""payment_id":"P-9""#,
    "payment_id: P-9 is not known"
)]
#[case::installment_number_taken("installment_added", &added(2, "2024-02-01", r#""principal":"1.00""#), "number: installment 2 exists already")]
#[case::installment_below_nothing("installment_added", &added(9, "2024-02-01", r#""principal":"-1.00""#), "principal: -1.00 is less than zero")]
#[case::interest_below_nothing("installment_added", &added(9, "2024-02-01", r#""principal":"1.00","interest":"-0.01""#), "interest: -0.01 is less than zero")]
#[case::fee_too_fine("installment_added", &added(9, "2024-02-01", r#""principal":"1.00","fee":"0.005""#), "fee: 0.005 has 3 decimals, CNY has 2")]
#[case::installment_after_all_dates("installment_added", &added(9, "3000-01-01", r#""principal":"1.00""#), "due_on: 3000-01-01 is not between")]
#[case::adjustment_of_an_unknown_installment(
    "installment_adjusted",
    r#""number":9,"amount":"1.00","reason":"x""#,
    "number: the account has no installment 9"
)]
#[case::adjustment_beyond(
    "installment_adjusted",
    r#""number":1,"amount":"250.01","reason":"x""#,
    "amount: 250.01 exceeds the amount due of installment 1, 250.00"
)]
#[case::adjustment_too_fine(
    "installment_adjusted",
    r#""number":1,"amount":"0.001","reason":"x""#,
    "amount: 0.001 has 3 decimals, CNY has 2"
)]
#[case::schedule_with_a_number_twice(
    "schedule_replaced",
    r#""installments":[{"number":8,"due_on":"2024-02-01","principal":"1.00"},{"number":8,"due_on":"2024-03-01","principal":"1.00"}],"reason":"x""#,
    "installments[1].number: installment 8 exists already"
)]
#[case::schedule_with_a_bad_amount(
    "schedule_replaced",
    r#""installments":[{"number":8,"due_on":"2024-02-01","principal":"1.00"},{"number":9,"due_on":"2024-03-01","principal":"-2.00"}],"reason":"x""#,
    "installments[1].principal: -2.00 is less than zero"
)]
#[case::pause_of_no_day("pause_started", &pause("2023-11-01", "2023-11-01"), "until: 2023-11-01 is not later than 2023-11-01")]
#[case::pause_over_another("pause_started", &pause("2023-10-19", "2023-11-01"), "from: the pause from 2023-10-19 until 2023-11-01 overlaps the one from 2023-10-10 until 2023-10-20")]
#[case::pause_after_all_dates("pause_started", &pause("2023-11-01", "3000-01-01"), "until: 3000-01-01 is not between")]
#[case::pause_that_does_not_run("pause_ended", r#""on":"2023-10-20""#, "on: no pause holds on 2023-10-20")]
#[case::write_off_of_an_unknown_installment(
    "written_off",
    r#""number":9,"reason":"x""#,
    "number: the account has no installment 9"
)]
#[case::write_off_undone_of_an_unknown_installment(
    "write_off_undone",
    r#""number":9,"reason":"x""#,
    "number: the account has no installment 9"
)]
fn a_refused_command_leaves_the_account_exactly_as_it_was(
    #[case] kind: &str,
    #[case] fields: &str,
    #[case] wording: &str,
) {
    let mut loan = eventful();
    let before = loan.clone();
    let refusal = loan.try_learn("2023-10-12", kind, fields).unwrap_err().to_string();
    assert!(refusal.starts_with(wording), "{refusal}");
    assert_eq!(loan, before);
}

#[rstest]
#[case::zone("America/New_York", "CNY", "250.00")]
#[case::currency("Asia/Shanghai", "EUR", "250.00")]
#[case::amount("Asia/Shanghai", "CNY", "250.01")]
fn an_account_opened_again_under_other_terms_is_refused(
    #[case] zone: &str,
    #[case] currency: &str,
    #[case] principal: &str,
) {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    let before = loan.clone();
    let installment = format!(r#"{{"number":1,"due_on":"2023-10-01","principal":"{principal}"}}"#);
    let again = Command::AccountOpened(AccountOpened { account: contract(zone, currency, &installment) });
    let refusal = loan.account.apply(&again, before.local("2023-10-02")).unwrap_err();
    assert_eq!(refusal.to_string(), "account_id: A-1 is open already, under other terms");
    assert_eq!(loan, before);
}

#[test]
fn an_account_holds_six_hundred_installments_and_no_more() {
    let numbered = |last: u32| -> String {
        let each: Vec<String> = (1..=last)
            .map(|number| format!(r#"{{"number":{number},"due_on":"2023-10-01","principal":"1.00"}}"#))
            .collect();
        each.join(",")
    };
    let mut full =
        TestLoan { account: Account::open(&contract("Asia/Shanghai", "CNY", &numbered(600))).unwrap() };
    full.pays("2023-10-01", "P-1", "1.00");
    let before = full.clone();
    let one_more = added(601, "2023-10-01", r#""principal":"1.00""#);
    let refusal = full.try_learn("2023-10-02", "installment_added", &one_more);
    assert_eq!(refusal, Err(Refusal::TooManyInstallments));
    // A debt that falls due anew needs room too.
    let reversal = r#""payment_id":"P-1","dated":"reversal""#;
    let refusal = full.try_learn("2023-10-02", "payment_reversed", reversal);
    assert_eq!(refusal, Err(Refusal::TooManyInstallments));
    assert_eq!(full, before);
}

#[test]
fn an_account_holds_two_thousand_payments_and_no_more() {
    let mut full = four_installments();
    for number in 1..=2_000 {
        full.pays("2023-10-01", &format!("P-{number}"), "0.01");
    }
    let before = full.clone();
    let one_more = r#""payment_id":"P-2001","amount":"0.01""#;
    let refusal = full.try_learn("2023-10-02", "payment_received", one_more);
    assert_eq!(refusal, Err(Refusal::TooManyPayments));
    // A known payment is still answered.
    let known = r#""payment_id":"P-7","amount":"0.01""#;
    assert_eq!(full.try_learn("2023-10-02", "payment_received", known), Ok(Applied::Unchanged));
    assert_eq!(full, before);
}

#[test]
fn an_account_holds_a_hundred_pauses_and_no_more() {
    let mut full = four_installments();
    let day = |number: u64| (common::date("2024-01-01") + chrono::Days::new(2 * number)).to_string();
    for number in 0..100 {
        let (from, until) = (day(number), day(number + 1));
        full.pauses("2023-10-01", &from, &until);
    }
    let before = full.clone();
    let refusal = full.try_learn("2023-10-02", "pause_started", &pause("2030-01-01", "2030-01-02"));
    assert_eq!(refusal, Err(Refusal::TooManyPauses));
    assert_eq!(full, before);
}

#[test]
fn a_payment_is_for_a_hundred_installments_and_no_more() {
    let targets = |last: u32| -> String {
        let each: Vec<String> = (1..=last).map(|number| number.to_string()).collect();
        format!("[{}]", each.join(","))
    };
    let mut loan = four_installments();
    let before = loan.clone();
    let fields = format!(r#""payment_id":"P-1","amount":"1.00","applies_to":{}"#, targets(101));
    assert_eq!(loan.try_learn("2023-10-02", "payment_received", &fields), Err(Refusal::TooManyTargets));
    assert_eq!(loan, before);
    loan.pays_for("2023-10-02", "P-1", "1.00", &targets(100));
}

#[test]
fn a_reason_that_would_fill_the_item_is_refused() {
    let mut account = four_installments().account;
    let before = account.clone();
    let at = "2023-10-05T00:00:00Z".parse().unwrap();
    let longer = Command::EnforcementOff(EnforcementOff { reason: "x".repeat(1_001) });
    assert_eq!(account.apply(&longer, at), Err(Refusal::ReasonTooLong { bytes: 1_001 }));
    assert_eq!(account, before);
    let long = Command::EnforcementOff(EnforcementOff { reason: "x".repeat(1_000) });
    assert_eq!(account.apply(&long, at), Ok(Applied::Changed));
}
