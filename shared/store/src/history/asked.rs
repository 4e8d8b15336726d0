//! An account's image for the history once more: for a revision that its stream lost, and for an entry that expires.
//!
//! `reconcile-accounts` finds both, and may not put an entry. It writes the instant of its finding beside the account,
//! and the accounts stream carries the image to `record-history`, with the retries, alarms and bucket of any other
//! record. The revision stays, and the next one removes the attribute.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use duewatch_domain::kernel::{AccountId, Revision};

use crate::{Store, StoreError, keys};

impl Store {
    /// Hands an account's revision to the history once more. Returns whether the account is still at that revision;
    /// a later one brings its own record.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn ask_for_history(
        &self,
        account_id: &AccountId,
        revision: Revision,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let accounts = self.accounts_table();
        let at = now.to_rfc3339_opts(SecondsFormat::Millis, true);
        let update = accounts
            .update(keys::account_key(account_id.as_str()))
            .update_expression(format!("SET {} = :at", keys::HISTORY_ASKED_AT))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":at", AttributeValue::S(at))
            .expression_attribute_values(":seen", AttributeValue::N(revision.to_string()));
        accounts.update_if(update).await
    }
}

/// Whether a record of the accounts stream, by its images, hands a revision to the history once more.
#[must_use]
pub fn is_asked_for_history(before: &serde_dynamo::Item, after: &serde_dynamo::Item) -> bool {
    let is_same = |name| before.get(name) == after.get(name);
    after.contains_key(keys::HISTORY_ASKED_AT) && is_same("revision") && !is_same(keys::HISTORY_ASKED_AT)
}
