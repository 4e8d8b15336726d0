//! The contact gate: frequency caps, consent, complaints, breathing spaces, third-party contacts.

use duewatch_domain::account::ContactHold;
use duewatch_domain::assessment::ReminderHold;
use duewatch_domain::contact::{
    ContactAttempt, GateDecision, GateRequest, GateRequestKind, Receipt, ReceiptOutcome, consolidate,
};
use duewatch_domain::policy::ContactRules;
use rstest::rstest;

use crate::common::contact::{TestProfile, channel, preset, rules, somebody, wish};
use crate::common::instant;

const NY: &str = "America/New_York";
const SHANGHAI: &str = "Asia/Shanghai";
const LONDON: &str = "Europe/London";

fn about(account: &str, gate_request: GateRequest) -> GateRequest {
    GateRequest { account_id: account.parse().unwrap(), ..gate_request }
}

// Seven calls, at noon of 1 to 7 June in New York; the window of 7 June holds them all, that of
// 8 June six.
#[rstest]
#[case::an_eighth_on_the_seventh_day("A-1", "2024-06-07T18:00:00Z", "cap until 2024-06-08T12:00:00Z")]
#[case::on_the_eighth_day("A-1", "2024-06-08T12:00:00Z", "send phone")]
#[case::about_another_debt("A-2", "2024-06-07T18:00:00Z", "send phone")]
fn us_seven_calls_in_seven_days(#[case] account: &str, #[case] at: &str, #[case] expected: &str) {
    let mut person = somebody();
    for day in 1..=7 {
        person.called(&format!("2024-06-0{day}T16:00:00Z"), "officer-1", false);
    }
    assert_eq!(person.gate(&about(account, wish(NY, "phone")), &preset("us"), at), expected);
}

#[test]
fn us_six_calls_leave_room_for_a_seventh() {
    let mut person = somebody();
    for day in 1..=6 {
        person.called(&format!("2024-06-0{day}T16:00:00Z"), "officer-1", false);
    }
    assert_eq!(person.gate(&wish(NY, "phone"), &preset("us"), "2024-06-07T18:00:00Z"), "send phone");
}

// A conversation on Monday, 3 June: its day is the first of the seven.
#[rstest]
#[case::the_same_day("A-1", "phone", "2024-06-03T18:00:00Z", "after_conversation until 2024-06-10T12:00:00Z")]
#[case::on_sunday("A-1", "phone", "2024-06-09T18:00:00Z", "after_conversation until 2024-06-10T12:00:00Z")]
#[case::on_the_next_monday("A-1", "phone", "2024-06-10T12:00:00Z", "send phone")]
#[case::by_another_channel("A-1", "email", "2024-06-04T18:00:00Z", "send email")]
#[case::about_another_debt("A-2", "phone", "2024-06-04T18:00:00Z", "send phone")]
fn us_seven_days_after_a_conversation(
    #[case] account: &str,
    #[case] channel: &str,
    #[case] at: &str,
    #[case] expected: &str,
) {
    let mut person = somebody();
    person.called("2024-06-03T16:00:00Z", "officer-1", true);
    assert_eq!(person.gate(&about(account, wish(NY, channel)), &preset("us"), at), expected);
}

// 10:00, 11:00 and 12:00 in Shanghai.
#[rstest]
#[case::two(&["agency-1", "agency-2"], "2024-06-01T05:00:00Z", "send phone")]
#[case::three(&["agency-1", "agency-2", "officer-1"], "2024-06-01T05:00:00Z", "cap until 2024-06-02T00:00:00Z")]
#[case::the_next_day(&["agency-1", "agency-2", "officer-1"], "2024-06-02T00:00:00Z", "send phone")]
fn cn_three_calls_a_day_whoever_calls(#[case] by: &[&str], #[case] at: &str, #[case] expected: &str) {
    let mut person = somebody();
    for (hour, by) in (2..).zip(by) {
        person.called(&format!("2024-06-01T0{hour}:00:00Z"), by, true);
    }
    assert_eq!(person.gate(&about("A-2", wish(SHANGHAI, "phone")), &preset("cn"), at), expected);
}

#[rstest]
#[case::five(5, None, "send phone")]
#[case::six(6, None, "cap until 2024-06-02T00:00:00Z")]
#[case::six_on_another_number(6, Some("work"), "send phone")]
fn cn_six_unanswered_attempts_a_day_on_a_number(
    #[case] attempts: usize,
    #[case] number: Option<&str>,
    #[case] expected: &str,
) {
    let mut person = somebody();
    for hour in 1..=attempts {
        person.called(&format!("2024-06-01T0{hour}:00:00Z"), "agency-1", false);
    }
    let gate_request = GateRequest { number: number.map(str::to_owned), ..wish(SHANGHAI, "phone") };
    assert_eq!(person.gate(&gate_request, &preset("cn"), "2024-06-01T08:00:00Z"), expected);
}

#[test]
fn a_call_of_which_nobody_has_heard_counts_as_answered_and_as_unanswered() {
    let mut person = somebody();
    for hour in 1..=3 {
        let id = format!("M-{hour}").parse().unwrap();
        let at = instant(&format!("2024-06-01T0{hour}:00:00Z"));
        person.profile.keep(ContactAttempt::reserved(
            id,
            channel("phone"),
            vec!["A-1".parse().unwrap()],
            None,
            at,
        ));
    }
    let asks =
        |person: &TestProfile| person.gate(&wish(SHANGHAI, "phone"), &preset("cn"), "2024-06-01T08:00:00Z");
    assert_eq!(asks(&person), "cap until 2024-06-02T00:00:00Z");
    person.profile.apply_receipt(channel("phone"), &receipt("M-1", ReceiptOutcome::Unanswered));
    assert_eq!(asks(&person), "send phone");
}

fn receipt(id: &str, outcome: ReceiptOutcome) -> Receipt {
    Receipt { message_id: id.parse().unwrap(), at: instant("2024-06-01T07:00:00Z"), outcome, reason: None }
}

#[test]
fn a_call_that_an_agency_reports_at_night_counts_on_its_own_day() {
    let mut person = somebody();
    for hour in 1..=3 {
        let fields = format!(
            r#""contact_id":"call-{hour}","channel":"phone","by":"agency","answered":true,"attempted_at":"2024-06-01T0{hour}:00:00Z""#
        );
        person.learns("2024-06-02T01:00:00Z", "contact_attempted", &fields);
    }
    let rules = preset("cn");
    assert_eq!(person.gate(&wish(SHANGHAI, "phone"), &rules, "2024-06-02T02:00:00Z"), "send phone");
    let early = r#""contact_id":"call-9","channel":"phone","by":"agency","answered":true,"attempted_at":"2024-06-04T00:00:00Z""#;
    assert!(person.try_learn("2024-06-03T00:00:00Z", "contact_attempted", early).is_err());
}

// It became known on 1 June. 31 July is day 60, 1 August day 61.
#[rstest]
#[case::the_same_day("2024-06-01T12:00:00Z", "stopped until 2024-08-01T07:00:00Z")]
#[case::day_60("2024-07-31T12:00:00Z", "stopped until 2024-08-01T07:00:00Z")]
#[case::day_61("2024-08-01T07:00:00Z", "send email")]
fn uk_sixty_days_of_breathing_space(#[case] at: &str, #[case] expected: &str) {
    let mut person = somebody();
    person.learns("2024-06-01T11:00:00Z", "breathing_space_started", r#""kind":"standard""#);
    for kind in [GateRequestKind::Reminder, GateRequestKind::Notice, GateRequestKind::Announcement] {
        let gate_request = GateRequest { kind, ..wish(LONDON, "email") };
        assert_eq!(person.gate(&gate_request, &preset("uk"), at), expected);
    }
}

#[test]
fn a_breathing_space_that_is_ended_is_over_on_the_day_after() {
    let mut person = somebody();
    person.learns("2024-06-01T11:00:00Z", "breathing_space_started", r#""kind":"standard""#).learns(
        "2024-06-20T11:00:00Z",
        "breathing_space_ended",
        "",
    );
    let said = |at| person.gate(&wish(LONDON, "email"), &preset("uk"), at);
    assert_eq!(said("2024-06-20T12:00:00Z"), "stopped until 2024-06-21T07:00:00Z");
    assert_eq!(said("2024-06-21T07:00:00Z"), "send email");
}

// The treatment ends on 10 June; 30 days after it are 11 June to 10 July.
#[rstest]
#[case::as_long_as_it_goes_on(None, "2024-12-01T12:00:00Z", "never: stopped")]
#[case::day_30(Some("2024-06-10T09:00:00Z"), "2024-07-10T12:00:00Z", "stopped until 2024-07-11T07:00:00Z")]
#[case::day_31(Some("2024-06-10T09:00:00Z"), "2024-07-11T07:00:00Z", "send email")]
fn uk_a_mental_health_crisis_and_thirty_days(
    #[case] ended: Option<&str>,
    #[case] at: &str,
    #[case] expected: &str,
) {
    let mut person = somebody();
    person.learns("2024-06-01T11:00:00Z", "breathing_space_started", r#""kind":"mental_health""#);
    if let Some(ended) = ended {
        person.learns(ended, "breathing_space_ended", "");
    }
    assert_eq!(person.gate(&wish(LONDON, "email"), &preset("uk"), at), expected);
}

// The first is over on 1 August 2024.
#[rstest]
#[case::a_day_too_soon("2025-07-31T11:00:00Z", "2025-08-10T12:00:00Z", "send email")]
#[case::after_twelve_months(
    "2025-08-01T11:00:00Z",
    "2025-08-10T12:00:00Z",
    "stopped until 2025-10-01T07:00:00Z"
)]
fn uk_once_in_twelve_months(#[case] again: &str, #[case] at: &str, #[case] expected: &str) {
    let mut person = somebody();
    person.learns("2024-06-01T11:00:00Z", "breathing_space_started", r#""kind":"standard""#).learns(
        again,
        "breathing_space_started",
        r#""kind":"standard""#,
    );
    assert_eq!(person.gate(&wish(LONDON, "email"), &preset("uk"), at), expected);
}

#[rstest]
#[case::nothing_said(&[], "sms email", "send sms")]
#[case::opted_out(&[("sms", "withdrawn")], "sms email", "send email")]
#[case::of_all_that_is_asked_for(&[("sms", "withdrawn"), ("email", "withdrawn")], "sms email", "never: no_channel")]
#[case::and_in_again(&[("sms", "withdrawn"), ("sms", "given")], "sms email", "send sms")]
#[case::of_everything(&[("", "withdrawn")], "sms email letter", "never: no_channel")]
#[case::of_everything_but_one(&[("", "withdrawn"), ("email", "given")], "sms email letter", "send email")]
#[case::everything_comes_later(&[("email", "given"), ("", "withdrawn")], "email", "never: no_channel")]
fn a_channel_that_was_opted_out_of_is_not_used(
    #[case] said: &[(&str, &str)],
    #[case] channels: &str,
    #[case] expected: &str,
) {
    let mut person = somebody();
    for (minute, (channel, consent)) in (10..).zip(said) {
        let channel = if channel.is_empty() { String::new() } else { format!(r#""channel":"{channel}","#) };
        let fields = format!(r#"{channel}"consent":"{consent}","by":"the customer""#);
        person.learns(&format!("2024-06-01T00:{minute}:00Z"), "consent_changed", &fields);
    }
    for rules in [ContactRules::default(), preset("cn")] {
        let said = person.gate(&wish(SHANGHAI, channels), &rules, "2024-06-01T04:00:00Z");
        assert_eq!(said, expected);
    }
}

#[test]
fn a_channel_that_needs_consent_waits_for_it() {
    let rules = rules(r#"consent_required = ["sms"]"#);
    let mut person = somebody();
    let at = "2024-06-01T04:00:00Z";
    assert_eq!(person.gate(&wish(SHANGHAI, "sms"), &rules, at), "never: no_channel");
    assert_eq!(person.gate(&wish(SHANGHAI, "sms app"), &rules, at), "send app");
    let given = r#""channel":"sms","consent":"given","by":"the customer""#;
    person.learns("2024-06-01T00:00:00Z", "consent_changed", given);
    assert_eq!(person.gate(&wish(SHANGHAI, "sms app"), &rules, at), "send sms");
}

#[test]
fn what_came_back_goes_by_the_next_channel_until_there_is_another_address() {
    let rules = ContactRules::default();
    let mut person = somebody();
    let said =
        |person: &TestProfile| person.gate(&wish(SHANGHAI, "email sms"), &rules, "2024-07-01T04:00:00Z");
    person.profile.apply_receipt(channel("email"), &receipt("M-1", ReceiptOutcome::Bounced));
    assert_eq!(said(&person), "send sms");
    let gone = r#""channel":"sms","changed_by":"branch-7""#;
    person.learns("2024-06-02T00:00:00Z", "contact_changed", gone);
    assert_eq!(said(&person), "never: no_channel");
    let new = r#""channel":"email","contact_point":"li@example.org","changed_by":"branch-7""#;
    person.learns("2024-06-03T00:00:00Z", "contact_changed", new);
    assert_eq!(said(&person), "send email");
}

#[test]
fn a_message_reported_as_unwanted_is_an_opt_out_and_a_complaint() {
    let rules = rules("complaint = { min_gap_days = 7 }");
    let mut person = somebody();
    person.profile.apply_receipt(channel("email"), &receipt("M-1", ReceiptOutcome::Complained));
    assert_eq!(person.gate(&wish(SHANGHAI, "email"), &rules, "2024-06-02T04:00:00Z"), "never: no_channel");
    person.called("2024-06-02T04:00:00Z", "officer-1", false);
    let said = person.gate(&wish(SHANGHAI, "sms"), &rules, "2024-06-03T04:00:00Z");
    assert_eq!(said, "lower_frequency until 2024-06-08T16:00:00Z");
}

// A complaint on 1 June; quiet through the 11th, which begins in Shanghai at 16:00 of the day before. A
// message on the 12th, the next a week later.
#[rstest]
#[case::quiet(false, "2024-06-05T04:00:00Z", "stopped until 2024-06-11T16:00:00Z")]
#[case::on_the_last_quiet_day(false, "2024-06-11T04:00:00Z", "stopped until 2024-06-11T16:00:00Z")]
#[case::after_it(false, "2024-06-12T04:00:00Z", "send sms")]
#[case::too_soon_after_the_last(true, "2024-06-18T04:00:00Z", "lower_frequency until 2024-06-18T16:00:00Z")]
#[case::a_week_after_the_last(true, "2024-06-19T04:00:00Z", "send sms")]
#[case::the_day_after_the_last(true, "2024-06-13T04:00:00Z", "lower_frequency until 2024-06-18T16:00:00Z")]
fn a_complaint_silences_and_lowers_the_frequency(
    #[case] contacted: bool,
    #[case] at: &str,
    #[case] expected: &str,
) {
    let rules = rules("complaint = { quiet_days = 10, min_gap_days = 7, min_gap_for_days = 60 }");
    let mut person = somebody();
    person.learns("2024-06-01T04:00:00Z", "complaint_made", r#""reason":"too often""#);
    if contacted {
        person.called("2024-06-12T04:00:00Z", "officer-1", false);
    }
    assert_eq!(person.gate(&wish(SHANGHAI, "sms"), &rules, at), expected);
    let notice = GateRequest { kind: GateRequestKind::Notice, ..wish(SHANGHAI, "sms") };
    assert_eq!(person.gate(&notice, &rules, at), "send sms", "a notice is owed all the same");
}

#[test]
fn the_lower_frequency_ends() {
    let rules = rules("complaint = { min_gap_days = 300, min_gap_for_days = 60 }");
    let mut person = somebody();
    person.learns("2024-06-01T04:00:00Z", "complaint_made", r#""reason":"too often""#);
    person.called("2024-06-12T04:00:00Z", "officer-1", false);
    // 31 July is the sixtieth day after 1 June.
    let said = person.gate(&wish(SHANGHAI, "sms"), &rules, "2024-08-01T04:00:00Z");
    assert_eq!(said, "send sms");
}

#[test]
fn a_channel_that_was_complained_about_is_left_for_another_and_else_waits() {
    let rules = rules("complaint = { quiet_days = 10 }");
    let mut person = somebody();
    person.learns("2024-06-01T04:00:00Z", "complaint_made", r#""channel":"phone","reason":"at work""#);
    let at = "2024-06-05T04:00:00Z";
    assert_eq!(person.gate(&wish(SHANGHAI, "phone sms"), &rules, at), "send sms");
    assert_eq!(person.gate(&wish(SHANGHAI, "phone"), &rules, at), "stopped until 2024-06-11T16:00:00Z");
}

#[rstest]
#[case::for_a_time(
    r#""until":"2024-07-01","reason":"ill""#,
    GateRequestKind::Reminder,
    "stopped until 2024-06-30T16:00:00Z"
)]
#[case::without_end(r#""reason":"ill""#, GateRequestKind::Reminder, "never: stopped")]
#[case::a_notice_is_owed(r#""reason":"ill""#, GateRequestKind::Notice, "send sms")]
fn the_vulnerable_are_left_alone(
    #[case] fields: &str,
    #[case] kind: GateRequestKind,
    #[case] expected: &str,
) {
    let mut person = somebody();
    person.learns("2024-06-01T04:00:00Z", "vulnerability_recorded", fields);
    let gate_request = GateRequest { kind, ..wish(SHANGHAI, "sms") };
    assert_eq!(person.gate(&gate_request, &ContactRules::default(), "2024-06-05T04:00:00Z"), expected);
}

#[test]
fn a_reminder_waits_for_what_its_account_waits_for_and_a_notice_does_not() {
    let hold = Some(ReminderHold { by: ContactHold::Promise, until: instant("2024-06-09T16:00:00Z") });
    let reminder = GateRequest { reminder_hold: hold, ..wish(SHANGHAI, "sms") };
    let at = "2024-06-05T04:00:00Z";
    assert_eq!(somebody().gate(&reminder, &preset("cn"), at), "stopped until 2024-06-10T00:00:00Z");
    let notice = GateRequest { kind: GateRequestKind::Notice, ..reminder };
    assert_eq!(somebody().gate(&notice, &preset("cn"), at), "send sms");
}

/// Three failed calls, an approval.
fn unreachable() -> TestProfile {
    let mut person = somebody();
    for day in 1..=3 {
        person.called(&format!("2024-06-0{day}T04:00:00Z"), "officer-1", false);
    }
    person
        .learns("2024-06-03T05:00:00Z", "contact_person_added", r#""person_id":"CP-1","relation":"spouse""#)
        .learns(
            "2024-06-03T06:00:00Z",
            "contact_person_approved",
            r#""person_id":"CP-1","by":"officer-7","reason":"not reached""#,
        );
    person
}

fn ask(person_id: &str, delinquent_days: u32, has_plan: bool) -> GateRequest {
    let kind =
        GateRequestKind::ThirdParty { third_party_id: person_id.parse().unwrap(), delinquent_days, has_plan };
    GateRequest { kind, ..wish(SHANGHAI, "phone") }
}

#[rstest]
#[case::all_is_as_it_must_be("cn", "CP-1", 30, false, "send phone")]
#[case::a_day_too_early("cn", "CP-1", 29, false, "never: too_early")]
#[case::there_is_a_plan("cn", "CP-1", 30, true, "never: active_plan")]
#[case::nobody_approved("cn", "CP-2", 30, false, "never: not_approved")]
#[case::never_in_this_country("us", "CP-1", 30, false, "never: no_contact_persons")]
fn a_third_party_is_asked_last(
    #[case] name: &str,
    #[case] person_id: &str,
    #[case] days: u32,
    #[case] has_plan: bool,
    #[case] expected: &str,
) {
    let said = unreachable().gate(&ask(person_id, days, has_plan), &preset(name), "2024-06-05T04:00:00Z");
    assert_eq!(said, expected);
}

#[test]
fn a_third_party_is_not_asked_while_the_borrower_answers() {
    let mut person = unreachable();
    person.called("2024-06-04T04:00:00Z", "officer-1", true);
    let said = person.gate(&ask("CP-1", 30, false), &preset("cn"), "2024-06-05T04:00:00Z");
    assert_eq!(said, "never: too_few_attempts");
}

#[test]
fn a_third_partys_refusal_outlasts_every_approval() {
    let mut person = unreachable();
    person.learns("2024-06-04T04:00:00Z", "contact_person_refused", r#""person_id":"CP-1""#).learns(
        "2024-06-04T05:00:00Z",
        "contact_person_approved",
        r#""person_id":"CP-1","by":"officer-9","reason":"again""#,
    );
    let said = person.gate(&ask("CP-1", 30, false), &preset("cn"), "2024-06-05T04:00:00Z");
    assert_eq!(said, "never: contact_person_refused");
}

#[test]
fn whoever_has_refused_all_contact_is_not_asked_about_either() {
    let mut person = unreachable();
    let refused = r#""consent":"withdrawn","by":"the customer""#;
    person.learns("2024-06-04T04:00:00Z", "consent_changed", refused);
    let said = person.gate(&ask("CP-1", 30, false), &preset("cn"), "2024-06-05T04:00:00Z");
    assert_eq!(said, "never: stopped");
}

#[test]
fn what_was_counted_before_a_crash_is_not_counted_against_itself() {
    let rules = rules(r#"caps = [{ channels = ["sms"], at_most = 1, days = 1 }]"#);
    let mut person = somebody();
    let at = instant("2024-06-01T04:00:00Z");
    let reserved = consolidate(&person.profile, &[(wish(SHANGHAI, "sms"), &rules)], at);
    person.profile.keep(reserved.messages[0].0.clone());
    let again = GateRequest { reserved_as: Some("W-1".parse().unwrap()), ..wish(SHANGHAI, "sms") };
    let said = consolidate(&person.profile, &[(again, &rules)], instant("2024-06-01T04:10:00Z"));
    assert_eq!(said.decisions, [GateDecision::Send { channel: channel("sms") }]);
    person.profile.keep(said.messages[0].0.clone());
    assert_eq!(person.profile.attempts().len(), 1);
    let other = GateRequest { contact_id: "W-2".parse().unwrap(), ..wish(SHANGHAI, "sms") };
    assert_eq!(person.gate(&other, &rules, "2024-06-01T05:00:00Z"), "cap until 2024-06-01T16:00:00Z");
}

#[test]
fn requests_of_several_accounts_leave_in_one_message_a_channel() {
    let rules = rules(r#"caps = [{ channels = ["sms", "email"], at_most = 2, days = 1 }]"#);
    let numbered = |number: usize, channel: &str| {
        let contact_id = format!("W-{number}").parse().unwrap();
        (GateRequest { contact_id, ..about(&format!("A-{number}"), wish(SHANGHAI, channel)) }, &rules)
    };
    let gate_requests = [numbered(1, "sms"), numbered(2, "sms"), numbered(3, "email"), numbered(4, "sms")];
    let said = consolidate(&somebody().profile, &gate_requests, instant("2024-06-01T04:00:00Z"));
    let spoken_for: Vec<(&str, &[usize])> =
        said.messages.iter().map(|(message, places)| (message.channel.as_str(), places.as_slice())).collect();
    assert_eq!(spoken_for, [("sms", &[0, 1, 3][..]), ("email", &[2][..])]);
    let accounts: Vec<&str> = said.messages[0].0.accounts.iter().map(|one| one.as_str()).collect();
    assert_eq!(accounts, ["A-1", "A-2", "A-4"]);
}

#[rstest]
#[case("sms email", &[("sms", "withdrawn")], "No channel is left: sms: the person has opted out.")]
fn a_reason_is_a_sentence(#[case] channels: &str, #[case] said: &[(&str, &str)], #[case] sentence: &str) {
    let mut person = somebody();
    for (channel, consent) in said {
        let fields = format!(r#""channel":"{channel}","consent":"{consent}","by":"the customer""#);
        person.learns("2024-06-01T00:00:00Z", "consent_changed", &fields);
    }
    let first = channels.split(' ').next().unwrap();
    let now = instant("2024-06-01T04:00:00Z");
    let decision =
        duewatch_domain::contact::gate(&person.profile, &wish(SHANGHAI, first), &preset("cn"), now);
    let GateDecision::Suppress { reason } = &decision else { panic!("{decision:?}") };
    assert_eq!(reason.to_string(), sentence);
    let written = serde_json::to_string(&decision).unwrap();
    assert_eq!(serde_json::from_str::<GateDecision>(&written).unwrap(), decision);
}
