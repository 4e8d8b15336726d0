//! Payments under way.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::apply::Applied;
use super::check::{check_date, positive, unfit};
use super::definition::{CommandDefinition, command};
use crate::account::{Account, PaymentInProcess, PaymentMethod};
use crate::kernel::{Money, Refusal, business_date, written};

command! {
    /// A payment is under way, such as an auto-debit.
    #[derive(Copy)]
    pub struct PaymentProcessStarted as "payment_in_process" {
        /// The first date on which the account no longer waits for it.
        #[serde(deserialize_with = "written::date")]
        pub until: NaiveDate,
        /// None: not stated.
        pub method: Option<PaymentMethod>,
        /// None: not stated.
        pub amount: Option<Money>,
    }
    example: r#"{ "until": "2023-10-08", "method": "auto_debit", "amount": "250.00" }"#
}

command! {
    /// The payment arrived or failed.
    pub struct PaymentProcessEnded as "payment_process_ended" {
        pub reason: String,
        /// None: not stated.
        pub outcome: Option<ProcessOutcome>,
        /// The date on which a failed payment is tried again; none: it is not.
        #[serde(default, deserialize_with = "written::maybe_date")]
        pub next_try_on: Option<NaiveDate>,
    }
    example: r#"{ "reason": "not enough money", "outcome": "failed", "next_try_on": "2023-10-11" }"#
}

/// How a payment in process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessOutcome {
    Arrived,
    Failed,
}

/// A payment that follows one still waited for takes over its start: successive payments would otherwise hold
/// an account for ever.
impl CommandDefinition for PaymentProcessStarted {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let until = self.until;
        check_date("until", until)?;
        let amount = self.amount.map(|amount| positive("amount", amount, account.currency)).transpose()?;
        let today = business_date(account.time_zone, at);
        if until <= today {
            return Err(Refusal::ProcessOver { until, today });
        }
        let going_on = account.in_process.as_ref().filter(|process| today < process.until);
        let process = PaymentInProcess {
            since: going_on.map_or(at, |process| process.since),
            until,
            method: self.method,
            amount,
            failed_at: None,
            next_try_on: None,
        };
        let applied =
            if account.in_process.as_ref() == Some(&process) { Applied::Unchanged } else { Applied::Changed };
        account.in_process = Some(process);
        Ok(applied)
    }
}

impl CommandDefinition for PaymentProcessEnded {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let today = business_date(account.time_zone, at);
        if let Some(next_try_on) = self.next_try_on {
            check_date("next_try_on", next_try_on)?;
            if self.outcome != Some(ProcessOutcome::Failed) {
                return unfit("next_try_on", "only a payment that failed is tried again");
            }
            if next_try_on < today {
                return unfit("next_try_on", "it has passed");
            }
        }
        let Some(process) = &mut account.in_process else { return Ok(Applied::Unchanged) };
        let before = process.clone();
        process.until = process.until.min(today);
        if self.outcome == Some(ProcessOutcome::Failed) {
            process.failed_at = process.failed_at.or(Some(at));
            process.next_try_on = self.next_try_on.or(process.next_try_on);
        }
        Ok(if *process == before { Applied::Unchanged } else { Applied::Changed })
    }
}
