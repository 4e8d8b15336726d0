//! The view of an account, with each figure worked out by hand from the rules.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's own input is known to be good"
)]

use chrono::NaiveDate;
use duewatch_domain::account::PromiseOutcome;
use duewatch_domain::formats::parse_event_line;
use duewatch_domain::kernel::end_of_day;
use duewatch_domain::policy::Versions;
use duewatch_domain::{Account, Policy, Trigger};
use duewatch_testkit::{ContractTerms, FREEZE, date, policy, stages};
use duewatch_views::{
    AccountView, InstallmentState, InstallmentView, OperationAnswer, PaymentState, PaymentView, Situation,
};
use rstest::rstest;
use serde_json::{Value, json};

/// 1,000.00 due on 1 October and 500.00 due on 1 November.
fn loan() -> Account {
    let terms = ContractTerms {
        opened_on: "2023-09-01",
        installments: json!([
            { "number": 1, "due_on": "2023-10-01", "principal": "1000.00" },
            { "number": 2, "due_on": "2023-11-01", "principal": "500.00" },
        ]),
        ..ContractTerms::default()
    };
    Account::open(&terms.contract()).unwrap()
}

/// Half a tenth of a percent a night, from the end of three days of grace on; frozen from day 15 on.
fn with_late_fee() -> Policy {
    let tables = format!(
        "[late_fee]\ndaily_rate = \"0.0005\"\n{}",
        stages(&[("late", "delinquent_days = 1", ""), ("frozen", "delinquent_days = 15", FREEZE)])
    );
    policy("grace_days = 3", &tables)
}

fn versions(policy: Policy) -> Versions {
    Versions::new(vec![policy]).unwrap()
}

/// Applies an event and judges the account.
fn happens(account: &mut Account, policy: &Policy, mut event: Value) {
    event["account_id"] = "A-1".into();
    let event = parse_event_line(&event.to_string()).unwrap();
    account.apply(&event.command, event.at).unwrap();
    account.judge(policy, event.at, Trigger::Fact);
}

/// The view at the last second of a local day.
fn viewed(account: &mut Account, policy: &Policy, day: &str, check: impl Fn(&AccountView<'_>)) {
    let at = end_of_day(account.time_zone, date(day));
    account.judge(policy, at, Trigger::Time);
    let versions = versions(policy.clone());
    let decisions = account.recent_decisions().to_vec();
    check(&AccountView::new(account, &decisions, &versions, at));
}

/// State, paid and open amount of each installment.
fn states<'v>(view: &'v AccountView<'_>) -> Vec<(InstallmentState, &'v str, &'v str)> {
    let state = |one: &'v InstallmentView| (one.state, one.paid.as_str(), one.open.as_str());
    view.installments.iter().map(state).collect()
}

/// The nights from 4 October on cost 0.50 each, whoever asks on the 14th owes ten of them. An installment is past
/// due on the day after its due date, so 1 November still asks for the first alone.
#[rstest]
#[case("2023-10-14", "1005.00", "1005.50")]
#[case("2023-11-01", "1014.00", "1514.50")]
#[case("2023-11-02", "1514.50", "1515.00")]
fn a_borrower_sees_what_clears_it_today_and_tomorrow(
    #[case] day: &str,
    #[case] today: &str,
    #[case] tomorrow: &str,
) {
    viewed(&mut loan(), &with_late_fee(), day, |view| {
        let clears = view.clears.as_ref().unwrap();
        assert_eq!((clears.today.as_str(), clears.tomorrow.as_str()), (today, tomorrow));
    });
}

#[test]
fn the_plan_shows_each_installment_with_its_parts() {
    viewed(&mut loan(), &with_late_fee(), "2023-10-14", |view| {
        assert_eq!(
            states(view),
            [(InstallmentState::PastDue, "0.00", "1005.00"), (InstallmentState::Upcoming, "0.00", "500.00")]
        );
        let parts = serde_json::to_value(&view.installments[0].open_parts).unwrap();
        assert_eq!(
            parts,
            json!([{ "component": "penalty", "amount": "5.00" }, { "component": "principal", "amount": "1000.00" }])
        );
    });
}

#[test]
fn money_that_came_and_went_is_shown_with_what_became_of_it() {
    let (mut account, policy) = (loan(), policy("", ""));
    let paid = |id: &str, at: &str, amount: &str| json!({ "at": at, "type": "payment_received", "payment_id": id, "amount": amount });
    happens(&mut account, &policy, paid("P-1", "2023-10-02T12:00:00+08:00", "1200.00"));
    happens(&mut account, &policy, paid("P-2", "2023-10-03T12:00:00+08:00", "50.00"));
    let reversed =
        json!({ "at": "2023-10-04T12:00:00+08:00", "type": "payment_reversed", "payment_id": "P-2" });
    happens(&mut account, &policy, reversed);
    viewed(&mut account, &policy, "2023-10-05", |view| {
        let state = |one: &PaymentView| (one.payment_id.to_string(), one.amount.clone(), one.state);
        assert_eq!(
            view.payments.iter().map(state).collect::<Vec<_>>(),
            [
                ("P-1".to_owned(), "1200.00".to_owned(), PaymentState::Received),
                ("P-2".to_owned(), "50.00".to_owned(), PaymentState::Reversed),
            ]
        );
        assert_eq!(
            states(view),
            [(InstallmentState::Paid, "1000.00", "0.00"), (InstallmentState::Upcoming, "200.00", "300.00")]
        );
        assert_eq!((view.clears.as_ref(), view.stage), (None, Some("current")));
    });
}

#[test]
fn money_beyond_the_plan_is_shown_as_credit() {
    let (mut account, policy) = (loan(), policy("", ""));
    let paid = json!({ "at": "2023-10-01T12:00:00+08:00", "type": "payment_received", "payment_id": "P-1", "amount": "1512.00" });
    happens(&mut account, &policy, paid);
    viewed(&mut account, &policy, "2023-10-01", |view| {
        assert_eq!(view.credit.as_ref().unwrap().amount, "12.00");
    });
}

#[rstest]
#[case::to_come("2023-10-09", false)]
#[case::its_first_day("2023-10-10", true)]
#[case::its_last_day("2023-10-19", true)]
#[case::over("2023-10-20", false)]
fn a_pause_says_whether_it_is_running(#[case] day: &str, #[case] is_running: bool) {
    let (mut account, policy) = (loan(), with_late_fee());
    let paused = json!({ "at": "2023-10-02T12:00:00+08:00", "type": "pause_started", "from": "2023-10-10", "until": "2023-10-20" });
    happens(&mut account, &policy, paused);
    viewed(&mut account, &policy, day, |view| {
        let pause = view.pauses[0];
        let expected: (NaiveDate, NaiveDate, bool) = (date("2023-10-10"), date("2023-10-20"), is_running);
        assert_eq!((pause.from, pause.until, pause.is_running), expected);
    });
}

/// Days past due begin on 2 October, delinquent days after three of them, on the 5th: the 15th is 19 October.
#[rstest]
#[case("2023-10-18", OperationAnswer::Allowed)]
#[case("2023-10-19", OperationAnswer::Blocked)]
fn an_operation_that_a_restriction_blocks_is_named_and_repaying_never_is(
    #[case] day: &str,
    #[case] expected: OperationAnswer,
) {
    viewed(&mut loan(), &with_late_fee(), day, |view| {
        let answer = |operation: &str| {
            view.operations.iter().find(|one| one.operation == operation).map(|one| one.answer)
        };
        assert_eq!((answer("draw"), answer("repay")), (Some(expected), Some(OperationAnswer::Allowed)));
    });
}

/// The due date is in time, the day after is not. Nights from 4 October on cost 0.50 each: fifteen by the 19th, which
/// is also the 15th delinquent day.
#[rstest]
#[case::due("2023-10-01", json!({"state": "due_on", "amount": "1000.00", "on": "2023-10-01"}))]
#[case::overdue("2023-10-02", json!({"state": "overdue", "amount": "1000.00", "since": "2023-10-01"}))]
#[case::restricted("2023-10-19", json!({"state": "overdue_restricted", "amount": "1007.50", "since": "2023-10-01"}))]
fn an_account_stands_where_its_day_puts_it(#[case] day: &str, #[case] expected: Value) {
    viewed(&mut loan(), &with_late_fee(), day, |view| {
        assert_eq!(serde_json::to_value(view.situation()).unwrap(), expected);
    });
}

/// Six nights from 4 October on cost 0.50 each; those that begin in the pause cost nothing.
#[test]
fn a_pause_is_where_a_late_account_stands() {
    let (mut account, policy) = (loan(), with_late_fee());
    let paused = json!({ "at": "2023-10-02T12:00:00+08:00", "type": "pause_started", "from": "2023-10-10", "until": "2023-10-20" });
    happens(&mut account, &policy, paused);
    viewed(&mut account, &policy, "2023-10-12", |view| {
        let (since, until) = (Some(date("2023-10-01")), date("2023-10-20"));
        assert_eq!(view.situation(), Situation::OverduePaused { amount: "1003.00".to_owned(), since, until });
    });
}

#[test]
fn an_account_that_is_paid_off_or_not_begun_owes_nothing() {
    let (mut account, policy) = (loan(), policy("", ""));
    let before = end_of_day(account.time_zone, date("2023-08-31"));
    let rules = versions(policy.clone());
    let view = AccountView::new(&account, &[], &rules, before);
    assert_eq!(view.situation(), Situation::NotOpened { opens_on: date("2023-09-01") });
    let paid = json!({ "at": "2023-10-01T12:00:00+08:00", "type": "payment_received", "payment_id": "P-1", "amount": "1500.00" });
    happens(&mut account, &policy, paid);
    viewed(&mut account, &policy, "2023-10-02", |view| assert_eq!(view.situation(), Situation::NothingDue));
}

#[test]
fn the_next_restriction_is_named_with_its_day() {
    viewed(&mut loan(), &with_late_fee(), "2023-10-14", |view| {
        let steps: Vec<_> = view.steps.iter().map(|step| (step.on, step.stage.as_str())).collect();
        assert_eq!(steps, [(date("2023-10-19"), "frozen")]);
        assert_eq!(view.steps[0].restrictions[0].to_string(), "freeze_drawdown");
    });
}

#[test]
fn a_promise_and_a_reason_are_shown_as_the_borrower_gave_them() {
    let (mut account, policy) = (loan(), with_late_fee());
    let promised = json!({ "at": "2023-10-05T12:00:00+08:00", "type": "promise_made", "promise_id": "PR-1", "amount": "250.00", "until": "2023-10-11" });
    happens(&mut account, &policy, promised);
    let at = "2023-10-05T04:00:00Z".parse().unwrap();
    account.record_borrower_cause("ill", at, at).unwrap();
    viewed(&mut account, &policy, "2023-10-10", |view| {
        let promise = &view.promises[0];
        assert_eq!(
            (promise.amount.as_str(), promise.by, promise.outcome),
            ("250.00", date("2023-10-10"), None)
        );
        assert_eq!(view.cause.as_ref().unwrap().reason, "ill");
    });
    viewed(&mut account, &policy, "2023-10-11", |view| {
        assert_eq!(view.promises[0].outcome, Some(PromiseOutcome::Broken));
    });
}

#[test]
fn before_its_opening_an_account_has_no_stage_no_figures_and_no_plan() {
    let (account, versions) = (loan(), versions(with_late_fee()));
    let before = end_of_day(account.time_zone, date("2023-08-31"));
    let view = AccountView::new(&account, &[], &versions, before);
    assert!(view.stage.is_none() && view.figures.is_none() && view.clears.is_none());
    assert!(view.next_action_at.is_none() && view.installments.is_empty());
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!((&json["stage"], &json["figures"]), (&Value::Null, &Value::Null));
}
