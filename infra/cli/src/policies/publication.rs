//! Publication and rollback: the rules of succession, then the brake, then the write.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_app::{NewVersion, PublishError, check_next_version, check_signing_key, publish_policy};
use duewatch_domain::kernel::PolicyId;
use duewatch_domain::policy::{self, PolicyError, next_version};
use duewatch_domain::{Contract, Event, Policy};
use duewatch_store::{PrivateKey, PublishedPolicy, Store, StoreError};

use super::brake::{Brake, BrakeError, Judgement, noticed};
use crate::diff::Diff;
use crate::input::{NumberedLine, PolicyFile};
use crate::replay::ReplayError;

/// A portfolio by which a version is judged in place of the accounts table.
#[derive(Debug)]
pub struct JudgedBook {
    pub accounts: Vec<NumberedLine<Contract>>,
    pub events: Vec<NumberedLine<Event>>,
    pub events_path: PathBuf,
    /// The day at whose end the accounts are compared.
    pub on: NaiveDate,
}

/// Who publishes.
#[derive(Clone, Copy, Debug)]
pub struct PolicyPublisher<'a> {
    /// The caller, as the platform knows it.
    pub by: &'a str,
    /// The key that signs; none only where the functions take unsigned versions.
    pub key: Option<&'a PrivateKey>,
}

/// The result of a publication.
#[derive(Debug)]
pub struct PublicationOutcome {
    pub policy: Policy,
    /// Whether the version was not published before.
    pub is_new: bool,
    /// Compared with the version before; none: there is none, or the version is not new.
    pub judgement: Option<Judgement>,
}

/// Why a version was not published.
#[derive(Debug, thiserror::Error)]
pub enum LifeError {
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Brake(#[from] BrakeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Book(#[from] ReplayError),
    #[error("policy {0} has no version before the latest one")]
    NothingBefore(PolicyId),
    /// The text of an earlier version cannot be read any more.
    #[error(transparent)]
    Text(#[from] PolicyError),
}

/// Publishes the next version of a policy, or its first one, unless it would newly restrict too many accounts:
/// those of a book, or a sample of the table.
///
/// # Errors
/// When the version may not follow, the brake stops it, or a call fails.
pub async fn publish(
    store: &Store,
    new: &NewVersion<'_>,
    book: Option<&JudgedBook>,
    brake: Brake,
    now: DateTime<Utc>,
) -> Result<PublicationOutcome, LifeError> {
    check_signing_key(store, new.key)?;
    let latest = store.published_policies(&new.policy.id, 1).await?.pop();
    if check_next_version(latest.as_ref(), new, now)? {
        return Ok(PublicationOutcome { policy: new.policy.clone(), is_new: false, judgement: None });
    }
    let judgement = match (latest, book) {
        (None, _) => None,
        (Some(latest), Some(book)) => Some(of_book(latest, new, book)?),
        (Some(latest), None) => Some(Judgement::of_table(store, &latest.policy, new.policy, now).await?),
    };
    if let Some(judgement) = &judgement {
        judgement.check(brake)?;
    }
    let is_new = publish_policy(store, new, now).await?;
    Ok(PublicationOutcome { policy: new.policy.clone(), is_new, judgement })
}

fn of_book(
    latest: PublishedPolicy,
    new: &NewVersion<'_>,
    book: &JudgedBook,
) -> Result<Judgement, ReplayError> {
    let PublishedPolicy { policy, text, .. } = latest;
    let before = PolicyFile { policy: noticed(&policy), text };
    let next = PolicyFile { policy: noticed(new.policy), text: new.text.to_owned() };
    let diff = Diff::new([before, next], &book.accounts, &book.events, &book.events_path, book.on)?;
    Ok(diff.judgement())
}

/// Publishes the text of the version before the latest one as the next version. It binds from its publication,
/// and keeps the latest version's announcement.
///
/// # Errors
/// When there is no version before, the brake stops it, or a call fails.
pub async fn rollback(
    store: &Store,
    id: &PolicyId,
    publisher: PolicyPublisher<'_>,
    brake: Brake,
    now: DateTime<Utc>,
) -> Result<PublicationOutcome, LifeError> {
    let published = store.published_policies(id, 2).await?;
    let [latest, before] = published.as_slice() else { return Err(LifeError::NothingBefore(id.clone())) };
    let version = latest.policy.version.saturating_add(1);
    let text = next_version(&before.text, version, latest.policy.announcement.as_ref())?;
    let policy = policy::parse(&text)?;
    let reason = format!("rollback of version {}", latest.policy.version);
    let PolicyPublisher { by, key } = publisher;
    let new = NewVersion { policy: &policy, text: &text, by, backdated: Some(&reason), key };
    publish(store, &new, None, brake, now).await
}
