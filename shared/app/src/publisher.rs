//! The way out: every message of every function leaves here, or waits while sending is on hold.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use duewatch_notify::{FailedMessage, Notifier, NotifyError, OutboundMessage, Topic};
use duewatch_store::{HoldScope, Store, StoreError};

use crate::operator_hold::HoldCache;

/// Publishes what may leave. Alerts, tickets and the heartbeat always may.
#[derive(Clone, Debug)]
pub struct Publisher {
    notifier: Notifier,
    store: Store,
    hold: Arc<HoldCache>,
}

impl Publisher {
    /// A publisher that reads the hold in a store.
    #[must_use]
    pub fn new(notifier: Notifier, store: Store) -> Self {
        Self { notifier, store, hold: Arc::new(HoldCache::of(HoldScope::Sending)) }
    }

    /// Whether the operator holds back all that leaves. The answer is at most a minute old.
    ///
    /// # Errors
    /// When the setting cannot be read.
    pub async fn sending_is_held(&self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        Ok(self.hold.get(&self.store, now).await?.is_some_and(|hold| hold.is_on))
    }

    /// Publishes messages. While sending is on hold, those to borrowers and other systems stay.
    ///
    /// # Errors
    /// [`NotifyError`] with the messages that have not left.
    pub async fn publish(&self, messages: &[OutboundMessage], now: DateTime<Utc>) -> Result<(), NotifyError> {
        let held = self.held(messages, now).await;
        let mut failed: Vec<FailedMessage> = held.into_iter().flatten().collect();
        let stays: BTreeSet<usize> = failed.iter().map(|held| held.place).collect();
        let places: Vec<usize> = (0..messages.len()).filter(|place| !stays.contains(place)).collect();
        let may_leave: Vec<OutboundMessage> =
            places.iter().filter_map(|place| messages.get(*place)).cloned().collect();
        if let Err(NotifyError(others)) = self.notifier.publish(&may_leave).await {
            failed.extend(others.into_iter().filter_map(|failed| {
                Some(FailedMessage { place: *places.get(failed.place)?, reason: failed.reason })
            }));
        }
        failed.sort_by_key(|failed| failed.place);
        if failed.is_empty() { Ok(()) } else { Err(NotifyError(failed)) }
    }

    /// The messages that stay; none: nothing is on hold. Where the setting cannot be read, they stay too.
    async fn held(&self, messages: &[OutboundMessage], now: DateTime<Utc>) -> Option<Vec<FailedMessage>> {
        let leaving: Vec<usize> =
            (0..messages.len()).filter(|place| messages[*place].topic.leaves()).collect();
        if leaving.is_empty() {
            return None;
        }
        let reason = match self.sending_is_held(now).await {
            Ok(false) => return None,
            Ok(true) => "sending is on hold".to_owned(),
            Err(error) => format!("whether sending is on hold is not known: {error}"),
        };
        Some(leaving.into_iter().map(|place| FailedMessage { place, reason: reason.clone() }).collect())
    }

    /// The topics that do not answer: they are gone, or out of reach.
    pub async fn missing_topics(&self) -> Vec<Topic> {
        self.notifier.missing_topics().await
    }
}
