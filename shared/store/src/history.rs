//! The history: one entry for each revision of an account. No entry is ever changed.
//!
//! An entry lists the changes of its revision, with ids and amounts, and bears the digest of the account as that
//! revision left it. It names the command with its type, its source, its actor and its fields. It holds no name,
//! no contact point, and no text that somebody wrote: a digest stands in the place of a reason, and the
//! customer's records have the text, where an erasure reaches it. Entries of earlier releases name facts by
//! their ids alone. An entry also bears the hash of the entry before it. An entry that is changed, moved or removed breaks the
//! chain, and [`verify_history`] reports the place. Only the newest entry has no entry above it that
//! vouches for it; the account's digest does, while the account is still at that revision.
//!
//! An entry follows the greatest one below it at the time of writing. A missing revision there is a gap.
//! A late record fills its place, and the entries above it stay as they are.
//!
//! # Retention
//! Where the account's policy sets a retention period, an entry may be deleted that many days after the
//! next one followed it. The newest entry is never deleted: it states the account's condition, and the
//! next one follows it. The following entry first writes `expires_at` into its predecessor, and states
//! the same instant in its own text, under its own hash. So an entry missing after that instant has
//! expired, and an entry missing sooner was removed.
//!
//! DynamoDB deletes within days of that instant, in no order. Entries left below a gap of expired ones
//! are still verified; the history counts as known from the entry above that gap. Entries that were
//! followed before the policy had a retention period stay.
//!
//! # Delivered twice
//! The existing entry has the same digest, and nothing is written. The texts may differ: a repair knows
//! neither the image before nor the time of the write. A different digest means another account under
//! the same revision: [`StoreError::HistoryDiffers`].

mod entry;
mod facts;
mod messages;
mod verify;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SubsecRound, Utc};
use duewatch_domain::Account;
use duewatch_domain::kernel::{AccountId, Revision};
use duewatch_domain::policy::Retention;

pub use self::entry::{EntryContent, HistoryEntry};
pub use self::verify::{HistoryBreak, Verifier, verify_history};

pub(crate) use self::entry::hex;
use self::entry::{hash_of, image_digest, text_of};
use crate::keys::{EXISTS, EXPIRES_AT, OF_PARTITION};
use crate::{Store, StoreError, WriteConflict, keys};

/// The hash that the first entry names as its predecessor's.
const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Entries in one page of a Query.
const PAGE: i32 = 100;

/// The result of recording a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    New {
        /// Whether the revision right below it is missing.
        gap: bool,
    },
    /// The entry was there already.
    Known,
}

impl Store {
    /// The greatest revision of an account in its history.
    ///
    /// # Errors
    /// When the call fails or the entry cannot be read.
    pub async fn history_head(&self, account_id: &AccountId) -> Result<Option<Revision>, StoreError> {
        let newest = self.history_until(account_id, Revision(u64::MAX)).await?;
        Ok(newest.map(|entry| entry.revision))
    }

    /// A page of an account's entries above a revision, oldest first; empty at the end.
    ///
    /// # Errors
    /// When the call fails or an entry cannot be read.
    pub async fn history_above(
        &self,
        account_id: &AccountId,
        above: Revision,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        self.history_query(account_id, "sk > :sk", above, true, PAGE).await
    }

    /// Records that a revision of an account was written at `at`. `before` is the account at the revision
    /// below; `None` where this revision opened it, or where that image is unknown. The policy's `retention`
    /// decides how long the preceding entry is kept. The entry is recorded at `now`: on that day it is anchored.
    ///
    /// # Errors
    /// [`StoreError::HistoryDiffers`] when the history has another digest for that revision; otherwise when a
    /// call fails.
    pub async fn record_revision(
        &self,
        before: Option<&Account>,
        after: &Account,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
        retention: Retention,
    ) -> Result<Recorded, StoreError> {
        let (account_id, revision) = (&after.account_id, after.revision);
        let image = image_digest(after)?;
        let kept_below_until = retention.history_until(at).map(|until| until.trunc_subsecs(0));
        let text = text_of(before, after, at, kept_below_until, &image)?;
        // A writer that takes the place in between has written this very revision: the second read finds it.
        for _ in 0..2 {
            let below = self.history_until(account_id, revision).await?;
            if let Some(there) = below.as_ref().filter(|below| below.revision == revision) {
                if there.content().is_some_and(|content| content.image == image) {
                    return Ok(Recorded::Known);
                }
                return Err(StoreError::HistoryDiffers { account_id: account_id.to_string(), revision });
            }
            let expires_at = match (&below, kept_below_until) {
                (_, None) => None,
                (Some(below), Some(until)) if below.expires_at.is_none() => {
                    self.let_expire(below, until).await?;
                    None
                }
                // A later entry has followed that one: this record is late, or delivered again.
                _ => self.kept_by_the_one_above(account_id, revision).await?,
            };
            let (follows, previous) =
                below.map_or((Revision(0), NO_HASH.to_owned()), |below| (below.revision, below.hash));
            let entry = HistoryEntry {
                account_id: account_id.clone(),
                revision,
                entry: text.clone(),
                follows,
                hash: hash_of(&previous, &text),
                previous,
                expires_at,
                recorded_on: Some(now.date_naive()),
            };
            if self.put_entry(&entry).await? {
                return Ok(Recorded::New { gap: follows.next() != revision });
            }
        }
        Err(WriteConflict::History { account_id: account_id.clone(), revision }.into())
    }

    /// Puts an entry unless its place is taken. Returns whether it was free.
    async fn put_entry(&self, entry: &HistoryEntry) -> Result<bool, StoreError> {
        let records = self.records_table();
        records.put_if(records.put(entry.item()).condition_expression(keys::IS_NEW)).await
    }

    /// Sets the instant from which an entry may be deleted, unless one is set.
    async fn let_expire(&self, entry: &HistoryEntry, until: DateTime<Utc>) -> Result<(), StoreError> {
        let records = self.records_table();
        let key = keys::record_key(&keys::history(&entry.account_id), &keys::revision(entry.revision));
        let update = records
            .update(key)
            .update_expression(format!("SET {EXPIRES_AT} = :until"))
            .condition_expression(format!("{EXISTS} AND attribute_not_exists({EXPIRES_AT})"))
            .expression_attribute_values(":until", AttributeValue::N(until.timestamp().to_string()));
        records.update_if(update).await.map(drop)
    }

    /// The retention instant that the next entry above a revision states for the entries below it.
    async fn kept_by_the_one_above(
        &self,
        account_id: &AccountId,
        revision: Revision,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let above = self.history_query(account_id, "sk > :sk", revision, true, 1).await?.pop();
        Ok(above.and_then(|above| above.content()).and_then(|content| content.kept_below_until))
    }

    /// The greatest entry that is not above a revision.
    async fn history_until(
        &self,
        account_id: &AccountId,
        until: Revision,
    ) -> Result<Option<HistoryEntry>, StoreError> {
        Ok(self.history_query(account_id, "sk <= :sk", until, false, 1).await?.pop())
    }

    async fn history_query(
        &self,
        account_id: &AccountId,
        condition: &str,
        revision: Revision,
        forward: bool,
        limit: i32,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let records = self.records_table();
        let by = [(":pk", keys::history(account_id)), (":sk", keys::revision(revision))];
        let query = records.query(&format!("{OF_PARTITION} AND {condition}"), by);
        let query = query.scan_index_forward(forward).consistent_read(true).limit(limit);
        let items = records.page(query).await?.items;
        items.iter().map(|item| HistoryEntry::read(records.name, account_id, item)).collect()
    }
}

type HistoryItem = HashMap<String, AttributeValue>;
