//! The due indexes: the accounts and the cases whose next action is due.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use chrono::{DateTime, Utc};
use duewatch_domain::kernel::AccountId;

use crate::table::{ItemPage, StoreTable};
use crate::{Store, StoreError, keys};

/// A table with a due index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueTable {
    Accounts,
    Cases,
}

/// An entry of a due index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueEntry {
    /// The account's key as stored; a malformed key is possible.
    pub account_id: String,
    /// The case's key as stored; none: the account itself is due.
    pub case_id: Option<String>,
    /// The instant from which it is due.
    pub next_action_at: String,
}

impl DueEntry {
    const fn table(&self) -> DueTable {
        if self.case_id.is_some() { DueTable::Cases } else { DueTable::Accounts }
    }
}

/// A page of a due index.
#[derive(Clone, Debug, Default)]
pub struct DuePage {
    /// Oldest first.
    pub entries: Vec<DueEntry>,
    /// The start of the next page; `None` on the last page.
    pub next: Option<HashMap<String, AttributeValue>>,
}

impl Store {
    /// The shard of an account: a hash of its id, modulo K.
    #[must_use]
    pub fn shard_of(&self, account_id: &AccountId) -> String {
        keys::shard_of(account_id.as_str(), self.due_shards)
    }

    /// The partition key of a shard of the due index.
    #[must_use]
    pub fn shard_key(shard: u32) -> String {
        keys::shard(shard)
    }

    /// A page of the entries of a shard that are due by `now`, oldest first, from where the page before
    /// ended.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn due_entries(
        &self,
        of: DueTable,
        shard: u32,
        now: DateTime<Utc>,
        limit: i32,
        from: Option<HashMap<String, AttributeValue>>,
    ) -> Result<DuePage, StoreError> {
        let table = self.due_table(of);
        let by = [(":shard", Self::shard_key(shard)), (":now", keys::due_at(now))];
        let query = table.query(keys::DUE_BY, by).index_name(keys::DUE);
        let query = query.select(Select::AllProjectedAttributes).limit(limit).set_exclusive_start_key(from);
        let ItemPage { items, next, .. } = table.page(query).await?;
        let due = items.into_iter().filter_map(|mut entry| {
            match (entry.remove(keys::ACCOUNT_ID), entry.remove(keys::NEXT_ACTION_AT)) {
                (Some(AttributeValue::S(account_id)), Some(AttributeValue::S(next_action_at))) => {
                    let case_id = entry.remove(keys::CASE_ID).and_then(|id| id.as_s().ok().cloned());
                    Some(DueEntry { account_id, case_id, next_action_at })
                }
                _ => None,
            }
        });
        Ok(DuePage { entries: due.collect(), next })
    }

    fn due_table(&self, of: DueTable) -> StoreTable<'_> {
        match of {
            DueTable::Accounts => self.accounts_table(),
            DueTable::Cases => self.cases_table(),
        }
    }

    /// Removes an entry that cannot be assessed from its index, and changes nothing else of it. Does
    /// nothing when the entry has moved meanwhile.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn drop_due_entry(&self, due: &DueEntry) -> Result<(), StoreError> {
        let (of, mut key) = (due.table(), keys::account_key(&due.account_id));
        if let Some(case_id) = &due.case_id {
            key.insert(keys::CASE_ID.to_owned(), AttributeValue::S(case_id.clone()));
        }
        let table = self.due_table(of);
        let update = table
            .update(key)
            .update_expression("REMOVE due_shard, next_action_at")
            .condition_expression("next_action_at = :seen")
            .expression_attribute_values(":seen", AttributeValue::S(due.next_action_at.clone()));
        table.update_if(update).await.map(drop)
    }

    /// Brings the next evaluation of an account forward to `at`, if it waits for a later one or for none.
    /// Returns whether the account is now due by `at`. Changes nothing else of it.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn evaluate_by(&self, account_id: &AccountId, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let accounts = self.accounts_table();
        let update = accounts
            .update(keys::account_key(account_id.as_str()))
            .update_expression("SET due_shard = :shard, next_action_at = :at")
            .condition_expression(
                "attribute_exists(account_id) AND (attribute_not_exists(next_action_at) OR next_action_at > :at)",
            )
            .expression_attribute_values(":shard", AttributeValue::S(self.shard_of(account_id)))
            .expression_attribute_values(":at", AttributeValue::S(keys::due_at(at)));
        accounts.update_if(update).await
    }

    /// Compares K with the number in the records, and records it where it is higher. A successful check is
    /// not repeated in this process, for a new setting starts a new process.
    ///
    /// # Errors
    /// [`StoreError::TooFewShards`] where the setting is lower: no sweep would find accounts in the shards
    /// above.
    pub async fn check_due_shards(&self) -> Result<(), StoreError> {
        if self.shards_checked.load(Ordering::Relaxed) {
            return Ok(());
        }
        let stored = self.stored_due_shards().await?;
        if stored > self.due_shards {
            return Err(StoreError::TooFewShards { stored, set: self.due_shards });
        }
        if stored < self.due_shards {
            self.store_due_shards().await?;
        }
        self.shards_checked.store(true, Ordering::Relaxed);
        Ok(())
    }
}
