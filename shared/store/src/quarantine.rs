//! Quarantine: records that could not be taken, by date, with their payload and the reason.
//!
//! An item holds 400 KB, a message of a queue up to a megabyte. So a long payload goes on in further items, its
//! parts, which are written before the record itself and read with it.

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use chrono::{DateTime, Days, NaiveDate, SecondsFormat, Utc};
use duewatch_domain::kernel::AccountId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::quarantine_erasure::without_former_text;
use crate::records::{expiry, texts};
use crate::table::Item;
use crate::{Store, StoreError, keys};

/// A record that could not be processed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The origin: mostly a function's name.
    pub source: String,
    /// The record's id there: an event id, an account id.
    pub id: String,
    pub reason: String,
    /// The record itself, as received.
    pub payload: String,
    pub at: DateTime<Utc>,
    /// Bytes at the end of the payload that are not kept, so that it cannot be requeued; 0: it is whole.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lacks_bytes: usize,
    /// Who sent it, as the queue that brought it states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
const fn is_zero(bytes: &usize) -> bool {
    *bytes == 0
}

/// A walk over a date's quarantined records, page by page.
#[derive(Debug)]
pub struct QuarantineWalk<'a> {
    store: &'a Store,
    date: NaiveDate,
    after: Option<String>,
    pages: usize,
    at_most: usize,
    has_ended: bool,
}

/// The most pages of a day's quarantine that a command walks, up to 1 MB each.
pub const MAX_WALKED_PAGES: usize = 10_000;

impl QuarantineWalk<'_> {
    /// The records of the next page, in the order of their sources and ids; `None` after the last.
    ///
    /// # Errors
    /// [`StoreError::TooMuchQuarantined`] where the day has more pages than the walk may read; when a call fails or
    /// an item cannot be read.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Quarantined>>, StoreError> {
        if self.has_ended {
            return Ok(None);
        }
        if self.pages >= self.at_most {
            return Err(StoreError::TooMuchQuarantined { date: self.date, pages: self.at_most });
        }
        let (records, next) = self.store.quarantine_page(self.date, self.after.take()).await?;
        self.pages += 1;
        self.has_ended = next.is_none();
        self.after = next;
        Ok(Some(records))
    }
}

/// For how many days a record stays in quarantine. The bound limits how long personal data in a payload is
/// kept. A year is enough to repair the cause and requeue the record.
pub const QUARANTINE_DAYS: u64 = 400;

/// When a record quarantined at an instant expires.
fn quarantined_until(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    at.checked_add_days(Days::new(QUARANTINE_DAYS))
}

/// The most bytes of a payload in one item, which holds 400 KB.
const PART_BYTES: usize = 350_000;
/// The most items of one payload, together more than the longest message of a queue (1 MiB) or than the JSON of a
/// stream record of usual items.
const MAX_PARTS: usize = 7;
/// The attribute that only the further parts of a payload bear: their text.
const PART: &str = "payload_part";
/// The number of further parts of a record's payload.
const PARTS: &str = "payload_parts";
/// The length of the whole payload, in bytes.
const PAYLOAD_BYTES: &str = "payload_bytes";

/// Pages of a day's quarantine that are counted or searched at most: up to 1 MB each.
const MAX_QUARANTINE_PAGES: usize = 4;

impl Store {
    /// Quarantines a record for [`QUARANTINE_DAYS`], with its payload. A repeated call leaves one record.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn quarantine(&self, quarantined: &Quarantined) -> Result<(), StoreError> {
        let mut kept = quarantined.clone();
        let payload = without_former_text(&quarantined.payload);
        let (parts, lacks_bytes) = parts_of(payload.as_ref().unwrap_or(&quarantined.payload));
        kept.lacks_bytes += lacks_bytes;
        kept.payload = parts.first().copied().unwrap_or_default().to_owned();
        let pk = keys::quarantine(kept.at.date_naive());
        let sk = keys::quarantined(&kept.source, &kept.id);
        for (place, part) in parts.iter().enumerate().skip(1) {
            let mut item = texts([(PART, (*part).to_owned())]);
            item.extend(quarantined_until(kept.at).map(expiry));
            self.put_item(pk.clone(), keys::payload_part(&sk, place), item).await?;
        }
        let mut item = self.encoded(&kept)?;
        item.extend(quarantined_until(kept.at).map(expiry));
        if parts.len() > 1 {
            let number = |number: usize| AttributeValue::N(number.to_string());
            item.insert(PARTS.to_owned(), number(parts.len() - 1));
            item.insert(PAYLOAD_BYTES.to_owned(), number(parts.iter().map(|part| part.len()).sum()));
        }
        self.put_item(pk, sk, item).await
    }

    fn encoded(&self, quarantined: &Quarantined) -> Result<Item, StoreError> {
        let item: serde_dynamo::Item = serde_dynamo::to_item(quarantined)
            .map_err(|error| StoreError::codec(&self.tables.records, &*quarantined.id, error))?;
        Ok(item.into())
    }

    /// The records quarantined on a date (UTC), at most a page of them.
    ///
    /// # Errors
    /// When a call fails or an item cannot be read.
    pub async fn quarantined_on(&self, date: NaiveDate) -> Result<Vec<Quarantined>, StoreError> {
        Ok(self.quarantine_page(date, None).await?.0)
    }

    /// A walk over all records quarantined on a date (UTC), over `at_most` pages.
    #[must_use]
    pub const fn walk_quarantine(&self, date: NaiveDate, at_most: usize) -> QuarantineWalk<'_> {
        QuarantineWalk { store: self, date, after: None, pages: 0, at_most, has_ended: false }
    }

    /// A page of the records quarantined on a date (UTC), and where the next one begins; `None` on the last.
    async fn quarantine_page(
        &self,
        date: NaiveDate,
        after: Option<String>,
    ) -> Result<(Vec<Quarantined>, Option<String>), StoreError> {
        let records = self.records_table();
        let pk = keys::quarantine(date);
        let query = records
            .query(keys::OF_PARTITION, [(":pk", pk.clone())])
            .filter_expression(format!("attribute_not_exists({PART})"))
            .consistent_read(true)
            .set_exclusive_start_key(after.map(|after| keys::record_key(&pk, &after)));
        let page = records.page(query).await?;
        let mut read = Vec::with_capacity(page.items.len());
        for item in page.items {
            read.push(self.read_quarantined(item).await?);
        }
        let next = page.next.and_then(|mut key| match key.remove(keys::SK) {
            Some(AttributeValue::S(sk)) => Some(sk),
            _ => None,
        });
        Ok((read, next))
    }

    /// One quarantined record; `None` where it was released or has expired.
    ///
    /// # Errors
    /// When a call fails or the item cannot be read.
    pub async fn quarantined_as(
        &self,
        date: NaiveDate,
        source: &str,
        id: &str,
    ) -> Result<Option<Quarantined>, StoreError> {
        match self.record(keys::quarantine(date), keys::quarantined(source, id)).await? {
            Some(item) => self.read_quarantined(item).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads a record with the further parts of its payload. Where one is missing, the payload ends before it.
    async fn read_quarantined(&self, mut item: Item) -> Result<Quarantined, StoreError> {
        let (key, table) = (keys::printable_key(&item), &self.tables.records);
        let pk = text_of(item.remove(keys::PK));
        let sk = text_of(item.remove(keys::SK));
        let parts = number_of(item.remove(PARTS)).min(MAX_PARTS);
        let whole = number_of(item.remove(PAYLOAD_BYTES));
        let mut read: Quarantined = serde_dynamo::from_item(serde_dynamo::Item::from(item))
            .map_err(|error| StoreError::codec(table, key, error))?;
        for place in 1..=parts {
            let part = self.record(pk.clone(), keys::payload_part(&sk, place)).await?;
            let Some(mut part) = part else { break };
            read.payload.push_str(&text_of(part.remove(PART)));
        }
        read.lacks_bytes += whole.saturating_sub(read.payload.len());
        Ok(read)
    }

    /// Releases a record from quarantine, unless it was quarantined anew meanwhile.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn release(&self, quarantined: &Quarantined) -> Result<(), StoreError> {
        let table = &self.tables.records;
        let at = serde_json::to_value(quarantined.at)
            .map_err(|error| StoreError::codec(table, &*quarantined.id, error))?;
        let at = at.as_str().unwrap_or_default().to_owned();
        let pk = keys::quarantine(quarantined.at.date_naive());
        let sk = keys::quarantined(&quarantined.source, &quarantined.id);
        let records = self.records_table();
        let delete = records
            .delete(keys::record_key(&pk, &sk))
            .condition_expression("#at = :at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", AttributeValue::S(at));
        let (parts, _) = parts_of(&quarantined.payload);
        if records.delete_if(delete).await? {
            for place in 1..parts.len() {
                self.delete_record(pk.clone(), keys::payload_part(&sk, place)).await?;
            }
        }
        Ok(())
    }

    /// Replaces the payload of a record that is still the same. Returns whether it was. A payload of several parts is
    /// written anew as a whole.
    ///
    /// # Errors
    /// When a call fails.
    pub(crate) async fn replace_payload(
        &self,
        record: &Quarantined,
        payload: String,
    ) -> Result<bool, StoreError> {
        let (pk, sk) =
            (keys::quarantine(record.at.date_naive()), keys::quarantined(&record.source, &record.id));
        let before = parts_of(&record.payload).0.len();
        if before > 1 {
            let after = parts_of(&payload).0.len().max(1);
            self.quarantine(&Quarantined { payload, ..record.clone() }).await?;
            for place in after..before {
                self.delete_record(pk.clone(), keys::payload_part(&sk, place)).await?;
            }
            return Ok(true);
        }
        let records = self.records_table();
        let update = records
            .update(keys::record_key(&pk, &sk))
            .update_expression("SET payload = :after")
            .condition_expression("payload = :before")
            .expression_attribute_values(":after", AttributeValue::S(payload))
            .expression_attribute_values(":before", AttributeValue::S(record.payload.clone()));
        records.update_if(update).await
    }

    /// Drops a record from quarantine for good. What is left of it for as long as it would have stayed says when and
    /// why, without the payload.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn drop_quarantined(
        &self,
        quarantined: &Quarantined,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let payload = String::new();
        let lacks_bytes = quarantined.lacks_bytes + quarantined.payload.len();
        let mut item = self.encoded(&Quarantined { payload, lacks_bytes, ..quarantined.clone() })?;
        let dropped_at = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        item.extend(texts([("dropped_at", dropped_at), ("dropped_because", reason.to_owned())]));
        item.extend(quarantined_until(now).map(expiry));
        let sk = keys::quarantined(&quarantined.source, &quarantined.id);
        self.put_item(keys::dropped(now.date_naive()), sk, item).await?;
        self.release(quarantined).await
    }

    /// The number of records quarantined on a date (UTC), or in the first few MB of them.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn count_quarantined(&self, date: NaiveDate) -> Result<usize, StoreError> {
        self.search_quarantine(date, None).await
    }

    /// Whether a record of that payment was quarantined on a date (UTC), by any function.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn is_quarantined(
        &self,
        date: NaiveDate,
        account_id: &AccountId,
        payment_id: &str,
    ) -> Result<bool, StoreError> {
        Ok(self.search_quarantine(date, Some((account_id.as_str(), payment_id))).await? > 0)
    }

    /// Counts the records quarantined on a date; with `ids`, those that bear both in their payload.
    async fn search_quarantine(
        &self,
        date: NaiveDate,
        ids: Option<(&str, &str)>,
    ) -> Result<usize, StoreError> {
        let records = self.records_table();
        // As a payload writes it: in quotes.
        let quoted = |id: &str| AttributeValue::S(Value::from(id).to_string());
        let mut found = 0;
        let mut from = None;
        for _ in 0..MAX_QUARANTINE_PAGES {
            let mut query = records.query(keys::OF_PARTITION, [(":pk", keys::quarantine(date))]);
            query = query.select(Select::Count).set_exclusive_start_key(from);
            let is_record = format!("attribute_not_exists({PART})");
            query = match ids {
                None => query.filter_expression(is_record),
                Some((account_id, payment_id)) => query
                    .filter_expression("contains(payload, :account) AND contains(payload, :payment)")
                    .expression_attribute_values(":account", quoted(account_id))
                    .expression_attribute_values(":payment", quoted(payment_id)),
            };
            let page = records.page(query).await?;
            found += page.count;
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Notes that a payment of an account is quarantined. The note expires with the quarantined record: a
    /// payment that still cannot be posted then is quarantined anew.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn mark_unpostable(
        &self,
        account_id: &AccountId,
        payment_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut noted = texts([("at", at.to_rfc3339_opts(SecondsFormat::Secs, true))]);
        noted.extend(quarantined_until(at).map(expiry));
        self.put_item(keys::account(account_id), keys::quarantined_payment(payment_id), noted).await
    }

    /// Whether a payment is noted as quarantined.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn is_unpostable(&self, account_id: &AccountId, payment_id: &str) -> Result<bool, StoreError> {
        let noted = self.record(keys::account(account_id), keys::quarantined_payment(payment_id)).await?;
        Ok(noted.is_some())
    }
}

/// A payload in parts that an item holds, and the number of bytes beyond the last of them.
fn parts_of(payload: &str) -> (Vec<&str>, usize) {
    let (mut parts, mut rest) = (Vec::new(), payload);
    while !rest.is_empty() && parts.len() < MAX_PARTS {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PART_BYTES));
        parts.push(part);
        rest = after;
    }
    (parts, rest.len())
}

fn text_of(value: Option<AttributeValue>) -> String {
    match value {
        Some(AttributeValue::S(text)) => text,
        _ => String::new(),
    }
}

fn number_of(value: Option<AttributeValue>) -> usize {
    match value {
        Some(AttributeValue::N(number)) => number.parse().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test's own input is known to be good")]

    use super::*;

    #[test]
    fn a_payload_is_the_sum_of_its_parts_and_no_character_is_torn() {
        for payload in [String::new(), "a".repeat(PART_BYTES), "\u{5ba2}".repeat(300_000)] {
            let (parts, beyond) = parts_of(&payload);
            assert_eq!((parts.concat(), beyond), (payload.clone(), 0));
            assert!(parts.iter().all(|part| part.len() <= PART_BYTES));
        }
        let text = "a".repeat(PART_BYTES * MAX_PARTS + 5);
        let (parts, beyond) = parts_of(&text);
        assert_eq!((parts.len(), beyond), (MAX_PARTS, 5));
    }
}
