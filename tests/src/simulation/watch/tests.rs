//! The checks themselves, on figures worked out by hand.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::commands::Contract;
use duewatch_domain::{Account, policy};
use serde_json::{Value, json};

use super::at_rest::Records;
use super::{SeenMessage, Story, Watch};
use crate::model::Model;
use crate::simulation::SimulationPlan;

/// 10:00, and so many minutes.
fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_042_400, 0).unwrap() + TimeDelta::minutes(minutes)
}

fn contract() -> Contract {
    SimulationPlan::of(1).book[0].clone()
}

/// A version of the contract's policy.
fn version(contract: &Contract, version: u32) -> policy::Policy {
    let text = format!(
        "id = \"{}\"\nversion = {version}\neffective_on = 2010-01-01\n\
         stages = [{{ name = \"late\", when = {{ delinquent_days = 1 }} }}]",
        contract.policy_id
    );
    policy::parse(&text).unwrap()
}

#[test]
fn a_version_binds_at_once_and_its_readers_may_know_the_one_before_for_ten_minutes() {
    let contract = contract();
    let mut watch = Watch::default();
    watch.published_policy(version(&contract, 1), at(-600));
    watch.published_policy(version(&contract, 2), at(0));
    let (account, model) = (Account::open(&contract).unwrap(), Model::open(&contract));
    for (minutes, versions) in [(-1, &[1][..]), (0, &[1, 2]), (9, &[1, 2]), (10, &[2]), (600, &[2])] {
        let binding = watch.binding_at(&account, &model, at(minutes), at(minutes));
        let binding: Vec<u32> = binding.iter().map(|policy| policy.version).collect();
        assert_eq!(binding, versions, "{minutes} minutes after it was published");
    }
}

fn receipt(minutes: i64, outcome: &str) -> Value {
    json!({ "message_id": "A-1/4/sms", "at": at(minutes).to_rfc3339(), "outcome": outcome })
}

fn item(pk: &str, sk: &str, attributes: &[(&str, String)]) -> Value {
    let keys = [("pk", pk.to_owned()), ("sk", sk.to_owned())];
    let all = keys.iter().chain(attributes);
    all.map(|(name, text)| ((*name).to_owned(), json!({ "S": text })))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A message on `email` with the receipts that are noted with it.
fn message(receipts: &[Value]) -> Value {
    let known = json!({ "customer_id": "C-1", "channel": "email", "contacts": [], "receipts": receipts });
    item("message#A-1/4/sms", "message", &[("message", known.to_string())])
}

fn quarantined(receipt: &Value) -> Value {
    let attributes = [
        ("source", record_delivery::NAME.to_owned()),
        ("id", "r-2".to_owned()),
        ("payload", receipt.to_string()),
    ];
    item("quarantine#2023-11-15", "r-2", &attributes)
}

/// The borrower has opted out of `email`, as was reported at that minute.
fn opted_out(minutes: i64) -> Watch {
    let by = json!({ "at": at(minutes), "event_id": "A-1/4/sms" });
    let channels = json!({ "email": { "consent": { "value": "withdrawn", "by": by } } });
    let person = json!({ "customer_id": "C-1", "channels": channels, "revision": 1 });
    let mut watch = Watch::default();
    watch.profile_read("C-1", &[item("customer#C-1", "person", &[("person", person.to_string())])]).unwrap();
    watch
}

#[test]
fn an_opt_out_that_was_quarantined_is_accounted_for_beside_an_earlier_one_that_was_noted() {
    let (first, second) = (receipt(0, "opted_out"), receipt(21, "opted_out"));
    let records = Records::read(&[message(std::slice::from_ref(&first)), quarantined(&second)]);
    let watch = opted_out(0);
    for receipt in [first, second] {
        watch.check_receipt(&receipt.to_string(), &records).unwrap();
    }
}

#[test]
fn an_opt_out_that_was_noted_must_be_in_force() {
    let (first, second) = (receipt(0, "opted_out"), receipt(21, "opted_out"));
    let records = Records::read(&[message(&[first, second.clone()])]);
    assert_eq!(
        opted_out(0).check_receipt(&second.to_string(), &records).unwrap_err().promise,
        "an opt-out holds"
    );
    opted_out(21).check_receipt(&second.to_string(), &records).unwrap();
}

#[test]
fn a_receipt_is_not_known_because_another_one_says_the_same() {
    let (first, second) = (receipt(0, "delivered"), receipt(21, "delivered"));
    let records = Records::read(&[message(&[first])]);
    let broken = Watch::default().check_receipt(&second.to_string(), &records).unwrap_err();
    assert_eq!(broken.promise, "nothing is dropped");
}

/// A contact about the account that is looked at next at that minute.
fn planned(contract: &Contract, minutes: i64, waits_for: Option<Value>) -> Value {
    let mut planned = json!({ "account_id": contract.account_id, "look_at": at(minutes) });
    planned["waits_for"] = waits_for.unwrap_or_default();
    planned
}

/// The account's item is of this release or of a newer one, and `send-reminders` has rung about it
/// or has not.
fn watch_of(contract: &Contract, newer: bool, has_rung: bool) -> Watch {
    let mut watch = Watch::default();
    let story = Story {
        contract: contract.clone(),
        versions: Vec::new(),
        newer,
        quarantined: false,
        taken: BTreeMap::new(),
    };
    watch.stories.insert(contract.account_id.to_string(), story);
    if has_rung {
        let id = format!("send-reminders/message_held/{}", contract.account_id);
        watch.sent.insert(id, SeenMessage { topic: "tickets".to_owned(), body: Value::Null });
    }
    watch
}

#[test]
fn a_contact_waits_for_the_gate_or_for_the_release_that_can_read_its_account() {
    let contract = contract();
    let gate = || Some(json!({ "quiet_hours": {} }));
    for (newer, has_rung, minutes, waits_for, holds) in [
        (false, false, 60, gate(), true),
        (false, false, 0, gate(), false),
        (false, false, 60, None, false),
        (false, true, 60, None, false),
        (true, true, 60, None, true),
        (true, true, 0, None, true),
        (true, true, -5, None, false),
        (true, false, 60, None, false),
        (true, false, 60, gate(), true),
    ] {
        let planned = planned(&contract, minutes, waits_for);
        let checked = watch_of(&contract, newer, has_rung).check_waiting("A-0/5/letter", &planned, at(0));
        assert_eq!(checked.is_ok(), holds, "newer: {newer}, rung: {has_rung}, {planned}");
    }
}
