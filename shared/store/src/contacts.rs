//! Contact points of customers, and the log of their changes.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::InboundMessage;
use duewatch_domain::commands::ContactChange;
use duewatch_domain::kernel::{CustomerId, MAX_SOURCES, Source};
use duewatch_domain::policy::Retention;

use crate::records::expiry;
use crate::{Store, StoreError, WriteConflict, keys};

/// The result of a contact point's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactChangeOutcome {
    Changed,
    /// The same change was applied before.
    Known,
    /// A later change of the same source was applied, of this instant.
    Superseded(DateTime<Utc>),
    /// The source is one more than an order is kept of.
    TooManySources,
}

/// The attribute of a contact point with the last instant of each source. It is there once another source than
/// the lender's own system changed the point; before that, `changed_at` is that system's last instant.
const CHANGED_BY_SOURCE: &str = "changed_by_source";

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// An instant as text that sorts by time.
fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

impl Store {
    /// Applies the change of a customer's contact point that a message holds, and adds an entry to the change
    /// log: both, or neither. Changes of one source are applied in the order of their instants, those of
    /// several sources as they arrive. The policy's `retention` decides how long the log is kept. A channel
    /// that is no longer used keeps its item, with the instant of the change.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another writer changes the same contact point; otherwise when a call
    /// fails.
    pub async fn change_contact(
        &self,
        customer_id: &CustomerId,
        message: &InboundMessage,
        change: &ContactChange,
        retention: Retention,
    ) -> Result<ContactChangeOutcome, StoreError> {
        let (event_id, source, at) = (&message.event_id, &message.source, message.event.at);
        let pk = keys::customer(customer_id);
        let logged_under = keys::contact_change(&instant(at), source, event_id);
        if self.record(pk.clone(), logged_under.clone()).await?.is_some() {
            return Ok(ContactChangeOutcome::Known);
        }
        let before = self.record(pk.clone(), keys::contact_point(change.channel)).await?.unwrap_or_default();
        let mut last_of = self.last_of_sources(&before)?;
        match last_of.get(source) {
            Some(last) if *last > at => return Ok(ContactChangeOutcome::Superseded(*last)),
            None if last_of.len() >= MAX_SOURCES => return Ok(ContactChangeOutcome::TooManySources),
            _ => {}
        }
        last_of.insert(source.clone(), at);
        let mut contact = keys::record_key(&pk, &keys::contact_point(change.channel));
        contact.extend([
            ("changed_at".to_owned(), text(instant(at))),
            ("changed_by".to_owned(), text(&change.changed_by)),
        ]);
        if last_of.keys().any(|source| !source.is_core()) {
            contact.insert(CHANGED_BY_SOURCE.to_owned(), text(self.written(&last_of)?));
        }
        let mut entry = keys::record_key(&pk, &logged_under);
        entry.extend([
            ("event_id".to_owned(), text(event_id.as_str())),
            ("at".to_owned(), text(instant(at))),
            ("by".to_owned(), text(&change.changed_by)),
            ("channel".to_owned(), text(change.channel.as_str())),
        ]);
        if !source.is_core() {
            entry.insert("source".to_owned(), text(source.as_str()));
        }
        if let Some(actor) = message.stated_actor() {
            entry.insert("actor".to_owned(), text(self.written(actor)?));
        }
        if let Some(sender_id) = &message.sender_id {
            entry.insert("sender_id".to_owned(), text(sender_id.as_str()));
        }
        entry.extend(retention.contact_log_until(at).map(expiry));
        let values = [("contact_point", &change.contact_point), ("name", &change.name)];
        for (name, value) in values {
            if let Some(from) = before.get(name) {
                entry.insert(format!("from_{name}"), from.clone());
            }
            if let Some(value) = value {
                entry.insert(format!("to_{name}"), text(value));
                contact.insert(name.to_owned(), text(value));
            }
        }
        let written = self.put_both(contact, entry, &before).await?;
        if written {
            Ok(ContactChangeOutcome::Changed)
        } else {
            let customer_id = customer_id.clone();
            Err(WriteConflict::ContactPoint { customer_id, channel: change.channel }.into())
        }
    }

    /// The last instant of each source that changed a contact point.
    fn last_of_sources(
        &self,
        contact: &HashMap<String, AttributeValue>,
    ) -> Result<BTreeMap<Source, DateTime<Utc>>, StoreError> {
        if contact.contains_key(CHANGED_BY_SOURCE) {
            return self.read(contact, CHANGED_BY_SOURCE);
        }
        let changed_at = contact.get("changed_at").and_then(|at| at.as_s().ok());
        let changed_at = changed_at.and_then(|at| at.parse().ok());
        Ok(changed_at.map(|at| (Source::default(), at)).into_iter().collect())
    }

    /// Puts a contact point on the condition that it is still as it was read, with its log entry. Returns
    /// whether the condition held.
    async fn put_both(
        &self,
        contact: HashMap<String, AttributeValue>,
        entry: HashMap<String, AttributeValue>,
        seen: &HashMap<String, AttributeValue>,
    ) -> Result<bool, StoreError> {
        let table = &self.tables().records;
        let unbuilt = |error| StoreError::codec(table, "contact", error);
        let contact = Put::builder().table_name(table).set_item(Some(contact));
        let contact = match (seen.get("changed_at").cloned(), seen.get(CHANGED_BY_SOURCE).cloned()) {
            (None, _) => contact.condition_expression(keys::IS_NEW),
            (Some(at), None) => contact
                .condition_expression(format!(
                    "changed_at = :at AND attribute_not_exists({CHANGED_BY_SOURCE})"
                ))
                .expression_attribute_values(":at", at),
            (Some(at), Some(sources)) => contact
                .condition_expression(format!("changed_at = :at AND {CHANGED_BY_SOURCE} = :sources"))
                .expression_attribute_values(":at", at)
                .expression_attribute_values(":sources", sources),
        };
        let entry = Put::builder().table_name(table).set_item(Some(entry)).condition_expression(keys::IS_NEW);
        let put = |put: Put| TransactWriteItem::builder().put(put).build();
        self.transact(vec![put(contact.build().map_err(unbuilt)?), put(entry.build().map_err(unbuilt)?)])
            .await
    }
}
