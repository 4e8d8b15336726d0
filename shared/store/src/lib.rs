//! DynamoDB: keys, item codecs, the conditional write, the due index.
//!
//! # Keys
//!
//! | table | partition key | sort key | item |
//! |---|---|---|---|
//! | accounts | `account_id` | | the whole account; `due_shard` and `next_action_at` put it into the index `due` |
//! | accounts, index `due` | `due_shard`: `00`, `01`, ... | `next_action_at`: RFC 3339, UTC, whole seconds | keys only; sparse: an account that waits for nothing is not in it |
//! | payments | `account_id` | `payment_id` | a payment as the lender's payment system wrote it |
//! | records | `policy#ID` | `version#0000000001` | a policy version: its document |
//! | records | `account#ID` | `published` | the revision up to which everything was published |
//! | records | `account#ID` | `contact#REVISION#CHANNEL` | what became of a reminder |
//! | records | `customer#ID` | `contact#CHANNEL` | where a person can be reached on a channel |
//! | records | `customer#ID` | `contact-log#AT#EVENT` | a change of it: who, when, from, to |
//! | records | `customer#ID` | `account#ACCOUNT` | that the account is the customer's; put before the account |
//! | records | `account#ID` | `set-aside#PAYMENT` | a payment that cannot be posted and lies in quarantine |
//! | records | `parked` | the account and the payment, U+001F between them | a payment that came before its account |
//! | records | `history#ACCOUNT` | the revision, 20 digits | an entry of the history: `entry`, `follows`, `previous`, `hash` |
//! | records | `customer#ID` | `access#AT#export`, `access#AT#erase` | who has taken it out or erased it |
//! | records | `quarantine#DATE` | `SOURCE#ID` | a record that could not be taken, with its payload and the reason |
//! | records | `settings` | `due_shards` | K, the number of shards of the due index; it never falls |
//! | records | `settings` | `watch_gaps` | how far the rolling check of the accounts has come |
//!
//! # What expires
//!
//! In records an item may bear `expires_at`, in seconds since 1970; nothing else expires.
//! What is in quarantine bears it, and the note of a payment that lies there. Where the
//! account's policy says how long, so do what became of a reminder, the log of a contact
//! point, and each entry of the history but the newest.
//!
//! # What a transition costs
//!
//! One `GetItem`, consistent, and one `UpdateItem` on the condition that the
//! revision is still the one that was read: the account's size in KB, rounded
//! up, and two more write units where its entry in the index moves. Its entry in the
//! history costs one read unit and one or two write units more; where the policy says how long
//! a history is kept, the entry that it follows is written once more.

mod account_item;
mod call;
mod contacts;
mod customers;
mod due;
mod error;
mod heed;
mod history;
mod meter;
mod parked;
mod payments;
mod policies;
mod records;
mod round;
mod transition;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, Select};

pub use self::account_item::{Stored, account_from_image, account_image};
pub use self::contacts::ContactTaken;
pub use self::customers::{
    Access, AccessKind, AccountsOf, CustomerItem, CustomerPage, Erasure, FoundAccounts,
};
pub use self::due::{DueAccount, DuePage};
pub use self::error::StoreError;
pub use self::heed::{HEEDING, Heeded};
pub use self::history::{HistoryBreak, HistoryEntry, Recorded, Told, Verifier, verify_history};
pub use self::meter::{Consumed, Meter};
pub use self::parked::{Parked, ParkedPage};
pub use self::payments::{FaultyFact, PaymentFact, PaymentPut};
pub use self::policies::{FRESH_FOR, Policies};
pub use self::records::{ContactOutcome, QUARANTINE_DAYS, Quarantined};
pub use self::round::{AccountPage, Round};
pub use self::transition::{Hold, MAX_CONFLICTS, Outcome, TransitionError, Transitions};

/// The names of the three tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    /// Accounts.
    pub accounts: String,
    /// Payments.
    pub payments: String,
    /// Records.
    pub records: String,
}

/// The three tables, through the real client.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    tables: Tables,
    due_shards: u32,
    meter: Arc<Meter>,
    shards_checked: Arc<AtomicBool>,
}

/// The most shards the due index may have: its key has two digits.
pub const MAX_DUE_SHARDS: u32 = 100;

impl Store {
    /// Over a client. `due_shards` is held within 1 and [`MAX_DUE_SHARDS`].
    #[must_use]
    pub fn new(client: Client, tables: Tables, due_shards: u32) -> Self {
        Self {
            client,
            tables,
            due_shards: due_shards.clamp(1, MAX_DUE_SHARDS),
            meter: Arc::default(),
            shards_checked: Arc::default(),
        }
    }

    /// Has the client do what its first call does besides: look for credentials, connect,
    /// agree on keys. It is a `Query` on the records, for that is what every function may do;
    /// what it finds is of no interest.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        let table = &self.tables.records;
        let sent = self
            .client
            .query()
            .table_name(table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S("settings".to_owned()))
            .select(Select::Count)
            .limit(1)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        self.answered(table, sent).map(drop)
    }

    /// What the tables have charged so far.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The client beneath.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The tables' names.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// K, the number of shards of the due index.
    #[must_use]
    pub const fn due_shards(&self) -> u32 {
        self.due_shards
    }
}
