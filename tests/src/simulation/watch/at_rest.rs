//! The checks after the faults have ended and everything is at rest.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::Applied;
use duewatch_domain::Command;
use duewatch_domain::commands::ContactFact;
use duewatch_domain::contact::MAX_BOUNCES;
use duewatch_domain::formats::parse_message;
use duewatch_domain::kernel::Revision;
use duewatch_store::{HistoryBreak, HistoryEntry, verify_history};
use serde_json::Value;

use super::revision::{owed_announcement, reaches};
use super::{Checked, QueuedMessage, Story, Watch, hold};

/// The rate at which the template sweeps contacts.
const CONTACTS_EVERY: TimeDelta = TimeDelta::minutes(5);

/// The items of the records table and of the history at rest.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Records {
    /// The payloads of quarantined records, by function and id.
    quarantined: BTreeMap<(String, String), String>,
    /// The contact records, by contact id.
    contacts: BTreeMap<String, Value>,
    /// The planned contacts, with their next evaluation.
    requests: BTreeMap<String, Value>,
    /// The counted messages, with their receipts.
    messages: BTreeMap<String, Value>,
    suspense: BTreeSet<(String, String)>,
    published: BTreeMap<String, u64>,
    histories: BTreeMap<String, Vec<HistoryEntry>>,
}

/// An instant as it is written.
fn instant(at: &Value) -> Option<DateTime<Utc>> {
    at.as_str()?.parse().ok()
}

impl Records {
    pub(in crate::simulation) fn read(items: &[Value]) -> Self {
        let mut records = Self::default();
        let text = |item: &Value, name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
        for item in items {
            let (pk, sk) = (text(item, "pk"), text(item, "sk"));
            if pk.starts_with("quarantine#") {
                records.quarantined.insert((text(item, "source"), text(item, "id")), text(item, "payload"));
            } else if let Some(account) = pk.strip_prefix("history#") {
                let number = |digits: &str| Revision(digits.parse().unwrap_or_default());
                records.histories.entry(account.to_owned()).or_default().push(HistoryEntry {
                    account_id: account.parse().unwrap(),
                    revision: number(&sk),
                    entry: text(item, "entry"),
                    follows: number(item["follows"]["N"].as_str().unwrap_or_default()),
                    previous: text(item, "previous"),
                    hash: text(item, "hash"),
                    // No policy of the simulation lets entries expire.
                    expires_at: None,
                    recorded_on: None,
                    renewed_on: None,
                });
            } else if pk == "parked" {
                records.suspense.insert((text(item, "account_id"), text(item, "payment_id")));
            } else if let Some(contact) = sk.strip_prefix("said#") {
                let said = serde_json::from_str(&text(item, "said")).unwrap_or_default();
                records.contacts.insert(contact.to_owned(), said);
            } else if let Some(message) = pk.strip_prefix("message#") {
                let known = serde_json::from_str(&text(item, "message")).unwrap_or_default();
                records.messages.insert(message.to_owned(), known);
            } else if let Some(contact) = sk.strip_prefix("planned#") {
                let planned = serde_json::from_str(&text(item, "planned")).unwrap_or_default();
                records.requests.insert(contact.to_owned(), planned);
            } else if let Some(account) = pk.strip_prefix("account#").filter(|_| sk == "published") {
                let revision = item["revision"]["N"].as_str().and_then(|text| text.parse().ok());
                records.published.insert(account.to_owned(), revision.unwrap_or_default());
            }
        }
        for history in records.histories.values_mut() {
            history.sort_by_key(|entry| entry.revision);
        }
        records
    }

    /// An account's entries in the history.
    pub(super) fn history(&self, account_id: &str) -> &[HistoryEntry] {
        self.histories.get(account_id).map_or(&[][..], Vec::as_slice)
    }

    /// The payloads of the quarantined records.
    pub(super) fn payloads(&self) -> impl Iterator<Item = &String> {
        self.quarantined.values()
    }

    /// Each contact of a bounced message is planned once more, or has ended since.
    fn check_requeued(&self, message_id: &Value, message: &Value) -> Checked {
        for contact in message["contacts"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let Some(said) = self.contacts.get(contact) else { continue };
            let is_by_it = said["message"][0] == *message_id && said["outcome"] == "sent";
            let again = format!("{contact}/again");
            let is_said_again = self.contacts.contains_key(&again) || self.requests.contains_key(&again);
            let came_back = said["planned"]["came_back"].as_u64().unwrap_or_default();
            hold!(
                "what comes back is said again",
                !is_by_it || is_said_again || came_back >= u64::from(MAX_BOUNCES),
                "{}: {contact} came back, and {again} is nowhere",
                message["customer_id"]
            );
        }
        Ok(())
    }
}

impl Watch {
    /// Runs all checks on the state at rest at `now`.
    pub(in crate::simulation) fn at_rest(&mut self, records: &Records, now: DateTime<Utc>) -> Checked {
        for (id, story) in &self.stories {
            if story.versions.is_empty() {
                continue;
            }
            self.check_payments(id, story, records)?;
            self.check_audit(id, records)?;
            if !self.is_forged(id) {
                self.check_history(id, story, records, now)?;
            }
            if story.newer {
                continue;
            }
            self.check_proven(id, story)?;
            self.check_status(id, story, records, now)?;
            self.check_imposed(id, story, now)?;
            self.check_published(id, story, records)?;
            self.check_announced(id, story, now)?;
            let is_there = |key: &&(String, String)| self.is_in_table(key);
            let parked = records.suspense.iter().filter(is_there).find(|key| key.0 == *id);
            hold!("nothing is dropped", parked.is_none(), "{parked:?} is still parked");
        }
        for ((account, payment), facts) in &self.payments {
            let opened = self.stories.get(account).is_some_and(|story| !story.versions.is_empty());
            let noted = records.suspense.contains(&(account.clone(), payment.clone()));
            let unreadable = facts.last().is_some_and(|fact| fact.read.is_err());
            let excused = self.is_quarantined(&(account.clone(), payment.clone()), records);
            hold!(
                "nothing is dropped",
                opened || noted || unreadable || excused,
                "{account}/{payment} is nowhere"
            );
        }
        self.check_messages(records)?;
        self.check_senders(records)?;
        self.check_consents(records)?;
        for (contact, planned) in &records.requests {
            self.check_waiting(contact, planned, now)?;
        }
        self.count("contacts that wait", records.requests.len());
        self.count("records quarantined", records.quarantined.len());
        let entries = || records.histories.values().flatten();
        self.count("history entries", entries().count());
        self.count("history gaps", entries().filter(|entry| entry.follows.next() != entry.revision).count());
        for (what, outcome) in [
            ("contacts sent", "sent"),
            ("contacts withdrawn", "withdrawn"),
            ("contacts held", "held"),
            ("contacts suppressed", "suppressed"),
        ] {
            self.count(what, records.contacts.values().filter(|known| known["outcome"] == outcome).count());
        }
        Ok(())
    }

    /// A queued contact waits for the gate or for its time of sending alone. A contact about an account that a newer release has
    /// written waits for a release that can read it, and alerts at every evaluation.
    pub(super) fn check_waiting(&self, contact: &str, planned: &Value, now: DateTime<Utc>) -> Checked {
        let look_at = instant(&planned["look_at"]);
        let account_id = planned["account_id"].as_str().unwrap_or_default();
        let alert = format!("{}/message_held/{account_id}", send_reminders::NAME);
        let is_unreadable = self.stories.get(account_id).is_some_and(|story| story.newer);
        // What is caught up leaves at the next time of sending.
        let not_before = instant(&planned["wanted"]["intent"]["not_before"]);
        let is_timed = not_before.is_some() && not_before == look_at;
        let has_rung = self.sent.get(&alert).is_some_and(|sent| sent.topic == "tickets");
        let waits = (planned["waits_for"].is_object() || is_timed) && look_at > Some(now);
        // An evaluation an hour later may just have missed a sweep.
        let is_tried = is_unreadable && has_rung && look_at > Some(now - CONTACTS_EVERY);
        hold!(
            "every owed reminder",
            waits || is_tried,
            "{contact} should have left (of a newer release: {is_unreadable}, alerted: {has_rung}): {planned}"
        );
        Ok(())
    }

    /// A delivery provider's receipt is on its message and had its effect. A receipt is identified by its
    /// instant and its outcome, for a message that left twice may be reported on twice.
    pub(super) fn check_receipt(&self, body: &str, records: &Records) -> Checked {
        let receipt: Value = serde_json::from_str(body).unwrap_or_default();
        let id = receipt["message_id"].as_str().unwrap_or_default();
        let message = records.messages.get(id);
        let mut told = message.iter().filter_map(|known| known["receipts"].as_array()).flatten();
        let is_known = told.any(|known| {
            known["outcome"] == receipt["outcome"] && instant(&known["at"]) == instant(&receipt["at"])
        });
        let aside = records
            .quarantined
            .iter()
            .find(|((function, _), payload)| function == record_delivery::NAME && *payload == body);
        // The receipt may have made the function panic; its message is recorded.
        let is_aside = aside.is_some() && message.is_some();
        hold!("nothing is dropped", is_known || is_aside || self.dead.contains(body), "{body} is nowhere");
        match message.filter(|_| is_known) {
            Some(message) => self.check_acted_on(&receipt, message, records),
            None => Ok(()),
        }
    }

    /// An opt-out or a complaint blocks the channel. A bounced message is planned again.
    fn check_acted_on(&self, receipt: &Value, message: &Value, records: &Records) -> Checked {
        match receipt["outcome"].as_str().unwrap_or_default() {
            "opted_out" | "complained" => {
                let at = instant(&receipt["at"]);
                let customer_id = message["customer_id"].as_str().unwrap_or_default();
                let channel = message["channel"].as_str().unwrap_or_default();
                let consented_at = self.consented_at(customer_id, channel);
                hold!(
                    "an opt-out holds",
                    consented_at >= at,
                    "{customer_id}: {receipt} of {channel}, what is known is of {consented_at:?}"
                );
                Ok(())
            }
            "bounced" => records.check_requeued(&receipt["message_id"], message),
            _ => Ok(()),
        }
    }

    /// Each consent that a borrower gave or withdrew is in force, or a later one is.
    fn check_consents(&self, records: &Records) -> Checked {
        for QueuedMessage { message, .. } in self.queued.values() {
            let Ok(message) = parse_message(&message.body) else { continue };
            let Command::Contact(ContactFact::Consent(change)) = &message.event.command else { continue };
            let set_aside = records.quarantined.values().chain(&self.dead);
            let is_set_aside = set_aside
                .filter_map(|body| parse_message(body).ok())
                .any(|other| other.event_id == message.event_id);
            let story = self.stories.get(message.event.account_id.as_str());
            let Some(story) = story.filter(|_| !is_set_aside) else { continue };
            let customer_id = story.contract.customer_id.as_str();
            let channel = change.channel.map_or("", |channel| channel.as_str());
            let known = self.consented_at(customer_id, channel);
            hold!(
                "an opt-out holds",
                known >= Some(message.event.at),
                "{customer_id} said {change:?} at {}, what is known is of {known:?}",
                message.event.at
            );
        }
        Ok(())
    }

    /// Every message was applied, changed nothing, was quarantined or is in the dead-letter queue. An unknown
    /// message was quarantined.
    fn check_messages(&self, records: &Records) -> Checked {
        for QueuedMessage { message, has_ended } in self.queued.values() {
            hold!("nothing is dropped", *has_ended, "{message:?} has not ended");
            if message.group.is_none() {
                self.check_receipt(&message.body, records)?;
                continue;
            }
            let ours = parse_message(&message.body).ok();
            let known = ours.is_some_and(|ours| self.messages.contains_key(ours.event_id.as_str()));
            let of_intake = |(key, payload): (&(String, String), &String)| {
                key.0 == intake::NAME && *payload == message.body
            };
            hold!(
                "nothing leaves quietly",
                known
                    || self.has_erased()
                    || self.dead.contains(&message.body)
                    || records.quarantined.iter().any(of_intake),
                "{message:?} was not set aside"
            );
        }
        Ok(())
    }

    /// Whether a function's record was quarantined, given up to the bucket, or forgotten by its stream.
    fn is_excused(&self, function: &'static str, event_id: &str, records: &Records) -> bool {
        self.lost.contains(&(function, event_id.to_owned()))
            || records.quarantined.contains_key(&(function.to_owned(), event_id.to_owned()))
    }

    /// Whether a record of that payment was quarantined, given up or forgotten.
    fn is_quarantined(&self, key: &(String, String), records: &Records) -> bool {
        let facts = self.payments.get(key);
        facts.into_iter().flatten().any(|fact| self.is_excused(post_payment::NAME, &fact.event_id, records))
    }

    /// Every payment in the table is posted to its account or quarantined: `reconcile-accounts` has posted the
    /// payments that a stream forgot or gave up.
    fn check_payments(&self, id: &str, story: &Story, records: &Records) -> Checked {
        let Some(last) = story.versions.last() else { return Ok(()) };
        let of_account = self.payments.iter().filter(|((account, _), _)| account == id);
        for (key, facts) in of_account {
            let Some(latest) = facts.last().filter(|latest| latest.is_there) else { continue };
            let posted = match &latest.read {
                Ok(fact) => {
                    fact.post_to(&mut last.account.clone(), DateTime::<Utc>::MAX_UTC)
                        == Ok(Applied::Unchanged)
                }
                Err(_) => false,
            };
            let payment = &key.1;
            let is_quarantined = |event_id: &str| {
                records.quarantined.contains_key(&(post_payment::NAME.to_owned(), event_id.to_owned()))
            };
            // This release must not write the item of a newer one.
            let quarantined = facts.iter().any(|fact| is_quarantined(&fact.event_id))
                || (story.newer && self.is_quarantined(key, records));
            let set_aside = records.quarantined.keys().any(|(_, of)| *of == format!("{id}/{payment}"));
            hold!(
                "nothing is dropped",
                posted || quarantined || set_aside,
                "{id}: payment {payment} is neither posted nor set aside: {:?}",
                latest.read
            );
        }
        Ok(())
    }

    /// The account status is the model's, and the due index holds its next change.
    fn check_status(&self, id: &str, story: &Story, records: &Records, now: DateTime<Utc>) -> Checked {
        let Some(last) = story.versions.last() else { return Ok(()) };
        let account = &last.account;
        if story.quarantined {
            let noted = records.quarantined.keys().any(|(_, of)| of == id);
            hold!("nothing leaves quietly", noted, "{id} lost its entry in the index and is not quarantined");
            return Ok(());
        }
        let due = account.status.next_action_at;
        hold!("no silent overdue", due.is_none_or(|due| due > now), "{id} waits since {due:?}, it is {now}");
        let indexed = self.index.get(id).map(|entry| entry.next_action_at.clone());
        let sorted = due.map(|due| due.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        hold!("no silent overdue", indexed == sorted, "{id} is indexed at {indexed:?}, waits for {sorted:?}");
        let used = account.status.policy.as_ref().map_or(0, |policy| policy.version);
        let Some(policy) = self.policy(account.policy_id.as_str(), used) else { return Ok(()) };
        let held = self.payments_at(id, self.step).iter().any(|fact| {
            fact.read.as_ref().map_or(true, |fact| fact.post_to(&mut account.clone(), now).is_err())
        });
        let assessed = last.model.judge(policy, now);
        let same = assessed.stage == account.status.stage.as_str()
            && assessed.restrictions == account.status.restrictions;
        hold!(
            "the standing is the model's",
            same || (held && last.is_held),
            "{id} at {now}: {:?}, the model says {assessed:?}",
            account.status
        );
        Ok(())
    }

    /// The account holds exactly the restrictions that the customer's other accounts impose, unless a payment
    /// that cannot be posted defers them.
    fn check_imposed(&self, id: &str, story: &Story, now: DateTime<Utc>) -> Checked {
        let Some(last) = story.versions.last().filter(|_| !story.quarantined) else { return Ok(()) };
        let customer_id = &story.contract.customer_id;
        let others = self.stories.iter().filter(|(other, story)| {
            *other != id && story.contract.customer_id == *customer_id && !story.newer
        });
        for (other, story) in others {
            let Some(asking) = story.versions.last() else { continue };
            let since = asking.account.imposes().map(|imposed| imposed.restriction.since);
            let days = self.money_hold_days(&asking.account);
            // Reconciliation applies within a day what its money no longer keeps back.
            let may_hold = since.is_some_and(|since| now - since < TimeDelta::days(i64::from(days) + 1));
            let held = may_hold && self.is_unpostable(&asking.account);
            hold!(
                "one account's stage restricts the customer's others, and lifts with it",
                held || last.account.has_applied_from(&asking.account),
                "{id} knows {:?}, {other} asks {:?}",
                last.account.imposed_by(),
                asking.account.imposes()
            );
        }
        Ok(())
    }

    /// Every customer received the announcement of a stricter version: its publisher has every account under
    /// the policy evaluated.
    fn check_announced(&self, id: &str, story: &Story, now: DateTime<Utc>) -> Checked {
        let Some(last) = story.versions.last() else { return Ok(()) };
        let held = story.quarantined || self.is_unpostable(&last.account);
        let published = self.published(&last.account, now - TimeDelta::hours(6));
        for policy in &published {
            let is_owed = owed_announcement(&published, policy).is_some();
            hold!(
                "every customer is told of a stricter version",
                held || !is_owed
                    || last.model.notices().any(|(known, ..)| reaches(&published, known, policy)),
                "{id} knows nothing of version {}: {:?}",
                policy.version,
                last.account.notices()
            );
        }
        Ok(())
    }

    /// Every revision has its history entry, unless its record was lost before a later revision was written,
    /// and the chain holds.
    fn check_history(&self, id: &str, story: &Story, records: &Records, now: DateTime<Utc>) -> Checked {
        let Some(last) = story.versions.last() else { return Ok(()) };
        let is_lost = |revision: Revision| {
            let version = story.versions.iter().find(|version| version.account.revision == revision);
            version.is_some_and(|version| self.is_excused(record_history::NAME, &version.event_id, records))
        };
        let entries = records.histories.get(id).map_or(&[][..], Vec::as_slice);
        for broken in verify_history(entries, &last.account, now).unwrap() {
            let excused = match broken {
                HistoryBreak::Missing { from, to } => (from.0..=to.0).map(Revision).all(is_lost),
                HistoryBreak::Behind { history, account } => {
                    story.newer && (history.next().0..=account.0).map(Revision).all(is_lost)
                }
                _ => false,
            };
            hold!("every revision is in the history", excused, "{id}: {broken}");
        }
        for entry in entries {
            let (revision, follows) = (entry.revision, entry.follows);
            let below = Revision(revision.0 - 1);
            let came_late = entries.iter().any(|entry| entry.revision == below);
            hold!(
                "every revision is in the history",
                follows == below || came_late || is_lost(below),
                "{id}: the entry of revision {revision} follows {follows}"
            );
            let version = story.versions.iter().find(|version| version.account.revision == revision);
            let stage = version.map(|version| &version.account.status.stage);
            hold!(
                "the history says what was",
                entry.content().map(|content| content.stage).as_ref() == stage,
                "{id} revision {revision}: {} instead of {stage:?}",
                entry.entry
            );
        }
        Ok(())
    }

    /// Every decision was published; every reminder was sent, withdrawn or held; and the marker is as far.
    fn check_published(&self, id: &str, story: &Story, records: &Records) -> Checked {
        let Some(last) = story.versions.last() else { return Ok(()) };
        let mut highest = 0;
        for version in &story.versions {
            let revision = version.account.revision;
            let excused = self.is_excused(send_reminders::NAME, &version.event_id, records);
            let event = format!("{id}/{revision}");
            if version.account.decision_of_this_revision().is_some() {
                let remembered = last.account.recent_decisions().iter().any(|one| one.revision == revision);
                hold!(
                    "each transition is published",
                    self.sent.contains_key(&event) || (excused && !remembered),
                    "{event} was not"
                );
            }
            let mut sent_any = self.sent.contains_key(&event);
            for request in &version.account.contact_requests {
                let contact = format!("{event}/{}", request.name());
                let sent = self.sent.get(&contact);
                let outcome = records.contacts.get(&contact).and_then(|said| said["outcome"].as_str());
                let is_recorded = match sent {
                    Some(sent) => sent.topic == "reminders" && outcome.is_some(),
                    None => {
                        matches!(outcome, Some("withdrawn" | "held" | "suppressed"))
                            || records.requests.contains_key(&contact)
                    }
                };
                sent_any |= sent.is_some() || records.requests.contains_key(&contact);
                hold!(
                    "every owed reminder",
                    is_recorded || (excused && revision < last.account.revision),
                    "{event}: {request:?} ended as {outcome:?}"
                );
            }
            if sent_any && !excused {
                highest = revision.0;
            }
        }
        let marked = records.published.get(id).copied().unwrap_or_default();
        hold!("the marker says how far", marked >= highest, "{id} is marked {marked}, {highest} was sent");
        Ok(())
    }
}
