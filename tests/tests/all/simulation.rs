//! A short part of the simulator's seeds; its README explains how to run more.

use duewatch_tests::simulation::{
    Fault, SimulationPlan, SimulationReport, Without, every_fault, every_order, run, scenarios, shrink,
};
use rstest::rstest;

#[test]
fn a_month_keeps_its_promises_whatever_goes_wrong() {
    let mut total = SimulationReport::default();
    // Seeds that cover every count below.
    for seed in 46..71 {
        match run(SimulationPlan::of(seed)) {
            Ok(report) => total.add(&report),
            Err(broken) => panic!("seed {seed}: {broken}"),
        }
    }
    for what in [
        "lifts",
        "restrictions",
        "holds",
        "reminders published",
        "notices published",
        "judged by an announced version",
        "events published again",
        "watched: repaired",
    ] {
        assert!(total.counts[what] > 0, "{what} never happened in {total}");
    }
    assert!(total.struck.len() >= 10, "{total}");
}

/// Seeds that broke a promise once, and the reason.
#[rstest]
#[case::a_message_speaks_by_a_version_that_has_not_judged_its_account_yet(701_897)]
#[case::two_reports_of_one_message_say_the_same_and_one_of_them_is_quarantined(702_068)]
#[case::a_reminder_that_bounced_is_about_an_account_that_a_newer_release_wrote(702_322)]
#[case::an_installment_falls_due_on_a_date_that_its_zone_skips(804_624)]
#[case::a_reminder_waits_through_a_date_that_its_zone_skips(7_000_561)]
#[case::a_newer_release_takes_an_account_over_while_it_is_opened(805_203)]
#[case::a_milder_stage_restricts_beside_another_account_and_its_event_comes_late(808_378)]
#[case::that_event_under_another_policy(809_192)]
#[case::a_reminder_of_a_skipped_date_waits_while_its_account_is_evaluated_again(2_026_120_403)]
#[case::the_record_of_an_erasing_write_is_quarantined(2_026_120_794)]
fn a_seed_that_broke_a_promise_keeps_it(#[case] seed: u64) {
    if let Err(broken) = run(SimulationPlan::of(seed)) {
        panic!("seed {seed}: {broken}");
    }
}

#[test]
fn a_seed_goes_the_same_way_each_time() {
    for seed in [5, 17] {
        assert_eq!(run(SimulationPlan::of(seed)), run(SimulationPlan::of(seed)));
    }
}

/// Orders with few interruptions come first: `.ci/nightly` tries all the others too.
#[test]
fn two_payments_and_a_command_against_a_payment_are_taken_in_many_orders() {
    for name in ["two payments of one account", "a command against a payment"] {
        let scenarios = scenarios();
        let scenario = scenarios.iter().find(|one| one.name == name).unwrap();
        let tried =
            every_order(scenario, 300).unwrap_or_else(|(order, broken)| panic!("{order:?}: {broken}"));
        assert!(tried.ways > 20, "{name}: {tried:?}");
    }
}

#[test]
fn each_fault_at_each_request_of_a_payment_against_a_sweep_is_survived() {
    let tried =
        every_fault(&scenarios()[0]).unwrap_or_else(|(strike, broken)| panic!("{strike:?}: {broken}"));
    assert!(tried.ways > 50, "{tried:?}");
}

#[test]
fn what_is_left_out_of_a_plan_does_not_come() {
    let plan = SimulationPlan::of(17);
    let faults = plan.faults.keys().copied().collect();
    let without = Without { accounts: [0].into(), faults, days: 10, ..Without::default() };
    let less = SimulationPlan::of(17).without(&without);
    assert!(less.faults.is_empty() && less.end < plan.end);
    assert!(less.happenings.iter().all(|happening| happening.account != Some(0) && happening.at <= less.end));
    assert!(without.to_string().contains("--without-accounts 0"), "{without}");
    assert!(run(less).unwrap().struck.is_empty());
}

#[test]
fn every_fault_has_a_name_that_is_read_back() {
    for fault in Fault::ALL {
        assert_eq!(fault.to_string().parse(), Ok(*fault));
    }
    assert!("hiccup".parse::<Fault>().unwrap_err().contains("throttle"));
}

/// One account on a few days: the search tries each part of that.
#[test]
fn a_seed_that_keeps_its_promises_cannot_be_made_smaller() {
    let broken = duewatch_tests::simulation::Broken { promise: "none", how: String::new() };
    let plan = SimulationPlan::of(3);
    let faults = plan.faults.keys().copied().collect();
    let others = (1..plan.book.len()).collect();
    let without = Without { accounts: others, faults, days: 24, ..Without::default() };
    assert!(!plan.without(&without).happenings.is_empty());
    let shrunk = shrink(3, &without, &broken);
    assert_eq!(shrunk.without, without);
    assert!(shrunk.runs > 5, "{}", shrunk.runs);
}
