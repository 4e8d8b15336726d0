//! What can go wrong between us and DynamoDB.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use duewatch_domain::kernel::Revision;
use duewatch_domain::shown;

/// A call that failed, or an item that is not what it must be.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The call failed. To be retried.
    #[error("{operation} on {table}: {message}")]
    Call {
        /// The operation.
        operation: &'static str,
        /// The table.
        table: String,
        /// What the service or the network said.
        message: String,
    },
    /// DynamoDB will never take the request: an item beyond 400 KB, a key that is too
    /// long. To be quarantined.
    #[error("{operation} on {table}: {message}")]
    Invalid {
        /// The operation.
        operation: &'static str,
        /// The table.
        table: String,
        /// What the service said.
        message: String,
    },
    /// Somebody else wrote the account in between. To be read and judged again.
    #[error("account {account_id} was written by somebody else since revision {revision}")]
    Conflict {
        /// The account.
        account_id: String,
        /// The revision that was read.
        revision: u64,
    },
    /// The history has an entry of that revision that was made of another account image.
    /// To be quarantined.
    #[error("the history of account {account_id} says something else of revision {revision}")]
    HistoryDiffers {
        /// The account.
        account_id: String,
        /// The revision.
        revision: Revision,
    },
    /// An item of ours cannot be read: a bug, or a newer version's item. To be quarantined.
    #[error("{table}: item {key}: {problem}")]
    Codec {
        /// The table.
        table: String,
        /// The item's key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No policy of that id was published. To be quarantined.
    #[error("policy {0} was never published")]
    UnknownPolicy(String),
    /// A published policy cannot be read. To be quarantined.
    #[error("policy {id} version {version}: {error}")]
    FaultyPolicy {
        /// The policy.
        id: String,
        /// Its version.
        version: u32,
        /// What is wrong with it.
        error: duewatch_domain::policy::PolicyError,
    },
    /// A policy version that was published is never changed.
    #[error("policy {id} version {version} was published with another text; raise the version")]
    PolicyVersionTaken {
        /// The policy.
        id: String,
        /// Its version.
        version: u32,
    },
    /// The due index has more shards than we would walk.
    #[error(
        "the due index has {stored} shards, the setting is {set}: K never falls, set it to {stored} or more"
    )]
    TooFewShards {
        /// What the records say.
        stored: u32,
        /// What the setting says.
        set: u32,
    },
}

impl StoreError {
    /// Whether trying again later can help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Call { .. } | Self::Conflict { .. })
    }

    pub(crate) fn call<E, R>(operation: &'static str, table: &str, error: SdkError<E, R>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let is_invalid = error.code() == Some("ValidationException");
        let message = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            _ => DisplayErrorContext(error).to_string(),
        };
        let table = table.to_owned();
        if is_invalid {
            Self::Invalid { operation, table, message }
        } else {
            Self::Call { operation, table, message }
        }
    }

    pub(crate) fn codec(table: &str, key: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self::Codec { table: table.to_owned(), key: shown(key.into()), problem: shown(problem.to_string()) }
    }
}
