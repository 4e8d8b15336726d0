//! Days that delinquency pauses take out of the count.
//!
//! From one date to the next lies one counted day. Counting from the day after, it is paused if the earlier date
//! is, and counts from the later one on. Counting on the due day, a date counts at its own end, and is paused if
//! it lies in a pause itself.

use chrono::NaiveDate;

use crate::account::DelinquencyPause;
use crate::kernel::{DayCount, date_of, days_between, number, plus_days};

/// The number of counted days from the due date `due_on` to `day` that a pause takes out.
pub(crate) fn paused_days(
    pauses: &[DelinquencyPause],
    count: DayCount,
    due_on: NaiveDate,
    day: NaiveDate,
) -> i64 {
    let (from, to) = (due_on, plus_days(day, count.on_due_date()));
    pauses.iter().map(|pause| days_between(pause.from.max(from), pause.until.min(to)).max(0)).sum()
}

/// The first day on which `unpaused` counted days since the due date `due_on` lie in no pause.
pub(crate) fn after_unpaused_days(
    pauses: &[DelinquencyPause],
    count: DayCount,
    due_on: NaiveDate,
    unpaused: i64,
) -> NaiveDate {
    let pauses = pauses.iter().map(|pause| (number(pause.from), number(pause.until)));
    date_of(after_unpaused(pauses, number(due_on), unpaused) - count.on_due_date())
}

/// `day`, or where it lies in a pause the first day after it that lies in none.
pub(crate) fn after_pause(pauses: &[DelinquencyPause], day: NaiveDate) -> NaiveDate {
    // Pauses are in order, and one may begin where another ends.
    pauses
        .iter()
        .fold(day, |day, pause| if pause.from <= day && day < pause.until { pause.until } else { day })
}

/// The first day before which `unpaused` days from `from` on lie in no pause, in day numbers. A pause is the
/// first paused day and the day after the last.
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
