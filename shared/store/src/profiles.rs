//! Contact profiles of customers, and their queued contact requests.
//!
//! Both are stored under the customer's key, so that one Query reads a profile with all requests that wait
//! for the gate.
//!
//! # From a request to a message
//! A request is queued once: not while it is queued already, and not after it has ended. Before a message
//! leaves, one transaction counts it in the profile and writes its id into each request that it covers, on
//! the condition that the profile is still as it was read. A second sender fails that condition, reads
//! again and finds the frequency cap used up. Once the message has left, its requests end, all at once.
//!
//! # Killed in between
//! A message that was counted and never seen to leave is due again [`RETRY_AFTER`] later. It leaves under the
//! same id, and is not counted twice.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnConsumedCapacity, TransactWriteItem, Update,
};
use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::account::event_id;
use duewatch_domain::contact::{ContactProfile, GateReason, QueuedRequest, RequestTarget};
use duewatch_domain::kernel::{ContactId, CustomerId, Revision, ThirdPartyId};
use duewatch_domain::{Account, Applied};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::contact_records::{ContactRecord, MessageRecord};
use crate::records::{expiry, texts};
use crate::{MayConflict, Store, StoreError, WriteConflict, keys, retry_conflicts};

/// The most requests of one customer that are evaluated together: a transaction writes at most 100 items, and
/// each request takes up to two. The next evaluation takes the rest.
pub const MAX_TOGETHER: usize = 40;
/// How long after its reservation a message is due again that was counted and not seen to leave. The function
/// that counted it has ended by then, for no function runs longer.
pub const RETRY_AFTER: TimeDelta = TimeDelta::minutes(15);

/// A contact profile and its queued requests, by due time.
#[derive(Clone, Debug)]
pub struct LoadedProfile {
    pub profile: ContactProfile,
    pub requests: Vec<QueuedRequest>,
}

/// A message that is about to leave.
#[derive(Clone, Debug)]
pub struct ReservedMessage {
    pub message_id: ContactId,
    /// Its record from then on.
    pub message: MessageRecord,
    /// Until when the record is kept; `None` without end.
    pub until: Option<DateTime<Utc>>,
}

/// The changes from one evaluation of a contact profile, written all or not at all.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// The new profile, where it changes, with the revision that was read.
    pub profile: Option<ContactProfile>,
    /// Messages that are about to leave.
    pub reserved: Vec<ReservedMessage>,
    /// The requests that stay queued, changed.
    pub requests: Vec<QueuedRequest>,
    /// The ended requests, and until when their records are kept; `None` without end.
    pub ended: Vec<(ContactRecord, Option<DateTime<Utc>>)>,
}

/// A page of the index of queued requests.
#[derive(Clone, Debug, Default)]
pub struct DueCustomersPage {
    /// The customers with due requests, oldest first; one may occur several times.
    pub customers: Vec<CustomerId>,
    /// Since when its oldest request has been due; `None` where none is due.
    pub oldest_due_at: Option<DateTime<Utc>>,
    /// The start of the next page; `None` on the last page.
    pub next: Option<HashMap<String, AttributeValue>>,
}

/// A contact id derived from a text: the id of the revision's event and the request's name in it.
fn contact_id(text: &str) -> ContactId {
    ContactId::made_of(text, |text| {
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        std::array::from_fn(|place| digest[place])
    })
}

/// A contact request of an account revision, due at `now`.
fn request_of(
    account: &Account,
    contact_id: ContactId,
    wanted: RequestTarget,
    planned_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> QueuedRequest {
    QueuedRequest {
        contact_id,
        customer_id: account.customer_id.clone(),
        account_id: account.account_id.clone(),
        policy_id: account.policy_id.clone(),
        revision: account.revision,
        stage: account.status.stage.clone(),
        evaluate_at: match &wanted {
            RequestTarget::Borrower(request) => now.max(request.due_at()),
            RequestTarget::ThirdParty { .. } => now,
        },
        target: wanted,
        planned_at,
        waits_for: None,
        late_since: None,
        reserved_as: None,
        bounces: 0,
    }
}

impl Store {
    /// Queues the contact requests of an account revision, due at `now`. Returns the number of those that
    /// were neither queued nor ended before.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn queue_requests(&self, account: &Account, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let event = event_id(&account.account_id, account.revision);
        let mut new = 0;
        for request in &account.contact_requests {
            let contact_id = contact_id(&format!("{event}/{}", request.name()));
            let wanted = RequestTarget::Borrower(request.clone());
            let queued = request_of(account, contact_id, wanted, request.planned_at, now);
            new += usize::from(self.queue_request(&queued).await?);
        }
        Ok(new)
    }

    /// Queues a contact with a third-party contact, due at `now`. `event_id` names the event that causes it.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn queue_third_party_request(
        &self,
        account: &Account,
        third_party_id: &ThirdPartyId,
        event_id: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let contact_id = contact_id(&format!("{}/{event_id}/contact-person", account.account_id));
        let wanted = RequestTarget::ThirdParty { third_party_id: third_party_id.clone() };
        self.queue_request(&request_of(account, contact_id, wanted, now, now)).await
    }

    /// Queues the request of a bounced message once more, due at `now`; the gate knows the unusable channel
    /// by then. Returns whether it was new. A request that bounced too often (see
    /// [`MAX_BOUNCES`](duewatch_domain::contact::MAX_BOUNCES)) is not queued again.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn requeue_request(
        &self,
        record: &ContactRecord,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let contact_id = contact_id(&format!("{}/again", record.request.contact_id));
        match record.request.requeued(contact_id, now) {
            Some(again) => self.queue_request(&again).await,
            None => Ok(false),
        }
    }

    /// Queues a contact request, unless it is queued or has ended. Returns whether it was new.
    async fn queue_request(&self, queued: &QueuedRequest) -> Result<bool, StoreError> {
        let pk = keys::customer(&queued.customer_id);
        let has_not_ended = ConditionCheck::builder()
            .table_name(&self.tables.records)
            .set_key(Some(keys::record_key(&pk, &keys::contact_record(&queued.contact_id))))
            .condition_expression(keys::IS_NEW)
            .build()
            .map_err(|error| self.unbuilt(&error))?;
        self.transact(vec![
            TransactWriteItem::builder().condition_check(has_not_ended).build(),
            self.put(self.put_request(queued)?.condition_expression(keys::IS_NEW))?,
        ])
        .await
    }

    fn put_request(&self, queued: &QueuedRequest) -> Result<PutBuilder, StoreError> {
        let pk = keys::customer(&queued.customer_id);
        let mut item = keys::record_key(&pk, &keys::planned(&queued.contact_id));
        item.extend(texts([
            ("planned", self.written(queued)?),
            (keys::CONTACT_SHARD, self.contact_shard(&queued.customer_id)),
            (keys::CONTACT_AT, keys::due_at(queued.evaluate_at)),
        ]));
        Ok(Put::builder().table_name(&self.tables.records).set_item(Some(item)))
    }

    /// The shard of a customer in the index of queued requests.
    fn contact_shard(&self, customer_id: &CustomerId) -> String {
        keys::shard_of(customer_id.as_str(), self.due_shards())
    }

    /// A contact profile with its queued requests, up to 1 MB of them.
    ///
    /// # Errors
    /// When the call fails or an item cannot be read.
    pub async fn load_profile(&self, customer_id: &CustomerId) -> Result<LoadedProfile, StoreError> {
        let query = self.records_under(keys::customer(customer_id), keys::PROFILE_OR_PLANNED.to_owned());
        let mut loaded =
            LoadedProfile { profile: ContactProfile::new(customer_id.clone()), requests: Vec::new() };
        for item in self.records_table().page(query).await?.items {
            match item.get(keys::SK) {
                Some(AttributeValue::S(key)) if key == keys::PROFILE => {
                    loaded.profile = self.read(&item, "person")?;
                }
                _ => loaded.requests.push(self.read(&item, "planned")?),
            }
        }
        loaded.requests.sort_by(|one: &QueuedRequest, other| {
            (one.evaluate_at, &one.contact_id).cmp(&(other.evaluate_at, &other.contact_id))
        });
        Ok(loaded)
    }

    /// A contact profile; an empty one where none is stored.
    ///
    /// # Errors
    /// When the call fails or the item cannot be read.
    pub async fn profile(&self, customer_id: &CustomerId) -> Result<ContactProfile, StoreError> {
        match self.record(keys::customer(customer_id), keys::PROFILE.to_owned()).await? {
            Some(item) => self.read(&item, "person"),
            None => Ok(ContactProfile::new(customer_id.clone())),
        }
    }

    /// Changes a contact profile by `change`, retried when another writer was faster. The requests that wait
    /// for the gate become due at `now`, for the change may let them leave. Writes nothing where nothing
    /// changes.
    ///
    /// # Errors
    /// The error of `change`; when a call fails, or other writers keep winning.
    pub async fn change_profile<E>(
        &self,
        customer_id: &CustomerId,
        now: DateTime<Utc>,
        change: impl Fn(&mut ContactProfile) -> Result<Applied, E>,
    ) -> Result<Applied, E>
    where
        E: From<StoreError> + MayConflict,
    {
        retry_conflicts(async || {
            let LoadedProfile { mut profile, requests: queued } = self.load_profile(customer_id).await?;
            if change(&mut profile)? == Applied::Unchanged {
                return Ok(Applied::Unchanged);
            }
            // What waits for its time of sending alone does so whatever the profile says.
            let is_open = |one: &QueuedRequest| {
                let is_timed = matches!(one.waits_for, Some(GateReason::SendTime { .. }));
                one.evaluate_at > now && one.reserved_as.is_none() && !is_timed
            };
            let waits = queued.into_iter().filter(is_open);
            let requests =
                waits.take(MAX_TOGETHER).map(|one| QueuedRequest { evaluate_at: now, ..one }).collect();
            let changed = ProfileChange { profile: Some(profile), requests, ..ProfileChange::default() };
            self.write_profile(customer_id, changed).await?;
            Ok(Applied::Changed)
        })
        .await
    }

    /// Writes the changes from one evaluation of a customer's profile: all of them, or none where another
    /// writer was faster.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another writer was faster; or when the call fails.
    pub async fn write_profile(
        &self,
        customer_id: &CustomerId,
        change: ProfileChange,
    ) -> Result<(), StoreError> {
        let mut writes = Vec::new();
        if let Some(profile) = change.profile {
            writes.push(self.put_profile(profile)?);
        }
        for reserved in &change.reserved {
            writes.push(self.reserve_message(reserved)?);
        }
        for queued in &change.requests {
            let put = self.put_request(queued)?.condition_expression(keys::EXISTS);
            writes.push(self.put(put)?);
        }
        for (record, until) in &change.ended {
            writes.extend(self.end_request(record, *until)?);
        }
        if writes.is_empty() || self.transact(writes).await? {
            return Ok(());
        }
        Err(WriteConflict::ContactProfile(customer_id.clone()).into())
    }

    fn put(&self, put: PutBuilder) -> Result<TransactWriteItem, StoreError> {
        Ok(TransactWriteItem::builder().put(put.build().map_err(|error| self.unbuilt(&error))?).build())
    }

    fn unbuilt(&self, error: &aws_sdk_dynamodb::error::BuildError) -> StoreError {
        StoreError::codec(&self.tables.records, "a contact profile", error)
    }

    /// The profile's next revision, on the condition that the one that was read is still there.
    fn put_profile(&self, mut profile: ContactProfile) -> Result<TransactWriteItem, StoreError> {
        let seen = profile.revision;
        profile.revision = seen.next();
        let mut item = keys::record_key(&keys::customer(&profile.customer_id), keys::PROFILE);
        item.extend(texts([("person", self.written(&profile)?)]));
        item.insert("revision".to_owned(), AttributeValue::N(profile.revision.to_string()));
        let put = Put::builder().table_name(&self.tables.records).set_item(Some(item));
        self.put(if seen == Revision::default() {
            put.condition_expression(keys::IS_NEW)
        } else {
            let seen = AttributeValue::N(seen.to_string());
            put.condition_expression("revision = :seen").expression_attribute_values(":seen", seen)
        })
    }

    /// The record of a message that is about to leave. The message may have left before: receipts recorded
    /// since then stay.
    fn reserve_message(&self, reserved: &ReservedMessage) -> Result<TransactWriteItem, StoreError> {
        let ReservedMessage { message_id, message, until } = reserved;
        let mut set = "SET message = if_not_exists(message, :message)".to_owned();
        let mut update = Update::builder()
            .table_name(&self.tables.records)
            .set_key(Some(keys::record_key(&keys::message(message_id), keys::MESSAGE)))
            .expression_attribute_values(":message", AttributeValue::S(self.written(message)?));
        if let Some((name, at)) = until.map(expiry) {
            set.push_str(", #until = :until");
            update = update.expression_attribute_names("#until", name);
            update = update.expression_attribute_values(":until", at);
        }
        let update = update.update_expression(set).build().map_err(|error| self.unbuilt(&error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The end of a request: its contact record, in place of the queued request.
    fn end_request(
        &self,
        record: &ContactRecord,
        until: Option<DateTime<Utc>>,
    ) -> Result<[TransactWriteItem; 2], StoreError> {
        let (table, queued) = (&self.tables.records, &record.request);
        let pk = keys::customer(&queued.customer_id);
        let mut item = keys::record_key(&pk, &keys::contact_record(&queued.contact_id));
        item.extend(texts([("said", self.written(record)?)]));
        item.extend(until.map(expiry));
        let put = Put::builder().table_name(table).set_item(Some(item)).condition_expression(keys::IS_NEW);
        let delete = Delete::builder()
            .table_name(table)
            .set_key(Some(keys::record_key(&pk, &keys::planned(&queued.contact_id))))
            .condition_expression(keys::EXISTS)
            .build()
            .map_err(|error| self.unbuilt(&error))?;
        Ok([self.put(put)?, TransactWriteItem::builder().delete(delete).build()])
    }

    /// A page of the customers with requests due by `now` in a shard, oldest first, from where the page
    /// before ended.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn due_contacts(
        &self,
        shard: u32,
        now: DateTime<Utc>,
        limit: i32,
        from: Option<HashMap<String, AttributeValue>>,
    ) -> Result<DueCustomersPage, StoreError> {
        let records = self.records_table();
        let by = [(":shard", Self::shard_key(shard)), (":now", keys::due_at(now))];
        let query = records.query(keys::CONTACTS_DUE_BY, by).index_name(keys::CONTACTS);
        let page = records.page(query.limit(limit).set_exclusive_start_key(from)).await?;
        let first = page.items.first().and_then(|item| item.get(keys::CONTACT_AT)?.as_s().ok());
        let oldest_due_at = first.and_then(|at| at.parse().ok());
        let partitions = page.items.into_iter().map(|mut item| match item.remove(keys::PK) {
            Some(AttributeValue::S(pk)) => pk,
            _ => String::new(),
        });
        let customers = partitions.map(|pk| {
            let customer_id = keys::customer_in(&pk).parse();
            customer_id.map_err(|problem| StoreError::codec(records.name, pk, problem))
        });
        let customers = customers.collect::<Result<_, _>>()?;
        Ok(DueCustomersPage { customers, oldest_due_at, next: page.next })
    }

    pub(crate) fn written(&self, value: &impl Serialize) -> Result<String, StoreError> {
        serde_json::to_string(value)
            .map_err(|error| StoreError::codec(&self.tables.records, "a contact profile", error))
    }

    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        item: &HashMap<String, AttributeValue>,
        attribute: &str,
    ) -> Result<T, StoreError> {
        let text = item.get(attribute).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
        serde_json::from_str(text)
            .map_err(|error| StoreError::codec(&self.tables.records, keys::printable_key(item), error))
    }

    /// Writes all items, or none where a condition does not hold. Returns whether they were written.
    ///
    /// # Errors
    /// When the call fails, or meets another transaction.
    pub(crate) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        let table = &self.tables.records;
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        match sent {
            Ok(answer) => {
                self.meter().count("TransactWriteItems", table, answer.consumed_capacity());
                Ok(true)
            }
            Err(error) if error.as_service_error().is_some_and(has_failed_condition) => Ok(false),
            Err(error) => Err(StoreError::call("TransactWriteItems", table, error)),
        }
    }
}

/// Whether one of its conditions canceled a transaction, and not a transient reason.
fn has_failed_condition(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else { return false };
    canceled.cancellation_reasons().iter().any(|reason| reason.code() == Some("ConditionalCheckFailed"))
}
