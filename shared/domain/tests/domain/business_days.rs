//! Due dates on weekends and holidays, and the rules that move them.

use chrono::{Days, NaiveDate};
use duewatch_domain::kernel::days_between;
use duewatch_domain::policy::{self, Calendar, MAX_MOVED_DAYS};
use duewatch_domain::{Policy, Trigger, allocate_at};
use proptest::prelude::*;
use rstest::rstest;

use crate::common::{date, four_installments, instant, loan, policy};

fn moving(head: &str, moves: &str) -> Policy {
    let tables = format!(
        "[business_days]\ncalendar = \"cn\"\nmove = {moves}\n[[stages]]\nname = \"late\"\nwhen = {{ days_past_due = 1 }}\n"
    );
    policy(head, &tables)
}

fn moved(moves: &str, due_on: &str) -> String {
    moving("", moves).business_days.unwrap().moved(date(due_on)).to_string()
}

#[rstest]
// Saturday 10 to Saturday 17 February 2024 were free, Sunday the 18th was worked.
#[case::to_a_sunday_made_up("\"next\"", "2024-02-10", "2024-02-18")]
#[case::back_over_no_holiday("\"previous\"", "2024-02-17", "2024-02-09")]
#[case::a_saturday_made_up_stays("\"next\"", "2024-09-14", "2024-09-14")]
#[case::a_working_day_stays("\"previous\"", "2024-02-09", "2024-02-09")]
// Friday 29 September to Friday 6 October 2023 were free, the weekend after it was worked.
#[case::to_a_saturday_made_up("\"next\"", "2023-10-01", "2023-10-07")]
#[case::back_from_a_holiday("\"previous\"", "2023-10-01", "2023-09-28")]
// Nine days from Sunday 15 February 2026, after a Saturday that was worked.
#[case::over_nine_days("\"next\"", "2026-02-15", "2026-02-24")]
#[case::back_to_a_saturday_made_up("\"previous\"", "2026-02-23", "2026-02-14")]
// Sunday 30 June 2024 and Wednesday 1 May 2024.
#[case::into_the_next_month("\"next\"", "2024-06-30", "2024-07-01")]
#[case::not_into_the_next_month("\"modified_next\"", "2024-06-30", "2024-06-28")]
#[case::modified_within_the_month("\"modified_next\"", "2024-06-29", "2024-06-28")]
#[case::modified_and_yet_next("\"modified_next\"", "2024-05-01", "2024-05-06")]
#[case::into_the_month_before("\"previous\"", "2024-05-01", "2024-04-30")]
#[case::not_into_the_month_before("\"modified_previous\"", "2024-05-01", "2024-05-06")]
#[case::modified_and_yet_previous("\"modified_previous\"", "2024-06-30", "2024-06-28")]
#[case::month_end("\"next\"\nmonth_end = true", "2024-06-30", "2024-06-28")]
#[case::month_end_of_february("\"next\"\nmonth_end = true", "2026-02-28", "2026-02-28")]
#[case::the_day_before_is_no_month_end("\"next\"\nmonth_end = true", "2024-06-29", "2024-07-01")]
// No notice is known for 2020 and 2028: Saturday 29 February, Sunday 1 October.
#[case::leap_day("\"next\"", "2020-02-29", "2020-03-02")]
#[case::leap_day_at_the_months_end("\"next\"\nmonth_end = true", "2020-02-29", "2020-02-28")]
#[case::national_day_of_a_year_not_known("\"next\"", "2028-10-01", "2028-10-02")]
fn a_due_date_moves_to_a_working_day(#[case] moves: &str, #[case] due_on: &str, #[case] expected: &str) {
    assert_eq!(moved(moves, due_on), expected);
}

#[rstest]
#[case("2022-12-31", false)]
#[case("2023-01-01", true)]
#[case("2026-12-31", true)]
#[case("2027-01-01", false)]
fn a_calendar_says_which_dates_it_covers(#[case] day: &str, #[case] covered: bool) {
    assert_eq!(Calendar::shipped("cn").unwrap().covers(date(day)), covered);
}

#[test]
fn days_are_counted_from_the_date_that_moved_and_the_contracts_stays() {
    let policy = moving("", "\"next\"");
    let loan = loan(&[(1, "2024-02-10", "250.00")]);
    assert_eq!(loan.days("2024-02-18", &policy), (0, 0));
    assert_eq!(loan.days("2024-02-20", &policy), (2, 2));
    assert_eq!(loan.figures("2024-02-19", &policy).oldest_due_on, Some(date("2024-02-18")));
    assert_eq!(loan.stage("2024-02-18", &policy), "current");
    assert_eq!(loan.stage("2024-02-19", &policy), "late");
    // Midnight in Shanghai.
    let assessed = loan.assessed_at(instant("2024-02-11T00:00:00Z"), &policy);
    assert_eq!(assessed.next_action_at, Some(instant("2024-02-18T16:00:00Z")));
    assert_eq!(loan.account.installments()[0].due_on, date("2024-02-10"));
}

#[test]
fn under_due_day_the_moved_date_is_day_one() {
    let policy = moving("day_count = \"due_day\"", "\"next\"");
    let loan = loan(&[(1, "2024-02-10", "250.00")]);
    assert_eq!(loan.days("2024-02-17", &policy), (0, 0));
    assert_eq!(loan.days("2024-02-18", &policy), (1, 1));
}

#[test]
fn money_settles_by_the_contracts_dates_and_the_oldest_is_by_the_moved_ones() {
    // A Saturday that moves to July, and the month's last day, which moves back to Friday.
    let policy = moving("", "\"next\"\nmonth_end = true");
    let mut loan = loan(&[(1, "2024-06-29", "100.00"), (2, "2024-06-30", "50.00")]);
    let figures = loan.figures("2024-06-30", &policy);
    assert_eq!(figures.oldest_due_on, Some(date("2024-06-28")));
    assert_eq!((figures.days_past_due, figures.unpaid_installments), (2, 1));
    assert_eq!(figures.overdue.to_string(), "50.00");
    loan.pays("2024-06-30", "P-1", "100.00");
    assert_eq!(loan.unpaid(), "2: 50.00");
}

#[test]
fn what_is_taken_back_is_due_on_the_day_of_that() {
    let policy = moving("", "\"previous\"");
    let mut loan = loan(&[(1, "2024-06-03", "100.00")]);
    // Charged back on a Sunday.
    loan.pays("2024-06-03", "P-1", "100.00").reverses("2024-06-09", "P-1", "reversal");
    assert_eq!(loan.figures("2024-06-11", &policy).oldest_due_on, Some(date("2024-06-09")));
}

#[test]
fn reminders_follow_the_date_that_moved() {
    let tables = r#"
        [business_days]
        calendar = "cn"
        move = "next"
        [reminders]
        send_at = "10:00"
        steps = [
            { stage = "current", days = -3, channel = "sms", template = "soon" },
            { stage = "current", days = 0, channel = "sms", template = "today" },
        ]
    "#;
    let policy = policy("", tables);
    let mut loan = loan(&[(1, "2024-02-10", "250.00")]);
    loan.assessed("2024-02-01", &policy, Trigger::Time);
    assert_eq!(loan.account.status.next_action_at, Some(instant("2024-02-15T02:00:00Z")));
    loan.assessed("2024-02-15", &policy, Trigger::Time);
    assert_eq!(loan.account.contact_requests[0].template, "soon");
    assert_eq!(loan.account.contact_requests[0].due_on, Some(date("2024-02-18")));
    assert_eq!(loan.account.status.next_action_at, Some(instant("2024-02-18T02:00:00Z")));
}

#[test]
fn a_policy_that_says_nothing_of_business_days_moves_nothing() {
    let policy = policy("", "");
    let loan = four_installments();
    // A Sunday and a holiday.
    assert_eq!(allocate_at(&loan.account, &policy).open_installments[0].due_on, date("2023-10-01"));
}

#[test]
fn a_policys_own_calendar_counts_and_takes_the_place_of_a_shipped_one() {
    let tables = r#"
        [business_days]
        calendar = "cn"
        move = "next"
        [calendars.cn]
        source = "the branch's own"
        from = 2024-01-01
        to = 2024-12-31
        weekend = ["friday", "saturday"]
        holidays = [2024-02-11]
        working_days = [2024-02-16]
    "#;
    let business_days = policy("", tables).business_days.unwrap();
    for (due_on, expected) in
        [("2024-02-09", "2024-02-12"), ("2024-02-16", "2024-02-16"), ("2024-02-17", "2024-02-18")]
    {
        assert_eq!(business_days.moved(date(due_on)), date(expected));
    }
}

const HEAD: &str = "id = \"p\"\nversion = 1\neffective_on = 2024-01-01\n";

fn calendar(rest: &str) -> String {
    format!("[calendars.own]\nsource = \"the bank\"\nfrom = 2024-01-01\nto = 2024-12-31\n{rest}")
}

#[rstest]
#[case::unknown("[business_days]\ncalendar = \"mars\"\nmove = \"next\"", 4, &["mars", "cn", "calendars"])]
#[case::unknown_move("[business_days]\ncalendar = \"cn\"\nmove = \"nearest\"", 6, &["move", "nearest", "modified_next"])]
#[case::no_move("[business_days]\ncalendar = \"cn\"", 4, &["move"])]
#[case::unknown_key("[business_days]\ncalendar = \"cn\"\nmove = \"next\"\nend_of_month = true", 7, &["end_of_month"])]
#[case::worked_holiday(
    &calendar("weekend = [\"sunday\"]\nholidays = [2024-01-07]\nworking_days = [2024-01-07]"),
    4,
    &["own", "working_days", "2024-01-07", "holiday"]
)]
#[case::worked_weekday(
    &calendar("weekend = [\"sunday\"]\nworking_days = [2024-01-08]"),
    4,
    &["own", "working_days", "2024-01-08", "weekend"]
)]
#[case::out_of_order(
    &calendar("weekend = [\"sunday\"]\nholidays = [2024-05-02, 2024-05-01]"),
    4,
    &["own", "holidays", "2024-05-01 after 2024-05-02"]
)]
#[case::twice(
    &calendar("weekend = [\"sunday\"]\nholidays = [2024-05-01, 2024-05-01]"),
    4,
    &["own", "holidays", "2024-05-01"]
)]
#[case::out_of_range(&calendar("weekend = []\nholidays = [2025-01-01]"), 4, &["own", "holidays", "2025-01-01"])]
#[case::no_range("[calendars.own]\nsource = \"x\"\nfrom = 2024-02-01\nto = 2024-01-31\nweekend = []", 4, &["to", "2024-01-31"])]
#[case::no_source("[calendars.own]\nsource = \" \"\nfrom = 2024-01-01\nto = 2024-01-31\nweekend = []", 4, &["source"])]
#[case::no_working_day(
    &calendar("weekend = [\"monday\", \"tuesday\", \"wednesday\", \"thursday\", \"friday\", \"saturday\", \"sunday\"]"),
    4,
    &["own", "weekend"]
)]
#[case::no_day_of_the_week(&calendar("weekend = [\"caturday\"]"), 8, &["weekend", "caturday"])]
fn a_calendar_is_refused_by_line_field_and_value(
    #[case] tables: &str,
    #[case] line: usize,
    #[case] names: &[&str],
) {
    let error = policy::parse(&format!("{HEAD}{tables}")).unwrap_err();
    assert_eq!(error.line, line, "{error}");
    for name in names {
        assert!(error.problem.contains(name), "{name:?} is missing in: {error}");
    }
}

fn january_off_until(last: u64) -> String {
    let first = date("2024-01-01");
    let days: Vec<String> = (0..last).map(|day| (first + Days::new(day)).to_string()).collect();
    format!("{HEAD}{}", calendar(&format!("weekend = [\"sunday\"]\nholidays = [{}]", days.join(", "))))
}

// Sunday 31 December 2023 goes before them, and 4 February 2024 is a Sunday.
#[test]
fn holidays_that_do_not_end_are_refused() {
    assert!(policy::parse(&january_off_until(30)).is_ok());
    let error = policy::parse(&january_off_until(31)).unwrap_err();
    assert!(error.problem.contains("2024-01-01") && error.problem.contains("31"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_moved_date_is_a_working_day_nearby(
        day in 0_u64..2_200,
        moves in proptest::sample::select(&["next", "previous", "modified_next", "modified_previous"][..]),
        month_end in any::<bool>(),
    ) {
        let business_days =
            moving("", &format!("\"{moves}\"\nmonth_end = {month_end}")).business_days.unwrap();
        let due_on: NaiveDate = date("2022-06-01") + Days::new(day);
        let moved = business_days.moved(due_on);
        prop_assert!(business_days.calendar.is_working_day(moved));
        prop_assert!(days_between(due_on, moved).abs() <= MAX_MOVED_DAYS);
        prop_assert_eq!(business_days.moved(moved), moved);
        let next = business_days.moved(due_on + Days::new(1));
        prop_assert!(month_end || moved <= next, "{} goes to {}, the day after to {}", due_on, moved, next);
    }
}
