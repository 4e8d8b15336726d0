//! Payments under way.

use chrono::{DateTime, NaiveDate, Utc};

use super::apply::Applied;
use super::check::check_date;
use super::definition::{CommandDefinition, command};
use crate::account::{Account, PaymentInProcess};
use crate::kernel::{Refusal, business_date, written};

command! {
    /// A payment is under way, such as an auto-debit.
    #[derive(Copy)]
    pub struct PaymentProcessStarted as "payment_in_process" {
        /// The first date on which the account no longer waits for it.
        #[serde(deserialize_with = "written::date")]
        pub until: NaiveDate,
    }
    example: r#"{ "until": "2023-10-08" }"#
}

command! {
    /// The payment arrived or failed.
    pub struct PaymentProcessEnded as "payment_process_ended" {
        pub reason: String,
    }
    example: r#"{ "reason": "returned by the bank" }"#
}

/// A payment that follows one still waited for takes over its start: successive payments would otherwise hold
/// an account for ever.
impl CommandDefinition for PaymentProcessStarted {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let until = self.until;
        check_date("until", until)?;
        let today = business_date(account.time_zone, at);
        if until <= today {
            return Err(Refusal::ProcessOver { until, today });
        }
        let going_on = account.in_process.as_ref().filter(|process| today <= process.until);
        let process = PaymentInProcess { since: going_on.map_or(at, |process| process.since), until };
        let applied =
            if account.in_process.as_ref() == Some(&process) { Applied::Unchanged } else { Applied::Changed };
        account.in_process = Some(process);
        Ok(applied)
    }
}

impl CommandDefinition for PaymentProcessEnded {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let today = business_date(account.time_zone, at);
        Ok(match &mut account.in_process {
            Some(process) if process.until > today => {
                process.until = today;
                Applied::Changed
            }
            _ => Applied::Unchanged,
        })
    }
}
