//! The checks of the attacks: money that nobody made, histories that were changed, senders, erasures.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::commands::Contract;
use duewatch_domain::formats::parse_message;
use duewatch_domain::kernel::{AccountId, Revision};
use duewatch_handlers::WaitingMessage;
use serde_json::Value;

use super::{Checked, Records, Story, Watch, hold};
use crate::simulation::attacks::Rewriting;
use crate::simulation::cloud::Audited;
use crate::simulation::network::CallerId;

/// The longest invocation of `intake`, and a command that it was handed is taken.
const TAKEN_WITHIN: TimeDelta = TimeDelta::minutes(15);
/// The most ids that an alert names.
const NAMED: usize = 5;

/// The observed attacks of a run.
#[derive(Debug, Default)]
pub(super) struct Attacked {
    /// The digests of anchors that `operations` received.
    anchors_sent: Vec<String>,
    /// The newest anchored entry of each changed history, by its sort key and its hash before.
    forged: BTreeMap<String, (String, String)>,
    /// Whether the anchors were removed.
    anchors_removed: bool,
    /// The contradictions that the audit found at the end, by account.
    audited: BTreeMap<String, Vec<String>>,
    /// The instants at which operations were told of unproven money, by account; and alerts that name too few.
    unproven: BTreeMap<String, Vec<DateTime<Utc>>>,
    /// The erasures that run, by their callers, and those that are over.
    erasing: BTreeMap<CallerId, SeenErasure>,
    erased: Vec<SeenErasure>,
    /// When each body was last handed to `intake`.
    handed: BTreeMap<String, DateTime<Utc>>,
}

/// An erasure of a customer's data.
#[derive(Clone, Debug)]
struct SeenErasure {
    customer_id: String,
    begun_at: DateTime<Utc>,
    /// The customer's accounts that were open as it began. Nothing tells whose a command about another one is.
    accounts: BTreeSet<String>,
}

/// The text of a command's reason, which no other text contains.
pub(in crate::simulation) fn grounds_of(event_id: &str) -> String {
    format!("the grounds of {event_id}.")
}

impl Watch {
    /// Notes a message to operations.
    pub(super) fn operations_told(&mut self, body: &Value, now: DateTime<Utc>) {
        let data = &body["data"];
        let reason = data["reason"].as_str().unwrap_or_default();
        if data["kind"] == "history_anchored" {
            let digest = reason.strip_prefix("digest ").and_then(|rest| rest.split(',').next());
            self.attacked.anchors_sent.extend(digest.map(str::to_owned));
        }
        if data["kind"] == "gap_found" && body["subject"] == "unproven" {
            self.count("unproven money told", 1);
            let named = reason.split_once(": ").map_or("", |(_, named)| named);
            for account_id in named.split(", ").take(NAMED) {
                self.attacked.unproven.entry(account_id.to_owned()).or_default().push(now);
            }
        }
    }

    pub(in crate::simulation) fn anchors_sent(&self) -> &[String] {
        &self.attacked.anchors_sent
    }

    /// The accounts that were opened.
    pub(in crate::simulation) fn opened(&self) -> Vec<AccountId> {
        let opened = self.stories.values().filter(|story| !story.versions.is_empty());
        opened.filter(|story| !story.newer).map(|story| story.contract.account_id.clone()).collect()
    }

    /// Notes that an attacker changes a history, and its newest anchored entry as it was.
    pub(in crate::simulation) fn forged(&mut self, account_id: &str, was: (String, String), kind: Rewriting) {
        self.count("histories changed", 1);
        self.attacked.forged.entry(account_id.to_owned()).or_insert(was);
        self.attacked.anchors_removed |= kind == Rewriting::SignAnew;
    }

    pub(super) fn is_forged(&self, account_id: &str) -> bool {
        self.attacked.forged.contains_key(account_id)
    }

    /// Notes the results of the audit.
    pub(in crate::simulation) fn audited(&mut self, audited: &[Audited]) -> Checked {
        self.count("histories audited", audited.len());
        for one in audited {
            self.attacked.audited.insert(one.account_id.clone(), one.contradictions.clone());
        }
        Ok(())
    }

    /// The audit contradicts a history that was changed after it had been anchored, and no other one. A record that
    /// is delivered again may put back the very entry that was cut.
    pub(super) fn check_audit(&self, id: &str, records: &Records) -> Checked {
        let Some(contradictions) = self.attacked.audited.get(id) else { return Ok(()) };
        let forged = self.attacked.forged.get(id);
        let is_changed = forged.is_some_and(|(sk, hash)| {
            let revision = Revision(sk.parse().unwrap_or_default());
            !records.history(id).iter().any(|entry| entry.revision == revision && entry.hash == *hash)
        });
        hold!(
            "a history that was changed is found",
            !contradictions.is_empty() || !(is_changed || self.attacked.anchors_removed),
            "{id}: the audit finds nothing"
        );
        hold!(
            "a history that was not changed is what was anchored",
            contradictions.is_empty() || forged.is_some() || self.attacked.anchors_removed,
            "{id}: {contradictions:?}"
        );
        Ok(())
    }

    pub(super) fn is_in_table(&self, key: &(String, String)) -> bool {
        let facts = self.payments.get(key).and_then(|facts| facts.last());
        facts.is_none_or(|latest| latest.is_there)
    }

    /// Operations were told of each payment that an account holds and the table does not, and of no other account.
    pub(super) fn check_proven(&self, id: &str, story: &Story) -> Checked {
        let Some(last) = story.versions.last() else { return Ok(()) };
        let removed_at = last.account.payments().iter().filter_map(|payment| {
            let facts = self.payments.get(&(id.to_owned(), payment.payment_id.to_string()))?;
            facts.last().filter(|latest| !latest.is_there).map(|latest| latest.at)
        });
        let told = self.attacked.unproven.get(id).map_or(&[][..], Vec::as_slice);
        match removed_at.max() {
            Some(at) => hold!(
                "money that the table does not state is told",
                told.iter().any(|told| *told >= at),
                "{id} holds money that was taken out of the table at {at}, told at {told:?}"
            ),
            None => hold!("no false alarm", told.is_empty(), "{id} holds no such money, told at {told:?}"),
        }
        Ok(())
    }

    /// Notes the messages that are handed to `intake`.
    pub(in crate::simulation) fn handed(&mut self, messages: &[WaitingMessage], now: DateTime<Utc>) {
        for message in messages {
            self.attacked.handed.insert(message.body.clone(), now);
        }
    }

    /// A command is set aside where its sender may not send it.
    pub(super) fn check_senders(&self, records: &Records) -> Checked {
        if self.messages.values().all(|known| known.may_send) {
            return Ok(());
        }
        let set_aside = records.payloads().chain(&self.dead).filter_map(|body| parse_message(body).ok());
        let set_aside: BTreeSet<String> = set_aside.map(|message| message.event_id.to_string()).collect();
        let left = self.messages.iter().find(|(id, known)| !known.may_send && !set_aside.contains(*id));
        hold!("a sender says nothing that it may not", left.is_none(), "{left:?} was not set aside");
        Ok(())
    }

    /// Notes that an erasure begins.
    pub(in crate::simulation) fn erasing(
        &mut self,
        contract: &Contract,
        caller: CallerId,
        now: DateTime<Utc>,
    ) {
        let of_customer =
            |story: &Story| story.contract.customer_id == contract.customer_id && !story.versions.is_empty();
        let accounts = self.stories.iter().filter(|(_, story)| of_customer(story));
        let accounts = accounts.map(|(id, _)| id.clone()).collect();
        let customer_id = contract.customer_id.to_string();
        self.attacked.erasing.insert(caller, SeenErasure { customer_id, begun_at: now, accounts });
    }

    /// Notes that a caller of the lender's has ended, which may have been an erasure. An erasure stops at an account
    /// that a newer release has written, and is that release's then.
    pub(in crate::simulation) fn erased(
        &mut self,
        caller: CallerId,
        done: Result<(), String>,
    ) -> Result<(), String> {
        let Some(erasure) = self.attacked.erasing.remove(&caller) else { return done };
        let mut stories = erasure.accounts.iter().filter_map(|id| self.stories.get(id));
        let is_newer = stories.any(|story| story.newer);
        match done {
            Err(_) if is_newer => self.count("erasures refused", 1),
            Err(problem) => return Err(problem),
            Ok(()) => {
                self.count("customers erased", 1);
                self.attacked.erased.push(erasure);
            }
        }
        Ok(())
    }

    pub(super) fn has_erased(&self) -> bool {
        !self.attacked.erased.is_empty()
    }

    /// Whether a caller erases the data of the contract's customer.
    pub(super) fn erases(&self, caller: CallerId, contract: &Contract) -> bool {
        let erasing = self.attacked.erasing.get(&caller);
        erasing.is_some_and(|erasing| contract.customer_id.as_str() == erasing.customer_id)
    }

    /// No text of a command is left that was taken before the customer's data were erased.
    pub(in crate::simulation) fn check_erased(&self, records: &[Value]) -> Checked {
        for SeenErasure { customer_id, begun_at, accounts } in &self.attacked.erased {
            let is_ours = |account_id: &str| {
                accounts.contains(account_id)
                    && self.stories.get(account_id).is_some_and(|story| !story.newer)
            };
            let was_handed = |event_id: &str| {
                let grounds = grounds_of(event_id);
                let handed = self.attacked.handed.iter().filter(|(body, _)| body.contains(&grounds));
                handed.map(|(_, at)| *at).max().is_some_and(|at| at + TAKEN_WITHIN < *begun_at)
            };
            let taken: BTreeSet<String> = self
                .messages
                .iter()
                .filter(|(id, known)| is_ours(&known.account_id) && was_handed(id))
                .map(|(id, _)| grounds_of(id))
                .collect();
            let accounts = self.stories.iter().filter(|(id, _)| is_ours(id));
            let accounts = accounts.filter_map(|(_, story)| story.versions.last());
            let accounts = accounts.filter_map(|last| serde_json::to_string(&last.account).ok());
            for text in accounts.chain(records.iter().map(Value::to_string)) {
                let left = taken.iter().find(|grounds| text.contains(*grounds));
                hold!("an erased text is nowhere", left.is_none(), "{customer_id}: {left:?} in {text}");
            }
        }
        Ok(())
    }
}
