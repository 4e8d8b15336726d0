//! The event of both stream functions, read as their handlers read it.

#![no_main]

use aws_lambda_events::dynamodb::EventRecord;
use duewatch_domain::Trigger;
use duewatch_fuzz::{POLICIES, check_allocation, check_fault, check_item, judge, sample_account};
use duewatch_runtime::{RawStreamEvent, read_record};
use duewatch_store::{PaymentFact, account_from_image};
use libfuzzer_sys::fuzz_target;
use serde_dynamo::{AttributeValue, Item};

fuzz_target!(|text: &str| {
    let Ok(event) = serde_json::from_str::<RawStreamEvent>(text) else { return };
    for payload in &event.records {
        match read_record(payload) {
            Ok(record) => take(record),
            Err(fault) => check_fault(&fault),
        }
    }
});

fn take(record: EventRecord) {
    post(record.change.new_image.clone());
    match account_from_image(record.change.new_image) {
        Ok(account) => check_item(&account),
        Err(fault) => check_fault(&fault),
    }
}

/// Posts the payment that an image states to its account.
fn post(image: Item) {
    let with_more = with_attributes_of_others(image.clone());
    let read = PaymentFact::from_image(image);
    if let Ok(fact) = &read {
        assert_eq!(PaymentFact::from_image(with_more).as_ref(), Ok(fact), "attributes of others are ignored");
    }
    let fact = match read {
        Ok(fact) => fact,
        Err(fault) => return check_fault(&fault),
    };
    // An id that is stored already may be one that a portfolio file could not introduce any more.
    let mut account = sample_account("A-1", "America/Sao_Paulo");
    account.account_id = fact.account_id.clone();
    let before = account.clone();
    let now = fact.reversed_at.map_or(fact.received_at, |at| at.max(fact.received_at));
    match fact.post_to(&mut account, now) {
        Ok(_) => check_allocation(&account),
        Err(refusal) => {
            check_fault(&refusal);
            assert_eq!(account, before, "{refusal}");
        }
    }
    for policy in &*POLICIES {
        let mut account = account.clone();
        judge(&mut account, policy, now, Trigger::Fact);
        check_item(&account);
    }
}

/// A payment system may add attributes of its own.
fn with_attributes_of_others(mut image: Item) -> Item {
    let others = [
        ("their_checksum", AttributeValue::B(vec![0, 159])),
        ("their_tags", AttributeValue::Ss(vec!["a".to_owned()])),
        ("their_scores", AttributeValue::Ns(vec!["1e120".to_owned()])),
        ("their_parts", AttributeValue::Bs(vec![vec![255]])),
        ("their_number", AttributeValue::N("9.9999999999999999999999999999999999999E+125".to_owned())),
        ("their_note", AttributeValue::Null(true)),
    ];
    for (name, value) in others {
        let inner: &mut std::collections::HashMap<_, _> = image.as_mut();
        inner.entry(name.to_owned()).or_insert(value);
    }
    image
}
