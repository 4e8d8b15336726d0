//! Business-day conventions: due dates that fall on a non-working day.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::calendar::Calendar;
use crate::kernel::plus_days;

/// How a due date on a non-working day moves to a working day. The account keeps the contract's date; only
/// the counts that start from the due date move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessDays {
    pub calendar: Arc<Calendar>,
    pub moves: DueDateMove,
    /// A due date on the last day of a month moves to that month's last working day instead.
    pub month_end: bool,
}

/// Where a due date on a non-working day moves: the four conventions of loan and bond contracts. The modified
/// ones stay within the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DueDateMove {
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
    /// The date by which an installment due on `due_on` is to be paid, at most
    /// [`super::calendar::MAX_MOVED_DAYS`] days away.
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
            DueDateMove::Next => after(),
            DueDateMove::Previous => before(),
            DueDateMove::ModifiedNext => Some(after()).filter(within_month).unwrap_or_else(before),
            DueDateMove::ModifiedPrevious => Some(before()).filter(within_month).unwrap_or_else(after),
        }
    }
}

fn in_one_month(one: NaiveDate, other: NaiveDate) -> bool {
    (one.year(), one.month()) == (other.year(), other.month())
}
