//! Sources and actors: order and repetition are judged per source, and an account knows who acted.

use std::collections::BTreeSet;

use crate::common::{command, contract, four_installments, instant};
use chrono::TimeDelta;
use duewatch_domain::account::Origin;
use duewatch_domain::commands::event_line;
use duewatch_domain::contact::ContactProfile;
use duewatch_domain::formats::{book_line, message_line, parse_event_line, parse_message};
use duewatch_domain::kernel::{Actor, ActorKind, MAX_MESSAGES, MAX_ORIGINS, MAX_SOURCES, RECENT_MESSAGES};
use duewatch_domain::policy::Channel;
use duewatch_domain::{Account, Applied, Contract, Event, InboundMessage, Refusal};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

const NOON: &str = "2023-10-05T12:00:00Z";

fn message(source: &str, id: &str, seconds: i64, kind: &str, fields: &str) -> InboundMessage {
    let event = Event {
        at: instant(NOON) + TimeDelta::seconds(seconds),
        account_id: "A-1".parse().unwrap(),
        command: command(kind, fields),
    };
    let source = source.parse().unwrap();
    InboundMessage {
        actor: Actor::system(&source),
        source,
        ..InboundMessage::of_core(id.parse().unwrap(), event)
    }
}

fn added(source: &str, id: &str, seconds: i64, number: usize) -> InboundMessage {
    let fields = format!(r#""installment":{{"number":{number},"due_on":"2024-06-01","principal":"1.00"}}"#);
    message(source, id, seconds, "installment_added", &fields)
}

fn account() -> Account {
    four_installments().account
}

#[test]
fn a_message_that_arrives_after_a_later_one_of_another_source_is_applied() {
    let mut account = account();
    let officer = message("desk", "E-1", 1, "enforcement_off", r#""reason":"a complaint""#);
    let lender = message("core", "E-2", 0, "pause_started", r#""from":"2023-10-05","until":"2023-10-12""#);
    assert_eq!(account.take(&officer), Ok(Applied::Changed));
    assert_eq!(account.take(&lender), Ok(Applied::Changed));
    assert_eq!((account.is_enforced(), account.pauses().len()), (false, 1));
    let older = message("desk", "E-3", 0, "enforcement_on", r#""reason":"answered""#);
    let expected = Refusal::OutOfOrder { at: older.event.at, last: officer.event.at };
    assert_eq!(account.take(&older), Err(expected), "out of order for its own source");
}

#[test]
fn a_message_whose_target_another_source_removed_is_refused() {
    let mut account = account();
    let pause = r#""from":"2023-10-05","until":"2023-10-12""#;
    account.take(&message("core", "E-1", -60, "pause_started", pause)).unwrap();
    account.take(&message("desk", "E-2", 1, "pause_ended", r#""on":"2023-10-05""#)).unwrap();
    let ended = message("core", "E-3", 0, "pause_ended", r#""on":"2023-10-06""#);
    assert_eq!(account.take(&ended), Err(Refusal::NoPause("2023-10-06".parse().unwrap())));
}

#[test]
fn one_id_from_two_sources_is_two_messages() {
    let mut account = account();
    for (source, number) in [("core", 11), ("desk", 12)] {
        let message = added(source, "E-1", 0, number);
        assert_eq!(account.take(&message), Ok(Applied::Changed));
        assert_eq!(account.take(&message), Ok(Applied::Unchanged));
    }
    assert_eq!(
        account.take(&added("desk", "E-1", 0, 13)),
        Err(Refusal::MessageDiffers("E-1".parse().unwrap()))
    );
    assert_eq!(account.installments().len(), 6);
}

#[test]
fn a_forgotten_message_is_out_of_order_for_its_source_however_many_others_send() {
    let mut account = account();
    for number in 0..RECENT_MESSAGES + 2 {
        let seconds = i64::try_from(number).unwrap();
        account.take(&added("desk", &format!("D-{number}"), seconds, 100 + number)).unwrap();
    }
    account.take(&added("one-call", "O-1", 0, 200)).unwrap();
    for number in 0..RECENT_MESSAGES + 2 {
        let seconds = i64::try_from(number).unwrap();
        account.take(&added("core", &format!("C-{number}"), seconds, 300 + number)).unwrap();
    }
    for known in [added("desk", "D-9", 9, 109), added("one-call", "O-1", 0, 200)] {
        assert_eq!(account.take(&known), Ok(Applied::Unchanged));
    }
    for forgotten in [added("desk", "D-0", 0, 100), added("core", "C-1", 1, 301)] {
        assert!(matches!(account.take(&forgotten), Err(Refusal::OutOfOrder { .. })));
    }
    assert_eq!(account.recent_messages().len(), 2 * RECENT_MESSAGES + 1);
    account.check_bounds().unwrap();
}

#[test]
fn an_account_takes_messages_of_so_many_sources_and_of_no_more() {
    let mut account = account();
    for number in 0..MAX_SOURCES {
        account.take(&added(&format!("system-{number}"), "E-1", 0, 100 + number)).unwrap();
    }
    let before = account.clone();
    assert_eq!(account.take(&added("one-more", "E-1", 0, 200)), Err(Refusal::TooManySources));
    assert_eq!(account, before);
    assert_eq!(account.take(&added("system-0", "E-2", 0, 201)), Ok(Applied::Changed));
    account.check_bounds().unwrap();
}

#[test]
fn the_bound_on_messages_of_one_instant_is_each_sources_own() {
    let mut account = account();
    for number in 0..MAX_MESSAGES {
        account.take(&added("core", &format!("E-{number}"), 0, 100 + number)).unwrap();
    }
    assert_eq!(account.take(&added("core", "E-64", 0, 200)), Err(Refusal::TooManyMessages));
    assert_eq!(account.take(&added("desk", "E-64", 0, 200)), Ok(Applied::Changed));
    assert_eq!(
        account.take(&added("core", "E-0", 0, 100)),
        Ok(Applied::Unchanged),
        "the first is still known"
    );
}

const BODY: &str =
    r#"{"event_id":"E-1","at":"2023-10-05T12:00:00Z","type":"bureau_reported","account_id":"A-1"}"#;

fn body_with(more: &str) -> String {
    BODY.replace("\"event_id\"", &format!("{more},\"event_id\""))
}

#[rstest]
#[case::none("\"account_id\":\"A-1\"", "core", ActorKind::System, "core")]
#[case::source(r#""source":"desk""#, "desk", ActorKind::System, "desk")]
#[case::officer(
    r#""source":"desk","actor":{"kind":"officer","id":"o-7"}"#,
    "desk",
    ActorKind::Officer,
    "o-7"
)]
#[case::borrower(r#""actor":{"kind":"borrower","id":"C-1"}"#, "core", ActorKind::Borrower, "C-1")]
#[case::duewatch(r#""actor":{"kind":"duewatch","id":"plans"}"#, "core", ActorKind::Duewatch, "plans")]
#[case::nulls(r#""source":null,"actor":null"#, "core", ActorKind::System, "core")]
fn a_message_names_its_source_and_its_actor(
    #[case] more: &str,
    #[case] source: &str,
    #[case] kind: ActorKind,
    #[case] id: &str,
) {
    let body = if more.starts_with("\"account_id") { BODY.to_owned() } else { body_with(more) };
    let message = parse_message(&body).unwrap();
    assert_eq!(message.source.as_str(), source);
    assert_eq!(message.actor, Actor { kind, id: id.parse().unwrap() });
    assert_eq!(parse_message(&message_line(&message)), Ok(message));
}

#[rstest]
#[case(r#""source":"""#, "source: \"\" is no identifier")]
#[case(r#""source":7"#, "source: invalid type: integer `7`")]
#[case(r#""actor":"officer""#, "actor: invalid type: string \"officer\"")]
#[case(
    r#""actor":{"kind":"robot","id":"r"}"#,
    "actor.kind: unknown variant `robot`, expected one of `system`, `borrower`, `officer`, `duewatch`"
)]
#[case(r#""actor":{"kind":"officer"}"#, "actor: missing field `id`")]
#[case(r#""actor":{"kind":"officer","id":"a\nb"}"#, "actor.id: \"a\\nb\" is no identifier")]
#[case(r#""actor":{"kind":"officer","id":"o-7","name":"Li"}"#, "actor.name: unknown field `name`")]
fn a_sender_that_cannot_be_read_is_refused_by_field(#[case] more: &str, #[case] expected: &str) {
    let refusal = parse_message(&body_with(more)).unwrap_err().to_string();
    assert!(refusal.starts_with(expected), "{refusal}");
}

#[test]
fn an_event_of_a_file_has_no_sender() {
    let line = body_with(r#""source":"desk""#).replace(r#""event_id":"E-1","#, "");
    assert!(parse_event_line(&line).unwrap_err().to_string().starts_with("source: unknown field"));
}

#[test]
fn a_message_without_a_sender_is_stored_as_before() {
    let mut account = account();
    let message = added("core", "E-1", 0, 11);
    account.take(&message).unwrap();
    let stored = serde_json::to_value(&account).unwrap();
    let checksum = crc32fast::hash(event_line(&message.event).as_bytes());
    let expected = json!([{ "id": "E-1", "at": "2023-10-05T12:00:00Z", "crc": checksum }]);
    assert_eq!(stored["recent_messages"], expected);
    let read: Account = serde_json::from_value(stored).unwrap();
    assert_eq!(read, account);
    assert_eq!(read.recent_messages()[0].actor(), Actor::system(&"core".parse().unwrap()));
}

fn of_officer(message: InboundMessage) -> InboundMessage {
    InboundMessage { actor: Actor { kind: ActorKind::Officer, id: "o-7".parse().unwrap() }, ..message }
}

fn opening(source: &str, id: &str) -> (Contract, InboundMessage) {
    let installment = r#"{"number":1,"due_on":"2023-10-01","principal":"250.00"}"#;
    let contract = contract("Asia/Shanghai", "CNY", installment);
    let line = book_line(&contract);
    (contract, message(source, id, 0, "account_opened", &format!(r#""account":{line}"#)))
}

#[test]
fn an_account_knows_the_message_that_opened_it() {
    let (contract, message) = opening("desk", "E-1");
    let mut account = Account::open_by(&contract, &of_officer(message)).unwrap();
    let stored = serde_json::to_value(&account).unwrap();
    let known = &stored["recent_messages"][0];
    let known = ["id", "type", "source", "actor"].map(|field| known[field].clone());
    let officer = json!({ "kind": "officer", "id": "o-7" });
    assert_eq!(known, [json!("E-1"), json!("account_opened"), json!("desk"), officer]);
    assert_eq!(serde_json::from_value::<Account>(stored).unwrap(), account);
    account.check_bounds().unwrap();
    let differs = Refusal::MessageDiffers("E-1".parse().unwrap());
    assert_eq!(account.take(&added("desk", "E-1", 1, 11)), Err(differs), "its id is taken");
    assert!(matches!(account.take(&added("desk", "E-2", -1, 11)), Err(Refusal::OutOfOrder { .. })));
    assert_eq!(account.take(&added("core", "E-1", -1, 11)), Ok(Applied::Changed));
}

#[test]
fn an_account_opened_by_a_message_without_a_sender_bears_only_what_its_history_is_told() {
    let (contract, message) = opening("core", "E-1");
    let account = Account::open_by(&contract, &message).unwrap();
    let mut stored = serde_json::to_value(&account).unwrap();
    let told = stored.as_object_mut().unwrap().remove("last_command").unwrap();
    assert_eq!([&told["id"], &told["type"]], [&json!("E-1"), &json!("account_opened")], "{told}");
    assert_eq!(stored, serde_json::to_value(Account::open(&contract).unwrap()).unwrap());
}

fn origin(number: usize) -> Origin {
    Origin {
        event_id: Some(format!("E-{number}").parse().unwrap()),
        source: "desk".parse().unwrap(),
        actor: Some(Actor { kind: ActorKind::Officer, id: "o-7".parse().unwrap() }),
        sender_id: None,
    }
}

#[test]
fn a_payment_and_its_reversal_keep_their_own_origins_and_without_one_they_are_stored_as_before() {
    let paid = command("payment_received", r#""payment_id":"P-1","amount":"1.00""#);
    let reversed = command("payment_reversed", r#""payment_id":"P-1""#);
    let (mut account, mut bare) = (account(), account());
    for (number, command) in [&paid, &reversed].into_iter().enumerate() {
        let at = instant(NOON);
        assert_eq!(account.apply_from(command, at, Some(origin(number))), Ok(Applied::Changed));
        assert_eq!(
            account.apply_from(command, at, Some(origin(9))),
            Ok(Applied::Unchanged),
            "the first stays"
        );
        bare.apply_from(command, at, None).unwrap();
    }
    let payment = &account.payments()[0];
    assert_eq!(payment.origin, Some(origin(0)));
    assert_eq!(payment.reversals[0].origin, Some(origin(1)));
    let stored = serde_json::to_value(&account).unwrap();
    assert_eq!(stored["payments"][0]["origin"]["id"], "E-0");
    assert_eq!(serde_json::from_value::<Account>(stored).unwrap(), account);
    let payment = &serde_json::to_value(&bare).unwrap()["payments"][0];
    assert_eq!((payment.get("origin"), payment["reversed"].get("origin")), (None, None));
    let mut before = four_installments().account;
    before.apply(&paid, instant(NOON)).unwrap();
    before.apply(&reversed, instant(NOON)).unwrap();
    assert_eq!(bare, before);
}

#[test]
fn an_account_keeps_so_many_origins_and_the_latest() {
    let mut account = account();
    for number in 0..MAX_ORIGINS + 3 {
        let fields = format!(r#""payment_id":"P-{number}","amount":"0.01""#);
        let at = instant(NOON) + TimeDelta::seconds(i64::try_from(number).unwrap());
        account.apply_from(&command("payment_received", &fields), at, Some(origin(number))).unwrap();
    }
    let known: Vec<bool> = account.payments().iter().map(|payment| payment.origin.is_some()).collect();
    assert_eq!(known.iter().position(|known| *known), Some(3));
    assert!(known[3..].iter().all(|known| *known));
    account.check_bounds().unwrap();
}

#[test]
fn a_message_with_a_sender_is_stored_with_it_and_differs_from_one_of_another_actor() {
    let mut account = account();
    let officer = |id: &str| Actor { kind: ActorKind::Officer, id: id.parse().unwrap() };
    let message = InboundMessage { actor: officer("o-7"), ..added("desk", "E-1", 0, 11) };
    account.take(&message).unwrap();
    let stored: Value = serde_json::to_value(&account).unwrap();
    let entry = &stored["recent_messages"][0];
    assert_eq!(
        (&entry["source"], &entry["actor"], &entry["type"]),
        (&json!("desk"), &json!({ "kind": "officer", "id": "o-7" }), &json!("installment_added"))
    );
    let mut earlier = stored.clone();
    earlier["recent_messages"][0].as_object_mut().unwrap().remove("type");
    let earlier: Account = serde_json::from_value(earlier).unwrap();
    assert_eq!(earlier.recent_messages()[0].command_type, None, "stored before types were");
    assert_eq!(account.take(&message), Ok(Applied::Unchanged));
    let other = InboundMessage { actor: officer("o-8"), ..message };
    assert_eq!(account.take(&other), Err(Refusal::MessageDiffers("E-1".parse().unwrap())));
}

fn profile() -> ContactProfile {
    ContactProfile::new("C-1".parse().unwrap())
}

fn point(source: &str, id: &str, seconds: i64, has_point: bool) -> InboundMessage {
    let point = if has_point { r#""contact_point":"+8613800138000","# } else { "" };
    let fields = format!(r#""channel":"sms",{point}"changed_by":"x""#);
    message(source, id, seconds, "contact_changed", &fields)
}

#[test]
fn a_contact_point_follows_each_source_in_its_order_and_the_sources_as_they_arrive() {
    let mut profile = profile();
    let has_point =
        |profile: &ContactProfile| profile.channel(Channel::Sms).unwrap().has_point.clone().unwrap().value;
    profile.take(&point("desk", "E-1", 1, true)).unwrap();
    assert_eq!(profile.take(&point("core", "E-2", 0, false)), Ok(Applied::Changed));
    assert!(!has_point(&profile));
    for again in
        [point("desk", "E-1", 1, true), point("core", "E-2", 0, false), point("core", "E-0", -9, true)]
    {
        assert_eq!(profile.take(&again), Ok(Applied::Unchanged));
    }
    assert_eq!(profile.take(&point("desk", "E-3", 2, true)), Ok(Applied::Changed));
    assert!(has_point(&profile));
}

#[test]
fn a_contact_point_takes_messages_of_so_many_sources_and_of_no_more() {
    let mut profile = profile();
    for number in 0..MAX_SOURCES {
        profile.take(&point(&format!("system-{number}"), "E-1", 0, true)).unwrap();
    }
    let before = profile.clone();
    assert_eq!(profile.take(&point("one-more", "E-1", 0, true)), Err(Refusal::TooManySources));
    assert_eq!(profile, before);
}

#[test]
fn an_older_consent_of_another_source_revokes_no_opt_out() {
    let mut profile = profile();
    let consent = |source, id, seconds, consent: &str| {
        let fields = format!(r#""channel":"sms","consent":"{consent}","by":"the customer""#);
        message(source, id, seconds, "consent_changed", &fields)
    };
    profile.take(&consent("desk", "E-1", 1, "withdrawn")).unwrap();
    assert_eq!(profile.take(&consent("core", "E-2", 0, "given")), Ok(Applied::Unchanged));
    assert!(profile.unusable(Channel::Sms).is_some());
}

/// Messages of three sources, each with its instant, in the order in which each source sends them.
fn sent() -> impl Strategy<Value = Vec<(usize, i64)>> {
    proptest::collection::vec((0_usize..3, -3_i64..20), 1..30)
}

fn messages(sent: &[(usize, i64)]) -> Vec<InboundMessage> {
    let sources = ["core", "desk", "collections"];
    let one = |(place, (source, at)): (usize, &(usize, i64))| {
        added(sources[*source], &format!("E-{place}"), *at, 100 + place)
    };
    sent.iter().enumerate().map(one).collect()
}

/// The messages that are out of order, by source and id.
fn refused(messages: &[InboundMessage]) -> BTreeSet<(String, String)> {
    let mut account = account();
    let name = |message: &InboundMessage| (message.source.to_string(), message.event_id.to_string());
    let refused = messages.iter().filter(|one| matches!(account.take(one), Err(Refusal::OutOfOrder { .. })));
    refused.map(name).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the messages of several sources interleave, the same ones are out of order, and they are those
    /// that their own source sent after a later one.
    #[test]
    fn the_interleaving_of_sources_changes_no_refusal_for_order(
        sent in sent(),
        turns in proptest::collection::vec(0_usize..3, 0..60),
    ) {
        let messages = messages(&sent);
        let mut last = [i64::MIN; 3];
        let mut expected = BTreeSet::new();
        for ((source, at), message) in sent.iter().zip(&messages) {
            if *at < last[*source] {
                expected.insert((message.source.to_string(), message.event_id.to_string()));
            }
            last[*source] = last[*source].max(*at);
        }
        prop_assert_eq!(&refused(&messages), &expected);
        let mut waiting = [Vec::new(), Vec::new(), Vec::new()];
        for ((source, _), message) in sent.iter().zip(messages).rev() {
            waiting[*source].push(message);
        }
        let mut interleaved = Vec::new();
        for turn in turns.into_iter().chain((0..3).cycle().take(3 * sent.len())) {
            interleaved.extend(waiting[turn].pop());
        }
        prop_assert_eq!(interleaved.len(), sent.len());
        prop_assert_eq!(refused(&interleaved), expected);
    }

    /// A message that is sent again, at once or after messages of other sources, changes nothing.
    #[test]
    fn repetition_per_source_changes_nothing(sent in sent(), again in proptest::collection::vec(0_usize..40, 0..40)) {
        let messages = messages(&sent);
        let (mut once, mut repeated) = (account(), account());
        for (place, message) in messages.iter().enumerate() {
            let first = once.take(message);
            prop_assert_eq!(repeated.take(message), first);
            for earlier in again.iter().filter_map(|back| messages.get(place.checked_sub(*back)?)) {
                let before = repeated.clone();
                let taken = repeated.take(earlier);
                let is_known = matches!(taken, Ok(Applied::Unchanged) | Err(Refusal::OutOfOrder { .. }));
                prop_assert!(is_known, "{:?}", taken);
                prop_assert_eq!(&repeated, &before);
            }
        }
        prop_assert_eq!(repeated, once);
    }
}
