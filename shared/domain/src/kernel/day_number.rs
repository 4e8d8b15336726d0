//! Dates as numbers of days, so that stretches of days are differences.

use chrono::{Datelike, NaiveDate};

use super::dates::LAST_DATE;

/// The number of a date's day, from the year 1.
pub(crate) fn number(date: NaiveDate) -> i64 {
    i64::from(date.num_days_from_ce())
}

/// The date of a day number; [`LAST_DATE`] where the number has no date.
pub(crate) fn date_of(number: i64) -> NaiveDate {
    i32::try_from(number).ok().and_then(NaiveDate::from_num_days_from_ce_opt).unwrap_or(LAST_DATE)
}
