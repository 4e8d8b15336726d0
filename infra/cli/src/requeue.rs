//! `requeue`: passes quarantined records once more to the functions that quarantined them.
//!
//! A processed record leaves quarantine. A record that is quarantined again stays, with its new reason. Known
//! facts change nothing, so a repeated requeue does no harm.

use std::path::Path;

use chrono::{DateTime, Days, NaiveDate, Utc};
use duewatch_app::{CROSS_RESTRICTIONS, TransitionError};
use duewatch_domain::formats::parse_message;
use duewatch_handlers::{Handlers, RUN_HERE, WaitingMessage, queue_event};
use duewatch_store::{PaymentFact, QUARANTINE_DAYS, Quarantined, StoreError};
use serde_json::{Value, json};

/// The days by which DynamoDB may delete an item later than its expiry.
const DAYS_TO_DELETE: u64 = 2;

/// The result of a requeue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requeued {
    /// Records processed.
    pub taken: usize,
    /// Records that were quarantined again, or failed.
    pub left: usize,
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

    /// Requeues the records quarantined from a date on (UTC), or those of one function. Reports the remaining
    /// ones, a line each, through `tell`.
    ///
    /// # Errors
    /// When the quarantine cannot be read or written.
    pub async fn quarantine(
        &self,
        since: NaiveDate,
        source: Option<&str>,
        mut tell: impl FnMut(String),
    ) -> Result<Requeued, RequeueError> {
        let store = self.handlers.post_payment.transitions.store();
        let begun = self.now();
        let today = begun.date_naive();
        let mut requeued = Requeued::default();
        let oldest = today.checked_sub_days(Days::new(QUARANTINE_DAYS + DAYS_TO_DELETE));
        let since = oldest.map_or(since, |oldest| since.max(oldest));
        for date in since.iter_days().take_while(|date| *date <= today) {
            for record in store.quarantined_on(date).await? {
                // A record that this requeue has quarantined again is not tried once more, or the loop would
                // not end.
                if record.at >= begun || source.is_some_and(|source| source != record.source) {
                    continue;
                }
                let left = Box::pin(self.hand_back(&record)).await?;
                if matches!(left, None | Some(Left::SetAside(_))) {
                    // The record was processed, or today's record replaces it from now on.
                    store.release(&record).await?;
                }
                match left {
                    None => requeued.taken += 1,
                    Some(Left::SetAside(reason) | Left::Failed(reason)) => {
                        tell(format!("{} {} {}: {reason}", date, record.source, record.id));
                        requeued.left += 1;
                    }
                }
            }
        }
        Ok(requeued)
    }

    /// Requeues a batch that a stream mapping gave up on, as its destination keeps it.
    ///
    /// # Errors
    /// When it is no such batch.
    pub async fn failed_batch(&self, path: &Path, text: &str) -> Result<Requeued, RequeueError> {
        let fault = |problem: String| RequeueError::File { path: path.display().to_string(), problem };
        let kept: Value = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        let arn = kept["requestContext"]["functionArn"].as_str().unwrap_or_default();
        let name = arn.split(':').nth(6).unwrap_or_default();
        let function = RUN_HERE.into_iter().find(|function| name.ends_with(&format!("-{function}")));
        let function = function.ok_or_else(|| fault(format!("functionArn: \"{arn}\" is none of ours")))?;
        // The event is stored as text.
        let event = match &kept["payload"] {
            Value::String(text) => serde_json::from_str(text).map_err(|error| fault(error.to_string()))?,
            payload => payload.clone(),
        };
        let records = event["Records"].as_array().map_or(0, Vec::len);
        if records == 0 {
            return Err(fault("payload: it holds no records".to_owned()));
        }
        let answer =
            self.handlers.invoke(function, &event).await.map_err(|error| fault(error.to_string()))?;
        let failures = answer["batchItemFailures"].as_array().map_or(0, Vec::len);
        // The records after the lowest failure must be tried again too.
        Ok(if failures == 0 {
            Requeued { taken: records, left: 0 }
        } else {
            Requeued { taken: 0, left: records }
        })
    }

    fn now(&self) -> DateTime<Utc> {
        self.handlers.post_payment.clock.now()
    }

    /// Requeues one record; returns the reason where it stays.
    async fn hand_back(&self, record: &Quarantined) -> Result<Option<Left>, StoreError> {
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
            _ => match self.reconcile(record, begun).await {
                Ok(()) => None,
                Err(error) => Some(error.to_string()),
            },
        };
        if let Some(reason) = failed {
            return Ok(Some(Left::Failed(reason)));
        }
        let store = self.handlers.post_payment.transitions.store();
        let again = store.quarantined_as(begun.date_naive(), &record.source, &record.id).await?;
        Ok(again.filter(|again| again.at >= begun).map(|again| Left::SetAside(again.reason)))
    }

    async fn invoke(&self, function: &str, event: &Value) -> Option<String> {
        match self.handlers.invoke(function, event).await {
            Ok(answer) if answer["batchItemFailures"].as_array().is_none_or(Vec::is_empty) => None,
            Ok(_) => Some("it failed for a reason that may pass".to_owned()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Reconciles a quarantined account, or posts a quarantined payment.
    async fn reconcile(&self, record: &Quarantined, now: DateTime<Utc>) -> Result<(), TransitionError> {
        let transitions = &self.handlers.post_payment.transitions;
        if let Ok(fact) = serde_json::from_str::<PaymentFact>(&record.payload) {
            transitions.post(&fact, now).await?;
            return Ok(());
        }
        let payload: Value = serde_json::from_str(&record.payload).unwrap_or_default();
        let account_id = payload["account_id"].as_str().unwrap_or(&record.id);
        let account_id = account_id.parse().map_err(|_| StoreError::Codec {
            table: transitions.store().tables().records.clone(),
            key: record.id.clone(),
            problem: "its payload names no account".to_owned(),
        })?;
        transitions.reconcile(&account_id, now).await?;
        if record.source == CROSS_RESTRICTIONS {
            transitions.apply_cross_restrictions_to(&account_id, now).await?;
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
    queue_event(queue, &[message])
}
