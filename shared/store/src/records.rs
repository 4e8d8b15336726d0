//! The records table: what is kept beside the accounts.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::ids::{AccountId, MAX_ID_BYTES, PaymentId, PolicyId, Revision};
use duewatch_domain::reminder::Intent;
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError};

pub(crate) fn policy_key(id: &PolicyId) -> String {
    format!("policy#{id}")
}

pub(crate) fn version_key(version: u32) -> String {
    format!("version#{version:010}")
}

fn account_key(id: &AccountId) -> String {
    format!("account#{id}")
}

fn texts<const N: usize>(texts: [(&str, String); N]) -> HashMap<String, AttributeValue> {
    HashMap::from(texts.map(|(name, text)| (name.to_owned(), AttributeValue::S(text))))
}

/// A record that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Where it came from: a function's name.
    pub source: String,
    /// What it is called there: an event id, an account id.
    pub id: String,
    /// Why it could not be taken.
    pub reason: String,
    /// The record itself, as it came.
    pub payload: String,
    /// When it was set aside.
    pub at: DateTime<Utc>,
}

/// What became of a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactOutcome {
    /// It was handed to SNS.
    Sent,
    /// Its reason had gone when it was about to leave.
    Withdrawn,
    /// Money that could not be posted kept it back.
    Held,
}

impl ContactOutcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Withdrawn => "withdrawn",
            Self::Held => "held",
        }
    }
}

/// The most bytes of a payload that an item keeps; an item holds 400 KB.
const MAX_PAYLOAD_BYTES: usize = 350_000;

/// What a record is quarantined under: its id, or the beginning and a checksum of one that
/// is longer than a key of ours can be.
fn quarantine_key(id: &str) -> String {
    if id.len() <= MAX_ID_BYTES * 2 {
        return id.to_owned();
    }
    let beginning: String = id.chars().take(MAX_ID_BYTES / 4).collect();
    format!("{beginning}#{:08x}", crc32fast::hash(id.as_bytes()))
}

impl Store {
    /// Sets a record aside, with its payload. Doing it twice leaves one.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn quarantine(&self, quarantined: &Quarantined) -> Result<(), StoreError> {
        let table = &self.tables.records;
        let mut kept = quarantined.clone();
        if kept.payload.len() > MAX_PAYLOAD_BYTES {
            let mut end = MAX_PAYLOAD_BYTES;
            while !kept.payload.is_char_boundary(end) {
                end -= 1;
            }
            kept.payload.truncate(end);
        }
        let item: serde_dynamo::Item =
            serde_dynamo::to_item(&kept).map_err(|error| StoreError::codec(table, &*kept.id, error))?;
        let item: HashMap<String, AttributeValue> = item.into();
        let pk = format!("quarantine#{}", kept.at.date_naive());
        self.put_item(pk, format!("{}#{}", kept.source, quarantine_key(&kept.id)), item).await
    }

    /// What was quarantined on a date (UTC), at most a page of it.
    ///
    /// # Errors
    /// When the call fails or an item cannot be read.
    pub async fn quarantined_on(&self, date: chrono::NaiveDate) -> Result<Vec<Quarantined>, StoreError> {
        let table = &self.tables.records;
        let sent = self
            .client
            .query()
            .table_name(table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(format!("quarantine#{date}")))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        let answer = self.answered(table, sent)?;
        answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|mut item| {
                item.remove("pk");
                let key = format!("{:?}", item.remove("sk"));
                serde_dynamo::from_item(serde_dynamo::Item::from(item))
                    .map_err(|error| StoreError::codec(table, key, error))
            })
            .collect()
    }

    /// Notes that a payment came before its account.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn park(
        &self,
        account_id: &AccountId,
        payment_id: &PaymentId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.put_item(
            account_key(account_id),
            format!("parked#{payment_id}"),
            texts([("at", at.to_rfc3339_opts(SecondsFormat::Secs, true))]),
        )
        .await
    }

    /// Takes the note of a parked payment away.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn unpark(&self, account_id: &AccountId, payment_id: &PaymentId) -> Result<(), StoreError> {
        let table = &self.tables.records;
        let sent = self
            .client
            .delete_item()
            .table_name(table)
            .key("pk", AttributeValue::S(account_key(account_id)))
            .key("sk", AttributeValue::S(format!("parked#{payment_id}")))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        self.answered(table, sent)?;
        Ok(())
    }

    /// The payments of an account that are parked.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn parked(&self, account_id: &AccountId) -> Result<Vec<String>, StoreError> {
        let items = self.records_of(account_id, "parked#").await?;
        Ok(items
            .into_iter()
            .filter_map(|item| match item.get("sk") {
                Some(AttributeValue::S(key)) => key.strip_prefix("parked#").map(str::to_owned),
                _ => None,
            })
            .collect())
    }

    /// Notes the highest revision of an account that was published. A lower one
    /// than is noted changes nothing.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn mark_published(&self, account_id: &AccountId, revision: Revision) -> Result<(), StoreError> {
        let table = &self.tables.records;
        let update = self
            .client
            .update_item()
            .table_name(table)
            .key("pk", AttributeValue::S(account_key(account_id)))
            .key("sk", AttributeValue::S("published".to_owned()))
            .update_expression("SET revision = :revision")
            .condition_expression("attribute_not_exists(revision) OR revision < :revision")
            .expression_attribute_values(":revision", AttributeValue::N(revision.to_string()))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        self.answered_if(table, update)?;
        Ok(())
    }

    /// The highest revision of an account that was published.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn published(&self, account_id: &AccountId) -> Result<Option<Revision>, StoreError> {
        let item = self.record(account_key(account_id), "published".to_owned()).await?;
        Ok(item.and_then(|item| match item.get("revision") {
            Some(AttributeValue::N(revision)) => revision.parse().ok().map(Revision),
            _ => None,
        }))
    }

    /// Notes what became of a reminder.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn record_contact(
        &self,
        account_id: &AccountId,
        revision: Revision,
        intent: &Intent,
        outcome: ContactOutcome,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.put_item(
            account_key(account_id),
            format!("contact#{:020}#{}", revision.0, intent.channel),
            texts([
                ("outcome", outcome.as_str().to_owned()),
                ("template", intent.template.clone()),
                ("at", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            ]),
        )
        .await
    }

    /// What became of an account's reminders: `(revision#channel, outcome)`, oldest first.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn contacts(&self, account_id: &AccountId) -> Result<Vec<(String, String)>, StoreError> {
        let items = self.records_of(account_id, "contact#").await?;
        Ok(items
            .into_iter()
            .filter_map(|item| match (item.get("sk"), item.get("outcome")) {
                (Some(AttributeValue::S(key)), Some(AttributeValue::S(outcome))) => {
                    Some((key.trim_start_matches("contact#").to_owned(), outcome.clone()))
                }
                _ => None,
            })
            .collect())
    }

    pub(crate) async fn stored_due_shards(&self) -> Result<u32, StoreError> {
        let item = self.record("settings".to_owned(), "due_shards".to_owned()).await?;
        Ok(item
            .and_then(|item| match item.get("shards") {
                Some(AttributeValue::N(shards)) => shards.parse().ok(),
                _ => None,
            })
            .unwrap_or_default())
    }

    pub(crate) async fn store_due_shards(&self) -> Result<(), StoreError> {
        let table = &self.tables.records;
        let shards = AttributeValue::N(self.due_shards().to_string());
        let update = self
            .client
            .update_item()
            .table_name(table)
            .key("pk", AttributeValue::S("settings".to_owned()))
            .key("sk", AttributeValue::S("due_shards".to_owned()))
            .update_expression("SET shards = :shards")
            .condition_expression("attribute_not_exists(shards) OR shards <= :shards")
            .expression_attribute_values(":shards", shards)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        match self.answered_if(table, update)? {
            Some(_) => Ok(()),
            None => Err(StoreError::TooFewShards { stored: u32::MAX, set: self.due_shards() }),
        }
    }

    pub(crate) async fn record(
        &self,
        pk: String,
        sk: String,
    ) -> Result<Option<HashMap<String, AttributeValue>>, StoreError> {
        let table = &self.tables.records;
        let sent = self
            .client
            .get_item()
            .table_name(table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        let answer = self.answered(table, sent)?;
        Ok(answer.item)
    }

    pub(crate) async fn put_item(
        &self,
        pk: String,
        sk: String,
        attributes: HashMap<String, AttributeValue>,
    ) -> Result<(), StoreError> {
        let table = &self.tables.records;
        let sent = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(attributes))
            .item("pk", AttributeValue::S(pk))
            .item("sk", AttributeValue::S(sk))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        self.answered(table, sent)?;
        Ok(())
    }

    /// One page of an account's records: up to 1 MB, far more than we look at.
    async fn records_of(
        &self,
        account_id: &AccountId,
        prefix: &str,
    ) -> Result<Vec<HashMap<String, AttributeValue>>, StoreError> {
        let table = &self.tables.records;
        let sent = self
            .client
            .query()
            .table_name(table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(account_key(account_id)))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        let answer = self.answered(table, sent)?;
        Ok(answer.items.unwrap_or_default())
    }
}
