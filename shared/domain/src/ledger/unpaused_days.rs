//! Days that delinquency pauses take out of the count.

use chrono::NaiveDate;

use crate::account::DelinquencyPause;
use crate::kernel::{date_of, days_between, number};

/// The number of paused days in `[from, to)`.
pub(crate) fn paused_days(pauses: &[DelinquencyPause], from: NaiveDate, to: NaiveDate) -> i64 {
    pauses.iter().map(|pause| days_between(pause.from.max(from), pause.until.min(to)).max(0)).sum()
}

/// The first day before which `unpaused` days from `from` on lie in no pause.
pub(crate) fn after_unpaused_days(pauses: &[DelinquencyPause], from: NaiveDate, unpaused: i64) -> NaiveDate {
    let pauses = pauses.iter().map(|pause| (number(pause.from), number(pause.until)));
    date_of(after_unpaused(pauses, number(from), unpaused))
}

/// The same in day numbers. A pause is the first paused day and the day after the last.
pub(crate) fn after_unpaused(pauses: impl Iterator<Item = (i64, i64)>, from: i64, unpaused: i64) -> i64 {
    let mut left = unpaused.max(0);
    let mut day = from;
    for (paused, until) in pauses.filter(|(_, until)| *until > from) {
        let free = (paused - day).max(0);
        if left <= free {
            break;
        }
        left -= free;
        day = until;
    }
    day + left
}
