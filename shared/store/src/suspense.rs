//! Notes of suspense payments: payments that came before their account.
//!
//! All notes share one partition key, so that one Query lists them. A note's sort key is the account and the
//! payment with [`BETWEEN`] in the middle: ids may hold `#` and `/`, and `A/1` with `2` must not be `A` with
//! `1/2`. Ids never hold control characters.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::kernel::{AccountId, PaymentId};
use serde::Deserialize;

use crate::records::texts;
use crate::{Store, StoreError, keys};

/// The note of a suspense payment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SuspensePayment {
    /// The account that is not created yet.
    pub account_id: AccountId,
    pub payment_id: PaymentId,
    pub at: DateTime<Utc>,
}

/// A page of the notes.
#[derive(Clone, Debug, Default)]
pub struct SuspensePage {
    /// By account, then payment.
    pub payments: Vec<SuspensePayment>,
    /// The start of the next page; `None` on the last page.
    pub next: Option<String>,
}

impl Store {
    /// Notes a suspense payment. A repeated call writes the same item.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_in_suspense(
        &self,
        account_id: &AccountId,
        payment_id: &PaymentId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let note = texts([
            ("account_id", account_id.to_string()),
            ("payment_id", payment_id.to_string()),
            ("at", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        ]);
        self.put_item(keys::SUSPENSE.to_owned(), keys::suspense(account_id, payment_id.as_str()), note).await
    }

    /// Removes the note of a suspense payment.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn remove_from_suspense(
        &self,
        account_id: &AccountId,
        payment_id: &PaymentId,
    ) -> Result<(), StoreError> {
        self.delete_record(keys::SUSPENSE.to_owned(), keys::suspense(account_id, payment_id.as_str())).await
    }

    /// The suspense payments of an account: up to 1 MB of notes, far more than occur.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn suspense_of(&self, account_id: &AccountId) -> Result<Vec<String>, StoreError> {
        let query = self.records_under(keys::SUSPENSE.to_owned(), keys::suspense(account_id, ""));
        let page = self.records_table().page(query).await?;
        Ok(page
            .items
            .into_iter()
            .filter_map(|mut item| match item.remove("payment_id") {
                Some(AttributeValue::S(payment_id)) => Some(payment_id),
                _ => None,
            })
            .collect())
    }

    /// A page of all suspense payments, from where the page before ended.
    ///
    /// # Errors
    /// When the call fails or a note cannot be read.
    pub async fn all_suspense(&self, limit: i32, from: Option<&str>) -> Result<SuspensePage, StoreError> {
        let records = self.records_table();
        let from = from.map(|from| keys::record_key(keys::SUSPENSE, from));
        let query = records.query(keys::OF_PARTITION, [(":pk", keys::SUSPENSE.to_owned())]);
        let page = records.page(query.limit(limit).set_exclusive_start_key(from)).await?;
        let payment = page.items.into_iter().map(|item| {
            let key = keys::printable_key(&item);
            serde_dynamo::from_item(serde_dynamo::Item::from(item))
                .map_err(|error| StoreError::codec(records.name, key, error))
        });
        let next = page.next.and_then(|mut key| match key.remove(keys::SK) {
            Some(AttributeValue::S(key)) => Some(key),
            _ => None,
        });
        Ok(SuspensePage { payments: payment.collect::<Result<_, _>>()?, next })
    }
}
