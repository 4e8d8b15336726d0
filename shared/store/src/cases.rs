//! Cases: an item each, beside the account's others; one conditional put a revision.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use duewatch_domain::cases::Case;
use duewatch_domain::kernel::{AccountId, CaseId, Revision};

use crate::table::{Item, take_schema};
use crate::{Store, StoreError, WriteConflict, keys};

/// The version of the item's layout. This release touches no item of a later version.
const SCHEMA: u32 = 1;
/// Pages of an account's cases, of 1 MB each.
const MAX_PAGES: usize = 100;

/// A page of open cases.
#[derive(Debug, Default)]
pub struct CasePage {
    pub cases: Vec<Case>,
    /// The start of the next page; `None` on the last page.
    pub next: Option<HashMap<String, AttributeValue>>,
}

impl Store {
    /// Reads a case, consistently; none: there is none.
    ///
    /// # Errors
    /// When the call fails or the item cannot be decoded.
    pub async fn case(&self, case_id: &CaseId) -> Result<Option<Case>, StoreError> {
        let Some((account_id, _)) = case_id.parts() else { return Ok(None) };
        let cases = self.cases_table();
        let item = cases.get(keys::case_key(&account_id, case_id)).await?;
        item.map(|item| decode(cases.name, item)).transpose()
    }

    /// Reads all cases of an account, consistently, in no order of meaning.
    ///
    /// # Errors
    /// When a call fails, an item cannot be decoded, or there are more than so many pages.
    pub async fn cases_of(&self, account_id: &AccountId) -> Result<Vec<Case>, StoreError> {
        let (cases, mut found, mut from) = (self.cases_table(), Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let query = cases.query(keys::OF_ACCOUNT, [(":account", account_id.to_string())]);
            let page = cases.page(query.consistent_read(true).set_exclusive_start_key(from)).await?;
            for item in page.items {
                found.push(decode(cases.name, item)?);
            }
            from = page.next;
            if from.is_none() {
                return Ok(found);
            }
        }
        Err(StoreError::codec(cases.name, account_id.as_str(), "it has too many cases"))
    }

    /// A page of all open cases, from where the page before ended. It scans the table.
    ///
    /// # Errors
    /// When the call fails or an item cannot be decoded.
    pub async fn open_cases(
        &self,
        from: Option<HashMap<String, AttributeValue>>,
    ) -> Result<CasePage, StoreError> {
        let cases = self.cases_table();
        let scan = cases.scan().consistent_read(true).set_exclusive_start_key(from);
        let page = cases.scan_page(scan).await?;
        let read = page.items.into_iter().map(|item| decode(cases.name, item));
        let all: Vec<Case> = read.collect::<Result<_, _>>()?;
        Ok(CasePage { cases: all.into_iter().filter(Case::is_open).collect(), next: page.next })
    }

    /// Writes a new case. `next_action_at` puts it into the due index.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another case has its number.
    pub async fn create_case(
        &self,
        case: &Case,
        next_action_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let cases = self.cases_table();
        let put = cases.put(self.encode_case(case, next_action_at)?);
        if cases.put_if(put.condition_expression("attribute_not_exists(account_id)")).await? {
            return Ok(());
        }
        Err(WriteConflict::Case { case_id: case.case_id.clone(), revision: Revision::default() }.into())
    }

    /// Writes a case, on the condition that its revision is still the one that was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another writer was faster.
    pub async fn update_case(
        &self,
        seen: Revision,
        case: &Case,
        next_action_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let cases = self.cases_table();
        let put = cases
            .put(self.encode_case(case, next_action_at)?)
            .condition_expression("#revision = :seen")
            .expression_attribute_names("#revision", "revision")
            .expression_attribute_values(":seen", AttributeValue::N(seen.to_string()));
        if cases.put_if(put).await? {
            return Ok(());
        }
        Err(WriteConflict::Case { case_id: case.case_id.clone(), revision: seen }.into())
    }

    fn encode_case(&self, case: &Case, next_action_at: Option<DateTime<Utc>>) -> Result<Item, StoreError> {
        let item: serde_dynamo::Item = serde_dynamo::to_item(case)
            .map_err(|error| StoreError::codec(&self.tables().cases, case.case_id.as_str(), error))?;
        let mut item = Item::from(item);
        item.insert("schema".to_owned(), AttributeValue::N(SCHEMA.to_string()));
        if let Some(at) = next_action_at {
            item.insert(keys::DUE_SHARD.to_owned(), AttributeValue::S(self.shard_of(&case.account_id)));
            item.insert(keys::NEXT_ACTION_AT.to_owned(), AttributeValue::S(keys::due_at(at)));
        }
        Ok(item)
    }
}

fn decode(table: &str, mut item: Item) -> Result<Case, StoreError> {
    let key = match item.get(keys::CASE_ID) {
        Some(AttributeValue::S(id)) => id.clone(),
        _ => "without case_id".to_owned(),
    };
    take_schema(table, &key, &mut item, SCHEMA)?;
    item.remove(keys::DUE_SHARD);
    item.remove(keys::NEXT_ACTION_AT);
    serde_dynamo::from_item(serde_dynamo::Item::from(item))
        .map_err(|error| StoreError::codec(table, key, error))
}
