//! The policies in use, each read again every minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::kernel::PolicyId;
use duewatch_domain::policy::Versions;
use duewatch_store::{Store, StoreError};

/// How long a cached policy is used before it is read again. So long after a publication, every function
/// assesses by the new version.
pub const FRESH_FOR: TimeDelta = TimeDelta::minutes(1);
/// The most policies in the cache.
const MAX_KEPT: usize = 1_000;

/// The cache of policies in use, each read again every minute.
#[derive(Debug, Default)]
pub(crate) struct PolicyCache {
    kept: Mutex<HashMap<CacheKey, CachedPolicy>>,
}

/// A policy, and a version older than the newest ones that is kept together with them.
type CacheKey = (PolicyId, Option<u32>);

#[derive(Clone, Debug)]
struct CachedPolicy {
    read_at: DateTime<Utc>,
    versions: Arc<Versions>,
}

impl PolicyCache {
    /// The published versions of a policy, bounded: the newest, and `known`, the version that assessed an
    /// account last, however many were published since. Cached versions do not serve where all of them are older
    /// than `known`.
    ///
    /// # Errors
    /// When it was never published, cannot be read, or the call fails.
    pub(crate) async fn get(
        &self,
        store: &Store,
        id: &PolicyId,
        known: Option<u32>,
        now: DateTime<Utc>,
    ) -> Result<Arc<Versions>, StoreError> {
        let newest = self.newest(store, id, known, now).await?;
        let oldest = newest.iter().map(|policy| policy.version).min();
        let Some(older) = known.filter(|known| Some(*known) < oldest) else { return Ok(newest) };
        let key = (id.clone(), Some(older));
        let reaches =
            |kept: &Versions| kept.last().map(|one| one.version) == newest.last().map(|one| one.version);
        if let Some(kept) = self.fresh(&key, now)
            && reaches(&kept)
        {
            return Ok(kept);
        }
        // A version of which nothing is left cannot be compared with; the newest alone decide.
        let Some(policy) = store.policy_version(id, older).await? else { return Ok(newest) };
        Ok(self.keep(key, newest.with_older(policy), now))
    }

    async fn newest(
        &self,
        store: &Store,
        id: &PolicyId,
        known: Option<u32>,
        now: DateTime<Utc>,
    ) -> Result<Arc<Versions>, StoreError> {
        let key = (id.clone(), None);
        if let Some(kept) = self.fresh(&key, now)
            && known <= kept.iter().map(|policy| policy.version).max()
        {
            return Ok(kept);
        }
        let versions = store.policy_versions(id).await?;
        Ok(self.keep(key, versions, now))
    }

    fn fresh(&self, key: &CacheKey, now: DateTime<Utc>) -> Option<Arc<Versions>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get(key).filter(|kept| (now - kept.read_at).abs() < FRESH_FOR)?;
        Some(Arc::clone(&kept.versions))
    }

    fn keep(&self, key: CacheKey, versions: Versions, now: DateTime<Utc>) -> Arc<Versions> {
        let versions = Arc::new(versions);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(key, CachedPolicy { read_at: now, versions: Arc::clone(&versions) });
        versions
    }
}
