//! The checks of every message.

use chrono::{DateTime, Utc};
use duewatch_domain::Policy;
use duewatch_domain::account::ContactRequest;
use duewatch_stack::sns::Delivered;
use serde_json::Value;

use super::{Broken, Checked, SeenMessage, Story, Version, Watch, hold};
use crate::simulation::network::CallerId;

impl Watch {
    /// SNS has taken a message from a caller at `now`.
    pub(in crate::simulation) fn delivered(
        &mut self,
        message: &Delivered,
        caller: CallerId,
        now: DateTime<Utc>,
    ) -> Checked {
        let body: Value = serde_json::from_str(&message.message).unwrap_or_default();
        let id = body["id"].as_str().unwrap_or_default().to_owned();
        let topic = message.topic_arn.rsplit("duewatch-dev-").next().unwrap_or_default().to_owned();
        match topic.as_str() {
            "account-events" => {
                self.count("events published", 1);
                let version = self.version_of(&id)?;
                check_event(version, &body)?;
            }
            "reminders" => {
                self.count("reminders published", 1);
                self.check_message(&id, &body, caller, now)?;
            }
            _ => {
                self.count("operations told", 1);
                self.operations_told(&body, now);
            }
        }
        if let Some(before) = self.sent.get(&id).filter(|_| topic == "account-events") {
            hold!("one event, one id", before.body == body, "{id}: {} and {body}", before.body);
            self.count("events published again", 1);
        }
        if topic == "reminders" {
            for contact in body["data"]["contacts"].as_array().into_iter().flatten() {
                let contact_id = contact["contact_id"].as_str().unwrap_or_default();
                self.notice_has_left(contact_id, &body);
                self.sent
                    .insert(contact_id.to_owned(), SeenMessage { topic: topic.clone(), body: body.clone() });
            }
            return Ok(());
        }
        self.sent.insert(id, SeenMessage { topic, body });
        Ok(())
    }

    /// A contact's id, without the suffix of a contact planned again after a bounce.
    fn first_id(contact_id: &str) -> &str {
        contact_id.trim_end_matches("/again")
    }

    /// Records the instant at which a notice left, if the message is one.
    fn notice_has_left(&mut self, id: &str, body: &Value) {
        let mut parts = Self::first_id(id).splitn(4, '/');
        let (account, of) = (parts.next().unwrap_or_default(), parts.nth(2));
        let at: Option<DateTime<Utc>> = body["time"].as_str().and_then(|at| at.parse().ok());
        if let (Some(of), Some(at)) = (of, at) {
            self.notices_left.entry((account.to_owned(), of.to_owned())).or_default().push(at);
            self.count("notices published", 1);
        }
    }

    /// The version that an id `ACCOUNT/REVISION[/CHANNEL[/NOTICE]]` belongs to.
    pub(super) fn version_of(&self, id: &str) -> Result<&Version, Broken> {
        let mut parts = id.split('/');
        let story = parts.next().and_then(|account| self.stories.get(account));
        let revision: Option<u64> = parts.next().and_then(|revision| revision.parse().ok());
        story
            .and_then(|story: &Story| {
                story.versions.iter().find(|one| Some(one.account.revision.0) == revision)
            })
            .ok_or_else(|| Broken {
                promise: "published events are transitions",
                how: format!("{id} is of none"),
            })
    }

    /// A message speaks for what was wanted, and travels as long as it is under way as it began.
    fn check_message(&mut self, id: &str, body: &Value, caller: CallerId, now: DateTime<Utc>) -> Checked {
        let data = &body["data"];
        let contacts = data["contacts"].as_array().map_or(&[][..], Vec::as_slice);
        hold!("every owed reminder", !contacts.is_empty(), "{id} speaks for nothing: {body}");
        for contact in contacts {
            self.check_reminder(contact, body, caller, now)?;
        }
        self.check_leaving(id, data)?;
        let words = data["text"].as_str().unwrap_or_default();
        let reference = data["reference"].as_str().unwrap_or("?");
        hold!("every message has its words", words.contains(reference), "{id}: {body}");
        if let Some(before) = self.sent.get(id).filter(|before| before.topic == "reminders") {
            let was = &before.body["data"];
            hold!("one event, one id", was["channel"] == data["channel"], "{id}: {was} and {body}");
            self.count("messages published again", 1);
        }
        Ok(())
    }

    /// A reminder is one that was wanted, and it is true at the moment at which it leaves: under
    /// the version that binds the account by then, which need not have judged it yet.
    fn check_reminder(&self, data: &Value, body: &Value, caller: CallerId, now: DateTime<Utc>) -> Checked {
        let id = data["contact_id"].as_str().unwrap_or_default();
        let wanting = self.version_of(id)?;
        let account_id = wanting.account.account_id.as_str();
        let name = Self::first_id(id).splitn(3, '/').nth(2).unwrap_or_default();
        let channel = &body["data"]["channel"];
        let is_it = |one: &&ContactRequest| {
            one.name() == name && one.channels().any(|known| channel == known.as_str())
        };
        let request = wanting.account.contact_requests.iter().find(is_it);
        let Some(request) = request else {
            return Err(Broken {
                promise: "every owed reminder",
                how: format!("{id} was not wanted: {body}"),
            });
        };
        let reading = self.readings.get(&(caller, account_id.to_owned())).copied().unwrap_or_default();
        let seen = reading.payments_at;
        hold!("the last look", seen.is_some() && reading.versions > 0, "{id} was sent without one");
        let story = self.stories.get(account_id);
        let Some(version) = story.and_then(|story| story.versions.get(reading.versions - 1)) else {
            return Ok(());
        };
        let mut model = version.model.clone();
        let mut account = version.account.clone();
        let facts = self.payments_at(account_id, seen.unwrap_or_default());
        for fact in facts.into_iter().filter(|fact| fact.may_be_money) {
            let Ok(fact) = &fact.read else {
                return Err(Broken { promise: "the last look", how: format!("{id} left beside {fact:?}") });
            };
            let known = account.payment(&fact.payment_id).is_some();
            if fact.post_to(&mut account, now) == Ok(duewatch_domain::commands::Applied::Changed) {
                for (command, at) in fact.commands().into_iter().skip(usize::from(known)) {
                    model.take(&command, at);
                }
            }
        }
        let at: Option<DateTime<Utc>> = body["time"].as_str().and_then(|at| at.parse().ok());
        let Some(at) = at else {
            return Err(Broken { promise: "the last look", how: format!("{id} bears no time: {body}") });
        };
        let mut policies = self.binding_at(&account, &model, at, now);
        // The borrower is told by no older rules than the lender was, as far as these bind by now.
        let judged_by = account.status.policy.as_ref().map_or(0, |policy| policy.version);
        let oldest = policies.last().map_or(0, |latest| latest.version.min(judged_by));
        policies.retain(|policy| policy.version >= oldest);
        policies.retain(|policy| request.installment.as_ref().is_none_or(|label| model.owes(policy, label)));
        hold!("the last look", !policies.is_empty(), "{id} left although nothing is owed: {body}");
        let text = |amount| account.currency.text(amount);
        let is_true = |policy: &&Policy| {
            let assessed = model.judge(policy, at);
            data["overdue"] == text(assessed.overdue) && data["outstanding"] == text(assessed.outstanding)
        };
        hold!(
            "the last look",
            policies.iter().any(is_true),
            "{id} says {data} at {at}, the model {:?}",
            policies.iter().map(|policy| (policy.version, model.judge(policy, at))).collect::<Vec<_>>()
        );
        Ok(())
    }
}

/// An event carries the whole account status of its revision.
fn check_event(version: &Version, body: &Value) -> Checked {
    let account = &version.account;
    let restrictions = serde_json::to_value(&account.status.restrictions).unwrap_or_default();
    let data = &body["data"];
    hold!(
        "published events are transitions",
        account.decision_of_this_revision().is_some()
            && data["stage"] == account.status.stage.as_str()
            && data["restrictions"] == restrictions
            && data["revision"] == account.revision.0,
        "{body} is not {:?}",
        account.status
    );
    Ok(())
}
