//! Calendars: which dates are working days.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use chrono::{Datelike, NaiveDate, Weekday};
use serde::Deserialize;

use super::document::Date;
use crate::kernel::{date_of, days_between, is_in_range, number, plus_days};

/// The most days by which a due date moves to a working day.
pub const MAX_MOVED_DAYS: i64 = 31;

/// The most holidays, and the most working days on weekends, that a calendar may list.
pub const MAX_CALENDAR_DATES: usize = 5_000;

/// The most calendars that a policy may define.
pub const MAX_CALENDARS: usize = 20;

/// The most bytes of a calendar's source.
const MAX_SOURCE_BYTES: usize = 1_000;

/// The shipped calendars: their names and their TOML texts.
const SHIPPED: [(&str, &str); 1] = [("cn", include_str!("../../calendars/cn.toml"))];

/// The known working days.
///
/// Within its range a calendar knows the holidays and the weekend days that are worked, such as those that
/// make up for holidays in China. Outside its range it knows weekends only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    source: String,
    from: NaiveDate,
    to: NaiveDate,
    /// Indexed by the days from Monday.
    weekend: [bool; 7],
    holidays: Vec<NaiveDate>,
    working_days: Vec<NaiveDate>,
    known: KnownDays,
}

/// The dates of a calendar, so that a look-up needs no search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct KnownDays {
    /// The number of the first date.
    first: i64,
    /// Whether each date is a working day, a bit a date.
    working: Vec<u64>,
}

impl KnownDays {
    /// Whether a date is a working day; none: the calendar knows its weekday alone.
    fn is_working_day(&self, date: NaiveDate) -> Option<bool> {
        let day = usize::try_from(number(date) - self.first).ok()?;
        self.working.get(day / 64).map(|days| days >> (day % 64) & 1 == 1)
    }
}

impl Calendar {
    /// The shipped calendar of that name, if there is one.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Arc<Self>> {
        static PARSED: OnceLock<Vec<(&str, Arc<Calendar>)>> = OnceLock::new();
        let parsed = PARSED.get_or_init(|| {
            let read = |text| toml::from_str::<CalendarTable>(text).ok()?.into_calendar().ok();
            SHIPPED.iter().filter_map(|(name, text)| Some((*name, Arc::new(read(text)?)))).collect()
        });
        parsed.iter().find(|(shipped, _)| *shipped == name).map(|(_, calendar)| Arc::clone(calendar))
    }

    /// The names of the shipped calendars.
    pub fn shipped_names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// The source of its dates.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether `date` lies in the range of known holidays. Of any other date the calendar knows only whether
    /// it lies on a weekend.
    #[must_use]
    pub fn covers(&self, date: NaiveDate) -> bool {
        (self.from..=self.to).contains(&date)
    }

    /// Whether `date` is a working day.
    #[must_use]
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        self.known.is_working_day(date).unwrap_or_else(|| !self.is_weekend(date))
    }

    fn known_days(&self) -> KnownDays {
        let is_worked = |date: NaiveDate| match self.is_weekend(date) {
            true => self.working_days.binary_search(&date).is_ok(),
            false => self.holidays.binary_search(&date).is_err(),
        };
        let (first, last) = (number(self.from), number(self.to));
        let days_from = |day: i64| (0..64).map(move |bit| (bit, date_of(day + bit)));
        let worked_from =
            |day: i64| days_from(day).fold(0, |days, (bit, date)| days | u64::from(is_worked(date)) << bit);
        KnownDays { first, working: (first..=last).step_by(64).map(worked_from).collect() }
    }

    /// The first working day after `date`; none within [`MAX_MOVED_DAYS`].
    #[must_use]
    pub fn working_day_after(&self, date: NaiveDate) -> Option<NaiveDate> {
        self.working_day_from(date, 1)
    }

    /// The last working day before `date`; none within [`MAX_MOVED_DAYS`].
    #[must_use]
    pub fn working_day_before(&self, date: NaiveDate) -> Option<NaiveDate> {
        self.working_day_from(date, -1)
    }

    fn working_day_from(&self, date: NaiveDate, step: i64) -> Option<NaiveDate> {
        (1..=MAX_MOVED_DAYS).map(|days| plus_days(date, days * step)).find(|day| self.is_working_day(*day))
    }

    fn is_weekend(&self, date: NaiveDate) -> bool {
        self.weekend[date.weekday().num_days_from_monday() as usize]
    }

    fn check_range(&self) -> Result<(), String> {
        if self.source.trim().is_empty() || self.source.len() > MAX_SOURCE_BYTES {
            return Err(format!(
                "source: it says where the dates come from, in 1 to {MAX_SOURCE_BYTES} bytes"
            ));
        }
        if !is_in_range(self.from) || !is_in_range(self.to) || self.to < self.from {
            return Err(format!("to: {} to {} is no range of dates", self.from, self.to));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if self.weekend.iter().all(|free| *free) {
            return Err("weekend: a week needs a working day".to_owned());
        }
        self.check_dates("holidays", &self.holidays)?;
        self.check_dates("working_days", &self.working_days)?;
        for day in &self.working_days {
            if self.holidays.binary_search(day).is_ok() {
                return Err(format!("working_days: {day} is a holiday too"));
            }
            if !self.is_weekend(*day) {
                return Err(format!("working_days: {day} is no weekend day; such a day is worked anyway"));
            }
        }
        let endless = |day: &&NaiveDate| match (self.working_day_before(**day), self.working_day_after(**day))
        {
            (Some(before), Some(after)) => days_between(before, after) - 1 > MAX_MOVED_DAYS,
            _ => true,
        };
        match self.holidays.iter().find(endless) {
            Some(day) => {
                Err(format!("holidays: {day} is one of more than {MAX_MOVED_DAYS} days without work"))
            }
            None => Ok(()),
        }
    }

    fn check_dates(&self, field: &str, dates: &[NaiveDate]) -> Result<(), String> {
        if dates.len() > MAX_CALENDAR_DATES {
            return Err(format!("{field}: at most {MAX_CALENDAR_DATES}"));
        }
        if let Some(date) = dates.iter().find(|date| !self.covers(**date)) {
            return Err(format!("{field}: {date} is not within {} to {}", self.from, self.to));
        }
        match dates.windows(2).find(|pair| pair[1] <= pair[0]) {
            Some(pair) => {
                Err(format!("{field}: {} after {} is out of order; earlier dates first", pair[1], pair[0]))
            }
            None => Ok(()),
        }
    }
}

/// A calendar as TOML: a shipped file, or a table `[calendars.NAME]` of a policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CalendarTable {
    source: String,
    from: Date,
    to: Date,
    weekend: BTreeSet<WeekdayName>,
    #[serde(default)]
    holidays: Vec<Date>,
    #[serde(default)]
    working_days: Vec<Date>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WeekdayName {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl CalendarTable {
    /// The calendar.
    ///
    /// # Errors
    /// The faulty field and its problem.
    pub(super) fn into_calendar(self) -> Result<Calendar, String> {
        let dates = |dates: Vec<Date>| dates.into_iter().map(|date| date.0).collect();
        let mut weekend = [false; 7];
        for day in self.weekend {
            weekend[day.weekday().num_days_from_monday() as usize] = true;
        }
        let mut calendar = Calendar {
            source: self.source,
            from: self.from.0,
            to: self.to.0,
            weekend,
            holidays: dates(self.holidays),
            working_days: dates(self.working_days),
            known: KnownDays::default(),
        };
        calendar.check_range()?;
        calendar.known = calendar.known_days();
        calendar.check().map(|()| calendar)
    }
}

impl WeekdayName {
    const fn weekday(self) -> Weekday {
        match self {
            Self::Monday => Weekday::Mon,
            Self::Tuesday => Weekday::Tue,
            Self::Wednesday => Weekday::Wed,
            Self::Thursday => Weekday::Thu,
            Self::Friday => Weekday::Fri,
            Self::Saturday => Weekday::Sat,
            Self::Sunday => Weekday::Sun,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn every_shipped_calendar_is_read() {
        for name in Calendar::shipped_names() {
            let calendar = Calendar::shipped(name).unwrap_or_else(|| panic!("{name} is at fault"));
            assert!(!calendar.source().is_empty());
        }
    }

    // Counted from the notices: 52 weeks, less the days off, plus the days made up.
    #[rstest]
    #[case(2023, 249)]
    #[case(2024, 251)]
    #[case(2025, 248)]
    #[case(2026, 248)]
    fn a_year_in_china_has_so_many_working_days(#[case] year: i32, #[case] expected: usize) {
        let calendar = Calendar::shipped("cn").unwrap();
        let days = date(&format!("{year}-01-01")).iter_days().take_while(|day| day.year() == year);
        assert_eq!(days.filter(|day| calendar.is_working_day(*day)).count(), expected);
    }

    #[rstest]
    #[case::new_years_day("2024-01-01", false)]
    #[case::new_years_eve_of_2024_which_was_worked("2024-02-09", true)]
    #[case::a_sunday_made_up("2024-02-18", true)]
    #[case::a_sunday("2024-02-25", false)]
    #[case::national_day_before_anything_is_known("2019-10-01", true)]
    #[case::a_sunday_before_anything_is_known("2019-10-06", false)]
    fn a_calendar_knows_what_is_worked(#[case] day: &str, #[case] works: bool) {
        assert_eq!(Calendar::shipped("cn").unwrap().is_working_day(date(day)), works);
    }
}
