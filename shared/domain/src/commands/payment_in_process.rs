//! Payments under way.

use chrono::{DateTime, NaiveDate, Utc};

use super::apply::Applied;
use super::check::check_date;
use crate::account::{Account, PaymentInProcess};
use crate::kernel::{Refusal, business_date};

impl Account {
    /// Waits for a payment. A payment that follows one still waited for takes over its start: successive
    /// payments would otherwise hold an account for ever.
    pub(crate) fn await_payment(&mut self, until: NaiveDate, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        check_date("until", until)?;
        let today = business_date(self.time_zone, at);
        if until <= today {
            return Err(Refusal::ProcessOver { until, today });
        }
        let going_on = self.in_process.as_ref().filter(|process| today <= process.until);
        let process = PaymentInProcess { since: going_on.map_or(at, |process| process.since), until };
        let applied =
            if self.in_process.as_ref() == Some(&process) { Applied::Unchanged } else { Applied::Changed };
        self.in_process = Some(process);
        Ok(applied)
    }

    pub(crate) fn end_process(&mut self, at: DateTime<Utc>) -> Applied {
        let today = business_date(self.time_zone, at);
        match &mut self.in_process {
            Some(process) if process.until > today => {
                process.until = today;
                Applied::Changed
            }
            _ => Applied::Unchanged,
        }
    }
}
