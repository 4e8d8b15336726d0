//! The publication of a policy version by the operator. No function publishes.

use chrono::{DateTime, Utc};
use duewatch_domain::Policy;
use duewatch_domain::policy::{PublicationRefusal, canonical_text, check_publication};
use duewatch_store::{
    PolicyPublication, PrivateKey, PublishedPolicy, Store, StoreError, VerifyingKey, policy_digest,
};

/// A version that is to be published.
#[derive(Clone, Copy, Debug)]
pub struct NewVersion<'a> {
    pub policy: &'a Policy,
    /// Its text; the [canonical](canonical_text) one is stored.
    pub text: &'a str,
    /// The publisher, as the platform knows the caller.
    pub by: &'a str,
    /// Why its effective date has passed; none: it has not.
    pub backdated: Option<&'a str>,
    /// The key that signs it; none only where the functions take unsigned versions.
    pub key: Option<&'a PrivateKey>,
}

/// Why a version was not published.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// The version may not follow the latest one, or not from its date on.
    #[error(transparent)]
    Refused(#[from] PublicationRefusal),
    /// Another publisher was faster.
    #[error(
        "policy {id} version {version} was published by {by} with another text; compare with it, and publish yours \
         as version {}", u64::from(*version) + 1
    )]
    Overtaken { id: String, version: u32, by: String },
    #[error(
        "the functions take signed policies alone: --signing-key names the file with the publisher's key"
    )]
    NoKey,
    #[error("the functions do not take the key {0}: deploy it with the parameter PolicyKeys first")]
    UnknownKey(VerifyingKey),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether the functions would take what the key signs.
///
/// # Errors
/// When there is no key, and unsigned versions are not taken, or it is none of the settings'.
pub fn check_signing_key(store: &Store, key: Option<&PrivateKey>) -> Result<(), PublishError> {
    let keys = store.policy_keys();
    match key.map(PrivateKey::public_key) {
        _ if keys.is_none() => Ok(()),
        None => Err(PublishError::NoKey),
        Some(key) if keys.know(&key) => Ok(()),
        Some(key) => Err(PublishError::UnknownKey(key)),
    }
}

/// Whether a version was published by the same text already. Otherwise it may be published next.
///
/// # Errors
/// When it may not follow the latest version.
pub fn check_next_version(
    latest: Option<&PublishedPolicy>,
    new: &NewVersion<'_>,
    now: DateTime<Utc>,
) -> Result<bool, PublishError> {
    if let Some(same) = latest.filter(|latest| latest.policy.version == new.policy.version) {
        let is_its_text = canonical_text(&same.text) == canonical_text(new.text);
        return if is_its_text { Ok(true) } else { Err(overtaken(same)) };
    }
    let latest = latest.map(|latest| &latest.policy);
    check_publication(latest, new.policy, now.date_naive(), new.backdated)?;
    Ok(false)
}

fn overtaken(by: &PublishedPolicy) -> PublishError {
    let publisher = by.publication.as_ref().map(|publication| publication.by.clone());
    PublishError::Overtaken {
        id: by.policy.id.to_string(),
        version: by.policy.version,
        by: publisher.unwrap_or_else(|| "an earlier release".to_owned()),
    }
}

/// Publishes the next version of a policy. Returns whether it is new: publishing the same text again changes
/// nothing. An approval of the text by another person is noted with it.
///
/// # Errors
/// When the functions would not take the key, the version may not follow the latest one, another publisher was faster,
/// or a call fails.
pub async fn publish_policy(
    store: &Store,
    new: &NewVersion<'_>,
    now: DateTime<Utc>,
) -> Result<bool, PublishError> {
    check_signing_key(store, new.key)?;
    let id = &new.policy.id;
    let latest = store.published_policies(id, 1).await?.pop();
    if check_next_version(latest.as_ref(), new, now)? {
        return Ok(false);
    }
    let text = canonical_text(new.text);
    let approval = store.policy_approval(id, &policy_digest(&text)).await?;
    let has_passed = latest.is_some() && new.policy.effective_on < now.date_naive();
    let publication = PolicyPublication {
        by: new.by.to_owned(),
        at: now,
        approved_by: approval.map(|approval| approval.by).filter(|by| by != new.by),
        backdated: new.backdated.filter(|_| has_passed).map(|reason| reason.trim().to_owned()),
    };
    match store.publish_policy(new.policy, &text, &publication, new.key).await {
        Err(error @ StoreError::PolicyVersionTaken { .. }) => {
            let latest = store.published_policies(id, 1).await?.pop();
            Err(latest.as_ref().map_or_else(|| error.into(), overtaken))
        }
        published => Ok(published?),
    }
}
