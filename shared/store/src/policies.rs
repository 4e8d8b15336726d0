//! Published policies.
//!
//! A version is written once, under its number, and on the condition that the version before is there: of two
//! publishers of one number one wins. Its item bears the digest of its text, its publisher, the instant, and its
//! approver where there is one. A text that does not fit its digest is refused by every reader.
//!
//! Versions lie in a table of their own, which no function may write, and bear the publisher's signature. With a key in
//! the settings, a version without a signature of one of the keys is refused by every reader. Without a key
//! ([`PolicyKeys::NONE`]) versions are taken unsigned, and a policy that the table does not have is read where earlier
//! releases published it, in the records table: items there bear no signature, and the oldest neither digest nor
//! publisher. [`Store::sign_policy`] moves and signs them.

mod signature;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem};
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::Policy;
use duewatch_domain::kernel::PolicyId;
use duewatch_domain::policy::{self, MAX_VERSIONS, Versions};
use sha2::{Digest, Sha256};

pub use self::signature::{MAX_POLICY_KEYS, NoPolicyKeys, PolicyKeys};

use self::signature::{approval_statement, signature_of, statement};
use crate::records::texts;
use crate::table::{Item, ItemPage, StoreTable};
use crate::{PrivateKey, Store, StoreError, keys};

/// The attribute that bears a signature, in hexadecimal digits.
const SIGNATURE: &str = "signature";

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
    /// Publishes the next version of a policy, or its first one, signed by a key. Returns whether the version is new:
    /// publishing the same text again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::PolicyVersionTaken`] when the version exists with another text,
    /// [`StoreError::PolicyVersionGap`] when the version before does not exist; when the call fails.
    pub async fn publish_policy(
        &self,
        policy: &Policy,
        text: &str,
        publication: &PolicyPublication,
        key: Option<&PrivateKey>,
    ) -> Result<bool, StoreError> {
        let item = version_item(policy, text, Some(publication), key);
        let table = &self.tables().policies;
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
        match version_in(self.policies_table(), &policy.id, version).await? {
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
    pub async fn install_policy(
        &self,
        policy: &Policy,
        text: &str,
        key: &PrivateKey,
    ) -> Result<(), StoreError> {
        self.put_version(policy, text, None, key).await
    }

    /// Puts a version unless its number has another text.
    async fn put_version(
        &self,
        policy: &Policy,
        text: &str,
        publication: Option<&PolicyPublication>,
        key: &PrivateKey,
    ) -> Result<(), StoreError> {
        let policies = self.policies_table();
        let put = policies
            .put(version_item(policy, text, publication, Some(key)))
            .condition_expression(format!("{} OR #document = :document", keys::IS_NEW))
            .expression_attribute_names("#document", "document")
            .expression_attribute_values(":document", AttributeValue::S(text.to_owned()));
        if policies.put_if(put).await? {
            return Ok(());
        }
        Err(StoreError::PolicyVersionTaken { id: policy.id.to_string(), version: policy.version })
    }

    /// Signs every version of a policy as it lies there, whoever put it. Versions that an earlier release put into the
    /// records table are put into the policies table, the oldest last: where that one is there, none is left. Returns
    /// the signed versions, newest first.
    ///
    /// # Errors
    /// [`StoreError::UnknownPolicy`] when there is none; when a version was altered or cannot be read, or a call fails.
    /// The caller then calls again.
    pub async fn sign_policy(
        &self,
        id: &PolicyId,
        key: &PrivateKey,
    ) -> Result<Vec<PublishedPolicy>, StoreError> {
        let mut versions = self.unverified(self.records_table(), id).await?;
        let is_moved = match versions.last() {
            Some(oldest) => version_in(self.policies_table(), id, oldest.policy.version).await?.is_some(),
            None => true,
        };
        if is_moved {
            versions = self.unverified(self.policies_table(), id).await?;
        }
        if versions.is_empty() {
            return Err(StoreError::UnknownPolicy(id.to_string()));
        }
        for PublishedPolicy { policy, text, publication, .. } in &versions {
            self.put_version(policy, text, publication.as_ref(), key).await?;
        }
        Ok(versions)
    }

    /// All versions of a policy in a table, signed or not, newest first.
    async fn unverified(
        &self,
        table: StoreTable<'_>,
        id: &PolicyId,
    ) -> Result<Vec<PublishedPolicy>, StoreError> {
        let (mut versions, mut from) = (Vec::new(), None);
        loop {
            let query = versions_in(table, id).scan_index_forward(false).set_exclusive_start_key(from);
            let ItemPage { items, next, .. } = table.page(query).await?;
            for item in &items {
                versions.push(read_version(table.name, id, item, &PolicyKeys::NONE)?);
            }
            from = next;
            if from.is_none() {
                return Ok(versions);
            }
        }
    }

    /// The newest [`MAX_VERSIONS`] versions of a policy.
    ///
    /// # Errors
    /// [`StoreError::UnknownPolicy`] when it was never published; when a version cannot be read, was altered or is not
    /// signed, or the call fails.
    pub async fn policy_versions(&self, id: &PolicyId) -> Result<Versions, StoreError> {
        let published = self.published_policies(id, MAX_VERSIONS).await?;
        let policies = published.into_iter().map(|published| published.policy).collect();
        Versions::new(policies).ok_or_else(|| StoreError::UnknownPolicy(id.to_string()))
    }

    /// The newest versions of a policy with their publications, newest first; none: it was never published.
    ///
    /// # Errors
    /// When a version cannot be read, was altered or is not signed, or the call fails.
    pub async fn published_policies(
        &self,
        id: &PolicyId,
        most: usize,
    ) -> Result<Vec<PublishedPolicy>, StoreError> {
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        for table in self.policies_tables() {
            let query = versions_in(table, id).scan_index_forward(false).limit(most);
            let items = table.page(query).await?.items;
            if !items.is_empty() {
                return items
                    .iter()
                    .map(|item| read_version(table.name, id, item, self.policy_keys()))
                    .collect();
            }
        }
        Ok(Vec::new())
    }

    /// One version of a policy; none: it was never published.
    ///
    /// # Errors
    /// As [`published_policies`](Self::published_policies).
    pub async fn policy_version(&self, id: &PolicyId, version: u32) -> Result<Option<Policy>, StoreError> {
        for table in self.policies_tables() {
            if let Some(item) = version_in(table, id, version).await? {
                let read = read_version(table.name, id, &item, self.policy_keys())?;
                return Ok(Some(read.policy));
            }
        }
        Ok(None)
    }

    /// The tables in which a policy is looked for, one after the other.
    fn policies_tables(&self) -> impl Iterator<Item = StoreTable<'_>> {
        let earlier = self.policy_keys().is_none().then(|| self.records_table());
        std::iter::once(self.policies_table()).chain(earlier)
    }

    /// Notes who approves a policy's text, by its digest, signed by a key. The latest approval counts.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn approve_policy(
        &self,
        id: &PolicyId,
        digest: &str,
        approval: &PolicyApproval,
        key: Option<&PrivateKey>,
    ) -> Result<(), StoreError> {
        let signature = key.map(|key| signature_of(&approval_statement(id, digest, approval), key));
        let mut item = keys::record_key(&keys::policy(id), &keys::approval(digest));
        item.extend(texts([("by", approval.by.clone()), ("at", instant(approval.at))]));
        item.extend(signature.map(|signature| (SIGNATURE.to_owned(), AttributeValue::S(signature))));
        let policies = self.policies_table();
        policies.put_if(policies.put(item)).await.map(drop)
    }

    /// The approval of a policy's text; none: nobody approved it.
    ///
    /// # Errors
    /// When the call fails, or the approval is not signed by one of the keys.
    pub async fn policy_approval(
        &self,
        id: &PolicyId,
        digest: &str,
    ) -> Result<Option<PolicyApproval>, StoreError> {
        let (policies, key) =
            (self.policies_table(), keys::record_key(&keys::policy(id), &keys::approval(digest)));
        let Some(item) = policies.get(key).await? else { return Ok(None) };
        let approval = text(&item, "by").zip(text(&item, "at").and_then(|at| at.parse().ok()));
        let approval = approval.map(|(by, at)| PolicyApproval { by, at }).filter(|approval| {
            let statement = approval_statement(id, digest, approval);
            self.policy_keys().accept(&statement, text(&item, SIGNATURE).as_deref())
        });
        let problem = "the approval is not signed by a key of the settings; approve the text again";
        approval
            .map(Some)
            .ok_or_else(|| StoreError::codec(policies.name, keys::printable_key(&item), problem))
    }
}

/// The versions of a policy in a table.
fn versions_in(table: StoreTable<'_>, id: &PolicyId) -> QueryFluentBuilder {
    let by = [(":pk", keys::policy(id)), (":prefix", keys::VERSIONS.to_owned())];
    table.query(keys::UNDER_PREFIX, by).consistent_read(true)
}

/// A version in a table, by a Query: functions have no other right there.
async fn version_in(table: StoreTable<'_>, id: &PolicyId, version: u32) -> Result<Option<Item>, StoreError> {
    let by = [(":pk", keys::policy(id)), (":prefix", keys::version(version))];
    let query = table.query(keys::UNDER_PREFIX, by).consistent_read(true).limit(1);
    Ok(table.page(query).await?.items.pop())
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

fn version_item(
    policy: &Policy,
    text: &str,
    publication: Option<&PolicyPublication>,
    key: Option<&PrivateKey>,
) -> Item {
    let digest = policy_digest(text);
    let mut item = keys::record_key(&keys::policy(&policy.id), &keys::version(policy.version));
    item.insert("version".to_owned(), AttributeValue::N(policy.version.to_string()));
    item.insert("document".to_owned(), AttributeValue::S(text.to_owned()));
    item.extend(publication.map(publication_attributes).unwrap_or_default());
    if let Some(key) = key {
        let signature = signature_of(&statement(policy, &digest, publication), key);
        item.insert(SIGNATURE.to_owned(), AttributeValue::S(signature));
    }
    item.insert("digest".to_owned(), AttributeValue::S(digest));
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

fn read_version(
    table: &str,
    id: &PolicyId,
    item: &Item,
    policy_keys: &PolicyKeys,
) -> Result<PublishedPolicy, StoreError> {
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
    let statement = statement(&policy, &digest, publication.as_ref());
    if !policy_keys.accept(&statement, text(item, SIGNATURE).as_deref()) {
        return Err(StoreError::PolicyNotSigned { id: id.to_string(), version });
    }
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
