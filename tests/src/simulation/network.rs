//! Holds requests between the SDK's clients and the engines until the simulation serves them, in an order and
//! with a fault of its choice.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_sdk_dynamodb::config::{AsyncSleep, SharedHttpClient, Sleep};
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use chrono::{DateTime, TimeDelta, Utc};
use duewatch_app::Clock;
use duewatch_stack::sqs::LocalSqs;
use duewatch_stack::{LocalAnswer, StackClock};
use serde_json::Value;

/// The sender of a request: one container of a function, or one happening of the lender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CallerId(pub(super) u64);

/// A request that waits to be served.
#[derive(Clone, Debug)]
pub(super) struct NetworkRequest {
    pub(super) caller: CallerId,
    /// `DynamoDB_20120810.GetItem`, `AmazonSQS.SendMessageBatch`, ...; none: a request to SNS.
    pub(super) target: Option<String>,
    pub(super) body: Vec<u8>,
}

impl NetworkRequest {
    /// The body of a request to DynamoDB or SQS.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        let target = self.target.as_deref();
        target.and_then(|target| target.rsplit('.').next()).unwrap_or("PublishBatch")
    }

    pub(super) fn is_for_dynamodb(&self) -> bool {
        self.target.as_deref().is_some_and(|target| !LocalSqs::is_target(target))
    }
}

/// The reply to a caller.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Answer(LocalAnswer),
    /// No answer came within the timeout.
    TimedOut,
    /// The calling code panics.
    Panic,
    Awake,
}

/// The message of injected panics, which tells them from real ones.
pub(super) const SIMULATED_PANIC: &str = "simulated panic";

#[derive(Debug, Default)]
struct Slot(Mutex<(Option<Reply>, Option<Waker>)>);

impl Slot {
    fn fill(&self, reply: Reply) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.0 = Some(reply);
        if let Some(waker) = slot.1.take() {
            waker.wake();
        }
    }
}

struct Filled(Arc<Slot>);

impl Future for Filled {
    type Output = Reply;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        let mut slot = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.0.take() {
            Some(reply) => Poll::Ready(reply),
            None => {
                slot.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[derive(Debug, Default)]
struct PendingRequests {
    next: u64,
    requests: BTreeMap<u64, (NetworkRequest, Arc<Slot>)>,
    sleeps: BTreeMap<(DateTime<Utc>, u64), Arc<Slot>>,
}

/// The network and the clock of all tasks. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Network {
    clock: StackClock,
    waiting: Arc<Mutex<PendingRequests>>,
}

impl Network {
    pub(super) fn new(clock: StackClock) -> Self {
        Self { clock, waiting: Arc::default() }
    }

    /// The HTTP client of one caller.
    pub(super) fn wire(&self, caller: CallerId) -> SharedHttpClient {
        let wire = Wire { network: self.clone(), caller };
        http_client_fn(move |_, _| SharedHttpConnector::new(wire.clone()))
    }

    /// The numbers of the waiting requests.
    pub(super) fn requests(&self) -> Vec<u64> {
        self.lock().requests.keys().copied().collect()
    }

    pub(super) fn request(&self, number: u64) -> Option<NetworkRequest> {
        self.lock().requests.get(&number).map(|(request, _)| request.clone())
    }

    pub(super) fn reply(&self, number: u64, reply: Reply) {
        let taken = self.lock().requests.remove(&number);
        if let Some((_, slot)) = taken {
            slot.fill(reply);
        }
    }

    /// Drops the requests of a caller that is gone.
    pub(super) fn hang_up(&self, caller: CallerId) {
        self.lock().requests.retain(|_, (request, _)| request.caller != caller);
    }

    /// The instant at which the first sleep ends.
    pub(super) fn next_awakening(&self) -> Option<DateTime<Utc>> {
        self.lock().sleeps.keys().next().map(|(at, _)| *at)
    }

    /// Ends each sleep that is over.
    pub(super) fn awake(&self) {
        let now = self.clock.now();
        loop {
            let slot = {
                let mut waiting = self.lock();
                match waiting.sleeps.first_key_value() {
                    Some(((at, _), _)) if *at <= now => waiting.sleeps.pop_first(),
                    _ => None,
                }
            };
            match slot {
                Some((_, slot)) => slot.fill(Reply::Awake),
                None => return,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, PendingRequests> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, request: NetworkRequest) -> Filled {
        let slot = Arc::new(Slot::default());
        let mut waiting = self.lock();
        waiting.next += 1;
        let number = waiting.next;
        waiting.requests.insert(number, (request, Arc::clone(&slot)));
        Filled(slot)
    }
}

impl TimeSource for Network {
    fn now(&self) -> SystemTime {
        SystemTime::from(self.clock.now())
    }
}

impl AsyncSleep for Network {
    fn sleep(&self, duration: Duration) -> Sleep {
        let slot = Arc::new(Slot::default());
        let at = self.clock.now() + TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        let mut waiting = self.lock();
        waiting.next += 1;
        let number = waiting.next;
        waiting.sleeps.insert((at, number), Arc::clone(&slot));
        Sleep::new(async move { drop(Filled(slot).await) })
    }
}

/// The connector of one caller, which hands its requests to the network.
#[derive(Clone, Debug)]
struct Wire {
    network: Network,
    caller: CallerId,
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").map(str::to_owned);
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let reply = self.network.send(NetworkRequest { caller: self.caller, target, body });
        HttpConnectorFuture::new(async move {
            match reply.await {
                Reply::Answer(answer) => answer.into_response(),
                Reply::TimedOut | Reply::Awake => Err(ConnectorError::timeout("simulated timeout".into())),
                Reply::Panic => panic!("{SIMULATED_PANIC}"),
            }
        })
    }
}
