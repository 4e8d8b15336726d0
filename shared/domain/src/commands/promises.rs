//! Promises to pay made and ended.

use chrono::{DateTime, NaiveDate, Utc};

use super::apply::Applied;
use super::check::{check_date, positive, unfit};
use super::definition::{CommandDefinition, command};
use crate::account::{Account, Promise, PromiseOutcome};
use crate::kernel::{MAX_PROMISES, Money, PromiseId, Refusal, business_date, written};

command! {
    /// A borrower's promise to pay. The same promise again changes nothing.
    pub struct PromiseMade as "promise_made" {
        /// Unique within the account.
        pub promise_id: PromiseId,
        pub amount: Money,
        /// The first date on which the promise is broken.
        #[serde(deserialize_with = "written::date")]
        pub until: NaiveDate,
    }
    example: r#"{ "promise_id": "PR-1", "amount": "250.00", "until": "2023-10-20" }"#
}

command! {
    /// A report that the promise has ended. Without a report, payments keep it and its date breaks it.
    pub struct PromiseEnded as "promise_ended" {
        pub promise_id: PromiseId,
        pub outcome: PromiseOutcome,
    }
    example: r#"{ "promise_id": "PR-1", "outcome": "kept" }"#
}

impl CommandDefinition for PromiseMade {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let Self { promise_id, amount, until } = self.clone();
        if let Some(known) = account.promises.iter().find(|known| known.promise_id == promise_id) {
            let problem = "it was made before, and promised something else";
            let is_same = (known.amount, known.until) == (amount, until);
            return if is_same { Ok(Applied::Unchanged) } else { unfit("promise_id", problem) };
        }
        let amount = positive("amount", amount, account.currency)?;
        check_date("until", until)?;
        let today = business_date(account.time_zone, at);
        if until <= today {
            return Err(Refusal::ProcessOver { until, today });
        }
        let excess = (account.promises.len() + 1).saturating_sub(MAX_PROMISES);
        account.promises.drain(..excess);
        account.promises.push(Promise { promise_id, amount, until, at, ended: None });
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for PromiseEnded {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let known = account.promises.iter_mut().find(|known| known.promise_id == self.promise_id);
        match known {
            None => unfit("promise_id", format!("no promise {} is known", self.promise_id)),
            Some(promise) if promise.ended.is_some() => Ok(Applied::Unchanged),
            Some(promise) => {
                promise.ended = Some((self.outcome, at));
                Ok(Applied::Changed)
            }
        }
    }
}
