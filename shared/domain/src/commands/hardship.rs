//! The cause of delinquency, recorded by an officer or reported by the borrower.

use chrono::{DateTime, NaiveDate, Utc};

use super::apply::Applied;
use super::check::{check_date, check_name, check_reason};
use crate::account::{Account, RecordedCause};
use crate::kernel::{MAX_REASON_BYTES, Refusal, business_date};
use crate::policy::HardshipCause;

/// The `by` of a cause that only the borrower has reported.
pub const BORROWER: &str = "borrower";

impl Account {
    pub(crate) fn record_cause(
        &mut self,
        cause: HardshipCause,
        by: &str,
        reason: &str,
        until: Option<NaiveDate>,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        check_name("by", by)?;
        check_reason(reason)?;
        until.map_or(Ok(()), |until| check_date("until", until))?;
        self.cause = Some(RecordedCause { cause, by: by.to_owned(), reason: reason.to_owned(), at, until });
        Ok(Applied::Changed)
    }

    /// Records the cause that the borrower reported at `at`: as `unknown`, for no officer has verified it. A
    /// cause from another source stands while it binds; of two answers the later one stands.
    ///
    /// The answer is no message of the lender's systems, and keeps none of those out.
    ///
    /// # Errors
    /// The reason is too long, or the instant is out of range.
    pub fn record_borrower_cause(
        &mut self,
        reason: &str,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        let bytes = reason.len();
        if bytes > MAX_REASON_BYTES {
            return Err(Refusal::ReasonTooLong { bytes });
        }
        check_date("at", at.date_naive())?;
        let today = business_date(self.time_zone, now);
        let stands = |known: &RecordedCause| match known.by.as_str() {
            BORROWER => (known.at, known.reason.as_str()) >= (at, reason),
            _ => known.until.is_none_or(|until| today < until),
        };
        if self.cause.as_ref().is_some_and(stands) {
            return Ok(Applied::Unchanged);
        }
        let (by, reason) = (BORROWER.to_owned(), reason.to_owned());
        self.cause = Some(RecordedCause { cause: HardshipCause::Unknown, by, reason, at, until: None });
        Ok(Applied::Changed)
    }
}
