//! The clients and tables of a command, as its environment names them.

use aws_config::{BehaviorVersion, SdkConfig};
use duewatch_app::Transitions;
use duewatch_runtime::{Settings, https_client};
use duewatch_store::Store;

use crate::import::ImportError;

pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// Region, credentials and endpoints of the caller, profiles included.
pub(super) async fn sdk_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).http_client(https_client()).load().await
}

/// The store of the environment's tables, through clients that the environment configures.
pub(super) async fn configured() -> Result<Transitions, ImportError> {
    let settings = Settings::from_env()?;
    let config = sdk_config().await;
    let client = aws_sdk_dynamodb::Client::new(&config);
    Ok(Transitions::new(Store::new(client, settings.tables, settings.due_shards)))
}
