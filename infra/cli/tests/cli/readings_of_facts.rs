//! The readings of `POLICY.md` about money taken back or paid out, new schedules, holds, fees per stage and letter,
//! and the hour at which messages leave; figures worked out by hand from the rule. Both engines must write the same
//! bytes.

use rstest::rstest;
use serde_json::{Value, json};

use crate::readings::{FEE_OF_A_THOUSANDTH, FROZEN, LATE, Lines, Run};

const OVERDUE: &[&str] = &["overdue", "oldest_due_on", "days_past_due"];

fn reversed(payment_id: &str, amount: &str, dated: &str) -> Value {
    json!({ "type": "payment_reversed", "payment_id": payment_id, "amount": amount, "dated": dated })
}

// 100.00 paid on its day; 30.00 and then 20.00 of it are taken back.
#[rstest]
#[case::as_of_its_date("original", "2023-10-05", "30.00 2023-10-01 4")]
#[case::more_of_it("original", "2023-10-06", "50.00 2023-10-01 5")]
#[case::charged_back("reversal", "2023-10-06", "30.00 2023-10-05 1")]
#[case::charged_back_again("reversal", "2023-10-07", "50.00 2023-10-05 2")]
fn a_part_of_a_payment_may_be_taken_back(#[case] dated: &str, #[case] date: &str, #[case] expected: &str) {
    let run = Run::under("")
        .account("A", &[("2023-10-01", "100.00")])
        .pays("2023-10-01T09:00:00Z", "A", "P-1", "100.00")
        .event("2023-10-05T09:00:00Z", "A", reversed("P-1", "30.00", dated))
        .event("2023-10-06T09:00:00Z", "A", reversed("P-1", "20.00", dated));
    assert_eq!(run.on("A", date, OVERDUE), expected);
}

// 150.00 for #1 of 100.00: 50.00 wait for #2 of 100.00, due on 1 November, and are paid out on 10 October. On 5
// November the bank takes the whole payment back: the 50.00 that were paid out fall due that day.
#[test]
fn credit_that_is_paid_out_pays_nothing_any_more() {
    let paid_out = json!({ "type": "credit_paid_out", "reason": "asked for" });
    let taken_back = json!({ "type": "payment_reversed", "payment_id": "P-1" });
    let run = Run::under("overpayment = \"credit\"")
        .account("A", &[("2023-10-01", "100.00"), ("2023-11-01", "100.00")])
        .account("B", &[("2023-10-01", "100.00"), ("2023-11-01", "100.00")])
        .pays("2023-10-01T09:00:00Z", "A", "P-1", "150.00")
        .pays("2023-10-01T09:00:00Z", "B", "P-1", "150.00")
        .event("2023-10-10T09:00:00Z", "A", paid_out)
        .event("2023-11-05T09:00:00Z", "A", taken_back);
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("B", "2023-11-02", &["overdue"]), "50.00");
    assert_eq!(lines.on("A", "2023-11-02", &["overdue"]), "100.00");
    assert_eq!(lines.on("A", "2023-11-06", OVERDUE), "250.00 2023-10-01 36");
}

// Ten nights of 1.00 on 1,000.00; on 11 October a schedule that is due next year replaces it.
#[rstest]
#[case::dropped(None, "0.00", "1000.00", "0")]
#[case::kept(Some("keep"), "10.00", "1010.00", "0")]
#[case::waived(Some("waive"), "0.00", "1000.00", "0")]
#[case::moved_in(Some("move"), "0.00", "1010.00", "0")]
fn a_new_schedule_says_what_becomes_of_the_late_fee(
    #[case] accrued_fee: Option<&str>,
    #[case] overdue: &str,
    #[case] outstanding: &str,
    #[case] days: &str,
) {
    let mut replaced = json!({
        "type": "schedule_replaced", "reason": "agreed", "kind": "forbearance",
        "installments": [{ "number": 9, "due_on": "2024-03-01", "principal": "1000.00" }],
    });
    if let Some(accrued_fee) = accrued_fee {
        replaced["accrued_fee"] = accrued_fee.into();
    }
    let run = Run::under(FEE_OF_A_THOUSANDTH)
        .account("A", &[("2023-10-01", "1000.00")])
        .event("2023-10-11T09:00:00Z", "A", replaced)
        .pays("2024-02-01T09:00:00Z", "A", "P-1", "10.00");
    let lines = run.from("2023-09-01");
    let expected = format!("{overdue} {outstanding} {days}");
    for date in ["2023-10-11", "2024-01-31"] {
        assert_eq!(lines.on("A", date, &["overdue", "outstanding", "days_past_due"]), expected, "on {date}");
    }
    // A fee that stays owed is paid first.
    let left = if accrued_fee == Some("keep") || accrued_fee == Some("move") { "1000.00" } else { "990.00" };
    assert_eq!(lines.on("A", "2024-02-01", &["overdue", "outstanding"]), format!("0.00 {left}"));
}

// 7.00 a night, of which 30.00 a month are charged: four nights and 2.00 of the fifth, oldest first, so that #1 and #2 have
// 5.00 each and #3 has 20.00. By 3 March, after two months and three nights, #1 on hold has 13.00 of 81.00; what is
// judged are 668.00.
#[rstest]
#[case::enough("668.00", "frozen")]
#[case::not_enough("668.01", "current")]
fn a_hold_leaves_the_monthly_cap_to_all(#[case] amount: &str, #[case] stage: &str) {
    let held = json!({ "type": "installment_held", "number": 1 });
    let fee = "[late_fee]\ndaily_rate = \"0.01\"\ncap_per_month = \"30\"\nfee_arrears_count = true\n";
    let frozen = format!("[[stages]]\nname = \"frozen\"\nwhen = {{ overdue_amount = \"{amount}\" }}\n");
    let run = Run::under(&format!("{fee}{frozen}"))
        .account("A", &[("2024-01-01", "100.00"), ("2024-01-01", "100.00"), ("2024-01-01", "500.00")])
        .event("2023-12-01T09:00:00Z", "A", held);
    assert_eq!(run.on("A", "2024-03-03", &["stage", "late_fee"]), format!("{stage} 81.00"));
}

// Ten nights of 1.00 stay owed when a schedule that is due next year replaces the installment on 11 October. A
// transfer of 5 October that comes to light on the 12th waits, as credit does, for what falls due next: that is the
// late fee on the 11th, long before the new installment.
#[test]
fn credit_that_waits_pays_a_late_fee_that_was_kept() {
    let replaced = json!({
        "type": "schedule_replaced", "reason": "agreed", "kind": "correction", "accrued_fee": "keep",
        "installments": [{ "number": 9, "due_on": "2024-03-01", "principal": "1000.00" }],
    });
    let transfer = json!({
        "type": "payment_received", "payment_id": "P-1", "amount": "10.00", "value_date": "2023-10-05",
    });
    let run = Run::under(&format!("overpayment = \"credit\"\n{FEE_OF_A_THOUSANDTH}"))
        .account("A", &[("2023-10-01", "1000.00")])
        .event("2023-10-11T09:00:00Z", "A", replaced)
        .event("2023-10-12T09:00:00Z", "A", transfer);
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-11", &["overdue", "outstanding"]), "10.00 1010.00");
    assert_eq!(lines.on("A", "2023-10-13", &["overdue", "outstanding"]), "0.00 1000.00");
    assert_eq!(lines.on("A", "2024-02-29", &["overdue", "outstanding"]), "0.00 1000.00");
}

// The fifth delinquent day of #1 is 6 October; it is on hold from the 4th to the 20th. #2 is due on 8 October.
#[rstest]
#[case::alone("A", "2023-10-10", "current 9 100.00 ")]
#[case::another_is_late("B", "2023-10-10", "late 9 200.00 ")]
#[case::the_other_freezes("B", "2023-10-13", "frozen 12 200.00 freeze_drawdown")]
#[case::released("A", "2023-10-20", "frozen 19 100.00 freeze_drawdown")]
fn a_hold_on_one_installment_leaves_it_out_of_stages(
    #[case] id: &str,
    #[case] date: &str,
    #[case] expected: &str,
) {
    let mut run = Run::under(&format!("{LATE}{FROZEN}"))
        .account("A", &[("2023-10-01", "100.00")])
        .account("B", &[("2023-10-01", "100.00"), ("2023-10-08", "100.00")]);
    for id in ["A", "B"] {
        let held = json!({ "type": "installment_held", "number": 1, "reason": "the goods are disputed" });
        let released = json!({ "type": "installment_released", "number": 1 });
        run = run.event("2023-10-04T09:00:00Z", id, held).event("2023-10-20T09:00:00Z", id, released);
    }
    assert_eq!(run.on(id, date, &["stage", "days_past_due", "overdue", "restrictions"]), expected);
}

// 5.00 when an installment is one day late, 12.00 more when it is five; #2 of the next month anew.
#[rstest]
#[case("2023-10-01", "0.00")]
#[case("2023-10-02", "5.00")]
#[case("2023-10-05", "5.00")]
#[case("2023-10-06", "17.00")]
#[case::paid("2023-10-20", "0.00")]
#[case::anew("2023-12-02", "5.00")]
fn a_fee_per_stage_comes_once_an_installment(#[case] date: &str, #[case] fee: &str) {
    let tables = format!("[late_fee]\nper_stage = {{ late = \"5.00\", frozen = \"12.00\" }}\n{LATE}{FROZEN}");
    let run = Run::under(&tables).account("A", &[("2023-10-01", "100.00"), ("2023-12-01", "100.00")]).pays(
        "2023-10-20T09:00:00Z",
        "A",
        "P-1",
        "117.00",
    );
    assert_eq!(run.on("A", date, &["late_fee"]), fee);
}

// A letter on the due date costs nothing; one on 3 October and one on the 20th cost 2.50 each, at most 4.00 a month.
#[rstest]
#[case("2023-10-02", "0.00")]
#[case("2023-10-03", "2.50")]
#[case("2023-10-31", "4.00")]
#[case("2023-11-05", "6.50")]
fn a_fee_per_letter_comes_with_each_notice(#[case] date: &str, #[case] fee: &str) {
    let mut run =
        Run::under(&format!("[late_fee]\nper_letter = \"2.50\"\ncap_per_month = \"4.00\"\n{LATE}{FROZEN}"))
            .account("A", &[("2023-10-01", "100.00")]);
    for day in ["2023-10-01", "2023-10-03", "2023-10-20", "2023-11-05"] {
        let notice = json!({ "type": "notice_sent", "stage": "frozen" });
        run = run.event(&format!("{day}T09:00:00Z"), "A", notice);
    }
    assert_eq!(run.on("A", date, &["late_fee"]), fee);
}

// With three days of grace the first letter that costs is that of the fourth day. A pause from the 10th to the 20th
// takes the letter of the 15th out, whichever way days are counted; under due_day the due date is the first day.
#[rstest]
#[case("day_after", "2023-10-04", "0.00")]
#[case("day_after", "2023-10-05", "2.50")]
#[case("day_after", "2023-10-15", "2.50")]
#[case("day_after", "2023-10-20", "5.00")]
#[case("due_day", "2023-10-03", "0.00")]
#[case("due_day", "2023-10-04", "2.50")]
#[case("due_day", "2023-10-15", "5.00")]
#[case("due_day", "2023-10-20", "7.50")]
fn no_letter_costs_in_free_days_or_in_a_pause(#[case] count: &str, #[case] date: &str, #[case] fee: &str) {
    let tables = format!("[late_fee]\nper_letter = \"2.50\"\nfree_days = 3\n{LATE}{FROZEN}");
    let pause = json!({ "type": "pause_started", "from": "2023-10-10", "until": "2023-10-20" });
    let mut run = Run::under(&format!("day_count = \"{count}\"\n{tables}"))
        .account("A", &[("2023-10-01", "100.00")])
        .event("2023-10-02T08:00:00Z", "A", pause);
    for day in ["2023-10-02", "2023-10-04", "2023-10-05", "2023-10-15", "2023-10-20"] {
        let notice = json!({ "type": "notice_sent", "stage": "frozen" });
        run = run.event(&format!("{day}T09:00:00Z"), "A", notice);
    }
    assert_eq!(run.on("A", date, &["late_fee"]), fee);
}

// 1.5 times 12 % a year on 1,000.00: ten nights of 1,000.00 x 0.18 / 365 are 4.9315. No terms, no fee.
#[test]
fn a_late_fee_may_follow_the_contracts_rate() {
    let run = Run::under("[late_fee]\ncontract_rate_times = \"1.5\"\n")
        .account("A", &[("2023-10-01", "1000.00")])
        .with_interest(json!({ "method": "annuity", "annual_rate": "0.12" }))
        .account("B", &[("2023-10-01", "1000.00")]);
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-11", &["late_fee"]), "4.93");
    assert_eq!(lines.on("B", "2023-10-11", &["late_fee"]), "0.00");
}

// On 1 December #1 is 61 days past due, #2 16.
#[test]
fn buckets_show_each_installment_by_its_own_days() {
    let tables =
        "[[buckets]]\nname = \"1-30\"\ndays_past_due = 1\n[[buckets]]\nname = \"31+\"\ndays_past_due = 31\n";
    let run = Run::under(tables).account("A", &[("2023-10-01", "100.00"), ("2023-11-15", "40.00")]);
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-12-01", &["buckets"]), "1-30 40.00 in 1, 31+ 100.00 in 1");
    assert_eq!(lines.on("A", "2023-10-01", &["buckets"]), "1-30 0.00 in 0, 31+ 0.00 in 0");
}

// #1 is written off on 15 October. 100.00 on the 26th pay #2, the only debt that counts, and #2 stays paid.
#[test]
fn money_that_came_beside_a_write_off_stays_where_it_went() {
    let mut run = Run::under("");
    for id in ["A", "B", "C"] {
        run = run
            .account(id, &[("2023-10-01", "100.00"), ("2023-10-10", "100.00")])
            .event(
                "2023-10-15T09:00:00Z",
                id,
                json!({ "type": "written_off", "number": 1, "reason": "agreed" }),
            )
            .pays("2023-10-26T09:00:00Z", id, "P-1", "100.00")
            .event(
                "2023-10-30T09:00:00Z",
                id,
                json!({ "type": "write_off_undone", "number": 1, "reason": "paid" }),
            );
    }
    let run = run.pays("2023-10-27T09:00:00Z", "B", "P-2", "30.00").event(
        "2023-10-28T09:00:00Z",
        "C",
        json!({ "type": "payment_reversed", "payment_id": "P-1" }),
    );
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-26", OVERDUE), "0.00 null 0");
    assert_eq!(lines.on("A", "2023-10-30", OVERDUE), "100.00 2023-10-01 29");
    assert_eq!(lines.on("B", "2023-10-30", OVERDUE), "70.00 2023-10-01 29");
    assert_eq!(lines.on("C", "2023-10-28", OVERDUE), "100.00 2023-10-10 18");
    assert_eq!(lines.on("C", "2023-10-30", OVERDUE), "200.00 2023-10-01 29");
}

// 500.00 on 10 October: the fee of nine nights is 9.00 by then, and the night after is charged on 500.00.
#[test]
fn a_payments_own_day_is_not_charged_again() {
    let run = Run::under(FEE_OF_A_THOUSANDTH).account("A", &[("2023-10-01", "1000.00")]).pays(
        "2023-10-10T09:00:00Z",
        "A",
        "P-1",
        "500.00",
    );
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-10", &["late_fee", "overdue"]), "0.00 509.00");
    assert_eq!(lines.on("A", "2023-10-11", &["late_fee", "overdue"]), "0.50 509.50");
}

#[rstest]
#[case("2024-02-29", "1.00")]
#[case("2024-03-01", "2.00")]
fn a_leap_day_counts(#[case] date: &str, #[case] fee: &str) {
    let run = Run::under(FEE_OF_A_THOUSANDTH).account("A", &[("2024-02-28", "1000.00")]);
    assert_eq!(run.on("A", date, &["late_fee"]), fee);
}

// Saturday and Sunday, 7 and 8 October, both move to Monday the 9th.
#[test]
fn two_due_dates_may_move_to_one_working_day() {
    let tables = "[business_days]\ncalendar = \"own\"\nmove = \"next\"\n[calendars.own]\nsource = \"a test\"\n\
                  from = 2023-01-01\nto = 2024-12-31\nweekend = [\"saturday\", \"sunday\"]\n";
    let run = Run::under(tables).account("A", &[("2023-10-07", "100.00"), ("2023-10-08", "100.00")]);
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-09", OVERDUE), "0.00 null 0");
    assert_eq!(lines.on("A", "2023-10-10", OVERDUE), "200.00 2023-10-09 1");
}

// 500.00 of 1,000.00 were never owed, as is known on 11 October: ten nights of 0.50.
#[test]
fn an_adjustment_yields_the_fee_that_would_have_been_due() {
    let adjusted =
        json!({ "type": "installment_adjusted", "number": 1, "amount": "500.00", "reason": "returned" });
    let run = Run::under(FEE_OF_A_THOUSANDTH).account("A", &[("2023-10-01", "1000.00")]).event(
        "2023-10-11T09:00:00Z",
        "A",
        adjusted,
    );
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-10", &["late_fee"]), "9.00");
    assert_eq!(lines.on("A", "2023-10-11", &["late_fee", "overdue"]), "5.00 505.00");
}

// Two installments of 10.00 interest and 100.00 principal are past due; 110.00 come. Four components go installment by
// installment: #1 is settled. Twelve go entry by entry: 20.00 of interest first, and 90.00 of #1's principal.
#[rstest]
#[case::four(r#"["penalty", "fee", "interest", "principal"]"#, "110.00 2023-10-08 12")]
#[case::twelve(
    r#"["past_due_penalty", "past_due_fee", "past_due_interest", "past_due_principal", "due_penalty", "due_fee",
        "due_interest", "due_principal", "in_advance_penalty", "in_advance_fee", "in_advance_interest",
        "in_advance_principal"]"#,
    "110.00 2023-10-01 19"
)]
fn twelve_steps_cross_all_installments_of_a_class(#[case] waterfall: &str, #[case] expected: &str) {
    let run = Run::under(&format!("waterfall = {waterfall}\n"))
        .account("A", &[("2023-10-01", "100.00"), ("2023-10-08", "100.00")])
        .with_amount(0, "interest", "10.00")
        .with_amount(1, "interest", "10.00")
        .pays("2023-10-20T09:00:00Z", "A", "P-1", "110.00");
    assert_eq!(run.on("A", "2023-10-20", OVERDUE), expected);
}

const CLASSES: &str = "[classification]\nname = \"c\"\nnormal = \"n\"\nclasses = [{ name = \"watch\", days_past_due = 5 }, \
                       { name = \"bad\", days_past_due = 10 }]\nprobation_from = \"bad\"\nprobation_months = 3\n\
                       probation_after_forbearance_months = 4\n";

// Bad from 11 October; cured on the 20th. `probation_from` leaves the milder class without probation.
#[rstest]
#[case::in_probation("PAID", "2024-01-19", "bad")]
#[case::served("PAID", "2024-01-20", "n")]
#[case::a_milder_class_has_none("WATCH", "2023-10-07", "n")]
#[case::forbearance_has_more("FORBORNE", "2024-02-19", "bad")]
#[case::forbearance_served("FORBORNE", "2024-02-20", "n")]
#[case::another_schedule_has_not("MOVED", "2024-01-20", "n")]
#[case::dated_before("EARLY", "2023-10-20", "n")]
fn a_class_serves_its_probation(#[case] id: &str, #[case] date: &str, #[case] class: &str) {
    let replaced = |kind: &str| {
        json!({
            "type": "schedule_replaced", "reason": "agreed", "kind": kind,
            "installments": [{ "number": 9, "due_on": "2025-01-01", "principal": "100.00" }],
        })
    };
    let mut run = Run::under(CLASSES);
    for id in ["PAID", "WATCH", "FORBORNE", "MOVED", "EARLY"] {
        run = run.account(id, &[("2023-10-01", "100.00")]);
    }
    let early = json!({
        "type": "payment_received", "payment_id": "P-1", "amount": "100.00", "value_date": "2023-10-05",
    });
    let run = run
        .pays("2023-10-20T09:00:00Z", "PAID", "P-1", "100.00")
        .pays("2023-10-07T09:00:00Z", "WATCH", "P-1", "100.00")
        .event("2023-10-20T09:00:00Z", "FORBORNE", replaced("forbearance"))
        .event("2023-10-20T09:00:00Z", "MOVED", replaced("due_date_change"))
        .event("2023-10-20T09:00:00Z", "EARLY", early);
    assert_eq!(run.on(id, date, &["class"]), class);
}

// #1 is paid on 20 October: #2, due on the 15th, is 5 days past due, below the 10 of the class, and paid on the 24th.
#[rstest]
#[case::below_the_threshold("below_threshold", "2024-01-20", "n")]
#[case::nothing_overdue_not_yet("nothing_overdue", "2024-01-23", "bad")]
#[case::nothing_overdue("nothing_overdue", "2024-01-24", "n")]
fn a_class_is_cured_as_the_policy_says(#[case] cured: &str, #[case] date: &str, #[case] class: &str) {
    let run = Run::under(&format!("{CLASSES}cured = \"{cured}\"\n"))
        .account("A", &[("2023-10-01", "100.00"), ("2023-10-15", "100.00")])
        .pays("2023-10-20T09:00:00Z", "A", "P-1", "100.00")
        .pays("2023-10-24T09:00:00Z", "A", "P-2", "100.00");
    assert_eq!(run.on("A", date, &["class"]), class);
}

// #2 is announced three days before 4 November, while #1 is not overdue any more: at 10:00, not when a cure is noticed.
#[rstest]
#[case::in_time("2023-10-31T23:30:00Z", &["2023-11-01T10:00:00Z due_soon"])]
#[case::caught_up_the_next_morning("2023-11-02T23:30:00Z", &["2023-11-03T10:00:00Z due_soon"])]
#[case::too_late_to_be_true("2023-11-04T23:30:00Z", &[])]
fn a_message_that_is_caught_up_leaves_at_the_hour_of_sending(
    #[case] cured_at: &str,
    #[case] expected: &[&str],
) {
    let steps = "[reminders]\nsend_at = \"10:00\"\n\
                 steps = [{ stage = \"current\", days = -3, channel = \"sms\", template = \"due_soon\" }]\n";
    let run = Run::under(&format!("{LATE}{steps}"))
        .account("A", &[("2023-10-01", "100.00"), ("2023-11-04", "100.00")])
        .pays(cured_at, "A", "P-1", "100.00");
    let contacts: Vec<String> =
        run.contacts("A").into_iter().filter(|line| line.as_str() > "2023-10").collect();
    assert_eq!(contacts, expected);
}

// 23:59:59 counts under `due_day`, and money of that second is in time: no decision, no lapse.
#[rstest]
#[case("2023-10-01T23:59:58Z")]
#[case("2023-10-01T23:59:59Z")]
#[case("2023-10-01T23:59:59.5Z")]
fn money_of_the_last_second_is_in_time(#[case] at: &str) {
    let tables = format!(
        "day_count = \"due_day\"\nbuffer = {{ days = 10, amount = \"500.00\", months = 12 }}\n{LATE}{FROZEN}"
    );
    let run = Run::under(&tables)
        .account("A", &[("2023-10-01", "100.00"), ("2023-12-01", "100.00")])
        .pays(at, "A", "P-1", "100.00");
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-01", &["stage", "days_past_due"]), "current 0");
    assert_eq!(lines.on("A", "2023-12-10", &["stage", "restrictions"]), "frozen ");
    assert_eq!(lines.on("A", "2023-12-11", &["stage", "restrictions"]), "frozen freeze_drawdown");
}

// 150.00 paid for 100.00, the 50.00 beyond it paid out; then 30.00 are taken back, as if 120.00 had been paid: they pay
// the 100.00 in time, and 30.00 of the 50.00 were nobody's. They fall due that day. Then the rest is taken back too.
#[test]
fn a_part_that_is_taken_back_was_first_the_credit_that_was_paid_out() {
    let back = |amount: Option<&str>| {
        let mut event = json!({ "type": "payment_reversed", "payment_id": "P-1" });
        if let Some(amount) = amount {
            event["amount"] = amount.into();
        }
        event
    };
    let run = Run::under(&format!("overpayment = \"credit\"\n{LATE}"))
        .account("A", &[("2023-10-01", "100.00")])
        .pays("2023-10-01T09:00:00Z", "A", "P-1", "150.00")
        .event("2023-10-03T09:00:00Z", "A", json!({ "type": "credit_paid_out", "reason": "asked for" }))
        .event("2023-10-10T09:00:00Z", "A", back(Some("30.00")))
        .event("2023-10-20T09:00:00Z", "A", back(None));
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-10", &["overdue", "outstanding", "stage"]), "0.00 30.00 current");
    assert_eq!(lines.on("A", "2023-10-11", OVERDUE), "30.00 2023-10-10 1");
    assert_eq!(lines.on("A", "2023-10-21", OVERDUE), "150.00 2023-10-01 20");
}

// Five days after 2 October, which counts: the 6th is the last, and the 7th the first day of the restriction, whatever
// holds it. The account would be frozen on the 6th.
#[rstest]
#[case::cause("[cause]\ntemporary_holds_days = 5\n", json!({ "type": "cause_recorded", "cause": "temporary", "reason": "ill", "by": "B-1" }))]
#[case::dispute("[dispute]\nholds_days = 5\n", json!({ "type": "dispute_opened", "dispute_id": "D-1", "reason": "not mine" }))]
#[case::process("[payment_in_process]\nmax_days = 5\n", json!({ "type": "payment_in_process", "until": "2023-10-30" }))]
fn so_many_days_include_the_day_of_the_fact(#[case] table: &str, #[case] fact: Value) {
    let run = Run::under(&format!("{table}{LATE}{FROZEN}")).account("A", &[("2023-10-01", "100.00")]).event(
        "2023-10-02T09:00:00Z",
        "A",
        fact,
    );
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-06", &["restrictions"]), "");
    assert_eq!(lines.on("A", "2023-10-07", &["restrictions"]), "freeze_drawdown");
}

// The first payment in process is over on 4 October, its `until`; one that begins that day waits its own three days,
// the 4th to the 6th. One that begins a day earlier goes on with the first one's: 2, 3 and 4 October.
#[rstest]
#[case::over("2023-10-04", "2023-10-07")]
#[case::going_on("2023-10-03", "2023-10-06")]
fn a_payment_in_process_is_over_on_its_last_date(#[case] again: &str, #[case] frozen_on: &str) {
    let process = |until: &str| json!({ "type": "payment_in_process", "until": until });
    let run = Run::under(&format!("[payment_in_process]\nmax_days = 3\n{LATE}{FROZEN}"))
        .account("A", &[("2023-10-01", "100.00")])
        .event("2023-10-02T09:00:00Z", "A", process("2023-10-04"))
        .event(&format!("{again}T10:00:00Z"), "A", process("2023-10-20"));
    assert_eq!(restricted_dates(&run.from("2023-09-01"))[0], frozen_on);
}

/// The dates of October on which A is restricted.
fn restricted_dates(lines: &Lines) -> Vec<String> {
    let dates = (1..=31).map(|day| format!("2023-10-{day:02}"));
    dates.filter(|date| !lines.on("A", date, &["restrictions"]).is_empty()).collect()
}

// 100.00 paid on its day, so that nothing is late; a hold begins on 12 October. On the 15th the payment is taken back:
// days count from 1 October, and the stage shows. No restriction begins before the hold is over, on the 22nd.
#[rstest]
#[case::pause(r#"{"type":"pause_started","from":"2023-10-12","until":"2023-10-22"}"#, "2023-10-22")]
#[case::dispute(r#"{"type":"dispute_opened","dispute_id":"D-1","reason":"not mine"}"#, "2023-10-22")]
#[case::cause(r#"{"type":"cause_recorded","cause":"temporary","reason":"ill","by":"B-1"}"#, "2023-10-22")]
#[case::payment_in_process(r#"{"type":"payment_in_process","until":"2023-10-22"}"#, "2023-10-22")]
#[case::no_hold(r#"{"type":"score_recorded","score":700,"by":"B-1"}"#, "2023-10-15")]
fn no_restriction_begins_in_a_hold_whatever_comes_to_light(#[case] hold: &str, #[case] frozen_on: &str) {
    let tables = format!(
        "[cause]\ntemporary_holds_days = 10\n[dispute]\nholds_days = 10\n[payment_in_process]\nmax_days = 20\n{LATE}{FROZEN}"
    );
    let taken_back = json!({ "type": "payment_reversed", "payment_id": "P-1" });
    let run = Run::under(&tables)
        .account("A", &[("2023-10-01", "100.00")])
        .pays("2023-10-01T09:00:00Z", "A", "P-1", "100.00")
        .event("2023-10-12T09:00:00Z", "A", serde_json::from_str(hold).unwrap())
        .event("2023-10-15T09:00:00Z", "A", taken_back);
    let lines = run.from("2023-09-01");
    let frozen = restricted_dates(&lines);
    assert_eq!(frozen[0], frozen_on);
    assert_eq!(frozen[frozen.len() - 1], "2023-10-31");
    assert_eq!(lines.on("A", "2023-10-15", &["stage"]), "frozen");
}

// What is in force goes on in a pause, and a part payment eases from the severer stage to the milder one at once. A
// stricter version that binds inside the pause begins after it.
#[test]
fn what_is_in_force_goes_on_in_a_pause_and_a_new_version_waits() {
    let suspended = "[[stages]]\nname = \"suspended\"\nwhen = { delinquent_days = 8, overdue_amount = \"80.00\" }\nrestrictions = [{ kind = \"suspend_account\" }]\n";
    let pause = json!({ "type": "pause_started", "from": "2023-10-12", "until": "2023-10-22" });
    let run = Run::under(&format!("{LATE}{FROZEN}{suspended}"))
        .account("A", &[("2023-10-01", "100.00")])
        .event("2023-10-12T09:00:00Z", "A", pause.clone())
        .pays("2023-10-15T09:00:00Z", "A", "P-1", "30.00");
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-14", &["restrictions"]), "suspend_account");
    assert_eq!(lines.on("A", "2023-10-15", &["stage", "restrictions"]), "frozen freeze_drawdown");
    let later = FROZEN.replace("delinquent_days = 5", "delinquent_days = 20");
    let run = Run::under(&format!("{LATE}{later}"))
        .version("2023-10-15", &format!("{LATE}{FROZEN}"))
        .account("A", &[("2023-10-01", "100.00")])
        .event("2023-10-12T09:00:00Z", "A", pause);
    let lines = run.from("2023-09-01");
    assert_eq!(lines.on("A", "2023-10-21", &["stage", "restrictions"]), "frozen ");
    assert_eq!(lines.on("A", "2023-10-22", &["stage", "restrictions"]), "frozen freeze_drawdown");
}

// The most that may be owed, and 0.001 of it a day: a day after the due date more is overdue than an amount may state.
// Both engines write and read it.
#[test]
fn a_late_fee_may_grow_beyond_the_largest_amount() {
    let run = Run::under(&format!("{FEE_OF_A_THOUSANDTH}{LATE}{FROZEN}"))
        .account("A", &[("2023-10-01", "999999999999999.99")]);
    assert_eq!(run.on("A", "2023-10-02", &["overdue", "late_fee"]), "1000999999999999.99 1000000000000.00");
}
