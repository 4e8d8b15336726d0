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
//! # Where entries lie
//! Entries lie in a table of their own. `record-history` alone puts them, each on the condition that its place is
//! free, and no role may update or delete one. Earlier releases put entries into the records table. Those stay
//! there: a chain goes on from them, and a reader takes both together.
//!
//! # Retention
//! Where the account's policy sets a retention period, an entry bears its expiry from the put on, that many days after
//! its revision was written. The following entry states the same instant in its own text, under its own hash. So an
//! entry missing after that instant has expired, and an entry missing sooner was removed.
//!
//! The newest entry states the account's condition, and the next one follows it, so it must stay readable. Before it
//! expires, `reconcile-accounts` asks for a **renewal**: `record-history` puts the same entry once more, word for word
//! and with the same hash, under a sort key that adds the date, with an expiry of its own. A reader takes all copies
//! of an entry as one, kept as long as the latest copy.
//!
//! DynamoDB deletes within days of the expiry, in no order. Entries left below a gap of expired ones
//! are still verified; the history counts as known from the entry above that gap. Entries without an expiry stay:
//! those that were recorded while the policy had no retention period, and the last one of each chain that an earlier
//! release recorded, for that release gave an entry its expiry when the next one followed it.
//!
//! # Delivered twice
//! The existing entry has the same digest, and nothing is written. The texts may differ: a repair knows
//! neither the image before nor the time of the write. A different digest means another account under
//! the same revision: [`StoreError::HistoryDiffers`].

mod asked;
mod entry;
mod facts;
mod messages;
mod verify;

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SubsecRound, Utc};
use duewatch_domain::Account;
use duewatch_domain::kernel::{AccountId, Revision};
use duewatch_domain::policy::Retention;

pub use self::asked::is_asked_for_history;
pub use self::entry::{EntryContent, HistoryEntry};
pub use self::verify::{HistoryBreak, Verifier, verify_history};

pub(crate) use self::entry::hex;
use self::entry::{hash_of, image_digest, text_of};
use crate::keys::OF_PARTITION;
use crate::table::StoreTable;
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
    /// The entry was there, and was put once more before it expires.
    Renewed,
}

impl Store {
    /// The greatest revision of an account in its history.
    ///
    /// # Errors
    /// When the call fails or the entry cannot be read.
    pub async fn history_head(&self, account_id: &AccountId) -> Result<Option<Revision>, StoreError> {
        let newest = self.entry_until(account_id, Revision(u64::MAX)).await?;
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
        let mut entries = Vec::new();
        for table in [self.records_table(), self.history_table()] {
            let query = self.history_query(table, account_id, "sk > :sk", keys::after_revision(above));
            entries
                .extend(read_entries(table, account_id, query.scan_index_forward(true).limit(PAGE)).await?);
        }
        // Each table gave its lowest ones, so the lowest of both are among them.
        entries.sort_by_key(|entry| entry.revision);
        entries.truncate(usize::try_from(PAGE).unwrap_or_default());
        Ok(merge_copies(entries))
    }

    /// Records that a revision of an account was written at `at`. `before` is the account at the revision
    /// below; `None` where this revision opened it, or where that image is unknown. The policy's `retention`
    /// decides how long the entry is kept. The entry is recorded at `now`: on that day it is anchored. The newest
    /// entry, once known, is renewed when it is about to expire.
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
        // A writer that takes the place in between has written this very revision: the second read finds it.
        for _ in 0..2 {
            let below = self.entry_until(account_id, revision).await?;
            if let Some(there) = below.as_ref().filter(|below| below.revision == revision) {
                if there.content().is_some_and(|content| content.image == image) {
                    return self.renew(there, now, retention).await;
                }
                return Err(StoreError::HistoryDiffers { account_id: account_id.to_string(), revision });
            }
            let text = text_of(before, after, at, kept_below_until(below.as_ref()), &image)?;
            let (follows, previous) =
                below.map_or((Revision(0), NO_HASH.to_owned()), |below| (below.revision, below.hash));
            let entry = HistoryEntry {
                account_id: account_id.clone(),
                revision,
                hash: hash_of(&previous, &text),
                entry: text,
                follows,
                previous,
                expires_at: retention.history_until(at).map(|until| until.trunc_subsecs(0)),
                recorded_on: Some(now.date_naive()),
                renewed_on: None,
            };
            if self.put_entry(&entry).await? {
                return Ok(Recorded::New { gap: follows.next() != revision });
            }
        }
        Err(WriteConflict::History { account_id: account_id.clone(), revision }.into())
    }

    /// Puts an entry unless its place is taken. Returns whether it was free.
    async fn put_entry(&self, entry: &HistoryEntry) -> Result<bool, StoreError> {
        let history = self.history_table();
        history.put_if(history.put(entry.item()).condition_expression(keys::IS_NEW)).await
    }

    /// Puts the newest entry of a chain once more where it is about to expire.
    async fn renew(
        &self,
        entry: &HistoryEntry,
        now: DateTime<Utc>,
        retention: Retention,
    ) -> Result<Recorded, StoreError> {
        if !entry.is_expiring(now) || self.history_head(&entry.account_id).await? != Some(entry.revision) {
            return Ok(Recorded::Known);
        }
        let until = retention.history_until(now).map(|until| until.trunc_subsecs(0));
        let copy = HistoryEntry {
            expires_at: until.map(|until| entry.expires_at.map_or(until, |known| known.max(until))),
            recorded_on: None,
            renewed_on: Some(now.date_naive()),
            ..entry.clone()
        };
        Ok(if self.put_entry(&copy).await? { Recorded::Renewed } else { Recorded::Known })
    }

    /// The greatest entry that is not above a revision. The records table is read for one of an earlier release where
    /// the table of the history has none at the revision or right below it.
    ///
    /// # Errors
    /// When a call fails or the entry cannot be read.
    pub async fn entry_until(
        &self,
        account_id: &AccountId,
        until: Revision,
    ) -> Result<Option<HistoryEntry>, StoreError> {
        let newest = async |table: StoreTable<'_>| {
            let query = self.history_query(table, account_id, "sk < :sk", keys::after_revision(until));
            let found = read_entries(table, account_id, query.scan_index_forward(false).limit(1)).await?;
            Ok::<_, StoreError>(found.into_iter().next())
        };
        let found = newest(self.history_table()).await?;
        let is_whole = found.as_ref().is_some_and(|found| found.revision.next() >= until);
        if is_whole || until <= Revision(1) || (until == Revision(u64::MAX) && found.is_some()) {
            return Ok(found);
        }
        let earlier = newest(self.records_table()).await?;
        Ok([earlier, found].into_iter().flatten().max_by_key(|entry| entry.revision))
    }

    fn history_query(
        &self,
        table: StoreTable<'_>,
        account_id: &AccountId,
        condition: &str,
        sk: String,
    ) -> QueryFluentBuilder {
        let by = [(":pk", keys::history(account_id)), (":sk", sk)];
        table.query(&format!("{OF_PARTITION} AND {condition}"), by).consistent_read(true)
    }
}

async fn read_entries(
    table: StoreTable<'_>,
    account_id: &AccountId,
    query: QueryFluentBuilder,
) -> Result<Vec<HistoryEntry>, StoreError> {
    let items = table.page(query).await?.items;
    items.iter().map(|item| HistoryEntry::read(table.name, account_id, item)).collect()
}

/// Takes copies of an entry, which follow each other, as one. Entries of one revision that differ stay apart: one of
/// them is forged, and the verification says so.
fn merge_copies(entries: Vec<HistoryEntry>) -> Vec<HistoryEntry> {
    let mut merged: Vec<HistoryEntry> = Vec::with_capacity(entries.len());
    for entry in entries {
        match merged.last_mut() {
            Some(last) if last.is_copy_of(&entry) => {
                last.expires_at = last.expires_at.zip(entry.expires_at).map(|(one, other)| one.max(other));
                last.recorded_on = last.recorded_on.or(entry.recorded_on);
                last.renewed_on = last.renewed_on.max(entry.renewed_on);
            }
            _ => merged.push(entry),
        }
    }
    merged
}

/// Until when the entry below and all below that are kept; none: for ever.
fn kept_below_until(below: Option<&HistoryEntry>) -> Option<DateTime<Utc>> {
    let below = below?;
    let further = below.content().and_then(|content| content.kept_below_until);
    Some(below.expires_at?.max(further.unwrap_or_default()))
}

type HistoryItem = HashMap<String, AttributeValue>;
