//! The DynamoDB adapter: keys, item codecs, the conditional write, the due index.
//!
//! [`keys`] holds the key table.
//!
//! # Expiry
//!
//! Items of the records table and of the history may bear `expires_at`, in seconds since 1970; no other items
//! expire. A quarantined record bears it, and so does the note of a quarantined payment. Where the account's policy
//! sets a retention period, so do contact records, the log of a contact point, and the entries of the history.
//!
//! # Cost of a transition
//!
//! One `GetItem`, consistent, and one `UpdateItem` on the condition that the revision is still the one that
//! was read: the account's size in KB, rounded up, and two more write units where its entry in the index
//! moves. Its entry in the history costs one read unit and two or three write units more: one for its place in
//! the index of its day.

mod account_item;
mod anchors;
mod archive;
mod call;
mod capacity_meter;
mod cases;
mod completed_runs;
mod contact_records;
mod contacts;
mod customers;
mod due;
mod error;
mod feedback;
mod free_texts;
mod history;
pub mod keys;
mod operator_hold;
mod page_key;
mod payments;
mod policies;
mod profiles;
mod proposals;
mod quarantine;
mod quarantine_erasure;
mod records;
mod retry;
mod reversals;
mod scan_cursor;
mod sign_in;
mod signing;
mod suspense;
mod table;
mod tombstones;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Select;

pub use self::account_item::{Stored, account_from_image, account_image};
pub use self::anchors::{
    ANCHOR_SHARDS, Anchor, AnchorBreak, AnchorWitness, AnchoredChain, ShardAnchor, Vouched,
    read_anchored_chain,
};
pub use self::capacity_meter::{CapacityMeter, Consumed};
pub use self::cases::CasePage;
pub use self::contact_records::{ContactRecord, ContactRecordsPage, MessageRecord};
pub use self::contacts::ContactChangeOutcome;
pub use self::customers::{
    Access, AccessKind, AccountsOf, CustomerItem, CustomerPage, Erasure, FoundAccounts,
};
pub use self::due::{DueEntry, DuePage, DueTable};
pub use self::error::{StoreError, WriteConflict};
pub use self::feedback::Feedback;
pub use self::history::{
    EntryContent, HistoryBreak, HistoryEntry, Recorded, Verifier, is_asked_for_history, verify_history,
};
pub use self::operator_hold::{HoldScope, OperatorHold};
pub use self::page_key::{NoPageKey, PageKey};
pub use self::payments::{FaultyFact, PaymentFact, PaymentPut, payment_key_of};
pub use self::policies::{
    MAX_POLICY_KEYS, NoPolicyKeys, PolicyApproval, PolicyKeys, PolicyPublication, PublishedPolicy,
    policy_digest,
};
pub use self::profiles::{
    DueCustomersPage, LoadedProfile, MAX_TOGETHER, ProfileChange, RETRY_AFTER, ReservedMessage,
};
pub use self::proposals::{PROPOSAL_DAYS, Person, Proposal, ProposalAnswer, ProposalEnd, proposal_digest};
pub use self::quarantine::{MAX_WALKED_PAGES, QUARANTINE_DAYS, QuarantineWalk, Quarantined};
pub use self::records::ContactOutcome;
pub use self::retry::{MAX_CONFLICTS, MayConflict, retry_conflicts};
pub use self::reversals::{ReversalFact, ReversalPut};
pub use self::scan_cursor::{AccountPage, ScanCursor};
pub use self::sign_in::{BorrowerRecords, CodeMessage, KnownContactPoint, PageSession, SignInCode};
pub use self::signing::{NoSigningKey, PrivateKey, VerifyingKey};
pub use self::suspense::{SuspensePage, SuspensePayment};
pub use self::tombstones::{NoTombstoneKey, TombstoneKey};

/// The names of the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    pub accounts: String,
    pub payments: String,
    pub records: String,
    pub history: String,
    /// The anchors of the history.
    pub anchors: String,
    pub policies: String,
    pub cases: String,
}

/// The DynamoDB adapter: the tables, reached through the AWS client.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    tables: Tables,
    policy_keys: PolicyKeys,
    due_shards: u32,
    meter: Arc<CapacityMeter>,
    shards_checked: Arc<AtomicBool>,
}

/// The most shards of the due index: its key has two digits.
pub const MAX_DUE_SHARDS: u32 = 100;

impl Store {
    /// A store over a client, which takes policies under the signature of one of the keys. `due_shards` is clamped to
    /// 1 to [`MAX_DUE_SHARDS`].
    #[must_use]
    pub fn new(client: Client, tables: Tables, policy_keys: PolicyKeys, due_shards: u32) -> Self {
        Self {
            client,
            tables,
            policy_keys,
            due_shards: due_shards.clamp(1, MAX_DUE_SHARDS),
            meter: Arc::default(),
            shards_checked: Arc::default(),
        }
    }

    /// Makes the client do the work of a first call in advance: find credentials, connect, agree on keys. The
    /// call is a `Query` on the records, which every function may do; its result is ignored.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        let records = self.records_table();
        let query = records.query(keys::OF_PARTITION, [(":pk", keys::SETTINGS.to_owned())]);
        records.page(query.select(Select::Count).limit(1)).await.map(drop)
    }

    /// The capacity that the tables have charged so far.
    #[must_use]
    pub fn meter(&self) -> &CapacityMeter {
        &self.meter
    }

    /// The DynamoDB client, for calls outside this adapter.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The names of the tables, as set.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The keys that sign policies, as set.
    #[must_use]
    pub const fn policy_keys(&self) -> &PolicyKeys {
        &self.policy_keys
    }

    /// K, the number of shards of the due index.
    #[must_use]
    pub const fn due_shards(&self) -> u32 {
        self.due_shards
    }
}
