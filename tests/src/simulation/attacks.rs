//! The attacks of a run, and the hard luck that a month rarely brings by itself: facts of people who may write a
//! table, send a message or call a function, and who should not; erasures; versions in quick succession; accounts of
//! one customer that fall behind on the same day.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::commands::{
    Command, Consent, ConsentChanged, ContactFact, Contract, EnforcementOff, FeeWaived, WrittenOff,
};
use duewatch_domain::kernel::start_of_day;
use duewatch_domain::policy::Channel;
use fastrand::Rng;
use serde_json::{Value, json};

use super::fault::OutageKind;
use super::plan::{DAYS, Deed, PlannedDeed, SimulationPlan, moment, payment_item, plus, poison};

/// The seeds between these two know no attacks: what they found once they find again.
const WITHOUT_ATTACKS: std::ops::Range<u64> = 100_000..10_000_000;
/// Keeps the attacks of a seed apart from the rest of its plan.
const APART: u64 = 0xa77a_c4ed;

/// The senders of the queue, as the template's map knows them. Every other message comes from `local`.
pub(super) const SENDERS: &str = r#"{
    "local": { "source": "core" },
    "AROACONTACTS": { "source": "contacts", "may_send": ["consent_changed"] }
}"#;
/// A system that may send consents and nothing else, and a sender that no map knows.
const CONTACTS: &str = "AROACONTACTS:crm";
const STRANGER: &str = "AROASTRANGER:x";

/// How an attacker changes the history of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewriting {
    /// Another text in an entry, and every hash from there on made anew.
    Amend,
    /// The newest entries removed.
    Cut,
    /// The same as [`Amend`](Self::Amend), with every anchor removed, so that the function signs the rest anew.
    SignAnew,
}

/// Adds the attacks of a seed to its plan. They are drawn apart, so that the rest of the plan stays as it is.
pub(super) fn attack(plan: &mut SimulationPlan) {
    if WITHOUT_ATTACKS.contains(&plan.seed) {
        return;
    }
    let mut rng = Rng::with_seed(plan.seed ^ APART);
    let from = plan.begin.date_naive();
    if rng.u8(..6) == 0 {
        fall_behind_together(&mut rng, plan, from);
    }
    if rng.u8(..6) == 0 {
        unpostable(&mut rng, plan, from);
    }
    for place in 0..plan.book.len() {
        money(&mut rng, plan, place, from);
        if rng.u8(..2) == 0 {
            message(&mut rng, plan, place, from);
        }
    }
    if rng.u8(..3) == 0 {
        versions(&mut rng, plan, from);
    }
    if rng.u8(..5) == 0 {
        history(&mut rng, plan);
    }
    for _ in 0..rng.u8(..3) {
        plan.outages.push(OutageKind::disabled(&mut rng, plan.begin, plan.end));
    }
    if rng.u8(..5) == 0 {
        let place = rng.usize(..plan.book.len());
        let at = moment(&mut rng, &plan.book[place], from);
        add(plan, at, Some(place), Deed::Erase);
    }
}

fn add(plan: &mut SimulationPlan, at: DateTime<Utc>, account: Option<usize>, deed: Deed) {
    let at = at.clamp(plan.begin, plan.end);
    plan.happenings.push(PlannedDeed { number: 0, at, account, deed });
}

/// Makes all accounts one customer's, under one policy that restricts the others, and due on two dates. Each is paid,
/// or late by so much, around the instants at which they restrict each other.
fn fall_behind_together(rng: &mut Rng, plan: &mut SimulationPlan, from: NaiveDate) {
    let policy = ["graceful", "amounts", "noticing"][rng.usize(..3)];
    let first = plus(from, rng.i64(-8..6));
    let zone = plan.book[0].time_zone;
    for (place, contract) in plan.book.iter_mut().enumerate() {
        contract.customer_id = "C-0".parse().unwrap();
        contract.policy_id = policy.parse().unwrap();
        contract.time_zone = zone;
        let late = i64::try_from(place % 2).unwrap_or_default();
        for (number, installment) in (0_i64..).zip(&mut contract.installments) {
            installment.due_on = plus(first, late + 30 * number);
        }
        contract.opened_on = plus(first, -30);
    }
    for place in 0..plan.book.len() {
        for (number, days) in [3, 5, 7, 9, 11, 14].into_iter().enumerate() {
            if rng.u8(..3) > 0 {
                continue;
            }
            let at = start_of_day(zone, plus(first, days)) + TimeDelta::milliseconds(rng.i64(0..4_000));
            let item = payment_item(rng, &plan.book[place], &format!("T-{place}-{number}"), at);
            add(plan, at, Some(place), Deed::Pay(item));
        }
    }
}

/// Payments that nobody made, and an item that is taken out of the payments table.
fn money(rng: &mut Rng, plan: &mut SimulationPlan, place: usize, from: NaiveDate) {
    let contract = plan.book[place].clone();
    let at = moment(rng, &contract, from);
    let forged = forged(rng, &contract, &format!("F-{place}"), at);
    match rng.u8(..8) {
        0 | 1 => add(plan, at, Some(place), Deed::Forge(forged)),
        2 => add(plan, at, Some(place), Deed::Requeue(forged)),
        3 | 4 => {
            let payment_id = format!("G-{place}");
            let item = payment_item(rng, &contract, &payment_id, at);
            add(plan, at, Some(place), Deed::Pay(item));
            let later = at + TimeDelta::seconds([1, 60, 7_200, 86_400][rng.usize(..4)]);
            add(plan, later, Some(place), Deed::Remove { payment_id });
        }
        _ => {}
    }
}

/// Money that cannot be posted, before a stage begins, so that it has a restriction to keep back. Late in the month, for
/// the account is evaluated each hour from then on.
fn unpostable(rng: &mut Rng, plan: &mut SimulationPlan, from: NaiveDate) {
    let place = rng.usize(..plan.book.len());
    let contract = plan.book[place].clone();
    let days = rng.i64(14..24);
    let due = contract.installments.iter().map(|one| one.due_on).filter(|due| *due <= plus(from, days));
    let Some(due) = due.max() else { return };
    let at = start_of_day(contract.time_zone, plus(due, rng.i64(0..4)));
    let item = poison(rng, &contract, place + 100, at);
    // The model does not know yet how such a hold and a pause meet a notice that is owed.
    if contract.policy_id.as_str() != "noticing" {
        add(plan, at, Some(place), Deed::Poison(item));
    }
}

/// A record of a payment that the table never held.
fn forged(rng: &mut Rng, contract: &Contract, payment_id: &str, at: DateTime<Utc>) -> Value {
    let item = payment_item(rng, contract, payment_id, at);
    let text = |name: &str| json!({ "S": item[name] });
    json!({
        "eventID": format!("forged-{payment_id}"), "eventName": "INSERT", "eventVersion": "1.1",
        "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": at.timestamp(), "SequenceNumber": "1", "SizeBytes": 100,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            "Keys": { "account_id": text("account_id"), "payment_id": text("payment_id") },
            "NewImage": {
                "account_id": text("account_id"), "payment_id": text("payment_id"),
                "amount": text("amount"), "kind": text("kind"), "received_at": text("received_at"),
            },
        },
    })
}

/// A command of a sender that may not send it, or that may.
fn message(rng: &mut Rng, plan: &mut SimulationPlan, place: usize, from: NaiveDate) {
    let at = moment(rng, &plan.book[place], from);
    let reason = || "simulated".to_owned();
    let consent = [Consent::Withdrawn, Consent::Given][rng.usize(..2)];
    let channel = Some([Channel::Sms, Channel::App, Channel::Email][rng.usize(..3)]);
    let (sender, command) = match rng.u8(..6) {
        0 => (CONTACTS, Command::WrittenOff(WrittenOff { number: None, reason: reason() })),
        1 => (CONTACTS, Command::EnforcementOff(EnforcementOff { reason: reason() })),
        2 => (STRANGER, Command::FeeWaived(FeeWaived { number: None, amount: None, reason: reason() })),
        3 => (STRANGER, Command::WrittenOff(WrittenOff { number: None, reason: reason() })),
        _ => {
            let by = "simulated".to_owned();
            (CONTACTS, Command::Contact(ContactFact::Consent(ConsentChanged { channel, consent, by })))
        }
    };
    add(plan, at, Some(place), Deed::SentBy(sender, Box::new(command)));
}

/// Publishes the later versions of the policy that announces its stricter ones, in quick succession: the second one
/// once more under another number, without its announcement, and a stricter one.
fn versions(rng: &mut Rng, plan: &mut SimulationPlan, from: NaiveDate) {
    let Some(policy) = plan.policies.iter().position(|(id, _)| *id == "noticing") else { return };
    let second = plan.happenings.iter().find_map(|one| match one.deed {
        Deed::Publish(place, 1) if place == policy => Some(one.at),
        _ => None,
    });
    let mut at = second.unwrap_or_else(|| {
        let at = start_of_day(plan.book[0].time_zone, plus(from, rng.i64(0..15))) + TimeDelta::hours(9);
        add(plan, at, None, Deed::Publish(policy, 1));
        at
    });
    for version in 2..plan.policies[policy].1.len() {
        at += TimeDelta::minutes([2, 90, 1_440, 4_000][rng.usize(..4)]);
        add(plan, at, None, Deed::Publish(policy, version));
        if rng.u8(..3) == 0 {
            return;
        }
    }
}

/// Anchors the last days of the month, and sometimes an attacker changes a history that is anchored.
fn history(rng: &mut Rng, plan: &mut SimulationPlan) {
    let first = i64::from(DAYS) - rng.i64(5..9);
    let begins = plan.begin + TimeDelta::days(first) + TimeDelta::hours(6);
    plan.anchored_from = Some(begins);
    if rng.u8(..3) == 0 {
        let place = rng.usize(..plan.book.len());
        let at = begins + TimeDelta::minutes(rng.i64(60..5 * 24 * 60));
        let kind = [Rewriting::Amend, Rewriting::Cut, Rewriting::SignAnew][rng.usize(..3)];
        add(plan, at, Some(place), Deed::Rewrite(kind));
    }
}

/// Whether a sender may send a command.
pub(super) fn may_send(sender: &str, command: &Command) -> bool {
    sender == CONTACTS && command.name() == "consent_changed"
}
