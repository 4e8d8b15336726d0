//! Sign-in codes, their daily counts, and sessions of the borrower's pages.
//!
//! A code is stored as a MAC, under a MAC of the browser that asked for it. Whether or not an account is known, the
//! same items are written in the same number of requests: a code for an unknown account has no customer, and matches
//! nothing that anybody types.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::contact::{ContactProfile, QueuedRequest};
use duewatch_domain::kernel::{ContactId, CustomerId};
use duewatch_domain::policy::Channel;
use serde::{Deserialize, Serialize};

use crate::contact_records::{ContactRecord, MessageRecord};
use crate::records::{expiry, texts};
use crate::{Store, StoreError, keys};

/// How long an item stays after it has lost its meaning, for DynamoDB to remove it.
const KEPT_AFTER: TimeDelta = TimeDelta::days(2);
/// How long the record of a code's message is kept, for its receipts.
const MESSAGE_KEPT: TimeDelta = TimeDelta::days(180);

/// A contact point of a customer, and since when it has been known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownContactPoint {
    pub channel: Channel,
    pub contact_point: String,
    pub changed_at: DateTime<Utc>,
}

/// A sign-in code that was sent, or would have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInCode {
    /// The MAC of browser and code.
    pub mac: String,
    /// None: no code was sent, and none matches.
    pub customer_id: Option<CustomerId>,
    /// The MAC of what was typed, under which tries are counted.
    pub subject: String,
    /// The latest change of the customer's contact points.
    pub contacts_at: Option<DateTime<Utc>>,
    pub until: DateTime<Utc>,
}

/// The message that brings a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeMessage {
    pub message_id: ContactId,
    /// None: no message leaves for a borrower.
    pub to: Option<(CustomerId, Channel)>,
    pub at: DateTime<Utc>,
}

/// A session of a signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageSession {
    pub customer_id: CustomerId,
    /// The latest change of the customer's contact points at sign-in. A later change ends the session.
    pub contacts_at: Option<DateTime<Utc>>,
    pub until: DateTime<Utc>,
}

/// The records of a customer that the pages show.
#[derive(Clone, Debug)]
pub struct BorrowerRecords {
    pub profile: ContactProfile,
    pub requests: Vec<QueuedRequest>,
    pub ended: Vec<ContactRecord>,
    pub contact_points: Vec<KnownContactPoint>,
    /// The latest change of a contact point, removed ones included.
    pub contacts_at: Option<DateTime<Utc>>,
    /// Whether the customer has more records than one read returns.
    pub has_more: bool,
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn known_point(item: &HashMap<String, AttributeValue>) -> Option<(DateTime<Utc>, Option<KnownContactPoint>)> {
    let of = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let changed_at = of("changed_at")?.parse().ok()?;
    let channel = keys::channel_in(of(keys::SK)?)?;
    let channel = serde_json::from_value::<Channel>(channel.into()).ok()?;
    let point = of("contact_point").map(|contact_point| KnownContactPoint {
        channel,
        contact_point: contact_point.clone(),
        changed_at,
    });
    Some((changed_at, point))
}

impl Store {
    /// The contact points of a customer, with the latest change of any: one Query.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn contact_points(
        &self,
        customer_id: &CustomerId,
    ) -> Result<(Vec<KnownContactPoint>, Option<DateTime<Utc>>), StoreError> {
        let query = self.records_under(keys::customer(customer_id), keys::CONTACT_POINTS.to_owned());
        let items = self.records_table().page(query).await?.items;
        let (changes, points): (Vec<_>, Vec<_>) = items.iter().filter_map(known_point).unzip();
        Ok((points.into_iter().flatten().collect(), changes.into_iter().max()))
    }

    /// Counts one more of a kind on a day (UTC), up to `at_most`. Returns whether it was counted.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn count_sign_in(
        &self,
        subject: &str,
        day: NaiveDate,
        at_most: u32,
    ) -> Result<bool, StoreError> {
        let records = self.records_table();
        let expires = expiry(day.and_time(chrono::NaiveTime::MIN).and_utc() + KEPT_AFTER).1;
        let update = records
            .update(keys::record_key(&keys::sign_in_count(subject), &day.to_string()))
            .update_expression("ADD counted :one SET expires_at = :expires")
            .condition_expression("attribute_not_exists(counted) OR counted < :most")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .expression_attribute_values(":most", AttributeValue::N(at_most.to_string()))
            .expression_attribute_values(":expires", expires);
        records.update_if(update).await
    }

    /// Keeps a code for a browser in place of its last one, and the record of the message that brings it: one
    /// transaction of two items, whoever the code is for.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_sign_in_code(
        &self,
        browser: &str,
        code: &SignInCode,
        message: &CodeMessage,
    ) -> Result<(), StoreError> {
        let table = &self.tables().records;
        let mut item = keys::record_key(&keys::sign_in(browser), keys::SIGN_IN_CODE);
        item.extend([
            ("code".to_owned(), text(self.written(code)?)),
            ("tries".to_owned(), AttributeValue::N("0".to_owned())),
            expiry(code.until + KEPT_AFTER),
        ]);
        let mut record = match &message.to {
            None => keys::record_key(&keys::sign_in(message.message_id.as_str()), keys::MESSAGE),
            Some(_) => keys::record_key(&keys::message(&message.message_id), keys::MESSAGE),
        };
        if let Some((customer_id, channel)) = &message.to {
            let kept = MessageRecord {
                customer_id: customer_id.clone(),
                channel: *channel,
                third_party: None,
                contacts: Vec::new(),
                receipts: Vec::new(),
            };
            record.extend(texts([("message", self.written(&kept)?)]));
        }
        record.extend([expiry(message.at + MESSAGE_KEPT)]);
        let unbuilt = |error| StoreError::codec(table, "sign-in", error);
        let put = |item| Put::builder().table_name(table).set_item(Some(item)).build().map_err(unbuilt);
        let writes = [put(item)?, put(record)?];
        let writes = writes.map(|put| TransactWriteItem::builder().put(put).build());
        self.transact(writes.into()).await.map(drop)
    }

    /// Counts a try of a browser's code, and reads the code. None: there is none, or no try is left.
    ///
    /// # Errors
    /// When a call fails or the item cannot be read.
    pub async fn try_sign_in_code(
        &self,
        browser: &str,
        at_most: u32,
    ) -> Result<Option<SignInCode>, StoreError> {
        let records = self.records_table();
        let key = keys::record_key(&keys::sign_in(browser), keys::SIGN_IN_CODE);
        let update = records
            .update(key.clone())
            .update_expression("ADD tries :one")
            .condition_expression("attribute_exists(pk) AND tries < :most")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .expression_attribute_values(":most", AttributeValue::N(at_most.to_string()));
        let may_try = records.update_if(update).await?;
        let item = records.get(key).await?.filter(|_| may_try);
        item.map(|item| self.read(&item, "code")).transpose()
    }

    /// Uses a browser's code up. Returns false where another request was faster.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn use_sign_in_code(&self, browser: &str) -> Result<bool, StoreError> {
        let records = self.records_table();
        let delete = records.delete(keys::record_key(&keys::sign_in(browser), keys::SIGN_IN_CODE));
        records.delete_if(delete.condition_expression(keys::EXISTS)).await
    }

    /// Begins a session, under a MAC of its id.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_session(&self, session: &str, content: &PageSession) -> Result<(), StoreError> {
        let mut item = texts([("session", self.written(content)?)]);
        item.extend([expiry(content.until + KEPT_AFTER)]);
        self.put_item(keys::session(session), keys::SESSION.to_owned(), item).await
    }

    /// A session; none: it was ended, or never begun. The caller judges its end by the clock.
    ///
    /// # Errors
    /// When the call fails or the item cannot be read.
    pub async fn session(&self, session: &str) -> Result<Option<PageSession>, StoreError> {
        let item = self.record(keys::session(session), keys::SESSION.to_owned()).await?;
        item.map(|item| self.read(&item, "session")).transpose()
    }

    /// Ends a session. A missing one is no error.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn end_session(&self, session: &str) -> Result<(), StoreError> {
        self.delete_record(keys::session(session), keys::SESSION.to_owned()).await
    }

    /// What the pages show of a customer's records: profile, requests, ended requests and contact points, in one
    /// consistent Query of at most 1 MB. Neither links nor the archive's key are read.
    ///
    /// # Errors
    /// When the call fails or an item cannot be read.
    pub async fn borrower_records(&self, customer_id: &CustomerId) -> Result<BorrowerRecords, StoreError> {
        let records = self.records_table();
        let by = [
            (":pk", keys::customer(customer_id)),
            (":first", keys::CONTACT_POINTS.to_owned()),
            (":last", format!("{}~", keys::CONTACT_RECORDS)),
        ];
        let page = records.page(records.query(keys::BETWEEN_KEYS, by).consistent_read(true)).await?;
        let mut read = BorrowerRecords {
            profile: ContactProfile::new(customer_id.clone()),
            requests: Vec::new(),
            ended: Vec::new(),
            contact_points: Vec::new(),
            contacts_at: None,
            has_more: page.next.is_some(),
        };
        for item in page.items {
            let key = item.get(keys::SK).and_then(|key| key.as_s().ok()).map_or("", String::as_str);
            if key == keys::PROFILE {
                read.profile = self.read(&item, "person")?;
            } else if key.starts_with(keys::REQUEST) {
                read.requests.push(self.read(&item, "planned")?);
            } else if key.starts_with(keys::CONTACT_RECORDS) {
                read.ended.push(self.read(&item, "said")?);
            } else if let Some((changed_at, point)) = known_point(&item) {
                read.contacts_at = read.contacts_at.max(Some(changed_at));
                read.contact_points.extend(point);
            }
        }
        read.requests.sort_by_key(|one| one.evaluate_at);
        read.ended.sort_by_key(|one| one.at);
        Ok(read)
    }
}
