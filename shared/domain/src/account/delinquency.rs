//! Delinquency history: shows whether an episode is the first in a number of months.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::kernel::LAST_DATE;

/// An account's delinquency history. An episode is a stretch of delinquent days as known at the time: a later
/// fact changes it only from the fact's arrival on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelinquencyHistory {
    /// The first day of the current episode; none: there is no current episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<NaiveDate>,
    /// The day on which the last episode was found to be over; none: no episode has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_over_on: Option<NaiveDate>,
    /// The first day of that last episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_since: Option<NaiveDate>,
}

impl DelinquencyHistory {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The history on `day` of an account whose delinquent days begin on `delinquent_from` and that was last
    /// assessed on `judged_on`.
    pub(crate) fn on(
        self,
        day: NaiveDate,
        delinquent_from: Option<NaiveDate>,
        judged_on: Option<NaiveDate>,
    ) -> Self {
        match (self.since, delinquent_from.filter(|from| *from <= day)) {
            (None, None) | (Some(_), Some(_)) => self,
            (Some(_), None) => Self { since: None, last_over_on: Some(day), last_since: self.since },
            // An episode that time begins starts on its first delinquent day. An episode that a fact begins
            // starts on the day on which the fact became known.
            (None, Some(from)) if judged_on.is_none_or(|judged| judged < from) => {
                Self { since: Some(from), ..self }
            }
            (None, Some(_)) => Self { since: Some(day), ..self },
        }
    }

    /// The history without its last episode: facts that came later show that there was none.
    pub(crate) fn without_last(self) -> Self {
        Self { since: self.since, ..Self::default() }
    }

    /// Whether the current episode, or else one that begins on `begin`, is the first in that many months.
    pub(crate) fn is_first(self, begin: NaiveDate, months: u32) -> bool {
        let begin = self.since.unwrap_or(begin);
        self.last_over_on
            .is_none_or(|over| over.checked_add_months(Months::new(months)).unwrap_or(LAST_DATE) <= begin)
    }
}
