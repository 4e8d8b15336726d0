//! Contact records of customers, and the messages that carried them.
//!
//! A contact record is stored under the customer's key, beside the contact profile. A message's record is
//! stored under its own key, for the delivery provider that reports on it knows only the message id.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use duewatch_domain::contact::{GateReason, QueuedRequest, Receipt};
use duewatch_domain::kernel::{ContactId, CustomerId, ThirdPartyId};
use duewatch_domain::policy::Channel;
use serde::{Deserialize, Serialize};

use crate::keys::SK;
use crate::table::ItemPage;
use crate::{ContactOutcome, Store, StoreError, WriteConflict, keys, retry_conflicts};

/// The most receipts kept of a message.
const MAX_RECEIPTS: usize = 20;
/// Pages of contact records that are read at most: up to 1 MB each.
const MAX_PAGES: usize = 10;

/// A contact record: how a contact request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactRecord {
    #[serde(rename = "planned")]
    pub request: QueuedRequest,
    pub outcome: ContactOutcome,
    pub at: DateTime<Utc>,
    /// The gate's reason, where no message left.
    #[serde(rename = "why", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<GateReason>,
    /// The message that covered the request, and its channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<(ContactId, Channel)>,
}

/// A message's record under its id alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageRecord {
    pub customer_id: CustomerId,
    pub channel: Channel,
    /// The third-party contact that the message asks; `None` for a message to the customer.
    #[serde(rename = "contact_person", default, skip_serializing_if = "Option::is_none")]
    pub third_party: Option<ThirdPartyId>,
    /// The contact requests that the message covers.
    pub contacts: Vec<ContactId>,
    /// The receipts so far, without their reasons: a reason may be the borrower's own words, and an erasure
    /// does not search message records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
}

impl MessageRecord {
    /// Whether a receipt is recorded.
    #[must_use]
    pub fn knows(&self, receipt: &Receipt) -> bool {
        self.receipts.iter().any(|known| (known.at, known.outcome) == (receipt.at, receipt.outcome))
    }
}

/// A page of the contact records of all customers.
#[derive(Clone, Debug, Default)]
pub struct ContactRecordsPage {
    /// Ended contact requests.
    pub records: Vec<ContactRecord>,
    pub messages: Vec<(ContactId, MessageRecord)>,
    /// Items scanned, whether they match or not.
    pub scanned: u64,
    /// The start of the next page; `None` on the last page.
    pub next: Option<HashMap<String, AttributeValue>>,
}

impl Store {
    /// Adds a delivery provider's receipt to its message's record. Returns whether it was new; a repeated
    /// receipt changes nothing.
    ///
    /// # Errors
    /// When a call fails, or other writers keep winning.
    pub async fn record_receipt(&self, receipt: &Receipt) -> Result<bool, StoreError> {
        let message_id = &receipt.message_id;
        let records = self.records_table();
        retry_conflicts(async || {
            let Some(item) = self.record(keys::message(message_id), keys::MESSAGE.to_owned()).await? else {
                return Ok(false);
            };
            let mut message: MessageRecord = self.read(&item, "message")?;
            if message.knows(receipt) || message.receipts.len() >= MAX_RECEIPTS {
                return Ok(false);
            }
            message.receipts.push(Receipt { reason: None, ..receipt.clone() });
            let seen = item.get("message").cloned().unwrap_or_else(|| AttributeValue::S(String::new()));
            let update = records
                .update(keys::record_key(&keys::message(message_id), keys::MESSAGE))
                .update_expression("SET message = :message")
                .condition_expression("message = :seen")
                .expression_attribute_values(":message", AttributeValue::S(self.written(&message)?))
                .expression_attribute_values(":seen", seen);
            if records.update_if(update).await? {
                return Ok(true);
            }
            Err(WriteConflict::MessageReceipts(message_id.clone()).into())
        })
        .await
    }

    /// A message's record; `None` for an unknown or expired message.
    ///
    /// # Errors
    /// When the call fails or the item cannot be read.
    pub async fn message(&self, message_id: &ContactId) -> Result<Option<MessageRecord>, StoreError> {
        let item = self.record(keys::message(message_id), keys::MESSAGE.to_owned()).await?;
        item.map(|item| self.read(&item, "message")).transpose()
    }

    /// A contact record; `None` while the request has not ended.
    ///
    /// # Errors
    /// When the call fails or the item cannot be read.
    pub async fn contact_record(
        &self,
        customer_id: &CustomerId,
        contact_id: &ContactId,
    ) -> Result<Option<ContactRecord>, StoreError> {
        let item = self.record(keys::customer(customer_id), keys::contact_record(contact_id)).await?;
        item.map(|item| self.read(&item, "said")).transpose()
    }

    /// The contact records of a customer, sent or not, oldest first; at most the first ten megabytes.
    ///
    /// # Errors
    /// When a call fails or an item cannot be read.
    pub async fn contact_records(&self, customer_id: &CustomerId) -> Result<Vec<ContactRecord>, StoreError> {
        let records = self.records_table();
        let (mut record, mut from) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let query = self.records_under(keys::customer(customer_id), keys::CONTACT_RECORDS.to_owned());
            let page = records.page(query.set_exclusive_start_key(from)).await?;
            for item in page.items {
                record.push(self.read::<ContactRecord>(&item, "said")?);
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        record.sort_by(|one, other| {
            (one.at, &one.request.contact_id).cmp(&(other.at, &other.request.contact_id))
        });
        Ok(record)
    }

    /// A page of the contact records of all customers, from where the page before ended. No index covers
    /// them: it scans the whole table, at a read unit for each 8 KB.
    ///
    /// # Errors
    /// When the call fails or an item cannot be read.
    pub async fn all_contact_records(
        &self,
        from: Option<HashMap<String, AttributeValue>>,
    ) -> Result<ContactRecordsPage, StoreError> {
        let records = self.records_table();
        let scan = records
            .scan()
            .filter_expression(format!("begins_with({SK}, :said) OR {SK} = :message"))
            .expression_attribute_values(":said", AttributeValue::S(keys::CONTACT_RECORDS.to_owned()))
            .expression_attribute_values(":message", AttributeValue::S(keys::MESSAGE.to_owned()))
            .set_exclusive_start_key(from);
        let ItemPage { items, scanned, next, .. } = records.scan_page(scan).await?;
        let mut page = ContactRecordsPage { scanned, next, ..ContactRecordsPage::default() };
        for item in items {
            let pk = item.get(keys::PK).and_then(|pk| pk.as_s().ok()).map_or("", String::as_str);
            match keys::message_in(pk) {
                Some(id) => {
                    let id = id.parse().map_err(|problem| StoreError::codec(records.name, id, problem))?;
                    page.messages.push((id, self.read(&item, "message")?));
                }
                None => page.records.push(self.read(&item, "said")?),
            }
        }
        Ok(page)
    }
}
