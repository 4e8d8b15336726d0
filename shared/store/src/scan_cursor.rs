//! The scan cursor: progress of the reconciler's scan over the segments of the accounts table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::account_item::read;
use crate::{Store, StoreError, Stored, keys};

/// A page of a segment of the accounts table.
#[derive(Debug, Default)]
pub struct AccountPage {
    /// Each account under its id; or the reason why it cannot be decoded.
    pub accounts: Vec<(String, Result<Stored, StoreError>)>,
    /// The account after which the next page begins; `None` on the last page.
    pub next: Option<String>,
}

/// The position of the scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanCursor {
    /// The time slot whose segment is scanned next, counted since 1970.
    pub position: u64,
    /// The account after which that segment continues; `None` at its beginning.
    pub after: Option<String>,
    /// The note after which the list of suspense payments continues; `None` at its beginning.
    pub suspense_after: Option<String>,
    /// The number of writes; 0 before the first.
    pub version: u64,
}

impl Store {
    /// A page of a segment of the accounts table, from where the page before ended. The scan is eventually
    /// consistent: a caller that acts on an account reads it again.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn accounts_of_segment(
        &self,
        segment: u32,
        segments: u32,
        limit: i32,
        after: Option<&str>,
    ) -> Result<AccountPage, StoreError> {
        let table = self.accounts_table();
        let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let scan = table.scan().segment(number(segment)).total_segments(number(segments)).limit(limit);
        let page = table.scan_page(scan.set_exclusive_start_key(after.map(keys::account_key))).await?;
        let accounts = page.items.into_iter().map(|item| {
            let account_id = text(&item, keys::ACCOUNT_ID).unwrap_or_default();
            (account_id, read(table.name, item))
        });
        let next = page.next.and_then(|key| text(&key, keys::ACCOUNT_ID));
        Ok(AccountPage { accounts: accounts.collect(), next })
    }

    /// The stored scan cursor.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn scan_cursor(&self) -> Result<ScanCursor, StoreError> {
        let Some(item) = self.record(keys::SETTINGS.to_owned(), keys::SCAN_CURSOR.to_owned()).await? else {
            return Ok(ScanCursor::default());
        };
        Ok(ScanCursor {
            position: number(&item, "slot"),
            after: text(&item, "after_account"),
            suspense_after: text(&item, "after_parked"),
            version: number(&item, "version"),
        })
    }

    /// Stores the scan cursor, unless another writer has stored one since it was read. Returns whether it was
    /// stored.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn save_scan_cursor(&self, cursor: &mut ScanCursor) -> Result<bool, StoreError> {
        let records = self.records_table();
        let texts = [("after_account", &cursor.after), ("after_parked", &cursor.suspense_after)];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?)));
        let mut item = keys::record_key(keys::SETTINGS, keys::SCAN_CURSOR);
        item.extend(texts.map(|(name, text)| (name.to_owned(), AttributeValue::S(text))));
        for (name, number) in [("slot", cursor.position), ("version", cursor.version + 1)] {
            item.insert(name.to_owned(), AttributeValue::N(number.to_string()));
        }
        let put = records
            .put(item)
            .condition_expression(format!("{} OR version = :seen", keys::IS_NEW))
            .expression_attribute_values(":seen", AttributeValue::N(cursor.version.to_string()));
        let noted = records.put_if(put).await?;
        cursor.version += u64::from(noted);
        Ok(noted)
    }
}

fn text(item: &HashMap<String, AttributeValue>, name: &str) -> Option<String> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    }
}

fn number(item: &HashMap<String, AttributeValue>, name: &str) -> u64 {
    match item.get(name) {
        Some(AttributeValue::N(number)) => number.parse().unwrap_or_default(),
        _ => 0,
    }
}
