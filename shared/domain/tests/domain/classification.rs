//! The regulatory class, and its probation after a cure.

use chrono::TimeDelta;
use duewatch_domain::formats::DailyLines;
use duewatch_domain::kernel::{business_date, end_of_day};
use duewatch_domain::policy;
use duewatch_domain::{Account, Policy, Trigger, assess};
use proptest::collection::vec;
use proptest::prelude::*;
use rstest::rstest;

use crate::common;
use crate::common::generate::{DomainCase, PLACES, case, fact, happen, minutes};
use crate::common::{TestLoan, date, four_installments, instant, loan, loan_in, policy};

const CN_FIVE_CLASS: &str = include_str!("../../presets/classification-cn-five-class.toml");
const CN_CARD: &str = include_str!("../../presets/classification-cn-card.toml");
const EU_DEFAULT: &str = include_str!("../../presets/classification-eu-default.toml");
const RBI_SMA: &str = include_str!("../../presets/classification-rbi-sma.toml");

fn preset(text: &str) -> Policy {
    policy(text, "")
}

/// Three classes from 1, 31 and 91 days past due, the last two with probation.
fn three(cured: &str, months: &str) -> Policy {
    let table = r#"
        [classification]
        name = "three"
        normal = "good"
        classes = [
            { name = "watch", days_past_due = 1 },
            { name = "poor", days_past_due = 31 },
            { name = "bad", days_past_due = 91 },
        ]
        probation_from = "poor"
    "#;
    policy("", &format!("{table}\ncured = \"{cured}\"\n{months}"))
}

fn class<'p>(loan: &TestLoan, on: &str, policy: &'p Policy) -> &'p str {
    let at = end_of_day(loan.account.time_zone, date(on));
    let class = loan.assessed_at(at, policy).class.unwrap().as_str();
    let mut line = Vec::new();
    DailyLines::new(&loan.account, policy).write(&loan.account, date(on), &mut line);
    let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(line["class"], class, "on {on}");
    class
}

/// Asserts the class at the end of each of the days.
fn assert_classes(loan: &TestLoan, policy: &Policy, expected: &[(&str, &str)]) {
    for (on, expected) in expected {
        assert_eq!(class(loan, on, policy), *expected, "on {on}");
    }
}

/// The date since which the account has been in its class or a worse one, and the end of its probation.
fn record(loan: &TestLoan) -> String {
    let classification = loan.account.status.classification.as_ref().unwrap();
    let Some(held) = classification.class() else { return "normal".to_owned() };
    match held.probation_until {
        Some(until) => format!("{} since {} until {until}", held.name, held.since),
        None => format!("{} since {}", held.name, held.since),
    }
}

// One installment, due on 1 October 2023: day 1 is 2 October.
#[rstest]
#[case(CN_FIVE_CLASS, "2023-10-01", "normal")]
#[case(CN_FIVE_CLASS, "2023-10-02", "special_mention")]
#[case::day_90(CN_FIVE_CLASS, "2023-12-30", "special_mention")]
#[case::over_90(CN_FIVE_CLASS, "2023-12-31", "substandard")]
#[case::day_270(CN_FIVE_CLASS, "2024-06-27", "substandard")]
#[case::over_270(CN_FIVE_CLASS, "2024-06-28", "doubtful")]
#[case::day_360(CN_FIVE_CLASS, "2024-09-25", "doubtful")]
#[case::over_360(CN_FIVE_CLASS, "2024-09-26", "loss")]
#[case::day_90(CN_CARD, "2023-12-30", "special_mention")]
#[case::over_90(CN_CARD, "2023-12-31", "substandard")]
#[case::day_120(CN_CARD, "2024-01-29", "substandard")]
#[case::over_120(CN_CARD, "2024-01-30", "doubtful")]
#[case::day_180(CN_CARD, "2024-03-29", "doubtful")]
#[case::over_180(CN_CARD, "2024-03-30", "loss")]
#[case::day_90(EU_DEFAULT, "2023-12-30", "non_default")]
#[case::over_90(EU_DEFAULT, "2023-12-31", "default")]
fn days_past_due_bring_the_class(#[case] text: &str, #[case] on: &str, #[case] expected: &str) {
    let loan = loan(&[(1, "2023-10-01", "250.00")]);
    assert_eq!(class(&loan, on, &preset(text)), expected);
}

// The Reserve Bank of India's own examples.
#[rstest]
#[case("2021-03-31", ["2021-03-31", "2021-04-30", "2021-05-30", "2021-06-29"])]
#[case("2021-12-01", ["2021-12-01", "2021-12-31", "2022-01-30", "2022-03-01"])]
fn in_india_a_class_is_reached_at_the_end_of_its_day(#[case] due_on: &str, #[case] reached: [&str; 4]) {
    let policy = preset(RBI_SMA);
    let loan = loan_in("Asia/Kolkata", "INR", &[(1, due_on, "250.00")]);
    let mut before = "standard";
    for (on, class) in reached.into_iter().zip(["SMA-0", "SMA-1", "SMA-2", "NPA"]) {
        let last_second = end_of_day(loan.account.time_zone, date(on));
        let just_before = loan.assessed_at(last_second - TimeDelta::seconds(1), &policy);
        assert_eq!(just_before.class.unwrap().as_str(), before);
        assert_eq!(just_before.next_action_at, Some(last_second));
        assert_eq!(self::class(&loan, on, &policy), class);
        before = class;
    }
}

#[test]
fn in_india_only_full_payment_ends_what_is_non_performing() {
    let policy = preset(RBI_SMA);
    let mut loan = loan_in("Asia/Kolkata", "INR", &[(1, "2021-03-31", "100.00"), (2, "2021-06-20", "50.00")]);
    loan.assessed("2021-07-10", &policy, Trigger::Time);
    // By its 20 days the second installment is SMA-0, and yet the account is still an NPA.
    loan.pays("2021-07-10", "P-1", "100.00").assessed("2021-07-10", &policy, Trigger::Fact);
    assert_eq!(class(&loan, "2021-07-10", &policy), "NPA");
    loan.pays("2021-07-20", "P-2", "50.00").assessed("2021-07-20", &policy, Trigger::Fact);
    assert_eq!(class(&loan, "2021-07-20", &policy), "standard");
}

#[test]
fn a_class_outlives_its_cure_by_the_probation() {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.assessed("2023-12-31", &policy, Trigger::Time);
    assert_eq!(record(&loan), "default since 2023-12-31");
    assert_eq!(loan.account.status.next_action_at, None);
    loan.pays("2024-01-31", "P-1", "250.00").assessed("2024-01-31", &policy, Trigger::Fact);
    // Three months on there is no 31 April.
    assert_eq!(record(&loan), "default since 2023-12-31 until 2024-04-30");
    assert_eq!(loan.account.status.next_action_at, Some(instant("2024-04-29T16:00:00Z")));
    assert_classes(&loan, &policy, &[("2024-04-29", "default"), ("2024-04-30", "non_default")]);
    // Restrictions do not outlive the cure, and a class alone is no decision.
    let revision = loan.account.revision;
    loan.assessed("2024-04-30", &policy, Trigger::Time);
    assert!(loan.account.revision > revision);
    assert_eq!(loan.account.recent_decisions(), []);
    assert_eq!(loan.account.status.classification.as_ref().unwrap().class(), None);
}

#[test]
fn a_class_that_has_no_probation_follows_the_days() {
    let policy = three("nothing_overdue", "probation_months = 6");
    let mut loan = loan(&[(1, "2023-10-01", "250.00"), (2, "2023-10-20", "250.00")]);
    loan.assessed("2023-10-25", &policy, Trigger::Time);
    assert_eq!(record(&loan), "watch since 2023-10-02");
    loan.pays("2023-10-25", "P-1", "500.00").assessed("2023-10-25", &policy, Trigger::Fact);
    assert_eq!(class(&loan, "2023-10-25", &policy), "good");
}

// Day 31 is 1 November, day 91 is 31 December. The second installment, due on 1 December, is
// left unpaid when the first is paid: day 31 is 1 January, day 91 is 1 March.
#[rstest]
#[case::below_the_threshold(
    "below_threshold",
    "bad since 2023-12-31 until 2024-04-05",
    // The worse class had not been served when its days were reached again.
    &[("2024-02-29", "bad"), ("2024-04-05", "bad"), ("2024-12-31", "bad")]
)]
#[case::nothing_overdue("nothing_overdue", "bad since 2023-12-31", &[("2024-01-05", "bad"), ("2024-12-31", "bad")])]
fn part_of_a_cure(#[case] cured: &str, #[case] after: &str, #[case] later: &[(&str, &str)]) {
    let policy = three(cured, "probation_months = 3");
    let mut loan = loan(&[(1, "2023-10-01", "250.00"), (2, "2023-12-01", "250.00")]);
    loan.assessed("2024-01-05", &policy, Trigger::Time);
    loan.pays("2024-01-05", "P-1", "250.00").assessed("2024-01-05", &policy, Trigger::Fact);
    assert_eq!(record(&loan), after);
    assert_classes(&loan, &policy, later);
}

#[test]
fn each_class_serves_its_own_probation() {
    let policy = three("below_threshold", "probation_months = 3");
    let mut loan = loan(&[(1, "2023-10-01", "250.00"), (2, "2023-12-01", "250.00")]);
    loan.assessed("2024-01-05", &policy, Trigger::Time);
    // Cured of the worst class on 5 January, of the one before it on 10 February.
    loan.pays("2024-01-05", "P-1", "250.00").assessed("2024-01-05", &policy, Trigger::Fact);
    loan.pays("2024-02-10", "P-2", "250.00").assessed("2024-02-10", &policy, Trigger::Fact);
    let expected =
        [("2024-04-04", "bad"), ("2024-04-05", "poor"), ("2024-05-09", "poor"), ("2024-05-10", "good")];
    assert_classes(&loan, &policy, &expected);
    loan.assessed("2024-04-20", &policy, Trigger::Time);
    assert_eq!(record(&loan), "poor since 2023-11-01 until 2024-05-10");
    assert_eq!(loan.account.status.next_action_at, Some(instant("2024-05-09T16:00:00Z")));
}

// Cured on 5 January, until 5 April.
#[rstest]
#[case::on_the_last_day_of_it("2024-04-04", "2024-04-05", "bad")]
#[case::on_the_day_it_ends("2024-04-05", "2024-04-06", "good")]
fn a_relapse_within_the_probation_ends_it(#[case] due_on: &str, #[case] late_on: &str, #[case] then: &str) {
    let policy = three("nothing_overdue", "probation_months = 3");
    let mut loan = loan(&[(1, "2023-10-01", "250.00"), (2, due_on, "250.00")]);
    loan.assessed("2024-01-05", &policy, Trigger::Time);
    loan.pays("2024-01-05", "P-1", "250.00").assessed("2024-01-05", &policy, Trigger::Fact);
    assert_eq!(class(&loan, "2024-04-04", &policy), "bad");
    assert_eq!(class(&loan, "2024-04-05", &policy), then);
    // After the relapse its own cure begins the probation.
    loan.pays(late_on, "P-2", "250.00").assessed(late_on, &policy, Trigger::Fact);
    let served = if then == "bad" { "2024-07-05" } else { late_on };
    assert_eq!(class(&loan, served, &policy), "good");
    if then == "bad" {
        assert_eq!(record(&loan), "bad since 2023-12-31 until 2024-07-05");
        assert_eq!(class(&loan, "2024-07-04", &policy), "bad");
    }
}

#[test]
fn what_was_reached_before_a_payment_came_was_reached_whoever_looked() {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.assessed("2023-10-01", &policy, Trigger::Time);
    // Five minutes into day 91, before any sweep.
    let fields = r#""payment_id":"P-1","amount":"250.00","value_date":"2023-12-31""#;
    loan.learns("2023-12-31T00:05:00", "payment_received", fields);
    loan.assessed("2023-12-31T00:05:00", &policy, Trigger::Fact);
    assert_eq!(record(&loan), "default since 2023-12-31 until 2024-03-31");
}

// Day 91 is 31 December: money of the 30th was in time, whenever it became known, and the default never was.
#[rstest]
#[case::dated_before_it("2023-12-30", "normal")]
#[case::dated_that_day("2023-12-31", "default since 2023-12-31 until 2024-04-10")]
#[case::dated_when_it_came("2024-01-10", "default since 2023-12-31 until 2024-04-10")]
fn a_payment_dated_before_the_class_takes_its_probation_away(
    #[case] value_date: &str,
    #[case] expected: &str,
) {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00"), (2, "2025-10-01", "250.00")]);
    loan.assessed("2023-10-01", &policy, Trigger::Time).assessed("2023-12-31", &policy, Trigger::Time);
    let fields = format!(r#""payment_id":"P-1","amount":"250.00","value_date":"{value_date}""#);
    loan.learns("2024-01-10", "payment_received", &fields).assessed("2024-01-10", &policy, Trigger::Fact);
    assert_eq!(record(&loan), expected);
}

#[test]
fn a_payment_in_time_leaves_no_class_behind() {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.assessed("2023-10-01", &policy, Trigger::Time);
    loan.pays("2023-12-30T23:55:00", "P-1", "250.00").assessed("2023-12-30T23:55:00", &policy, Trigger::Fact);
    assert_eq!(class(&loan, "2024-06-01", &policy), "non_default");
}

#[test]
fn a_backdated_fact_changes_the_class_from_its_arrival_on() {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.pays("2023-10-01", "P-1", "250.00").assessed("2023-10-01", &policy, Trigger::Fact);
    loan.reverses("2024-03-01", "P-1", "original").assessed("2024-03-01", &policy, Trigger::Fact);
    assert_eq!(record(&loan), "default since 2024-03-01");
    loan.pays("2024-03-02", "P-2", "250.00").assessed("2024-03-02", &policy, Trigger::Fact);
    assert_eq!(record(&loan), "default since 2024-03-01 until 2024-06-02");
}

#[test]
fn an_account_that_nobody_has_classified_yet_was_what_its_days_say() {
    let policy = three("nothing_overdue", "probation_months = 3");
    let mut loan = four_installments();
    loan.assessed("2024-05-01", &self::policy("", ""), Trigger::Time);
    assert_eq!(loan.account.status.classification, None);
    loan.assessed("2024-05-02", &policy, Trigger::Time);
    assert_eq!(record(&loan), "bad since 2023-12-31");
    loan.assessed("2024-05-03", &self::policy("", ""), Trigger::Time);
    assert_eq!(loan.account.status.classification, None);
}

const NEW_SCHEDULE: &str =
    r#""installments":[{"number":9,"due_on":"2024-08-01","principal":"250.00"}],"reason":"forbearance""#;

#[test]
fn after_forbearance_the_probation_is_longer() {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.assessed("2024-01-05", &policy, Trigger::Time);
    loan.learns("2024-01-05", "schedule_replaced", NEW_SCHEDULE).assessed(
        "2024-01-05",
        &policy,
        Trigger::Fact,
    );
    // A new missed date, on 1 August, reaches day 91 on 31 October, within the year.
    assert_eq!(record(&loan), "default since 2023-12-31 until 2025-01-05");
    let mut paid = loan.clone();
    paid.pays("2024-07-01", "P-1", "250.00").assessed("2024-07-01", &policy, Trigger::Fact);
    assert_classes(&paid, &policy, &[("2025-01-04", "default"), ("2025-01-05", "non_default")]);
    // The relapse begins the probation anew.
    loan.pays("2024-11-15", "P-1", "250.00").assessed("2024-11-15", &policy, Trigger::Fact);
    assert_eq!(record(&loan), "default since 2023-12-31 until 2025-11-15");
}

#[test]
fn forbearance_during_a_probation_makes_it_longer() {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00"), (2, "2024-02-01", "250.00")]);
    loan.assessed("2024-01-05", &policy, Trigger::Time);
    loan.pays("2024-01-05", "P-1", "250.00").assessed("2024-01-05", &policy, Trigger::Fact);
    assert_eq!(record(&loan), "default since 2023-12-31 until 2024-04-05");
    loan.learns("2024-02-10", "schedule_replaced", NEW_SCHEDULE).assessed(
        "2024-02-10",
        &policy,
        Trigger::Fact,
    );
    assert_eq!(record(&loan), "default since 2023-12-31 until 2025-02-10");
}

#[test]
fn forbearance_before_a_class_was_reached_is_none_of_it() {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.learns("2023-10-05", "schedule_replaced", NEW_SCHEDULE).assessed(
        "2023-10-05",
        &policy,
        Trigger::Fact,
    );
    loan.assessed("2024-11-05", &policy, Trigger::Time);
    loan.pays("2024-11-05", "P-1", "250.00").assessed("2024-11-05", &policy, Trigger::Fact);
    assert_eq!(record(&loan), "default since 2024-10-31 until 2025-02-05");
}

#[test]
fn a_schedule_that_was_refused_is_no_forbearance() {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.pays("2023-10-01", "P-1", "1.00").assessed("2024-01-05", &policy, Trigger::Fact);
    let taken = r#""installments":[{"number":1,"due_on":"2024-08-01","principal":"9.00"}],"reason":"x""#;
    assert!(loan.try_learn("2024-01-05", "schedule_replaced", taken).is_err());
    loan.pays("2024-01-06", "P-2", "249.00").assessed("2024-01-06", &policy, Trigger::Fact);
    assert_eq!(record(&loan), "default since 2023-12-31 until 2024-04-06");
}

#[test]
fn the_switch_of_enforcement_leaves_the_class_alone() {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.learns("2023-10-05", "enforcement_off", r#""reason":"court order""#);
    assert_eq!(class(&loan, "2023-12-31", &policy), "default");
}

#[test]
fn an_account_whose_class_is_to_change_is_not_confirmed() {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.assessed("2023-10-05", &policy, Trigger::Time);
    assert!(loan.account.is_confirmed(&policy, loan.local("2023-12-30")));
    assert!(!loan.account.is_confirmed(&policy, loan.local("2023-12-31")));
    assert!(!loan.account.is_confirmed(&preset(CN_CARD), loan.local("2023-10-06")));
    assert!(!loan.account.is_confirmed(&self::policy("", ""), loan.local("2023-10-06")));
}

#[test]
fn a_class_that_a_new_policy_does_not_know_is_forgotten() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.assessed("2024-01-05", &preset(EU_DEFAULT), Trigger::Time);
    let policy = preset(CN_CARD);
    loan.assessed("2024-01-06", &policy, Trigger::Fact);
    assert_eq!(record(&loan), "substandard since 2023-12-31");
}

#[test]
fn a_class_is_told_with_its_dates() {
    let policy = preset(EU_DEFAULT);
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.assessed("2023-12-31", &policy, Trigger::Time);
    let told = |loan: &TestLoan| {
        loan.account.status.classification.as_ref().unwrap().class().map(ToString::to_string).unwrap()
    };
    assert_eq!(told(&loan), "default, since 2023-12-31 in it or in a worse one");
    loan.pays("2024-01-05", "P-1", "250.00").assessed("2024-01-05", &policy, Trigger::Fact);
    assert_eq!(
        told(&loan),
        "default, since 2023-12-31 in it or in a worse one, on probation until 2024-04-05"
    );
}

#[test]
fn what_is_classified_is_written_short_and_read_again() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.assessed("2023-12-31", &preset(EU_DEFAULT), Trigger::Time);
    let written = serde_json::to_value(&loan.account.status.classification).unwrap();
    let expected = r#"{"counted_from":"2023-10-01","held":[{"name":"default","since":"2023-12-31"}]}"#;
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(expected).unwrap());
    let written = serde_json::to_string(&loan.account).unwrap();
    assert_eq!(serde_json::from_str::<Account>(&written).unwrap(), loan.account);
}

const HEAD: &str = "id = \"p\"\nversion = 1\neffective_on = 2024-01-01\n[classification]\nname = \"x\"\n";
const CLASSES: &str =
    "classes = [{ name = \"a\", days_past_due = 1 }, { name = \"b\", days_past_due = 31 }]\n";

#[rstest]
#[case::no_classes("normal = \"n\"\nclasses = []", &["classification.classes"])]
#[case::threshold_of_none("normal = \"n\"\nclasses = [{ name = \"a\", days_past_due = 0 }]", &["\"a\"", "days_past_due", "0"])]
#[case::threshold_too_high("normal = \"n\"\nclasses = [{ name = \"a\", days_past_due = 36501 }]", &["36501"])]
#[case::out_of_order(
    "normal = \"n\"\nclasses = [{ name = \"a\", days_past_due = 9 }, { name = \"b\", days_past_due = 9 }]",
    &["\"b\"", "9", "mildest"]
)]
#[case::two_of_a_name(
    "normal = \"n\"\nclasses = [{ name = \"a\", days_past_due = 9 }, { name = \"a\", days_past_due = 10 }]",
    &["classes.name", "\"a\""]
)]
#[case::named_like_the_normal_one("normal = \"a\"\nclasses = [{ name = \"a\", days_past_due = 9 }]", &["classes.name", "\"a\""])]
#[case::no_name("normal = \"\"\nclasses = [{ name = \"a\", days_past_due = 9 }]", &["normal"])]
#[case::probation_from_nowhere(&format!("normal = \"n\"\n{CLASSES}probation_from = \"c\""), &["probation_from", "\"c\""])]
#[case::probation_too_long(&format!("normal = \"n\"\n{CLASSES}probation_months = 121"), &["probation_months", "121", "120"])]
#[case::forbearance_that_shortens(
    &format!("normal = \"n\"\n{CLASSES}probation_months = 6\nprobation_after_forbearance_months = 3"),
    &["probation_after_forbearance_months", "3", "6"]
)]
fn a_classification_is_refused_by_line_field_and_value(#[case] table: &str, #[case] names: &[&str]) {
    let error = policy::parse(&format!("{HEAD}{table}")).unwrap_err();
    assert_eq!(error.line, 4, "{error}");
    for name in names {
        assert!(error.problem.contains(name), "{name:?} is missing in: {error}");
    }
}

#[test]
fn a_classification_keeps_within_its_bounds() {
    let classes = |count: u32| {
        let classes: Vec<String> =
            (1..=count).map(|days| format!("{{ name = \"{days}\", days_past_due = {days} }}")).collect();
        format!("{HEAD}normal = \"n\"\nclasses = [{}]", classes.join(", "))
    };
    assert!(policy::parse(&classes(20)).is_ok());
    assert!(policy::parse(&classes(21)).is_err());
}

/// The days of evaluations, in order, and the facts between them.
fn history() -> impl Strategy<Value = Vec<(i64, Option<common::generate::DomainFact>)>> {
    vec((minutes(), proptest::option::weighted(0.6, fact())), 1..12).prop_map(|mut history| {
        history.sort_by_key(|(minute, _)| *minute);
        history
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// One account is evaluated whenever its class may change, and at further times; the other only when a
    /// fact arrives.
    #[test]
    fn a_class_is_the_same_however_often_somebody_looks(case in case(PLACES), history in history()) {
        let DomainCase { account, policy, begin, .. } = case;
        let (mut often, mut seldom) = (account.clone(), account);
        often.judge(&policy, begin, Trigger::Fact);
        seldom.judge(&policy, begin, Trigger::Fact);
        for (minute, fact) in history {
            let now = begin + TimeDelta::minutes(minute);
            for _ in 0..500 {
                let Some(next) = often.status.next_action_at.filter(|next| *next < now) else { break };
                often.judge(&policy, next, Trigger::Time);
            }
            match fact {
                Some(fact) => {
                    happen(&mut often, &fact, begin, minute);
                    happen(&mut seldom, &fact, begin, minute);
                    seldom.judge(&policy, now, Trigger::Fact);
                    often.judge(&policy, now, Trigger::Fact);
                    prop_assert_eq!(&often.status.classification, &seldom.status.classification);
                }
                None => often.judge(&policy, now, Trigger::Time),
            }
            prop_assert_eq!(
                assess(&often, &policy, now).classification,
                assess(&seldom, &policy, now).classification
            );
        }
    }

    #[test]
    fn a_class_is_never_milder_than_the_days_say(case in case(PLACES), history in history()) {
        let DomainCase { mut account, policy, begin, .. } = case;
        for (minute, fact) in history {
            let now = begin + TimeDelta::minutes(minute);
            if let Some(fact) = fact {
                happen(&mut account, &fact, begin, minute);
                account.judge(&policy, now, Trigger::Fact);
            }
            let assessment = assess(&account, &policy, now);
            let Some(rules) = &policy.classification else { continue };
            let rank = |name: &policy::ClassName| rules.classes.iter().position(|class| &class.name == name);
            let by_days = rules
                .classes
                .iter()
                .rposition(|class| assessment.figures.days_past_due >= class.days_past_due);
            let class = rank(assessment.class.unwrap());
            prop_assert!(class >= by_days, "{:?} < {:?}", class, by_days);
            // A class worse than the days say is on probation, or not cured yet: on a day on which what falls due at
            // its end reaches the class again, no cure begins.
            if let Some(place) = class.filter(|_| class > by_days) {
                let held = assessment.classification.as_ref().and_then(|one| one.class().cloned()).unwrap();
                let tonight = end_of_day(account.time_zone, business_date(account.time_zone, now));
                let days_tonight = assess(&account, &policy, tonight).figures.days_past_due;
                let is_reached_tonight = days_tonight >= rules.classes[place].days_past_due;
                prop_assert!(place >= rules.probation_from || is_reached_tonight);
                prop_assert!(held.probation_until.is_none_or(|until| until > assessment.day));
                prop_assert!(held.since <= assessment.day);
            }
        }
    }

    #[test]
    fn before_the_next_action_the_class_is_the_same_and_confirmed(
        case in case(PLACES),
        history in history(),
        samples in vec(0..1_000, 3),
    ) {
        let DomainCase { mut account, policy, begin, .. } = case;
        let mut now = begin;
        for (minute, fact) in history {
            now = begin + TimeDelta::minutes(minute);
            if let Some(fact) = fact {
                happen(&mut account, &fact, begin, minute);
            }
            account.judge(&policy, now, Trigger::Fact);
        }
        for _ in 0..8 {
            let class = assess(&account, &policy, now).class;
            let next = account.status.next_action_at;
            for sample in &samples {
                let length = next.map_or(TimeDelta::days(2_000), |next| next - now - TimeDelta::seconds(1));
                let at = now + length / 1_000 * *sample;
                prop_assert_eq!(assess(&account, &policy, at).class, class);
                prop_assert!(account.is_confirmed(&policy, at));
            }
            let Some(next) = next else { break };
            now = next;
            account.judge(&policy, now, Trigger::Time);
        }
    }
}
