//! Quiet hours, by the borrower's local clock.
//!
//! An hour that the clock shows twice is quiet both times; an hour that it skips never comes.

use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};

use crate::commands::AgreedHours;
use crate::kernel::{Zone, at_local_time, plus_days};
use crate::policy::{Channel, QuietHours};

/// The number of days searched for the end of quiet hours. No policy is quiet all day, and no clock skips
/// more than one day.
const SEARCHED_DAYS: i64 = 4;

/// The quiet hours of a borrower on one channel.
pub(super) struct QuietSchedule<'a> {
    pub(super) zone: Zone,
    pub(super) channel: Channel,
    pub(super) rules: &'a [QuietHours],
    pub(super) agreed: &'a [AgreedHours],
}

impl<'a> QuietSchedule<'a> {
    /// The quiet hours at an instant; none: outside quiet hours.
    pub(super) fn at(&self, now: DateTime<Utc>) -> Option<&'a QuietHours> {
        let time = now.with_timezone(&self.zone).naive_local().time();
        let is_agreed = self.agreed.iter().any(|hours| is_within(time, hours.from, hours.until));
        self.rules.iter().find(|hours| {
            hours.channels.contains(&self.channel)
                && is_within(time, hours.from, hours.until)
                && !(hours.unless_agreed && is_agreed)
        })
    }

    /// The first instant after `now`, itself within quiet hours, at which quiet hours end or agreed ones
    /// begin and no others hold.
    pub(super) fn over_after(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let today = now.with_timezone(&self.zone).naive_local().date();
        let ends = self.rules.iter().map(|hours| hours.until);
        let times: Vec<NaiveTime> = ends.chain(self.agreed.iter().map(|hours| hours.from)).collect();
        let mut instants: Vec<DateTime<Utc>> = (-1..SEARCHED_DAYS)
            .flat_map(|days| times.iter().map(move |time| (plus_days(today, days), *time)))
            .flat_map(|(date, time)| self.instants(date, time))
            .filter(|instant| *instant > now)
            .collect();
        instants.sort_unstable();
        let over = instants.iter().copied().find(|instant| self.at(*instant).is_none());
        over.unwrap_or(now + TimeDelta::days(SEARCHED_DAYS))
    }

    /// The instants of a local time: one, two where the clock shows it twice, or right after where it skips
    /// it.
    fn instants(&self, date: NaiveDate, time: NaiveTime) -> [DateTime<Utc>; 2] {
        match self.zone.from_local_datetime(&date.and_time(time)) {
            MappedLocalTime::Ambiguous(one, other) => [one.to_utc(), other.to_utc()],
            _ => [at_local_time(self.zone, date, time); 2],
        }
    }
}

/// Whether a local time lies in `[from, until)`, which may run past midnight.
fn is_within(time: NaiveTime, from: NaiveTime, until: NaiveTime) -> bool {
    if from < until { from <= time && time < until } else { from <= time || time < until }
}
