//! Delinquency pauses started and ended.

use chrono::{DateTime, NaiveDate, Utc};

use super::apply::Applied;
use super::check::check_date;
use super::definition::{CommandDefinition, command};
use crate::account::{Account, DelinquencyPause};
use crate::kernel::{MAX_PAUSES, Refusal, written};

command! {
    /// The start of a delinquency pause.
    #[derive(Copy)]
    pub struct PauseStarted as "pause_started" {
        /// The first paused day.
        #[serde(deserialize_with = "written::date")]
        pub from: NaiveDate,
        /// The first day that counts again.
        #[serde(deserialize_with = "written::date")]
        pub until: NaiveDate,
    }
    example: r#"{ "from": "2023-10-05", "until": "2023-10-12" }"#
}

command! {
    /// The end of the delinquency pause that holds on a day.
    #[derive(Copy)]
    pub struct PauseEnded as "pause_ended" {
        /// The first day that counts again.
        #[serde(deserialize_with = "written::date")]
        pub on: NaiveDate,
    }
    example: r#"{ "on": "2023-10-10" }"#
}

impl CommandDefinition for PauseStarted {
    fn apply(&self, account: &mut Account, _at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let Self { from, until } = *self;
        check_date("from", from)?;
        check_date("until", until)?;
        if until <= from {
            return Err(Refusal::EmptyPause { from, until });
        }
        if let Some(other) = account.pauses.iter().find(|other| from < other.until && other.from < until) {
            return Err(Refusal::OverlappingPause {
                from,
                until,
                other_from: other.from,
                other_until: other.until,
            });
        }
        if account.pauses.len() >= MAX_PAUSES {
            return Err(Refusal::TooManyPauses);
        }
        let place = account.pauses.partition_point(|other| other.from < from);
        account.pauses.insert(place, DelinquencyPause { from, until });
        Ok(Applied::Changed)
    }
}

impl CommandDefinition for PauseEnded {
    fn apply(&self, account: &mut Account, _at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let on = self.on;
        let place = account
            .pauses
            .iter()
            .position(|pause| pause.from <= on && on < pause.until)
            .ok_or(Refusal::NoPause(on))?;
        if account.pauses[place].from == on {
            account.pauses.remove(place);
        } else {
            account.pauses[place].until = on;
        }
        Ok(Applied::Changed)
    }
}
