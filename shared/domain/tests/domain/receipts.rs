//! Receipts of delivery providers, with their effects on the contact profile and the account.

use duewatch_domain::commands::BORROWER;
use duewatch_domain::contact::{
    AttemptOutcome, ContactAttempt, GateRequest, MAX_BOUNCES, QueuedRequest, Receipt, ReceiptOutcome,
    RequestTarget, Unusable, consolidate,
};
use duewatch_domain::{Applied, Command, Refusal};
use rstest::rstest;

use crate::common::contact::{TestProfile, channel, rules, somebody, wish};
use crate::common::{instant, loan};

const SHANGHAI: &str = "Asia/Shanghai";

fn receipt(at: &str, outcome: ReceiptOutcome) -> Receipt {
    Receipt { message_id: "M-1".parse().unwrap(), at: instant(at), outcome, reason: None }
}

/// A message to the borrower on a channel, or to a third-party contact.
fn counted(person: &mut TestProfile, by: &str, contact_person: Option<&str>) {
    let id = "M-1".parse().unwrap();
    let third_party = contact_person.map(|one| one.parse().unwrap());
    let at = instant("2024-06-01T04:00:00Z");
    person.profile.keep(ContactAttempt::reserved(
        id,
        channel(by),
        vec!["A-1".parse().unwrap()],
        third_party,
        at,
    ));
}

fn has_points(person: &mut TestProfile, channels: &str) {
    for channel in channels.split_whitespace() {
        let point = if channel == "email" { "li@example.org" } else { "+8613800138000" };
        let change = format!(r#""channel":"{channel}","contact_point":"{point}","changed_by":"desk""#);
        person.learns("2024-05-01T00:00:00Z", "contact_changed", &change);
    }
}

#[rstest]
#[case::nobody_has_said_where("", "sms", ReceiptOutcome::Bounced, &[])]
#[case::another_is_left("sms email", "sms", ReceiptOutcome::Bounced, &[])]
#[case::the_only_one("sms", "sms", ReceiptOutcome::Bounced, &[("sms", Unusable::Bounced)])]
#[case::opted_out("sms", "sms", ReceiptOutcome::OptedOut, &[("sms", Unusable::OptedOut)])]
#[case::unwanted("sms", "sms", ReceiptOutcome::Complained, &[("sms", Unusable::OptedOut)])]
#[case::arrived("sms", "sms", ReceiptOutcome::Delivered, &[])]
#[case::not_answered("phone", "phone", ReceiptOutcome::Unanswered, &[])]
fn a_customer_is_out_of_reach_when_no_known_contact_point_can_be_used(
    #[case] points: &str,
    #[case] by: &str,
    #[case] outcome: ReceiptOutcome,
    #[case] expected: &[(&str, Unusable)],
) {
    let mut person = somebody();
    has_points(&mut person, points);
    counted(&mut person, by, None);
    assert_eq!(
        person.profile.apply_receipt(channel(by), &receipt("2024-06-01T05:00:00Z", outcome)),
        Applied::Changed
    );
    let expected: Vec<_> = expected.iter().map(|(by, problem)| (channel(by), *problem)).collect();
    assert_eq!(person.profile.out_of_reach(), expected);
}

#[test]
fn a_new_number_is_within_reach_again() {
    let mut person = somebody();
    has_points(&mut person, "sms");
    person.profile.apply_receipt(channel("sms"), &receipt("2024-06-01T05:00:00Z", ReceiptOutcome::Bounced));
    assert_eq!(person.profile.out_of_reach(), [(channel("sms"), Unusable::Bounced)]);
    let new = r#""channel":"sms","contact_point":"+8613800138001","changed_by":"desk""#;
    person.learns("2024-06-02T00:00:00Z", "contact_changed", new);
    assert_eq!(person.profile.out_of_reach(), []);
}

#[rstest]
#[case(ReceiptOutcome::Bounced, AttemptOutcome::Bounced, false)]
#[case(ReceiptOutcome::Answered, AttemptOutcome::Answered, false)]
#[case(ReceiptOutcome::OptedOut, AttemptOutcome::Delivered, true)]
#[case(ReceiptOutcome::Complained, AttemptOutcome::Delivered, true)]
fn what_a_third_party_reports_is_not_of_the_borrowers_channels(
    #[case] outcome: ReceiptOutcome,
    #[case] became: AttemptOutcome,
    #[case] refuses: bool,
) {
    let mut person = somebody();
    let approved = r#""person_id":"P-1","by":"officer-7","reason":"no answer for a month""#;
    person.learns("2024-05-01T00:00:00Z", "contact_person_approved", approved);
    counted(&mut person, "sms", Some("P-1"));
    let told = receipt("2024-06-01T05:00:00Z", outcome);
    let third_party = "P-1".parse().unwrap();
    assert_eq!(person.profile.apply_third_party_receipt(&third_party, &told), Applied::Changed);
    assert_eq!(person.profile.apply_third_party_receipt(&third_party, &told), Applied::Unchanged, "twice");
    assert_eq!(person.profile.attempts()[0].outcome, became);
    assert_eq!(person.profile.third_parties()[&third_party].refused_at.is_some(), refuses);
    assert_eq!(person.profile.last_complaint(), None);
    let debtor = person.gate(&wish(SHANGHAI, "sms"), &rules(""), "2024-06-02T04:00:00Z");
    assert_eq!(debtor, "send sms", "the debtor's own channel is as good as before");
}

#[test]
fn what_was_counted_on_another_channel_leaves_under_another_id() {
    let rules = rules("");
    let mut person = somebody();
    let at = instant("2024-06-01T04:00:00Z");
    let first = consolidate(&person.profile, &[(wish(SHANGHAI, "sms email phone"), &rules)], at);
    let mut ids = vec![first.messages[0].0.contact_id.clone()];
    person.profile.keep(first.messages[0].0.clone());
    // The send was never confirmed; the only report is the bounce.
    for by in ["sms", "email"] {
        let reserved_as = ids.last().cloned();
        let bounced = Receipt {
            message_id: ids.last().unwrap().clone(),
            ..receipt("2024-06-01T05:00:00Z", ReceiptOutcome::Bounced)
        };
        person.profile.apply_receipt(channel(by), &bounced);
        let again = GateRequest { reserved_as, ..wish(SHANGHAI, "sms email phone") };
        let next = consolidate(&person.profile, &[(again, &rules)], instant("2024-06-01T06:00:00Z"));
        assert_eq!(next.messages.len(), 1);
        ids.push(next.messages[0].0.contact_id.clone());
        person.profile.keep(next.messages[0].0.clone());
    }
    assert_eq!(ids.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["W-1", "W-1/email", "W-1/phone"]);
    let channels: Vec<_> = person.profile.attempts().iter().map(|one| one.channel.as_str()).collect();
    assert_eq!(channels, ["sms", "email", "phone"], "each counts where it was");
    let long = "W".repeat(256);
    let long: duewatch_domain::kernel::ContactId = long.parse().unwrap();
    let (sms, email) = (long.by(channel("sms")), long.by(channel("email")));
    assert!(sms != email && sms.as_str().len() <= 256);
}

#[test]
fn what_keeps_coming_back_is_not_planned_for_ever() {
    let mut queued = QueuedRequest {
        contact_id: "W".parse().unwrap(),
        customer_id: "C-1".parse().unwrap(),
        account_id: "A-1".parse().unwrap(),
        policy_id: "standard".parse().unwrap(),
        revision: duewatch_domain::kernel::Revision(2),
        stage: serde_json::from_value("late".into()).unwrap(),
        target: RequestTarget::ThirdParty { third_party_id: "P-1".parse().unwrap() },
        planned_at: instant("2024-06-01T04:00:00Z"),
        evaluate_at: instant("2024-06-01T04:15:00Z"),
        waits_for: None,
        late_since: None,
        reserved_as: Some("M-1".parse().unwrap()),
        bounces: 0,
    };
    let now = instant("2024-06-02T04:00:00Z");
    let mut times = 0;
    while let Some(again) = queued.requeued(format!("W-{times}").parse().unwrap(), now) {
        times += 1;
        assert_eq!((again.evaluate_at, again.reserved_as.as_ref(), again.bounces), (now, None, times));
        assert_eq!(again.planned_at, queued.planned_at);
        queued = again;
    }
    assert_eq!(times, MAX_BOUNCES);
}

// Answers arrive on 5 June; the officer's cause was recorded on 1 June.
#[rstest]
#[case::of_which_nothing_is_known(None, true)]
#[case::an_officer_has_found_out(Some(r#""cause":"long_term","by":"officer-7","reason":"visited""#), false)]
#[case::an_officers_that_is_over(
    Some(r#""cause":"temporary","by":"officer-7","reason":"ill","until":"2024-06-05""#),
    true
)]
#[case::an_officers_that_still_binds(
    Some(r#""cause":"temporary","by":"officer-7","reason":"ill","until":"2024-06-06""#),
    false
)]
fn a_borrowers_reason_is_recorded_where_nothing_else_binds(
    #[case] recorded: Option<&str>,
    #[case] is_taken: bool,
) {
    let mut account = loan(&[(1, "2024-05-01", "250.00")]).account;
    if let Some(fields) = recorded {
        let line = format!(
            r#"{{"at":"2024-06-01T04:00:00Z","type":"cause_recorded","account_id":"{}",{fields}}}"#,
            account.account_id
        );
        let event = duewatch_domain::formats::parse_event_line(&line).unwrap();
        assert!(matches!(event.command, Command::CauseRecorded(_)));
        account.apply(&event.command, event.at).unwrap();
    }
    let before = account.cause().cloned();
    let reason = "lost my job";
    let at = instant("2024-06-05T04:00:00Z");
    let taken = account.record_borrower_cause(reason, at, at).unwrap();
    assert_eq!(taken == Applied::Changed, is_taken);
    if is_taken {
        let cause = account.cause().unwrap();
        assert_eq!((cause.cause.as_str(), cause.by.as_str()), ("unknown", BORROWER));
        assert_eq!((cause.reason.as_str(), cause.at, cause.until), (reason, at, None));
    } else {
        assert_eq!(account.cause().cloned(), before);
    }
}

#[test]
fn of_two_answers_the_later_stands_whichever_comes_first() {
    let (early, late) = (instant("2024-06-05T04:00:00Z"), instant("2024-06-06T04:00:00Z"));
    for order in [[early, late], [late, early]] {
        let mut account = loan(&[(1, "2024-05-01", "250.00")]).account;
        for at in order {
            account.record_borrower_cause(&format!("said at {at}"), at, late).unwrap();
        }
        assert_eq!(account.cause().unwrap().reason, format!("said at {late}"));
        assert_eq!(
            account.record_borrower_cause(&format!("said at {late}"), late, late),
            Ok(Applied::Unchanged),
            "twice"
        );
    }
}

#[test]
fn an_answer_keeps_no_message_of_the_lenders_out() {
    let mut account = loan(&[(1, "2024-05-01", "250.00")]).account;
    let at = instant("2024-06-05T04:00:00Z");
    account.record_borrower_cause("lost my job", at, at).unwrap();
    let body = format!(
        r#"{{"event_id":"E-1","at":"2024-06-01T04:00:00Z","type":"enforcement_off","account_id":"{}","reason":"court"}}"#,
        account.account_id
    );
    let earlier = duewatch_domain::formats::parse_message(&body).unwrap();
    assert_eq!(account.take(&earlier), Ok(Applied::Changed));
    let long = "x".repeat(1_001);
    assert_eq!(account.record_borrower_cause(&long, at, at), Err(Refusal::ReasonTooLong { bytes: 1_001 }));
}
