//! Errors of DynamoDB calls and of item codecs.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use chrono::NaiveDate;
use duewatch_domain::kernel::{AccountId, CaseId, ContactId, CustomerId, PaymentId, Revision};
use duewatch_domain::policy::Channel;
use duewatch_domain::printable;

/// A failed call, or an item that breaks an invariant.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The call failed. The caller retries.
    #[error("{operation} on {table}: {message}")]
    Call {
        operation: &'static str,
        table: String,
        /// The message of the service or the network.
        message: String,
    },
    /// DynamoDB will never accept the request: an item beyond 400 KB, or a key that is too long. The caller
    /// quarantines the record.
    #[error("{operation} on {table}: {message}")]
    Invalid { operation: &'static str, table: String, message: String },
    /// Another writer was faster. The caller reads again.
    #[error(transparent)]
    Conflict(#[from] WriteConflict),
    /// The history has an entry of that revision with the digest of another account image. The caller
    /// quarantines the record.
    #[error("the history of account {account_id} says something else of revision {revision}")]
    HistoryDiffers { account_id: String, revision: Revision },
    /// A stored item cannot be decoded: a bug, or an item of a newer release. The caller quarantines the
    /// record.
    #[error("{table}: item {key}: {problem}")]
    Codec { table: String, key: String, problem: String },
    /// No policy of that id was published. The caller quarantines the record.
    #[error("policy {0} was never published")]
    UnknownPolicy(String),
    /// A published policy cannot be parsed. The caller quarantines the record.
    #[error("policy {id} version {version}: {error}")]
    FaultyPolicy { id: String, version: u32, error: duewatch_domain::policy::PolicyError },
    /// The version was published with another text: a published policy version never changes.
    #[error("policy {id} version {version} was published with another text; raise the version")]
    PolicyVersionTaken { id: String, version: u32 },
    /// The version before was never published.
    #[error("policy {id} version {version} cannot be published before version {}", version.saturating_sub(1))]
    PolicyVersionGap { id: String, version: u32 },
    /// The digest of a stored policy is not that of its text: the item was changed after its publication. The
    /// caller quarantines the record.
    #[error("policy {id} version {version}: its text was changed after it was published")]
    PolicyAltered { id: String, version: u32 },
    /// No key of the settings has signed a stored policy as it stands there: somebody else put it, or changed it. The
    /// caller quarantines the record.
    #[error("policy {id} version {version} is not signed by the publisher's key")]
    PolicyNotSigned { id: String, version: u32 },
    /// A day's quarantine has more pages than one command walks.
    #[error(
        "the quarantine of {date} has more than {pages} pages; requeue or drop records, then do it again"
    )]
    TooMuchQuarantined { date: NaiveDate, pages: usize },
    /// The records know more shards of the due index than the setting has, so a sweep would miss accounts.
    #[error(
        "the due index has {stored} shards, the setting is {set}: K never falls, set it to {stored} or more"
    )]
    TooFewShards {
        /// The number of shards in the records.
        stored: u32,
        /// The number of shards in the setting.
        set: u32,
    },
}

/// The item that another writer wrote between a read and the write that followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteConflict {
    #[error("another writer wrote account {account_id} after revision {revision} was read")]
    Account {
        account_id: AccountId,
        /// The revision that was read.
        revision: Revision,
    },
    #[error("another writer wrote case {case_id} after revision {revision} was read")]
    Case {
        case_id: CaseId,
        /// The revision that was read.
        revision: Revision,
    },
    #[error("account {0} exists already")]
    AccountExists(AccountId),
    /// Each write applied further restrictions, and the next read found others again.
    #[error("the restrictions that other accounts impose on account {0} keep changing")]
    CrossRestrictions(AccountId),
    #[error("other writers keep writing the history of account {account_id} at revision {revision}")]
    History { account_id: AccountId, revision: Revision },
    #[error("other writers keep reversing payment {payment_id} of account {account_id}")]
    Payment { account_id: AccountId, payment_id: PaymentId },
    #[error("other writers keep changing the contact profile of customer {0}")]
    ContactProfile(CustomerId),
    #[error("another writer changed the contact point {channel} of customer {customer_id}")]
    ContactPoint { customer_id: CustomerId, channel: Channel },
    #[error("other writers keep adding receipts to message {0}")]
    MessageReceipts(ContactId),
}

impl StoreError {
    /// Whether a later retry can succeed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Call { .. } | Self::Conflict(_))
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

    /// DynamoDB keeps leaving items of a batch unread.
    pub(crate) fn unread(table: &str, left: usize) -> Self {
        let message = format!("{left} items are left unread");
        Self::Call { operation: "BatchGetItem", table: table.to_owned(), message }
    }

    /// An item, by its key, that cannot be decoded or encoded. Key and problem are made printable.
    #[must_use]
    pub fn codec(table: &str, key: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self::Codec {
            table: table.to_owned(),
            key: printable(key.into()),
            problem: printable(problem.to_string()),
        }
    }
}
