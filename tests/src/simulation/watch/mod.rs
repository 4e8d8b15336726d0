//! Checks every served request, write and message against the promises. The naive model of the rules is the
//! only judge of the amounts and messages due.

mod at_rest;
mod attacked;
mod judged;
mod messages;
mod profiles;
mod revision;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::commands::{Command, Contract, InboundMessage};
use duewatch_domain::{Account, Policy};
use duewatch_handlers::WaitingMessage;
use duewatch_store::{PaymentFact, Tables, account_from_image, is_asked_for_history};
use serde_json::Value;

use super::network::{CallerId, NetworkRequest};
use super::ordered_group::{Lost, WrittenRecord};
use super::{Fault, SimulationReport};
use crate::model::Model;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The promise, in short.
    pub promise: &'static str,
    pub how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.how)
    }
}

pub(super) use self::at_rest::Records;
pub(super) use self::attacked::grounds_of;

pub(super) type Checked = Result<(), Broken>;

/// Fails unless the condition holds.
macro_rules! hold {
    ($promise:expr, $holds:expr, $($how:tt)+) => {
        if !$holds {
            return Err($crate::simulation::watch::Broken { promise: $promise, how: format!($($how)+) });
        }
    };
}
pub(super) use hold;

/// A revision of an account, with the model that holds its facts.
#[derive(Clone, Debug)]
struct Version {
    account: Account,
    model: Model,
    event_id: String,
    /// Whether money that cannot be posted kept a restriction back.
    is_held: bool,
}

/// The revisions of an account.
#[derive(Clone, Debug)]
struct Story {
    contract: Contract,
    versions: Vec<Version>,
    /// A newer release has written the item: this release must not touch it.
    newer: bool,
    /// The account lost its entry in the due index, because it could not be evaluated.
    quarantined: bool,
    /// The last instant of a command of each source that the account took.
    taken: BTreeMap<String, DateTime<Utc>>,
}

/// A version of an item of the payments table.
#[derive(Clone, Debug)]
struct SeenPayment {
    step: u64,
    event_id: String,
    read: Result<PaymentFact, String>,
    /// Whether an item that cannot be read may be money all the same.
    may_be_money: bool,
    /// False: the item was taken out of the table.
    is_there: bool,
    at: DateTime<Utc>,
}

/// An invocation's reads of an account: first the account, then its payments.
#[derive(Clone, Copy, Debug, Default)]
struct AccountReading {
    /// The number of versions of the account at its last read.
    read: usize,
    /// The number of versions at the account's last read before its payments.
    versions: usize,
    /// The step of the last read of the account's payments. A read of the account alone, as one of the
    /// customer's others, keeps it.
    payments_at: Option<u64>,
}

/// A message sent under an id.
#[derive(Clone, Debug)]
struct SeenMessage {
    topic: String,
    body: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IndexEntry {
    pub(super) next_action_at: String,
    pub(super) account_id: String,
    pub(super) shard: String,
}

/// A command that the lender's systems sent.
#[derive(Clone, Debug)]
struct LenderCommand {
    command: Command,
    at: DateTime<Utc>,
    /// Whether an account took it.
    is_taken: bool,
    account_id: String,
    /// Whether its sender may send it.
    may_send: bool,
}

/// A message of the queue.
#[derive(Clone, Debug)]
struct QueuedMessage {
    message: WaitingMessage,
    /// Whether a function has taken it, or the dead-letter queue.
    has_ended: bool,
}

/// The observations of a run.
#[derive(Debug, Default)]
pub(super) struct Watch {
    step: u64,
    policies: BTreeMap<String, Vec<(Policy, DateTime<Utc>)>>,
    stories: BTreeMap<String, Story>,
    payments: BTreeMap<(String, String), Vec<SeenPayment>>,
    readings: BTreeMap<(CallerId, String), AccountReading>,
    /// The lender's commands by their ids.
    messages: BTreeMap<String, LenderCommand>,
    /// The messages of the queue by SQS's ids.
    queued: BTreeMap<String, QueuedMessage>,
    index: BTreeMap<String, IndexEntry>,
    sent: BTreeMap<String, SeenMessage>,
    /// The current contact profiles.
    profiles: BTreeMap<String, profiles::SeenProfile>,
    /// The instants at which notices of a subject left, by account.
    notices_left: BTreeMap<(String, String), Vec<DateTime<Utc>>>,
    /// The bodies of messages that went to the dead-letter queue.
    dead: BTreeSet<String>,
    /// Events that a function never took: they went to the bucket, or their stream forgot them.
    lost: BTreeSet<(&'static str, String)>,
    attacked: attacked::Attacked,
    counts: BTreeMap<&'static str, u64>,
    struck: BTreeMap<Fault, u64>,
}

impl Watch {
    pub(super) fn count(&mut self, what: &'static str, many: usize) {
        *self.counts.entry(what).or_default() += many as u64;
    }

    /// Counts a strike of a fault.
    pub(super) fn struck(&mut self, fault: Fault) {
        *self.struck.entry(fault).or_default() += 1;
    }

    pub(super) fn report(&self) -> SimulationReport {
        SimulationReport { counts: self.counts.clone(), struck: self.struck.clone() }
    }

    pub(super) fn published_policy(&mut self, policy: Policy, at: DateTime<Utc>) {
        self.policies.entry(policy.id.to_string()).or_default().push((policy, at));
    }

    /// Notes an account before it is opened.
    pub(super) fn opening(&mut self, contract: &Contract) {
        self.stories.entry(contract.account_id.to_string()).or_insert_with(|| Story {
            contract: contract.clone(),
            versions: Vec::new(),
            newer: false,
            quarantined: false,
            taken: BTreeMap::new(),
        });
    }

    /// Notes a message before the lender's systems, or another sender, send it.
    pub(super) fn message(&mut self, message: &InboundMessage, may_send: bool) {
        let command = message.event.command.clone();
        let account_id = message.event.account_id.to_string();
        let sent = LenderCommand { command, at: message.event.at, is_taken: false, account_id, may_send };
        self.messages.insert(message.event_id.to_string(), sent);
    }

    /// Notes a body that was sent to the queue.
    pub(super) fn sent_to_queue(&mut self, message: &WaitingMessage) {
        self.count("messages sent", 1);
        self.queued
            .insert(message.message_id.clone(), QueuedMessage { message: message.clone(), has_ended: false });
    }

    /// Notes a receipt before a delivery provider sends it.
    pub(super) fn reported(&mut self, message: &WaitingMessage) {
        self.count("receipts sent", 1);
        self.queued
            .insert(message.message_id.clone(), QueuedMessage { message: message.clone(), has_ended: false });
    }

    /// Notes the messages that a function has taken: applied, known or quarantined.
    pub(super) fn messages_done<'a>(&mut self, messages: impl Iterator<Item = &'a WaitingMessage>) {
        for message in messages {
            if let Some(queued) = self.queued.get_mut(&message.message_id) {
                queued.has_ended = true;
            }
        }
    }

    /// Notes the messages that went to the dead-letter queue.
    pub(super) fn dead_letters(&mut self, messages: &[WaitingMessage]) {
        self.count("messages dead", messages.len());
        self.messages_done(messages.iter());
        self.dead.extend(messages.iter().map(|message| message.body.clone()));
    }

    /// The current entries of the due index.
    pub(super) fn index(&self) -> BTreeSet<IndexEntry> {
        self.index.values().cloned().collect()
    }

    /// Begins an invocation: its container's earlier reads no longer count.
    pub(super) fn begins(&mut self, caller: CallerId) {
        self.readings.retain(|(reader, _), _| *reader != caller);
    }

    /// The next action of the account that is due first.
    pub(super) fn earliest_due(&self) -> Option<DateTime<Utc>> {
        self.index.values().filter_map(|entry| entry.next_action_at.parse().ok()).min()
    }

    /// Notes a served request.
    pub(super) fn served(&mut self, request: &NetworkRequest, tables: &Tables) -> Checked {
        self.step += 1;
        let body = request.json();
        let table = body["TableName"].as_str().unwrap_or_default();
        if request.name() == "GetItem" && table == tables.accounts {
            self.account_read(request.caller, &body["Key"]);
        }
        if request.name() == "BatchGetItem" {
            let keys = body["RequestItems"][&tables.accounts]["Keys"].as_array();
            for key in keys.into_iter().flatten() {
                self.account_read(request.caller, key);
            }
        }
        if request.name() == "Query" && table == tables.payments {
            let account_id = body["ExpressionAttributeValues"][":account"]["S"].as_str().unwrap_or_default();
            let reading = self.readings.entry((request.caller, account_id.to_owned())).or_default();
            (reading.versions, reading.payments_at) = (reading.read, Some(self.step));
        }
        if request.name() == "UpdateItem" && table == tables.records && body["Key"]["sk"]["S"] == "published"
        {
            return self.marked(&body);
        }
        Ok(())
    }

    /// Notes which revision of an account a caller has read.
    fn account_read(&mut self, caller: CallerId, key: &Value) {
        let account_id = key["account_id"]["S"].as_str().unwrap_or_default();
        let versions = self.stories.get(account_id).map_or(0, |story| story.versions.len());
        self.readings.entry((caller, account_id.to_owned())).or_default().read = versions;
    }

    /// A revision is marked as published only after its decision was sent.
    fn marked(&self, body: &Value) -> Checked {
        let key = body["Key"]["pk"]["S"].as_str().unwrap_or_default();
        let account_id = key.strip_prefix("account#").unwrap_or_default();
        let revision = body["ExpressionAttributeValues"][":revision"]["N"].as_str().unwrap_or_default();
        let id = format!("{account_id}/{revision}");
        let version = self.version_of(&id)?;
        let decides = version.account.decision_of_this_revision().is_some();
        hold!(
            "what is marked was sent",
            !decides || self.sent.contains_key(&id),
            "{id} is marked as published and was not"
        );
        Ok(())
    }

    /// Notes a record of the payments stream.
    pub(super) fn payment_written(&mut self, record: &WrittenRecord) -> Checked {
        let image = image(&record.event, "NewImage");
        let keys = &record.event["dynamodb"]["Keys"];
        let key = |name: &str| keys[name]["S"].as_str().unwrap_or_default().to_owned();
        let is_there = record.event["eventName"] != "REMOVE";
        let key = (key("account_id"), key("payment_id"));
        let read = PaymentFact::from_image(image);
        let may_be_money = read.as_ref().map_or_else(|faulty| faulty.may_be_money, |_| true);
        let read = read.map_err(|faulty| faulty.to_string());
        let (step, at, event_id) = (self.step, record.written_at, record.event_id().to_owned());
        let fact = SeenPayment { step, event_id, read, may_be_money, is_there, at };
        self.payments.entry(key).or_default().push(fact);
        Ok(())
    }

    /// Checks a record of the accounts stream, written by `caller`.
    pub(super) fn account_written(
        &mut self,
        record: &WrittenRecord,
        caller: CallerId,
        its_now: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Checked {
        let event = &record.event;
        let account_id = event["dynamodb"]["Keys"]["account_id"]["S"].as_str().unwrap_or_default().to_owned();
        hold!("nothing is dropped", event["eventName"] != "REMOVE", "{account_id} was removed");
        self.index_moved(&account_id, event);
        let Some(story) = self.stories.get_mut(&account_id) else {
            return Err(Broken { promise: "one revision", how: format!("{account_id} was never opened") });
        };
        if story.newer {
            let (old, new) = (&event["dynamodb"]["OldImage"], &event["dynamodb"]["NewImage"]);
            let touched = old["schema"] == new["schema"] && old["revision"] != new["revision"];
            hold!("a newer item is left alone", !touched, "{account_id} was written: {new}");
            return Ok(());
        }
        story.newer = event["dynamodb"]["NewImage"]["schema"]["N"] == NEWER_SCHEMA;
        if story.newer {
            return Ok(());
        }
        let account = account_from_image(image(event, "NewImage"))
            .map_err(|error| Broken { promise: "items can be read", how: error.to_string() })?;
        let known = story.versions.last().map(|version| version.account.revision);
        if known == Some(account.revision) {
            if is_asked_for_history(&image(event, "OldImage"), &image(event, "NewImage")) {
                return self.handed_in(&account_id, &account);
            }
            return self.entry_moved(&account_id, &account);
        }
        self.count("transitions", 1);
        self.revision_written(record.event_id(), account, caller, its_now, now)
    }

    /// Notes the records that a function has not taken.
    pub(super) fn lost(&mut self, function: &'static str, lost: &Lost) {
        self.count("records given up to the bucket", lost.given_up.len());
        self.count("records forgotten by their stream", lost.forgotten.len());
        let records = lost.given_up.iter().chain(&lost.forgotten);
        self.lost.extend(records.map(|record| (function, record.event_id().to_owned())));
    }

    /// Counts the results of a run of `reconcile-accounts` over a part of the portfolio.
    pub(super) fn watched(&mut self, watched: &Value) {
        for (what, counted) in [
            ("watched: accounts", "looked_at"),
            ("watched: late", "late"),
            ("watched: not due", "not_due"),
            ("watched: unconfirmed", "unconfirmed"),
            ("watched: unposted", "unposted"),
            ("watched: unproven", "unproven"),
            ("watched: history behind", "history_behind"),
            ("watched: unpublished", "unpublished"),
            ("watched: unheeded", "unheeded"),
            ("watched: repaired", "repaired"),
            ("watched: rang", "open"),
        ] {
            self.count(what, watched[counted].as_u64().and_then(|many| many.try_into().ok()).unwrap_or(0));
        }
    }

    /// The counts in a function's metrics of a batch add up to its records.
    pub(super) fn metrics(&self, function: &str, line: &Value, records: usize) -> Checked {
        let parts: &[&str] = match function {
            post_payment::NAME => &["posted", "known", "in_suspense", "quarantined", "failed"],
            intake::NAME => &["applied", "known", "quarantined", "failed"],
            record_delivery::NAME => &[
                "delivered",
                "bounced",
                "complained",
                "opted_out",
                "answered",
                "unanswered",
                "known",
                "quarantined",
                "failed",
            ],
            record_history::NAME => &["recorded", "known", "quarantined", "failed"],
            _ => &["taken", "quarantined", "failed"],
        };
        let sum: u64 = parts.iter().filter_map(|part| line[*part].as_u64()).sum();
        hold!(
            "every record is counted",
            sum == records as u64,
            "{function} had {records} records, says {line}"
        );
        Ok(())
    }

    /// A write without a new revision only removes the account's entry in the due index or moves it earlier.
    fn entry_moved(&mut self, account_id: &str, account: &Account) -> Checked {
        let Some(story) = self.stories.get_mut(account_id) else { return Ok(()) };
        let Some(last) = story.versions.last_mut() else { return Ok(()) };
        let (known, next) = (last.account.status.next_action_at, account.status.next_action_at);
        let mut expected = last.account.clone();
        expected.status.next_action_at = next;
        let is_earlier = next.is_none() || known.is_none_or(|known| next < Some(known));
        hold!(
            "one revision",
            expected == *account && is_earlier,
            "revision {} was written twice",
            account.revision
        );
        last.account = expected;
        story.quarantined = next.is_none();
        Ok(())
    }

    /// An account that is handed to the history once more is left as it is.
    fn handed_in(&mut self, account_id: &str, account: &Account) -> Checked {
        self.count("accounts handed to the history once more", 1);
        let last = self.stories.get(account_id).and_then(|story| story.versions.last());
        hold!(
            "one revision",
            last.is_some_and(|last| last.account == *account),
            "{account_id} was changed as it was handed to the history"
        );
        Ok(())
    }

    fn index_moved(&mut self, account_id: &str, event: &Value) {
        let new = &event["dynamodb"]["NewImage"];
        match (new["due_shard"]["S"].as_str(), new["next_action_at"]["S"].as_str()) {
            (Some(shard), Some(at)) => {
                let entry = IndexEntry {
                    next_action_at: at.to_owned(),
                    account_id: account_id.to_owned(),
                    shard: shard.to_owned(),
                };
                self.index.insert(account_id.to_owned(), entry);
            }
            _ => drop(self.index.remove(account_id)),
        }
    }

    fn policy(&self, id: &str, version: u32) -> Option<&Policy> {
        self.policies.get(id)?.iter().map(|(policy, _)| policy).find(|policy| policy.version == version)
    }

    /// The payments of an account as the table held them at a step, by id.
    fn payments_at(&self, account_id: &str, step: u64) -> Vec<&SeenPayment> {
        self.payments
            .iter()
            .filter(|((account, _), _)| account == account_id)
            .filter_map(|(_, facts)| facts.iter().rev().find(|fact| fact.step <= step))
            .filter(|fact| fact.is_there)
            .collect()
    }
}

/// The layout of items that a newer release writes.
pub(super) const NEWER_SCHEMA: &str = "2";

/// The greatest age of a policy in use: a minute in the cache, and the longest invocation.
const POLICY_LAG: TimeDelta = TimeDelta::minutes(10);

fn image(event: &Value, which: &str) -> serde_dynamo::Item {
    serde_json::from_value(event["dynamodb"][which].clone()).unwrap_or_default()
}
