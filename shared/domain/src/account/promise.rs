//! Promises to pay, and their outcomes.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::kernel::{Money, PromiseId, business_date};

/// A borrower's promise to pay an amount before a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// Unique within the account.
    pub promise_id: PromiseId,
    pub amount: Money,
    /// The first date on which the promise is broken.
    pub until: NaiveDate,
    /// When the promise was made.
    pub at: DateTime<Utc>,
    /// The reported outcome, and when it was reported; none: no outcome was reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(PromiseOutcome, DateTime<Utc>)>,
}

/// The outcome of a promise to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromiseOutcome {
    /// The promised amount was paid.
    Kept,
    /// The promised amount was not paid.
    Broken,
}

impl Promise {
    /// When the promise was kept: the receipt that completed the amount after the promise was made and before
    /// it was broken; none: it was not kept.
    #[must_use]
    pub fn kept_at(&self, account: &Account) -> Option<DateTime<Utc>> {
        let mut came = account.currency.zero();
        let since = account
            .payments
            .iter()
            .filter(|payment| payment.is_effective() && payment.received_at >= self.at);
        let kept = since.into_iter().find(|payment| {
            came += payment.standing();
            came >= self.amount
        })?;
        (business_date(account.time_zone, kept.received_at) < self.until).then_some(kept.received_at)
    }

    /// The outcome by a local date; none: the promise is open. A promise breaks without any report.
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

    /// When the promise stopped being open before its time: an outcome was reported or the money was
    /// received, whichever came first.
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
