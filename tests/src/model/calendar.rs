//! Dates in a time zone, by another library and other tables than the domain's.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use duewatch_domain::Zone;
use duewatch_domain::kernel::DayCount;
use duewatch_domain::policy::{BusinessDays, DueDateMove};

#[expect(clippy::expect_used, reason = "both know the same names, and a test of the domain sees to it")]
pub(super) fn zone(zone: Zone) -> Tz {
    zone.name().parse().expect("an IANA name")
}

pub(super) fn next(date: NaiveDate) -> NaiveDate {
    date + Days::new(1)
}

/// The date by which an installment due on `due_on` is to be paid, found by trying one day after the other.
pub(super) fn moved(rule: &BusinessDays, due_on: NaiveDate) -> NaiveDate {
    let is_worked = |day: &NaiveDate| rule.calendar.is_working_day(*day);
    let in_its_month = |day: &NaiveDate| (day.year(), day.month()) == (due_on.year(), due_on.month());
    let search = |days: i64| {
        let mut day = due_on;
        while !is_worked(&day) {
            day += TimeDelta::days(days);
        }
        day
    };
    let (before, after) = (search(-1), search(1));
    if rule.month_end && !in_its_month(&next(due_on)) {
        return before;
    }
    match rule.moves {
        DueDateMove::Next => after,
        DueDateMove::Previous => before,
        DueDateMove::ModifiedNext => {
            if in_its_month(&after) {
                after
            } else {
                before
            }
        }
        DueDateMove::ModifiedPrevious => {
            if in_its_month(&before) {
                before
            } else {
                after
            }
        }
    }
}

/// The first instant at which the zone's clock shows `time` on `date`; where the clock skips that time, the
/// first instant after it, and where it skips the date, the time of the next date.
pub(super) fn local(zone: Tz, date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let shown = |local| zone.from_local_datetime(&local).earliest();
    let (mut local, second) = (date.and_time(time), TimeDelta::seconds(1));
    if let Some(instant) = shown(local) {
        return instant.to_utc();
    }
    if !(0..24 * 60).any(|minute| shown(date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minute)).is_some())
    {
        return self::local(zone, next(date), time);
    }
    // Steps by minutes through the skipped hour, then back to its very end.
    while shown(local).is_none() {
        local += TimeDelta::minutes(1);
    }
    while shown(local - second).is_some() {
        local -= second;
    }
    shown(local).map_or(DateTime::<Utc>::MAX_UTC, |instant| instant.to_utc())
}

/// The first instant of a date; of a date that the zone skips, the first instant after it.
pub(super) fn begin(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    local(zone, date, NaiveTime::MIN)
}

pub(super) fn last_second(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    begin(zone, next(date)) - TimeDelta::seconds(1)
}

/// The instant from which a date counts.
pub(super) fn counts_from(zone: Tz, count: DayCount, date: NaiveDate) -> DateTime<Utc> {
    match count {
        DayCount::DayAfter => begin(zone, date),
        DayCount::DueDay => last_second(zone, date),
    }
}

/// The latest date that counts at `now`.
pub(super) fn judged_day(zone: Tz, count: DayCount, now: DateTime<Utc>) -> NaiveDate {
    let mut day = now.with_timezone(&zone).date_naive() - Days::new(2);
    while counts_from(zone, count, next(day)) <= now {
        day = next(day);
    }
    day
}

/// The latest date that has begun.
pub(super) fn business_date(zone: Tz, now: DateTime<Utc>) -> NaiveDate {
    judged_day(zone, DayCount::DayAfter, now)
}
