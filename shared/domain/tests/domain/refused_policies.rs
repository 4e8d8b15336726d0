//! Refused policies: they charge in grace, restrict before notice, exceed their own cap, name an unknown
//! calendar, or make an account go back and forth on the same facts.

use duewatch_domain::policy;
use rstest::rstest;

/// A restriction from a word, with the days of its notice after a slash.
fn restriction(word: &str) -> String {
    let (kind, notice) = word.split_once('/').map_or((word, None), |(kind, days)| (kind, Some(days)));
    let kind = match kind {
        "limit" => r#"kind = "limit_credit_line", percent = 50"#,
        "freeze" => r#"kind = "freeze_drawdown""#,
        "suspend" => r#"kind = "suspend_account""#,
        raised => return format!("{{ kind = \"raise_rate\", percent = {raised} }}"),
    };
    format!("{{ {kind}{} }}", notice.map_or(String::new(), |days| format!(", notice_days = {days}")))
}

/// The stages of `(when, restrictions)`, named a, b, c, d.
fn ladder(stages: &[(&str, &str)]) -> String {
    let stages = stages.iter().zip(["a", "b", "c", "d"]).map(|((when, restrictions), name)| {
        let restrictions: Vec<String> = restrictions.split_whitespace().map(restriction).collect();
        format!(
            "[[stages]]\nname = \"{name}\"\nwhen = {{ {when} }}\nrestrictions = [{}]\n",
            restrictions.join(", ")
        )
    });
    stages.collect()
}

fn refusal(head: &str, ladder: &str) -> Option<String> {
    let text = format!("id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n{head}\n{ladder}");
    policy::parse(&text).err().map(|error| error.to_string())
}

#[rstest]
#[case::in_grace(
    "grace_days = 3\n[late_fee]\ndaily_rate = \"0.0005\"\nfree_days = 2",
    "late_fee.free_days: 2 would charge in grace, which is 3 days"
)]
#[case::fixed_above_its_cap(
    "[late_fee]\nfixed = \"25.00\"\ncap_per_month = \"24.00\"",
    "late_fee.fixed: 25.00 is more than its own cap_per_month, 24.00"
)]
#[case::contract_above_the_cap(
    "[late_fee]\ndaily_rate = \"0.0005\"\nannual_cost_cap = \"0.24\"\ncontract_annual_rate = \"0.25\"",
    "late_fee.contract_annual_rate: 0.25 is above the annual_cost_cap already, 0.24"
)]
#[case::unknown_calendar("[business_days]\ncalendar = \"moon\"\nmove = \"next\"", "moon")]
fn a_table_that_contradicts_another_is_refused(#[case] head: &str, #[case] problem: &str) {
    let refusal = refusal(head, "").unwrap();
    assert!(refusal.contains(problem), "{refusal}");
}

/// 0.20 a year, raised to 120 %, is 0.24.
#[rstest]
#[case::to_the_cap("120", None)]
#[case::above_it(
    "121",
    Some(
        "late_fee.annual_cost_cap: 0.24 is its own cap, and raise_rate to 121 % in stage \"a\" would charge 0.242"
    )
)]
fn a_rate_is_not_raised_above_the_annual_cap(#[case] percent: &str, #[case] problem: Option<&str>) {
    let ladder = ladder(&[("delinquent_days = 1", percent)]);
    let fee =
        "[late_fee]\ndaily_rate = \"0.0005\"\nannual_cost_cap = \"0.24\"\ncontract_annual_rate = \"0.2\"";
    let refusal = refusal("", &format!("{ladder}{fee}"));
    assert_eq!(refusal.is_some(), problem.is_some(), "{refusal:?}");
    assert!(refusal.unwrap_or_default().contains(problem.unwrap_or_default()));
}

#[rstest]
#[case::without_any(
    &[("delinquent_days = 5", "freeze"), ("delinquent_days = 15", "limit freeze/7")],
    "stage \"b\" would restrict before notice: freeze_drawdown asks for 7 days, and \"a\", which holds by then, brings it after 0"
)]
#[case::after_fewer_days(
    &[("delinquent_days = 5", "freeze/3"), ("delinquent_days = 15", "freeze/7")],
    "brings it after 3"
)]
#[case::by_one_that_is_harsher(
    &[("delinquent_days = 5", "suspend"), ("delinquent_days = 15", "suspend freeze/7")],
    "freeze_drawdown asks for 7 days"
)]
fn a_restriction_that_comes_before_its_notice_is_refused(
    #[case] stages: &[(&str, &str)],
    #[case] problem: &str,
) {
    let refusal = refusal("", &ladder(stages)).unwrap();
    assert!(refusal.contains(problem), "{refusal}");
}

#[rstest]
#[case::each_waits_for_its_own(&[("delinquent_days = 5", "limit"), ("delinquent_days = 15", "limit freeze/7")])]
#[case::the_first_waits_as_long(&[("delinquent_days = 5", "freeze/7"), ("delinquent_days = 15", "freeze/7")])]
#[case::the_first_is_for_a_cause_of_its_own(
    &[("delinquent_days = 5, cause = \"long_term\"", "freeze"), ("delinquent_days = 15", "freeze/7")]
)]
#[case::the_first_is_for_large_amounts(
    &[("overdue_amount = \"1000\"", "freeze"), ("delinquent_days = 15", "freeze/7")]
)]
#[case::harsher_ones_wait_longer(&[("delinquent_days = 5", "freeze"), ("delinquent_days = 15", "suspend/7")])]
fn a_ladder_whose_restrictions_wait_for_their_notice_is_taken(#[case] stages: &[(&str, &str)]) {
    assert_eq!(refusal("", &ladder(stages)), None);
}

#[rstest]
#[case::lifted_and_brought_again(
    &[("delinquent_days = 5", "limit"), ("delinquent_days = 10", ""), ("delinquent_days = 15", "limit")],
    "stage \"b\" would lift limit_credit_line to 50 %, which \"a\" brings before it and \"c\" brings again"
)]
#[case::brought_again_by_one_that_is_harsher(
    &[("delinquent_days = 5", "limit"), ("delinquent_days = 10", "freeze"), ("delinquent_days = 15", "suspend")],
    "stage \"b\" would lift limit_credit_line to 50 %"
)]
#[case::after_a_stage_between(
    &[("delinquent_days = 5", "limit"), ("delinquent_days = 10", "limit"), ("delinquent_days = 15", "freeze"), ("delinquent_days = 20", "limit freeze")],
    "stage \"c\" would lift"
)]
#[case::by_amounts(
    &[("overdue_amount = \"10\"", "limit"), ("overdue_amount = \"20\"", ""), ("days_past_due = 30", "limit")],
    "stage \"b\" would lift"
)]
#[case::once_its_notice_is_over(
    &[("days_past_due = 15", "limit"), ("days_past_due = 10, score_at_most = 500", "freeze/7"), ("days_past_due = 30", "limit")],
    "stage \"b\" would lift limit_credit_line"
)]
#[case::on_one_cause(
    &[("delinquent_days = 5", "limit"), ("delinquent_days = 10, cause = \"temporary\"", ""), ("delinquent_days = 15", "limit")],
    "stage \"b\" would lift"
)]
fn a_ladder_that_goes_back_and_forth_as_days_go_by_is_refused(
    #[case] stages: &[(&str, &str)],
    #[case] problem: &str,
) {
    let refusal = refusal("", &ladder(stages)).unwrap();
    assert!(refusal.contains(problem) && refusal.contains("back and forth"), "{refusal}");
}

#[rstest]
#[case::lifted_for_good(&[("delinquent_days = 5", "limit"), ("delinquent_days = 10", ""), ("delinquent_days = 15", "freeze")])]
#[case::harsher_all_along(&[("delinquent_days = 5", "limit"), ("delinquent_days = 10", "limit freeze"), ("delinquent_days = 15", "suspend")])]
#[case::for_one_cause_from_the_same_day_on(
    &[("delinquent_days = 5", "limit"), ("delinquent_days = 5, cause = \"temporary\"", ""), ("delinquent_days = 15", "limit")]
)]
#[case::on_causes_that_cannot_both_be_recorded(
    &[("delinquent_days = 5, cause = \"long_term\"", "limit"), ("delinquent_days = 10, cause = \"temporary\"", ""), ("delinquent_days = 15", "limit")]
)]
#[case::what_is_overdue_at_all(
    &[("days_past_due = 5", "limit"), ("unpaid_installments = 1, score_at_most = 500", ""), ("days_past_due = 15", "limit")]
)]
fn a_ladder_that_time_takes_one_way_is_taken(#[case] stages: &[(&str, &str)]) {
    assert_eq!(refusal("", &ladder(stages)), None);
}
