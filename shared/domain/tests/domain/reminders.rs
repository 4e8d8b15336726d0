//! The reminders of a policy, and their instants.

use duewatch_domain::account::HoldUse;
use duewatch_domain::assessment::is_still_due;
use duewatch_domain::{Policy, Trigger, allocate};
use duewatch_testkit::{LATE, reminders, stages};
use rstest::rstest;

use crate::common::{self, TestLoan, four_installments, instant, loan, loan_in, policy};

/// Three days before and on the due date; in `late`, one, three and seven days
/// after it by text message, and seven days by e-mail too.
fn reminding() -> Policy {
    let steps = reminders(&[
        ("current", -3, "sms", "due_soon"),
        ("current", 0, "app", "due_today"),
        ("late", 1, "sms", "late_1"),
        ("late", 3, "sms", "late_3"),
        ("late", 7, "sms", "late_7"),
        ("late", 7, "email", "late_7_mail"),
    ]);
    policy("", &format!("{}{steps}", stages(&[LATE, ("frozen", "delinquent_days = 20", "")])))
}

/// Four installments, evaluated last before any reminder was planned.
fn watched() -> TestLoan {
    let mut loan = four_installments();
    loan.assessed("2023-09-01", &reminding(), Trigger::Fact);
    loan
}

fn intents(loan: &TestLoan) -> Vec<String> {
    loan.account
        .contact_requests
        .iter()
        .map(|one| {
            format!(
                "{} {} about {}, {} missed",
                one.channel,
                one.template,
                one.installment.as_ref().unwrap(),
                one.missed
            )
        })
        .collect()
}

#[rstest]
#[case::too_early("2023-09-28T09:59:59", &[])]
#[case::three_days_before("2023-09-28T10:00:00", &["sms due_soon about installment 1, 0 missed"])]
#[case::late_but_true("2023-09-30T08:00:00", &["sms due_soon about installment 1, 0 missed"])]
#[case::on_the_day(
    "2023-10-01T10:00:00",
    &["sms due_soon about installment 1, 0 missed", "app due_today about installment 1, 0 missed"]
)]
#[case::past_due_and_no_longer_true("2023-10-02T09:00:00", &[])]
#[case::the_day_after("2023-10-02T10:00:00", &["sms late_1 about installment 1, 0 missed"])]
#[case::several_missed_become_one_a_channel(
    "2023-10-08T10:00:00",
    &["sms late_7 about installment 1, 2 missed", "email late_7_mail about installment 1, 0 missed"]
)]
fn a_look_owes_what_was_planned_since_the_last_one(#[case] at: &str, #[case] expected: &[&str]) {
    let mut loan = watched();
    loan.assessed(at, &reminding(), Trigger::Time);
    assert_eq!(intents(&loan), expected);
}

#[test]
fn a_reminder_is_owed_once() {
    let policy = reminding();
    let mut loan = watched();
    loan.assessed("2023-10-02T10:00:00", &policy, Trigger::Time);
    assert_eq!(intents(&loan).len(), 1);
    loan.assessed("2023-10-02T10:00:00", &policy, Trigger::Time);
    assert_eq!(intents(&loan).len(), 0);
    // The next reminder is planned for ten o'clock in Shanghai on the third day.
    assert_eq!(loan.account.status.next_action_at, Some(instant("2023-10-04T02:00:00Z")));
}

#[test]
fn a_borrower_who_has_paid_is_not_reminded() {
    let mut loan = watched();
    loan.pays("2023-10-02T09:59:59", "P-1", "250.00").assessed(
        "2023-10-02T10:00:00",
        &reminding(),
        Trigger::Time,
    );
    assert_eq!(intents(&loan).len(), 0);
}

#[test]
fn after_a_payment_the_next_installment_is_reminded_of_from_the_start() {
    let policy = reminding();
    let mut loan = watched();
    loan.assessed("2023-10-08T10:00:00", &policy, Trigger::Time);
    loan.pays("2023-10-09", "P-1", "250.00").assessed("2023-10-09", &policy, Trigger::Fact);
    assert_eq!(intents(&loan).len(), 0);
    assert_eq!(loan.account.status.next_action_at, Some(instant("2023-10-29T02:00:00Z")));
    loan.assessed("2023-10-29T10:00:00", &policy, Trigger::Time);
    assert_eq!(intents(&loan), ["sms due_soon about installment 2, 0 missed"]);
}

#[test]
fn reminders_leave_at_the_borrowers_local_time() {
    let policy = reminding();
    let mut loan = common::loan_in("America/New_York", "USD", &[(1, "2023-11-05", "10.00")]);
    loan.assessed("2023-11-02", &policy, Trigger::Time);
    // The clock goes back on the due date: ten o'clock is at 15:00 UTC, no longer at 14:00.
    assert_eq!(loan.account.status.next_action_at, Some(instant("2023-11-05T15:00:00Z")));
}

#[test]
fn two_installments_coming_due_within_one_step_become_one_message() {
    let mut loan = loan(&[(1, "2023-10-01", "10.00"), (2, "2023-10-02", "10.00")]);
    loan.assessed("2023-09-01", &reminding(), Trigger::Fact);
    loan.assessed("2023-09-29T10:00:00", &reminding(), Trigger::Time);
    assert_eq!(intents(&loan), ["sms due_soon about installment 2, 1 missed"]);
}

#[test]
fn the_last_evaluation_withdraws_a_reminder_whose_reason_is_gone() {
    let mut loan = watched();
    loan.assessed("2023-10-02T10:00:00", &reminding(), Trigger::Time);
    let request = loan.account.contact_requests[0].clone();
    assert!(is_still_due(&loan.account, &allocate(&loan.account), "late", "late", &request));
    assert!(!is_still_due(&loan.account, &allocate(&loan.account), "late", "frozen", &request));
    loan.pays("2023-10-02T10:00:01", "P-1", "250.00");
    assert!(!is_still_due(&loan.account, &allocate(&loan.account), "late", "late", &request));
}

// The notice is planned for 3 October, within grace.
#[rstest]
#[case::still_in_grace("current", "current", true)]
#[case::on_a_stage_since("current", "limited", true)]
#[case::on_a_severer_stage("late", "limited", true)]
#[case::on_no_stage_any_more("late", "current", false)]
fn a_notice_leaves_also_before_any_stage_holds(#[case] then: &str, #[case] now: &str, #[case] leaves: bool) {
    let policy = policy(
        "grace_days = 3",
        "[[stages]]\nname = \"limited\"\nwhen = { delinquent_days = 5 }\n\
         restrictions = [{ kind = \"freeze_drawdown\", notice_days = 3 }]\n\
         [reminders]\nsend_at = \"10:00\"\nsteps = [{ stage = \"current\", days = 2, \
         channel = \"letter\", template = \"before\", notice_of = \"limited\" }]\n",
    );
    let mut loan = four_installments();
    loan.assessed("2023-10-03T10:00:00", &policy, Trigger::Time);
    let request = loan.account.contact_requests[0].clone();
    assert_eq!(is_still_due(&loan.account, &allocate(&loan.account), then, now, &request), leaves);
    loan.learns("2023-10-03", "enforcement_off", r#""reason":"court""#);
    assert!(!is_still_due(&loan.account, &allocate(&loan.account), then, "current", &request));
}

#[test]
fn a_payment_taken_back_is_reminded_of_by_its_own_name() {
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.pays("2023-10-01", "P-1", "250.00").reverses("2023-10-20", "P-1", "reversal");
    loan.assessed("2023-10-20", &reminding(), Trigger::Fact);
    loan.assessed("2023-10-21T10:00:00", &reminding(), Trigger::Time);
    assert_eq!(intents(&loan), ["sms late_1 about payment P-1, taken back, 0 missed"]);
}

#[test]
fn an_account_that_is_deferred_contacts_nobody() {
    let mut loan = watched();
    loan.assessed("2023-10-02T10:00:00", &reminding(), Trigger::Time);
    assert_eq!(intents(&loan).len(), 1);
    let until = loan.local("2023-10-02T10:05:00");
    loan.account.defer_restriction(HoldUse::default(), until);
    assert_eq!(intents(&loan).len(), 0);
}

/// One step in `late`, which holds from delinquent day 5.
fn reminding_late(send_at: &str, days: i64) -> Policy {
    policy(
        "",
        &format!(
            r#"
            [[stages]]
            name = "late"
            when = {{ delinquent_days = 5 }}
            [reminders]
            send_at = "{send_at}"
            steps = [{{ stage = "late", days = {days}, channel = "sms", template = "late" }}]
            "#
        ),
    )
}

// Due on the first; `late` from the first instant of the sixth.
#[rstest]
#[case::planned_before_the_stage("10:00", 3, false)]
#[case::planned_on_the_eve_of_the_stage("23:59", 4, false)]
#[case::planned_for_the_first_instant_of_the_stage("00:00", 5, true)]
#[case::planned_within_the_stage("10:00", 5, true)]
fn a_reminder_after_the_due_date_is_owed_only_if_it_was_planned_within_its_stage(
    #[case] send_at: &str,
    #[case] days: i64,
    #[case] owed: bool,
) {
    let policy = reminding_late(send_at, days);
    let mut loan = loan(&[(1, "2023-10-01", "250.00")]);
    loan.assessed("2023-09-01", &policy, Trigger::Fact).assessed(
        "2023-10-06T12:00:00",
        &policy,
        Trigger::Time,
    );
    assert_eq!(intents(&loan).len(), usize::from(owed));
}

#[test]
fn a_reminder_of_a_coming_due_date_is_owed_though_it_was_planned_before_its_stage_began() {
    let policy = reminding_late("10:00", -3);
    let mut loan = loan(&[(1, "2023-10-01", "250.00"), (2, "2023-10-08", "250.00")]);
    loan.assessed("2023-09-01", &policy, Trigger::Fact).assessed("2023-10-06", &policy, Trigger::Time);
    assert_eq!(intents(&loan), ["sms late about installment 2, 0 missed"]);
}

#[test]
fn on_its_due_date_an_installment_is_reminded_of_though_an_older_one_still_owes() {
    let policy = policy("", &reminders(&[("current", 0, "app", "due_today")]));
    let mut loan = loan(&[(1, "2023-10-01", "10.00"), (2, "2023-10-04", "10.00")]);
    loan.assessed("2023-10-02", &policy, Trigger::Fact).assessed(
        "2023-10-04T10:00:00",
        &policy,
        Trigger::Time,
    );
    assert_eq!(intents(&loan), ["app due_today about installment 2, 0 missed"]);
}

/// An account of one installment, reminded of on its due date, at ten.
fn due_today() -> Policy {
    let steps = reminders(&[("current", 0, "app", "due_today")]);
    policy("grace_days = 3", &format!("{}{steps}[dispute]\nholds_days = 3\n", stages(&[LATE])))
}

// In Apia the clock went from 29 December 2011 (UTC-10) to 31 December (UTC+14), at 10:00 UTC. An installment
// due on the date in between is past due at once: there is no moment at which "due today" would be true. The
// fourth day after the due date is the first delinquent one: 3 January, 00:00 in Apia.
#[test]
fn an_account_does_not_wait_to_announce_a_date_that_its_zone_skips() {
    let mut loan = loan_in("Pacific/Apia", "CNY", &[(1, "2011-12-30", "250.00")]);
    loan.assessed("2011-12-29", &due_today(), Trigger::Time);
    assert_eq!(loan.account.status.next_action_at, Some(instant("2012-01-02T10:00:00Z")));
}

// The third day after the due date is the one that the zone skips: its reminder leaves on the 31st, at ten, 20:00 UTC.
#[test]
fn a_reminder_of_a_date_that_its_zone_skips_waits_for_its_hour_however_often_the_account_is_evaluated() {
    let steps = reminders(&[("late", 3, "sms", "late")]);
    let policy = policy("", &format!("{}{steps}", stages(&[LATE])));
    let mut loan = loan_in("Pacific/Apia", "CNY", &[(1, "2011-12-27", "250.00")]);
    let leaves_at = instant("2011-12-30T20:00:00Z");
    for at in ["2011-12-28T12:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T12:00:00Z"] {
        loan.account.judge(&policy, instant(at), Trigger::Time);
        assert_eq!(loan.account.status.next_action_at, Some(leaves_at), "{at}");
    }
    loan.account.judge(&policy, leaves_at, Trigger::Time);
    let planned: Vec<_> = loan.account.contact_requests.iter().map(|request| request.planned_at).collect();
    assert_eq!(planned, [leaves_at]);
}

// The dispute of 8 October holds reminders until the 12th begins; then the 10th has passed. The first
// delinquent day is the 14th, 00:00 in Shanghai.
#[test]
fn an_account_does_not_wait_to_announce_a_due_date_that_a_hold_outlasts() {
    let mut loan = loan(&[(1, "2023-10-10", "250.00")]);
    loan.learns("2023-10-08", "dispute_opened", r#""dispute_id":"D-1","reason":"paid at a branch""#);
    loan.assessed("2023-10-08", &due_today(), Trigger::Fact);
    assert_eq!(loan.account.status.next_action_at, Some(instant("2023-10-13T16:00:00Z")));
}
