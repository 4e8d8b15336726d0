//! Published policies.
//!
//! A version is written once, under its number, and on the condition that the version before is there: of two
//! publishers of one number one wins. Its item bears the digest of its text, its publisher, the instant, and its
//! approver where there is one. A text that does not fit its digest is refused by every reader.
//!
//! Items of earlier releases bear neither digest nor publisher, and stay readable. Attributes that a later
//! release adds, such as a signature of the digest with the id of its key, are left alone by this one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem};
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::Policy;
use duewatch_domain::kernel::PolicyId;
use duewatch_domain::policy::{self, MAX_VERSIONS, Versions};
use sha2::{Digest, Sha256};

use crate::table::Item;
use crate::{Store, StoreError, keys};

/// Who published a policy version, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyPublication {
    /// The caller, as the platform knows it.
    pub by: String,
    pub at: DateTime<Utc>,
    /// Who approved the text before, if another person did.
    pub approved_by: Option<String>,
    /// Why the effective date lies before the publication; none: it does not.
    pub backdated: Option<String>,
}

/// A published policy version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedPolicy {
    pub policy: Policy,
    pub text: String,
    /// Of the text: SHA-256, in hexadecimal digits.
    pub digest: String,
    /// None: an earlier release published it.
    pub publication: Option<PolicyPublication>,
}

/// The approval of a policy's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyApproval {
    pub by: String,
    pub at: DateTime<Utc>,
}

/// The digest of a policy's text: SHA-256, in hexadecimal digits.
#[must_use]
pub fn policy_digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store {
    /// Publishes the next version of a policy, or its first one. Returns whether the version is new: publishing
    /// the same text again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::PolicyVersionTaken`] when the version exists with another text,
    /// [`StoreError::PolicyVersionGap`] when the version before does not exist; when the call fails.
    pub async fn publish_policy(
        &self,
        policy: &Policy,
        text: &str,
        publication: &PolicyPublication,
    ) -> Result<bool, StoreError> {
        let mut item = version_item(policy, text);
        item.extend(publication_attributes(publication));
        let table = &self.tables().records;
        let unbuilt = |error| StoreError::codec(table, keys::policy(&policy.id), error);
        let put = Put::builder().table_name(table).set_item(Some(item)).condition_expression(keys::IS_NEW);
        let mut writes = vec![TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build()];
        if let Some(before) = policy.version.checked_sub(1).filter(|before| *before > 0) {
            let check = ConditionCheck::builder()
                .table_name(table)
                .set_key(Some(keys::record_key(&keys::policy(&policy.id), &keys::version(before))))
                .condition_expression(keys::EXISTS);
            writes
                .push(TransactWriteItem::builder().condition_check(check.build().map_err(unbuilt)?).build());
        }
        let written = self.transact(writes).await;
        if matches!(written, Ok(true)) {
            return Ok(true);
        }
        let (id, version) = (policy.id.to_string(), policy.version);
        match self.version_item(&policy.id, version).await? {
            Some(known) if document(&known) == Some(text) => Ok(false),
            Some(_) => Err(StoreError::PolicyVersionTaken { id, version }),
            None => written.and(Err(StoreError::PolicyVersionGap { id, version })),
        }
    }

    /// Puts a version into tables that nobody publishes into, as those of a replay: any number, any date, and no
    /// publisher. Putting the same text again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::PolicyVersionTaken`] when the version exists with another text.
    pub async fn install_policy(&self, policy: &Policy, text: &str) -> Result<(), StoreError> {
        let records = self.records_table();
        let put = records
            .put(version_item(policy, text))
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
    /// [`StoreError::UnknownPolicy`] when it was never published; when a version cannot be read or was altered, or
    /// the call fails.
    pub async fn policy_versions(&self, id: &PolicyId) -> Result<Versions, StoreError> {
        let published = self.published_policies(id, MAX_VERSIONS).await?;
        let policies = published.into_iter().map(|published| published.policy).collect();
        Versions::new(policies).ok_or_else(|| StoreError::UnknownPolicy(id.to_string()))
    }

    /// The newest versions of a policy with their publications, newest first; none: it was never published.
    ///
    /// # Errors
    /// When a version cannot be read or was altered, or the call fails.
    pub async fn published_policies(
        &self,
        id: &PolicyId,
        most: usize,
    ) -> Result<Vec<PublishedPolicy>, StoreError> {
        let records = self.records_table();
        let query = self.records_under(keys::policy(id), keys::VERSIONS.to_owned());
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let items = records.page(query.scan_index_forward(false).limit(most)).await?.items;
        items.iter().map(|item| read_version(records.name, id, item)).collect()
    }

    /// One version of a policy; none: it was never published.
    ///
    /// # Errors
    /// As [`published_policies`](Self::published_policies).
    pub async fn policy_version(&self, id: &PolicyId, version: u32) -> Result<Option<Policy>, StoreError> {
        let item = self.version_item(id, version).await?;
        let read = item.map(|item| read_version(&self.tables().records, id, &item)).transpose()?;
        Ok(read.map(|published| published.policy))
    }

    /// A Query, for every function may do that on the records.
    async fn version_item(&self, id: &PolicyId, version: u32) -> Result<Option<Item>, StoreError> {
        let query = self.records_under(keys::policy(id), keys::version(version)).limit(1);
        Ok(self.records_table().page(query).await?.items.pop())
    }

    /// Notes who approves a policy's text, by its digest. The latest approval counts.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn approve_policy(
        &self,
        id: &PolicyId,
        digest: &str,
        approval: &PolicyApproval,
    ) -> Result<(), StoreError> {
        let item = HashMap::from([
            ("by".to_owned(), AttributeValue::S(approval.by.clone())),
            ("at".to_owned(), AttributeValue::S(instant(approval.at))),
        ]);
        self.put_item(keys::policy(id), keys::approval(digest), item).await
    }

    /// The approval of a policy's text; none: nobody approved it.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn policy_approval(
        &self,
        id: &PolicyId,
        digest: &str,
    ) -> Result<Option<PolicyApproval>, StoreError> {
        let item = self.record(keys::policy(id), keys::approval(digest)).await?;
        Ok(item.and_then(|item| {
            Some(PolicyApproval { by: text(&item, "by")?, at: text(&item, "at")?.parse().ok()? })
        }))
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn text(item: &Item, name: &str) -> Option<String> {
    item.get(name).and_then(|value| value.as_s().ok()).cloned()
}

fn document(item: &Item) -> Option<&str> {
    item.get("document").and_then(|value| value.as_s().ok()).map(String::as_str)
}

fn version_item(policy: &Policy, text: &str) -> Item {
    let mut item = keys::record_key(&keys::policy(&policy.id), &keys::version(policy.version));
    item.insert("version".to_owned(), AttributeValue::N(policy.version.to_string()));
    item.insert("document".to_owned(), AttributeValue::S(text.to_owned()));
    item.insert("digest".to_owned(), AttributeValue::S(policy_digest(text)));
    item
}

fn publication_attributes(publication: &PolicyPublication) -> Item {
    let PolicyPublication { by, at, approved_by, backdated } = publication.clone();
    let texts = [
        ("published_by", Some(by)),
        ("published_at", Some(instant(at))),
        ("approved_by", approved_by),
        ("backdated", backdated),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text?)));
    texts.map(|(name, text)| (name.to_owned(), AttributeValue::S(text))).collect()
}

fn read_version(table: &str, id: &PolicyId, item: &Item) -> Result<PublishedPolicy, StoreError> {
    let Some(document) = document(item) else {
        return Err(StoreError::codec(table, keys::policy(id), "document is no string"));
    };
    let version = match item.get("version") {
        Some(AttributeValue::N(version)) => version.parse().unwrap_or_default(),
        _ => 0,
    };
    let altered = || StoreError::PolicyAltered { id: id.to_string(), version };
    let digest = policy_digest(document);
    if text(item, "digest").is_some_and(|stored| stored != digest) {
        return Err(altered());
    }
    let mut policy = policy::parse_stored(document).map_err(|error| StoreError::FaultyPolicy {
        id: id.to_string(),
        version,
        error,
    })?;
    let is_its_own = policy.id == *id && text(item, keys::SK) == Some(keys::version(policy.version));
    if !is_its_own {
        return Err(altered());
    }
    let publication =
        read_publication(item).map_err(|fault| StoreError::codec(table, keys::policy(id), fault))?;
    policy.published_at = publication.as_ref().map(|publication| publication.at);
    Ok(PublishedPolicy { policy, text: document.to_owned(), digest, publication })
}

fn read_publication(item: &Item) -> Result<Option<PolicyPublication>, &'static str> {
    let (Some(by), Some(at)) = (text(item, "published_by"), text(item, "published_at")) else {
        return Ok(None);
    };
    let at = at.parse().map_err(|_| "published_at is no instant")?;
    let (approved_by, backdated) = (text(item, "approved_by"), text(item, "backdated"));
    Ok(Some(PolicyPublication { by, at, approved_by, backdated }))
}
