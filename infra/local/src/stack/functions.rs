//! The functions: in this process, or behind `cargo lambda watch`.

use detect_overdue::ShardQueue;
use duewatch_app::{Deadline, Services};
use duewatch_notify::ReferenceKeys;
use duewatch_notify::reference::NoKeys;
use duewatch_runtime::{REFERENCE_KEYS, RawStreamEvent};
use serde_json::Value;

/// The functions that this stack runs, by the directories of their code. The template may
/// declare more.
pub const RUN_HERE: [&str; 7] = [
    detect_overdue::NAME,
    intake::NAME,
    post_payment::NAME,
    record_delivery::NAME,
    record_history::NAME,
    send_reminders::NAME,
    reconcile_accounts::NAME,
];

/// The signing keys of references on this machine, where the environment names none. They are no secret, and
/// each run signs alike.
const LOCAL_KEYS: &str = "0=6c6f63616c206b6579206f66206475657761746368206f6e20796f757220706321";

/// The signing keys that the environment names, or those of this machine.
pub(super) fn local_keys() -> String {
    let named = std::env::var(REFERENCE_KEYS).ok().filter(|keys| !keys.is_empty());
    named.unwrap_or_else(|| LOCAL_KEYS.to_owned())
}

/// The parsed signing keys.
///
/// # Errors
/// When the environment names invalid keys.
pub fn local_reference_keys() -> Result<ReferenceKeys, NoKeys> {
    ReferenceKeys::parse(&local_keys())
}

/// The runner of the functions.
#[derive(Clone, Debug)]
pub enum Functions {
    /// This process calls the handlers.
    InProcess(Box<Handlers>),
    /// A Lambda runtime on this machine, such as `cargo lambda watch`.
    Remote(Remote),
}

/// The services of each handler.
#[derive(Clone, Debug)]
pub struct Handlers {
    pub detect_overdue: Services,
    /// The queue to which `detect-overdue` hands large shards.
    pub shards: Option<ShardQueue>,
    pub intake: Services,
    pub post_payment: Services,
    pub send_reminders: Services,
    /// The keys with which `send-reminders` signs references.
    pub keys: ReferenceKeys,
    pub record_delivery: Services,
    pub record_history: Services,
    pub reconcile_accounts: Services,
}

impl Handlers {
    /// Handlers with services of their own each, and no queue for large shards.
    pub fn over(keys: ReferenceKeys, services: impl Fn(&'static str) -> Services) -> Self {
        Self {
            detect_overdue: services(detect_overdue::NAME),
            shards: None,
            intake: services(intake::NAME),
            post_payment: services(post_payment::NAME),
            send_reminders: services(send_reminders::NAME),
            record_delivery: services(record_delivery::NAME),
            record_history: services(record_history::NAME),
            reconcile_accounts: services(reconcile_accounts::NAME),
            keys,
        }
    }
}

/// A Lambda runtime behind an address.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Such as `http://127.0.0.1:9000`.
    pub url: String,
    pub http: reqwest::Client,
}

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

impl Functions {
    /// Invokes a function, by the name of its directory.
    ///
    /// # Errors
    /// When it fails or cannot be reached.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, InvokeError> {
        match self {
            Self::InProcess(handlers) => handlers.invoke(function, payload).await,
            Self::Remote(remote) => remote.invoke(function, payload).await,
        }
    }
}

impl Handlers {
    async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, InvokeError> {
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
                serde_json::to_value(intake::handle(&self.intake, event, Deadline::none()).await)
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
            other => return Err(InvokeError::Unknown(other.to_owned())),
        };
        answer.map_err(|error| failed(error.to_string()))
    }
}

impl Remote {
    async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, InvokeError> {
        let failed = |problem: String| InvokeError::Failed { function: function.to_owned(), problem };
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url.trim_end_matches('/'));
        let response =
            self.http.post(url).json(payload).send().await.map_err(|error| failed(format!("{error:#}")))?;
        let status = response.status();
        let is_fault = response.headers().contains_key("x-amz-function-error");
        let body = response.text().await.map_err(|error| failed(error.to_string()))?;
        if !status.is_success() || is_fault {
            return Err(failed(format!("{status}: {body}")));
        }
        let answer: Value = serde_json::from_str(&body).map_err(|error| failed(error.to_string()))?;
        match answer.get("errorMessage") {
            Some(message) => Err(failed(message.to_string())),
            None => Ok(answer),
        }
    }
}
