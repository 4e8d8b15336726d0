//! The texts that somebody wrote into commands, kept with the customer.
//!
//! The history bears their digests alone. An erasure of the customer's records deletes the texts, and the history
//! stays as it is.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::InboundMessage;
use duewatch_domain::commands::FreeText;
use duewatch_domain::kernel::CustomerId;

use crate::records::{expiry, texts};
use crate::{Store, StoreError, keys};

impl Store {
    /// Keeps the texts of a command with its customer, until an instant or for good. The same command is kept once,
    /// as it came first.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn keep_free_texts(
        &self,
        customer_id: &CustomerId,
        message: &InboundMessage,
        written: &[FreeText],
        until: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let event = &message.event;
        let sk = keys::free_texts(&event.account_id, &message.source, &message.event_id);
        let mut item = keys::record_key(&keys::customer(customer_id), &sk);
        item.extend(texts([
            ("account_id", event.account_id.to_string()),
            ("source", message.source.to_string()),
            ("event_id", message.event_id.to_string()),
            ("type", event.command.name().to_owned()),
            ("at", event.at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        ]));
        for FreeText { field, text, digest } in written {
            let kept = texts([("text", text.clone()), ("sha256", digest.clone())]);
            item.insert(format!("written_{field}"), AttributeValue::M(kept));
        }
        item.extend(until.map(expiry));
        let records = self.records_table();
        records.put_if(records.put(item).condition_expression(keys::IS_NEW)).await.map(drop)
    }
}
