//! The cause of delinquency, recorded by an officer or reported by the borrower.

use chrono::{DateTime, NaiveDate, Utc};

use super::apply::Applied;
use super::check::{check_date, check_name, check_reason};
use super::definition::{CommandDefinition, command};
use crate::account::{Account, RecordedCause};
use crate::kernel::{Refusal, business_date, written};
use crate::policy::HardshipCause;

/// The `by` of a cause that only the borrower has reported.
pub const BORROWER: &str = "borrower";

command! {
    /// The cause of delinquency, as an officer or a system knows it. It replaces the one before.
    pub struct CauseRecorded as "cause_recorded" {
        pub cause: HardshipCause,
        pub by: String => not_blank(),
        pub reason: String,
        /// The first date on which the cause no longer binds; none: no end.
        #[serde(default, deserialize_with = "written::maybe_date")]
        pub until: Option<NaiveDate>,
    }
    example: r#"{ "cause": "temporary", "by": "branch-7", "reason": "ill", "until": "2023-12-01" }"#
}

impl CommandDefinition for CauseRecorded {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        check_name("by", &self.by)?;
        check_reason(&self.reason)?;
        self.until.map_or(Ok(()), |until| check_date("until", until))?;
        let Self { cause, by, reason, until } = self.clone();
        account.cause = Some(RecordedCause { cause, by, reason, at, until });
        Ok(Applied::Changed)
    }
}

impl Account {
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
        check_reason(reason)?;
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
