//! SNS on loopback, for the real SDK client.
//!
//! It speaks the AWS Query protocol, supports `Publish`, `PublishBatch`, `CreateTopic` and
//! `GetTopicAttributes`, refuses requests
//! that SNS refuses, and keeps accepted messages. It has no subscribers over the wire. Tests can make it
//! fail, wholly or in part.

mod query;
#[cfg(test)]
mod tests;
mod xml;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Form, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use crate::guard;

use self::query::{Action, SnsEntry, SnsMessage, SnsRefusal};

/// The default number of kept messages.
const KEPT_MESSAGES: usize = 100_000;
/// The most messages by which a slow receiver may lag behind.
const LIVE_MESSAGES: usize = 1_024;
/// The most topics, as in an AWS account.
const MAX_TOPICS: usize = 100_000;
/// The most queued faults.
const MAX_FAULTS: usize = 1_000;
/// Room for ten messages of the greatest size, in percent-encoding.
const MAX_BODY_BYTES: usize = 10 * 3 * query::MAX_MESSAGE_BYTES;

/// An accepted message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub topic_arn: String,
    /// The same run gives the same ids.
    pub message_id: String,
    pub subject: Option<String>,
    pub message: String,
    /// Strings and numbers as text, bytes in base64.
    pub attributes: BTreeMap<String, String>,
    /// The message's number among all accepted ones, from 1.
    pub sequence: u64,
}

/// A fault that a test injects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnsFault {
    /// Entries of a `PublishBatch` fail inside an answer of 200.
    Entries {
        /// The number of entries.
        count: u32,
        /// Only entries whose message contains this text; empty for any.
        containing: String,
        /// The entry's error code: `InternalError`, `Throttled`, ...
        code: String,
        /// Whether the sender is to blame.
        sender_fault: bool,
    },
    /// Requests are answered with 500, and nothing is kept.
    InternalError {
        /// The number of requests.
        count: u32,
    },
    /// Requests are refused as too frequent.
    Throttled {
        /// The number of requests.
        count: u32,
    },
    /// Requests succeed, but the sender is answered with 500.
    AnswerLost {
        /// The number of requests.
        count: u32,
    },
}

impl SnsFault {
    const fn left(&mut self) -> &mut u32 {
        match self {
            Self::Entries { count, .. }
            | Self::InternalError { count }
            | Self::Throttled { count }
            | Self::AnswerLost { count } => count,
        }
    }

    fn is_spent(&mut self) -> bool {
        *self.left() == 0
    }
}

/// The endpoint's state, shared by its clones.
#[derive(Clone, Debug)]
pub struct LocalSns {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<SnsState>,
    live: broadcast::Sender<Delivered>,
}

#[derive(Debug, Default)]
struct SnsState {
    most: usize,
    topics: BTreeSet<String>,
    messages: VecDeque<Delivered>,
    dropped: u64,
    sequence: u64,
    requests: u64,
    faults: VecDeque<SnsFault>,
}

impl Default for LocalSns {
    fn default() -> Self {
        Self::new()
    }
}

impl LocalSns {
    /// An endpoint without topics.
    #[must_use]
    pub fn new() -> Self {
        Self::keeping(KEPT_MESSAGES)
    }

    /// An endpoint that keeps so many messages; older ones are dropped and counted.
    #[must_use]
    pub fn keeping(most: usize) -> Self {
        let state = Mutex::new(SnsState { most, ..SnsState::default() });
        let (live, _) = broadcast::channel(LIVE_MESSAGES);
        Self { shared: Arc::new(Shared { state, live }) }
    }

    /// The local ARN of a topic.
    #[must_use]
    pub fn topic_arn(name: &str) -> String {
        format!("arn:aws:sns:us-east-1:000000000000:{name}")
    }

    /// Registers a topic; before that, publishing on it is refused.
    pub fn register(&self, topic_arn: &str) {
        self.lock().topics.insert(topic_arn.to_owned());
    }

    /// Removes a topic, as somebody with the right may.
    pub fn remove(&self, topic_arn: &str) {
        self.lock().topics.remove(topic_arn);
    }

    /// The accepted messages that are still kept, in order.
    #[must_use]
    pub fn delivered(&self) -> Vec<Delivered> {
        self.lock().messages.iter().cloned().collect()
    }

    /// Takes the accepted messages that are still kept, in order.
    #[must_use]
    pub fn take(&self) -> Vec<Delivered> {
        self.lock().messages.drain(..).collect()
    }

    /// The number of messages dropped beyond the bound.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// A receiver of the messages accepted from now on. One that lags behind by more than a thousand messages
    /// loses the oldest, and its next read reports that.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Delivered> {
        self.shared.live.subscribe()
    }

    /// Queues a fault, which applies until it is spent. Faults apply in the order of their queueing; beyond a
    /// thousand, the newest is dropped.
    pub fn fail_entries(&self, fault: SnsFault) {
        let mut kept = self.lock();
        if kept.faults.len() < MAX_FAULTS {
            kept.faults.push_back(fault);
        }
    }

    fn lock(&self) -> MutexGuard<'_, SnsState> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request without a socket: its status and its body.
    #[must_use]
    pub fn answer_form(&self, body: &[u8]) -> (u16, String) {
        let form = form_urlencoded::parse(body).into_owned().collect();
        let (status, body) = self.answer(form);
        (status.as_u16(), body)
    }

    fn answer(&self, form: Vec<(String, String)>) -> (StatusCode, String) {
        let mut kept = self.lock();
        kept.requests += 1;
        let request_id = id(kept.requests);
        let before = kept.sequence;
        let answer = kept.fail().and_then(|()| kept.act(form, &request_id));
        self.show_since(&kept, before);
        match answer.and_then(|body| kept.lose().map(|()| body)) {
            Ok(body) => (StatusCode::OK, body),
            Err(refusal) => (refusal.status(), xml::refusal(&refusal, &request_id)),
        }
    }

    fn show_since(&self, kept: &SnsState, sequence: u64) {
        if self.shared.live.receiver_count() == 0 {
            return;
        }
        let new = usize::try_from(kept.sequence - sequence).unwrap_or(usize::MAX);
        for message in kept.messages.iter().skip(kept.messages.len().saturating_sub(new)) {
            // Fails only when the last receiver has just gone.
            let _ = self.shared.live.send(message.clone());
        }
    }
}

impl SnsState {
    fn act(&mut self, form: Vec<(String, String)>, request_id: &str) -> Result<String, SnsRefusal> {
        match query::action(form)? {
            Action::CreateTopic { name } => {
                self.create(&name).map(|topic_arn| xml::topic_created(&topic_arn, request_id))
            }
            Action::GetTopicAttributes { topic_arn } => {
                self.known(&topic_arn)?;
                Ok(xml::topic_attributes(&topic_arn, request_id))
            }
            Action::Publish { topic_arn, message } => {
                self.known(&topic_arn)?;
                Ok(xml::published(&self.keep(&topic_arn, message), request_id))
            }
            Action::PublishBatch { topic_arn, entries } => {
                self.known(&topic_arn)?;
                let results: Vec<_> =
                    entries.into_iter().map(|entry| self.publish_entry(&topic_arn, entry)).collect();
                Ok(xml::batch_published(&results, request_id))
            }
        }
    }

    fn create(&mut self, name: &str) -> Result<String, SnsRefusal> {
        let topic_arn = LocalSns::topic_arn(name);
        if self.topics.len() >= MAX_TOPICS && !self.topics.contains(&topic_arn) {
            return Err(SnsRefusal::TopicLimitExceeded);
        }
        self.topics.insert(topic_arn.clone());
        Ok(topic_arn)
    }

    fn known(&self, topic_arn: &str) -> Result<(), SnsRefusal> {
        if self.topics.contains(topic_arn) { Ok(()) } else { Err(SnsRefusal::NotFound) }
    }

    fn publish_entry(&mut self, topic_arn: &str, entry: SnsEntry) -> EntryResult {
        let outcome = match self.fail_entry(&entry.message.body) {
            Some(failure) => Err(failure),
            None => Ok(self.keep(topic_arn, entry.message)),
        };
        EntryResult { id: entry.id, outcome }
    }

    fn keep(&mut self, topic_arn: &str, message: SnsMessage) -> String {
        self.sequence += 1;
        let message_id = id(self.sequence);
        self.messages.push_back(Delivered {
            topic_arn: topic_arn.to_owned(),
            message_id: message_id.clone(),
            subject: message.subject,
            message: message.body,
            attributes: message.attributes,
            sequence: self.sequence,
        });
        while self.messages.len() > self.most {
            self.messages.pop_front();
            self.dropped += 1;
        }
        message_id
    }

    /// Spends one count of the first fault to which `applies` gives a result.
    fn spend<T>(&mut self, applies: impl Fn(&SnsFault) -> Option<T>) -> Option<T> {
        self.faults.retain_mut(|fault| !fault.is_spent());
        let (fault, effect) =
            self.faults.iter_mut().find_map(|fault| applies(fault).map(|effect| (fault, effect)))?;
        *fault.left() -= 1;
        Some(effect)
    }

    fn fail(&mut self) -> Result<(), SnsRefusal> {
        let fault = self.spend(|fault| match fault {
            SnsFault::InternalError { .. } => Some(SnsRefusal::InternalError),
            SnsFault::Throttled { .. } => Some(SnsRefusal::Throttled),
            SnsFault::Entries { .. } | SnsFault::AnswerLost { .. } => None,
        });
        fault.map_or(Ok(()), Err)
    }

    fn lose(&mut self) -> Result<(), SnsRefusal> {
        self.spend(|fault| matches!(fault, SnsFault::AnswerLost { .. }).then_some(SnsRefusal::InternalError))
            .map_or(Ok(()), Err)
    }

    fn fail_entry(&mut self, body: &str) -> Option<EntryFailure> {
        self.spend(|fault| match fault {
            SnsFault::Entries { containing, code, sender_fault, .. } if body.contains(containing) => {
                Some(EntryFailure { code: code.clone(), sender_fault: *sender_fault })
            }
            _ => None,
        })
    }
}

/// The result of an entry of a batch.
struct EntryResult {
    id: String,
    outcome: Result<String, EntryFailure>,
}

/// Why an entry of a batch failed.
struct EntryFailure {
    code: String,
    sender_fault: bool,
}

/// A numbered id in the format of SNS.
fn id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// Serves until the listener fails or the task is dropped.
///
/// # Errors
/// When the listener fails.
pub async fn serve_on(listener: TcpListener, sns: LocalSns) -> io::Result<()> {
    let router =
        Router::new().route("/", post(answer)).layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).with_state(sns);
    guard::serve(listener, router).await
}

async fn answer(
    State(sns): State<LocalSns>,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    match form {
        Ok(Form(form)) => {
            let (status, body) = sns.answer(form);
            (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
        }
        Err(rejection) => rejection.into_response(),
    }
}
