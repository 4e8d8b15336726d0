//! The account as one item, and its conditional write.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::Account;
use duewatch_domain::ids::AccountId;

use crate::{Store, StoreError};

/// The version of the item's layout. An item of a later one is not touched.
const SCHEMA: u32 = 1;

type Item = HashMap<String, AttributeValue>;

/// An account with the item that it was read from.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The account.
    pub account: Account,
    item: Item,
}

impl Store {
    /// Reads an account, consistently.
    ///
    /// # Errors
    /// When the call fails or the item cannot be read.
    pub async fn account(&self, account_id: &AccountId) -> Result<Option<Stored>, StoreError> {
        let table = &self.tables.accounts;
        let answer = self
            .client
            .get_item()
            .table_name(table)
            .key("account_id", AttributeValue::S(account_id.to_string()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await
            .map_err(|error| StoreError::call("GetItem", table, error))?;
        self.meter.count("GetItem", table, answer.consumed_capacity());
        let Some(item) = answer.item else { return Ok(None) };
        let account = decode(table, item.clone())?;
        Ok(Some(Stored { account, item }))
    }

    /// Puts an account that is not there yet.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is there.
    pub async fn create_account(&self, account: Account) -> Result<Stored, StoreError> {
        let table = &self.tables.accounts;
        let item = self.encode(&account)?;
        let put = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(item.clone()))
            .condition_expression("attribute_not_exists(account_id)")
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        match put {
            Ok(answer) => {
                self.meter.count("PutItem", table, answer.consumed_capacity());
                Ok(Stored { account, item })
            }
            Err(error)
                if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Err(StoreError::Conflict { account_id: account.account_id.to_string(), revision: 0 })
            }
            Err(error) => Err(StoreError::call("PutItem", table, error)),
        }
    }

    /// Writes what changed of an account, on the condition that nobody has written
    /// it since it was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has.
    pub async fn update_account(&self, before: &Stored, after: Account) -> Result<Stored, StoreError> {
        let table = &self.tables.accounts;
        let item = self.encode(&after)?;
        let mut update = self
            .client
            .update_item()
            .table_name(table)
            .key("account_id", AttributeValue::S(after.account_id.to_string()))
            .condition_expression("#revision = :seen")
            .expression_attribute_names("#revision", "revision")
            .expression_attribute_values(":seen", AttributeValue::N(before.account.revision.to_string()));
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        let names: BTreeSet<&String> = before.item.keys().chain(item.keys()).collect();
        for (place, name) in names.into_iter().enumerate() {
            let new = item.get(name);
            if before.item.get(name) == new {
                continue;
            }
            if name != "revision" {
                update = update.expression_attribute_names(format!("#a{place}"), name);
            }
            let alias = if name == "revision" { "#revision".to_owned() } else { format!("#a{place}") };
            match new {
                Some(value) => {
                    update = update.expression_attribute_values(format!(":a{place}"), value.clone());
                    set.push(format!("{alias} = :a{place}"));
                }
                None => remove.push(alias),
            }
        }
        let mut expression = String::new();
        if !set.is_empty() {
            expression = format!("SET {}", set.join(", "));
        }
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        let update = update
            .update_expression(expression.trim_start())
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes);
        match update.send().await {
            Ok(answer) => {
                self.meter.count("UpdateItem", table, answer.consumed_capacity());
                Ok(Stored { account: after, item })
            }
            Err(error)
                if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Err(StoreError::Conflict {
                    account_id: after.account_id.to_string(),
                    revision: before.account.revision.0,
                })
            }
            Err(error) => Err(StoreError::call("UpdateItem", table, error)),
        }
    }

    fn encode(&self, account: &Account) -> Result<Item, StoreError> {
        let key = account.account_id.as_str();
        let fault = |problem: &dyn std::fmt::Display| StoreError::codec(&self.tables.accounts, key, problem);
        let mut flat = account.clone();
        let next_action_at = flat.standing.next_action_at.take();
        let mut item: Item =
            serde_dynamo::to_item::<_, serde_dynamo::Item>(&flat).map_err(|error| fault(&error))?.into();
        item.insert("schema".to_owned(), AttributeValue::N(SCHEMA.to_string()));
        if let Some(at) = next_action_at {
            item.insert("due_shard".to_owned(), AttributeValue::S(self.shard_of(&account.account_id)));
            item.insert("next_action_at".to_owned(), AttributeValue::S(sort_key(at)));
        }
        Ok(item)
    }
}

/// An instant as the due index sorts it: UTC, whole seconds, never early.
pub(crate) fn sort_key(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Reads an account from an image of a stream record.
///
/// # Errors
/// When the image is not an account of ours.
pub fn account_from_image(image: serde_dynamo::Item) -> Result<Account, StoreError> {
    decode("accounts stream", image.into())
}

fn decode(table: &str, mut item: Item) -> Result<Account, StoreError> {
    let key = match item.get("account_id") {
        Some(AttributeValue::S(id)) => id.clone(),
        _ => "without account_id".to_owned(),
    };
    let schema = match item.remove("schema") {
        Some(AttributeValue::N(schema)) => schema.parse::<u32>().ok(),
        _ => None,
    };
    if schema != Some(SCHEMA) {
        let problem = format!("schema is {schema:?}, this version reads {SCHEMA}");
        return Err(StoreError::codec(table, key, problem));
    }
    item.remove("due_shard");
    let next_action_at = match item.remove("next_action_at") {
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
    let item = serde_dynamo::AttributeValue::M(serde_dynamo::Item::from(item).into());
    let reader = serde_dynamo::Deserializer::from_attribute_value(item);
    let mut account: Account = serde_path_to_error::deserialize(reader)
        .map_err(|error| StoreError::codec(table, key, format!("{}: {}", error.path(), error.inner())))?;
    account.standing.next_action_at = next_action_at;
    Ok(account)
}
