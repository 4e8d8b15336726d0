//! A score handed in by the lender.

use chrono::{DateTime, NaiveDate, Utc};

use super::apply::Applied;
use super::check::{check_date, check_name};
use crate::account::{Account, RecordedScore};
use crate::kernel::Refusal;

impl Account {
    pub(crate) fn record_score(
        &mut self,
        score: u32,
        by: &str,
        until: Option<NaiveDate>,
        at: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        check_name("by", by)?;
        until.map_or(Ok(()), |until| check_date("until", until))?;
        self.score = Some(RecordedScore { score, by: by.to_owned(), at, until });
        Ok(Applied::Changed)
    }
}
