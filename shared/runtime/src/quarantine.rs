//! Where what cannot be taken goes: quarantine, and a word to people on duty.

use chrono::{DateTime, Utc};
use duewatch_domain::kernel::AccountId;
use duewatch_notify::{Message, Notifier, OperationsKind, operations};
use duewatch_store::{Hold, Quarantined, Store, StoreError};

/// The desk of one function for what it cannot take itself.
#[derive(Clone, Debug)]
pub struct Desk {
    function: &'static str,
    store: Store,
    notifier: Notifier,
}

impl Desk {
    /// For a function.
    #[must_use]
    pub const fn new(function: &'static str, store: Store, notifier: Notifier) -> Self {
        Self { function, store, notifier }
    }

    /// The function's name.
    #[must_use]
    pub const fn function(&self) -> &'static str {
        self.function
    }

    /// Sets a record aside with its payload, and tells people on duty.
    ///
    /// # Errors
    /// When the record could not be stored; it is then to be delivered again.
    pub async fn quarantine(
        &self,
        id: &str,
        reason: &str,
        payload: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        // The reason and the payload may bear amounts and contact points; they stay in the record.
        tracing::error!(function = self.function, id, "quarantined");
        let quarantined = Quarantined {
            source: self.function.to_owned(),
            id: id.to_owned(),
            reason: reason.to_owned(),
            payload: payload.to_owned(),
            at: now,
        };
        self.store.quarantine(&quarantined).await?;
        self.tell(OperationsKind::Quarantined, id, "set aside with its payload; the record says why", now)
            .await;
        Ok(())
    }

    /// Tells people on duty that money which cannot be posted holds something back. Why it
    /// cannot stands beside the money: the reason may bear its amount.
    pub async fn tell_held(&self, account_id: &AccountId, hold: &Hold, now: DateTime<Utc>) {
        let subject = format!("{account_id}/{}", hold.payment_id);
        let reason = "it is in the payments table and cannot be posted";
        self.tell(OperationsKind::RestrictionHeld, &subject, reason, now).await;
    }

    /// Tells people on duty. What cannot be told is logged: the record of it is in the table.
    pub async fn tell(&self, kind: OperationsKind, subject: &str, reason: &str, now: DateTime<Utc>) {
        self.send(&[operations(kind, self.function, subject, reason, now)]).await;
    }

    async fn send(&self, messages: &[Message]) {
        if let Err(error) = self.notifier.publish(messages).await {
            tracing::error!(function = self.function, %error, "operations were not told");
        }
    }
}
