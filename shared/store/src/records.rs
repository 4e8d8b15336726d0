//! The records table: the data beside the accounts.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use duewatch_domain::kernel::{AccountId, Revision};
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError, keys};

/// The expiry attribute, in seconds since 1970.
pub(crate) fn expiry(at: DateTime<Utc>) -> (String, AttributeValue) {
    (keys::EXPIRES_AT.to_owned(), AttributeValue::N(at.timestamp().to_string()))
}

pub(crate) fn texts<const N: usize>(texts: [(&str, String); N]) -> HashMap<String, AttributeValue> {
    HashMap::from(texts.map(|(name, text)| (name.to_owned(), AttributeValue::S(text))))
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

impl ContactOutcome {
    /// The name in views.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Withdrawn => "withdrawn",
            Self::Held => "held",
            Self::Suppressed => "suppressed",
            Self::Unrenderable => "unrenderable",
        }
    }
}

impl Store {
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
