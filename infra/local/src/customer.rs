//! `export` and `erase`: what is known of a person, handed out and erased. Both leave a
//! record of who did it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use duewatch_domain::Account;
use duewatch_domain::kernel::{AccountId, CustomerId, Revision};
use duewatch_store::{
    Access, AccessKind, AccountsOf, CustomerItem, Erasure, HistoryEntry, Store, StoreError,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::progress::Progress;

/// Why a customer's data was not handed out or erased.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    /// There is no such account.
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    /// The account is somebody else's.
    #[error("account {account_id} is none of customer {customer_id}")]
    NotTheirs {
        /// The account.
        account_id: AccountId,
        /// The customer.
        customer_id: CustomerId,
    },
    /// The key of an account is no id of ours.
    #[error("account \"{0}\" has a key that is no identifier")]
    NoId(String),
    /// An entry of the history cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Everything that is handed out of a customer.
#[derive(Debug, Serialize)]
pub struct Export {
    /// Whose it is.
    pub customer_id: CustomerId,
    /// When it was taken out.
    pub exported_at: DateTime<Utc>,
    /// What is known of the person: contact points, what became of them, who saw them.
    pub records: Vec<CustomerItem>,
    /// The customer's accounts.
    pub accounts: Vec<ExportedAccount>,
}

/// An account with its history.
#[derive(Debug, Serialize)]
pub struct ExportedAccount {
    /// As it stands.
    pub account: Account,
    /// Oldest first.
    pub history: Vec<ExportedEntry>,
}

/// An entry of a history. The text is left as it is, so that its hash can be taken again.
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
        // A text that is no JSON was tampered with; it is handed out as a text.
        let entry = match RawValue::from_string(entry.clone()) {
            Ok(entry) => entry,
            Err(_) => serde_json::value::to_raw_value(&entry)?,
        };
        Ok(Self { entry, follows, previous, hash })
    }
}

/// What an erasure came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Items that are gone: contact points, names.
    pub deleted: u64,
    /// Changes of contact points that keep no values.
    pub emptied: u64,
    /// Records of who took the data out or erased it.
    pub kept: u64,
}

/// Walks over the whole accounts table, page by page, for a customer's accounts.
///
/// # Errors
/// When a call fails.
pub async fn accounts_of(store: &Store, customer_id: &CustomerId) -> Result<Vec<AccountId>, CustomerError> {
    let mut progress = Progress::new("accounts", store.accounts_about().await?.max(1));
    let (mut found, mut looked_at, mut from) = (Vec::new(), 0, None);
    loop {
        let page = store.find_accounts(AccountsOf::Customer(customer_id), from).await?;
        looked_at += page.looked_at;
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

/// Takes out what is known of a customer and of its accounts, and records that.
///
/// # Errors
/// When an account is not theirs, or a call fails. Nothing is handed out then.
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
        accounts: Vec::with_capacity(accounts.len()),
    };
    for account_id in accounts {
        export.accounts.push(exported(store, customer_id, account_id).await?);
    }
    let mut from = None;
    loop {
        let page = store.customer_items(customer_id, from).await?;
        export.records.extend(page.items);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let entries = export.accounts.iter().map(|account| account.history.len() as u64).sum();
    let counts = BTreeMap::from([
        ("records", export.records.len() as u64),
        ("accounts", export.accounts.len() as u64),
        ("entries", entries),
    ]);
    let access = Access { kind: AccessKind::Export, by: by.to_owned(), at: now, counts };
    store.record_access(customer_id, &access).await?;
    Ok(export)
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
    Ok(ExportedAccount { account, history })
}

/// Erases what the law lets one erase of a customer: contact points, names, and the values
/// of the contact log. Accounts, payments and history stay; they refer to the customer by
/// id. Doing it again erases what has come since.
///
/// # Errors
/// When a call fails. What was erased until then is erased, and that it was begun is on
/// record.
pub async fn erase(
    store: &Store,
    customer_id: &CustomerId,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Erased, CustomerError> {
    let mut access = Access { kind: AccessKind::Erase, by: by.to_owned(), at: now, counts: BTreeMap::new() };
    store.record_access(customer_id, &access).await?;
    let (mut erased, mut from) = (Erased::default(), None);
    loop {
        let page = store.customer_items(customer_id, from).await?;
        for item in &page.items {
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
    access.counts =
        BTreeMap::from([("deleted", erased.deleted), ("emptied", erased.emptied), ("kept", erased.kept)]);
    store.record_access(customer_id, &access).await?;
    Ok(erased)
}
