//! The history: an entry for each revision of an account, none of which is ever changed.
//!
//! An entry says what its revision brought, and bears the digest of the account as that
//! revision left it. It names facts by their ids, never by their amounts, and holds no
//! name and no contact point. It also bears the hash of the entry that it follows:
//! whoever changes an entry, moves it or takes it away breaks the chain, and [`verify_history`]
//! says where. Only the newest entry has none above it that vouches for it; while the
//! account is still at that revision, the account's digest does.
//!
//! An entry follows the greatest one below it when it is written. Where a revision is
//! missing there, that is a gap; when its record comes late, its entry fills its place, and
//! those above it stay as they are.
//!
//! # What has had its time
//! Where the account's policy says how long a history is kept, an entry may go so many days
//! after the next one followed it. The newest never may: it says how the account stands, and
//! the next one follows it. The one that follows gives it its `expires_at`, first, and says
//! the same instant in its own text, under its own hash. So what is missing below an entry
//! whose instant has come has had its time, and what is missing sooner was taken away.
//!
//! DynamoDB deletes within days of that instant, and in no order. What is left below such a
//! place is still verified; the history is known from the entry above it on. What was followed
//! before the policy said how long stays.
//!
//! # Delivered twice
//! The entry that is there has the same digest, and nothing is written. Its text need not
//! be the same: a repair knows neither the image before nor when the revision was written.
//! Another digest is another account under the same revision:
//! [`StoreError::HistoryDiffers`].

mod entry;
mod verify;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use chrono::{DateTime, SubsecRound, Utc};
use duewatch_domain::Account;
use duewatch_domain::kernel::{AccountId, Revision};
use duewatch_domain::policy::Retention;

pub use self::entry::{HistoryEntry, Told};
pub use self::verify::{HistoryBreak, Verifier, verify_history};

use self::entry::{hash_of, image_digest, text_of};
use crate::records::EXPIRES_AT;
use crate::{Store, StoreError};

/// The hash of the entry below the first.
const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Entries that are read at once.
const PAGE: i32 = 100;

/// What recording a revision came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is in the history now.
    New {
        /// Whether the revision right below it is missing.
        gap: bool,
    },
    /// It was there already.
    Known,
}

pub(crate) fn history_key(account_id: &AccountId) -> String {
    format!("history#{account_id}")
}

fn revision_key(revision: Revision) -> String {
    format!("{:020}", revision.0)
}

impl Store {
    /// The greatest revision of an account that its history has.
    ///
    /// # Errors
    /// When the call fails or the entry cannot be read.
    pub async fn history_head(&self, account_id: &AccountId) -> Result<Option<Revision>, StoreError> {
        let newest = self.history_until(account_id, Revision(u64::MAX)).await?;
        Ok(newest.map(|entry| entry.revision))
    }

    /// The entries of an account above a revision, oldest first: a page of them, and none
    /// where there are no more.
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

    /// Records that a revision of an account was written at `at`. `before` is the account
    /// as it was at the revision below; none: it was opened, or that is not known. The entry
    /// that it follows is kept as its policy's `retention` says.
    ///
    /// # Errors
    /// [`StoreError::HistoryDiffers`] when the history says something else of that
    /// revision; whatever else a call fails for.
    pub async fn record_revision(
        &self,
        before: Option<&Account>,
        after: &Account,
        at: DateTime<Utc>,
        retention: Retention,
    ) -> Result<Recorded, StoreError> {
        let (account_id, revision) = (&after.account_id, after.revision);
        let image = image_digest(after)?;
        let kept_below_until = retention.history_until(at).map(|until| until.trunc_subsecs(0));
        let text = text_of(before, after, at, kept_below_until, &image)?;
        // Whoever takes its place in between has written this revision: the second look sees it.
        for _ in 0..2 {
            let below = self.history_until(account_id, revision).await?;
            if let Some(there) = below.as_ref().filter(|below| below.revision == revision) {
                if there.told().is_some_and(|told| told.image == image) {
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
                // Another has followed that one: this one comes late, or once more.
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
            };
            if self.put_entry(&entry).await? {
                return Ok(Recorded::New { gap: follows.next() != revision });
            }
        }
        Err(StoreError::Conflict { account_id: account_id.to_string(), revision: revision.0 })
    }

    /// Puts an entry where none is. Says whether none was.
    async fn put_entry(&self, entry: &HistoryEntry) -> Result<bool, StoreError> {
        let table = &self.tables.records;
        let put = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(entry.item()))
            .condition_expression("attribute_not_exists(pk)")
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        Ok(self.answered_if(table, put)?.is_some())
    }

    /// Says from when on an entry may go, unless that was said before.
    async fn let_expire(&self, entry: &HistoryEntry, until: DateTime<Utc>) -> Result<(), StoreError> {
        let table = &self.tables.records;
        let update = self
            .client
            .update_item()
            .table_name(table)
            .key("pk", AttributeValue::S(history_key(&entry.account_id)))
            .key("sk", AttributeValue::S(revision_key(entry.revision)))
            .update_expression(format!("SET {EXPIRES_AT} = :until"))
            .condition_expression(format!("attribute_exists(pk) AND attribute_not_exists({EXPIRES_AT})"))
            .expression_attribute_values(":until", AttributeValue::N(until.timestamp().to_string()))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        self.answered_if(table, update)?;
        Ok(())
    }

    /// Until when what is below the next entry above a revision is kept, as that one says.
    async fn kept_by_the_one_above(
        &self,
        account_id: &AccountId,
        revision: Revision,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let above = self.history_query(account_id, "sk > :sk", revision, true, 1).await?.pop();
        Ok(above.and_then(|above| above.told()).and_then(|told| told.kept_below_until))
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
        let table = &self.tables.records;
        let sent = self
            .client
            .query()
            .table_name(table)
            .key_condition_expression(format!("pk = :pk AND {condition}"))
            .expression_attribute_values(":pk", AttributeValue::S(history_key(account_id)))
            .expression_attribute_values(":sk", AttributeValue::S(revision_key(revision)))
            .scan_index_forward(forward)
            .consistent_read(true)
            .limit(limit)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        let items = self.answered(table, sent)?.items.unwrap_or_default();
        items.iter().map(|item| HistoryEntry::read(table, account_id, item)).collect()
    }
}

type Item = HashMap<String, AttributeValue>;
