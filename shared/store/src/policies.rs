//! Published policies.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use duewatch_domain::Policy;
use duewatch_domain::kernel::PolicyId;
use duewatch_domain::policy::{self, MAX_VERSIONS, Versions};

use crate::{Store, StoreError, keys};

impl Store {
    /// Publishes a policy version. Publishing the same text again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::PolicyVersionTaken`] when the version exists with another text.
    pub async fn publish_policy(&self, policy: &Policy, text: &str) -> Result<(), StoreError> {
        let records = self.records_table();
        let put = records
            .put(keys::record_key(&keys::policy(&policy.id), &keys::version(policy.version)))
            .item("version", AttributeValue::N(policy.version.to_string()))
            .item("document", AttributeValue::S(text.to_owned()))
            .condition_expression(format!("{} OR #document = :document", keys::IS_NEW))
            .expression_attribute_names("#document", "document")
            .expression_attribute_values(":document", AttributeValue::S(text.to_owned()));
        if records.put_if(put).await? {
            return Ok(());
        }
        Err(StoreError::PolicyVersionTaken { id: policy.id.to_string(), version: policy.version })
    }

    /// The newest [`MAX_VERSIONS`] versions of a policy.
    ///
    /// # Errors
    /// [`StoreError::UnknownPolicy`] when it was never published; when a version cannot be read, or the call
    /// fails.
    pub async fn policy_versions(&self, id: &PolicyId) -> Result<Versions, StoreError> {
        let records = self.records_table();
        let query = self.records_under(keys::policy(id), keys::VERSIONS.to_owned());
        let most = i32::try_from(MAX_VERSIONS).unwrap_or(i32::MAX);
        let items = records.page(query.scan_index_forward(false).limit(most)).await?.items;
        let policies: Result<Vec<Policy>, StoreError> =
            items.iter().map(|item| read_version(records.name, id, item)).collect();
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
