//! The stages: from when each holds, and the restrictions that it applies and lifts.

use chrono::TimeDelta;
use duewatch_domain::account::{HoldUse, Reason};
use duewatch_domain::kernel::RECENT_DECISIONS;
use duewatch_domain::kernel::Revision;
use duewatch_domain::{Policy, Trigger};
use duewatch_testkit::{LIMIT, RBI_CLASSES, stages};
use rstest::rstest;

use crate::common::{TestLoan, date, four_installments, instant, ladder, loan, loan_in, only_stage, policy};

fn kinds(restrictions: &[duewatch_domain::policy::Restriction]) -> Vec<String> {
    restrictions.iter().map(ToString::to_string).collect()
}

// Four installments of 250.00, due on the first of October to January.
#[rstest]
#[case::delinquent_days("delinquent_days = 1", "2023-10-02")]
#[case::delinquent_days("delinquent_days = 45", "2023-11-15")]
#[case::delinquent_days_none("delinquent_days = 0", "2023-10-02")]
#[case::days_past_due("days_past_due = 5", "2023-10-06")]
#[case::days_past_due_none("days_past_due = 0", "2023-10-02")]
#[case::overdue_amount_reached("overdue_amount = \"250.00\"", "2023-10-02")]
#[case::overdue_amount_missed_by_a_cent("overdue_amount = \"250.01\"", "2023-11-02")]
#[case::overdue_amount_of_three("overdue_amount = \"750\"", "2023-12-02")]
#[case::overdue_share_reached("overdue_share = \"0.25\"", "2023-10-02")]
#[case::overdue_share_missed("overdue_share = \"0.2501\"", "2023-11-02")]
#[case::overdue_share_as_a_number("overdue_share = 0.75", "2023-12-02")]
#[case::overdue_share_of_everything("overdue_share = 1", "2024-01-02")]
#[case::unpaid_installments("unpaid_installments = 1", "2023-10-02")]
#[case::unpaid_installments("unpaid_installments = 3", "2023-12-02")]
#[case::two_conditions_the_later_decides("days_past_due = 5, unpaid_installments = 2", "2023-11-02")]
#[case::two_conditions_the_earlier_is_not_enough(
    "days_past_due = 43, overdue_amount = \"500.00\"",
    "2023-11-13"
)]
#[case::all_five(
    "delinquent_days = 1, days_past_due = 1, overdue_amount = \"1.00\", overdue_share = \"0.1\", unpaid_installments = 4",
    "2024-01-02"
)]
fn a_stage_holds_from_the_day_on_which_all_its_conditions_hold(#[case] when: &str, #[case] first: &str) {
    let policy = only_stage("", when);
    let loan = four_installments();
    let before = date(first).pred_opt().unwrap().to_string();
    assert_eq!(loan.stage(&before, &policy), "current");
    assert_eq!(loan.stage(first, &policy), "held");
}

#[rstest]
#[case::delinquent_days("delinquent_days = 5", "2023-10-05")]
#[case::days_past_due("days_past_due = 1", "2023-10-01")]
#[case::overdue_amount("overdue_amount = \"250.00\"", "2023-10-01")]
#[case::unpaid_installments("unpaid_installments = 3", "2023-12-01")]
fn under_due_day_everything_comes_at_the_end_of_the_day_before(#[case] when: &str, #[case] first: &str) {
    let policy = only_stage("day_count = \"due_day\"", when);
    let loan = four_installments();
    let held = loan.local(&format!("{first}T23:59:59"));
    assert_eq!(loan.assessed_at(held - TimeDelta::seconds(1), &policy).stage_name(), "current");
    assert_eq!(loan.assessed_at(held, &policy).stage_name(), "held");
}

#[rstest]
#[case::within_grace("2023-10-04", (3, 0))]
#[case::formally_overdue_on_the_fourth_day("2023-10-05", (4, 1))]
fn grace_delays_delinquent_days_and_nothing_else(#[case] on: &str, #[case] days: (u32, u32)) {
    let loan = four_installments();
    assert_eq!(loan.days(on, &only_stage("grace_days = 3", "days_past_due = 1")), days);
    assert_eq!(loan.stage(on, &only_stage("grace_days = 3", "days_past_due = 3")), "held");
    assert_eq!(loan.stage(on, &only_stage("grace_days = 3", "overdue_amount = \"1.00\"")), "held");
    assert_eq!(loan.stage(on, &only_stage("grace_days = 3", "delinquent_days = 0")), "held");
}

#[test]
fn grace_left_out_is_none() {
    assert_eq!(four_installments().days("2023-10-02", &only_stage("", "days_past_due = 1")), (1, 1));
}

#[rstest]
#[case("2023-10-01", "current")]
#[case("2023-10-04", "current")]
#[case("2023-10-05", "late")]
#[case("2023-10-08", "late")]
#[case("2023-10-09", "limited")]
#[case("2023-10-18", "limited")]
#[case("2023-10-19", "frozen")]
#[case("2023-11-02", "frozen")]
#[case("2023-11-03", "suspended")]
fn an_unpaid_account_climbs_the_ladder(#[case] on: &str, #[case] stage: &str) {
    assert_eq!(four_installments().stage(on, &ladder()), stage);
}

#[test]
fn a_stage_holds_only_when_all_its_conditions_do() {
    let mut loan = four_installments();
    loan.pays("2023-10-02", "P-1", "150.01");
    assert_eq!(loan.stage("2023-10-31", &ladder()), "limited");
    assert_eq!(loan.stage("2023-11-01", &ladder()), "limited");
    // The second installment brings the overdue amount to 349.99.
    assert_eq!(loan.stage("2023-11-02", &ladder()), "frozen");
}

#[test]
fn of_the_stages_that_hold_the_last_in_the_list_wins() {
    let both = [("long", "days_past_due = 40", ""), ("many", "unpaid_installments = 2", "")];
    let mixed = policy("", &stages(&both));
    let mut loan = four_installments();
    assert_eq!(loan.stage("2023-11-02", &mixed), "many");
    assert_eq!(loan.stage("2023-12-31", &mixed), "many");
    loan.pays_for("2023-11-05", "P-1", "500.00", "[2,3]");
    assert_eq!(loan.stage("2023-11-09", &mixed), "current");
    assert_eq!(loan.stage("2023-11-10", &mixed), "long");
}

#[test]
fn a_late_evaluation_goes_straight_to_the_stage_that_holds() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.assessed("2023-12-24", &policy, Trigger::Time);
    let decision = loan.account.decision_of_this_revision().unwrap();
    assert_eq!((decision.from.as_str(), decision.to.as_str()), ("current", "suspended"));
    assert_eq!(kinds(&decision.applied), ["suspend_account"]);
    // The decision's instant is that of its condition: delinquent day 30 began on 3 November in Shanghai.
    assert_eq!(decision.at, instant("2023-11-02T16:00:00Z"));
    assert_eq!(decision.event_id(&loan.account.account_id), "A-1/1");
}

/// The Reserve Bank of India's classes, from its own examples.
fn rbi() -> Policy {
    policy("day_count = \"due_day\"", &stages(&RBI_CLASSES))
}

#[rstest]
#[case("2021-03-31", "2021-03-31", "current", "SMA-0")]
#[case("2021-03-31", "2021-04-30", "SMA-0", "SMA-1")]
#[case("2021-03-31", "2021-05-30", "SMA-1", "SMA-2")]
#[case("2021-03-31", "2021-06-29", "SMA-2", "NPA")]
#[case("2021-12-01", "2021-12-31", "SMA-0", "SMA-1")]
#[case("2021-12-01", "2022-01-30", "SMA-1", "SMA-2")]
#[case("2021-12-01", "2022-03-01", "SMA-2", "NPA")]
fn the_dates_of_the_reserve_bank_of_india(
    #[case] due_on: &str,
    #[case] on: &str,
    #[case] before: &str,
    #[case] reached: &str,
) {
    let rbi = rbi();
    let loan = loan_in("Asia/Kolkata", "INR", &[(1, due_on, "100.00")]);
    let last_second = loan.local(&format!("{on}T23:59:59"));
    let assessed = loan.assessed_at(last_second - TimeDelta::seconds(1), &rbi);
    assert_eq!((assessed.stage_name(), assessed.next_action_at), (before, Some(last_second)));
    assert_eq!(loan.assessed_at(last_second, &rbi).stage_name(), reached);
}

#[test]
fn under_due_day_whoever_pays_during_the_due_day_was_never_overdue() {
    let rbi = rbi();
    let mut loan = loan_in("Asia/Kolkata", "INR", &[(1, "2021-03-31", "100.00")]);
    let figures = loan.assessed_at(loan.local("2021-03-31T23:59:58"), &rbi).figures;
    assert_eq!((figures.days_past_due, figures.overdue.to_string().as_str()), (0, "0.00"));
    loan.pays("2021-03-31T23:59:58", "P-1", "100.00");
    assert_eq!(loan.days("2021-03-31", &rbi), (0, 0));
}

#[rstest]
#[case::day_after("day_after", "2023-10-21", (20, 13))]
#[case::due_day("due_day", "2023-10-21", (21, 14))]
fn paused_days_are_counted_alike_under_both_origins(
    #[case] day_count: &str,
    #[case] on: &str,
    #[case] days: (u32, u32),
) {
    let policy = only_stage(&format!("grace_days = 2\nday_count = \"{day_count}\""), "days_past_due = 1");
    let mut loan = four_installments();
    loan.pauses("2023-10-02", "2023-10-05", "2023-10-10");
    assert_eq!(loan.days(on, &policy), days);
}

#[rstest]
#[case::no_daylight_saving("Asia/Shanghai", "2023-10-01", "2023-10-01T16:00:00Z")]
#[case::half_an_hour_off("Asia/Kolkata", "2023-10-01", "2023-10-01T18:30:00Z")]
#[case::before_the_clock_goes_back("America/New_York", "2023-11-04", "2023-11-05T04:00:00Z")]
#[case::after_the_clock_went_back("America/New_York", "2023-11-05", "2023-11-06T05:00:00Z")]
#[case::midnight_missing("America/Sao_Paulo", "2018-11-03", "2018-11-04T03:00:00Z")]
#[case::midnight_missing("Asia/Beirut", "2022-03-26", "2022-03-26T22:00:00Z")]
#[case::midnight_twice("America/Havana", "2023-11-04", "2023-11-05T04:00:00Z")]
#[case::clock_moves_half_an_hour("Australia/Lord_Howe", "2023-10-01", "2023-10-01T13:00:00Z")]
#[case::date_skipped("Pacific/Apia", "2011-12-29", "2011-12-30T10:00:00Z")]
#[case::leap_day("Asia/Shanghai", "2024-02-28", "2024-02-28T16:00:00Z")]
fn an_account_is_overdue_from_the_first_instant_of_the_next_local_date(
    #[case] zone: &str,
    #[case] due_on: &str,
    #[case] begins: &str,
) {
    let policy = only_stage("", "days_past_due = 1");
    let loan = loan_in(zone, "EUR", &[(1, due_on, "10.00")]);
    let begins = instant(begins);
    let before = loan.assessed_at(begins - TimeDelta::seconds(1), &policy);
    assert_eq!((before.stage_name(), before.next_action_at), ("current", Some(begins)));
    let after = loan.assessed_at(begins, &policy);
    assert_eq!((after.stage_name(), after.next_action_at), ("held", None));
}

#[test]
fn the_next_action_is_the_next_stage_boundary_pauses_included() {
    let policy = ladder();
    let mut loan = four_installments();
    let next = |loan: &TestLoan, on: &str| loan.assessed_at(loan.local(on), &policy).next_action_at;
    assert_eq!(next(&loan, "2023-09-01"), Some(instant("2023-10-04T16:00:00Z")));
    assert_eq!(next(&loan, "2023-10-06"), Some(instant("2023-10-08T16:00:00Z")));
    loan.pauses("2023-10-06", "2023-10-07", "2023-10-17");
    assert_eq!(next(&loan, "2023-10-06"), Some(instant("2023-10-18T16:00:00Z")));
    assert_eq!(next(&loan, "2024-10-06"), None);
    loan.learns("2023-10-06", "enforcement_off", r#""reason":"court order""#);
    assert_eq!(next(&loan, "2023-10-06"), None);
}

#[rstest]
#[case::left_out("", "[Penalty, Fee, Interest, Principal]")]
#[case::its_own(
    "waterfall = [\"principal\", \"interest\", \"fee\", \"penalty\"]",
    "[Principal, Interest, Fee, Penalty]"
)]
fn the_waterfall_is_the_policys(#[case] head: &str, #[case] order: &str) {
    let policy = only_stage(head, "days_past_due = 1");
    assert_eq!(format!("{:?}", policy.waterfall.order()), order);
}

#[test]
fn a_stage_applies_its_restrictions_and_a_payment_lifts_them_in_the_same_write() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.assessed("2023-10-19", &policy, Trigger::Time);
    assert_eq!(loan.status_text(), "frozen [limit_credit_line to 50 %, freeze_drawdown]");

    loan.pays("2023-10-20", "P-1", "250.00").assessed("2023-10-20", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "current []");
    let lifted = loan.account.decision_of_this_revision().unwrap();
    assert_eq!(lifted.at, loan.local("2023-10-20"));
    assert!(lifted.applied.is_empty());
    assert_eq!(kinds(&lifted.lifted), ["limit_credit_line to 50 %", "freeze_drawdown"]);
    assert_eq!(lifted.reasons, [Reason::NothingOverdue]);
    assert_eq!(lifted.next_action_at, Some(instant("2023-11-04T16:00:00Z")));
}

#[test]
fn paying_a_part_lifts_what_that_part_cures() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.assessed("2023-10-19", &policy, Trigger::Time);
    loan.pays("2023-10-20", "P-1", "150.01").assessed("2023-10-20", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "limited [limit_credit_line to 50 %]");
    let decision = loan.account.decision_of_this_revision().unwrap();
    assert!(decision.applied.is_empty());
    assert_eq!(kinds(&decision.lifted), ["freeze_drawdown"]);
}

#[test]
fn paying_the_oldest_lifts_to_what_the_next_one_brings() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.assessed("2023-11-07", &policy, Trigger::Time);
    assert_eq!(loan.status_text(), "suspended [suspend_account]");
    loan.pays("2023-11-07", "P-1", "250.00").assessed("2023-11-07", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "late []");
}

#[test]
fn exactly_the_restrictions_of_the_stage_hold() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.assessed("2023-10-19", &policy, Trigger::Time).assessed("2023-11-03", &policy, Trigger::Time);
    let decision = loan.account.decision_of_this_revision().unwrap();
    assert_eq!(kinds(&decision.applied), ["suspend_account"]);
    assert_eq!(kinds(&decision.lifted), ["limit_credit_line to 50 %", "freeze_drawdown"]);
    assert_eq!(loan.status_text(), "suspended [suspend_account]");
}

#[test]
fn the_same_restriction_to_another_percentage_is_another_restriction() {
    let fifth = LIMIT.replace("50", "20");
    let both = [("half", "days_past_due = 1", LIMIT), ("fifth", "days_past_due = 10", fifth.as_str())];
    let policy = policy("", &stages(&both));
    let mut loan = four_installments();
    loan.assessed("2023-10-02", &policy, Trigger::Time).assessed("2023-10-11", &policy, Trigger::Time);
    let decision = loan.account.decision_of_this_revision().unwrap();
    assert_eq!(kinds(&decision.applied), ["limit_credit_line to 20 %"]);
    assert_eq!(kinds(&decision.lifted), ["limit_credit_line to 50 %"]);
}

#[test]
fn a_reversal_restricts_again_at_once() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.pays("2023-10-01", "P-1", "250.00").assessed("2023-10-01", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "current []");
    loan.reverses("2023-10-19", "P-1", "original");
    assert!(loan.account.assess_by(&policy, loan.local("2023-10-19")).restricts(&loan.account));
    loan.assessed("2023-10-19", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "frozen [limit_credit_line to 50 %, freeze_drawdown]");
}

#[test]
fn looking_again_finds_nothing_to_decide() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.assessed("2023-10-19", &policy, Trigger::Time);
    let standing = loan.status_text();
    let since = loan.account.status.since;
    loan.assessed("2023-10-25", &policy, Trigger::Time);
    assert_eq!(loan.account.decision_of_this_revision(), None);
    assert_eq!(loan.account.recent_decisions().len(), 1);
    assert_eq!((loan.status_text(), loan.account.status.since), (standing, since));
}

#[rstest]
#[case::as_before("standard", 1)]
#[case::another_version("standard", 2)]
#[case::another_policy("strict", 1)]
fn a_status_names_the_policy_that_assessed_it_last(#[case] id: &str, #[case] version: u32) {
    let first = ladder();
    let second = Policy { id: id.parse().unwrap(), version, ..first.clone() };
    let mut loan = four_installments();
    loan.assessed("2023-10-05", &first, Trigger::Time).assessed("2023-10-06", &second, Trigger::Time);
    assert_eq!(loan.account.status.policy, Some(second.reference()));
}

#[test]
fn an_account_carries_its_last_few_decisions() {
    let policy = only_stage("", "days_past_due = 1");
    let mut loan = four_installments();
    let mut decided = Vec::new();
    for day in 2..=4 {
        let (on, id) = (format!("2023-10-0{day}"), format!("P-{day}"));
        for cause in [Trigger::Time, Trigger::Fact] {
            if cause == Trigger::Fact {
                loan.pays(&on, &id, "250.00");
            }
            loan.assessed(&on, &policy, cause);
            decided.push(loan.account.revision);
            let carried: Vec<Revision> =
                loan.account.recent_decisions().iter().map(|one| one.revision).collect();
            assert_eq!(carried, decided[decided.len().saturating_sub(RECENT_DECISIONS)..]);
        }
        loan.reverses(&on, &id, "original");
    }
}

#[test]
fn every_decision_says_why() {
    let policy = ladder();
    let mut loan = four_installments();
    let reasons = |loan: &TestLoan, on: &str| -> Vec<String> {
        loan.assessed_at(loan.local(on), &policy).reasons.iter().map(|one| one.rule().to_owned()).collect()
    };
    assert_eq!(reasons(&loan, "2023-09-30"), ["nothing_overdue"]);
    assert_eq!(reasons(&loan, "2023-10-03"), ["below_every_stage"]);
    assert_eq!(reasons(&loan, "2023-10-19"), ["delinquent_days", "overdue_amount"]);
    loan.learns("2023-10-20", "enforcement_off", r#""reason":"court order""#);
    assert_eq!(reasons(&loan, "2023-10-20"), ["enforcement_off"]);
}

// Four installments of 250.00, of which 100.00 is paid.
#[rstest]
#[case::one_day(
    "delinquent_days = 1",
    "2023-10-02",
    r#"["delinquent_days",1,1]"#,
    "1 delinquent day, at least 1 for this stage; grace and paused days are not counted."
)]
#[case::two_days(
    "delinquent_days = 1",
    "2023-10-03",
    r#"["delinquent_days",1,2]"#,
    "2 delinquent days, at least 1 for this stage; grace and paused days are not counted."
)]
#[case::one_day(
    "days_past_due = 0",
    "2023-10-02",
    r#"["days_past_due",0,1]"#,
    "1 day past due, at least 0 for this stage."
)]
#[case::two_days(
    "days_past_due = 2",
    "2023-10-03",
    r#"["days_past_due",2,2]"#,
    "2 days past due, at least 2 for this stage."
)]
#[case::amount(
    "overdue_amount = \"100\"",
    "2023-10-02",
    r#"["overdue_amount","100","150.00"]"#,
    "150.00 is overdue, at least 100 for this stage."
)]
#[case::share(
    "overdue_share = \"0.1\"",
    "2023-10-02",
    r#"["overdue_share","0.1","0.1667"]"#,
    "0.1667 of what is outstanding is overdue, at least 0.1 for this stage."
)]
#[case::installments(
    "unpaid_installments = 2",
    "2023-11-02",
    r#"["unpaid_installments",2,2]"#,
    "2 installments past due are unpaid, at least 2 for this stage."
)]
#[case::below(
    "days_past_due = 2",
    "2023-10-02",
    r#"["below_every_stage",null,null]"#,
    "Something is overdue, but the conditions of no stage all hold."
)]
#[case::nothing(
    "days_past_due = 2",
    "2023-10-01",
    r#"["nothing_overdue",null,null]"#,
    "No installment is overdue."
)]
fn a_reason_is_data_and_reads_as_a_sentence(
    #[case] when: &str,
    #[case] on: &str,
    #[case] data: &str,
    #[case] sentence: &str,
) {
    let policy = only_stage("", when);
    let mut loan = four_installments();
    loan.pays("2023-09-01", "P-1", "100.00");
    let reasons = loan.assessed_at(loan.local(on), &policy).reasons;
    let [reason] = reasons.as_slice() else { panic!("{reasons:?}") };
    let (threshold, value) = reason.threshold_and_value();
    assert_eq!(serde_json::json!([reason.rule(), threshold, value]).to_string(), data);
    assert_eq!(reason.to_string(), sentence);
}

#[test]
fn enforcement_that_is_off_is_a_reason_of_its_own() {
    let mut loan = four_installments();
    loan.learns("2023-10-20", "enforcement_off", r#""reason":"court order""#);
    let [reason] = &loan.assessed_at(loan.local("2023-10-20"), &ladder()).reasons[..] else { panic!() };
    assert_eq!(reason.to_string(), "Enforcement is switched off for this account.");
    assert_eq!(reason.threshold_and_value(), (serde_json::Value::Null, serde_json::Value::Null));
}

// The account is `limited` since the ninth; `frozen` follows on the nineteenth.
#[rstest]
#[case::nothing_new("2023-10-18", false)]
#[case::one_more("2023-10-19", true)]
fn only_a_restriction_that_does_not_hold_yet_would_restrict(#[case] on: &str, #[case] expected: bool) {
    let policy = ladder();
    let mut loan = four_installments();
    loan.assessed("2023-10-09", &policy, Trigger::Time);
    assert_eq!(loan.account.assess_by(&policy, loan.local(on)).restricts(&loan.account), expected);
}

#[test]
fn an_account_that_is_deferred_stands_as_it_stood_and_is_looked_at_again() {
    let policy = ladder();
    let mut loan = four_installments();
    loan.assessed("2023-10-09", &policy, Trigger::Time);
    let before = loan.account.clone();
    let until = loan.local("2023-10-19T12:05:00");
    loan.account.defer_restriction(HoldUse::default(), until);
    assert_eq!(loan.account.revision.0, before.revision.0 + 1);
    assert_eq!(loan.account.decision_of_this_revision(), None);
    assert_eq!(loan.status_text(), "limited [limit_credit_line to 50 %]");
    assert_eq!(loan.account.status.next_action_at, Some(until));
    assert!(!loan.account.status.is_due(until - TimeDelta::seconds(1)));
    assert!(loan.account.status.is_due(until));
}

#[test]
fn an_account_in_a_currency_without_minor_units_is_assessed_alike() {
    let mut loan = loan_in("Asia/Tokyo", "JPY", &[(1, "2023-10-01", "25000")]);
    loan.pays("2023-10-02", "P-1", "24999");
    assert_eq!(loan.figures("2023-10-05", &ladder()).overdue.to_string(), "1");
    assert_eq!(loan.stage("2023-10-05", &ladder()), "late");
}

#[test]
fn an_installment_of_nothing_is_never_overdue() {
    assert_eq!(loan(&[(1, "2023-10-01", "0.00")]).stage("2024-10-01", &ladder()), "current");
}
