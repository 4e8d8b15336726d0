//! Late fees, on values worked out by hand.

use duewatch_domain::formats::{DailyLines, DecisionLine, DecisionSubject};
use duewatch_domain::kernel::MAX_WAIVERS;
use duewatch_domain::policy::{self as policies, Policy};
use duewatch_domain::{Applied, Trigger, allocate_at};
use rstest::rstest;

use crate::common::{TestLoan, command, date, instant, loan, loan_in, policy};

/// Three days of grace, and a late fee.
fn fee(table: &str) -> Policy {
    policy(&format!("grace_days = 3\n[late_fee]\n{table}"), "")
}

/// 1,000.00 due on 1 October. Grace covers 1, 2 and 3 October: the 4th is the first day that costs, and shows
/// on the 5th.
fn thousand() -> TestLoan {
    loan(&[(1, "2023-10-01", "1000.00")])
}

/// The open late fee at the end of a day.
fn late_fee(loan: &TestLoan, on: &str, policy: &Policy) -> String {
    loan.figures(on, policy).late_fee.unwrap().to_string()
}

const RATE: &str = "daily_rate = \"0.0005\"";

#[rstest]
#[case::not_due("2023-09-30", "0.00")]
#[case::in_grace("2023-10-04", "0.00")]
// 1 day of 1000.00 x 0.0005
#[case::first_day("2023-10-05", "0.50")]
// 4 to 14 October: 11 days
#[case::eleven_days("2023-10-15", "5.50")]
// 4 October to 30 September: 363 days
#[case::a_year("2024-10-01", "181.50")]
fn each_day_after_grace_costs_its_rate(#[case] on: &str, #[case] expected: &str) {
    let policy = fee(RATE);
    assert_eq!(late_fee(&thousand(), on, &policy), expected);
    let figures = thousand().figures(on, &policy);
    let due = if figures.unpaid_installments > 0 { "1000.00" } else { "0.00" };
    let due: duewatch_domain::kernel::Money = due.parse().unwrap();
    assert_eq!(figures.overdue, due + expected.parse().unwrap());
    assert_eq!(
        figures.outstanding,
        "1000.00".parse::<duewatch_domain::kernel::Money>().unwrap() + expected.parse().unwrap()
    );
}

// The due date's last second is day 1, so that the fourth is delinquent day 1, and a payment on a day settles
// the fee shown the day before.
#[rstest]
#[case("2023-10-03", "0.00")]
#[case("2023-10-04", "0.50")]
#[case("2023-10-15", "6.00")]
fn under_due_day_it_is_a_day_earlier(#[case] on: &str, #[case] expected: &str) {
    let policy = policy(&format!("day_count = \"due_day\"\ngrace_days = 3\n[late_fee]\n{RATE}"), "");
    assert_eq!(late_fee(&thousand(), on, &policy), expected);
    // Paid on the 15th: 11 days, to the 14th, are settled, and the fee accrues no further.
    let mut paid = thousand();
    paid.pays("2023-10-15", "P-1", "1005.50");
    assert_eq!(paid.figures("2023-12-31", &policy).outstanding.to_string(), "0.00");
}

#[rstest]
// 4 to 9 October, 20 to 24 October: 6 + 5 days
#[case::after_grace("2023-10-10", "2023-10-20", "2023-10-25", "5.50")]
#[case::while_it_lasts("2023-10-10", "2023-10-20", "2023-10-20", "3.00")]
// Grace covers 1, 6 and 7 October; 8 and 9 October cost.
#[case::in_grace("2023-10-02", "2023-10-06", "2023-10-10", "1.00")]
#[case::before("2023-09-01", "2023-09-20", "2023-10-05", "0.50")]
fn a_pause_freezes_it(#[case] from: &str, #[case] until: &str, #[case] on: &str, #[case] expected: &str) {
    let mut loan = thousand();
    loan.pauses("2023-09-01", from, until);
    assert_eq!(late_fee(&loan, on, &fee(RATE)), expected);
}

// 10.00 x 0.0005 is half a cent a day.
#[rstest]
#[case("CNY", "10.00", "2023-10-05", "0.00")]
#[case("CNY", "10.00", "2023-10-06", "0.01")]
#[case("CNY", "10.00", "2023-10-07", "0.02")]
#[case("CNY", "10.00", "2023-10-09", "0.02")]
#[case("JPY", "1000", "2023-10-05", "0")]
#[case("JPY", "1000", "2023-10-07", "2")]
#[case("KWD", "10.000", "2023-10-05", "0.005")]
fn it_is_rounded_half_to_even_where_it_is_shown(
    #[case] currency: &str,
    #[case] principal: &str,
    #[case] on: &str,
    #[case] expected: &str,
) {
    let loan = loan_in("Asia/Shanghai", currency, &[(1, "2023-10-01", principal)]);
    assert_eq!(late_fee(&loan, on, &fee(RATE)), expected);
}

#[test]
fn a_part_that_is_paid_settles_the_fee_first_and_then_costs_no_more() {
    let (mut loan, policy) = (thousand(), fee(RATE));
    // By the 11th seven days, 3.50, have accrued; 396.50 lower the principal to 603.50.
    loan.pays("2023-10-11", "P-1", "400.00");
    assert_eq!(late_fee(&loan, "2023-10-11", &policy), "0.00");
    assert_eq!(loan.figures("2023-10-11", &policy).overdue.to_string(), "603.50");
    // The fee that took its part raises no further fee: ten days of 600.00 are 3.00.
    assert_eq!(late_fee(&loan, "2023-10-21", &policy), "3.00");
    assert_eq!(open(&loan, "2023-10-21", &policy), "penalty 3.00, principal 603.50");
}

/// The open components of the oldest installment.
fn open(loan: &TestLoan, on: &str, policy: &Policy) -> String {
    let allocation = allocate_at(&loan.account, policy);
    let Some(oldest) = allocation.open_installments.first() else { return String::new() };
    let open = allocation.open_components(oldest, date(on), &loan.account, policy);
    open.iter().map(|(component, amount)| format!("{component} {amount}")).collect::<Vec<_>>().join(", ")
}

fn valued(id: &str, amount: &str, value_date: &str) -> String {
    format!(r#""payment_id":"{id}","amount":"{amount}","value_date":"{value_date}""#)
}

#[rstest]
#[case::in_time("2023-10-01", "1000.00", "0.00")]
#[case::in_grace("2023-10-04", "1000.00", "0.00")]
// Two days, 1.00, are paid first, and 1.00 stays open; it bears no fee of its own.
#[case::late("2023-10-06", "1000.00", "0.00")]
#[case::with_the_fee("2023-10-06", "1001.00", "0.00")]
// The day of receipt, the 18th, counts: 14 days, 7.00, are paid first.
#[case::dated_ahead("2023-10-30", "1000.00", "0.00")]
fn a_payment_counts_from_its_value_date(#[case] value_date: &str, #[case] amount: &str, #[case] left: &str) {
    let (mut loan, policy) = (thousand(), fee(RATE));
    loan.assessed("2023-10-17", &policy, Trigger::Time);
    loan.learns("2023-10-18", "payment_received", &valued("P-1", amount, value_date));
    assert_eq!(late_fee(&loan, "2023-10-20", &policy), left);
}

#[test]
fn a_payment_that_is_reversed_gives_the_fee_that_would_have_been_due() {
    let (mut loan, policy) = (thousand(), fee(RATE));
    loan.pays("2023-10-11", "P-1", "400.00");
    loan.reverses("2023-10-20", "P-1", "original");
    // As if it had never been paid: 4 to 20 October, 17 days.
    assert_eq!(late_fee(&loan, "2023-10-21", &policy), "8.50");
}

#[test]
fn what_is_taken_back_costs_from_then_on() {
    let (mut loan, policy) = (thousand(), fee(RATE));
    loan.pays("2023-10-01", "P-1", "1000.00");
    loan.reverses("2023-10-20", "P-1", "reversal");
    // Due anew on the 20th: the 23rd and the 24th cost.
    assert_eq!(late_fee(&loan, "2023-10-23", &policy), "0.00");
    assert_eq!(late_fee(&loan, "2023-10-25", &policy), "1.00");
}

#[test]
fn a_new_schedule_costs_from_then_on_and_drops_the_fee_of_the_old_one() {
    let (mut loan, policy) = (thousand(), fee(RATE));
    let new = r#""installments":[{"number":11,"due_on":"2023-10-10","principal":"1000.00"}],"reason":"plan""#;
    loan.learns("2023-10-20", "schedule_replaced", new);
    assert_eq!(late_fee(&loan, "2023-10-20", &policy), "0.00");
    // The grace of 10 to 12 October is over: the 20th and the 21st cost.
    assert_eq!(late_fee(&loan, "2023-10-22", &policy), "1.00");
    assert_eq!(loan.figures("2023-10-22", &policy).days_past_due, 12);
}

#[test]
fn what_is_left_of_an_old_schedule_owes_nothing_for_the_fee_that_was_paid() {
    let policy = fee(RATE);
    let mut loan = loan(&[(1, "2023-10-01", "250.00"), (2, "2023-11-01", "250.00")]);
    // 4 to 23 October are 20 days of 0.125: 2.50. The rest pays 250.00 and 0.50 in advance.
    loan.pays("2023-10-24", "P-1", "253.00");
    assert_eq!(loan.figures("2023-10-24", &policy).outstanding.to_string(), "249.50");
    let new = r#""installments":[{"number":11,"due_on":"2023-12-01","principal":"500.00"}],"reason":"plan""#;
    loan.learns("2023-11-05", "schedule_replaced", new);
    assert_eq!(loan.figures("2023-11-30", &policy).outstanding.to_string(), "500.00");
    assert_eq!(allocate_at(&loan.account, &policy).credit.to_string(), "0.00");
}

#[rstest]
#[case::in_grace("2023-10-04", "0.00")]
#[case::once("2023-10-05", "25.00")]
#[case::and_not_again("2024-10-05", "25.00")]
fn a_fixed_fee_falls_due_once(#[case] on: &str, #[case] expected: &str) {
    assert_eq!(late_fee(&thousand(), on, &fee("fixed = \"25.00\"")), expected);
}

#[test]
fn a_fixed_fee_waits_for_a_pause_and_spares_who_has_paid() {
    let policy = fee("fixed = \"25.00\"");
    let mut loan = thousand();
    loan.pauses("2023-10-01", "2023-10-04", "2023-10-20");
    assert_eq!(late_fee(&loan, "2023-10-20", &policy), "0.00");
    assert_eq!(late_fee(&loan, "2023-10-21", &policy), "25.00");
    loan.pays("2023-10-20", "P-1", "1000.00");
    assert_eq!(late_fee(&loan, "2023-10-21", &policy), "0.00");
}

#[rstest]
// Two days of 0.50 beside it.
#[case::with_a_rate("fixed = \"25.00\"\ndaily_rate = \"0.0005\"", "2023-10-06", "26.00")]
// Grace is 3 days, these are 5: the 6th is the first that costs.
#[case::free_days("daily_rate = \"0.0005\"\nfree_days = 5", "2023-10-07", "0.50")]
// 1 % of 1000.00: 20 days, to the 23rd.
#[case::before_its_cap("daily_rate = \"0.0005\"\ncap_per_installment = \"0.01\"", "2023-10-23", "9.50")]
#[case::at_its_cap("daily_rate = \"0.0005\"\ncap_per_installment = \"0.01\"", "2023-10-24", "10.00")]
#[case::beyond("daily_rate = \"0.0005\"\ncap_per_installment = \"0.01\"", "2023-12-24", "10.00")]
// 14 days and a half.
#[case::before_the_amount(
    "daily_rate = \"0.0005\"\ncap_per_installment_amount = \"7.25\"",
    "2023-10-18",
    "7.00"
)]
#[case::at_the_amount("daily_rate = \"0.0005\"\ncap_per_installment_amount = \"7.25\"", "2023-10-19", "7.25")]
// Ten nights a month: those that end on 5 to 14 October, and on 1 to 10 November.
#[case::month("daily_rate = \"0.0005\"\ncap_per_month = \"5.00\"", "2023-10-14", "5.00")]
#[case::rest_of_the_month("daily_rate = \"0.0005\"\ncap_per_month = \"5.00\"", "2023-10-31", "5.00")]
#[case::next_month("daily_rate = \"0.0005\"\ncap_per_month = \"5.00\"", "2023-11-01", "5.50")]
#[case::its_end("daily_rate = \"0.0005\"\ncap_per_month = \"5.00\"", "2023-11-30", "10.00")]
fn caps_cut_it(#[case] table: &str, #[case] on: &str, #[case] expected: &str) {
    assert_eq!(late_fee(&thousand(), on, &fee(table)), expected);
}

// 1.00 a day of the first from the 4th, 0.50 of the second from the 8th; of 7.30, 4.00 are used by the 8th,
// 7.00 by the 10th, and the last 0.30 of that day are the first's.
#[test]
fn within_a_day_the_months_cap_leaves_the_oldest_its_fee() {
    let policy = fee("daily_rate = \"0.001\"\ncap_per_month = \"7.30\"");
    let loan = loan(&[(1, "2023-10-01", "1000.00"), (2, "2023-10-05", "500.00")]);
    let allocation = allocate_at(&loan.account, &policy);
    let fees = |on: &str| -> Vec<String> {
        let open = |open_installment| {
            allocation.open_components(open_installment, date(on), &loan.account, &policy)[0].1
        };
        allocation
            .open_installments
            .iter()
            .map(|open_installment| open(open_installment).to_string())
            .collect()
    };
    assert_eq!(fees("2023-10-10"), ["6.00", "1.00"]);
    assert_eq!(fees("2023-10-11"), ["6.30", "1.00"]);
    assert_eq!(fees("2023-10-31"), ["6.30", "1.00"]);
    // The night to 1 November is November's.
    assert_eq!(fees("2023-11-01"), ["7.30", "1.50"]);
}

// The headroom is 1000.00 x 0.09 / 365, 0.246575 a day since the due date.
#[rstest]
#[case::four_days_leave_0_986("2023-10-05", "0.50")]
#[case::five_leave_1_233("2023-10-06", "1.00")]
#[case::six_leave_1_479("2023-10-07", "1.48")]
#[case::seven_leave_1_726("2023-10-08", "1.73")]
#[case::thirty_leave_7_397("2023-10-31", "7.40")]
fn all_it_costs_in_a_year_is_capped(#[case] on: &str, #[case] expected: &str) {
    let policy = fee(&format!("{RATE}\nannual_cost_cap = \"0.24\"\ncontract_annual_rate = \"0.15\""));
    assert_eq!(late_fee(&thousand(), on, &policy), expected);
}

#[test]
fn what_the_annual_cap_cut_off_is_not_made_up_for() {
    let policy = fee(&format!("{RATE}\nannual_cost_cap = \"0.24\"\ncontract_annual_rate = \"0.15\""));
    let mut loan = thousand();
    loan.pauses("2023-10-01", "2023-10-10", "2023-10-20");
    // Nine days leave 2.219. In the pause the fee does not accrue, and after it 0.50 a day.
    assert_eq!(late_fee(&loan, "2023-10-10", &policy), "2.22");
    assert_eq!(late_fee(&loan, "2023-10-20", &policy), "2.22");
    assert_eq!(late_fee(&loan, "2023-10-21", &policy), "2.72");
}

// 3.50 have accrued by the 11th; of the rest, 600.00 or nothing, ten days cost 3.00 or nothing.
#[rstest]
#[case::open("0.01", "8.50")]
#[case::paid_in_part("400.00", "6.50")]
#[case::paid_whole("1003.50", "3.50")]
fn what_was_charged_is_known_whatever_became_of_it(#[case] amount: &str, #[case] expected: &str) {
    let (mut loan, policy) = (thousand(), fee(RATE));
    loan.pays("2023-10-11", "P-1", amount);
    let charged = |loan: &TestLoan| {
        allocate_at(&loan.account, &policy)
            .late_fee_charged_on(date("2023-10-21"), loan.account.currency, policy.day_count)
            .to_string()
    };
    assert_eq!(charged(&loan), expected);
    loan.learns("2023-10-21", "fee_waived", ALL);
    assert_eq!(charged(&loan), expected);
    // A write-off leaves settled amounts as they are.
    let written_off = loan.try_learn("2023-10-21", "written_off", ALL).unwrap();
    assert_eq!(charged(&loan), if written_off == Applied::Unchanged { expected } else { "0.00" });
}

const ALL: &str = r#""reason":"hardship""#;

// By the 11th 3.50 have accrued, and 0.50 more by the 12th.
#[rstest]
#[case::all(ALL, "0.00", "0.50")]
#[case::of_the_installment(r#""number":1,"reason":"hardship""#, "0.00", "0.50")]
#[case::a_part(r#""amount":"2.00","reason":"hardship""#, "1.50", "2.00")]
#[case::no_more_than_accrued(r#""amount":"9.00","reason":"hardship""#, "0.00", "0.50")]
#[case::of_another(r#""number":2,"reason":"hardship""#, "3.50", "4.00")]
fn a_waiver_takes_off_what_has_accrued_by_then(
    #[case] fields: &str,
    #[case] same_day: &str,
    #[case] next_day: &str,
) {
    let policy = fee(RATE);
    let mut loan = loan(&[(1, "2023-10-01", "1000.00"), (2, "2023-12-01", "1000.00")]);
    let days = loan.days("2023-10-12", &policy);
    loan.learns("2023-10-11", "fee_waived", fields);
    assert_eq!(late_fee(&loan, "2023-10-11", &policy), same_day);
    assert_eq!(late_fee(&loan, "2023-10-12", &policy), next_day);
    assert_eq!(loan.days("2023-10-12", &policy), days);
}

#[test]
fn a_waiver_does_not_give_back_what_was_paid() {
    let (mut loan, policy) = (thousand(), fee(RATE));
    loan.pays("2023-10-11", "P-1", "3.50").learns("2023-10-11T13:00:00", "fee_waived", ALL);
    assert_eq!(loan.figures("2023-10-11", &policy).overdue.to_string(), "1000.00");
}

#[test]
fn a_write_off_leaves_the_fee_out_until_it_is_undone() {
    let (mut loan, policy) = (thousand(), fee(RATE));
    loan.learns("2023-10-11", "written_off", ALL);
    assert_eq!(loan.figures("2023-10-20", &policy).outstanding.to_string(), "0.00");
    loan.learns("2023-10-21", "write_off_undone", ALL);
    assert_eq!(late_fee(&loan, "2023-10-21", &policy), "8.50");
}

// One cent from the day after the due date on. On 16 January installment 3 takes 100.01 and leaves 49.99 for
// installment 1, which asks 50.02 on 15 February: all of it is named before the rest goes to the oldest.
#[rstest]
#[case::one("[1]", 4, "50.02")]
#[case::one_again_and_again("[1,1,1]", 4, "50.02")]
#[case::one_and_none_there("[99,1]", 4, "50.02")]
#[case::one_before_another("[1,2]", 4, "50.02")]
#[case::another_before_one("[2,1]", 5, "0.00")]
fn a_named_installment_is_settled_before_the_next_though_a_late_fee_took_a_part(
    #[case] named: &str,
    #[case] unpaid: u32,
    #[case] settled_of_one: &str,
) {
    let policy = policy("[late_fee]\nfixed = \"0.01\"", "");
    let oldest = [(2, "150.00"), (3, "100.00"), (4, "100.00"), (5, "100.00"), (6, "500.00")];
    let mut all = vec![(1, "2023-01-31", "100.00")];
    all.extend(oldest.map(|(number, principal)| (number, "2023-01-01", principal)));
    let mut loan = loan(&all);
    loan.pays_for("2023-01-16", "P-0", "150.00", "[3,1]");
    let paid = |loan: &TestLoan| *allocate_at(&loan.account, &policy).paid.last().unwrap();
    let before = paid(&loan);
    assert_eq!(before.to_string(), "49.99");
    loan.pays_for("2023-02-15", "P-1", "100.00", named);
    assert_eq!((paid(&loan) - before).to_string(), settled_of_one);
    assert_eq!(loan.figures("2023-02-15", &policy).unpaid_installments, unpaid);
}

#[rstest]
#[case::by_default("", 0)]
#[case::where_fees_count_as_arrears("fee_arrears_count = true", 30)]
fn a_fee_that_alone_is_open_is_overdue_and_counts_no_day(#[case] arrears: &str, #[case] days_past_due: u32) {
    let head = format!(
        "grace_days = 3\nwaterfall = [\"principal\", \"interest\", \"fee\", \"penalty\"]\n[late_fee]\n{RATE}\n{arrears}"
    );
    let policy = policy(&head, "");
    let mut loan = thousand();
    loan.pays("2023-10-11", "P-1", "1000.00");
    let figures = loan.figures("2023-10-31", &policy);
    assert_eq!((figures.overdue.to_string().as_str(), figures.days_past_due), ("3.50", days_past_due));
    assert_eq!(figures.oldest_due_on, (days_past_due > 0).then(|| date("2023-10-01")));
    loan.pays("2023-10-31", "P-2", "3.50");
    let figures = loan.figures("2023-10-31", &policy);
    assert_eq!((figures.overdue.to_string().as_str(), figures.days_past_due), ("0.00", 0));
}

#[test]
fn a_threshold_is_met_on_the_first_day_on_which_a_fee_that_counts_lifts_the_overdue_amount_to_it() {
    let ladder = "[[stages]]\nname = \"held\"\nwhen = { overdue_amount = \"1005.00\" }\n";
    let left_out = policy(&format!("grace_days = 3\n[late_fee]\n{RATE}"), ladder);
    assert_eq!(thousand().stage("2023-12-31", &left_out), "current");
    let policy = policy(&format!("grace_days = 3\n[late_fee]\n{RATE}\nfee_arrears_count = true"), ladder);
    let mut loan = thousand();
    loan.assessed("2023-10-06", &policy, Trigger::Time);
    // Ten days of 0.50: 4 to 13 October, seen on the 14th.
    assert_eq!(loan.account.status.next_action_at, Some(instant("2023-10-13T16:00:00Z")));
    assert_eq!(loan.stage("2023-10-13", &policy), "current");
    assert_eq!(loan.stage("2023-10-14", &policy), "held");
    loan.assessed("2023-10-20", &policy, Trigger::Time);
    let decision = loan.account.decision_of_this_revision().unwrap();
    assert_eq!(decision.at, instant("2023-10-13T16:00:00Z"));
    let subject = DecisionSubject { account_id: &loan.account.account_id, currency: loan.account.currency };
    let line = serde_json::to_value(DecisionLine::new(subject, decision)).unwrap();
    // 4 to 19 October: 16 days.
    assert_eq!(line["figures"]["late_fee"], "8.00");
    assert_eq!(line["figures"]["overdue"], "1008.00");
    assert_eq!(line["reasons"][0]["value"], "1008.00");
}

#[test]
fn a_threshold_that_no_fee_reaches_is_never_met() {
    let ladder = "[[stages]]\nname = \"held\"\nwhen = { overdue_amount = \"1010.01\" }\n";
    let table =
        format!("[late_fee]\n{RATE}\nfee_arrears_count = true\ncap_per_installment_amount = \"10.00\"");
    let capped = policy(&table, ladder);
    let mut loan = thousand();
    loan.assessed("2023-10-06", &capped, Trigger::Time);
    assert_eq!(loan.account.status.next_action_at, None);
    assert_eq!(loan.stage("2999-12-31", &capped), "current");
}

#[test]
fn a_daily_line_shows_the_fee_as_it_accrues() {
    let (loan, policy) = (thousand(), fee(RATE));
    let mut out = Vec::new();
    let mut lines = DailyLines::new(&loan.account, &policy);
    for day in ["2023-10-04", "2023-10-05", "2023-10-06"] {
        lines.write(&loan.account, date(day), &mut out);
    }
    let expected = r#"{"date":"2023-10-04","account_id":"A-1","stage":"current","days_past_due":3,"delinquent_days":0,"overdue":"1000.00","oldest_due_on":"2023-10-01","outstanding":"1000.00","late_fee":"0.00","restrictions":[]}
{"date":"2023-10-05","account_id":"A-1","stage":"current","days_past_due":4,"delinquent_days":1,"overdue":"1000.50","oldest_due_on":"2023-10-01","outstanding":"1000.50","late_fee":"0.50","restrictions":[]}
{"date":"2023-10-06","account_id":"A-1","stage":"current","days_past_due":5,"delinquent_days":2,"overdue":"1001.00","oldest_due_on":"2023-10-01","outstanding":"1001.00","late_fee":"1.00","restrictions":[]}
"#;
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[rstest]
#[case::nothing(r#""amount":"0.00","reason":"r""#, "amount: 0.00 is not more than zero")]
#[case::less_than_nothing(r#""amount":"-1.00","reason":"r""#, "amount: -1.00 is not more than zero")]
#[case::too_fine(r#""amount":"1.001","reason":"r""#, "amount: 1.001 has 3 decimals, CNY has 2")]
#[case::of_nothing_known(r#""number":9,"reason":"r""#, "number: the account has no installment 9")]
fn a_waiver_that_means_nothing_is_refused(#[case] fields: &str, #[case] problem: &str) {
    let mut loan = thousand();
    let before = loan.clone();
    assert_eq!(loan.try_learn("2023-10-11", "fee_waived", fields).unwrap_err().to_string(), problem);
    assert_eq!(loan, before);
}

#[test]
fn an_account_holds_so_many_waivers() {
    let mut loan = thousand();
    for _ in 0..MAX_WAIVERS {
        loan.learns("2023-10-11", "fee_waived", ALL);
    }
    let refusal = loan.try_learn("2023-10-11", "fee_waived", ALL).unwrap_err();
    assert_eq!(refusal.to_string(), "number: an account holds at most 200 waivers of a late fee");
    assert_eq!(loan.account.check_bounds(), Ok(()));
}

// The table is on line 5.
#[rstest]
#[case::nothing_to_charge("cap_per_month = \"1.00\"", "it needs a daily_rate, a fixed amount, or both")]
#[case::in_grace(
    "fixed = \"1\"\nfree_days = 2",
    "late_fee.free_days: 2 would charge in grace, which is 3 days"
)]
#[case::too_many_free_days(
    "fixed = \"1\"\nfree_days = 36501",
    "late_fee.free_days: 36501 is more than 36500"
)]
#[case::negative_rate("daily_rate = \"-0.0005\"", "late_fee.daily_rate: -0.0005 is not between 0 and 0.01")]
#[case::absurd_rate("daily_rate = \"0.0101\"", "late_fee.daily_rate: 0.0101 is not between 0 and 0.01")]
#[case::too_fine_a_rate(
    "daily_rate = \"0.0005000001\"",
    "late_fee.daily_rate: 0.0005000001 has more than 9 decimals"
)]
#[case::negative_amount("fixed = \"-1.00\"", "late_fee.fixed: -1.00 is less than zero")]
#[case::too_fine_an_amount("fixed = \"1.00001\"", "late_fee.fixed: 1.00001 has more than 4 decimals")]
#[case::negative_cap("fixed = \"0\"\ncap_per_month = \"-1\"", "late_fee.cap_per_month: -1 is less than zero")]
#[case::cap_beyond_all(
    "fixed = \"1\"\ncap_per_installment = \"1.1\"",
    "late_fee.cap_per_installment: 1.1 is not between 0 and 1"
)]
#[case::rate_beyond_its_cap(
    "daily_rate = \"0.002\"\ncap_per_installment = \"0.001\"",
    "late_fee.daily_rate: 0.002 is more than its own cap_per_installment, 0.001"
)]
#[case::fixed_beyond_its_cap(
    "fixed = \"25.00\"\ncap_per_installment_amount = \"24.00\"",
    "late_fee.fixed: 25.00 is more than its own cap_per_installment_amount, 24.00"
)]
#[case::fixed_beyond_the_months_cap(
    "fixed = \"25.00\"\ncap_per_month = \"24.00\"",
    "late_fee.fixed: 25.00 is more than its own cap_per_month, 24.00"
)]
#[case::half_an_annual_cap(
    "fixed = \"1\"\nannual_cost_cap = \"0.24\"",
    "annual_cost_cap and contract_annual_rate only mean something together"
)]
#[case::dear_enough_already(
    "fixed = \"1\"\nannual_cost_cap = \"0.24\"\ncontract_annual_rate = \"0.25\"",
    "late_fee.contract_annual_rate: 0.25 is above the annual_cost_cap already, 0.24"
)]
#[case::absurd_annual_cap(
    "fixed = \"1\"\nannual_cost_cap = \"11\"\ncontract_annual_rate = \"0.25\"",
    "late_fee.annual_cost_cap: 11 is not between 0 and 10"
)]
#[case::unknown_key("rate = \"0.0005\"", "unknown field `rate`")]
fn a_late_fee_that_makes_no_sense_is_refused_by_its_line(#[case] table: &str, #[case] problem: &str) {
    let text =
        format!("id = \"p\"\nversion = 1\neffective_on = 2026-01-01\ngrace_days = 3\n[late_fee]\n{table}\n");
    let error = policies::parse(&text).unwrap_err();
    assert!(error.problem.contains(problem), "{error}");
    assert!((5..=8).contains(&error.line), "{error}");
}

#[test]
fn a_late_fee_is_read_as_documented() {
    let text = r#"
id = "p"
version = 1
effective_on = 2026-01-01
grace_days = 3
overpayment = "credit"

[late_fee]
daily_rate = "0.0005"
fixed = "25.00"
free_days = 5
cap_per_installment = "0.10"
cap_per_installment_amount = "50.00"
cap_per_month = "100.00"
annual_cost_cap = "0.24"
contract_annual_rate = "0.15"
"#;
    let policy = policies::parse(text).unwrap();
    assert_eq!(policy.free_days(), 5);
    assert!(policy.keeps_a_ledger());
    assert_eq!(policy.overpayment, policies::Overpayment::Credit);
    let fee = policy.late_fee.unwrap();
    assert_eq!(fee.daily_rate, Some("0.0005".parse().unwrap()));
    assert_eq!(fee.fixed, Some("25.00".parse().unwrap()));
    assert_eq!(fee.cap_per_installment, Some("0.10".parse().unwrap()));
    assert_eq!(fee.cap_per_installment_amount, Some("50.00".parse().unwrap()));
    assert_eq!(fee.cap_per_month, Some("100.00".parse().unwrap()));
    let cap = fee.annual_cap.unwrap();
    assert_eq!((cap.cost, cap.contract_rate), ("0.24".parse().unwrap(), "0.15".parse().unwrap()));
}

// Four installments of 100.00; the first is paid five days late under a fixed fee of 7.00, the others on their days.
#[test]
fn one_late_payment_makes_no_later_installment_late() {
    let ladder = "[[stages]]\nname = \"late\"\nwhen = { days_past_due = 1 }\n";
    let policy = policy("[late_fee]\nfixed = \"7.00\"", ladder);
    let due = [(1, "2023-10-01"), (2, "2023-11-01"), (3, "2023-12-01"), (4, "2024-01-01")];
    let mut loan = loan(&due.map(|(number, due_on)| (number, due_on, "100.00")));
    loan.pays("2023-10-06", "P-1", "100.00");
    for (number, due_on) in due.into_iter().skip(1) {
        loan.pays(due_on, &format!("P-{number}"), "100.00");
        let next = date(due_on).succ_opt().unwrap().to_string();
        let figures = loan.figures(&next, &policy);
        let shown = (figures.overdue.to_string(), figures.days_past_due, figures.oldest_due_on);
        assert_eq!(shown, ("7.00".to_owned(), 0, None), "on {next}");
        assert_eq!(loan.stage(&next, &policy), "current", "on {next}");
    }
    loan.pays("2024-06-02", "P-7", "7.00");
    assert_eq!(loan.figures("2024-06-02", &policy).outstanding.to_string(), "0.00");
}

// Eleven nights, from the 4th on, have cost 5.50 by the 15th and go with the schedule. The 16 nights of another debt that
// becomes known later were never waived.
#[test]
fn a_waiver_of_a_schedules_late_fee_goes_with_that_schedule() {
    let (mut loan, policy) = (thousand(), fee(RATE));
    let replaced =
        command("schedule_replaced", r#""installments":[],"reason":"agreed","accrued_fee":"waive""#);
    loan.account.apply_under(&replaced, loan.local("2023-10-15"), Some(&(&policy).into())).unwrap();
    assert_eq!(loan.account.new_schedule().unwrap().late_fee.to_string(), "5.50");
    let debt = r#""installment":{"number":1,"due_on":"2023-10-01","principal":"1000.00"}"#;
    loan.learns("2023-10-19", "installment_added", debt);
    assert_eq!(late_fee(&loan, "2023-10-20", &policy), "8.00");
}
