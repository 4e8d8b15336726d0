//! The records of a customer, for data export and erasure.
//!
//! Names and contact points are stored here and nowhere else. Accounts, payments and history refer to a
//! customer by id. They are kept as the law asks, and an erasure changes none of them. The texts that somebody
//! wrote into commands are here too; the history has their digests.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::kernel::MAX_ACCOUNTS_OF_CUSTOMER;
use duewatch_domain::kernel::{AccountId, CustomerId, PolicyId};
use serde::Serialize;
use serde_json::Value;

use crate::table::ItemPage;
use crate::{Store, StoreError, keys};

/// Items in one page of a Query.
const PAGE: i32 = 100;
/// The attributes of a contact-point change that an erasure keeps: its instant, actor, channel and event.
const KEPT_OF_LOG: [&str; 5] = ["at", "by", "channel", "event_id", keys::EXPIRES_AT];

/// One item of a customer's records.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CustomerItem {
    /// The sort key.
    pub key: String,
    #[serde(flatten)]
    pub attributes: BTreeMap<String, Value>,
}

/// A page of a customer's records.
#[derive(Clone, Debug, Default)]
pub struct CustomerPage {
    /// In the order of their keys.
    pub items: Vec<CustomerItem>,
    /// The start of the next page; `None` on the last page.
    pub next: Option<HashMap<String, AttributeValue>>,
}

/// The effect of an erasure on one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    Deleted,
    /// The values are erased; the item stays as proof that there was one.
    Emptied,
    /// The item stays: a record of an export or erasure, a link to an account, or a contact record without
    /// personal data.
    Kept,
}

/// The reason of an access to a customer's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// Data export.
    Export,
    /// Erasure.
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

/// A logged access to a customer's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub kind: AccessKind,
    /// The actor.
    pub by: String,
    pub at: DateTime<Utc>,
    /// The number of items by kind; empty until the access is complete.
    pub counts: BTreeMap<&'static str, u64>,
}

/// A page of a scan over all accounts, filtered by customer or policy.
#[derive(Clone, Debug, Default)]
pub struct FoundAccounts {
    /// The accounts that match the filter.
    pub account_ids: Vec<String>,
    /// Accounts scanned, whether they match or not.
    pub scanned: u64,
    /// The start of the next page; `None` on the last page.
    pub next: Option<HashMap<String, AttributeValue>>,
}

/// The filter of an account scan.
#[derive(Clone, Copy, Debug)]
pub enum AccountsOf<'a> {
    Customer(&'a CustomerId),
    Policy(&'a PolicyId),
}

impl Store {
    /// A page of a customer's records, from where the page before ended.
    ///
    /// # Errors
    /// When the call fails or an item cannot be read.
    pub async fn customer_items(
        &self,
        customer_id: &CustomerId,
        from: Option<HashMap<String, AttributeValue>>,
    ) -> Result<CustomerPage, StoreError> {
        let records = self.records_table();
        let query = records.query(keys::OF_PARTITION, [(":pk", keys::customer(customer_id))]);
        let query = query.consistent_read(true).limit(PAGE).set_exclusive_start_key(from);
        let page = records.page(query).await?;
        let items = page
            .items
            .into_iter()
            .map(|mut item| {
                item.remove(keys::PK);
                let key = match item.remove(keys::SK) {
                    Some(AttributeValue::S(key)) => key,
                    _ => String::new(),
                };
                let attributes = serde_dynamo::from_item(serde_dynamo::Item::from(item))
                    .map_err(|error| StoreError::codec(records.name, keys::customer(customer_id), error))?;
                Ok(CustomerItem { key, attributes })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(CustomerPage { items, next: page.next })
    }

    /// Links an account to its customer. A repeated call changes nothing.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn link_account(
        &self,
        customer_id: &CustomerId,
        account_id: &AccountId,
    ) -> Result<(), StoreError> {
        self.put_item(keys::customer(customer_id), keys::link(account_id), HashMap::new()).await
    }

    /// The accounts linked to the customer, by id, including those that are not created yet. Returns at most
    /// one more than [`MAX_ACCOUNTS_OF_CUSTOMER`], so that a caller sees the excess.
    ///
    /// # Errors
    /// When the call fails, or the key of a link is malformed.
    pub async fn accounts_of_customer(&self, customer_id: &CustomerId) -> Result<Vec<AccountId>, StoreError> {
        let records = self.records_table();
        let most = i32::try_from(MAX_ACCOUNTS_OF_CUSTOMER + 1).unwrap_or(i32::MAX);
        let query = self.records_under(keys::customer(customer_id), keys::LINKS.to_owned()).limit(most);
        let items = records.page(query).await?.items.into_iter();
        let links = items.map(|mut item| match item.remove(keys::SK) {
            Some(AttributeValue::S(key)) => key,
            _ => String::new(),
        });
        links
            .map(|key| {
                let account_id = keys::linked_in(&key).parse::<AccountId>();
                account_id.map_err(|problem| StoreError::codec(records.name, key, problem))
            })
            .collect()
    }

    /// Erases the personal data of one item of a customer's records. A repeated call changes nothing.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn erase_customer_item(
        &self,
        customer_id: &CustomerId,
        item: &CustomerItem,
        now: DateTime<Utc>,
    ) -> Result<Erasure, StoreError> {
        // Contact records and planned contact requests bear ids and dates alone.
        let kept = [keys::ACCESSES, keys::LINKS, keys::CONTACT_RECORDS, keys::REQUEST];
        if kept.iter().any(|kept| item.key.starts_with(kept)) {
            return Ok(Erasure::Kept);
        }
        if item.key == keys::PROFILE {
            self.change_profile(customer_id, now, |profile| Ok::<_, StoreError>(profile.erase())).await?;
            return Ok(Erasure::Emptied);
        }
        if !item.key.starts_with(keys::CONTACT_LOG) {
            self.delete_record(keys::customer(customer_id), item.key.clone()).await?;
            return Ok(Erasure::Deleted);
        }
        let records = self.records_table();
        let mut update = records.update(keys::record_key(&keys::customer(customer_id), &item.key));
        let mut removed = Vec::new();
        let values = item.attributes.keys().filter(|name| !KEPT_OF_LOG.contains(&name.as_str()));
        for (place, name) in values.enumerate() {
            update = update.expression_attribute_names(format!("#a{place}"), name);
            removed.push(format!("#a{place}"));
        }
        if !removed.is_empty() {
            let update = update
                .update_expression(format!("REMOVE {}", removed.join(", ")))
                .condition_expression(keys::EXISTS);
            records.update_if(update).await?;
        }
        Ok(Erasure::Emptied)
    }

    /// Logs an access to a customer's records. The same access is stored once, in its latest form.
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
        let sk = keys::access(&at, access.kind.as_str());
        self.put_item(keys::customer(customer_id), sk, item).await
    }

    /// Whether an erasure that began at an instant was completed.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn was_erased_at(
        &self,
        customer_id: &CustomerId,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let sk = keys::access(&at, AccessKind::Erase.as_str());
        let logged = self.record(keys::customer(customer_id), sk).await?;
        let counts = logged.and_then(|mut item| item.remove("counts"));
        Ok(matches!(counts, Some(AttributeValue::M(counts)) if !counts.is_empty()))
    }

    /// Scans a page of all accounts for those of a customer or under a policy. No index covers either: a scan
    /// of the whole table costs a read unit for each 8 KB.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn find_accounts(
        &self,
        of: AccountsOf<'_>,
        from: Option<HashMap<String, AttributeValue>>,
    ) -> Result<FoundAccounts, StoreError> {
        let accounts = self.accounts_table();
        let (attribute, wanted) = match of {
            AccountsOf::Customer(id) => ("customer_id", id.as_str()),
            AccountsOf::Policy(id) => ("policy_id", id.as_str()),
        };
        let scan = accounts
            .scan()
            .filter_expression(format!("{attribute} = :wanted"))
            .projection_expression(keys::ACCOUNT_ID)
            .expression_attribute_values(":wanted", AttributeValue::S(wanted.to_owned()))
            .set_exclusive_start_key(from);
        let ItemPage { items, scanned, next, .. } = accounts.scan_page(scan).await?;
        let account_ids = items
            .into_iter()
            .filter_map(|mut item| match item.remove(keys::ACCOUNT_ID) {
                Some(AttributeValue::S(account_id)) => Some(account_id),
                _ => None,
            })
            .collect();
        Ok(FoundAccounts { account_ids, scanned, next })
    }

    /// The approximate number of accounts: DynamoDB counts them every few hours.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn accounts_about(&self) -> Result<u64, StoreError> {
        self.about(&self.tables.accounts).await
    }

    /// The approximate number of items in the records table.
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
