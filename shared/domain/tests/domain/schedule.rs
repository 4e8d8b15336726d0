//! The schedule: installments added, adjusted, replaced and written off.

use duewatch_domain::Applied;
use duewatch_domain::commands::AccountOpened;
use rstest::rstest;

use crate::common::{self, four_installments, ladder, loan};

fn installment(number: u32, due_on: &str, principal: &str) -> String {
    format!(r#"{{"number":{number},"due_on":"{due_on}","principal":"{principal}"}}"#)
}

fn adjustment(number: u32, amount: &str) -> String {
    format!(r#""number":{number},"amount":"{amount}","reason":"agreed""#)
}

fn replacement(installments: &[String]) -> String {
    format!(r#""installments":[{}],"reason":"extension""#, installments.join(","))
}

#[test]
fn an_added_installment_is_owed() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    let added = format!(r#""installment":{}"#, installment(2, "2023-11-01", "80.00"));
    loan.learns("2023-10-10", "installment_added", &added);
    assert_eq!(loan.unpaid(), "1: 250.00, 2: 80.00");
}

#[test]
fn an_installment_added_in_the_past_makes_the_account_overdue_from_that_date() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.pays("2023-10-01", "P-1", "250.00");
    let added = format!(r#""installment":{}"#, installment(2, "2023-08-01", "80.00"));
    loan.learns("2023-10-10", "installment_added", &added);
    // P-1 now settles the older one, so that the newer is open in part.
    assert_eq!(loan.unpaid(), "1: 80.00");
    loan.reverses("2023-10-11", "P-1", "original");
    assert_eq!(loan.days("2023-10-11", &ladder()), (71, 68));
}

#[rstest]
#[case::owed_less("50.00", "1: 200.00, 2: 250.00, 3: 250.00, 4: 250.00")]
#[case::owed_nothing("250.00", "2: 250.00, 3: 250.00, 4: 250.00")]
#[case::owed_more("-50.00", "1: 300.00, 2: 250.00, 3: 250.00, 4: 250.00")]
fn an_adjustment_lowers_or_raises_what_is_owed(#[case] amount: &str, #[case] unpaid: &str) {
    let mut loan = four_installments();
    loan.learns("2023-10-10", "installment_adjusted", &adjustment(1, amount));
    assert_eq!(loan.unpaid(), unpaid);
}

#[test]
fn adjustments_add_up() {
    let mut loan = four_installments();
    loan.learns("2023-10-10", "installment_adjusted", &adjustment(1, "200.00"));
    loan.learns("2023-10-10", "installment_adjusted", &adjustment(1, "-10.00"));
    loan.learns("2023-10-10", "installment_adjusted", &adjustment(1, "60.00"));
    assert_eq!(loan.unpaid(), "2: 250.00, 3: 250.00, 4: 250.00");
}

#[test]
fn what_was_paid_beyond_an_adjusted_amount_goes_back_into_the_waterfall() {
    let mut loan = four_installments();
    loan.pays_for("2023-10-01", "P-1", "250.00", "[1]");
    loan.learns("2023-10-10", "installment_adjusted", &adjustment(1, "100.00"));
    assert_eq!(loan.unpaid(), "2: 150.00, 3: 250.00, 4: 250.00");
}

#[test]
fn an_adjustment_that_settles_the_oldest_ends_its_count() {
    let mut loan = four_installments();
    assert_eq!(loan.days("2023-10-21", &ladder()), (20, 17));
    loan.pays("2023-10-05", "P-1", "200.00");
    loan.learns("2023-10-21", "installment_adjusted", &adjustment(1, "50.00"));
    assert_eq!(loan.days("2023-10-21", &ladder()), (0, 0));
}

#[test]
fn an_adjustment_of_a_settled_installment_upwards_makes_it_owe_again_since_its_date() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00");
    loan.learns("2023-10-21", "installment_adjusted", &adjustment(1, "-5.00"));
    assert_eq!(loan.days("2023-10-21", &ladder()), (20, 17));
}

#[rstest]
#[case::beyond("250.01")]
#[case::far_beyond("99999.00")]
fn an_adjustment_beyond_what_the_installment_asks_for_is_refused(#[case] amount: &str) {
    let mut loan = four_installments();
    let before = loan.clone();
    let refusal = loan.try_learn("2023-10-10", "installment_adjusted", &adjustment(1, amount)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        format!("amount: {amount} exceeds the amount due of installment 1, 250.00")
    );
    assert_eq!(loan, before);
}

#[test]
fn a_replaced_schedule_keeps_what_is_paid_and_drops_what_is_not() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "350.00");
    let new = [installment(11, "2024-02-01", "300.00"), installment(12, "2024-03-01", "350.00")];
    loan.learns("2023-12-15", "schedule_replaced", &replacement(&new));
    assert_eq!(loan.unpaid(), "11: 300.00, 12: 350.00");
    assert_eq!(loan.paid(), "250.00, 100.00, 0.00, 0.00");
    assert_eq!(loan.credit(), "0.00");
}

#[test]
fn a_new_schedule_resets_the_days() {
    let mut loan = four_installments();
    assert_eq!(loan.days("2023-12-15", &ladder()), (75, 72));
    let new = [installment(11, "2024-02-01", "1000.00")];
    loan.learns("2023-12-15", "schedule_replaced", &replacement(&new));
    assert_eq!(loan.days("2023-12-15", &ladder()), (0, 0));
    assert_eq!(loan.days("2024-02-06", &ladder()), (5, 2));
}

#[test]
fn an_installment_of_which_nothing_is_paid_gives_its_number_to_the_new_schedule() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00");
    let new = [installment(2, "2024-02-01", "750.00")];
    loan.learns("2023-10-15", "schedule_replaced", &replacement(&new));
    assert_eq!(loan.unpaid(), "2: 750.00");
}

#[test]
fn a_new_schedule_that_takes_a_number_with_money_on_it_is_refused() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00");
    let before = loan.clone();
    let new = [installment(11, "2024-02-01", "250.00"), installment(1, "2024-03-01", "500.00")];
    let refusal = loan.try_learn("2023-10-15", "schedule_replaced", &replacement(&new)).unwrap_err();
    assert_eq!(refusal.to_string(), "installments[1].number: installment 1 exists already");
    assert_eq!(loan, before);
}

#[test]
fn credit_flows_into_a_new_schedule() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.pays("2023-10-01", "P-1", "300.00");
    let new = [installment(2, "2023-11-01", "80.00")];
    loan.learns("2023-10-15", "schedule_replaced", &replacement(&new));
    assert_eq!((loan.unpaid(), loan.credit()), ("2: 30.00".to_owned(), "0.00".to_owned()));
}

#[test]
fn what_was_paid_ahead_stays_paid_when_the_new_schedule_begins_earlier() {
    let mut loan = four_installments();
    loan.pays_for("2023-10-01", "P-1", "250.00", "[4]");
    let new = [installment(11, "2023-10-20", "100.00")];
    loan.learns("2023-10-15", "schedule_replaced", &replacement(&new));
    assert_eq!(loan.unpaid(), "11: 100.00");
}

#[test]
fn a_written_off_installment_is_left_out_and_its_money_flows_on() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "100.00");
    loan.learns("2023-10-21", "written_off", r#""number":1,"reason":"settlement""#);
    assert_eq!(loan.unpaid(), "2: 150.00, 3: 250.00, 4: 250.00");
    assert_eq!(loan.days("2023-10-21", &ladder()), (0, 0));
    assert_eq!(loan.figures("2023-10-21", &ladder()).outstanding.to_string(), "650.00");
}

#[test]
fn money_paid_for_a_written_off_installment_stays_on_it() {
    let mut loan = four_installments();
    loan.pays_for("2023-10-01", "P-1", "100.00", "[1]");
    loan.learns("2023-10-21", "written_off", r#""number":1,"reason":"settlement""#);
    assert_eq!(loan.unpaid(), "2: 250.00, 3: 250.00, 4: 250.00");
    loan.learns("2023-10-22", "write_off_undone", r#""number":1,"reason":"mistake""#);
    assert_eq!(loan.unpaid(), "1: 150.00, 2: 250.00, 3: 250.00, 4: 250.00");
}

#[test]
fn a_write_off_undone_brings_the_installment_back_with_its_date() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "100.00");
    let unpaid = loan.unpaid();
    loan.learns("2023-10-21", "written_off", r#""number":1,"reason":"settlement""#);
    loan.learns("2023-10-25", "write_off_undone", r#""number":1,"reason":"mistake""#);
    assert_eq!(loan.unpaid(), unpaid);
    assert_eq!(loan.days("2023-10-25", &ladder()), (24, 21));
}

#[test]
fn what_money_paid_beside_a_write_off_stays_paid_when_it_is_undone() {
    let mut loan =
        loan(&[(1, "2023-10-01", "250.00"), (2, "2023-11-01", "250.00"), (3, "2023-12-01", "250.00")]);
    loan.learns("2023-11-10", "written_off", r#""number":1,"reason":"settlement""#);
    loan.pays("2023-11-11", "P-1", "280.00");
    assert_eq!(loan.unpaid(), "3: 220.00");
    loan.learns("2023-11-12", "write_off_undone", r#""number":1,"reason":"mistake""#);
    assert_eq!(loan.unpaid(), "1: 250.00, 3: 220.00");
    loan.pays("2023-11-13", "P-2", "100.00");
    assert_eq!(loan.unpaid(), "1: 150.00, 3: 220.00");
    loan.reverses("2023-11-14", "P-1", "original");
    assert_eq!(loan.unpaid(), "1: 150.00, 2: 250.00, 3: 250.00");
}

#[test]
fn writing_off_all_leaves_nothing_owed_and_the_money_as_credit() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "100.00");
    loan.learns("2023-10-21", "written_off", r#""reason":"insolvency""#);
    assert_eq!((loan.unpaid(), loan.credit()), (String::new(), "100.00".to_owned()));
    loan.learns("2023-10-25", "write_off_undone", r#""reason":"mistake""#);
    assert_eq!(loan.unpaid(), "1: 150.00, 2: 250.00, 3: 250.00, 4: 250.00");
}

#[test]
fn writing_off_all_leaves_alone_what_is_settled() {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00");
    loan.learns("2023-10-21", "written_off", r#""reason":"insolvency""#);
    let written_off: Vec<bool> = loan.account.installments().iter().map(|one| one.written_off).collect();
    assert_eq!(written_off, [false, true, true, true]);
}

#[rstest]
#[case::what_is_settled("written_off", r#""number":1,"reason":"x""#)]
#[case::what_is_written_off_already("written_off", r#""number":2,"reason":"x""#)]
#[case::undone_where_nothing_is_written_off("write_off_undone", r#""number":3,"reason":"x""#)]
fn a_write_off_that_finds_nothing_to_do_changes_nothing(#[case] kind: &str, #[case] fields: &str) {
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00");
    loan.learns("2023-10-21", "written_off", r#""number":2,"reason":"settlement""#);
    let before = loan.clone();
    assert_eq!(loan.try_learn("2023-10-22", kind, fields), Ok(Applied::Unchanged));
    assert_eq!(loan, before);
}

#[test]
fn an_account_opened_again_under_the_same_terms_is_one_account() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.pays("2023-10-01", "P-1", "100.00");
    let before = loan.clone();
    let again = common::contract("Asia/Shanghai", "CNY", &installment(1, "2023-10-01", "250.00"));
    let opened = duewatch_domain::commands::Command::AccountOpened(AccountOpened { account: again });
    let at = loan.local("2023-10-02");
    assert_eq!(loan.account.apply(&opened, at), Ok(Applied::Unchanged));
    assert_eq!(loan, before);
}
