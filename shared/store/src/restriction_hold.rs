//! The hold on new restrictions: one setting for all accounts.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};

use crate::records::texts;
use crate::table::Item;
use crate::{Store, StoreError, keys};

/// The last change of the hold on new restrictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestrictionHold {
    /// Whether no new restriction may begin; otherwise the hold was released.
    pub is_on: bool,
    /// Since when.
    pub at: DateTime<Utc>,
    /// The caller, as the platform knows it.
    pub by: String,
    pub reason: String,
}

impl Store {
    /// The last change of the hold on new restrictions; none: there never was one. A Query, for every function may
    /// do that on the records.
    ///
    /// # Errors
    /// When the call fails, or the item cannot be read: then nobody knows whether a restriction may begin.
    pub async fn restriction_hold(&self) -> Result<Option<RestrictionHold>, StoreError> {
        let records = self.records_table();
        let query = self.records_under(keys::SETTINGS.to_owned(), keys::RESTRICTION_HOLD.to_owned());
        let item = records.page(query.limit(1)).await?.items.pop();
        item.map(|item| {
            read(&item).ok_or_else(|| {
                StoreError::codec(records.name, keys::printable_key(&item), "the hold cannot be read")
            })
        })
        .transpose()
    }

    /// Puts new restrictions on hold, or releases them.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn set_restriction_hold(&self, hold: &RestrictionHold) -> Result<(), StoreError> {
        let mut item = texts([
            ("at", hold.at.to_rfc3339_opts(SecondsFormat::Millis, true)),
            ("by", hold.by.clone()),
            ("reason", hold.reason.clone()),
        ]);
        item.insert("held".to_owned(), AttributeValue::Bool(hold.is_on));
        self.put_item(keys::SETTINGS.to_owned(), keys::RESTRICTION_HOLD.to_owned(), item).await
    }
}

fn read(item: &Item) -> Option<RestrictionHold> {
    let text = |name| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok()).cloned();
    Some(RestrictionHold {
        is_on: *item.get("held")?.as_bool().ok()?,
        at: text("at")?.parse().ok()?,
        by: text("by")?,
        reason: text("reason")?,
    })
}
