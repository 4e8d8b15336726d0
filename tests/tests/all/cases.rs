//! Cases over the real handlers: the hold on the account, missed deadlines, and invocations that are killed between a
//! case's write and its account's.

use aws_sdk_dynamodb::types::AttributeValue;
use duewatch_app::{
    Authority, CaseError, Services, TransitionOutcome, act_on_case, erase_case_texts, open_case,
};
use duewatch_domain::account::CaseOutcome;
use duewatch_domain::cases::{Case, CaseAction, CaseRefusal, DeadlineKind, EffectState, NewCase};
use duewatch_domain::commands::ERASED;
use duewatch_domain::kernel::{Actor, ActorKind, Revision};
use duewatch_domain::policy::CaseKind;
use duewatch_notify::OperationsKind;
use duewatch_testkit::{FROZEN, LATE, LIMITED, policy_text, stages};
use duewatch_tests::interrupt::Interrupt;
use duewatch_tests::support::{World, id, sweep};

/// The first instant of 9 October in Shanghai: the line is limited.
const LIMITED_AT: &str = "2023-10-08T16:00:00Z";

/// Answered in 30 days, escalated after 25; no new restriction for 30 days.
const APPEALS: &str = "[cases.appeal]\nanswer = { amount = 30, unit = \"days\", breach = [\"uphold\"] }\n\
    escalate = { amount = 25, unit = \"days\" }\nteam = \"complaints\"\nholds = [\"restrictions\"]\nholds_days = 30\n\
    repeat = { at_most = 2, within_days = 365 }\n[cases.complaint]\nanswer = { amount = 15, unit = \"days\" }\n";

/// A world whose account A-1 is late since 5 October, on the 6th.
async fn late() -> World {
    let world = World::at("2023-09-01T00:00:00Z").await;
    let tables = format!("{}{APPEALS}", stages(&[LATE, LIMITED, FROZEN]));
    world.publish(&policy_text("answering", "grace_days = 3", &tables)).await;
    world.open_under("answering", "A-1").await;
    world.set("2023-10-06T02:00:00Z");
    world.sweep().await;
    world
}

fn officer() -> Actor {
    Actor { kind: ActorKind::Officer, id: "anna".parse().unwrap() }
}

fn request(request_id: &str, kind: CaseKind) -> NewCase {
    NewCase {
        request_id: request_id.parse().unwrap(),
        kind,
        event_on: None,
        statement: "I paid at a branch".to_owned(),
        by: Actor { kind: ActorKind::Borrower, id: "C-1".parse().unwrap() },
    }
}

async fn open(world: &World, services: &Services, kind: CaseKind) -> Result<Case, CaseError> {
    open_case(services, &id("A-1"), &request("R-1", kind), world.now()).await
}

async fn decide(world: &World, case: &Case, action: &CaseAction) -> Result<Case, CaseError> {
    act_on_case(&world.services("cases"), &case.case_id, action, &officer(), world.now()).await
}

fn reject() -> CaseAction {
    CaseAction::Reject { reason: "no payment came".to_owned() }
}

async fn stored(world: &World) -> Case {
    world.store().case(&"A-1/1".parse().unwrap()).await.unwrap().unwrap()
}

async fn is_restricted(world: &World) -> bool {
    !world.account("A-1").await.status.restrictions.is_empty()
}

fn are_filed(case: &Case) -> bool {
    case.effects.iter().all(|effect| matches!(effect.state, EffectState::Applied(_)))
}

#[tokio::test]
async fn an_open_appeal_holds_the_restriction_and_its_rejection_lets_it_begin_in_the_same_write() {
    let world = late().await;
    let case = open(&world, &world.services("cases"), CaseKind::Appeal).await.unwrap();
    assert_eq!((case.case_id.as_str(), are_filed(&case)), ("A-1/1", true));
    world.set(LIMITED_AT);
    world.sweep().await;
    world.set("2023-10-12T02:00:00Z");
    world.sweep().await;
    let held = world.account("A-1").await;
    assert_eq!((held.status.stage.as_str(), is_restricted(&world).await), ("limited", false));
    let case = decide(&world, &case, &reject()).await.unwrap();
    assert_eq!(case.closed().unwrap().outcome, CaseOutcome::Rejected);
    let account = world.account("A-1").await;
    assert!(is_restricted(&world).await && account.cases()[0].closed.is_some());
    assert_eq!(account.revision, held.revision.next());
    let again = decide(&world, &case, &reject()).await.unwrap_err();
    assert!(matches!(again, CaseError::Refused(CaseRefusal::Closed { .. })), "{again}");
}

#[tokio::test]
async fn a_withdrawn_appeal_holds_nothing_any_more() {
    let world = late().await;
    let case = open(&world, &world.services("cases"), CaseKind::Appeal).await.unwrap();
    world.set("2023-10-12T02:00:00Z");
    world.sweep().await;
    assert!(!is_restricted(&world).await);
    decide(&world, &case, &CaseAction::Withdraw { reason: "paid".to_owned() }).await.unwrap();
    assert!(is_restricted(&world).await);
}

#[tokio::test]
async fn the_same_request_opens_one_case_and_another_of_the_kind_is_refused_while_it_is_open() {
    let world = late().await;
    let services = world.services("cases");
    let first = open(&world, &services, CaseKind::Appeal).await.unwrap();
    assert_eq!(open(&world, &services, CaseKind::Appeal).await.unwrap(), first);
    let other = request("R-2", CaseKind::Appeal);
    let refused = open_case(&services, &id("A-1"), &other, world.now()).await.unwrap_err();
    assert!(matches!(refused, CaseError::Refused(CaseRefusal::OpenAlready { .. })), "{refused}");
    let complaint = request("R-3", CaseKind::Complaint);
    let complaint = open_case(&services, &id("A-1"), &complaint, world.now()).await.unwrap();
    assert_eq!(complaint.case_id.as_str(), "A-1/2");
    assert_eq!(world.account("A-1").await.cases().len(), 2);
}

// Opened on 6 October: escalated after the 31st, upheld after 5 November.
#[tokio::test]
async fn the_sweep_finds_every_missed_deadline_once_and_does_as_the_policy_says() {
    let world = late().await;
    open(&world, &world.services("cases"), CaseKind::Appeal).await.unwrap();
    world.set("2023-10-31T15:59:59Z");
    assert_eq!(world.sweep().await.case_deadlines_missed, 0);
    world.set("2023-10-31T16:00:00Z");
    let report = world.sweep().await;
    assert_eq!((report.cases, report.case_deadlines_missed), (1, 1));
    let case = stored(&world).await;
    assert_eq!((case.is_open(), case.missed[0].kind), (true, DeadlineKind::Escalate));
    assert_eq!(case.escalated_at, Some(world.now()));
    assert_eq!(world.sweep().await.cases, 0, "found once");
    world.set("2023-11-05T16:00:00Z");
    assert_eq!(world.sweep().await.case_deadlines_missed, 1);
    let case = stored(&world).await;
    assert_eq!(case.closed().unwrap().outcome, CaseOutcome::Upheld);
    assert!(are_filed(&case) && world.account("A-1").await.cases()[0].closed.is_some());
    let tickets: Vec<_> = world.sent_to("tickets").iter().map(|ticket| ticket.body["data"].clone()).collect();
    let missed = tickets.iter().filter(|data| data["kind"] == OperationsKind::CaseDeadlineMissed.as_str());
    let subjects: Vec<_> = missed.map(|data| data["subject"].as_str().unwrap().to_owned()).collect();
    assert_eq!(subjects, ["A-1/1/escalate", "A-1/1/answer"]);
}

#[tokio::test]
async fn a_decision_that_comes_late_hides_no_missed_deadline() {
    let world = late().await;
    let services = world.services("cases");
    let case = open(&world, &services, CaseKind::Complaint).await.unwrap();
    world.set("2023-10-22T02:00:00Z");
    let case = decide(&world, &case, &reject()).await.unwrap();
    assert_eq!((case.missed.len(), case.missed[0].due_on.to_string()), (1, "2023-10-21".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_account_knows_the_case_the_sweep_tells_it() {
    let world = late().await;
    let accounts = world.store().tables().accounts.clone();
    let killed = world.services_interrupted("cases", Interrupt::failing("UpdateItem", &accounts, 1));
    let failed = open(&world, &killed, CaseKind::Appeal).await.unwrap_err();
    assert!(matches!(failed, CaseError::NotFiled(_)), "{failed}");
    assert!(stored(&world).await.is_open() && world.account("A-1").await.cases().is_empty());
    assert_eq!(world.sweep().await.cases, 1);
    let account = world.account("A-1").await;
    assert_eq!(account.cases()[0].at, stored(&world).await.opened_at);
    assert!(are_filed(&stored(&world).await));
    assert_eq!(world.sweep().await.cases, 0);
}

// The account takes the very command of the pending effect: so it stands when the note of its answer is lost.
#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_account_knows_the_end_the_sweep_tells_it_nothing_twice() {
    let world = late().await;
    let case = open(&world, &world.services("cases"), CaseKind::Appeal).await.unwrap();
    let accounts = world.store().tables().accounts.clone();
    let killed = world.services_interrupted("cases", Interrupt::failing("UpdateItem", &accounts, 1));
    let failed = act_on_case(&killed, &case.case_id, &reject(), &officer(), world.now()).await.unwrap_err();
    assert!(matches!(failed, CaseError::NotFiled(_)), "{failed}");
    let case = stored(&world).await;
    let (step, effect) = case.pending_effect().unwrap();
    let message = case.message_of(step, effect).unwrap();
    let transitions = world.services("cases").transitions;
    let taken = transitions.command(&message, Authority::OnePerson, world.now()).await;
    assert!(matches!(taken, Ok(TransitionOutcome::Written(_))), "{taken:?}");
    let revision = world.account("A-1").await.revision;
    assert_eq!(world.sweep().await.cases, 1);
    assert!(are_filed(&stored(&world).await));
    assert_eq!(world.account("A-1").await.revision, revision, "told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_case_is_written_nothing_of_it_is_left() {
    let world = late().await;
    let cases = world.store().tables().cases.clone();
    let killed = world.services_interrupted("cases", Interrupt::failing("PutItem", &cases, 1));
    let failed = open(&world, &killed, CaseKind::Appeal).await.unwrap_err();
    assert!(matches!(failed, CaseError::Store(_)), "{failed}");
    assert!(world.store().cases_of(&id("A-1")).await.unwrap().is_empty());
    assert!(world.account("A-1").await.cases().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_a_later_case_overtook_is_dated_anew() {
    let world = late().await;
    let accounts = world.store().tables().accounts.clone();
    let killed = world.services_interrupted("cases", Interrupt::failing("UpdateItem", &accounts, 1));
    open(&world, &killed, CaseKind::Appeal).await.unwrap_err();
    let opened_at = world.now();
    world.set("2023-10-06T02:05:00Z");
    let complaint = request("R-2", CaseKind::Complaint);
    open_case(&world.services("cases"), &id("A-1"), &complaint, world.now()).await.unwrap();
    assert_eq!(world.sweep().await.cases, 1);
    let case = stored(&world).await;
    assert!(are_filed(&case) && case.opened_at == opened_at && case.effects[0].at == world.now());
    assert_eq!(world.account("A-1").await.cases().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_decide_one_case_at_once_decide_it_once() {
    let world = late().await;
    let case = open(&world, &world.services("cases"), CaseKind::Appeal).await.unwrap();
    let cases = world.store().tables().cases.clone();
    let (other, case_id, now) = (world.services("cases"), case.case_id.clone(), world.now());
    let first = Interrupt::before("PutItem", &cases, 1, move || {
        let (other, case_id) = (other.clone(), case_id.clone());
        async move {
            let uphold = CaseAction::Uphold { reason: "it came".to_owned() };
            act_on_case(&other, &case_id, &uphold, &officer(), now).await.unwrap();
        }
    });
    let slower = world.services_interrupted("cases", first.clone());
    let refused = act_on_case(&slower, &case.case_id, &reject(), &officer(), now).await.unwrap_err();
    assert_eq!(first.left(), 0);
    assert!(matches!(refused, CaseError::Refused(CaseRefusal::Closed { .. })), "{refused}");
    assert_eq!(stored(&world).await.closed().unwrap().outcome, CaseOutcome::Upheld);
}

#[tokio::test]
async fn a_case_that_cannot_be_read_is_quarantined_and_blocks_no_shard() {
    let world = late().await;
    open(&world, &world.services("cases"), CaseKind::Complaint).await.unwrap();
    let tampered = world
        .client()
        .update_item()
        .table_name(&world.store().tables().cases)
        .key("account_id", AttributeValue::S("A-1".to_owned()))
        .key("case_id", AttributeValue::S("A-1/1".to_owned()))
        .update_expression("SET opened_at = :none")
        .expression_attribute_values(":none", AttributeValue::S("never".to_owned()));
    tampered.send().await.unwrap();
    world.set("2023-11-01T02:00:00Z");
    let report = sweep(&world.services(detect_overdue::NAME)).await;
    assert_eq!(report.quarantined, 1);
    assert_eq!(world.quarantined().await[0].id, "A-1/1");
    assert_eq!(world.sweep().await.quarantined, 0);
}

#[tokio::test]
async fn an_erasure_reaches_all_that_somebody_wrote_into_a_case() {
    let world = late().await;
    let services = world.services("cases");
    let case = open(&world, &services, CaseKind::Appeal).await.unwrap();
    decide(&world, &case, &CaseAction::Add("call me at 5".to_owned())).await.unwrap();
    assert_eq!(erase_case_texts(&services, &id("A-1"), world.now()).await.unwrap(), 1);
    let erased = stored(&world).await;
    assert_eq!((erased.statement.as_str(), erased.additions[0].text.as_str()), (ERASED, ERASED));
    assert_eq!(erased.revision, Revision(4));
    assert_eq!(erase_case_texts(&services, &id("A-1"), world.now()).await.unwrap(), 0);
}
