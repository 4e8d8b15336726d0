//! The records table: the data beside the accounts.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use chrono::{DateTime, Days, NaiveDate, SecondsFormat, Utc};
use duewatch_domain::kernel::{AccountId, Revision};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Store, StoreError, keys};

/// The expiry attribute, in seconds since 1970.
pub(crate) fn expiry(at: DateTime<Utc>) -> (String, AttributeValue) {
    (keys::EXPIRES_AT.to_owned(), AttributeValue::N(at.timestamp().to_string()))
}

pub(crate) fn texts<const N: usize>(texts: [(&str, String); N]) -> HashMap<String, AttributeValue> {
    HashMap::from(texts.map(|(name, text)| (name.to_owned(), AttributeValue::S(text))))
}

/// A record that could not be processed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The origin: mostly a function's name.
    pub source: String,
    /// The record's id there: an event id, an account id.
    pub id: String,
    pub reason: String,
    /// The record itself, as received.
    pub payload: String,
    pub at: DateTime<Utc>,
}

/// The end of a contact request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactOutcome {
    /// The message was handed to SNS.
    Sent,
    /// The reason of the request had gone before its message left.
    Withdrawn,
    /// A payment that cannot be posted blocked it.
    Held,
    /// The gate suppressed it.
    Suppressed,
    /// The message could not be rendered.
    #[serde(rename = "unsayable")]
    Unrenderable,
}

/// For how many days a record stays in quarantine. The bound limits how long personal data in a payload is
/// kept. A year is enough to repair the cause and requeue the record.
pub const QUARANTINE_DAYS: u64 = 400;

/// When a record quarantined at an instant expires.
fn quarantined_until(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    at.checked_add_days(Days::new(QUARANTINE_DAYS))
}

/// The most bytes of a payload that an item keeps; an item holds 400 KB.
const MAX_PAYLOAD_BYTES: usize = 350_000;

/// Pages of a day's quarantine that are counted or searched at most: up to 1 MB each.
const MAX_QUARANTINE_PAGES: usize = 4;

impl Store {
    /// Quarantines a record for [`QUARANTINE_DAYS`], with its payload. A repeated call leaves one item.
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
        let mut item: HashMap<String, AttributeValue> = item.into();
        item.extend(quarantined_until(kept.at).map(expiry));
        let pk = keys::quarantine(kept.at.date_naive());
        self.put_item(pk, keys::quarantined(&kept.source, &kept.id), item).await
    }

    /// The records quarantined on a date (UTC), at most a page of them.
    ///
    /// # Errors
    /// When the call fails or an item cannot be read.
    pub async fn quarantined_on(&self, date: NaiveDate) -> Result<Vec<Quarantined>, StoreError> {
        let records = self.records_table();
        let query =
            records.query(keys::OF_PARTITION, [(":pk", keys::quarantine(date))]).consistent_read(true);
        let page = records.page(query).await?;
        page.items
            .into_iter()
            .map(|mut item| {
                let key = keys::printable_key(&item);
                item.remove(keys::PK);
                item.remove(keys::SK);
                serde_dynamo::from_item(serde_dynamo::Item::from(item))
                    .map_err(|error| StoreError::codec(records.name, key, error))
            })
            .collect()
    }

    /// One quarantined record; `None` where it was released or has expired.
    ///
    /// # Errors
    /// When the call fails or the item cannot be read.
    pub async fn quarantined_as(
        &self,
        date: NaiveDate,
        source: &str,
        id: &str,
    ) -> Result<Option<Quarantined>, StoreError> {
        let item = self.record(keys::quarantine(date), keys::quarantined(source, id)).await?;
        item.map(|mut item| {
            item.remove(keys::PK);
            item.remove(keys::SK);
            serde_dynamo::from_item(serde_dynamo::Item::from(item))
                .map_err(|error| StoreError::codec(&self.tables.records, id, error))
        })
        .transpose()
    }

    /// Releases a record from quarantine, unless it was quarantined anew meanwhile.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn release(&self, quarantined: &Quarantined) -> Result<(), StoreError> {
        let table = &self.tables.records;
        let at = serde_json::to_value(quarantined.at)
            .map_err(|error| StoreError::codec(table, &*quarantined.id, error))?;
        let at = at.as_str().unwrap_or_default().to_owned();
        let pk = keys::quarantine(quarantined.at.date_naive());
        let sk = keys::quarantined(&quarantined.source, &quarantined.id);
        let records = self.records_table();
        let delete = records
            .delete(keys::record_key(&pk, &sk))
            .condition_expression("#at = :at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", AttributeValue::S(at));
        records.delete_if(delete).await.map(drop)
    }

    /// The number of records quarantined on a date (UTC), or in the first few MB of them.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn count_quarantined(&self, date: NaiveDate) -> Result<usize, StoreError> {
        self.search_quarantine(date, None).await
    }

    /// Whether a record of that payment was quarantined on a date (UTC), by any function.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn is_quarantined(
        &self,
        date: NaiveDate,
        account_id: &AccountId,
        payment_id: &str,
    ) -> Result<bool, StoreError> {
        Ok(self.search_quarantine(date, Some((account_id.as_str(), payment_id))).await? > 0)
    }

    /// Counts the records quarantined on a date; with `ids`, those that bear both in their payload.
    async fn search_quarantine(
        &self,
        date: NaiveDate,
        ids: Option<(&str, &str)>,
    ) -> Result<usize, StoreError> {
        let records = self.records_table();
        // As a payload writes it: in quotes.
        let quoted = |id: &str| AttributeValue::S(Value::from(id).to_string());
        let mut found = 0;
        let mut from = None;
        for _ in 0..MAX_QUARANTINE_PAGES {
            let mut query = records.query(keys::OF_PARTITION, [(":pk", keys::quarantine(date))]);
            query = query.select(Select::Count).set_exclusive_start_key(from);
            if let Some((account_id, payment_id)) = ids {
                query = query
                    .filter_expression("contains(payload, :account) AND contains(payload, :payment)")
                    .expression_attribute_values(":account", quoted(account_id))
                    .expression_attribute_values(":payment", quoted(payment_id));
            }
            let page = records.page(query).await?;
            found += page.count;
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Notes that a payment of an account is quarantined. The note expires with the quarantined record: a
    /// payment that still cannot be posted then is quarantined anew.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn mark_unpostable(
        &self,
        account_id: &AccountId,
        payment_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut noted = texts([("at", at.to_rfc3339_opts(SecondsFormat::Secs, true))]);
        noted.extend(quarantined_until(at).map(expiry));
        self.put_item(keys::account(account_id), keys::quarantined_payment(payment_id), noted).await
    }

    /// Whether a payment is noted as quarantined.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn is_unpostable(&self, account_id: &AccountId, payment_id: &str) -> Result<bool, StoreError> {
        let noted = self.record(keys::account(account_id), keys::quarantined_payment(payment_id)).await?;
        Ok(noted.is_some())
    }

    /// Notes that a revision of an account and all below were published. A lower revision than the noted one
    /// changes nothing. `after` is the revision of the preceding decision: where that was not noted, this
    /// call notes nothing, so that the unpublished decision stays visible.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn mark_published(
        &self,
        account_id: &AccountId,
        revision: Revision,
        after: Option<Revision>,
    ) -> Result<(), StoreError> {
        let records = self.records_table();
        let condition = match after {
            None => "attribute_not_exists(revision) OR revision < :revision",
            Some(_) => "revision >= :after AND revision < :revision",
        };
        let after = after.map(|after| (":after".to_owned(), AttributeValue::N(after.to_string())));
        let update = records
            .update(keys::record_key(&keys::account(account_id), keys::PUBLISHED))
            .update_expression("SET revision = :revision")
            .condition_expression(condition)
            .set_expression_attribute_values(Some(after.into_iter().collect()))
            .expression_attribute_values(":revision", AttributeValue::N(revision.to_string()));
        records.update_if(update).await.map(drop)
    }

    /// The revision of an account up to which all decisions were published.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn published(&self, account_id: &AccountId) -> Result<Option<Revision>, StoreError> {
        let item = self.record(keys::account(account_id), keys::PUBLISHED.to_owned()).await?;
        Ok(item.and_then(|item| match item.get("revision") {
            Some(AttributeValue::N(revision)) => revision.parse().ok().map(Revision),
            _ => None,
        }))
    }

    /// A consistent Query of the records under a partition key, by sort-key prefix.
    pub(crate) fn records_under(&self, pk: String, prefix: String) -> QueryFluentBuilder {
        let by = [(":pk", pk), (":prefix", prefix)];
        self.records_table().query(keys::UNDER_PREFIX, by).consistent_read(true)
    }

    pub(crate) async fn stored_due_shards(&self) -> Result<u32, StoreError> {
        let item = self.record(keys::SETTINGS.to_owned(), keys::DUE_SHARDS.to_owned()).await?;
        Ok(item
            .and_then(|item| match item.get("shards") {
                Some(AttributeValue::N(shards)) => shards.parse().ok(),
                _ => None,
            })
            .unwrap_or_default())
    }

    pub(crate) async fn store_due_shards(&self) -> Result<(), StoreError> {
        let records = self.records_table();
        let shards = AttributeValue::N(self.due_shards().to_string());
        let update = records
            .update(keys::record_key(keys::SETTINGS, keys::DUE_SHARDS))
            .update_expression("SET shards = :shards")
            .condition_expression("attribute_not_exists(shards) OR shards <= :shards")
            .expression_attribute_values(":shards", shards);
        if records.update_if(update).await? {
            return Ok(());
        }
        Err(StoreError::TooFewShards { stored: u32::MAX, set: self.due_shards() })
    }

    pub(crate) async fn record(
        &self,
        pk: String,
        sk: String,
    ) -> Result<Option<HashMap<String, AttributeValue>>, StoreError> {
        self.records_table().get(keys::record_key(&pk, &sk)).await
    }

    pub(crate) async fn put_item(
        &self,
        pk: String,
        sk: String,
        mut item: HashMap<String, AttributeValue>,
    ) -> Result<(), StoreError> {
        item.extend(keys::record_key(&pk, &sk));
        let records = self.records_table();
        records.put_if(records.put(item)).await.map(drop)
    }

    /// Deletes an item of the records table; a missing one is no error.
    pub(crate) async fn delete_record(&self, pk: String, sk: String) -> Result<(), StoreError> {
        let records = self.records_table();
        records.delete_if(records.delete(keys::record_key(&pk, &sk))).await.map(drop)
    }
}
