//! The handlers of all functions behind their names, in one process. They take an event as Lambda passes it, and
//! they answer as Lambda would.
//!
//! The local stack runs on them, and so does `duewatch requeue` on the tables of an installation. This crate
//! links no engine.

mod events;
mod names;

use std::sync::Arc;

use detect_overdue::ShardQueue;
use duewatch_app::{Deadline, Services};
use duewatch_notify::ReferenceKeys;
use duewatch_runtime::RawStreamEvent;
use duewatch_store::PrivateKey;
use intake::SenderMap;
use serde_json::Value;
use serve_borrower::Pages;

pub use self::events::{HttpRequest, WaitingMessage, http_event, queue_event, scheduled_event};
pub use self::names::{LOCAL_ACCOUNT, LOCAL_REGION, arn, topic_arn};

/// The functions that this crate runs, by the directories of their code. The template may
/// declare more.
pub const RUN_HERE: [&str; 9] = [
    detect_overdue::NAME,
    intake::NAME,
    post_payment::NAME,
    record_delivery::NAME,
    record_history::NAME,
    send_reminders::NAME,
    reconcile_accounts::NAME,
    anchor_history::NAME,
    serve_borrower::NAME,
];

/// Why an invocation gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    #[error("there is no function {0}")]
    Unknown(String),
    #[error("{function}: {problem}")]
    Failed {
        function: String,
        /// The function's error message.
        problem: String,
    },
}

/// The services of each handler.
#[derive(Clone, Debug)]
pub struct Handlers {
    pub detect_overdue: Services,
    /// The queue to which `detect-overdue` hands large shards.
    pub shards: Option<ShardQueue>,
    pub intake: Services,
    /// The senders of `intake`. On one machine, and for an operator who takes quarantined messages, there is one.
    pub senders: SenderMap,
    pub post_payment: Services,
    pub send_reminders: Services,
    /// The keys with which `send-reminders` signs references.
    pub keys: ReferenceKeys,
    pub record_delivery: Services,
    pub record_history: Services,
    pub reconcile_accounts: Services,
    pub anchor_history: Services,
    /// The key with which `anchor-history` signs; none: it cannot be invoked here.
    pub anchor_key: Option<Arc<PrivateKey>>,
    /// The pages of `serve-borrower`; none: they are not served here.
    pub pages: Option<Pages>,
}

impl Handlers {
    /// Handlers with services of their own each, no queue for large shards, and no key of anchors.
    pub fn over(keys: ReferenceKeys, services: impl Fn(&'static str) -> Services) -> Self {
        Self {
            detect_overdue: services(detect_overdue::NAME),
            shards: None,
            intake: services(intake::NAME),
            senders: SenderMap::default(),
            post_payment: services(post_payment::NAME),
            send_reminders: services(send_reminders::NAME),
            record_delivery: services(record_delivery::NAME),
            record_history: services(record_history::NAME),
            reconcile_accounts: services(reconcile_accounts::NAME),
            anchor_history: services(anchor_history::NAME),
            anchor_key: None,
            pages: None,
            keys,
        }
    }

    /// Invokes a function, by the name of its directory.
    ///
    /// # Errors
    /// When there is none of that name, or it fails.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, InvokeError> {
        let failed = |problem: String| InvokeError::Failed { function: function.to_owned(), problem };
        // The bytes that Lambda would pass: the handler parses them as it does there.
        let bytes = payload.to_string();
        let stream =
            || serde_json::from_str::<RawStreamEvent>(&bytes).map_err(|error| failed(error.to_string()));
        let answer = match function {
            detect_overdue::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| failed(error.to_string()))?;
                let (services, queue) = (&self.detect_overdue, self.shards.as_ref());
                let answer = detect_overdue::handle(services, queue, event, Deadline::none())
                    .await
                    .map_err(|error| failed(error.to_string()))?;
                serde_json::to_value(answer)
            }
            intake::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| failed(error.to_string()))?;
                let senders = &self.senders;
                serde_json::to_value(intake::handle(&self.intake, senders, event, Deadline::none()).await)
            }
            post_payment::NAME => {
                let response = post_payment::handle(&self.post_payment, stream()?, Deadline::none()).await;
                serde_json::to_value(response)
            }
            send_reminders::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| failed(error.to_string()))?;
                let (services, keys) = (&self.send_reminders, &self.keys);
                let answer = send_reminders::handle(services, keys, event, Deadline::none())
                    .await
                    .map_err(|error| failed(error.to_string()))?;
                serde_json::to_value(answer)
            }
            record_delivery::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| failed(error.to_string()))?;
                let services = &self.record_delivery;
                serde_json::to_value(record_delivery::handle(services, event, Deadline::none()).await)
            }
            record_history::NAME => {
                let response =
                    record_history::handle(&self.record_history, stream()?, Deadline::none()).await;
                serde_json::to_value(response)
            }
            reconcile_accounts::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| failed(error.to_string()))?;
                let report = reconcile_accounts::handle(&self.reconcile_accounts, event, Deadline::none())
                    .await
                    .map_err(|error| failed(error.to_string()))?;
                serde_json::to_value(report)
            }
            anchor_history::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| failed(error.to_string()))?;
                let Some(key) = &self.anchor_key else { return Err(failed("no key of anchors".to_owned())) };
                let report = anchor_history::handle(&self.anchor_history, key, event, Deadline::none())
                    .await
                    .map_err(|error| failed(error.to_string()))?;
                serde_json::to_value(report)
            }
            serve_borrower::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| failed(error.to_string()))?;
                let Some(pages) = &self.pages else { return Err(failed("no key of pages".to_owned())) };
                serde_json::to_value(serve_borrower::handle(pages, event).await)
            }
            other => return Err(InvokeError::Unknown(other.to_owned())),
        };
        answer.map_err(|error| failed(error.to_string()))
    }
}
