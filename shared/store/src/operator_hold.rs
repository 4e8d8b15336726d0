//! The operator's holds: one setting for all accounts each.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};

use crate::records::texts;
use crate::table::Item;
use crate::{Store, StoreError, keys};

/// What the operator may put on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldScope {
    /// New restrictions, on all accounts. Flags, lifts and reminders go on.
    Restrictions,
    /// All that leaves for borrowers and other systems: `reminders` and `account-events`. Alerts go on.
    Sending,
}

impl HoldScope {
    const fn key(self) -> &'static str {
        match self {
            Self::Restrictions => keys::RESTRICTION_HOLD,
            Self::Sending => keys::SENDING_HOLD,
        }
    }
}

/// The last change of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorHold {
    /// Whether it is on; otherwise it was released.
    pub is_on: bool,
    /// Since when.
    pub at: DateTime<Utc>,
    /// The caller, as the platform knows it.
    pub by: String,
    pub reason: String,
}

impl Store {
    /// The last change of a hold; none: there never was one. A Query, for every function may do that on the records.
    ///
    /// # Errors
    /// When the call fails, or the item cannot be read: then nobody knows whether the hold is on.
    pub async fn hold(&self, scope: HoldScope) -> Result<Option<OperatorHold>, StoreError> {
        let records = self.records_table();
        let query = self.records_under(keys::SETTINGS.to_owned(), scope.key().to_owned());
        let item = records.page(query.limit(1)).await?.items.pop();
        item.map(|item| {
            read(&item).ok_or_else(|| {
                StoreError::codec(records.name, keys::printable_key(&item), "the hold cannot be read")
            })
        })
        .transpose()
    }

    /// Puts a hold on, or releases it. Each change stays on record beside the setting.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn set_hold(&self, scope: HoldScope, hold: &OperatorHold) -> Result<(), StoreError> {
        let at = hold.at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let log = keys::hold_change(&at, scope.key());
        for sk in [log, scope.key().to_owned()] {
            let mut item =
                texts([("at", at.clone()), ("by", hold.by.clone()), ("reason", hold.reason.clone())]);
            item.insert("held".to_owned(), AttributeValue::Bool(hold.is_on));
            self.put_item(keys::SETTINGS.to_owned(), sk, item).await?;
        }
        Ok(())
    }
}

fn read(item: &Item) -> Option<OperatorHold> {
    let text = |name| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok()).cloned();
    Some(OperatorHold {
        is_on: *item.get("held")?.as_bool().ok()?,
        at: text("at")?.parse().ok()?,
        by: text("by")?,
        reason: text("reason")?,
    })
}
