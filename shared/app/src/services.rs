//! The dependencies of a use case.

use std::sync::Arc;

use duewatch_notify::Notifier;
use duewatch_store::{Store, TombstoneKey};

use crate::{Clock, OperationsAlerts, Publisher, Transitions};

/// The services that a use case works with.
#[derive(Clone, Debug)]
pub struct Services {
    pub transitions: Transitions,
    /// The only way out for a message.
    pub publisher: Publisher,
    /// For records that cannot be taken, and for the staff on call.
    pub alerts: OperationsAlerts,
    pub clock: Arc<dyn Clock>,
    /// The CloudWatch namespace in which the function counts.
    pub metrics_namespace: String,
    /// The key of tombstones, for the functions that take contact points, and for erasures.
    pub tombstone_key: Option<TombstoneKey>,
}

impl Services {
    /// The services of one function, which names itself in records and alerts.
    #[must_use]
    pub fn new(
        function: &'static str,
        store: Store,
        notifier: Notifier,
        clock: Arc<dyn Clock>,
        metrics_namespace: String,
    ) -> Self {
        let publisher = Publisher::new(notifier, store.clone());
        Self {
            transitions: Transitions::new(store.clone()),
            alerts: OperationsAlerts::new(function, store, publisher.clone()),
            publisher,
            clock,
            metrics_namespace,
            tombstone_key: None,
        }
    }

    /// The same services with the key of tombstones.
    #[must_use]
    pub fn with_tombstone_key(mut self, key: TombstoneKey) -> Self {
        self.tombstone_key = Some(key);
        self
    }

    /// The store that the use cases read and write.
    #[must_use]
    pub const fn store(&self) -> &Store {
        self.transitions.store()
    }
}
