//! Contact points of customers, and the log of their changes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::commands::ContactChange;
use duewatch_domain::kernel::{CustomerId, EventId};
use duewatch_domain::policy::Retention;

use crate::records::expiry;
use crate::{Store, StoreError, WriteConflict, keys};

/// The result of a contact point's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactChangeOutcome {
    Changed,
    /// The same change was applied before.
    Known,
    /// A later change is in force, since this instant.
    Superseded(DateTime<Utc>),
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// An instant as text that sorts by time.
fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

impl Store {
    /// Applies a change of a customer's contact point and adds an entry to the change log: both, or neither.
    /// The policy's `retention` decides how long the log is kept. A channel that is no longer used keeps its
    /// item, with the instant of the change.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another writer changes the same contact point; otherwise when a call
    /// fails.
    pub async fn change_contact(
        &self,
        customer_id: &CustomerId,
        event_id: &EventId,
        change: &ContactChange,
        at: DateTime<Utc>,
        retention: Retention,
    ) -> Result<ContactChangeOutcome, StoreError> {
        let pk = keys::customer(customer_id);
        let logged_under = keys::contact_change(&instant(at), event_id);
        if self.record(pk.clone(), logged_under.clone()).await?.is_some() {
            return Ok(ContactChangeOutcome::Known);
        }
        let before = self.record(pk.clone(), keys::contact_point(change.channel)).await?.unwrap_or_default();
        let changed_at = before.get("changed_at");
        let since = changed_at.and_then(|since| since.as_s().ok()).and_then(|since| since.parse().ok());
        if let Some(since) = since.filter(|since: &DateTime<Utc>| *since > at) {
            return Ok(ContactChangeOutcome::Superseded(since));
        }
        let mut contact = keys::record_key(&pk, &keys::contact_point(change.channel));
        contact.extend([
            ("changed_at".to_owned(), text(instant(at))),
            ("changed_by".to_owned(), text(&change.changed_by)),
        ]);
        let mut entry = keys::record_key(&pk, &logged_under);
        entry.extend([
            ("event_id".to_owned(), text(event_id.as_str())),
            ("at".to_owned(), text(instant(at))),
            ("by".to_owned(), text(&change.changed_by)),
            ("channel".to_owned(), text(change.channel.as_str())),
        ]);
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
        let seen = changed_at.cloned();
        let written = self.put_both(contact, entry, seen).await?;
        if written {
            Ok(ContactChangeOutcome::Changed)
        } else {
            let customer_id = customer_id.clone();
            Err(WriteConflict::ContactPoint { customer_id, channel: change.channel }.into())
        }
    }

    /// Puts a contact point on the condition that it is still as it was read, with its log entry. Returns
    /// whether the condition held.
    async fn put_both(
        &self,
        contact: HashMap<String, AttributeValue>,
        entry: HashMap<String, AttributeValue>,
        seen: Option<AttributeValue>,
    ) -> Result<bool, StoreError> {
        let table = &self.tables().records;
        let unbuilt = |error| StoreError::codec(table, "contact", error);
        let contact = Put::builder().table_name(table).set_item(Some(contact));
        let contact = match seen {
            None => contact.condition_expression(keys::IS_NEW),
            Some(seen) => {
                contact.condition_expression("changed_at = :seen").expression_attribute_values(":seen", seen)
            }
        };
        let entry = Put::builder().table_name(table).set_item(Some(entry)).condition_expression(keys::IS_NEW);
        let put = |put: Put| TransactWriteItem::builder().put(put).build();
        self.transact(vec![put(contact.build().map_err(unbuilt)?), put(entry.build().map_err(unbuilt)?)])
            .await
    }
}
