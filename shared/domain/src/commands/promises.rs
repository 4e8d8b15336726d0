//! Promises to pay made and ended.

use chrono::{DateTime, NaiveDate, Utc};

use super::apply::Applied;
use crate::account::{Account, Promise, PromiseOutcome};
use crate::kernel::{MAX_PROMISES, Money, PromiseId, Refusal, business_date, is_in_range};

impl Account {
    pub(crate) fn promise(
        &mut self,
        promise_id: &PromiseId,
        amount: Money,
        until: NaiveDate,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        if let Some(known) = self.promises.iter().find(|known| &known.promise_id == promise_id) {
            let problem = "it was made before, and promised something else";
            let is_same = (known.amount, known.until) == (amount, until);
            return if is_same { Ok(Applied::Unchanged) } else { unfit("promise_id", problem) };
        }
        if !amount.is_positive() {
            return Err(Refusal::NotPositive { field: "amount", amount });
        }
        let amount = self
            .currency
            .exact(amount)
            .map_err(|problem| Refusal::TooManyDecimals { field: "amount", problem })?;
        let today = business_date(self.time_zone, at);
        if !is_in_range(until) {
            return Err(Refusal::DateOutOfRange { field: "until", date: until });
        }
        if until <= today {
            return Err(Refusal::ProcessOver { until, today });
        }
        let promise = Promise { promise_id: promise_id.clone(), amount, until, at, ended: None };
        let excess = (self.promises.len() + 1).saturating_sub(MAX_PROMISES);
        self.promises.drain(..excess);
        self.promises.push(promise);
        Ok(Applied::Changed)
    }

    pub(crate) fn end_promise(
        &mut self,
        promise_id: &PromiseId,
        outcome: PromiseOutcome,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        let known = self.promises.iter_mut().find(|known| &known.promise_id == promise_id);
        match known {
            None => unfit("promise_id", "no such promise is known"),
            Some(promise) if promise.ended.is_some() => Ok(Applied::Unchanged),
            Some(promise) => {
                promise.ended = Some((outcome, at));
                Ok(Applied::Changed)
            }
        }
    }
}

pub(crate) fn unfit(field: &'static str, problem: &'static str) -> Result<Applied, Refusal> {
    Err(Refusal::Unfit { field, problem })
}
