//! The clients and tables of a command, as its environment names them.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use clap::Args;
use duewatch_app::{Services, SystemClock, Transitions};
use duewatch_runtime::{Settings, https_client, tombstone_key_from_env};
use duewatch_store::PrivateKey;

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
    Ok(Transitions::new(settings.store(client)))
}

/// The option that names the file of the publisher's key, for a command that writes policies.
#[derive(Args, Debug)]
pub(super) struct SigningKeyArgs {
    /// The publisher's key: a file with 64 hexadecimal digits. Its public half is in the setting POLICY_KEYS.
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
}

impl SigningKeyArgs {
    /// The key, where a file is named.
    pub(super) fn read(&self) -> Result<Option<PrivateKey>, String> {
        self.signing_key.as_deref().map(read_signing_key).transpose()
    }
}

/// Reads a key from its file. The error never quotes the content.
pub(super) fn read_signing_key(path: &Path) -> Result<PrivateKey, String> {
    let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| fault(&error))?;
    PrivateKey::parse(&text).map_err(|error| fault(&error))
}

/// The services of a command, over the environment's tables and topics.
pub(super) async fn services_of(command: &'static str) -> Result<Services, Box<dyn Error>> {
    let settings = Settings::from_env().map_err(ImportError::from)?;
    let config = sdk_config().await;
    let (dynamodb, sns) = (aws_sdk_dynamodb::Client::new(&config), aws_sdk_sns::Client::new(&config));
    Ok(duewatch_runtime::services(command, &settings, dynamodb, sns, Arc::new(SystemClock)))
}

/// The services of a command that takes contact points or erases them.
pub(super) async fn services_with_tombstones(command: &'static str) -> Result<Services, Box<dyn Error>> {
    Ok(services_of(command).await?.with_tombstone_key(tombstone_key_from_env()?))
}
