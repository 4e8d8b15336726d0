//! Business dates, and the instants at which they begin in a time zone.
//!
//! A local time in a skipped or a repeated hour occurs exactly once. A missing local midnight is the first
//! instant of its date. Each time of a date that a zone skips altogether is that time of the next date.

use chrono::{
    DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone,
    Timelike, Utc,
};

use super::zone::Zone;

/// The earliest date that any fact may bear.
pub const FIRST_DATE: NaiveDate = date_or_epoch(1900, 1, 1);

/// The latest date that any fact may bear.
pub const LAST_DATE: NaiveDate = date_or_epoch(2999, 12, 31);

const fn date_or_epoch(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => NaiveDate::MIN,
    }
}

/// Whether a fact may bear the date: [`FIRST_DATE`] to [`LAST_DATE`].
#[must_use]
pub fn is_in_range(date: NaiveDate) -> bool {
    (FIRST_DATE..=LAST_DATE).contains(&date)
}

/// The business date at an instant, and whether its last second has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalDay {
    pub(super) date: NaiveDate,
    pub(super) in_last_second: bool,
}

impl LocalDay {
    /// No zone has set its clock back by more than three hours since 1971, so
    /// only the evening can belong to a date that began already.
    const EVENING_HOUR: u32 = 20;
    const LAST_YEAR_OF_WILD_CLOCKS: i32 = 1971;

    pub(crate) fn at(zone: Zone, now: DateTime<Utc>) -> Self {
        let local = now.with_timezone(&zone).naive_local();
        let date = local.date();
        if local.hour() < Self::EVENING_HOUR && date.year() > Self::LAST_YEAR_OF_WILD_CLOCKS {
            return Self { date, in_last_second: false };
        }
        let tomorrow = plus_days(date, 1);
        let begun = start_of_day(zone, tomorrow);
        if now < begun {
            return Self { date, in_last_second: now >= begun - TimeDelta::seconds(1) };
        }
        Self { date: tomorrow, in_last_second: now >= end_of_day(zone, tomorrow) }
    }
}

/// The business date at `now`: the latest date that has begun in the zone.
///
/// The business date never runs backwards, even where a clock is set back across midnight.
#[must_use]
pub fn business_date(zone: Zone, now: DateTime<Utc>) -> NaiveDate {
    LocalDay::at(zone, now).date
}

/// The first instant whose local date is `date` or later.
#[must_use]
pub fn start_of_day(zone: Zone, date: NaiveDate) -> DateTime<Utc> {
    at_local_time(zone, date, NaiveTime::MIN)
}

/// The last whole second before the next date begins.
#[must_use]
pub fn end_of_day(zone: Zone, date: NaiveDate) -> DateTime<Utc> {
    start_of_day(zone, plus_days(date, 1)) - TimeDelta::seconds(1)
}

/// The last instant before the next date begins.
#[must_use]
pub fn last_instant_of_day(zone: Zone, date: NaiveDate) -> DateTime<Utc> {
    start_of_day(zone, plus_days(date, 1)) - TimeDelta::nanoseconds(1)
}

/// The first instant from `from` on at which the zone's clock shows `time`.
#[must_use]
pub fn next_local_time(zone: Zone, time: NaiveTime, from: DateTime<Utc>) -> DateTime<Utc> {
    let today = business_date(zone, from);
    // A clock that is set back may have begun a date before it shows the time of the date before.
    let mut dates = (-1..=2).map(|days| at_local_time(zone, plus_days(today, days), time));
    dates.find(|at| *at >= from).unwrap_or(from)
}

/// The first instant at which the zone's clock shows `time` on `date`; if the clock skips it, the first
/// instant after, and if the zone skips the date, that time of the next one.
#[must_use]
pub fn at_local_time(zone: Zone, date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let local = date.and_time(time);
    match zone.settled_at(&local).and_then(|offset| local.checked_sub_offset(offset)) {
        Some(utc) => utc.and_utc(),
        None => at_unsettled_time(zone, local),
    }
}

/// The same while the zone's clock may still change. Apart, for the other case is by far the most frequent one.
#[inline(never)]
fn at_unsettled_time(zone: Zone, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) => instant.to_utc(),
        LocalResult::Ambiguous(first, second) => first.min(second).to_utc(),
        LocalResult::None => {
            let next = plus_days(local.date(), 1);
            let begins = after_gap(zone, local.date().and_time(NaiveTime::MIN));
            if local.time() != NaiveTime::MIN && begins.with_timezone(&zone).date_naive() >= next {
                return at_local_time(zone, next, local.time());
            }
            after_gap(zone, local)
        }
    }
}

/// The first second at which the zone's clock has passed a time, found by bisection. No gap is longer than a day, no
/// offset larger than 16 hours.
fn after_gap(zone: Zone, local: NaiveDateTime) -> DateTime<Utc> {
    let mut before = local.and_utc() - TimeDelta::hours(48);
    let mut after = local.and_utc() + TimeDelta::hours(48);
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if middle.with_timezone(&zone).naive_local() < local {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

/// `date` moved by `days`, clamped to the dates that the type holds.
#[must_use]
pub fn plus_days(date: NaiveDate, days: i64) -> NaiveDate {
    let moved = if days < 0 {
        date.checked_sub_days(Days::new(days.unsigned_abs()))
    } else {
        date.checked_add_days(Days::new(days.unsigned_abs()))
    };
    moved.unwrap_or(if days < 0 { FIRST_DATE } else { LAST_DATE })
}

/// `date` moved on by whole months, clamped to the dates that the type holds. A day that the month does not
/// have becomes the month's last.
#[must_use]
pub fn plus_months(date: NaiveDate, months: u32) -> NaiveDate {
    date.checked_add_months(Months::new(months)).unwrap_or(LAST_DATE)
}

/// Whole days from `from` to `to`; negative when `to` is earlier.
#[must_use]
pub fn days_between(from: NaiveDate, to: NaiveDate) -> i64 {
    (to - from).num_days()
}

pub(crate) fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::kernel::DayCount;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("Asia/Shanghai", "2023-10-05", "2023-10-04T16:00:00Z")]
    #[case::midnight_skipped("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z")]
    #[case::midnight_skipped("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z")]
    #[case::midnight_repeated("America/Havana", "2023-11-05", "2023-11-05T04:00:00Z")]
    #[case::date_skipped("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z")]
    #[case::date_after("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z")]
    fn a_date_begins_at_its_first_instant(
        #[case] zone: Zone,
        #[case] day: &str,
        #[case] expected: DateTime<Utc>,
    ) {
        assert_eq!(start_of_day(zone, date(day)), expected);
    }

    #[rstest]
    #[case::repeated_hour("America/New_York", "2023-11-05", "01:30:00", "2023-11-05T05:30:00Z")]
    #[case::skipped_hour("America/New_York", "2023-03-12", "02:30:00", "2023-03-12T07:00:00Z")]
    #[case::skipped_midnight("America/Sao_Paulo", "2018-11-04", "00:30:00", "2018-11-04T03:00:00Z")]
    #[case::skipped_date("Pacific/Apia", "2011-12-30", "10:00:00", "2011-12-30T20:00:00Z")]
    #[case::date_after_it("Pacific/Apia", "2011-12-31", "10:00:00", "2011-12-30T20:00:00Z")]
    #[case::skipped_date("Pacific/Kwajalein", "1993-08-21", "09:30:00", "1993-08-21T21:30:00Z")]
    fn a_local_time_runs_once(
        #[case] zone: Zone,
        #[case] day: &str,
        #[case] time: NaiveTime,
        #[case] expected: DateTime<Utc>,
    ) {
        assert_eq!(at_local_time(zone, date(day), time), expected);
    }

    #[rstest]
    #[case("2021-03-31T23:59:58", "2021-03-30")]
    #[case("2021-03-31T23:59:59", "2021-03-31")]
    #[case("2021-04-01T00:00:00", "2021-03-31")]
    fn under_due_day_a_date_counts_from_its_last_second(#[case] local: &str, #[case] judged: &str) {
        let zone: Zone = "Asia/Kolkata".parse().unwrap();
        let local: chrono::NaiveDateTime = local.parse().unwrap();
        let now = zone.from_local_datetime(&local).unwrap().to_utc();
        assert_eq!(DayCount::DueDay.judged_day(zone, now), date(judged));
    }

    // Newfoundland set its clock back by an hour at one minute past midnight.
    #[rstest]
    #[case::second_evening("America/St_Johns", "2006-10-29T03:00:00Z", "2006-10-29", "2006-10-28")]
    #[case::its_last_second("America/St_Johns", "2006-10-29T03:29:59Z", "2006-10-29", "2006-10-28")]
    fn a_date_that_has_begun_goes_on_though_the_clock_is_set_back(
        #[case] zone: Zone,
        #[case] now: DateTime<Utc>,
        #[case] business: &str,
        #[case] judged: &str,
    ) {
        assert!(now.with_timezone(&zone).date_naive() < date(business));
        assert_eq!(business_date(zone, now), date(business));
        assert_eq!(DayCount::DueDay.judged_day(zone, now), date(judged));
    }

    #[rstest]
    #[case(0, "2023-10-05")]
    #[case(27, "2023-11-01")]
    #[case(-5, "2023-09-30")]
    #[case::beyond_all_dates(i64::MAX, "2999-12-31")]
    #[case::before_all_dates(i64::MIN, "1900-01-01")]
    fn a_date_moves_by_days_and_stays_a_date(#[case] days: i64, #[case] moved: &str) {
        assert_eq!(plus_days(date("2023-10-05"), days), date(moved));
    }

    proptest! {
        #[test]
        fn dates_begin_in_order_and_hold_until_the_next(
            zone in crate::kernel::zone::tests::any(),
            days in 0_i64..47_000,
            second in 0_i64..86_400,
        ) {
            let day = plus_days(date("1972-01-02"), days % 40_000);
            let begin = start_of_day(zone, day);
            let next = start_of_day(zone, plus_days(day, 1));
            prop_assert!(begin <= next);
            prop_assert!(business_date(zone, begin) >= day);
            prop_assert!(business_date(zone, begin - TimeDelta::seconds(1)) < day);
            let within = begin + TimeDelta::seconds(second);
            if within < next {
                prop_assert_eq!(business_date(zone, within), day);
            }
            for count in [DayCount::DayAfter, DayCount::DueDay] {
                let from = count.begin(zone, day);
                prop_assert!(count.judged_day(zone, from) >= day);
                prop_assert!(count.judged_day(zone, from - TimeDelta::seconds(1)) < day);
            }
        }
    }
}
