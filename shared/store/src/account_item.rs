//! The codec of the account item, and its conditional write.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use chrono::{DateTime, Utc};
use duewatch_domain::Account;
use duewatch_domain::kernel::AccountId;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::MapDeserializer;

use crate::table::{Item, take_schema};
use crate::{Store, StoreError, WriteConflict, keys};

/// The version of the item's layout. This release touches no item of a later version.
const SCHEMA: u32 = 1;

/// The attributes that put an account into the due index. A function that cannot assess the account may drop
/// its entry without a revision. The next function that can assess it writes both back, changed or not.
const IN_INDEX: [&str; 2] = [keys::DUE_SHARD, keys::NEXT_ACTION_AT];

/// The most items that one BatchGetItem reads.
const MAX_BATCH: usize = 100;
/// How often a BatchGetItem is sent for the same accounts: an answer holds up to 16 MB.
const MAX_BATCH_READS: usize = 8;

/// An account with the item that it was read from.
#[derive(Clone, Debug)]
pub struct Stored {
    pub account: Account,
    item: Item,
}

impl Stored {
    /// Whether the due index holds the account if it has a next action: in one of the `due_shards` shards
    /// that a sweep walks.
    #[must_use]
    pub fn is_queued(&self, due_shards: u32) -> bool {
        let shard = match self.item.get(keys::DUE_SHARD) {
            Some(AttributeValue::S(shard)) => shard.parse::<u32>().ok(),
            _ => None,
        };
        self.account.status.next_action_at.is_none() || shard.is_some_and(|shard| shard < due_shards)
    }
}

pub(crate) fn read(table: &str, item: Item) -> Result<Stored, StoreError> {
    let account = decode(table, item.clone())?;
    Ok(Stored { account, item })
}

impl Store {
    /// Reads an account, consistently.
    ///
    /// # Errors
    /// When the call fails or the item cannot be decoded.
    pub async fn account(&self, account_id: &AccountId) -> Result<Option<Stored>, StoreError> {
        let accounts = self.accounts_table();
        let item = accounts.get(keys::account_key(account_id.as_str())).await?;
        item.map(|item| read(accounts.name, item)).transpose()
    }

    /// Reads several accounts, consistently, a hundred a call. Ids without an account are left out.
    ///
    /// # Errors
    /// When a call fails, or DynamoDB keeps leaving some unread. An account that cannot be decoded is an
    /// error of its own.
    pub async fn accounts(
        &self,
        account_ids: &[AccountId],
    ) -> Result<BTreeMap<AccountId, Result<Stored, StoreError>>, StoreError> {
        let mut accounts = BTreeMap::new();
        for some in account_ids.chunks(MAX_BATCH) {
            for (account_id, item) in self.read_batch(some).await? {
                accounts.insert(account_id, read(&self.tables.accounts, item));
            }
        }
        Ok(accounts)
    }

    /// One BatchGetItem, repeated for what it leaves unread.
    async fn read_batch(&self, account_ids: &[AccountId]) -> Result<Vec<(AccountId, Item)>, StoreError> {
        let table = &self.tables.accounts;
        let keys = account_ids.iter().map(|account_id| keys::account_key(account_id.as_str()));
        let mut open: Vec<Item> = keys.collect();
        let mut read = Vec::with_capacity(open.len());
        for _ in 0..MAX_BATCH_READS {
            let asked = KeysAndAttributes::builder().set_keys(Some(open)).consistent_read(true).build();
            let asked = asked.map_err(|error| StoreError::codec(table, "several accounts", error))?;
            let sent = self
                .client
                .batch_get_item()
                .request_items(table, asked)
                .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
                .send()
                .await;
            let mut answer = self.answered(table, sent)?;
            let items = answer.responses.take().and_then(|mut tables| tables.remove(table));
            for item in items.unwrap_or_default() {
                if let Some(AttributeValue::S(account_id)) = item.get(keys::ACCOUNT_ID)
                    && let Ok(account_id) = account_id.parse()
                {
                    read.push((account_id, item));
                }
            }
            let left = answer.unprocessed_keys.take().and_then(|mut tables| tables.remove(table));
            open = left.map(|left| left.keys).unwrap_or_default();
            if open.is_empty() {
                return Ok(read);
            }
        }
        Err(StoreError::unread(table, open.len()))
    }

    /// Creates an account.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it exists already.
    pub async fn create_account(&self, account: Account) -> Result<Stored, StoreError> {
        let (accounts, item) = (self.accounts_table(), self.encode(&account)?);
        let put = accounts.put(item.clone()).condition_expression("attribute_not_exists(account_id)");
        if accounts.put_if(put).await? {
            return Ok(Stored { account, item });
        }
        Err(WriteConflict::AccountExists(account.account_id).into())
    }

    /// Writes the changed attributes of an account, on the condition that its revision is the one in
    /// `before`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another writer was faster.
    pub async fn update_account(&self, before: &Stored, after: Account) -> Result<Stored, StoreError> {
        let (accounts, item) = (self.accounts_table(), self.encode(&after)?);
        let Difference { expression, names, values } = difference(&before.item, &item);
        let update = accounts
            .update(keys::account_key(after.account_id.as_str()))
            .update_expression(expression)
            .condition_expression("#revision = :seen")
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_names("#revision", "revision")
            .expression_attribute_values(":seen", AttributeValue::N(before.account.revision.to_string()));
        if accounts.update_if(update).await? {
            return Ok(Stored { account: after, item });
        }
        let revision = before.account.revision;
        Err(WriteConflict::Account { account_id: after.account_id, revision }.into())
    }

    fn encode(&self, account: &Account) -> Result<Item, StoreError> {
        encode(&self.tables.accounts, account, self.shard_of(&account.account_id))
    }
}

/// The update expression that turns one item into another.
struct Difference {
    expression: String,
    names: HashMap<String, String>,
    values: Item,
}

fn difference(before: &Item, after: &Item) -> Difference {
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    let (mut names, mut values) = (HashMap::new(), HashMap::new());
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let is_written = |name: &str| {
        before.get(name) != after.get(name) || (IN_INDEX.contains(&name) && after.contains_key(name))
    };
    for (place, name) in all.into_iter().enumerate().filter(|(_, name)| is_written(name)) {
        names.insert(format!("#a{place}"), name.clone());
        match after.get(name) {
            Some(value) => {
                values.insert(format!(":a{place}"), value.clone());
                set.push(format!("#a{place} = :a{place}"));
            }
            None => remove.push(format!("#a{place}")),
        }
    }
    let clauses = [("SET", set), ("REMOVE", remove)];
    let clauses = clauses.iter().filter(|(_, parts)| !parts.is_empty());
    let expression: Vec<String> =
        clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect();
    Difference { expression: expression.join(" "), names, values }
}

/// The image of an account as the accounts table and its stream bear it, for a due index of `due_shards`
/// shards. [`account_from_image`] reads it back.
///
/// # Errors
/// When the account cannot be encoded, which would be a bug.
pub fn account_image(account: &Account, due_shards: u32) -> Result<serde_dynamo::Item, StoreError> {
    encode("accounts stream", account, keys::shard_of(account.account_id.as_str(), due_shards))
        .map(Into::into)
}

fn encode(table: &str, account: &Account, due_shard: String) -> Result<Item, StoreError> {
    let fault = |problem: serde_dynamo::Error| StoreError::codec(table, account.account_id.as_str(), problem);
    let mut flat = account.clone();
    let next_action_at = flat.status.next_action_at.take();
    let mut item: Item = serde_dynamo::to_item::<_, serde_dynamo::Item>(&flat).map_err(fault)?.into();
    item.insert("schema".to_owned(), AttributeValue::N(SCHEMA.to_string()));
    if let Some(at) = next_action_at {
        item.insert(keys::DUE_SHARD.to_owned(), AttributeValue::S(due_shard));
        item.insert(keys::NEXT_ACTION_AT.to_owned(), AttributeValue::S(keys::due_at(at)));
    }
    Ok(item)
}

/// Reads an account from the image of a stream record.
///
/// # Errors
/// When the image is no account that this release can decode.
pub fn account_from_image(image: serde_dynamo::Item) -> Result<Account, StoreError> {
    decode("accounts stream", image.into())
}

fn decode(table: &str, mut item: Item) -> Result<Account, StoreError> {
    let key = match item.get(keys::ACCOUNT_ID) {
        Some(AttributeValue::S(id)) => id.clone(),
        _ => "without account_id".to_owned(),
    };
    take_schema(table, &key, &mut item, SCHEMA)?;
    item.remove(keys::DUE_SHARD);
    item.remove(keys::HISTORY_ASKED_AT);
    let next_action_at = match item.remove(keys::NEXT_ACTION_AT) {
        None => None,
        Some(AttributeValue::S(text)) => match text.parse::<DateTime<Utc>>() {
            Ok(at) => Some(at),
            Err(_) => {
                return Err(StoreError::codec(
                    table,
                    key,
                    format!("next_action_at: \"{text}\" is no instant"),
                ));
            }
        },
        Some(_) => return Err(StoreError::codec(table, key, "next_action_at is no string")),
    };
    let mut account = read_account(item).map_err(|error| StoreError::codec(table, &*key, error))?;
    account.check_bounds().map_err(|refusal| StoreError::codec(table, key, refusal))?;
    account.status.next_action_at = next_action_at;
    Ok(account)
}

/// Decodes an account; an error names the attribute at fault. To name the place within the attribute as well
/// would add a thirtieth to a function's size.
fn read_account(item: Item) -> Result<Account, String> {
    let attributes: HashMap<String, serde_dynamo::AttributeValue> = serde_dynamo::Item::from(item).into();
    let (names, values): (Vec<_>, Vec<_>) = attributes.into_iter().unzip();
    let reading = Cell::new(None);
    let attributes = names.iter().zip(values).map(|(name, value)| {
        reading.set(Some(name));
        (name.as_str(), Attribute(value))
    });
    let end = std::iter::from_fn(|| {
        reading.set(None);
        None
    });
    Account::deserialize(MapDeserializer::new(attributes.chain(end))).map_err(|error| match reading.get() {
        Some(name) => format!("{name}: {error}"),
        None => error.to_string(),
    })
}

struct Attribute(serde_dynamo::AttributeValue);

impl IntoDeserializer<'_, serde_dynamo::Error> for Attribute {
    type Deserializer = serde_dynamo::Deserializer;

    fn into_deserializer(self) -> serde_dynamo::Deserializer {
        serde_dynamo::Deserializer::from_attribute_value(self.0)
    }
}
