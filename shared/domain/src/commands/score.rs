//! A score handed in by the lender.

use chrono::{DateTime, NaiveDate, Utc};

use super::apply::Applied;
use super::check::{check_date, check_name};
use super::definition::{CommandDefinition, command};
use crate::account::{Account, RecordedScore};
use crate::kernel::{Refusal, written};

command! {
    /// A score of the borrower. It replaces the one before.
    pub struct ScoreRecorded as "score_recorded" {
        /// Higher is better.
        pub score: u32,
        pub by: String => not_blank(),
        /// The first date on which the score no longer binds; none: no end.
        #[serde(default, deserialize_with = "written::maybe_date")]
        pub until: Option<NaiveDate>,
    }
    example: r#"{ "score": 640, "by": "scoring", "until": "2024-10-05" }"#
}

impl CommandDefinition for ScoreRecorded {
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        check_name("by", &self.by)?;
        self.until.map_or(Ok(()), |until| check_date("until", until))?;
        let Self { score, by, until } = self.clone();
        account.score = Some(RecordedScore { score, by, at, until });
        Ok(Applied::Changed)
    }
}
