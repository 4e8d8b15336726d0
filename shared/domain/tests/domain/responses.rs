//! The borrower's answers and choices, and their effect on reminders.

use chrono::{DateTime, Utc};
use duewatch_domain::account::PromiseOutcome;
use duewatch_domain::assessment::reminder_hold;
use duewatch_domain::kernel::{MAX_DISPUTES, MAX_PROMISES};
use duewatch_domain::{Applied, Policy, Trigger};
use duewatch_testkit::{LATE, reminders, stages};
use rstest::rstest;

use crate::common::{self, TestLoan, four_installments, instant, loan, policy};

/// `late` from day 1, `frozen` from day 20, a reminder by text message every fifth day, a notice,
/// promises of up to ten days and disputes of up to twenty.
fn reminding() -> Policy {
    policy(
        "promise = { max_days = 10 }\ndispute = { holds_days = 20 }",
        &(stages(&[
            LATE,
            ("frozen", "delinquent_days = 20", r#"{ kind = "freeze_drawdown", notice_days = 5 }"#),
        ]) + r#"
        [reminders]
        send_at = "10:00"
        steps = [
            { stage = "current", days = -3, channel = "sms", template = "due_soon" },
            { stage = "late", days = 5, every_days = 5, at_most = 6, channels = ["sms", "email"], template = "late" },
            { stage = "late", days = 12, channel = "letter", template = "before", notice_of = "frozen" },
        ]
        "#),
    )
}

/// Evaluates a loan at each of its next actions up to an instant; returns the messages with their instants in
/// UTC.
fn left(loan: &mut TestLoan, policy: &Policy, through: &str) -> Vec<String> {
    let through = instant(through);
    let mut left = Vec::new();
    let mut note = |loan: &TestLoan, at: DateTime<Utc>| {
        let of = loan
            .account
            .contact_requests
            .iter()
            .map(|one| format!("{} {}", at.format("%m-%dT%H:%M"), one.template));
        left.extend(of);
    };
    for _ in 0..200 {
        let Some(next) = loan.account.status.next_action_at.filter(|next| *next <= through) else { break };
        loan.account.judge(policy, next, Trigger::Time);
        note(loan, next);
    }
    left
}

/// One installment, due on 1 October; evaluated on 1 September.
fn watched(policy: &Policy) -> TestLoan {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.assessed("2023-09-01", policy, Trigger::Fact);
    loan
}

// Ten o'clock in Shanghai is two in UTC.
#[test]
fn a_step_is_repeated_as_often_as_it_says() {
    let policy = reminding();
    let mut loan = watched(&policy);
    // Frozen from 21 October: the reminders of `late` end with that of the sixteenth.
    let expected = [
        "09-28T02:00 due_soon",
        "10-06T02:00 late",
        "10-11T02:00 late",
        "10-13T02:00 before",
        "10-16T02:00 late",
    ];
    assert_eq!(left(&mut loan, &policy, "2023-12-01T00:00:00Z"), expected);
}

#[test]
fn a_contact_request_names_the_channels_in_order_of_preference() {
    let policy = reminding();
    let mut loan = watched(&policy);
    loan.assessed("2023-10-06T10:00:00", &policy, Trigger::Time);
    let channels: Vec<String> =
        loan.account.contact_requests[0].channels().map(|one| one.to_string()).collect();
    assert_eq!(channels, ["sms", "email"]);
}

#[test]
fn repeated_steps_begin_anew_with_the_next_oldest_installment() {
    let policy = reminding();
    let mut loan = loan(&[(1, "2023-10-01", "250.00"), (2, "2023-10-10", "250.00")]);
    loan.assessed("2023-09-30", &policy, Trigger::Fact);
    assert_eq!(left(&mut loan, &policy, "2023-10-11T00:00:00Z"), ["10-06T02:00 late"]);
    loan.pays("2023-10-12", "P-1", "250.00").assessed("2023-10-12", &policy, Trigger::Fact);
    // Five days after the tenth, not after the first.
    assert_eq!(left(&mut loan, &policy, "2023-10-16T00:00:00Z"), ["10-15T02:00 late"]);
}

// Promised on 4 October until the 9th: the sixth's reminder waits until then.
#[rstest]
#[case::and_broken("2023-10-09", None, &["10-09T02:00 late", "10-11T02:00 late"])]
#[case::for_too_long("2023-11-30", None, &["10-13T02:00 before", "10-14T02:00 late", "10-16T02:00 late"])]
#[case::given_up("2023-10-09", Some("broken"), &["10-08T02:00 late", "10-11T02:00 late"])]
fn while_a_promise_is_open_reminders_wait(
    #[case] until: &str,
    #[case] ended: Option<&str>,
    #[case] expected: &[&str],
) {
    let policy = reminding();
    let mut loan = watched(&policy);
    left(&mut loan, &policy, "2023-10-04T00:00:00Z");
    let promised = format!(r#""promise_id":"PR-1","amount":"100.00","until":"{until}""#);
    loan.learns("2023-10-04", "promise_made", &promised).assessed("2023-10-04", &policy, Trigger::Fact);
    let mut all = left(&mut loan, &policy, "2023-10-07T00:00:00Z");
    assert!(reminder_hold(&loan.account, &policy, instant("2023-10-07T00:00:00Z")).is_some());
    if let Some(outcome) = ended {
        let fields = format!(r#""promise_id":"PR-1","outcome":"{outcome}""#);
        loan.learns("2023-10-07", "promise_ended", &fields).assessed("2023-10-07", &policy, Trigger::Fact);
    }
    let through = if ended.is_some() || until == "2023-10-09" { "2023-10-12" } else { "2023-10-17" };
    all.extend(left(&mut loan, &policy, &format!("{through}T00:00:00Z")));
    assert_eq!(all, expected);
}

#[rstest]
#[case::nothing_came(&[], Some(PromiseOutcome::Broken))]
#[case::what_was_promised_came(&[("2023-10-05", "60.00"), ("2023-10-08", "40.00")], Some(PromiseOutcome::Kept))]
#[case::it_came_too_late(&[("2023-10-05", "60.00"), ("2023-10-09", "40.00")], Some(PromiseOutcome::Broken))]
#[case::it_came_before_it_was_promised(&[("2023-10-02", "100.00")], Some(PromiseOutcome::Broken))]
fn a_promise_is_kept_by_money_and_broken_by_its_date(
    #[case] came: &[(&str, &str)],
    #[case] expected: Option<PromiseOutcome>,
) {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.learns(
        "2023-10-04",
        "promise_made",
        r#""promise_id":"PR-1","amount":"100.00","until":"2023-10-09""#,
    );
    for (number, (on, amount)) in came.iter().enumerate() {
        loan.pays(on, &format!("P-{number}"), amount);
    }
    let promise = &loan.account.promises()[0];
    assert_eq!(promise.outcome(&loan.account, common::date("2023-10-09")), expected);
}

#[test]
fn a_promise_that_is_open_has_no_outcome() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.learns(
        "2023-10-04",
        "promise_made",
        r#""promise_id":"PR-1","amount":"100.00","until":"2023-10-09""#,
    );
    assert_eq!(loan.account.promises()[0].outcome(&loan.account, common::date("2023-10-08")), None);
}

/// `frozen` holds from day 20, 21 October, and its notice left in time.
fn noticed(policy: &Policy) -> TestLoan {
    let mut loan = watched(policy);
    left(&mut loan, policy, "2023-10-13T02:00:00Z");
    loan.learns("2023-10-13", "notice_sent", r#""stage":"frozen""#).assessed(
        "2023-10-13",
        policy,
        Trigger::Fact,
    );
    loan
}

// Opened on the 15th, the first of twenty days; the last is 3 November.
#[rstest]
#[case::no_dispute(None, None, "2023-10-21", "2023-10-20T16:00:00Z")]
#[case::closed_in_between(Some("2023-10-15"), Some("2023-10-25"), "2023-10-25", "2023-10-25T04:00:00Z")]
#[case::never_closed(Some("2023-10-15"), None, "2023-11-04", "2023-11-03T16:00:00Z")]
#[case::opened_when_it_is_frozen(Some("2023-10-22"), None, "2023-10-21", "2023-10-20T16:00:00Z")]
fn while_a_dispute_is_open_nothing_new_is_restricted(
    #[case] opened: Option<&str>,
    #[case] closed: Option<&str>,
    #[case] restricted_on: &str,
    #[case] at: &str,
) {
    let policy = reminding();
    let mut loan = noticed(&policy);
    if let Some(on) = opened {
        left(&mut loan, &policy, &format!("{on}T00:00:00Z"));
        loan.learns(on, "dispute_opened", r#""dispute_id":"D-1","reason":"paid""#).assessed(
            on,
            &policy,
            Trigger::Fact,
        );
    }
    if let Some(on) = closed {
        left(&mut loan, &policy, &format!("{on}T00:00:00Z"));
        assert_eq!(loan.status_text(), "frozen []");
        loan.learns(on, "dispute_closed", r#""dispute_id":"D-1","outcome":"rejected""#).assessed(
            on,
            &policy,
            Trigger::Fact,
        );
    }
    left(&mut loan, &policy, "2023-11-20T00:00:00Z");
    assert_eq!(loan.status_text(), "frozen [freeze_drawdown]");
    let decision = loan.account.recent_decisions().last().unwrap();
    assert_eq!(decision.at, instant(at), "{restricted_on}");
}

#[test]
fn a_reason_says_that_restrictions_wait_for_a_dispute() {
    let policy = reminding();
    let mut loan = noticed(&policy);
    loan.learns("2023-10-15", "dispute_opened", r#""dispute_id":"D-1","reason":"paid""#);
    let reasons = loan.assessed_at(instant("2023-10-25T00:00:00Z"), &policy).reasons;
    let sentence = reasons.last().unwrap().to_string();
    assert_eq!(sentence, "Its restrictions wait for the answer to a dispute, until 2023-11-04.");
}

#[test]
fn while_a_dispute_is_open_reminders_wait_and_notices_go_on() {
    let policy = reminding();
    let mut loan = watched(&policy);
    left(&mut loan, &policy, "2023-10-04T00:00:00Z");
    loan.learns("2023-10-04", "dispute_opened", r#""dispute_id":"D-1","reason":"paid""#);
    loan.assessed("2023-10-04", &policy, Trigger::Fact);
    assert_eq!(left(&mut loan, &policy, "2023-10-20T00:00:00Z"), ["10-13T02:00 before"]);
}

#[test]
fn nothing_waits_where_the_policy_says_nothing_of_it() {
    let late = reminders(&[("late", 5, "sms", "late")]);
    let policy = policy("", &format!("{}{late}", stages(&[LATE])));
    let mut loan = watched(&policy);
    loan.learns("2023-10-04", "promise_made", r#""promise_id":"PR-1","amount":"9.00","until":"2023-10-30""#);
    loan.learns("2023-10-04", "dispute_opened", r#""dispute_id":"D-1","reason":"paid""#);
    loan.assessed("2023-10-04", &policy, Trigger::Fact);
    assert_eq!(left(&mut loan, &policy, "2023-10-20T00:00:00Z"), ["10-06T02:00 late"]);
}

/// One step a fortnight into the stage, one by telephone unless it was reported.
fn counting_from_the_stage(day_count: &str) -> Policy {
    policy(
        &format!("grace_days = 3\nday_count = \"{day_count}\""),
        &(stages(&[LATE])
            + r#"
        [reminders]
        send_at = "10:00"
        steps = [
            { stage = "late", days = 0, from = "stage", channel = "sms", template = "begun" },
            { stage = "late", days = 14, from = "stage", channel = "phone", template = "call", unless_reported = true },
        ]
        "#),
    )
}

// Day 1 is 2 October; with three days of grace `late` begins on the fifth. Under `due_day` it
// begins at the last second of the fourth, after ten o'clock.
#[rstest]
#[case("day_after", &["10-05T02:00 begun", "10-19T02:00 call"])]
#[case("due_day", &["10-05T02:00 begun", "10-19T02:00 call"])]
fn a_step_can_count_from_the_day_on_which_its_stage_begins(
    #[case] day_count: &str,
    #[case] expected: &[&str],
) {
    let policy = counting_from_the_stage(day_count);
    let mut loan = watched(&policy);
    assert_eq!(left(&mut loan, &policy, "2023-12-01T00:00:00Z"), expected);
}

#[rstest]
#[case::while_it_is_overdue("2023-10-10", &["10-05T02:00 begun"])]
#[case::another_time("2023-09-10", &["10-05T02:00 begun", "10-19T02:00 call"])]
fn fewer_reminders_leave_once_it_was_reported(#[case] on: &str, #[case] expected: &[&str]) {
    let policy = counting_from_the_stage("day_after");
    let mut loan = watched(&policy);
    let mut all = left(&mut loan, &policy, &format!("{on}T00:00:00Z"));
    loan.learns(on, "bureau_reported", "").assessed(on, &policy, Trigger::Fact);
    all.extend(left(&mut loan, &policy, "2023-12-01T00:00:00Z"));
    assert_eq!(all, expected);
}

/// Three days before and on the day, and a week after.
fn announcing() -> Policy {
    let steps = reminders(&[
        ("current", -3, "sms", "due_soon"),
        ("current", 0, "app", "due_today"),
        ("late", 7, "sms", "late"),
    ]);
    policy("", &format!("{}{steps}", stages(&[LATE])))
}

#[rstest]
#[case::days(r#""remind_days_before":[7,1]"#, &["09-24T02:00 due_soon", "09-30T02:00 due_today", "10-08T02:00 late"])]
#[case::a_time(r#""remind_at":"19:30""#, &["09-28T11:30 due_soon", "10-01T11:30 due_today", "10-08T02:00 late"])]
#[case::both(r#""remind_days_before":[2],"remind_at":"08:00""#, &["09-29T00:00 due_soon", "10-08T02:00 late"])]
#[case::of_the_person_alone(r#""language":"en""#, &["09-28T02:00 due_soon", "10-01T02:00 due_today", "10-08T02:00 late"])]
fn a_borrower_chooses_when_to_be_reminded_of_what_is_coming_due(
    #[case] chosen: &str,
    #[case] expected: &[&str],
) {
    let policy = announcing();
    let mut loan = watched(&policy);
    let applied = loan.try_learn("2023-09-02", "preferences_changed", chosen);
    assert!(applied.is_ok());
    loan.assessed("2023-09-02", &policy, Trigger::Fact);
    assert_eq!(left(&mut loan, &policy, "2023-12-01T00:00:00Z"), expected);
}

#[test]
fn a_choice_holds_from_the_next_day_on_so_that_nobody_is_reminded_twice() {
    let policy = announcing();
    let mut loan = watched(&policy);
    let mut all = left(&mut loan, &policy, "2023-09-28T03:00:00Z");
    // An hour after the reminder of the same day.
    loan.learns(
        "2023-09-28T11:00:00",
        "preferences_changed",
        r#""remind_days_before":[3],"remind_at":"18:00""#,
    );
    loan.assessed("2023-09-28T11:00:00", &policy, Trigger::Fact);
    all.extend(left(&mut loan, &policy, "2023-10-02T00:00:00Z"));
    assert_eq!(all, ["09-28T02:00 due_soon"]);
}

#[test]
fn an_empty_choice_gives_the_policys_days_back() {
    let policy = announcing();
    let mut loan = watched(&policy);
    loan.learns("2023-09-02", "preferences_changed", r#""remind_days_before":[7]"#);
    loan.learns("2023-09-03", "preferences_changed", r#""remind_days_before":[]"#);
    loan.assessed("2023-09-03", &policy, Trigger::Fact);
    assert_eq!(
        left(&mut loan, &policy, "2023-10-02T00:00:00Z"),
        ["09-28T02:00 due_soon", "10-01T02:00 due_today"]
    );
}

#[rstest]
#[case::of_nothing(
    "promise_made",
    r#""promise_id":"PR-9","amount":"0.00","until":"2023-10-20""#,
    "amount: 0.00 is not more than zero"
)]
#[case::for_today(
    "promise_made",
    r#""promise_id":"PR-9","amount":"1.00","until":"2023-10-04""#,
    "until: 2023-10-04 is not after 2023-10-04, so nothing is waited for"
)]
#[case::another_under_its_id(
    "promise_made",
    r#""promise_id":"PR-1","amount":"2.00","until":"2023-10-20""#,
    "promise_id: it was made before, and promised something else"
)]
#[case::that_nobody_made(
    "promise_ended",
    r#""promise_id":"PR-9","outcome":"kept""#,
    "promise_id: no promise PR-9 is known"
)]
#[case::a_dispute_that_nobody_opened(
    "dispute_closed",
    r#""dispute_id":"D-9","outcome":"upheld""#,
    "dispute_id: no dispute D-9 is known"
)]
fn what_makes_no_sense_is_refused(#[case] kind: &str, #[case] fields: &str, #[case] refusal: &str) {
    let mut loan = four_installments();
    loan.learns("2023-10-04", "promise_made", r#""promise_id":"PR-1","amount":"1.00","until":"2023-10-20""#);
    let before = loan.clone();
    assert_eq!(loan.try_learn("2023-10-04", kind, fields).unwrap_err().to_string(), refusal);
    assert_eq!(loan, before);
}

#[test]
fn what_is_said_again_changes_nothing() {
    let mut loan = four_installments();
    for (kind, fields) in [
        ("promise_made", r#""promise_id":"PR-1","amount":"1.00","until":"2023-10-20""#),
        ("promise_ended", r#""promise_id":"PR-1","outcome":"kept""#),
        ("dispute_opened", r#""dispute_id":"D-1","reason":"paid""#),
        ("dispute_closed", r#""dispute_id":"D-1","outcome":"upheld""#),
        ("bureau_reported", ""),
        ("preferences_changed", r#""remind_days_before":[3]"#),
    ] {
        loan.learns("2023-10-04", kind, fields);
        assert_eq!(loan.try_learn("2023-10-04", kind, fields), Ok(Applied::Unchanged), "{kind}");
    }
    let consent = r#""channel":"sms","consent":"given","by":"li""#;
    assert_eq!(loan.try_learn("2023-10-04", "consent_changed", consent), Ok(Applied::Unchanged));
}

#[test]
fn promises_and_disputes_are_bounded_and_the_oldest_go_first() {
    let mut loan = four_installments();
    for number in 0..=MAX_PROMISES {
        let fields = format!(r#""promise_id":"PR-{number}","amount":"1.00","until":"2023-10-20""#);
        loan.learns("2023-10-04", "promise_made", &fields);
    }
    for number in 0..=MAX_DISPUTES {
        let fields = format!(r#""dispute_id":"D-{number}","reason":"paid""#);
        loan.learns("2023-10-04", "dispute_opened", &fields);
    }
    assert_eq!(loan.account.promises().len(), MAX_PROMISES);
    assert_eq!(loan.account.disputes().len(), MAX_DISPUTES);
    assert_eq!(loan.account.promises()[0].promise_id.as_str(), "PR-1");
    assert_eq!(loan.account.disputes()[0].dispute_id.as_str(), "D-1");
    loan.account.check_bounds().unwrap();
}
