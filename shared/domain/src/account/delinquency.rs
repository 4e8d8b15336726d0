//! The memory of lapses, which says whether one is the first in a while.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::kernel::LAST_DATE;

/// What is remembered of an account's lapses. A lapse is a time with delinquent days, as it
/// was known then: a fact that comes later changes it from its arrival on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lapses {
    /// The first day of the lapse that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<NaiveDate>,
    /// The day on which the last one was found to be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_over_on: Option<NaiveDate>,
}

impl Lapses {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The memory on `day`, of an account whose delinquent days begin on `delinquent_from`
    /// and that was judged before on `judged_on`.
    pub(crate) fn on(
        self,
        day: NaiveDate,
        delinquent_from: Option<NaiveDate>,
        judged_on: Option<NaiveDate>,
    ) -> Self {
        match (self.since, delinquent_from.filter(|from| *from <= day)) {
            (None, None) | (Some(_), Some(_)) => self,
            (Some(_), None) => Self { since: None, last_over_on: Some(day) },
            // What begins by itself began when its time had come; what a fact has brought
            // about, when the fact became known.
            (None, Some(from)) if judged_on.is_none_or(|judged| judged < from) => {
                Self { since: Some(from), ..self }
            }
            (None, Some(_)) => Self { since: Some(day), ..self },
        }
    }

    /// Whether a lapse that begins on `begin`, or the one that goes on, is the first in so
    /// many months.
    pub(crate) fn is_first(self, begin: NaiveDate, months: u32) -> bool {
        let begin = self.since.unwrap_or(begin);
        self.last_over_on
            .is_none_or(|over| over.checked_add_months(Months::new(months)).unwrap_or(LAST_DATE) <= begin)
    }
}
