//! Delinquency pauses started and ended.

use chrono::NaiveDate;

use super::apply::Applied;
use super::check::check_date;
use crate::account::{Account, DelinquencyPause};
use crate::kernel::{MAX_PAUSES, Refusal};

impl Account {
    pub(crate) fn start_pause(&mut self, from: NaiveDate, until: NaiveDate) -> Result<Applied, Refusal> {
        check_date("from", from)?;
        check_date("until", until)?;
        if until <= from {
            return Err(Refusal::EmptyPause { from, until });
        }
        if let Some(other) = self.pauses.iter().find(|other| from < other.until && other.from < until) {
            return Err(Refusal::OverlappingPause {
                from,
                until,
                other_from: other.from,
                other_until: other.until,
            });
        }
        if self.pauses.len() >= MAX_PAUSES {
            return Err(Refusal::TooManyPauses);
        }
        let place = self.pauses.partition_point(|other| other.from < from);
        self.pauses.insert(place, DelinquencyPause { from, until });
        Ok(Applied::Changed)
    }

    pub(crate) fn end_pause(&mut self, on: NaiveDate) -> Result<Applied, Refusal> {
        let place = self
            .pauses
            .iter()
            .position(|pause| pause.from <= on && on < pause.until)
            .ok_or(Refusal::NoPause(on))?;
        if self.pauses[place].from == on {
            self.pauses.remove(place);
        } else {
            self.pauses[place].until = on;
        }
        Ok(Applied::Changed)
    }
}
