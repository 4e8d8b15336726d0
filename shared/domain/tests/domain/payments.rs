//! Payments and reversals, with their allocation.

use duewatch_domain::{Applied, Refusal};
use rstest::rstest;

use crate::common::{self, TestLoan, four_installments, ladder, loan, only_stage};

#[rstest]
#[case::nothing("0.01", "1: 249.99, 2: 250.00, 3: 250.00, 4: 250.00", "0.00")]
#[case::a_part("100.00", "1: 150.00, 2: 250.00, 3: 250.00, 4: 250.00", "0.00")]
#[case::one_exactly("250.00", "2: 250.00, 3: 250.00, 4: 250.00", "0.00")]
#[case::more_than_one("300.00", "2: 200.00, 3: 250.00, 4: 250.00", "0.00")]
#[case::everything("1000.00", "", "0.00")]
#[case::too_much("1200.50", "", "200.50")]
fn money_settles_the_oldest_installment_first_and_future_ones_too(
    #[case] amount: &str,
    #[case] unpaid: &str,
    #[case] credit: &str,
) {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", amount);
    assert_eq!(loan.unpaid(), unpaid);
    assert_eq!(loan.credit(), credit);
}

#[test]
fn credit_waits_for_the_installments_to_come() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.pays("2023-10-01", "P-1", "400.00");
    assert_eq!((loan.unpaid(), loan.credit()), (String::new(), "150.00".to_owned()));

    loan.learns(
        "2023-10-02",
        "installment_added",
        r#""installment":{"number":2,"due_on":"2023-11-01","principal":"250.00"}"#,
    );
    assert_eq!((loan.unpaid(), loan.credit()), ("2: 100.00".to_owned(), "0.00".to_owned()));
}

#[test]
fn interest_and_fee_are_owed_like_principal() {
    let mut loan = TestLoan {
        account: duewatch_domain::account::Account::open(&common::contract(
            "Asia/Shanghai",
            "CNY",
            r#"{"number":1,"due_on":"2023-10-01","principal":"250.00","interest":"10.00","fee":"5.00"}"#,
        ))
        .unwrap(),
    };
    assert_eq!(loan.unpaid(), "1: 265.00");
    loan.pays("2023-10-01", "P-1", "264.99");
    assert_eq!(loan.unpaid(), "1: 0.01");
}

const PRINCIPAL_FIRST: &str = "waterfall = [\"principal\", \"interest\", \"fee\", \"penalty\"]";

// An installment of 250.00 principal, 10.00 interest and 5.00 fee.
#[rstest]
#[case::nothing_paid("", "0.00", "0.00", "fee 5.00, interest 10.00, principal 250.00")]
#[case::the_fee_in_part("", "0.00", "4.99", "fee 0.01, interest 10.00, principal 250.00")]
#[case::the_fee_and_some_interest("", "0.00", "7.00", "interest 8.00, principal 250.00")]
#[case::all_but_a_cent("", "0.00", "264.99", "principal 0.01")]
#[case::everything("", "0.00", "265.00", "")]
#[case::owed_less("", "20.00", "0.00", "fee 5.00, interest 10.00, principal 230.00")]
#[case::owed_far_less("", "255.00", "0.00", "fee 5.00, interest 5.00")]
#[case::owed_less_and_paid("", "255.00", "6.00", "interest 4.00")]
#[case::owed_more("", "-30.00", "15.00", "principal 280.00")]
#[case::principal_first(PRINCIPAL_FIRST, "0.00", "251.00", "interest 9.00, fee 5.00")]
#[case::principal_first_owed_less(PRINCIPAL_FIRST, "7.00", "100.00", "principal 150.00, interest 8.00")]
fn what_is_open_of_an_installment_follows_the_waterfall(
    #[case] head: &str,
    #[case] off: &str,
    #[case] paid: &str,
    #[case] expected: &str,
) {
    let terms = r#"{"number":1,"due_on":"2023-10-01","principal":"250.00","interest":"10.00","fee":"5.00"}"#;
    let mut loan = TestLoan {
        account: duewatch_domain::account::Account::open(&common::contract("Asia/Shanghai", "CNY", terms))
            .unwrap(),
    };
    let adjustment = format!(r#""number":1,"amount":"{off}","reason":"agreed""#);
    loan.try_learn("2023-10-02", "installment_adjusted", &adjustment).unwrap();
    let waterfall = only_stage(head, "days_past_due = 1").waterfall;
    let open = loan.account.installments()[0].open_components(
        paid.parse().unwrap(),
        &waterfall,
        loan.account.currency,
    );
    let open: Vec<String> = open.iter().map(|(component, amount)| format!("{component} {amount}")).collect();
    assert_eq!(open.join(", "), expected);
}

#[test]
fn installments_of_one_date_are_settled_by_number() {
    let mut loan =
        loan(&[(3, "2023-10-01", "10.00"), (1, "2023-10-01", "10.00"), (2, "2023-09-01", "10.00")]);
    loan.pays("2023-10-01", "P-1", "15.00");
    assert_eq!(loan.unpaid(), "1: 5.00, 3: 10.00");
}

#[rstest]
#[case::before_the_due_date("2023-09-20")]
#[case::on_the_due_date("2023-10-01T23:59:59")]
fn whoever_pays_by_the_due_date_was_never_overdue(#[case] paid_on: &str) {
    let mut loan = four_installments();
    loan.pays(paid_on, "P-1", "250.00");
    assert_eq!(loan.days("2023-10-05", &ladder()), (0, 0));
    assert_eq!(loan.stage("2023-10-31", &ladder()), "current");
}

#[test]
fn a_late_payment_ends_the_count_and_the_next_installment_starts_a_new_one() {
    let mut loan = four_installments();
    assert_eq!(loan.days("2023-10-21", &ladder()), (20, 17));
    loan.pays("2023-10-21", "P-1", "250.00");
    assert_eq!(loan.days("2023-10-21", &ladder()), (0, 0));
    assert_eq!(loan.days("2023-11-06", &ladder()), (5, 2));
}

#[test]
fn a_partial_payment_leaves_the_count_running() {
    let mut loan = four_installments();
    loan.pays("2023-10-05", "P-1", "249.99");
    assert_eq!(loan.days("2023-10-21", &ladder()), (20, 17));
    assert_eq!(loan.figures("2023-10-21", &ladder()).overdue.to_string(), "0.01");
}

#[test]
fn the_count_is_anchored_anew_when_the_oldest_is_settled() {
    let mut loan = four_installments();
    assert_eq!(loan.days("2023-11-05", &ladder()), (35, 32));
    loan.pays("2023-11-05", "P-1", "250.00");
    assert_eq!(loan.days("2023-11-05", &ladder()), (4, 1));
}

#[test]
fn a_backdated_payment_settles_like_any_other() {
    let mut loan = four_installments();
    loan.learns(
        "2023-10-20",
        "payment_received",
        r#""payment_id":"P-1","amount":"250.00","value_date":"2023-09-15""#,
    );
    assert_eq!(loan.unpaid(), "2: 250.00, 3: 250.00, 4: 250.00");
    assert_eq!(loan.account.payments()[0].value_date, common::date("2023-09-15"));
}

#[rstest]
#[case::later_than_it_became_known("2024-06-01")]
#[case::before_the_opening("2019-01-01")]
fn a_value_date_is_kept_as_given_and_the_money_counts_at_once(#[case] value_date: &str) {
    let mut loan = four_installments();
    let fields = format!(r#""payment_id":"P-1","amount":"1000.00","value_date":"{value_date}""#);
    loan.learns("2023-10-20", "payment_received", &fields);
    assert_eq!(loan.unpaid(), "");
    assert_eq!(loan.account.payments()[0].value_date, common::date(value_date));
}

#[rstest]
#[case("2023-10-04T15:59:59Z", "2023-10-04")]
#[case("2023-10-04T16:00:00Z", "2023-10-05")]
fn a_value_date_left_out_is_the_local_date(#[case] at: &str, #[case] value_date: &str) {
    let mut loan = four_installments();
    let payment = common::command("payment_received", r#""payment_id":"P-1","amount":"1.00""#);
    loan.account.apply(&payment, common::instant(at)).unwrap();
    assert_eq!(loan.account.payments()[0].value_date, common::date(value_date));
}

#[rstest]
#[case::repayment("repayment")]
#[case::merchant_refund("merchant_refund")]
#[case::goodwill("goodwill")]
fn every_kind_of_money_settles(#[case] kind: &str) {
    let mut loan = four_installments();
    let fields = format!(r#""payment_id":"P-1","amount":"250.00","kind":"{kind}""#);
    loan.learns("2023-10-02", "payment_received", &fields);
    assert_eq!(loan.unpaid(), "2: 250.00, 3: 250.00, 4: 250.00");
}

#[rstest]
#[case::for_one("250.00", "[3]", "1: 250.00, 2: 250.00, 4: 250.00")]
#[case::for_two_in_the_order_given("300.00", "[4,2]", "1: 250.00, 2: 200.00, 3: 250.00")]
#[case::left_over_goes_to_the_waterfall("400.00", "[3]", "1: 100.00, 2: 250.00, 4: 250.00")]
#[case::for_one_that_does_not_exist("100.00", "[9]", "1: 150.00, 2: 250.00, 3: 250.00, 4: 250.00")]
#[case::for_the_same_one_twice("300.00", "[2,2]", "1: 200.00, 3: 250.00, 4: 250.00")]
fn a_targeted_payment_settles_what_it_was_paid_for(
    #[case] amount: &str,
    #[case] numbers: &str,
    #[case] unpaid: &str,
) {
    let mut loan = four_installments();
    loan.pays_for("2023-10-01", "P-1", amount, numbers);
    assert_eq!(loan.unpaid(), unpaid);
}

#[test]
fn targeted_money_comes_before_the_waterfall_even_when_it_arrives_later() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00");
    assert_eq!(loan.unpaid(), "2: 250.00, 3: 250.00, 4: 250.00");
    // P-2 now pays the part of the first that P-1 had settled, and P-1 moves on.
    loan.pays_for("2023-10-02", "P-2", "100.00", "[1]");
    assert_eq!(loan.unpaid(), "2: 150.00, 3: 250.00, 4: 250.00");
}

#[test]
fn two_payments_for_one_installment_count_in_the_order_in_which_they_came() {
    let mut loan = four_installments();
    loan.pays_for("2023-10-01", "P-1", "200.00", "[2]");
    loan.pays_for("2023-10-02", "P-2", "200.00", "[2,3]");
    assert_eq!(loan.unpaid(), "1: 250.00, 3: 100.00, 4: 250.00");
}

#[test]
fn an_early_payment_for_a_later_installment_leaves_the_oldest_overdue() {
    let mut loan = four_installments();
    loan.pays_for("2023-10-10", "P-1", "250.00", "[2]");
    assert_eq!(loan.days("2023-10-11", &ladder()), (10, 7));
}

#[rstest]
#[case::as_it_was(r#""amount":"100.00""#)]
#[case::amount_written_shorter(r#""amount":"100""#)]
#[case::currency_spelt_out(r#""amount":"100.00","currency":"CNY""#)]
#[case::another_value_date(r#""amount":"100.00","value_date":"2023-01-01""#)]
#[case::other_targets(r#""amount":"100.00","applies_to":[4]"#)]
fn a_payment_received_twice_is_one_payment(#[case] again: &str) {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "100.00");
    let before = loan.clone();
    let fields = format!(r#""payment_id":"P-1",{again}"#);
    assert_eq!(loan.try_learn("2023-10-09", "payment_received", &fields), Ok(Applied::Unchanged));
    assert_eq!(loan, before);
}

#[rstest]
#[case::amount(r#""amount":"100.01""#, "amount", "100.00", "100.01")]
#[case::currency(r#""amount":"100.00","currency":"EUR""#, "currency", "CNY", "EUR")]
#[case::kind(r#""amount":"100.00","kind":"goodwill""#, "kind", "epayment", "oodwill")]
fn a_payment_received_twice_with_other_money_is_refused(
    #[case] again: &str,
    #[case] field: &str,
    #[case] before: &str,
    #[case] now: &str,
) {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "100.00");
    let untouched = loan.clone();
    let fields = format!(r#""payment_id":"P-1",{again}"#);
    let refusal = loan.try_learn("2023-10-09", "payment_received", &fields).unwrap_err().to_string();
    for part in ["payment_id", "P-1", field, before, now] {
        assert!(refusal.contains(part), "{part:?} in {refusal:?}");
    }
    assert_eq!(loan, untouched);
}

#[test]
fn a_payment_reversed_as_of_its_original_date_might_never_have_been() {
    let mut loan = four_installments();
    let never_paid = loan.unpaid();
    loan.pays("2023-10-01", "P-1", "250.00");
    assert_eq!(loan.days("2023-10-20", &ladder()), (0, 0));
    loan.reverses("2023-10-20", "P-1", "original");
    assert_eq!(loan.unpaid(), never_paid);
    assert_eq!(loan.days("2023-10-20", &ladder()), (19, 16));
}

#[test]
fn a_reversal_is_dated_at_the_original_where_nothing_is_said() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00");
    loan.learns("2023-10-20", "payment_reversed", r#""payment_id":"P-1""#);
    assert_eq!(loan.days("2023-10-20", &ladder()), (19, 16));
}

#[test]
fn after_a_reversal_what_still_stands_is_allocated_anew() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00").pays("2023-11-01", "P-2", "300.00");
    assert_eq!(loan.unpaid(), "3: 200.00, 4: 250.00");
    loan.reverses("2023-11-05", "P-1", "original");
    assert_eq!(loan.unpaid(), "2: 200.00, 3: 250.00, 4: 250.00");
}

#[test]
fn a_payment_reversed_at_its_reversal_falls_due_anew_and_leaves_settled_what_it_settled() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.pays("2023-10-01", "P-1", "250.00").reverses("2023-10-20", "P-1", "reversal");
    assert_eq!(loan.unpaid(), "P-1 since 2023-10-20: 250.00");
    assert_eq!(loan.days("2023-10-20", &ladder()), (0, 0));
    assert_eq!(loan.days("2023-10-25", &ladder()), (5, 2));
    loan.pays("2023-10-26", "P-2", "250.00");
    assert_eq!(loan.unpaid(), "");
}

#[test]
fn a_payment_taken_back_at_the_instant_at_which_it_came_leaves_settled_what_it_settled() {
    let mut loan = loan(&[(1, "2024-06-01", "250.00")]);
    loan.pays("2023-10-01", "P-1", "250.00").reverses("2023-10-01", "P-1", "reversal");
    assert_eq!(loan.unpaid(), "P-1 since 2023-10-01: 250.00");
}

#[test]
fn the_debt_of_a_reversal_falls_due_on_the_local_date() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.pays("2023-10-01", "P-1", "250.00");
    let reversal = common::command("payment_reversed", r#""payment_id":"P-1","dated":"reversal""#);
    loan.account.apply(&reversal, common::instant("2023-10-19T16:00:00Z")).unwrap();
    assert_eq!(loan.unpaid(), "P-1 since 2023-10-20: 250.00");
}

#[rstest]
#[case("original", "original")]
#[case("original", "reversal")]
#[case("reversal", "original")]
fn a_payment_reversed_twice_is_one_reversal(#[case] first: &str, #[case] second: &str) {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00").reverses("2023-10-20", "P-1", first);
    let before = loan.clone();
    let fields = format!(r#""payment_id":"P-1","dated":"{second}""#);
    assert_eq!(loan.try_learn("2023-10-22", "payment_reversed", &fields), Ok(Applied::Unchanged));
    assert_eq!(loan, before);
}

#[test]
fn a_reversed_payment_that_is_received_again_stays_reversed() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00").reverses("2023-10-20", "P-1", "original");
    let again = r#""payment_id":"P-1","amount":"250.00""#;
    assert_eq!(loan.try_learn("2023-10-21", "payment_received", again), Ok(Applied::Unchanged));
    assert_eq!(loan.unpaid(), "1: 250.00, 2: 250.00, 3: 250.00, 4: 250.00");
}

#[test]
fn a_reversal_of_a_payment_that_never_came_is_refused() {
    let mut loan = four_installments();
    let refusal = loan.try_learn("2023-10-20", "payment_reversed", r#""payment_id":"P-9""#);
    assert_eq!(refusal, Err(Refusal::UnknownPayment("P-9".parse().unwrap())));
}

#[test]
fn an_account_without_installments_keeps_its_money_as_credit() {
    let mut loan = loan(&[]);
    loan.pays("2023-10-01", "P-1", "250.00");
    assert_eq!((loan.unpaid(), loan.credit()), (String::new(), "250.00".to_owned()));
    assert_eq!(loan.stage("2024-10-01", &ladder()), "current");
}
