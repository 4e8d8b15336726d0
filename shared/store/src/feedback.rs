//! How borrowers liked a page: counted by page and policy, with their words beside their other records.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use duewatch_domain::kernel::{CustomerId, PolicyId};

use crate::records::{expiry, texts};
use crate::{Store, StoreError, keys};

/// How long the words are kept.
const WORDS_KEPT: TimeDelta = TimeDelta::days(400);

/// What a borrower said of a page.
#[derive(Clone, Copy, Debug)]
pub struct Feedback<'a> {
    pub customer_id: &'a CustomerId,
    pub page: &'a str,
    pub policy_id: &'a PolicyId,
    /// The key of its form.
    pub key: &'a str,
    /// From 1 to 5.
    pub score: u32,
    /// Empty: none.
    pub words: &'a str,
    pub at: DateTime<Utc>,
}

impl Store {
    /// Keeps the words with the customer, where an erasure reaches them, and counts the score: both, or neither. Returns
    /// whether the form was new.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn record_feedback(&self, feedback: &Feedback<'_>) -> Result<bool, StoreError> {
        let table = &self.tables().records;
        let unbuilt = |error| StoreError::codec(table, "feedback", error);
        let mut item =
            keys::record_key(&keys::customer(feedback.customer_id), &keys::feedback_of(feedback.key));
        item.extend(texts([
            ("page", feedback.page.to_owned()),
            ("words", feedback.words.to_owned()),
            ("at", feedback.at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        ]));
        item.extend([
            ("score".to_owned(), AttributeValue::N(feedback.score.to_string())),
            expiry(feedback.at + WORDS_KEPT),
        ]);
        let put = Put::builder().table_name(table).set_item(Some(item)).condition_expression(keys::IS_NEW);
        let count = Update::builder()
            .table_name(table)
            .set_key(Some(keys::record_key(&keys::feedback(feedback.page), feedback.policy_id.as_str())))
            .update_expression("ADD #score :one")
            .expression_attribute_names("#score", format!("scored_{}", feedback.score))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        self.transact(vec![
            TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build(),
            TransactWriteItem::builder().update(count.build().map_err(unbuilt)?).build(),
        ])
        .await
    }

    /// How often a page under a policy was given each score, 1 to 5.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn feedback_counts(&self, page: &str, policy_id: &PolicyId) -> Result<[u64; 5], StoreError> {
        let item = self.record(keys::feedback(page), policy_id.to_string()).await?.unwrap_or_default();
        let count = |item: &HashMap<String, AttributeValue>, score: usize| match item
            .get(&format!("scored_{score}"))
        {
            Some(AttributeValue::N(count)) => count.parse().unwrap_or_default(),
            _ => 0,
        };
        Ok(std::array::from_fn(|place| count(&item, place + 1)))
    }
}
