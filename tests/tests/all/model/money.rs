//! Late fees, allocation, business days and classes as on the pages: the model alone, on figures worked out
//! by hand.

use duewatch_domain::Policy;
use duewatch_domain::kernel::{Currency, Money};
use rstest::rstest;
use serde_json::json;

use super::pages::{ModelLoan, under};

/// Four installments of 1,000.00. Grace covers 1, 2 and 3 October: the 4th is the first day that costs.
fn thousands() -> ModelLoan {
    ModelLoan::of("Asia/Shanghai", "1000.00", &["2023-10-01", "2023-11-01", "2023-12-01", "2024-01-01"])
}

fn fee(table: &str) -> Policy {
    under(&format!("grace_days = 3\n[late_fee]\n{table}"))
}

/// The open late fee at the end of a date.
fn late_fee(loan: &ModelLoan, policy: &Policy, on: &str) -> String {
    text(loan.assessed(policy, on).late_fee.unwrap())
}

/// The overdue and the outstanding amount at the end of a date.
fn owes(loan: &ModelLoan, policy: &Policy, on: &str) -> [String; 2] {
    let assessed = loan.assessed(policy, on);
    [text(assessed.overdue), text(assessed.outstanding)]
}

fn text(amount: Money) -> String {
    "EUR".parse::<Currency>().unwrap().text(amount)
}

const RATE: &str = "daily_rate = \"0.0005\"";

#[rstest]
#[case::in_grace(RATE, "2023-10-04", "0.00")]
#[case::first_day(RATE, "2023-10-05", "0.50")]
#[case::eleven_days(RATE, "2023-10-15", "5.50")]
#[case::fixed("fixed = \"25.00\"", "2023-10-20", "25.00")]
#[case::free_days("daily_rate = \"0.0005\"\nfree_days = 5", "2023-10-07", "0.50")]
#[case::of_its_principal("daily_rate = \"0.0005\"\ncap_per_installment = \"0.01\"", "2023-10-31", "10.00")]
#[case::of_its_own("daily_rate = \"0.0005\"\ncap_per_installment_amount = \"7.25\"", "2023-10-19", "7.25")]
#[case::in_october("daily_rate = \"0.0005\"\ncap_per_month = \"5.00\"", "2023-10-31", "5.00")]
// The night to 1 November is November's.
#[case::in_november("daily_rate = \"0.0005\"\ncap_per_month = \"5.00\"", "2023-11-01", "5.50")]
// 1000.00 x 0.09 / 365 is 0.246575 a day since the due date: five leave 1.233, six 1.479.
#[case::within_the_annual_cap(
    "daily_rate = \"0.0005\"\nannual_cost_cap = \"0.24\"\ncontract_annual_rate = \"0.15\"",
    "2023-10-06",
    "1.00"
)]
#[case::at_the_annual_cap(
    "daily_rate = \"0.0005\"\nannual_cost_cap = \"0.24\"\ncontract_annual_rate = \"0.15\"",
    "2023-10-07",
    "1.48"
)]
fn a_late_fee_by_hand(#[case] table: &str, #[case] on: &str, #[case] expected: &str) {
    assert_eq!(late_fee(&thousands(), &fee(table), on), expected);
}

#[rstest]
#[case::of_nothing("10.00", "2023-10-05", "0.00")]
#[case::half_to_even("10.00", "2023-10-07", "0.02")]
fn it_is_rounded_where_it_is_shown(#[case] amount: &str, #[case] on: &str, #[case] expected: &str) {
    assert_eq!(late_fee(&ModelLoan::of("UTC", amount, &["2023-10-01"]), &fee(RATE), on), expected);
}

#[test]
fn nothing_is_charged_in_a_pause() {
    let pause = json!({ "type": "pause_started", "from": "2023-10-02", "until": "2023-10-06" });
    // Grace covers 1, 6 and 7 October; 8 and 9 October cost.
    assert_eq!(late_fee(&thousands().learns("2023-09-01", pause), &fee(RATE), "2023-10-10"), "1.00");
}

// Seven days, 3.50, have accrued by the 11th; 396.50 lower the principal to 603.50. The fee bears on 600.00, as if
// all money had gone to the principal.
#[test]
fn a_part_that_is_paid_settles_the_fee_first_and_then_costs_no_more() {
    let loan = thousands().pays("2023-10-11", "P-1", "400.00", &[]);
    assert_eq!(owes(&loan, &fee(RATE), "2023-10-11"), ["603.50", "3603.50"]);
    assert_eq!(late_fee(&loan, &fee(RATE), "2023-10-21"), "3.00");
    let reversed = loan.reverses("2023-10-20", "P-1", "original");
    assert_eq!(late_fee(&reversed, &fee(RATE), "2023-10-21"), "8.50");
}

#[test]
fn a_payment_counts_from_its_value_date() {
    let paid = json!({
        "type": "payment_received", "payment_id": "P-1", "amount": "1001.00", "value_date": "2023-10-06",
    });
    let loan = thousands().learns("2023-10-18", paid);
    assert_eq!(owes(&loan, &fee(RATE), "2023-10-20"), ["0.00", "3000.00"]);
}

#[test]
fn a_waiver_forgives_what_has_accrued_by_then() {
    let loan =
        thousands().learns("2023-10-11", json!({ "type": "fee_waived", "amount": "2.00", "reason": "r" }));
    assert_eq!(late_fee(&loan, &fee(RATE), "2023-10-11"), "1.50");
    assert_eq!(late_fee(&loan, &fee(RATE), "2023-10-12"), "2.00");
}

#[rstest]
#[case::what_is_taken_back_costs_from_then_on(
    thousands().pays("2023-10-01", "P-1", "4000.00", &[]).reverses("2023-10-20", "P-1", "reversal"),
    // Four thousand due anew on the 20th: the 23rd and the 24th cost.
    "2023-10-25",
    "4.00"
)]
#[case::so_does_a_new_schedule(
    thousands().reschedules("2023-10-20", 11, "2023-10-10", "1000.00"),
    // The grace of 10 to 12 October is over: the 20th and the 21st cost.
    "2023-10-22",
    "1.00"
)]
fn a_debt_costs_nothing_before_it_is_owed(#[case] loan: ModelLoan, #[case] on: &str, #[case] expected: &str) {
    assert_eq!(late_fee(&loan, &fee(RATE), on), expected);
}

/// Three of 100.00 with 10.00 of interest, on the first of October to December.
fn three() -> ModelLoan {
    let loan = ModelLoan::due_on("Asia/Shanghai", &[]);
    let due = |loan: ModelLoan, number: u32, due_on: &str| {
        let one = json!({ "number": number, "due_on": due_on, "principal": "100.00", "interest": "10.00" });
        loan.learns("2023-09-01", json!({ "type": "installment_added", "installment": one }))
    };
    [(1, "2023-10-01"), (2, "2023-11-01"), (3, "2023-12-01")]
        .into_iter()
        .fold(loan, |loan, (number, due_on)| due(loan, number, due_on))
}

const BY_INTEREST: &str = r#"waterfall = [
    "past_due_penalty", "past_due_fee", "past_due_interest", "due_penalty", "due_fee", "due_interest",
    "past_due_principal", "due_principal",
    "in_advance_principal", "in_advance_interest", "in_advance_fee", "in_advance_penalty",
]"#;

#[rstest]
#[case::four("", "2023-11-10", "25.00", "1: 85.00, 2: 110.00, 3: 110.00")]
// The interest of both past due, then 5.00 of the oldest principal.
#[case::twelve(BY_INTEREST, "2023-11-10", "25.00", "1: 95.00, 2: 100.00, 3: 110.00")]
#[case::in_advance(BY_INTEREST, "2023-10-10", "215.00", "2: 5.00, 3: 110.00")]
#[case::beyond_to_the_last("overpayment = \"last\"", "2023-10-01", "150.00", "2: 110.00, 3: 70.00")]
#[case::beyond_as_credit("overpayment = \"credit\"", "2023-10-01", "150.00", "2: 70.00, 3: 110.00")]
fn money_goes_where_the_policy_says(
    #[case] settling: &str,
    #[case] on: &str,
    #[case] amount: &str,
    #[case] debts: &str,
) {
    assert_eq!(three().pays(on, "P-1", amount, &[]).debts_under(&under(settling)), debts);
}

#[rstest]
#[case::it_waits("2023-10-31", ["0.00", "220.00"])]
#[case::it_settles_on_the_due_date("2023-11-01", ["0.00", "180.00"])]
#[case::and_the_rest_falls_past_due("2023-11-02", ["70.00", "180.00"])]
fn credit_settles_what_falls_due(#[case] on: &str, #[case] expected: [&str; 2]) {
    let loan = three().pays("2023-10-01", "P-1", "150.00", &[]);
    assert_eq!(owes(&loan, &under("overpayment = \"credit\""), on), expected);
}

fn moving(moves: &str) -> Policy {
    under(&format!("[business_days]\ncalendar = \"cn\"\nmove = {moves}"))
}

// Saturday 10 to Saturday 17 February 2024 were free, Sunday the 18th was worked.
#[rstest]
#[case::next("\"next\"", "2024-02-10", "2024-02-18")]
#[case::previous("\"previous\"", "2024-02-17", "2024-02-09")]
// Sunday 30 June 2024 and Wednesday 1 May 2024.
#[case::within_the_month("\"modified_next\"", "2024-06-30", "2024-06-28")]
#[case::not_into_the_month_before("\"modified_previous\"", "2024-05-01", "2024-05-06")]
#[case::month_end("\"next\"\nmonth_end = true", "2024-06-30", "2024-06-28")]
fn a_due_date_moves_to_a_working_day(#[case] moves: &str, #[case] due_on: &str, #[case] expected: &str) {
    let assessed = ModelLoan::due_on("Asia/Shanghai", &[due_on]).assessed(&moving(moves), "2024-08-01");
    assert_eq!(assessed.oldest_due_on.unwrap().to_string(), expected);
    let days = "2024-08-01".parse::<chrono::NaiveDate>().unwrap() - assessed.oldest_due_on.unwrap();
    assert_eq!(i64::from(assessed.days_past_due), days.num_days());
}

fn classes(cured: &str) -> Policy {
    under(&format!(
        r#"
        [classification]
        name = "three"
        normal = "good"
        classes = [
            {{ name = "watch", days_past_due = 1 }},
            {{ name = "poor", days_past_due = 31 }},
            {{ name = "bad", days_past_due = 91 }},
        ]
        probation_from = "poor"
        cured = "{cured}"
        probation_months = 3
        probation_after_forbearance_months = 12
        "#
    ))
}

/// The class at the end of a date, with its dates.
fn class(loan: &ModelLoan, policy: &Policy, on: &str) -> String {
    let Some(class) = loan.assessed(policy, on).class else { return "good".to_owned() };
    let until = class.probation_until.map_or_else(String::new, |until| format!(" until {until}"));
    format!("{} since {}{until}", class.name, class.since)
}

#[rstest]
#[case("2023-10-01", "good")]
#[case("2023-10-02", "watch since 2023-10-02")]
#[case("2023-10-31", "watch since 2023-10-02")]
#[case("2023-11-01", "poor since 2023-11-01")]
#[case("2023-12-31", "bad since 2023-12-31")]
fn days_past_due_bring_the_class(#[case] on: &str, #[case] expected: &str) {
    assert_eq!(class(&ModelLoan::four(), &classes("below_threshold"), on), expected);
}

// All is paid on 31 January, and three months on there is no 31 April.
#[rstest]
#[case::cured("2024-01-31", "bad since 2023-12-31 until 2024-04-30")]
#[case::its_last_day("2024-04-29", "bad since 2023-12-31 until 2024-04-30")]
#[case::over("2024-04-30", "good")]
fn a_class_outlives_its_cure(#[case] on: &str, #[case] expected: &str) {
    let policy = classes("below_threshold");
    let loan =
        ModelLoan::four().evaluated(&policy, "2024-01-31T00:00:00").pays("2024-01-31", "P-1", "1000.00", &[]);
    assert_eq!(class(&loan.evaluated(&policy, "2024-01-31T12:00:00"), &policy, on), expected);
}

#[rstest]
#[case::below_the_threshold("below_threshold", "bad since 2023-12-31 until 2024-04-05")]
#[case::nothing_overdue("nothing_overdue", "bad since 2023-12-31")]
fn part_of_a_cure(#[case] cured: &str, #[case] expected: &str) {
    let policy = classes(cured);
    let loan = ModelLoan::due_on("Asia/Shanghai", &["2023-10-01", "2023-12-01"])
        .evaluated(&policy, "2024-01-05T00:00:00")
        .pays("2024-01-05", "P-1", "250.00", &[])
        .evaluated(&policy, "2024-01-05T12:00:00");
    assert_eq!(class(&loan, &policy, "2024-01-06"), expected);
}

#[test]
fn after_forbearance_the_probation_is_longer() {
    let policy = classes("below_threshold");
    let loan = ModelLoan::four()
        .evaluated(&policy, "2024-01-05T00:00:00")
        .reschedules("2024-01-05", 11, "2024-08-01", "250.00")
        .evaluated(&policy, "2024-01-05T12:00:00");
    assert_eq!(class(&loan, &policy, "2024-07-01"), "bad since 2023-12-31 until 2025-01-05");
}

#[test]
fn what_was_reached_before_money_came_was_reached_whoever_looked() {
    let (policy, seen_on) = (classes("below_threshold"), "2023-10-01T00:00:00");
    let paid = json!({
        "type": "payment_received", "payment_id": "P-1", "amount": "1000.00", "value_date": "2023-12-31",
    });
    let loan = ModelLoan::four().evaluated(&policy, seen_on).learns("2023-12-31", paid);
    assert_eq!(class(&loan, &policy, "2023-12-31"), "bad since 2023-12-31 until 2024-03-31");
}

#[test]
fn money_dated_before_the_class_takes_its_probation_away() {
    let (policy, seen_on) = (classes("below_threshold"), "2024-01-05T00:00:00");
    let paid = json!({
        "type": "payment_received", "payment_id": "P-1", "amount": "1000.00", "value_date": "2023-12-29",
    });
    let loan = ModelLoan::four().evaluated(&policy, "2023-10-01T00:00:00").evaluated(&policy, seen_on);
    assert_eq!(class(&loan, &policy, "2024-01-05"), "bad since 2023-12-31");
    let loan = loan.learns("2024-01-06", paid);
    assert_eq!(class(&loan, &policy, "2024-01-06"), "poor since 2023-11-01 until 2024-04-06");
}

#[test]
fn a_backdated_fact_changes_the_class_from_its_arrival_on() {
    let policy = classes("below_threshold");
    let loan = ModelLoan::due_on("Asia/Shanghai", &["2023-10-01"])
        .pays("2023-10-01", "P-1", "250.00", &[])
        .evaluated(&policy, "2023-10-01T12:00:00")
        .reverses("2024-03-01", "P-1", "original");
    assert_eq!(class(&loan, &policy, "2024-03-01"), "bad since 2024-03-01");
}
