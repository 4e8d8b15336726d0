//! What was said to persons, and the messages that said it.
//!
//! How each wish ended lies under the customer's key, beside the person. What is known of a message
//! lies under its own: its sender, who reports what became of it, knows nothing else.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use chrono::{DateTime, Utc};
use duewatch_domain::contact::{Planned, Receipt, Why};
use duewatch_domain::kernel::{ContactId, ContactPersonId, CustomerId};
use duewatch_domain::policy::Channel;
use serde::{Deserialize, Serialize};

use crate::customers::customer_key;
use crate::persons::key;
use crate::{ContactOutcome, MAX_CONFLICTS, Store, StoreError};

/// What the keys of what was said begin with.
const SAID: &str = "said#";
/// Where a message is, under its own key.
pub(crate) const MESSAGE: &str = "message";
/// The most reports that are kept of a message.
const MAX_RECEIPTS: usize = 20;
/// Pages of what was said that are read at most: up to 1 MB each.
const MAX_PAGES: usize = 10;

/// How a planned contact ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// What was planned.
    pub planned: Planned,
    /// What became of it.
    pub outcome: ContactOutcome,
    /// When.
    pub at: DateTime<Utc>,
    /// The gate's reason, where it did not leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// The message that spoke for it, and how that travelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<(ContactId, Channel)>,
}

/// What is known of a message under its id alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentMessage {
    /// To whom it went.
    pub customer_id: CustomerId,
    /// How it travels.
    pub channel: Channel,
    /// The contact person whom it asks; none: it goes to the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_person: Option<ContactPersonId>,
    /// The wishes that it speaks for.
    pub contacts: Vec<ContactId>,
    /// What its reports say so far, but not why: that may be the reader's own words, and what is
    /// erased of a person is not looked for here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
}

impl SentMessage {
    /// Whether a report is noted.
    #[must_use]
    pub fn knows(&self, receipt: &Receipt) -> bool {
        self.receipts.iter().any(|known| (known.at, known.outcome) == (receipt.at, receipt.outcome))
    }
}

/// A page of what all persons were told.
#[derive(Clone, Debug, Default)]
pub struct AllContactsPage {
    /// What has ended.
    pub said: Vec<Said>,
    /// What is known of messages.
    pub messages: Vec<(ContactId, SentMessage)>,
    /// How many items were looked at.
    pub looked_at: u64,
    /// Where the next page begins; none: this was the last.
    pub next: Option<HashMap<String, AttributeValue>>,
}

pub(crate) fn said_key(contact_id: &ContactId) -> String {
    format!("{SAID}{contact_id}")
}

pub(crate) fn message_key(message_id: &ContactId) -> String {
    format!("message#{message_id}")
}

impl Store {
    /// Adds what a sender reports of a message to what is known of it. Says whether it was new.
    ///
    /// # Errors
    /// When a call fails, or others keep writing it.
    pub async fn note_receipt(&self, receipt: &Receipt) -> Result<bool, StoreError> {
        let message_id = &receipt.message_id;
        let table = &self.tables.records;
        for _ in 0..=MAX_CONFLICTS {
            let Some(item) = self.record(message_key(message_id), MESSAGE.to_owned()).await? else {
                return Ok(false);
            };
            let mut message: SentMessage = self.read(&item, "message")?;
            if message.knows(receipt) || message.receipts.len() >= MAX_RECEIPTS {
                return Ok(false);
            }
            message.receipts.push(Receipt { reason: None, ..receipt.clone() });
            let seen = item.get("message").cloned().unwrap_or_else(|| AttributeValue::S(String::new()));
            let update = self
                .client
                .update_item()
                .table_name(table)
                .set_key(Some(key(&message_key(message_id), MESSAGE)))
                .update_expression("SET message = :message")
                .condition_expression("message = :seen")
                .expression_attribute_values(":message", AttributeValue::S(self.written(&message)?))
                .expression_attribute_values(":seen", seen)
                .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
                .send()
                .await;
            if self.answered_if(table, update)?.is_some() {
                return Ok(true);
            }
        }
        Err(StoreError::Conflict { account_id: message_key(message_id), revision: 0 })
    }

    /// What is known of a message; none: it is none of ours, or it is long ago.
    ///
    /// # Errors
    /// When the call fails or the item cannot be read.
    pub async fn message(&self, message_id: &ContactId) -> Result<Option<SentMessage>, StoreError> {
        let item = self.record(message_key(message_id), MESSAGE.to_owned()).await?;
        item.map(|item| self.read(&item, "message")).transpose()
    }

    /// What became of a contact; none: it has not ended.
    ///
    /// # Errors
    /// When the call fails or the item cannot be read.
    pub async fn said_of(
        &self,
        customer_id: &CustomerId,
        contact_id: &ContactId,
    ) -> Result<Option<Said>, StoreError> {
        let item = self.record(customer_key(customer_id), said_key(contact_id)).await?;
        item.map(|item| self.read(&item, "said")).transpose()
    }

    /// What was said to a person, and what was not and why, oldest first; of very much the first
    /// ten megabytes.
    ///
    /// # Errors
    /// When a call fails or an item cannot be read.
    pub async fn said_to(&self, customer_id: &CustomerId) -> Result<Vec<Said>, StoreError> {
        let table = &self.tables.records;
        let (mut said, mut from) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let sent = self
                .records_under(customer_key(customer_id), SAID.to_owned())
                .set_exclusive_start_key(from)
                .send()
                .await;
            let answer = self.answered(table, sent)?;
            for item in answer.items.unwrap_or_default() {
                said.push(self.read::<Said>(&item, "said")?);
            }
            from = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if from.is_none() {
                break;
            }
        }
        said.sort_by(|one, other| {
            (one.at, &one.planned.contact_id).cmp(&(other.at, &other.planned.contact_id))
        });
        Ok(said)
    }

    /// A page of what all persons were told, from where the page before ended: a walk over the whole
    /// table, for there is no index by it. It costs a read unit for each 8 KB.
    ///
    /// # Errors
    /// When the call fails or an item cannot be read.
    pub async fn all_contacts(
        &self,
        from: Option<HashMap<String, AttributeValue>>,
    ) -> Result<AllContactsPage, StoreError> {
        let table = &self.tables.records;
        let sent = self
            .client
            .scan()
            .table_name(table)
            .filter_expression("begins_with(sk, :said) OR sk = :message")
            .expression_attribute_values(":said", AttributeValue::S(SAID.to_owned()))
            .expression_attribute_values(":message", AttributeValue::S(MESSAGE.to_owned()))
            .set_exclusive_start_key(from)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        let answer = self.answered(table, sent)?;
        let mut page = AllContactsPage {
            looked_at: u64::try_from(answer.scanned_count).unwrap_or_default(),
            next: answer.last_evaluated_key.filter(|key| !key.is_empty()),
            ..AllContactsPage::default()
        };
        for item in answer.items.unwrap_or_default() {
            let pk = item.get("pk").and_then(|pk| pk.as_s().ok()).map_or("", String::as_str);
            match pk.strip_prefix("message#") {
                Some(id) => {
                    let id = id.parse().map_err(|problem| StoreError::codec(table, id, problem))?;
                    page.messages.push((id, self.read(&item, "message")?));
                }
                None => page.said.push(self.read(&item, "said")?),
            }
        }
        Ok(page)
    }
}
