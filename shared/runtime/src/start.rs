//! The start of every function: settings, logs, clients.

use std::fmt::{Debug, Display};
use std::future::Future;
use std::io::StdoutLock;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_types::SdkConfig;
use duewatch_app::{Clock, Deadline, Services, SystemClock};
use duewatch_notify::Notifier;
use duewatch_store::Store;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::{EscapeStyle, Escaping, POLICY_KEYS, Settings, SettingsError, function_config};

/// The longest warm-up. More would not make the first event any faster.
const WARM_UP_AT_MOST: Duration = Duration::from_secs(2);

/// The services of a function over existing clients.
#[must_use]
pub fn services(
    function: &'static str,
    settings: &Settings,
    dynamodb: aws_sdk_dynamodb::Client,
    sns: aws_sdk_sns::Client,
    clock: Arc<dyn Clock>,
) -> Services {
    services_over(function, settings, settings.store(dynamodb), sns, clock)
}

/// The services of a function over an existing store.
#[must_use]
pub fn services_over(
    function: &'static str,
    settings: &Settings,
    store: Store,
    sns: aws_sdk_sns::Client,
    clock: Arc<dyn Clock>,
) -> Services {
    let notifier = Notifier::new(sns, settings.topics.clone());
    Services::new(function, store, notifier, clock, settings.metrics_namespace.clone())
}

/// Finds credentials, connects and agrees on keys before the first event, which would otherwise wait for
/// that. A failure is ignored: the first event meets it again.
async fn warm_up(services: &Services) {
    let began = Instant::now();
    let warmed = tokio::time::timeout(WARM_UP_AT_MOST, services.store().warm_up()).await;
    let elapsed_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    match warmed {
        Ok(Ok(())) => tracing::info!(elapsed_us, "warmed up"),
        Ok(Err(error)) => tracing::info!(elapsed_us, %error, "not warmed up"),
        Err(_) => tracing::info!(elapsed_us, "not warmed up in time"),
    }
}

/// The clients' crates, by the prefix of their log targets.
const CLIENTS: [&str; 5] = ["aws_", "h2", "hyper", "lambda_runtime", "rustls"];

/// The log: an id in it can hold a character that would act on the terminal of a reader.
fn log_writer() -> Escaping<StdoutLock<'static>> {
    Escaping::new(std::io::stdout().lock(), EscapeStyle::Json)
}

/// Starts a function: logs as JSON at the level of `RUST_LOG`, settings and
/// clients from the environment, and one call to warm them up.
///
/// # Errors
/// When a setting is missing.
pub async fn start(function: &'static str) -> Result<Services, SettingsError> {
    start_beside(function, |_| ()).await.map(|(services, ())| services)
}

/// Starts a function with one more client beside the common ones. Both use one configuration, so that roots
/// and credentials are loaded once.
///
/// # Errors
/// When a setting is missing.
pub async fn start_beside<C>(
    function: &'static str,
    client: impl FnOnce(&SdkConfig) -> C,
) -> Result<(Services, C), SettingsError> {
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().json().with_current_span(false).with_writer(log_writer))
        .with(log_levels(std::env::var("RUST_LOG").ok().as_deref()))
        .init();
    let settings = Settings::from_env()?;
    if settings.policy_keys.is_none() {
        tracing::warn!(
            "policies are taken unsigned, for {POLICY_KEYS} is none; infra/operations.md says how to sign"
        );
    }
    let config = function_config(|name| std::env::var(name).ok())?;
    let services = services(
        function,
        &settings,
        aws_sdk_dynamodb::Client::new(&config),
        aws_sdk_sns::Client::new(&config),
        Arc::new(SystemClock),
    );
    let client = client(&config);
    warm_up(&services).await;
    Ok((services, client))
}

/// The log filter: `RUST_LOG` as a level, or levels by target. Regular expressions would make a function
/// larger without need.
///
/// At their finest levels, the clients' own crates would log whole requests with names and contact points. So
/// they log at `info` at most, unless one of them is named. A release build bears no level below `info` at all.
fn log_levels(told: Option<&str>) -> Targets {
    let levels: Targets = told
        .filter(|levels| !levels.is_empty())
        .and_then(|levels| levels.parse().ok())
        .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let quiet = levels.default_level().unwrap_or(LevelFilter::OFF).min(LevelFilter::INFO);
    levels.with_targets(CLIENTS.map(|client| (client, quiet)))
}

/// Runs a handler on Lambda until the environment is shut down. The handler takes an event, and the deadline of
/// its invocation.
///
/// # Errors
/// When the runtime itself fails.
pub async fn run<E, R, F, Fut, X>(handler: F) -> Result<(), lambda_runtime::Error>
where
    E: for<'de> Deserialize<'de> + Send + 'static,
    R: Serialize,
    F: Fn(E, Deadline) -> Fut,
    Fut: Future<Output = Result<R, X>>,
    X: Display + Debug + Into<lambda_runtime::Diagnostic>,
{
    // Boxed, so that the future of `main` does not grow with all that a handler awaits.
    let handle = move |event: LambdaEvent<E>| {
        let deadline = Deadline::of_lambda(event.context.deadline, SystemClock.now());
        Box::pin(handler(event.payload, deadline))
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// Starts a function that answers each batch with the records that failed, and runs it.
///
/// # Errors
/// When a setting is missing, or the runtime itself fails.
pub async fn run_batches<E, R>(
    function: &'static str,
    handle: impl AsyncFn(&Services, E, Deadline) -> R,
) -> Result<(), lambda_runtime::Error>
where
    E: for<'de> Deserialize<'de> + Send + 'static,
    R: Serialize,
{
    let services = start(function).await?;
    run(async |event, deadline| Ok::<_, lambda_runtime::Error>(handle(&services, event, deadline).await))
        .await
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};

    use super::*;

    #[test]
    fn a_level_holds_for_all_and_info_is_the_one_that_holds_where_none_is_told() {
        for (told, debug, info) in [
            (None, false, true),
            (Some(""), false, true),
            (Some("no level=at all"), false, true),
            (Some("debug"), true, true),
            (Some("warn"), false, false),
            (Some("warn,duewatch_runtime=debug"), true, true),
        ] {
            let levels = log_levels(told);
            let at = |level| levels.would_enable("duewatch_runtime::start", &level);
            assert_eq!((at(tracing::Level::DEBUG), at(tracing::Level::INFO)), (debug, info), "{told:?}");
        }
    }

    #[test]
    fn the_clients_never_say_what_they_carry() {
        for told in [None, Some("trace"), Some("debug"), Some("trace,duewatch_store=debug")] {
            let levels = log_levels(told);
            for target in
                ["aws_smithy_runtime::client", "aws_config", "hyper::proto", "lambda_runtime::layers"]
            {
                assert!(!levels.would_enable(target, &tracing::Level::DEBUG), "{told:?}: {target}");
            }
        }
        assert!(!log_levels(Some("warn")).would_enable("aws_config", &tracing::Level::INFO));
    }

    #[tokio::test(start_paused = true)]
    async fn a_function_starts_though_nothing_answers_it() -> Result<(), Box<dyn std::error::Error>> {
        // The listener accepts connections, and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
        let dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(Credentials::new("none", "none", None, None, "none"))
            .http_client(crate::https_client())
            .endpoint_url(format!("http://{}", silent.local_addr()?))
            .build();
        let sns = aws_sdk_sns::Config::builder().behavior_version(BehaviorVersion::latest()).build();
        let services = services(
            "test",
            &Settings::from_lookup(|name| Some(if name == POLICY_KEYS { "none" } else { "4" }.to_owned()))?,
            aws_sdk_dynamodb::Client::from_conf(dynamodb),
            aws_sdk_sns::Client::from_conf(sns),
            Arc::new(SystemClock),
        );
        // The clock is paused: when all tasks wait, it jumps to the next instant that one of them waits for.
        let began = tokio::time::Instant::now();
        tokio::time::timeout(2 * WARM_UP_AT_MOST, warm_up(&services)).await?;
        assert_eq!(began.elapsed(), WARM_UP_AT_MOST, "the call has not waited, or for too long");
        Ok(())
    }
}
