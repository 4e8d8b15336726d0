//! Due dates on days on which nobody works.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::calendar::Calendar;
use crate::kernel::plus_days;

/// How a due date that is no working day moves to one. The contract's date stays in the
/// account; only what is counted from it moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessDays {
    /// Which days are working days.
    pub calendar: Arc<Calendar>,
    /// Where a due date on another day goes.
    pub moves: Move,
    /// Whether a due date on the last day of a month goes to that month's last working day
    /// instead.
    pub month_end: bool,
}

/// Where a due date goes that is no working day. The four conventions of loan and bond
/// contracts; the modified ones stay within the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// To the next working day.
    Next,
    /// To the working day before.
    Previous,
    /// To the next working day, or to the one before where the next lies in another month.
    ModifiedNext,
    /// To the working day before, or to the next where that lies in another month.
    ModifiedPrevious,
}

impl BusinessDays {
    /// The date that what is due on `due_on` is to be paid by, at most
    /// [`super::calendar::MAX_MOVED_DAYS`] away.
    #[must_use]
    pub fn moved(&self, due_on: NaiveDate) -> NaiveDate {
        if self.calendar.is_working_day(due_on) {
            return due_on;
        }
        let before = || self.calendar.working_day_before(due_on).unwrap_or(due_on);
        let after = || self.calendar.working_day_after(due_on).unwrap_or(due_on);
        if self.month_end && !in_one_month(due_on, plus_days(due_on, 1)) {
            return before();
        }
        let within_month = |day: &NaiveDate| in_one_month(*day, due_on);
        match self.moves {
            Move::Next => after(),
            Move::Previous => before(),
            Move::ModifiedNext => Some(after()).filter(within_month).unwrap_or_else(before),
            Move::ModifiedPrevious => Some(before()).filter(within_month).unwrap_or_else(after),
        }
    }
}

fn in_one_month(one: NaiveDate, other: NaiveDate) -> bool {
    (one.year(), one.month()) == (other.year(), other.month())
}
