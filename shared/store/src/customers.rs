//! Persons: what the records hold of a customer, to be handed out and to be erased.
//!
//! Names and contact points stand here and nowhere else. Accounts, payments and history
//! refer to a customer by id; they are kept as the law asks, and erasing changes none of
//! them.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::kernel::MAX_ACCOUNTS_OF_CUSTOMER;
use duewatch_domain::kernel::{AccountId, CustomerId, PolicyId};
use serde::Serialize;
use serde_json::Value;

use crate::persons::PERSON;
use crate::{Store, StoreError, TransitionError};

/// Items that are read at once.
const PAGE: i32 = 100;
/// What a change of a contact point keeps when its values are erased: that there was one,
/// when, and by whom.
const KEPT_OF_LOG: [&str; 5] = ["at", "by", "channel", "event_id", "expires_at"];

/// What the key of a link to an account begins with.
const LINK: &str = "account#";

/// An item of what is known of a customer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CustomerItem {
    /// Its sort key.
    pub key: String,
    /// Its attributes.
    #[serde(flatten)]
    pub attributes: BTreeMap<String, Value>,
}

/// A page of what is known of a customer.
#[derive(Clone, Debug, Default)]
pub struct CustomerPage {
    /// By their keys.
    pub items: Vec<CustomerItem>,
    /// Where the next page begins; none: this was the last.
    pub next: Option<HashMap<String, AttributeValue>>,
}

/// What became of an item that was to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// It is gone.
    Deleted,
    /// Its values are gone; that it was there stays.
    Emptied,
    /// It says who took the data out or erased it, or which account is the customer's, and
    /// stays.
    Kept,
}

/// Why somebody went to what is known of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// To hand it out.
    Export,
    /// To erase it.
    Erase,
}

impl AccessKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Erase => "erase",
        }
    }
}

/// That somebody went to what is known of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Why.
    pub kind: AccessKind,
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// How much of what; empty while it is not done.
    pub counts: BTreeMap<&'static str, u64>,
}

/// A page of a walk over all accounts, for those of one customer.
#[derive(Clone, Debug, Default)]
pub struct FoundAccounts {
    /// Those of the customer.
    pub account_ids: Vec<String>,
    /// How many accounts were looked at.
    pub looked_at: u64,
    /// Where the next page begins; none: this was the last.
    pub next: Option<HashMap<String, AttributeValue>>,
}

pub(crate) fn customer_key(id: &CustomerId) -> String {
    format!("customer#{id}")
}

/// Whose accounts are looked for.
#[derive(Clone, Copy, Debug)]
pub enum AccountsOf<'a> {
    /// Those of a customer.
    Customer(&'a CustomerId),
    /// Those under a policy.
    Policy(&'a PolicyId),
}

impl Store {
    /// What is known of a customer, from where the page before ended.
    ///
    /// # Errors
    /// When the call fails or an item cannot be read.
    pub async fn customer_items(
        &self,
        customer_id: &CustomerId,
        from: Option<HashMap<String, AttributeValue>>,
    ) -> Result<CustomerPage, StoreError> {
        let table = &self.tables.records;
        let sent = self
            .client
            .query()
            .table_name(table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(customer_key(customer_id)))
            .consistent_read(true)
            .limit(PAGE)
            .set_exclusive_start_key(from)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        let answer = self.answered(table, sent)?;
        let items = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|mut item| {
                item.remove("pk");
                let key = match item.remove("sk") {
                    Some(AttributeValue::S(key)) => key,
                    _ => String::new(),
                };
                let attributes = serde_dynamo::from_item(serde_dynamo::Item::from(item))
                    .map_err(|error| StoreError::codec(table, customer_key(customer_id), error))?;
                Ok(CustomerItem { key, attributes })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(CustomerPage { items, next: answer.last_evaluated_key.filter(|key| !key.is_empty()) })
    }

    /// Notes that an account is the customer's. Doing it again changes nothing.
    ///
    /// # Errors
    /// When the call fails.
    pub(crate) async fn link_account(
        &self,
        customer_id: &CustomerId,
        account_id: &AccountId,
    ) -> Result<(), StoreError> {
        self.put_item(customer_key(customer_id), format!("{LINK}{account_id}"), HashMap::new()).await
    }

    /// The accounts that are the customer's, by id, those that are not there yet included; of
    /// more than [`MAX_ACCOUNTS_OF_CUSTOMER`], one more than that.
    ///
    /// # Errors
    /// When the call fails, or the key of a link is none of ours.
    pub async fn accounts_of_customer(&self, customer_id: &CustomerId) -> Result<Vec<AccountId>, StoreError> {
        let table = &self.tables.records;
        let most = i32::try_from(MAX_ACCOUNTS_OF_CUSTOMER + 1).unwrap_or(i32::MAX);
        let sent = self.records_under(customer_key(customer_id), LINK.to_owned()).limit(most).send().await;
        let answer = self.answered(table, sent)?;
        let keys = answer.items.unwrap_or_default().into_iter().map(|mut item| match item.remove("sk") {
            Some(AttributeValue::S(key)) => key,
            _ => String::new(),
        });
        keys.map(|key| {
            let account_id = key.strip_prefix(LINK).unwrap_or_default().parse::<AccountId>();
            account_id.map_err(|problem| StoreError::codec(table, key, problem))
        })
        .collect()
    }

    /// Erases an item of what is known of a customer, as far as that is to be erased.
    /// Doing it again changes nothing.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn erase_customer_item(
        &self,
        customer_id: &CustomerId,
        item: &CustomerItem,
        now: DateTime<Utc>,
    ) -> Result<Erasure, StoreError> {
        // What was said and is planned bears ids and dates alone.
        if ["access#", LINK, "said#", "planned#"].iter().any(|kept| item.key.starts_with(kept)) {
            return Ok(Erasure::Kept);
        }
        if item.key == PERSON {
            self.change_person(customer_id, now, |person| Ok(person.erase())).await.map_err(|error| {
                match error {
                    TransitionError::Store(error) => error,
                    TransitionError::Refused(refusal) => {
                        StoreError::codec(&self.tables.records, customer_key(customer_id), refusal)
                    }
                }
            })?;
            return Ok(Erasure::Emptied);
        }
        if !item.key.starts_with("contact-log#") {
            self.delete_record(customer_key(customer_id), item.key.clone()).await?;
            return Ok(Erasure::Deleted);
        }
        let table = &self.tables.records;
        let (pk, sk) = (AttributeValue::S(customer_key(customer_id)), AttributeValue::S(item.key.clone()));
        let mut update = self.client.update_item().table_name(table).key("pk", pk).key("sk", sk);
        let mut removed = Vec::new();
        let values = item.attributes.keys().filter(|name| !KEPT_OF_LOG.contains(&name.as_str()));
        for (place, name) in values.enumerate() {
            update = update.expression_attribute_names(format!("#a{place}"), name);
            removed.push(format!("#a{place}"));
        }
        if !removed.is_empty() {
            let sent = update
                .update_expression(format!("REMOVE {}", removed.join(", ")))
                .condition_expression("attribute_exists(pk)")
                .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
                .send()
                .await;
            self.answered_if(table, sent)?;
        }
        Ok(Erasure::Emptied)
    }

    /// Records that somebody went to what is known of a customer. The same access is
    /// recorded once, as it was recorded last.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn record_access(&self, customer_id: &CustomerId, access: &Access) -> Result<(), StoreError> {
        let at = access.at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let counts = access.counts.iter();
        let counts =
            counts.map(|(what, count)| ((*what).to_owned(), AttributeValue::N(count.to_string()))).collect();
        let item = HashMap::from([
            ("by".to_owned(), AttributeValue::S(access.by.clone())),
            ("at".to_owned(), AttributeValue::S(at.clone())),
            ("counts".to_owned(), AttributeValue::M(counts)),
        ]);
        let sk = format!("access#{at}#{}", access.kind.as_str());
        self.put_item(customer_key(customer_id), sk, item).await
    }

    /// Looks at a page of all accounts for those of a customer or under a policy. There is no
    /// index by either: a walk over the whole table costs a read unit for each 8 KB of it.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn find_accounts(
        &self,
        of: AccountsOf<'_>,
        from: Option<HashMap<String, AttributeValue>>,
    ) -> Result<FoundAccounts, StoreError> {
        let table = &self.tables.accounts;
        let (attribute, wanted) = match of {
            AccountsOf::Customer(id) => ("customer_id", id.as_str()),
            AccountsOf::Policy(id) => ("policy_id", id.as_str()),
        };
        let sent = self
            .client
            .scan()
            .table_name(table)
            .filter_expression(format!("{attribute} = :wanted"))
            .projection_expression("account_id")
            .expression_attribute_values(":wanted", AttributeValue::S(wanted.to_owned()))
            .set_exclusive_start_key(from)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        let answer = self.answered(table, sent)?;
        let looked_at = u64::try_from(answer.scanned_count).unwrap_or_default();
        let items = answer.items.unwrap_or_default().into_iter();
        let account_ids = items
            .filter_map(|mut item| match item.remove("account_id") {
                Some(AttributeValue::S(account_id)) => Some(account_id),
                _ => None,
            })
            .collect();
        Ok(FoundAccounts {
            account_ids,
            looked_at,
            next: answer.last_evaluated_key.filter(|key| !key.is_empty()),
        })
    }

    /// About how many accounts there are: DynamoDB counts them every few hours.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn accounts_about(&self) -> Result<u64, StoreError> {
        self.about(&self.tables.accounts).await
    }

    /// About how many items of records there are.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn records_about(&self) -> Result<u64, StoreError> {
        self.about(&self.tables.records).await
    }

    async fn about(&self, table: &str) -> Result<u64, StoreError> {
        let sent = self.client.describe_table().table_name(table).send().await;
        let described = sent.map_err(|error| StoreError::call("DescribeTable", table, error))?;
        let count = described.table.and_then(|table| table.item_count).unwrap_or_default();
        Ok(u64::try_from(count).unwrap_or_default())
    }
}
