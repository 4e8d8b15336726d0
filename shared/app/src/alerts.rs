//! Quarantine of unprocessable records, and alerts for the staff.

use chrono::{DateTime, Utc};
use duewatch_domain::kernel::AccountId;
use duewatch_notify::{OperationsKind, operations};
use duewatch_store::{Quarantined, Store, StoreError};

use crate::{BlockedPayment, Publisher};

/// The quarantine and the alerts of one function.
#[derive(Clone, Debug)]
pub struct OperationsAlerts {
    function: &'static str,
    store: Store,
    publisher: Publisher,
}

impl OperationsAlerts {
    /// For one function, which names itself in records and alerts.
    #[must_use]
    pub const fn new(function: &'static str, store: Store, publisher: Publisher) -> Self {
        Self { function, store, publisher }
    }

    /// The function's name, as records and alerts bear it.
    #[must_use]
    pub const fn function(&self) -> &'static str {
        self.function
    }

    /// Quarantines a record with its payload, and opens a ticket.
    ///
    /// # Errors
    /// When the record could not be stored; it must then be redelivered.
    pub async fn quarantine(
        &self,
        id: &str,
        reason: &str,
        payload: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.quarantine_sent(id, reason, payload, None, now).await
    }

    /// Quarantines a message as [`quarantine`](Self::quarantine) does, with its sender as the queue states it.
    ///
    /// # Errors
    /// As of [`quarantine`](Self::quarantine).
    pub async fn quarantine_sent(
        &self,
        id: &str,
        reason: &str,
        payload: &str,
        sender_id: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        // The reason and the payload may bear amounts and contact points; they stay out of logs and alerts.
        tracing::error!(function = self.function, id, "quarantined");
        let quarantined = Quarantined {
            source: self.function.to_owned(),
            id: id.to_owned(),
            reason: reason.to_owned(),
            payload: payload.to_owned(),
            at: now,
            lacks_bytes: 0,
            sender_id: sender_id.map(str::to_owned),
        };
        self.store.quarantine(&quarantined).await?;
        self.alert(OperationsKind::Quarantined, id, "quarantined with its payload; the record says why", now)
            .await;
        Ok(())
    }

    /// Alerts that a payment which cannot be posted blocks a measure. The alert leaves out the reason, which
    /// may bear an amount; the payment's record states it.
    pub async fn alert_blocked_payment(
        &self,
        account_id: &AccountId,
        blocked: &BlockedPayment,
        now: DateTime<Utc>,
    ) {
        let subject = format!("{account_id}/{}", blocked.payment_id);
        let reason = "it is in the payments table and cannot be posted";
        self.alert(OperationsKind::RestrictionDeferred, &subject, reason, now).await;
    }

    /// Alerts the staff on the topic of the kind. A failed alert is logged: the stored record remains.
    pub async fn alert(&self, kind: OperationsKind, subject: &str, reason: &str, now: DateTime<Utc>) {
        let message = operations(kind, self.function, subject, reason, now);
        if let Err(error) = self.publisher.publish(&[message], now).await {
            tracing::error!(function = self.function, %error, "operations were not alerted");
        }
    }
}
