//! Promises to pay.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::{Money, PromiseId, business_date};

/// A promise to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// Unique within the account.
    pub promise_id: PromiseId,
    /// How much.
    pub amount: Money,
    /// The first date on which it is broken.
    pub until: NaiveDate,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// How and when somebody said that it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(PromiseOutcome, DateTime<Utc>)>,
}

/// What becomes of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromiseOutcome {
    /// What was promised came.
    Kept,
    /// It did not.
    Broken,
}

impl Promise {
    /// When it was kept, by the money that came since it was made and before it was broken.
    #[must_use]
    pub fn kept_at(&self, account: &Account) -> Option<DateTime<Utc>> {
        let mut came = account.currency.zero();
        let since =
            account.payments.iter().filter(|payment| payment.stands() && payment.received_at >= self.at);
        let kept = since.into_iter().find(|payment| {
            came += payment.amount;
            came >= self.amount
        })?;
        (business_date(account.time_zone, kept.received_at) < self.until).then_some(kept.received_at)
    }

    /// What became of it by a local date; none: it is open. It is broken by itself.
    #[must_use]
    pub fn outcome(&self, account: &Account, today: NaiveDate) -> Option<PromiseOutcome> {
        if let Some((outcome, _)) = self.ended {
            return Some(outcome);
        }
        match self.kept_at(account) {
            Some(_) => Some(PromiseOutcome::Kept),
            None => (today >= self.until).then_some(PromiseOutcome::Broken),
        }
    }

    /// When it stopped being open before its time: somebody said so, or the money came.
    pub(crate) fn over_at(&self, account: &Account) -> Option<DateTime<Utc>> {
        match (self.ended.map(|(_, at)| at), self.kept_at(account)) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

impl Account {
    /// The promises to pay, in the order in which they were made.
    #[must_use]
    pub fn promises(&self) -> &[Promise] {
        &self.promises
    }
}
