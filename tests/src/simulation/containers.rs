//! Containers: a function's process, with clients, a clock and caches of its own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, IdentityCache, Region, StalledStreamProtectionConfig,
};
use chrono::{DateTime, TimeDelta, Utc};
use detect_overdue::ShardQueue;
use duewatch_app::{Clock, Deadline, Services};
use duewatch_handlers::LOCAL_REGION;
use duewatch_runtime::Settings;
use duewatch_stack::{StackClock, local_anchor_key, local_reference_keys, local_tombstone_key};
use serde_json::Value;

use super::attacks::SENDERS;
use super::network::{CallerId, Network};

/// A clock that is ahead of the others, or behind them.
#[derive(Clone, Debug)]
pub(super) struct SkewedClock {
    pub(super) clock: StackClock,
    pub(super) ahead: TimeDelta,
}

impl Clock for SkewedClock {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now() + self.ahead
    }
}

/// A function's process, which runs one invocation at a time.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) function: &'static str,
    pub(super) services: Arc<Services>,
    pub(super) shards: Option<ShardQueue>,
    pub(super) clock: SkewedClock,
    pub(super) is_busy: bool,
}

impl Container {
    pub(super) fn start(
        function: &'static str,
        settings: &Settings,
        shards_url: &str,
        network: &Network,
        caller: CallerId,
        clock: SkewedClock,
    ) -> Self {
        let Clients { dynamodb, sns, sqs } = clients(network, caller);
        let services = services(function, settings, dynamodb, sns, clock.clone());
        let shards = (function == detect_overdue::NAME).then(|| ShardQueue::new(sqs, shards_url.to_owned()));
        Self { function, services: Arc::new(services), shards, clock, is_busy: false }
    }
}

/// The services of a function or of the operator's command, each with the same key of tombstones.
pub(super) fn services(
    function: &'static str,
    settings: &Settings,
    dynamodb: aws_sdk_dynamodb::Client,
    sns: aws_sdk_sns::Client,
    clock: SkewedClock,
) -> Services {
    let services = duewatch_runtime::services(function, settings, dynamodb, sns, Arc::new(clock));
    match local_tombstone_key() {
        Ok(key) => services.with_tombstone_key(key),
        Err(_) => services,
    }
}

/// The AWS clients of one caller.
pub(super) struct Clients {
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) sns: aws_sdk_sns::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
}

/// The AWS clients of one caller, with the retries that a function has on Lambda.
pub(super) fn clients(network: &Network, caller: CallerId) -> Clients {
    macro_rules! client {
        ($sdk:ident) => {{
            let partition = RetryPartition::custom("simulation").token_bucket(TokenBucket::new(500)).build();
            $sdk::Client::from_conf(
                $sdk::Config::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .region(Region::new(LOCAL_REGION))
                    .credentials_provider(Credentials::new(
                        "simulated",
                        "simulated",
                        None,
                        None,
                        "simulation",
                    ))
                    .identity_cache(IdentityCache::no_cache())
                    .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                    .retry_config(RetryConfig::standard())
                    .retry_partition(partition)
                    .endpoint_url("http://simulated.invalid")
                    .http_client(network.wire(caller))
                    .sleep_impl(network.clone())
                    .time_source(network.clone())
                    .build(),
            )
        }};
    }
    Clients { dynamodb: client!(aws_sdk_dynamodb), sns: client!(aws_sdk_sns), sqs: client!(aws_sdk_sqs) }
}

/// The answer of an invocation.
pub(super) type Invoked = Result<Value, String>;

/// Calls a handler as Lambda does. A new function needs one more line. Only the scan of `reconcile-accounts` has
/// fewer `segments` than on Lambda, and as many firings a day as segments.
pub(super) fn invoke(
    services: Arc<Services>,
    shards: Option<ShardQueue>,
    function: &'static str,
    payload: &Value,
    deadline: Deadline,
    segments: u32,
) -> Pin<Box<dyn Future<Output = Invoked>>> {
    let bytes = payload.to_string();
    Box::pin(async move {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let answer = match function {
            detect_overdue::NAME | detect_overdue::SWEEP_SHARD => {
                let event = serde_json::from_str(&bytes).map_err(|error| said(&error))?;
                let swept = detect_overdue::handle(&services, shards.as_ref(), event, deadline).await;
                serde_json::to_value(swept.map_err(|error| said(&error))?)
            }
            post_payment::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| said(&error))?;
                serde_json::to_value(post_payment::handle(&services, event, deadline).await)
            }
            send_reminders::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| said(&error))?;
                let keys = local_reference_keys().map_err(|error| said(&error))?;
                let sent = send_reminders::handle(&services, &keys, event, deadline).await;
                serde_json::to_value(sent.map_err(|error| said(&error))?)
            }
            intake::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| said(&error))?;
                let senders = intake::SenderMap::parse(SENDERS).map_err(|error| said(&error))?;
                serde_json::to_value(intake::handle(&services, &senders, event, deadline).await)
            }
            record_delivery::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| said(&error))?;
                serde_json::to_value(record_delivery::handle(&services, event, deadline).await)
            }
            record_history::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| said(&error))?;
                serde_json::to_value(record_history::handle(&services, event, deadline).await)
            }
            reconcile_accounts::NAME => {
                let report = reconcile_accounts::reconcile_segments(&services, segments, deadline).await;
                serde_json::to_value(report.map_err(|error| said(&error))?)
            }
            anchor_history::NAME => {
                let event = serde_json::from_str(&bytes).map_err(|error| said(&error))?;
                let key = local_anchor_key().map_err(|error| said(&error))?;
                let anchored = anchor_history::handle(&services, &key, event, deadline).await;
                serde_json::to_value(anchored.map_err(|error| said(&error))?)
            }
            other => return Err(format!("there is no function {other}")),
        };
        answer.map_err(|error| said(&error))
    })
}
