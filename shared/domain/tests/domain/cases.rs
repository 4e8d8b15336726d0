//! Cases: their deadlines on dates worked out by hand, their refusals, and their laws.

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::Policy;
use duewatch_domain::account::CaseOutcome;
use duewatch_domain::cases::{
    Case, CaseAction, CaseRefusal, DeadlineKind, DeadlineState, EffectState, NewCase, apply, assess_case,
    open_case,
};
use duewatch_domain::kernel::{Actor, ActorKind};
use duewatch_domain::policy::{CaseKind, CaseKindRules};
use proptest::prelude::*;
use rstest::rstest;

use crate::common::{date, four_installments, instant, policy};

const US: &str = include_str!("../../presets/cases-us.toml");
const CN: &str = include_str!("../../presets/cases-cn.toml");
const UK: &str = include_str!("../../presets/cases-uk.toml");
const AU: &str = include_str!("../../presets/cases-au.toml");

fn actor(kind: ActorKind, id: &str) -> Actor {
    Actor { kind, id: id.parse().unwrap() }
}

fn borrower() -> Actor {
    actor(ActorKind::Borrower, "C-1")
}

fn officer() -> Actor {
    actor(ActorKind::Officer, "anna")
}

fn request(kind: CaseKind, event_on: Option<&str>) -> NewCase {
    NewCase {
        request_id: "R-1".parse().unwrap(),
        kind,
        event_on: event_on.map(date),
        statement: "it is not right".to_owned(),
        by: borrower(),
    }
}

fn try_open(
    policy: &Policy,
    kind: CaseKind,
    event_on: Option<&str>,
    at: &str,
    earlier: &[Case],
) -> Result<Case, CaseRefusal> {
    open_case(&four_installments().account, earlier, policy, &request(kind, event_on), instant(at))
}

/// A case of a borrower in Shanghai, opened at ten in the morning there.
fn opened(policy: &Policy, kind: CaseKind, on: &str) -> Case {
    try_open(policy, kind, None, &format!("{on}T02:00:00Z"), &[]).unwrap()
}

fn rules(policy: &Policy, kind: CaseKind) -> &CaseKindRules {
    policy.cases.of(kind).unwrap()
}

fn acted(
    case: &Case,
    policy: &Policy,
    action: &CaseAction,
    actor: &Actor,
    at: &str,
) -> Result<Case, CaseRefusal> {
    apply(case, rules(policy, case.kind), action, actor, instant(at))
}

fn due_on(case: &Case, policy: &Policy, kind: DeadlineKind) -> String {
    let assessed = assess_case(case, rules(policy, case.kind), case.opened_at);
    assessed.deadlines.iter().find(|one| one.kind == kind).unwrap().due_on.to_string()
}

fn uphold() -> CaseAction {
    CaseAction::Uphold { reason: "it is right".to_owned() }
}

fn reject() -> CaseAction {
    CaseAction::Reject { reason: "it is not".to_owned() }
}

fn withdraw() -> CaseAction {
    CaseAction::Withdraw { reason: "settled".to_owned() }
}

// The denial of 2 November may be appealed against until the 16th, the fourteenth day after it.
#[rstest]
#[case::on_the_last_day("2026-11-16T15:59:59Z", None)]
#[case::a_second_later("2026-11-16T16:00:00Z", Some("the appeal could be opened until 2026-11-16"))]
fn a_denial_is_appealed_against_within_fourteen_days(#[case] at: &str, #[case] refusal: Option<&str>) {
    let policy = policy("", US);
    let opened = try_open(&policy, CaseKind::Appeal, Some("2026-11-02"), at, &[]);
    assert_eq!(opened.err().map(|refusal| refusal.to_string()).as_deref(), refusal);
}

// 12 November 2026 is a Thursday: five working days later is Thursday the 19th. 12 to 30 November are 18 days, so the
// 30th day is 12 December, the 25th the 7th.
#[rstest]
#[case::acknowledged(DeadlineKind::Acknowledge, "2026-11-19")]
#[case::escalated(DeadlineKind::Escalate, "2026-12-07")]
#[case::answered(DeadlineKind::Answer, "2026-12-12")]
fn an_appeal_has_its_deadlines(#[case] kind: DeadlineKind, #[case] expected: &str) {
    let policy = policy("", US);
    assert_eq!(due_on(&opened(&policy, CaseKind::Appeal, "2026-11-12"), &policy, kind), expected);
}

#[test]
fn a_complaint_is_answered_in_fifteen_days_or_once_extended_in_sixty() {
    let policy = policy("", US);
    let case = opened(&policy, CaseKind::Complaint, "2026-09-10");
    assert_eq!(due_on(&case, &policy, DeadlineKind::Answer), "2026-09-25");
    let case = acted(&case, &policy, &CaseAction::Extend, &officer(), "2026-09-20T02:00:00Z").unwrap();
    assert_eq!(due_on(&case, &policy, DeadlineKind::Answer), "2026-11-09");
    let again = acted(&case, &policy, &CaseAction::Extend, &officer(), "2026-09-21T02:00:00Z");
    assert_eq!(again, Err(CaseRefusal::NoExtension));
}

// 30 September 2026 is a Wednesday; 1 to 7 October are holidays, Saturday the 10th is worked.
#[rstest]
#[case::complaint_cn(CN, CaseKind::Complaint, "2026-09-10", "2026-09-25")]
#[case::objection_cn(CN, CaseKind::Dispute, "2026-09-10", "2026-09-30")]
#[case::over_holidays_cn(CN, CaseKind::PaymentClaim, "2026-09-30", "2026-10-13")]
#[case::eight_weeks_uk(UK, CaseKind::Complaint, "2026-09-10", "2026-11-05")]
#[case::hardship_au(AU, CaseKind::Hardship, "2026-09-10", "2026-10-01")]
fn presets_have_their_dates(
    #[case] preset: &str,
    #[case] kind: CaseKind,
    #[case] on: &str,
    #[case] expected: &str,
) {
    let policy = policy("", preset);
    assert_eq!(due_on(&opened(&policy, kind, on), &policy, DeadlineKind::Answer), expected);
}

// The last day of a term in months is the same day, or the month's last.
#[test]
fn a_term_of_a_month_ends_with_a_shorter_month() {
    let policy = policy("", "[cases.complaint]\nanswer = { amount = 1, unit = \"months\" }\n");
    let case = opened(&policy, CaseKind::Complaint, "2026-01-31");
    assert_eq!(due_on(&case, &policy, DeadlineKind::Answer), "2026-02-28");
}

// Opened on 10 September, the answer is due on 10 October. The clock stands still from the 15th to the 20th, five days,
// and then for as long as the borrower likes: 25 more days are left.
#[test]
fn the_clock_stops_and_the_answer_still_has_a_date() {
    let policy = policy("", US);
    let case = opened(&policy, CaseKind::Hardship, "2026-09-10");
    let stop = || CaseAction::StopClock("waiting_for_borrower".to_owned());
    assert_eq!(due_on(&case, &policy, DeadlineKind::Answer), "2026-10-10");
    let case = acted(&case, &policy, &stop(), &officer(), "2026-09-15T02:00:00Z").unwrap();
    assert_eq!(due_on(&case, &policy, DeadlineKind::Answer), "2026-11-09");
    let back = CaseAction::RestartClock(instant("2026-09-20T02:00:00Z"));
    let case = acted(&case, &policy, &back, &officer(), "2026-09-22T02:00:00Z").unwrap();
    assert_eq!(due_on(&case, &policy, DeadlineKind::Answer), "2026-10-15");
    let case = acted(&case, &policy, &stop(), &officer(), "2026-09-25T02:00:00Z").unwrap();
    assert_eq!(due_on(&case, &policy, DeadlineKind::Answer), "2026-11-09");
    assert_eq!(due_on(&case, &policy, DeadlineKind::Acknowledge), "2026-09-17");
}

#[rstest]
#[case::in_the_future("2026-09-22T02:00:01Z", false)]
#[case::now("2026-09-22T02:00:00Z", true)]
#[case::as_it_stopped("2026-09-15T02:00:00Z", true)]
#[case::before_it_stopped("2026-09-15T01:59:59Z", false)]
fn a_clock_restarts_neither_ahead_nor_before_its_stop(#[case] at: &str, #[case] is_taken: bool) {
    let policy = policy("", US);
    let case = opened(&policy, CaseKind::Hardship, "2026-09-10");
    let stop = CaseAction::StopClock("waiting_for_borrower".to_owned());
    let case = acted(&case, &policy, &stop, &officer(), "2026-09-15T02:00:00Z").unwrap();
    let restart = CaseAction::RestartClock(instant(at));
    assert_eq!(acted(&case, &policy, &restart, &officer(), "2026-09-22T02:00:00Z").is_ok(), is_taken);
}

#[test]
fn a_clock_stops_for_a_listed_reason_alone_and_not_once_the_answer_is_missed() {
    let policy = policy("", US);
    let case = opened(&policy, CaseKind::Hardship, "2026-09-10");
    let stop = |reason: &str| CaseAction::StopClock(reason.to_owned());
    let busy = acted(&case, &policy, &stop("busy"), &officer(), "2026-09-15T02:00:00Z");
    assert_eq!(busy, Err(CaseRefusal::NoReasonToStop("busy".to_owned())));
    let late = acted(&case, &policy, &stop("waiting_for_borrower"), &officer(), "2026-10-10T16:00:00Z");
    assert_eq!(late, Err(CaseRefusal::AnswerMissed(date("2026-10-10"))));
}

// 12 December in Shanghai ends at 16:00 UTC.
#[test]
fn a_missed_answer_escalates_and_upholds_where_the_policy_says_so() {
    let policy = policy("", US);
    let case = opened(&policy, CaseKind::Appeal, "2026-11-12");
    let rules = rules(&policy, CaseKind::Appeal);
    assert!(case.let_time_pass(rules, instant("2026-11-19T15:59:59Z")).is_none());
    let case = case.let_time_pass(rules, instant("2026-11-19T16:00:00Z")).unwrap();
    assert_eq!((case.missed[0].kind, case.escalated_at), (DeadlineKind::Acknowledge, None));
    let case = case.let_time_pass(rules, instant("2026-12-07T16:00:00Z")).unwrap();
    assert_eq!((case.missed.len(), case.escalated_at), (2, Some(instant("2026-12-07T16:00:00Z"))));
    assert!(case.let_time_pass(rules, instant("2026-12-12T15:59:59Z")).is_none());
    let case = case.let_time_pass(rules, instant("2026-12-12T16:00:00Z")).unwrap();
    let closed = case.closed().unwrap();
    assert_eq!((closed.outcome, closed.by.kind), (CaseOutcome::Upheld, ActorKind::Duewatch));
    assert_eq!(case.effects.len(), 2);
    assert!(case.let_time_pass(rules, instant("2030-01-01T00:00:00Z")).is_none());
}

#[test]
fn a_week_without_a_sweep_finds_every_deadline_at_once() {
    let policy = policy("", US);
    let case = opened(&policy, CaseKind::Appeal, "2026-11-12");
    let case = case.let_time_pass(rules(&policy, CaseKind::Appeal), instant("2026-12-20T00:00:00Z")).unwrap();
    let missed: Vec<_> = case.missed.iter().map(|missed| missed.due_on.to_string()).collect();
    assert_eq!(missed, ["2026-11-19", "2026-12-07", "2026-12-12"]);
}

#[test]
fn a_decision_meets_every_deadline_of_its_case() {
    let policy = policy("", US);
    let case = opened(&policy, CaseKind::Appeal, "2026-11-12");
    let case = acted(&case, &policy, &reject(), &officer(), "2026-11-13T02:00:00Z").unwrap();
    let assessed = assess_case(&case, rules(&policy, CaseKind::Appeal), instant("2027-01-01T00:00:00Z"));
    assert!(assessed.deadlines.iter().all(|deadline| deadline.state == DeadlineState::Met), "{assessed:?}");
}

#[test]
fn an_officer_who_took_part_in_a_case_does_not_decide_it() {
    let policy = policy("", US);
    let case = opened(&policy, CaseKind::Appeal, "2026-11-12");
    let at = "2026-11-13T02:00:00Z";
    assert_eq!(acted(&case, &policy, &uphold(), &borrower(), at), Err(CaseRefusal::NotAnOfficer));
    let added = acted(&case, &policy, &CaseAction::Add("a receipt".to_owned()), &officer(), at).unwrap();
    assert_eq!(acted(&added, &policy, &uphold(), &officer(), at), Err(CaseRefusal::TookPart));
    // Another role of the same person.
    let anna = actor(ActorKind::Officer, "arn:aws:sts::123456789012:assumed-role/risk/anna");
    assert_eq!(acted(&added, &policy, &uphold(), &anna, at), Err(CaseRefusal::TookPart));
    assert!(acted(&added, &policy, &uphold(), &actor(ActorKind::Officer, "ben"), at).is_ok());
}

#[test]
fn a_case_is_not_rejected_before_the_borrower_had_time_to_add_to_it() {
    let table = "[cases.complaint]\nanswer = { amount = 30, unit = \"days\" }\n\
                 not_before = { amount = 7, unit = \"days\" }\n";
    let policy = policy("", table);
    let case = opened(&policy, CaseKind::Complaint, "2026-09-10");
    let early = acted(&case, &policy, &reject(), &officer(), "2026-09-16T15:59:59Z");
    assert_eq!(early, Err(CaseRefusal::TooEarly(date("2026-09-17"))));
    assert!(acted(&case, &policy, &uphold(), &officer(), "2026-09-11T02:00:00Z").is_ok());
    assert!(acted(&case, &policy, &reject(), &officer(), "2026-09-16T16:00:00Z").is_ok());
}

#[test]
fn a_kind_is_opened_no_more_often_than_the_policy_allows() {
    let policy = policy("", US);
    let first = opened(&policy, CaseKind::Appeal, "2026-01-10");
    let at = "2026-02-10T02:00:00Z";
    let again = |earlier: &[Case], at: &str| try_open(&policy, CaseKind::Appeal, None, at, earlier);
    assert!(matches!(again(std::slice::from_ref(&first), at), Err(CaseRefusal::OpenAlready { .. })));
    let first = acted(&first, &policy, &withdraw(), &borrower(), "2026-01-11T02:00:00Z").unwrap();
    let second = again(std::slice::from_ref(&first), at).unwrap();
    assert_eq!(second.case_id.as_str(), "A-1/2");
    let second = acted(&second, &policy, &withdraw(), &borrower(), "2026-02-11T02:00:00Z").unwrap();
    let both = [first, second];
    let third = again(&both, "2027-01-10T01:59:59Z");
    assert!(matches!(third, Err(CaseRefusal::TooOften { at_most: 2, .. })), "{third:?}");
    // A year after the first.
    assert_eq!(again(&both, "2027-01-10T02:00:00Z").unwrap().case_id.as_str(), "A-1/3");
}

#[rstest]
#[case::kind_without_a_table(CaseKind::PaymentClaim, None, "takes no case of the kind payment_claim")]
#[case::about_tomorrow(CaseKind::Appeal, Some("2026-11-13"), "event_on: 2026-11-13 lies ahead")]
fn a_case_that_the_policy_does_not_take_is_refused(
    #[case] kind: CaseKind,
    #[case] event_on: Option<&str>,
    #[case] problem: &str,
) {
    let refused = try_open(&policy("", US), kind, event_on, "2026-11-12T02:00:00Z", &[]).unwrap_err();
    assert!(refused.to_string().contains(problem), "{refused}");
}

#[test]
fn an_effect_is_one_command_however_often_it_is_filed() {
    let policy = policy("", US);
    let case = opened(&policy, CaseKind::Appeal, "2026-11-12");
    let (step, effect) = case.pending_effect().unwrap();
    let message = case.message_of(step, effect).unwrap();
    assert_eq!((message.event_id.as_str(), message.source.as_str()), ("A-1/1:1:0", "cases"));
    assert_eq!(case.message_of(step, effect).unwrap(), message);
    let applied = case.with_effect(step, EffectState::Applied(instant("2026-11-12T02:00:01Z")));
    assert_eq!(applied.pending_effect(), None);
    let closed = acted(&applied, &policy, &reject(), &officer(), "2026-11-13T02:00:00Z").unwrap();
    let (step, effect) = closed.pending_effect().unwrap();
    assert_eq!(closed.message_of(step, effect).unwrap().event_id.as_str(), "A-1/1:3:1");
}

fn action() -> impl Strategy<Value = CaseAction> {
    prop_oneof![
        Just(CaseAction::Acknowledge),
        Just(CaseAction::Add("more".to_owned())),
        Just(CaseAction::StopClock("waiting_for_borrower".to_owned())),
        Just(CaseAction::Extend),
        (0_i64..200).prop_map(|hours| {
            CaseAction::RestartClock(instant("2026-09-10T02:00:00Z") + TimeDelta::hours(hours * 7))
        }),
        Just(reject()),
        Just(uphold()),
        Just(withdraw()),
    ]
}

/// Actions, each so many hours after the one before, and whether time is let pass in between.
fn actions() -> impl Strategy<Value = Vec<(CaseAction, i64, bool)>> {
    prop::collection::vec((action(), 0_i64..200, any::<bool>()), 0..20)
}

/// Extended, with a clock that may stop for 30 days.
const WATCHED: &str = "[cases.complaint]\nacknowledge = { amount = 5, unit = \"business_days\", calendar = \"cn\" }\n\
    answer = { amount = 15, unit = \"days\", extended_to = [30, 60], breach = [\"escalate\"] }\nteam = \"risk\"\n\
    clock_stop = { reasons = [\"waiting_for_borrower\"], at_most_days = 30 }\n";

fn filed(mut case: Case, at: DateTime<Utc>) -> Case {
    for _ in 0..2 {
        if let Some((step, _)) = case.pending_effect() {
            case = case.with_effect(step, EffectState::Applied(at));
        }
    }
    case
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The law of the next action, deadlines that no order of actions loses, and cases that stay closed.
    #[test]
    fn no_order_of_actions_loses_a_deadline(actions in actions()) {
        let policy = policy("", WATCHED);
        let rules = rules(&policy, CaseKind::Complaint);
        let mut case = opened(&policy, CaseKind::Complaint, "2026-09-10");
        // Sixty days, and thirty of a stopped clock: 9 December.
        let latest = date("2026-12-09");
        let mut at = case.opened_at;
        for (action, hours, is_swept) in actions {
            at += TimeDelta::hours(hours);
            if is_swept && let Some(later) = case.let_time_pass(rules, at) {
                prop_assert_eq!(later.revision, case.revision.next());
                case = later;
            }
            let before = case.clone();
            match apply(&case, rules, &action, &officer(), at) {
                Ok(next) => {
                    prop_assert!(before.is_open(), "a closed case took {:?}", action);
                    prop_assert_eq!(next.revision, before.revision.next());
                    case = next;
                }
                Err(CaseRefusal::Closed { .. }) => prop_assert!(!before.is_open()),
                Err(_) => prop_assert!(before.is_open()),
            }
            case = filed(case, at);
            let missed = |case: &Case| case.missed.clone();
            prop_assert_eq!(&missed(&case)[..before.missed.len()], &before.missed[..]);
            let assessed = assess_case(&case, rules, at);
            let answer = assessed.deadlines.iter().find(|one| one.kind == DeadlineKind::Answer).unwrap();
            prop_assert!(answer.due_on >= date("2026-09-25") && answer.due_on <= latest, "{:?}", answer);
            if let Some(next) = assessed.next_action_at.filter(|next| *next > at) {
                let earlier = next - TimeDelta::seconds(1);
                prop_assert!(!assess_case(&case, rules, earlier).has_news);
                prop_assert!(case.let_time_pass(rules, earlier).is_none());
            }
            if let Some(next) = assessed.next_action_at {
                prop_assert!(case.let_time_pass(rules, next.max(at)).is_some());
            }
            if case.is_open() {
                let over = at.max(instant("2026-12-10T00:00:00Z"));
                let answered = |case: &Case| case.missed.iter().any(|one| one.kind == DeadlineKind::Answer);
                prop_assert!(answered(&case) || case.let_time_pass(rules, over).is_some_and(|one| answered(&one)));
            }
        }
    }
}
