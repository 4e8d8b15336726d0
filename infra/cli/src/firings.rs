//! The firings of the sweep on a simulated clock.

use chrono::{DateTime, TimeDelta, Utc};

/// The rate of the sweep, as the template declares it: a replay without a stack reads no template.
pub const SWEEP_EVERY: TimeDelta = TimeDelta::minutes(15);

/// The firings of a schedule, counted from midnight UTC, and a last one at the end of each time zone's last
/// day, so that a change in a run's last second is still found.
#[derive(Clone, Debug)]
pub struct Firings {
    every: TimeDelta,
    closing: Vec<DateTime<Utc>>,
}

impl Firings {
    /// A schedule that fires at a fixed rate, and at the given instants besides.
    #[must_use]
    pub fn new(every: TimeDelta, mut closing: Vec<DateTime<Utc>>) -> Self {
        closing.sort_unstable();
        closing.dedup();
        Self { every: every.max(TimeDelta::seconds(1)), closing }
    }

    /// The first firing at or after an instant.
    #[must_use]
    pub fn at_or_after(&self, instant: DateTime<Utc>) -> DateTime<Utc> {
        let every = self.every.num_seconds();
        let seconds = instant.timestamp() + i64::from(instant.timestamp_subsec_nanos() > 0);
        let scheduled =
            DateTime::from_timestamp(seconds + (-seconds).rem_euclid(every), 0).unwrap_or(instant);
        let closing = self.closing.get(self.closing.partition_point(|closing| *closing < instant));
        closing.map_or(scheduled, |closing| scheduled.min(*closing))
    }

    /// The last closing instant; no firing follows it.
    #[must_use]
    pub fn end(&self) -> Option<DateTime<Utc>> {
        self.closing.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "local")]
    #[test]
    fn a_replay_sweeps_as_often_as_the_template_says() {
        assert_eq!(SWEEP_EVERY, duewatch_stack::sweep_every().unwrap());
    }

    #[test]
    fn a_schedule_fires_on_its_grid_and_at_the_close() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let firings = Firings::new(TimeDelta::minutes(15), vec![at("2023-10-05T15:59:59Z")]);
        let next = |text: &str| firings.at_or_after(at(text));
        assert_eq!(next("2023-10-05T12:00:00Z"), at("2023-10-05T12:00:00Z"));
        assert_eq!(next("2023-10-05T12:00:00.5Z"), at("2023-10-05T12:15:00Z"));
        assert_eq!(next("2023-10-05T12:00:01Z"), at("2023-10-05T12:15:00Z"));
        assert_eq!(next("2023-10-05T15:50:00Z"), at("2023-10-05T15:59:59Z"));
        assert_eq!(next("2023-10-05T15:59:59.5Z"), at("2023-10-05T16:00:00Z"));
        assert_eq!(next("1969-12-31T23:50:00Z"), at("1970-01-01T00:00:00Z"));
    }
}
