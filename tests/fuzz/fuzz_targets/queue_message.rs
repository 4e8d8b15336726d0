//! The event of both queue functions: each body is read as the handlers read it, and a valid message is taken
//! twice by an account.

#![no_main]

use aws_lambda_events::sqs::SqsEvent;
use chrono::{DateTime, Utc};
use detect_overdue::ShardMessage;
use duewatch_domain::formats::{message_line, parse_message};
use duewatch_domain::{Account, Applied, InboundMessage, Refusal, Trigger};
use duewatch_fuzz::{POLICIES, check_allocation, check_fault, check_item, judge, sample_account};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(event) = serde_json::from_str::<SqsEvent>(text) else { return };
    let mut account = sample_account("A-1", "America/Havana");
    let mut now = DateTime::<Utc>::MIN_UTC;
    for sent in &event.records {
        let body = sent.body.as_deref().unwrap_or_default();
        if let Err(fault) = ShardMessage::parse(body) {
            check_fault(&fault);
        }
        match parse_message(body) {
            Err(fault) => check_fault(&fault),
            Ok(message) => {
                let line = message_line(&message);
                assert_eq!(parse_message(&line).as_ref(), Ok(&message), "{line}");
                now = now.max(message.event.at);
                take(&mut account, &message, now);
            }
        }
    }
    check_item(&account);
});

fn take(account: &mut Account, message: &InboundMessage, now: DateTime<Utc>) {
    let before = account.clone();
    match account.take(message) {
        Err(refusal) => {
            check_fault(&refusal);
            assert_eq!(*account, before, "{refusal}");
        }
        Ok(applied) => {
            check_allocation(account);
            let once = account.clone();
            match account.take(message) {
                Ok(Applied::Unchanged) => {}
                // A message without effect is not recorded, so that its repetition counts as the first.
                again => assert!(
                    applied == Applied::Unchanged || matches!(again, Err(Refusal::OutOfOrder { .. })),
                    "{again:?}"
                ),
            }
            assert_eq!(*account, once);
        }
    }
    judge(account, &POLICIES[0], now, Trigger::Fact);
}
