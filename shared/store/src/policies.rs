//! Published policies, and a cache of those in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::Policy;
use duewatch_domain::kernel::PolicyId;
use duewatch_domain::policy::{self, MAX_VERSIONS, Versions};

use crate::{Store, StoreError, keys};

/// How long a cached policy is used before it is read again. So long after a publication, every function
/// assesses by the new version.
pub const FRESH_FOR: TimeDelta = TimeDelta::minutes(1);
/// The most policies in the cache.
const MAX_KEPT: usize = 1_000;

/// The cache of policies in use, each read again every minute.
#[derive(Debug, Default)]
pub struct Policies {
    kept: Mutex<HashMap<PolicyId, CachedPolicy>>,
}

#[derive(Clone, Debug)]
struct CachedPolicy {
    read_at: DateTime<Utc>,
    versions: Arc<Versions>,
}

impl Policies {
    /// The published versions of a policy, newest first and bounded.
    ///
    /// # Errors
    /// When it was never published, cannot be read, or the call fails.
    pub async fn get(
        &self,
        store: &Store,
        id: &PolicyId,
        now: DateTime<Utc>,
    ) -> Result<Arc<Versions>, StoreError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(kept) = kept
            && (now - kept.read_at).abs() < FRESH_FOR
        {
            return Ok(kept.versions);
        }
        let versions = Arc::new(store.policy_versions(id).await?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(id.clone(), CachedPolicy { read_at: now, versions: Arc::clone(&versions) });
        Ok(versions)
    }
}

impl Store {
    /// Publishes a policy version. Publishing the same text again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::PolicyVersionTaken`] when the version exists with another text.
    pub async fn publish_policy(&self, policy: &Policy, text: &str) -> Result<(), StoreError> {
        let table = &self.tables.records;
        let put = self
            .client
            .put_item()
            .table_name(table)
            .item(keys::PK, AttributeValue::S(keys::policy(&policy.id)))
            .item(keys::SK, AttributeValue::S(keys::version(policy.version)))
            .item("version", AttributeValue::N(policy.version.to_string()))
            .item("document", AttributeValue::S(text.to_owned()))
            .condition_expression(format!("{} OR #document = :document", keys::IS_NEW))
            .expression_attribute_names("#document", "document")
            .expression_attribute_values(":document", AttributeValue::S(text.to_owned()))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        match self.answered_if(table, put)? {
            Some(_) => Ok(()),
            None => {
                Err(StoreError::PolicyVersionTaken { id: policy.id.to_string(), version: policy.version })
            }
        }
    }

    /// The newest [`MAX_VERSIONS`] versions of a policy.
    ///
    /// # Errors
    /// [`StoreError::UnknownPolicy`] when it was never published; when a version cannot be read, or the call
    /// fails.
    pub async fn policy_versions(&self, id: &PolicyId) -> Result<Versions, StoreError> {
        let table = &self.tables.records;
        let sent = self
            .records_under(keys::policy(id), keys::VERSIONS.to_owned())
            .scan_index_forward(false)
            .limit(i32::try_from(MAX_VERSIONS).unwrap_or(i32::MAX))
            .send()
            .await;
        let answer = self.answered(table, sent)?;
        let items = answer.items.unwrap_or_default();
        let policies: Result<Vec<Policy>, StoreError> =
            items.iter().map(|item| read_version(table, id, item)).collect();
        Versions::new(policies?).ok_or_else(|| StoreError::UnknownPolicy(id.to_string()))
    }
}

fn read_version(
    table: &str,
    id: &PolicyId,
    item: &HashMap<String, AttributeValue>,
) -> Result<Policy, StoreError> {
    let Some(AttributeValue::S(text)) = item.get("document") else {
        return Err(StoreError::codec(table, keys::policy(id), "document is no string"));
    };
    let version = match item.get("version") {
        Some(AttributeValue::N(version)) => version.parse().unwrap_or_default(),
        _ => 0,
    };
    policy::parse_stored(text).map_err(|error| StoreError::FaultyPolicy {
        id: id.to_string(),
        version,
        error,
    })
}
