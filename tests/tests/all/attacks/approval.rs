//! One person alone forgives or defers no more than the policy lets one person.
//!
//! The account A-1 owes four times 250.00. One person alone may forgive 300.00 of it within 30 days, and pause it for
//! ten days.

use chrono::TimeDelta;
use duewatch_app::{ApprovalOutcome, Deadline, ProposalError, approve_proposal, refuse_proposal};
use duewatch_cli::customer::{erase, export};
use duewatch_cli::requeue::{QuarantineScope, Requeue};
use duewatch_domain::kernel::{Money, Revision};
use duewatch_handlers::{Handlers, WaitingMessage, queue_event};
use duewatch_stack::local_reference_keys;
use duewatch_store::{PROPOSAL_DAYS, Person, Proposal, ProposalEnd};
use duewatch_tests::support::{STANDARD, World, id, policy_text};
use intake::SenderMap;
use rstest::rstest;
use serde_json::{Value, json};

use super::super::history::{breaks, told};

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
const APPROVAL: &str = "\n[approval]\namount_above = \"300.00\"\npause_days_above = 10\n";
const MAP: &str = r#"{
    "AROACORE": { "source": "core" },
    "AROANIGHTLY": { "source": "nightly", "needs_approval": false }
}"#;
/// Forgives all 1,000.00.
const WRITE_OFF: &str = r#""type":"written_off","reason":"Mrs Li is ill""#;

async fn opened() -> World {
    let world = World::at(OPENED_AT).await;
    let text = policy_text(STANDARD).replacen("id = \"standard\"", "id = \"guarded\"", 1);
    world.publish(&format!("{text}{APPROVAL}")).await;
    world.open_under("guarded", "A-1").await;
    world
}

/// A command of an officer, under that id.
fn body(world: &World, event_id: &str, officer: &str, fields: &str) -> String {
    let at = world.now().to_rfc3339();
    format!(
        r#"{{"event_id":"{event_id}","at":"{at}","account_id":"A-1","actor":{{"kind":"officer","id":"{officer}"}},{fields}}}"#
    )
}

/// Delivers a body of that sender to `intake`.
async fn deliver(world: &World, sender: &str, group: &str, body: &str) {
    let waiting = WaitingMessage {
        message_id: format!("m-{}", world.now()),
        body: body.to_owned(),
        group: Some(group.to_owned()),
        sent_at: world.now(),
        received: 1,
    };
    let mut event = queue_event("duewatch-dev-intake.fifo", &[waiting]);
    event["Records"][0]["attributes"]["SenderId"] = sender.into();
    let senders = SenderMap::parse(MAP).unwrap();
    let event = serde_json::from_value(event).unwrap();
    let response = intake::handle(&world.services(intake::NAME), &senders, event, Deadline::none()).await;
    assert!(response.batch_item_failures.is_empty());
}

/// The commands come a minute apart.
async fn sends(world: &World, event_id: &str, officer: &str, fields: &str) {
    world.stack.clock().set(world.now() + TimeDelta::minutes(1));
    deliver(world, "AROACORE:core", "A-1", &body(world, event_id, officer, fields)).await;
}

fn person(name: &str) -> Person {
    let user_id = Some(format!("AROAOPERATOR:{name}"));
    Person { name: format!("arn:aws:sts::1:assumed-role/operator/{name}"), user_id }
}

async fn approves(world: &World, name: &str, digest: &str) -> Result<ApprovalOutcome, ProposalError> {
    world.stack.clock().set(world.now() + TimeDelta::minutes(1));
    approve_proposal(&world.services("approve"), digest, &person(name), world.now()).await
}

async fn proposals(world: &World) -> Vec<Proposal> {
    let mut proposals = world.store().proposals().await.unwrap();
    proposals.sort_by_key(|one| one.proposed_at);
    proposals
}

/// The only proposal.
async fn proposed(world: &World) -> Proposal {
    let [proposal] = <[Proposal; 1]>::try_from(proposals(world).await).unwrap();
    proposal
}

/// What the account asks for.
async fn asked(world: &World) -> String {
    let account = world.account("A-1").await;
    let left = account.installments().iter().filter(|one| !one.written_off);
    left.map(|one| one.amount_due()).sum::<Money>().to_string()
}

fn adjusted(number: u32, amount: &str) -> String {
    format!(r#""type":"installment_adjusted","number":{number},"amount":"{amount}","reason":"a favour""#)
}

#[rstest]
#[case::write_off(WRITE_OFF)]
#[case::adjustment(r#""type":"installment_adjusted","number":1,"amount":"249.00","reason":"x""#)]
#[case::schedule(
    r#""type":"schedule_replaced","reason":"x","kind":"correction","installments":[{"number":9,"due_on":"2024-01-01","principal":"1000.00"}]"#
)]
#[case::pause(r#""type":"pause_started","from":"2023-10-05","until":"2023-10-16""#)]
#[case::enforcement(r#""type":"enforcement_off","reason":"x""#)]
#[tokio::test]
async fn no_relief_above_the_limits_is_granted_by_one_person(#[case] fields: &str) {
    let world = opened().await;
    if fields.contains("adjusted") {
        sends(&world, "E-0", "anna", &adjusted(2, "60.00")).await;
    }
    let before = world.account("A-1").await;
    drop(world.published());
    sends(&world, "E-1", "anna", fields).await;
    assert_eq!(world.account("A-1").await, before);
    assert_eq!(world.quarantined().await, [], "it is no poison");
    let digest = proposed(&world).await.digest;
    let left = world.published();
    assert!(left.iter().all(|sent| sent.topic != "archive"), "no restore brings it back: {left:?}");
    let tickets = left.into_iter().filter(|sent| sent.topic == "tickets");
    let alerts: Vec<Value> = tickets.map(|sent| sent.body).collect();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["data"]["subject"], format!("A-1/{digest}"));
    assert!(!alerts[0].to_string().contains("Li"), "{}", alerts[0]);

    assert_eq!(approves(&world, "berta", &digest).await.unwrap(), ApprovalOutcome::Taken);
    assert_eq!(world.account("A-1").await.revision, Revision(before.revision.0 + 1));
    assert_eq!(world.account("A-1").await.command_of_this_revision().unwrap().event_id.as_str(), "E-1");
    assert_eq!(world.sent_to("archive").len(), 1);
}

#[tokio::test]
async fn nobody_approves_what_he_proposed() {
    let world = opened().await;
    sends(&world, "E-1", "anna", WRITE_OFF).await;
    let digest = proposed(&world).await.digest;
    for name in ["anna", "Anna@bank.example"] {
        let refused = approves(&world, name, &digest).await;
        assert!(matches!(refused, Err(ProposalError::SamePerson(_))), "{name}: {refused:?}");
    }
    assert_eq!(asked(&world).await, "1000.00");
}

#[tokio::test]
async fn a_sender_who_names_another_actor_does_not_approve_it_either() {
    let world = opened().await;
    deliver(&world, "AROACORE:eve", "A-1", &body(&world, "E-1", "bob", WRITE_OFF)).await;
    let proposal = proposed(&world).await;
    assert_eq!(proposal.message.sender_id.as_ref().unwrap().as_str(), "AROACORE:eve");
    let as_core = Person {
        name: "arn:aws:sts::1:assumed-role/core/x".to_owned(),
        user_id: Some("AROACORE:eve".to_owned()),
    };
    for by in [person("eve"), person("bob"), as_core] {
        let refused = approve_proposal(&world.services("approve"), &proposal.digest, &by, world.now()).await;
        assert!(matches!(refused, Err(ProposalError::SamePerson(_))), "{by:?}");
    }
    assert_eq!(asked(&world).await, "1000.00");
}

#[tokio::test]
async fn a_command_that_names_no_officer_is_not_taken_on_one_persons_word() {
    let world = opened().await;
    let at = world.now().to_rfc3339();
    let nobodys = format!(r#"{{"event_id":"E-1","at":"{at}","account_id":"A-1",{WRITE_OFF}}}"#);
    deliver(&world, "AROACORE:core", "A-1", &nobodys).await;
    let digest = proposed(&world).await.digest;
    assert_eq!(approves(&world, "anna", &digest).await.unwrap(), ApprovalOutcome::NeedsAnother);
    assert!(matches!(approves(&world, "anna", &digest).await, Err(ProposalError::ApprovedAlready(_))));
    assert_eq!(asked(&world).await, "1000.00");
    assert_eq!(approves(&world, "berta", &digest).await.unwrap(), ApprovalOutcome::Taken);
    assert_eq!(asked(&world).await, "0");
    let account = world.account("A-1").await;
    let approval = account.command_of_this_revision().unwrap().approval.clone().unwrap();
    assert_eq!(approval.by, ["anna", "berta"].map(|name| person(name).name));
}

#[tokio::test]
async fn an_approval_of_another_digest_takes_nothing() {
    let world = opened().await;
    sends(&world, "E-1", "anna", WRITE_OFF).await;
    sends(&world, "E-2", "anna", r#""type":"enforcement_off","reason":"x""#).await;
    let [write_off, enforcement] = <[Proposal; 2]>::try_from(proposals(&world).await).unwrap();
    let unknown = write_off.digest.replace(['0', '1', '2'], "3");
    assert!(matches!(approves(&world, "berta", &unknown).await, Err(ProposalError::Unknown)));
    approves(&world, "berta", &enforcement.digest).await.unwrap();
    assert_eq!(asked(&world).await, "1000.00");
    assert!(!world.account("A-1").await.is_enforced());
}

#[tokio::test]
async fn content_that_is_changed_under_the_same_id_is_not_covered_by_an_approval() {
    let world = opened().await;
    sends(&world, "E-1", "anna", &adjusted(1, "200.00")).await;
    let at = world.now() + TimeDelta::minutes(1);
    world.stack.clock().set(at);
    let first = body(&world, "E-2", "anna", &adjusted(2, "200.00"));
    let changed = body(&world, "E-2", "anna", &adjusted(2, "250.00"));
    for body in [&first, &changed] {
        deliver(&world, "AROACORE:core", "A-1", body).await;
    }
    let both = proposals(&world).await;
    let first = both.iter().find(|one| format!("{:?}", one.message).contains("200")).unwrap();
    let changed_digest = &both.iter().find(|one| one.digest != first.digest).unwrap().digest;
    approves(&world, "berta", &first.digest).await.unwrap();
    assert_eq!(asked(&world).await, "600.00", "exactly what was approved");
    deliver(&world, "AROACORE:core", "A-1", &changed).await;
    let [quarantined] = <[_; 1]>::try_from(world.quarantined().await).unwrap();
    assert!(quarantined.reason.contains("E-2 came before with other content"), "{}", quarantined.reason);
    let refused = approves(&world, "berta", changed_digest).await;
    assert!(matches!(refused, Err(ProposalError::Failed(_))), "{refused:?}");
    assert_eq!(asked(&world).await, "600.00");
}

#[tokio::test]
async fn a_proposal_that_is_changed_in_the_table_is_taken_by_nobody() {
    let world = opened().await;
    sends(&world, "E-1", "anna", WRITE_OFF).await;
    sends(&world, "E-2", "anna", r#""type":"enforcement_off","reason":"x""#).await;
    let items = world.records("proposals", "").await;
    let (one, other) = (&items[0], &items[1]);
    let mut forged = one.clone();
    forged.insert("message".to_owned(), other["message"].clone());
    let table = &world.store().tables().records;
    world.client().put_item().table_name(table).set_item(Some(forged)).send().await.unwrap();
    let digest = one["sk"].as_s().unwrap();
    let refused = approves(&world, "berta", digest).await.unwrap_err().to_string();
    assert!(refused.contains("it holds another command"), "{refused}");
    assert_eq!((asked(&world).await.as_str(), world.account("A-1").await.is_enforced()), ("1000.00", true));
}

#[tokio::test]
async fn a_sum_is_not_forgiven_in_parts_below_the_limit_however_they_are_dated() {
    let world = opened().await;
    sends(&world, "E-1", "anna", &adjusted(1, "200.00")).await;
    assert_eq!(asked(&world).await, "800.00", "below the limit one person suffices");
    sends(&world, "E-2", "berta", &adjusted(2, "101.00")).await;
    // Another source may send what is older; that moves nothing out of the days that are added up.
    let old = body(&world, "E-3", "anna", &adjusted(2, "101.00"))
        .replace("2023-09-01T", "2023-06-01T")
        .replacen('{', r#"{"source":"desk","#, 1);
    deliver(&world, "AROACORE:core", "A-1", &old).await;
    assert_eq!((asked(&world).await.as_str(), proposals(&world).await.len()), ("800.00", 2));
    sends(&world, "E-4", "anna", &adjusted(2, "100.00")).await;
    assert_eq!(asked(&world).await, "700.00", "the limit itself is not above it");
    world.set("2023-09-30T12:00:00Z");
    sends(&world, "E-5", "anna", &adjusted(3, "1.00")).await;
    assert_eq!(asked(&world).await, "700.00", "the thirtieth day still counts the first");
    world.set("2023-10-01T00:00:00Z");
    sends(&world, "E-6", "anna", &adjusted(3, "1.00")).await;
    assert_eq!(asked(&world).await, "699.00");
    for number in 0..3 {
        let (from, until) = (5 + 5 * number, 9 + 5 * number);
        let pause =
            format!(r#""type":"pause_started","from":"2023-11-{from:02}","until":"2023-11-{until:02}""#);
        sends(&world, &format!("P-{number}"), "anna", &pause).await;
    }
    assert_eq!(world.account("A-1").await.pauses().len(), 2, "twice four days, and no more than ten");
}

#[tokio::test]
async fn an_approved_command_is_not_taken_twice_however_often_it_comes() {
    let world = opened().await;
    sends(&world, "E-0", "anna", &adjusted(1, "240.00")).await;
    let sent = body(&world, "E-1", "anna", &adjusted(2, "100.00"));
    for _ in 0..2 {
        deliver(&world, "AROACORE:core", "A-1", &sent).await;
    }
    let proposal = proposed(&world).await;
    approves(&world, "berta", &proposal.digest).await.unwrap();
    assert_eq!(asked(&world).await, "660.00");
    deliver(&world, "AROACORE:core", "A-1", &sent).await;
    assert!(matches!(approves(&world, "carla", &proposal.digest).await, Err(ProposalError::Ended(_))));
    // The command was cut off before it noted the end, and the account has forgotten the message since.
    for number in 0..12 {
        sends(&world, &format!("L-{number}"), "anna", &adjusted(3, "0.01")).await;
    }
    let mut cut_off = world.store().proposal(&proposal.digest).await.unwrap().unwrap();
    cut_off.end = None;
    assert!(world.store().update_proposal(&cut_off).await.unwrap());
    let before = world.account("A-1").await;
    approves(&world, "anna", &proposal.digest).await.unwrap();
    assert_eq!(world.account("A-1").await, before);
    deliver(&world, "AROACORE:core", "A-1", &sent).await;
    assert_eq!(world.account("A-1").await, before);
    assert_eq!(asked(&world).await, "659.88");
}

#[tokio::test]
async fn a_command_that_waits_holds_up_no_later_one_and_is_taken_after_them() {
    let world = opened().await;
    sends(&world, "E-1", "anna", r#""type":"written_off","number":4,"reason":"x""#).await;
    assert_eq!(asked(&world).await, "750.00");
    sends(&world, "E-2", "anna", r#""type":"written_off","number":3,"reason":"x""#).await;
    let digest = proposed(&world).await.digest;
    for number in 0..10 {
        sends(&world, &format!("L-{number}"), "anna", &adjusted(1, "0.10")).await;
    }
    assert_eq!(asked(&world).await, "749.00");
    approves(&world, "berta", &digest).await.unwrap();
    sends(&world, "L-10", "anna", &adjusted(1, "0.10")).await;
    assert_eq!(asked(&world).await, "498.90", "nor does it make later ones late");
    assert_eq!(world.quarantined().await, []);
}

#[tokio::test]
async fn what_has_changed_meanwhile_is_refused_as_for_every_command() {
    let world = opened().await;
    sends(&world, "E-0", "anna", &adjusted(1, "240.00")).await;
    sends(&world, "E-1", "anna", &adjusted(2, "200.00")).await;
    let digest = proposed(&world).await.digest;
    sends(&world, "E-2", "anna", &adjusted(2, "60.00")).await;
    let refused = approves(&world, "berta", &digest).await.unwrap_err();
    assert!(refused.to_string().contains("the account refuses it now"), "{refused}");
    assert_eq!(asked(&world).await, "700.00");
    let end = proposed(&world).await.end.unwrap();
    assert!(matches!(end, ProposalEnd::Failed(_)), "{end:?}");
}

#[tokio::test]
async fn what_was_refused_or_has_waited_too_long_is_not_approved_any_more() {
    let world = opened().await;
    sends(&world, "E-1", "anna", WRITE_OFF).await;
    let refused = proposed(&world).await;
    refuse_proposal(world.store(), &refused.digest, &person("berta"), "no papers", world.now())
        .await
        .unwrap();
    let again = approves(&world, "carla", &refused.digest).await.unwrap_err();
    assert!(again.to_string().contains("refused it: no papers"), "{again}");
    sends(&world, "E-2", "anna", WRITE_OFF).await;
    let waiting = proposals(&world).await.pop().unwrap();
    world.stack.clock().set(world.now() + TimeDelta::days(i64::try_from(PROPOSAL_DAYS).unwrap()));
    assert!(matches!(approves(&world, "carla", &waiting.digest).await, Err(ProposalError::Expired)));
    assert_eq!(asked(&world).await, "1000.00");
}

#[tokio::test]
async fn a_requeued_command_gets_round_neither_the_limits_nor_its_sender() {
    let world = opened().await;
    let nightly = body(&world, "E-1", "bob", WRITE_OFF);
    // In another group it is poison, of a sender that is exempt, and of one that is a person.
    deliver(&world, "AROANIGHTLY:eve", "A-2", &nightly).await;
    assert_eq!(world.quarantined().await.len(), 1);
    world.stack.clock().set(world.now() + TimeDelta::minutes(1));
    let requeue =
        Requeue::new(Handlers::over(local_reference_keys().unwrap(), |function| world.services(function)));
    let scope = QuarantineScope { since: world.now().date_naive(), source: None };
    requeue.quarantine(scope, |line| panic!("{line}")).await.unwrap();
    let proposal = proposed(&world).await;
    assert_eq!(asked(&world).await, "1000.00");
    let refused = approves(&world, "eve", &proposal.digest).await;
    assert!(matches!(refused, Err(ProposalError::SamePerson(_))), "{refused:?}");
}

#[tokio::test]
async fn a_sender_that_the_map_exempts_needs_no_approval_and_leaves_the_limits_to_others() {
    let world = opened().await;
    deliver(&world, "AROANIGHTLY:run", "A-1", &body(&world, "E-1", "anna", &adjusted(1, "249.00"))).await;
    deliver(&world, "AROANIGHTLY:run", "A-1", &body(&world, "E-2", "anna", &adjusted(2, "249.00"))).await;
    sends(&world, "E-3", "anna", &adjusted(3, "249.00")).await;
    assert_eq!((asked(&world).await.as_str(), proposals(&world).await.len()), ("253.00", 0));
}

#[tokio::test]
async fn no_entry_of_the_history_hides_who_proposed_who_sent_and_who_approved() {
    let mut world = opened().await;
    sends(&world, "E-1", "anna", WRITE_OFF).await;
    let digest = proposed(&world).await.digest;
    approves(&world, "berta", &digest).await.unwrap();
    world.record_all().await;
    let entry = told(&world.history("A-1").await[1]);
    let message = &entry["messages"][0];
    assert_eq!(message["actor"], json!({ "kind": "officer", "id": "anna" }));
    assert_eq!(message["sender_id"], "AROACORE:core");
    assert_eq!(message["approval"]["by"], json!([person("berta").name]));
    assert_eq!(message["approval"]["proposal"], digest);
    assert_eq!(breaks(&world).await, []);
}

#[tokio::test]
async fn no_text_of_a_proposal_outlives_an_erasure() {
    let world = opened().await;
    sends(&world, "E-1", "anna", WRITE_OFF).await;
    let customer = "C-1".parse().unwrap();
    let exported = export(world.store(), &customer, &[id("A-1")], "officer-7", world.now()).await.unwrap();
    assert!(exported.proposals[0].to_string().contains("Mrs Li"));
    let erased = erase(&world.services("duewatch"), &customer, "officer-8", world.now()).await.unwrap();
    assert_eq!((erased.proposals, proposals(&world).await.len()), (1, 0));
}
