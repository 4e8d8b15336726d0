//! One table: get, conditional writes, paged queries. Each call counts its capacity and words its error here.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

use crate::{Store, StoreError};

/// An item, or its key, or the attributes of an expression.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Takes the schema out of an item that is kept whole; an error where it is another than the one that is read.
pub(crate) fn take_schema(table: &str, key: &str, item: &mut Item, read: u32) -> Result<(), StoreError> {
    let schema = match item.remove("schema") {
        Some(AttributeValue::N(schema)) => schema.parse::<u32>().ok(),
        _ => None,
    };
    if schema == Some(read) {
        return Ok(());
    }
    Err(StoreError::codec(table, key, format!("schema is {schema:?}, this version reads {read}")))
}

/// Every call states the capacity of the table and of its indexes.
const CAPACITY: ReturnConsumedCapacity = ReturnConsumedCapacity::Indexes;

/// A page of a Query or a Scan.
#[derive(Debug)]
pub(crate) struct ItemPage {
    pub(crate) items: Vec<Item>,
    /// The items that match, also where the call only counts them.
    pub(crate) count: usize,
    /// The items that were read, whether they match or not.
    pub(crate) scanned: u64,
    /// The start of the next page; `None` on the last page.
    pub(crate) next: Option<Item>,
}

impl ItemPage {
    fn new(items: Option<Vec<Item>>, count: i32, scanned: i32, next: Option<Item>) -> Self {
        Self {
            items: items.unwrap_or_default(),
            count: usize::try_from(count).unwrap_or_default(),
            scanned: u64::try_from(scanned).unwrap_or_default(),
            next: next.filter(|key| !key.is_empty()),
        }
    }
}

/// One table of the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoreTable<'a> {
    store: &'a Store,
    pub(crate) name: &'a str,
}

impl Store {
    pub(crate) fn accounts_table(&self) -> StoreTable<'_> {
        StoreTable { store: self, name: &self.tables().accounts }
    }

    pub(crate) fn payments_table(&self) -> StoreTable<'_> {
        StoreTable { store: self, name: &self.tables().payments }
    }

    pub(crate) fn cases_table(&self) -> StoreTable<'_> {
        StoreTable { store: self, name: &self.tables().cases }
    }

    pub(crate) fn anchors_table(&self) -> StoreTable<'_> {
        StoreTable { store: self, name: &self.tables().anchors }
    }

    pub(crate) fn history_table(&self) -> StoreTable<'_> {
        StoreTable { store: self, name: &self.tables().history }
    }

    pub(crate) fn policies_table(&self) -> StoreTable<'_> {
        StoreTable { store: self, name: &self.tables().policies }
    }

    pub(crate) fn records_table(&self) -> StoreTable<'_> {
        StoreTable { store: self, name: &self.tables().records }
    }
}

impl StoreTable<'_> {
    /// Reads an item, consistently.
    pub(crate) async fn get(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let call = self.store.client().get_item().table_name(self.name).set_key(Some(key));
        let sent = call.consistent_read(true).return_consumed_capacity(CAPACITY).send().await;
        Ok(self.store.answered(self.name, sent)?.item)
    }

    /// A put, for the caller to add its condition.
    pub(crate) fn put(&self, item: Item) -> PutItemFluentBuilder {
        let call = self.store.client().put_item().table_name(self.name).set_item(Some(item));
        call.return_consumed_capacity(CAPACITY)
    }

    /// Sends a put. Returns whether its condition held.
    pub(crate) async fn put_if(&self, put: PutItemFluentBuilder) -> Result<bool, StoreError> {
        Ok(self.store.answered_if(self.name, put.send().await)?.is_some())
    }

    /// An update of an item, for the caller to add its expressions.
    pub(crate) fn update(&self, key: Item) -> UpdateItemFluentBuilder {
        let call = self.store.client().update_item().table_name(self.name).set_key(Some(key));
        call.return_consumed_capacity(CAPACITY)
    }

    /// Sends an update. Returns whether its condition held.
    pub(crate) async fn update_if(&self, update: UpdateItemFluentBuilder) -> Result<bool, StoreError> {
        Ok(self.store.answered_if(self.name, update.send().await)?.is_some())
    }

    /// A deletion of an item, for the caller to add its condition. A missing item is no error.
    pub(crate) fn delete(&self, key: Item) -> DeleteItemFluentBuilder {
        let call = self.store.client().delete_item().table_name(self.name).set_key(Some(key));
        call.return_consumed_capacity(CAPACITY)
    }

    /// Sends a deletion. Returns whether its condition held.
    pub(crate) async fn delete_if(&self, delete: DeleteItemFluentBuilder) -> Result<bool, StoreError> {
        Ok(self.store.answered_if(self.name, delete.send().await)?.is_some())
    }

    /// A query by a key condition with its values, for the caller to add order, limit and start.
    pub(crate) fn query<const N: usize>(
        &self,
        condition: &str,
        values: [(&str, String); N],
    ) -> QueryFluentBuilder {
        let call = self.store.client().query().table_name(self.name).key_condition_expression(condition);
        let values = values.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
        call.set_expression_attribute_values(Some(HashMap::from(values))).return_consumed_capacity(CAPACITY)
    }

    /// Reads a page of a query.
    pub(crate) async fn page(&self, query: QueryFluentBuilder) -> Result<ItemPage, StoreError> {
        let answer = self.store.answered(self.name, query.send().await)?;
        Ok(ItemPage::new(answer.items, answer.count, answer.scanned_count, answer.last_evaluated_key))
    }

    /// A scan, for the caller to add its filter and its start.
    pub(crate) fn scan(&self) -> ScanFluentBuilder {
        self.store.client().scan().table_name(self.name).return_consumed_capacity(CAPACITY)
    }

    /// Reads a page of a scan.
    pub(crate) async fn scan_page(&self, scan: ScanFluentBuilder) -> Result<ItemPage, StoreError> {
        let answer = self.store.answered(self.name, scan.send().await)?;
        Ok(ItemPage::new(answer.items, answer.count, answer.scanned_count, answer.last_evaluated_key))
    }
}
