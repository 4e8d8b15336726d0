//! Messages of the lender's systems: each once, in order, however often they are sent.

use chrono::TimeDelta;
use duewatch_domain::formats::{FormatError, message_line, parse_message};
use duewatch_domain::kernel::{MAX_MESSAGES, RECENT_MESSAGES};
use duewatch_domain::{Account, Applied, Event, InboundMessage, Refusal};
use proptest::prelude::*;

use crate::common::{command, four_installments, instant};

const BEGIN: &str = "2023-10-05T01:00:00Z";

fn message(id: &str, minutes: i64, kind: &str, fields: &str) -> InboundMessage {
    let event = Event {
        at: instant(BEGIN) + TimeDelta::minutes(minutes),
        account_id: "A-1".parse().unwrap(),
        command: command(kind, fields),
    };
    InboundMessage::of_core(id.parse().unwrap(), event)
}

fn added(id: &str, minutes: i64, number: usize) -> InboundMessage {
    let fields = format!(r#""installment":{{"number":{number},"due_on":"2024-06-01","principal":"1.00"}}"#);
    message(id, minutes, "installment_added", &fields)
}

fn account() -> Account {
    four_installments().account
}

#[test]
fn a_message_that_comes_twice_is_taken_once() {
    let mut account = account();
    let lowered =
        message("E-1", 0, "installment_adjusted", r#""number":1,"amount":"5.00","reason":"agreed""#);
    assert_eq!(account.take(&lowered), Ok(Applied::Changed));
    let once = account.clone();
    assert_eq!(account.take(&lowered), Ok(Applied::Unchanged));
    assert_eq!(account, once);
}

#[test]
fn an_id_that_came_before_with_something_else_is_refused() {
    let mut account = account();
    account.take(&added("E-1", 0, 11)).unwrap();
    let before = account.clone();
    for other in [added("E-1", 0, 12), added("E-1", 1, 11)] {
        assert_eq!(account.take(&other), Err(Refusal::MessageDiffers("E-1".parse().unwrap())));
    }
    assert_eq!(account, before);
}

#[test]
fn what_is_older_than_the_last_one_taken_is_out_of_order() {
    let mut account = account();
    account.take(&added("E-2", 10, 12)).unwrap();
    let before = account.clone();
    let late = added("E-1", 9, 11);
    let expected = Refusal::OutOfOrder { at: late.event.at, last: instant(BEGIN) + TimeDelta::minutes(10) };
    assert_eq!(account.take(&late), Err(expected));
    assert_eq!(account, before);
    assert_eq!(account.take(&added("E-3", 10, 13)), Ok(Applied::Changed), "of the same instant");
}

#[test]
fn what_changes_nothing_is_not_kept() {
    let mut account = account();
    let on = message("E-1", 0, "enforcement_on", r#""reason":"it never was off""#);
    assert_eq!(account.take(&on), Ok(Applied::Unchanged));
    assert!(account.recent_messages().is_empty());
}

#[test]
fn what_an_account_keeps_of_its_messages_is_bounded() {
    let mut account = account();
    for number in 0..20 {
        account.take(&added(&format!("E-{number}"), i64::try_from(number).unwrap(), 100 + number)).unwrap();
    }
    assert_eq!(account.recent_messages().len(), RECENT_MESSAGES);
    // A forgotten message is out of order; it is never taken again.
    assert!(matches!(account.take(&added("E-3", 3, 103)), Err(Refusal::OutOfOrder { .. })));
}

#[test]
fn a_whole_file_of_one_instant_is_taken_up_to_a_bound() {
    let mut account = account();
    account.take(&added("E-before", -1, 99)).unwrap();
    for number in 0..MAX_MESSAGES {
        let message = added(&format!("E-{number}"), 0, 100 + number);
        assert_eq!(account.take(&message), Ok(Applied::Changed));
        assert_eq!(account.take(&message), Ok(Applied::Unchanged));
    }
    assert_eq!(account.take(&added("E-0", 0, 100)), Ok(Applied::Unchanged), "the first is still known");
    assert_eq!(account.take(&added("E-64", 0, 164)), Err(Refusal::TooManyMessages));
    account.check_bounds().unwrap();
    account.take(&added("E-later", 1, 199)).unwrap();
    assert_eq!(account.recent_messages().len(), RECENT_MESSAGES);
}

#[test]
fn a_message_is_an_event_with_an_id() {
    let body = r#"{"event_id":"E-1","at":"2023-10-05T09:00:00+08:00","type":"enforcement_off","account_id":"A-1","reason":"court"}"#;
    let read = parse_message(body).unwrap();
    assert_eq!(read, message("E-1", 0, "enforcement_off", r#""reason":"court""#));
    assert_eq!(parse_message(&message_line(&read)), Ok(read));
    let without = body.replace(r#""event_id":"E-1","#, "");
    assert_eq!(parse_message(&without), Err(FormatError::new("", "missing field `event_id`")));
    let empty = body.replace("E-1", "");
    assert_eq!(parse_message(&empty).unwrap_err().field, "event_id");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each message may be sent again any number of times, at once or later: the result is that of one.
    #[test]
    fn messages_sent_again_change_nothing(
        // Minutes since the message before, and the numbers of later messages after which it is sent again.
        plan in proptest::collection::vec((0_i64..3, proptest::collection::vec(0_usize..12, 0..3)), 1..25),
    ) {
        let mut at = 0;
        let mut sends: Vec<(usize, InboundMessage)> = Vec::new();
        let mut once = account();
        for (place, (minutes, again)) in plan.iter().enumerate() {
            at += minutes;
            let message = added(&format!("E-{place}"), at, 100 + place);
            once.take(&message).unwrap();
            sends.push((place * 2, message.clone()));
            sends.extend(again.iter().map(|later| ((place + later) * 2 + 1, message.clone())));
        }
        sends.sort_by_key(|(when, _)| *when);
        let mut account = account();
        let mut seen = std::collections::BTreeSet::new();
        for (_, message) in &sends {
            let taken = account.take(message);
            if seen.insert(message.event_id.clone()) {
                prop_assert_eq!(taken, Ok(Applied::Changed));
            } else {
                prop_assert!(
                    matches!(taken, Ok(Applied::Unchanged) | Err(Refusal::OutOfOrder { .. })),
                    "{:?}", taken
                );
            }
        }
        prop_assert_eq!(account, once);
    }
}
