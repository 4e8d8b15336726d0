//! The dependencies of a use case.

use std::sync::Arc;

use duewatch_notify::Notifier;
use duewatch_store::Store;

use crate::{Clock, OperationsAlerts, Transitions};

/// The services that a use case works with.
#[derive(Clone, Debug)]
pub struct Services {
    pub transitions: Transitions,
    pub notifier: Notifier,
    /// For records that cannot be taken, and for the staff on call.
    pub alerts: OperationsAlerts,
    pub clock: Arc<dyn Clock>,
    /// The CloudWatch namespace in which the function counts.
    pub metrics_namespace: String,
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
        Self {
            transitions: Transitions::new(store.clone()),
            alerts: OperationsAlerts::new(function, store, notifier.clone()),
            notifier,
            clock,
            metrics_namespace,
        }
    }

    /// The store that the use cases read and write.
    #[must_use]
    pub const fn store(&self) -> &Store {
        self.transitions.store()
    }
}
