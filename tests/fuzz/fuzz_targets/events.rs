//! Lines of events that reach an account one after another.

#![no_main]

use chrono::{DateTime, Utc};
use duewatch_domain::commands::event_line;
use duewatch_domain::formats::parse_event_line;
use duewatch_domain::{Account, Command, Event, Policy, Trigger};
use duewatch_fuzz::{POLICIES, check_allocation, check_fault, check_item, follow, judge, sample_account};
use libfuzzer_sys::fuzz_target;

/// The most events of one input.
const MAX_EVENTS: usize = 50;

fuzz_target!(|text: &str| {
    let mut events = Vec::new();
    for line in text.lines().take(MAX_EVENTS) {
        match parse_event_line(line) {
            Ok(event) => events.push(event),
            Err(fault) => check_fault(&fault),
        }
    }
    for event in &events {
        let line = event_line(event);
        assert_eq!(parse_event_line(&line).as_ref(), Ok(event), "{line}");
    }
    let account = opened(&events);
    for policy in &*POLICIES {
        live(account.clone(), &events, policy);
    }
});

/// An account under the first event's terms, if that event opens one.
fn opened(events: &[Event]) -> Account {
    match events.first().map(|event| &event.command) {
        Some(Command::AccountOpened(opened)) => {
            Account::open(&opened.account).expect("what parses can be opened")
        }
        _ => sample_account("A-1", "America/Havana"),
    }
}

fn live(mut account: Account, events: &[Event], policy: &Policy) {
    let mut now = DateTime::<Utc>::MIN_UTC;
    for event in events {
        let before = account.clone();
        match account.apply(&event.command, event.at) {
            Ok(_) => check_allocation(&account),
            Err(refusal) => {
                check_fault(&refusal);
                assert_eq!(account, before, "{refusal}");
            }
        }
        now = now.max(event.at);
        judge(&mut account, policy, now, Trigger::Fact);
    }
    check_item(&account);
    if !events.is_empty() {
        follow(&mut account, policy, now);
        check_item(&account);
    }
}
