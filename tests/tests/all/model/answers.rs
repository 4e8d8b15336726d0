//! The borrower's answers and choices, with the values that follow from the pages: the model alone. Four
//! installments of 250.00 are due on the first of October to January.

use chrono::NaiveDate;
use duewatch_domain::Policy;
use rstest::rstest;
use serde_json::{Value, json};

use super::pages::{ModelLoan, under};
use super::patience::{ladder, on, wanted, with};

fn promise(until: &str) -> Value {
    json!({ "type": "promise_made", "promise_id": "PR-1", "amount": "200.00", "until": until })
}

fn promise_ended() -> Value {
    json!({ "type": "promise_ended", "promise_id": "PR-1", "outcome": "broken" })
}

fn dispute() -> Value {
    json!({ "type": "dispute_opened", "dispute_id": "D-1", "reason": "goods never came" })
}

fn dispute_closed() -> Value {
    json!({ "type": "dispute_closed", "dispute_id": "D-1", "outcome": "rejected" })
}

fn paid(amount: &str) -> Value {
    json!({ "type": "payment_received", "payment_id": "P-1", "amount": amount })
}

// With three days of grace the line is limited on 9 October, unless a dispute was opened on a day before.
#[rstest]
#[case::open(&[("2023-10-08", dispute())], "2023-10-17", "limited []")]
#[case::not_for_ever(&[("2023-10-08", dispute())], "2023-10-18", "limited [limit_credit_line to 50 %]")]
#[case::closed(&[("2023-10-08", dispute()), ("2023-10-12", dispute_closed())], "2023-10-11", "limited []")]
#[case::from_that_day_on(
    &[("2023-10-08", dispute()), ("2023-10-12", dispute_closed())],
    "2023-10-12",
    "limited [limit_credit_line to 50 %]"
)]
#[case::what_is_in_force_stays(&[("2023-10-09", dispute())], "2023-10-10", "limited [limit_credit_line to 50 %]")]
#[case::the_milder_goes_on(&[("2023-10-10", dispute())], "2023-10-19", "frozen [limit_credit_line to 50 %]")]
#[case::a_promise_holds_no_restriction(
    &[("2023-10-08", promise("2023-10-20"))],
    "2023-10-09",
    "limited [limit_credit_line to 50 %]"
)]
fn a_dispute_holds_what_is_new(#[case] events: &[(&str, Value)], #[case] date: &str, #[case] expected: &str) {
    let policy = with("dispute = { holds_days = 10 }\npromise = { max_days = 10 }", &ladder());
    assert_eq!(on(&ModelLoan::after(events), &policy, date), expected);
}

/// A reminder two days before the due date; then a notice on 4 October, texts on the 5th and 8th.
const TEXTS: &str = r#"
    promise = { max_days = 6 }
    dispute = { holds_days = 2 }
    [[stages]]
    name = "limited"
    when = { days_past_due = 1 }
    restrictions = [{ kind = "limit_credit_line", percent = 50, notice_days = 7 }]
    [reminders]
    send_at = "10:00"
    steps = [
        { stage = "current", days = -2, channel = "app", template = "soon" },
        { stage = "limited", days = 3, channel = "letter", template = "notice", notice_of = "limited" },
        { stage = "limited", days = 4, every_days = 3, at_most = 2, channel = "sms", template = "late", unless_reported = true },
    ]
"#;

// Events become known at noon, after that day's messages have left.
#[rstest]
#[case::nothing(&[], "notice 10-04, late 10-05, late 10-08")]
#[case::a_promise_until_its_date(&[("2023-10-03", promise("2023-10-07"))], "notice 10-04, late 10-07, late 10-08")]
#[case::two_wait_for_it(&[("2023-10-04", promise("2023-10-10"))], "notice 10-04, late 10-10")]
#[case::not_for_ever(&[("2023-10-03", promise("2023-10-20"))], "notice 10-04, late 10-09")]
#[case::it_was_broken(
    &[("2023-10-03", promise("2023-10-20")), ("2023-10-05", promise_ended())],
    "notice 10-04, late 10-06, late 10-08"
)]
#[case::it_was_kept(
    &[("2023-10-03", promise("2023-10-20")), ("2023-10-06", paid("200.00"))],
    "notice 10-04, late 10-07, late 10-08"
)]
#[case::too_little_came(
    &[("2023-10-03", promise("2023-10-20")), ("2023-10-06", paid("199.99"))],
    "notice 10-04, late 10-09"
)]
#[case::what_came_before_is_not_meant(
    &[("2023-10-02", paid("200.00")), ("2023-10-03", promise("2023-10-20"))],
    "notice 10-04, late 10-09"
)]
#[case::it_is_made_too_late(&[("2023-10-05", promise("2023-10-07"))], "notice 10-04, late 10-05, late 10-08")]
#[case::a_dispute(&[("2023-10-04", dispute())], "notice 10-04, late 10-06, late 10-08")]
#[case::a_dispute_that_is_closed(
    &[("2023-10-04", dispute()), ("2023-10-05", dispute_closed())],
    "notice 10-04, late 10-06, late 10-08"
)]
#[case::one_after_the_other(
    &[("2023-10-04", dispute()), ("2023-10-05", promise("2023-10-12"))],
    "notice 10-04, late 10-11"
)]
#[case::a_report(&[("2023-10-06", json!({ "type": "bureau_reported" }))], "notice 10-04, late 10-05")]
#[case::a_report_of_something_else(
    &[("2023-09-30", json!({ "type": "bureau_reported" }))],
    "notice 10-04, late 10-05, late 10-08"
)]
fn what_borrowers_answer_puts_reminders_off(#[case] events: &[(&str, Value)], #[case] expected: &str) {
    assert_eq!(left(events, &under(TEXTS), "2023-09-30"), expected);
}

fn preferred(choice: &Value) -> Value {
    let mut event = json!({ "type": "preferences_changed" });
    event.as_object_mut().unwrap().extend(choice.as_object().unwrap().clone());
    event
}

// The app message is planned two days before, on 29 September; the next installment is due on 1 November.
#[rstest]
#[case::as_planned(&[], "soon 09-29")]
#[case::earlier(&[("2023-09-20", preferred(&json!({ "remind_days_before": [5, 1] })))], "soon 09-26, soon 09-30")]
#[case::what_has_left_does_not_leave_again(&[("2023-09-29", preferred(&json!({ "remind_days_before": [2] })))], "soon 09-29")]
#[case::said_after_the_day_chosen(&[("2023-09-27", preferred(&json!({ "remind_days_before": [5] })))], "")]
#[case::taken_back(
    &[
        ("2023-09-20", preferred(&json!({ "remind_days_before": [5] }))),
        ("2023-09-21", preferred(&json!({ "remind_days_before": [] }))),
    ],
    "soon 09-29"
)]
#[case::nothing_of_it(&[("2023-09-20", preferred(&json!({ "language": "en" })))], "soon 09-29")]
fn a_borrower_chooses_when_to_hear_of_what_is_coming(
    #[case] events: &[(&str, Value)],
    #[case] expected: &str,
) {
    let policy = under(&TEXTS.replace("days_past_due = 1 }", "days_past_due = 90 }"));
    assert_eq!(left(events, &policy, "2023-09-15"), expected);
}

#[test]
fn a_borrower_chooses_at_which_time() {
    let policy = under(TEXTS);
    let loan = ModelLoan::four()
        .evaluated(&policy, "2023-09-15T12:00:00")
        .learns("2023-09-20", preferred(&json!({ "remind_at": "18:30" })));
    assert!(loan.model.reminders(&policy, loan.at("2023-09-29T18:29:59")).is_empty());
    let planned_at = loan.at("2023-09-29T18:30:00");
    assert_eq!(wanted(&loan.model.reminders(&policy, planned_at)), [("soon", 0)]);
    assert_eq!(loan.model.next_change(&policy, loan.at("2023-09-29T09:00:00"), planned_at), Some(planned_at));
}

/// The messages of four weeks with their instants, evaluated every day at ten.
fn left(events: &[(&str, Value)], policy: &Policy, from: &str) -> String {
    let mut loan = ModelLoan::four().evaluated(policy, &format!("{from}T09:00:00"));
    let mut lines = Vec::new();
    for date in from.parse::<NaiveDate>().unwrap().iter_days().take(28) {
        let at = loan.at(&format!("{date}T10:00:00"));
        lines.extend(
            loan.model
                .reminders(policy, at)
                .iter()
                .map(|one| format!("{} {}", one.template, date.format("%m-%d"))),
        );
        loan.model.evaluated(policy, at);
        for (on, event) in events.iter().filter(|(on, _)| *on == date.to_string()) {
            loan = loan.learns(on, event.clone());
        }
    }
    lines.join(", ")
}
