//! `requeue`: passes quarantined records once more to the functions that quarantined them, lists them, drops them.
//!
//! A processed record leaves quarantine. A record that is quarantined again stays, with its new reason. Known
//! facts change nothing, so a repeated requeue does no harm. A payment is posted as the payments table states it,
//! whatever its record says.

mod batch;
mod listing;

use chrono::{DateTime, Days, NaiveDate, Utc};
use duewatch_app::{CROSS_RESTRICTIONS, TransitionError, post_payment};
use duewatch_domain::formats::parse_message;
use duewatch_domain::kernel::{AccountId, PaymentId};
use duewatch_handlers::{Handlers, WaitingMessage, queue_event};
use duewatch_store::{MAX_WALKED_PAGES, QUARANTINE_DAYS, Quarantined, Store, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

/// The days by which DynamoDB may delete an item later than its expiry.
const DAYS_TO_DELETE: u64 = 2;

/// The result of a requeue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requeued {
    /// Records processed.
    pub taken: usize,
    /// Records that were quarantined again, were not proven, or failed.
    pub left: usize,
}

impl Requeued {
    /// Both results together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { taken: self.taken + other.taken, left: self.left + other.left }
    }
}

/// The quarantined records that a command is about.
#[derive(Clone, Copy, Debug)]
pub struct QuarantineScope<'a> {
    /// The first date of quarantine (UTC).
    pub since: NaiveDate,
    /// The function that quarantined them; none: any.
    pub source: Option<&'a str>,
}

/// Why a requeue broke off.
#[derive(Debug, thiserror::Error)]
pub enum RequeueError {
    /// The quarantine cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of failed records is unusable.
    #[error("{path}: {problem}")]
    File { path: String, problem: String },
    /// No record of that id is in quarantine on those days.
    #[error("{0}: no such record is in quarantine on those days; duewatch requeue --list names them")]
    NotThere(String),
}

/// The requeue over existing clients.
#[derive(Debug)]
pub struct Requeue {
    handlers: Handlers,
}

impl Requeue {
    /// A requeue over the functions' handlers.
    #[must_use]
    pub const fn new(handlers: Handlers) -> Self {
        Self { handlers }
    }

    /// Requeues the quarantined records of a scope. Reports the remaining ones, a line each, through `tell`.
    ///
    /// # Errors
    /// When the quarantine cannot be read or written.
    pub async fn quarantine(
        &self,
        scope: QuarantineScope<'_>,
        mut tell: impl FnMut(String),
    ) -> Result<Requeued, RequeueError> {
        let mut requeued = Requeued::default();
        self.each(scope, async |record| {
            let left = Box::pin(self.hand_back(&record)).await?;
            if matches!(left, None | Some(Left::SetAside(_))) {
                // The record was processed, or today's record replaces it from now on.
                self.store().release(&record).await?;
            }
            match left {
                None => requeued.taken += 1,
                Some(Left::SetAside(reason) | Left::Failed(reason)) => {
                    tell(listing::line(&record, &reason));
                    requeued.left += 1;
                }
            }
            Ok(())
        })
        .await?;
        Ok(requeued)
    }

    /// Visits each record of a scope that was quarantined before now: all pages of all its days. A record that the
    /// visit quarantines again is not visited once more, or the loop would not end.
    async fn each(
        &self,
        scope: QuarantineScope<'_>,
        mut visit: impl AsyncFnMut(Quarantined) -> Result<(), RequeueError>,
    ) -> Result<(), RequeueError> {
        let begun = self.now();
        let today = begun.date_naive();
        let oldest = today.checked_sub_days(Days::new(QUARANTINE_DAYS + DAYS_TO_DELETE));
        let since = oldest.map_or(scope.since, |oldest| scope.since.max(oldest));
        for date in since.iter_days().take_while(|date| *date <= today) {
            let mut walk = self.store().walk_quarantine(date, MAX_WALKED_PAGES);
            while let Some(page) = walk.next_page().await? {
                for record in page {
                    if record.at < begun && scope.source.is_none_or(|source| source == record.source) {
                        visit(record).await?;
                    }
                }
            }
        }
        Ok(())
    }

    fn now(&self) -> DateTime<Utc> {
        self.handlers.post_payment.clock.now()
    }

    fn store(&self) -> &Store {
        self.handlers.post_payment.store()
    }

    /// Requeues one record; returns the reason where it stays.
    async fn hand_back(&self, record: &Quarantined) -> Result<Option<Left>, StoreError> {
        if record.lacks_bytes > 0 {
            let lacks = record.lacks_bytes;
            let reason = format!(
                "its payload was too long to be kept: the last {lacks} bytes are missing. It cannot be requeued; have \
                 it sent again, and drop it"
            );
            return Ok(Some(Left::Failed(reason)));
        }
        let begun = self.now();
        let payload = || serde_json::from_str::<Value>(&record.payload);
        let failed = match record.source.as_str() {
            source @ ("post-payment" | "send-reminders" | "record-history") => match payload() {
                Ok(payload) => self.invoke(source, &json!({ "Records": [payload] })).await,
                Err(error) => Some(error.to_string()),
            },
            queue @ (intake::NAME | record_delivery::NAME) => {
                self.invoke(queue, &as_message(queue, record, begun)).await
            }
            _ => Box::pin(self.reconcile(record, begun)).await.err(),
        };
        if let Some(reason) = failed {
            return Ok(Some(Left::Failed(reason)));
        }
        let again = self.quarantined_since(begun, &record.source, &record.id).await?;
        Ok(again.map(Left::SetAside))
    }

    /// The reason for which a record was quarantined at that instant or later; none: it was not.
    async fn quarantined_since(
        &self,
        begun: DateTime<Utc>,
        source: &str,
        id: &str,
    ) -> Result<Option<String>, StoreError> {
        let again = self.store().quarantined_as(begun.date_naive(), source, id).await?;
        Ok(again.filter(|again| again.at >= begun).map(|again| again.reason))
    }

    async fn invoke(&self, function: &str, event: &Value) -> Option<String> {
        match self.handlers.invoke(function, event).await {
            Ok(answer) if answer["batchItemFailures"].as_array().is_none_or(Vec::is_empty) => None,
            Ok(_) => Some("it failed for a reason that may pass".to_owned()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Posts the payment that a record names, as the payments table states it; or reconciles its account.
    async fn reconcile(&self, record: &Quarantined, now: DateTime<Utc>) -> Result<(), String> {
        #[derive(Deserialize)]
        struct PaymentNamed {
            account_id: AccountId,
            payment_id: PaymentId,
        }
        let services = &self.handlers.post_payment;
        if let Ok(named) = serde_json::from_str::<PaymentNamed>(&record.payload) {
            let posted = post_payment(services, &named.account_id, &named.payment_id).await;
            return posted.map(drop).map_err(|error| error.reason().to_owned());
        }
        let payload: Value = serde_json::from_str(&record.payload).unwrap_or_default();
        let account_id = payload["account_id"].as_str().unwrap_or(&record.id);
        let account_id = account_id.parse().map_err(|_| "its payload names no account".to_owned())?;
        let told = |error: TransitionError| error.to_string();
        services.transitions.reconcile(&account_id, now).await.map_err(told)?;
        if record.source == CROSS_RESTRICTIONS {
            services.transitions.apply_cross_restrictions_to(&account_id, now).await.map_err(told)?;
        }
        Ok(())
    }
}

/// Why a record stays in quarantine.
enum Left {
    /// The function quarantined it again.
    SetAside(String),
    /// The function failed; the record stays as it was.
    Failed(String),
}

/// A message as its queue would bring it, under the id of its quarantined record.
fn as_message(queue: &str, record: &Quarantined, now: DateTime<Utc>) -> Value {
    let group = parse_message(&record.payload).ok().map(|message| message.event.account_id.to_string());
    let message = WaitingMessage {
        message_id: record.id.clone(),
        body: record.payload.clone(),
        group,
        sent_at: now,
        received: 1,
    };
    let mut event = queue_event(queue, &[message]);
    if let Some(sender_id) = &record.sender_id {
        event["Records"][0]["attributes"]["SenderId"] = sender_id.as_str().into();
    }
    event
}
