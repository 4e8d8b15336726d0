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
    kept: Mutex<HashMap<PolicyId, CachedPolicy>>,
}

#[derive(Clone, Debug)]
struct CachedPolicy {
    read_at: DateTime<Utc>,
    versions: Arc<Versions>,
}

impl PolicyCache {
    /// The published versions of a policy, newest first and bounded. Cached versions do not serve where all
    /// of them are older than `known`, a version that has assessed an account already.
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
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(kept) = kept
            && (now - kept.read_at).abs() < FRESH_FOR
            && known <= kept.versions.iter().map(|policy| policy.version).max()
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
