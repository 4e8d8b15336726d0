//! The operator's holds, as an invocation knows them.
//!
//! A setting is read when a transition is about to restrict an account, or a message to leave, and kept for a minute:
//! nothing else reads it.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use duewatch_domain::Account;
use duewatch_domain::assessment::BoundAssessment;
use duewatch_store::{HoldScope, OperatorHold, Store, StoreError};

use crate::policy_cache::FRESH_FOR;

/// The cache of a setting.
#[derive(Debug)]
pub(crate) struct HoldCache {
    scope: HoldScope,
    kept: Mutex<Option<(DateTime<Utc>, Option<OperatorHold>)>>,
}

impl HoldCache {
    /// An empty cache.
    pub(crate) const fn of(scope: HoldScope) -> Self {
        Self { scope, kept: Mutex::new(None) }
    }

    /// The last change of the hold.
    pub(crate) async fn get(
        &self,
        store: &Store,
        now: DateTime<Utc>,
    ) -> Result<Option<OperatorHold>, StoreError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read_at, hold)) = kept
            && (now - read_at).abs() < FRESH_FOR
        {
            return Ok(hold);
        }
        let hold = store.hold(self.scope).await?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, hold.clone()));
        Ok(hold)
    }

    /// Defers the new restrictions of an assessment until `until`, while they are on hold. After the release they
    /// begin no earlier than it.
    ///
    /// # Errors
    /// When the setting cannot be read: then no restriction begins.
    pub(crate) async fn apply(
        &self,
        store: &Store,
        account: &Account,
        assessed: &mut BoundAssessment<'_>,
        (now, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), StoreError> {
        if !assessed.restricts(account) {
            return Ok(());
        }
        match self.get(store, now).await? {
            Some(hold) if hold.is_on => assessed.defer_new_restrictions(account, until),
            Some(released) => assessed.decides_no_earlier_than(released.at),
            None => {}
        }
        Ok(())
    }
}
