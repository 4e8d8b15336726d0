//! `export` and `erase`: a customer's data, exported and erased. Both record the actor.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, Utc};
use duewatch_app::{
    CaseError, Services, TransitionError, TransitionOutcome, archive_erasure, erase_case_texts,
};
use duewatch_domain::Account;
use duewatch_domain::cases::Case;
use duewatch_domain::formats::message_line;
use duewatch_domain::kernel::{AccountId, ContactId, CustomerId, Revision};
use duewatch_store::{
    Access, AccessKind, AccountsOf, CustomerItem, Erasure, HistoryEntry, MAX_WALKED_PAGES, MessageRecord,
    QUARANTINE_DAYS, Store, StoreError, keys,
};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::progress::Progress;

/// Why a customer's data was not exported or erased.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    /// The account belongs to another customer.
    #[error("account {account_id} is none of customer {customer_id}")]
    NotTheirs { account_id: AccountId, customer_id: CustomerId },
    /// The key of an account is no valid id.
    #[error("account \"{0}\" has a key that is no identifier")]
    NoId(String),
    /// An entry of the history cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The services bear no key of tombstones.
    #[error("nothing is erased without the key of tombstones: an opt-out would go with its contact point")]
    NoTombstoneKey,
    /// A restore would bring the data back.
    #[error("nothing is erased: {0}")]
    NotArchived(String),
    /// An account could not be written.
    #[error("account {0}: {1}")]
    Account(AccountId, TransitionError),
    #[error("the cases of account {0}: {1}")]
    Cases(AccountId, CaseError),
}

/// The exported data of a customer.
#[derive(Debug, Serialize)]
pub struct Export {
    pub customer_id: CustomerId,
    pub exported_at: DateTime<Utc>,
    /// Contact points, contact records, and logged accesses.
    pub records: Vec<CustomerItem>,
    /// The messages that left, each with its receipts.
    pub messages: Vec<ExportedMessage>,
    pub accounts: Vec<ExportedAccount>,
    /// Commands that waited for an approval, as they were sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<Value>,
}

/// A message to the customer, or to a third party about the customer.
#[derive(Debug, Serialize)]
pub struct ExportedMessage {
    pub message_id: ContactId,
    #[serde(flatten)]
    pub message: MessageRecord,
}

/// An account with its history.
#[derive(Debug, Serialize)]
pub struct ExportedAccount {
    /// In its current state.
    pub account: Account,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
    /// Oldest first.
    pub history: Vec<ExportedEntry>,
}

/// An entry of a history. Its text is unchanged, so that its hash can be verified.
#[derive(Debug, Serialize)]
pub struct ExportedEntry {
    entry: Box<RawValue>,
    follows: Revision,
    previous: String,
    hash: String,
}

impl ExportedEntry {
    fn of(entry: HistoryEntry) -> Result<Self, serde_json::Error> {
        let HistoryEntry { entry, follows, previous, hash, .. } = entry;
        // A text that is no JSON was tampered with; it is exported as a string.
        let entry = match RawValue::from_string(entry.clone()) {
            Ok(entry) => entry,
            Err(_) => serde_json::value::to_raw_value(&entry)?,
        };
        Ok(Self { entry, follows, previous, hash })
    }
}

/// The result of an erasure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Deleted items: contact points, names.
    pub deleted: u64,
    /// Changes of contact points that keep no values.
    pub emptied: u64,
    /// Kept records of exports and erasures, and what protects the person.
    pub kept: u64,
    /// Accounts whose free text was erased.
    pub accounts: u64,
    /// Quarantined records whose personal text was erased.
    pub quarantined: u64,
    /// Deleted proposals of commands.
    pub proposals: u64,
    /// Cases whose free text was erased.
    pub cases: u64,
}

/// Scans the whole accounts table, page by page, for a customer's accounts.
///
/// # Errors
/// When a call fails.
pub async fn accounts_of(store: &Store, customer_id: &CustomerId) -> Result<Vec<AccountId>, CustomerError> {
    let mut progress = Progress::new("accounts", store.accounts_about().await?.max(1));
    let (mut found, mut looked_at, mut from) = (Vec::new(), 0, None);
    loop {
        let page = store.find_accounts(AccountsOf::Customer(customer_id), from).await?;
        looked_at += page.scanned;
        progress.set(looked_at);
        for account_id in page.account_ids {
            found.push(account_id.parse().map_err(|_| CustomerError::NoId(account_id))?);
        }
        from = page.next;
        if from.is_none() {
            return Ok(found);
        }
    }
}

/// Exports a customer's data, messages and accounts, and records the export: the accounts that are linked to the
/// customer, and those named beside them.
///
/// # Errors
/// When an account is not the customer's, or a call fails. Nothing is exported then.
pub async fn export(
    store: &Store,
    customer_id: &CustomerId,
    accounts: &[AccountId],
    by: &str,
    now: DateTime<Utc>,
) -> Result<Export, CustomerError> {
    let mut export = Export {
        customer_id: customer_id.clone(),
        exported_at: now,
        records: Vec::new(),
        messages: messages_of(store, customer_id).await?,
        accounts: Vec::new(),
        proposals: proposals_of(store, customer_id).await?,
    };
    for account_id in accounts {
        export.accounts.push(exported(store, customer_id, account_id).await?);
    }
    for account_id in store.accounts_of_customer(customer_id).await? {
        if !accounts.contains(&account_id) {
            // A link is put before its account, which may never come.
            match exported(store, customer_id, &account_id).await {
                Err(CustomerError::NoAccount(_)) => {}
                account => export.accounts.push(account?),
            }
        }
    }
    let mut from = None;
    loop {
        let page = store.customer_items(customer_id, from).await?;
        // A key is no data of the customer, and a secret.
        export.records.extend(page.items.into_iter().filter(|item| item.key != keys::ARCHIVE_KEY));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let entries = export.accounts.iter().map(|account| account.history.len() as u64).sum();
    let counts = BTreeMap::from([
        ("records", export.records.len() as u64),
        ("messages", export.messages.len() as u64),
        ("accounts", export.accounts.len() as u64),
        ("entries", entries),
    ]);
    let access = Access { kind: AccessKind::Export, by: by.to_owned(), at: now, counts };
    store.record_access(customer_id, &access).await?;
    Ok(export)
}

async fn proposals_of(store: &Store, customer_id: &CustomerId) -> Result<Vec<Value>, CustomerError> {
    let of_customer = store.proposals().await?.into_iter().filter(|one| one.customer_id == *customer_id);
    of_customer.map(|one| Ok(serde_json::from_str(&message_line(&one.message))?)).collect()
}

/// The messages that the customer's contact records name.
async fn messages_of(store: &Store, customer_id: &CustomerId) -> Result<Vec<ExportedMessage>, CustomerError> {
    let records = store.contact_records(customer_id).await?;
    let ids: BTreeSet<ContactId> =
        records.into_iter().filter_map(|record| record.message).map(|(id, _)| id).collect();
    let mut messages = Vec::with_capacity(ids.len());
    for message_id in ids {
        if let Some(message) = store.message(&message_id).await? {
            messages.push(ExportedMessage { message_id, message });
        }
    }
    Ok(messages)
}

async fn exported(
    store: &Store,
    customer_id: &CustomerId,
    account_id: &AccountId,
) -> Result<ExportedAccount, CustomerError> {
    let stored = store.account(account_id).await?;
    let account = stored.ok_or_else(|| CustomerError::NoAccount(account_id.clone()))?.account;
    if account.customer_id != *customer_id {
        let (account_id, customer_id) = (account_id.clone(), customer_id.clone());
        return Err(CustomerError::NotTheirs { account_id, customer_id });
    }
    let mut history = Vec::new();
    let mut above = Revision(0);
    loop {
        let page = store.history_above(account_id, above).await?;
        let Some(newest) = page.last() else { break };
        above = newest.revision;
        for entry in page {
            history.push(ExportedEntry::of(entry)?);
        }
    }
    let cases = store.cases_of(account_id).await?;
    Ok(ExportedAccount { account, cases, history })
}

/// Erases the personal data of a customer that may be erased: contact points, names, the values of the contact log,
/// the free text of the accounts and of their cases, and that of quarantined records. Accounts, payments and history stay; they refer
/// to the customer by id. What protects the person stays too: a contact point that was opted out of leaves a tombstone.
/// A repeated call erases the data added since. The record and the archive state the instant `at`.
///
/// # Errors
/// Without the key of tombstones, and when a call fails. Data erased until then stays erased, and the record shows that the erasure began.
pub async fn erase(
    services: &Services,
    customer_id: &CustomerId,
    by: &str,
    at: DateTime<Utc>,
) -> Result<Erased, CustomerError> {
    let (store, now) = (services.store(), services.clock.now());
    let key = services.tombstone_key.as_ref().ok_or(CustomerError::NoTombstoneKey)?;
    let mut access = Access { kind: AccessKind::Erase, by: by.to_owned(), at, counts: BTreeMap::new() };
    store.record_access(customer_id, &access).await?;
    // First, so that no restore can bring back what an erasure that is cut off has erased.
    let archived = archive_erasure(services, customer_id, at).await;
    archived.map_err(|error| CustomerError::NotArchived(error.reason().to_owned()))?;
    let accounts = store.accounts_of_customer(customer_id).await?;
    let profile = store.profile(customer_id).await?;
    let (mut erased, mut from) = (Erased::default(), None);
    loop {
        let page = store.customer_items(customer_id, from).await?;
        for item in &page.items {
            // Before the contact point goes.
            store.keep_tombstones(key, &profile, item, now).await?;
            match store.erase_customer_item(customer_id, item, now).await? {
                Erasure::Deleted => erased.deleted += 1,
                Erasure::Emptied => erased.emptied += 1,
                Erasure::Kept => erased.kept += 1,
            }
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    for account_id in &accounts {
        let outcome = services.transitions.erase_free_text(account_id, now).await;
        match outcome.map_err(|error| CustomerError::Account(account_id.clone(), error))? {
            TransitionOutcome::Unchanged | TransitionOutcome::NoAccount => {}
            _ => erased.accounts += 1,
        }
        let cases = Box::pin(erase_case_texts(services, account_id, now)).await;
        erased.cases += cases.map_err(|error| CustomerError::Cases(account_id.clone(), error))?;
    }
    erased.proposals = store.delete_proposals_of(customer_id).await?;
    erased.quarantined = erase_quarantined(store, customer_id, &accounts, now).await?;
    access.counts = BTreeMap::from([
        ("deleted", erased.deleted),
        ("emptied", erased.emptied),
        ("kept", erased.kept),
        ("accounts", erased.accounts),
        ("quarantined", erased.quarantined),
        ("proposals", erased.proposals),
        ("cases", erased.cases),
    ]);
    store.record_access(customer_id, &access).await?;
    Ok(erased)
}

/// Erases the customer's text in all records that are in quarantine.
async fn erase_quarantined(
    store: &Store,
    customer_id: &CustomerId,
    accounts: &[AccountId],
    now: DateTime<Utc>,
) -> Result<u64, CustomerError> {
    let ids: Vec<&str> = accounts.iter().map(AccountId::as_str).chain([customer_id.as_str()]).collect();
    let mut progress = Progress::new("days of quarantine", QUARANTINE_DAYS + 1);
    let mut erased = 0;
    for (looked_at, days) in (0..=QUARANTINE_DAYS).enumerate() {
        let Some(date) = now.date_naive().checked_sub_days(Days::new(days)) else { break };
        erased += store.erase_in_quarantine(date, &ids, MAX_WALKED_PAGES).await?;
        progress.set(looked_at as u64 + 1);
    }
    Ok(erased)
}
