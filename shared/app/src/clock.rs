//! The only clock, and the remaining time of an invocation.

use std::fmt::Debug;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::Refusal;

use crate::RecordError;

/// Checks that a sender's instant, the field `at`, is at most half an hour later than now.
///
/// # Errors
/// Poison where it is later.
pub(crate) fn check_not_ahead(at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), RecordError> {
    Refusal::unless_ahead("at", at, now).map_err(RecordError::poison)
}

/// The source of the current time. One clock stamps everything that a handler does.
pub trait Clock: Debug + Send + Sync {
    /// The current instant.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from(std::time::SystemTime::now())
    }
}

/// The deadline of an invocation, by the clock that stamps it.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<DateTime<Utc>>);

impl Deadline {
    /// The time that a handler reserves for its answer before Lambda cuts it off.
    pub const RESERVE: TimeDelta = TimeDelta::seconds(5);

    /// No deadline.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// The deadline at that instant.
    #[must_use]
    pub const fn at(at: DateTime<Utc>) -> Self {
        Self(Some(at))
    }

    /// The deadline that Lambda states, in milliseconds since 1970. A deadline before the invocation's start
    /// counts as none: `cargo lambda watch` states a constant.
    #[must_use]
    pub fn of_lambda(deadline_ms: u64, now: DateTime<Utc>) -> Self {
        let at = i64::try_from(deadline_ms).ok().and_then(DateTime::from_timestamp_millis);
        Self(at.filter(|at| *at > now))
    }

    /// Whether the handler must not begin new work.
    #[must_use]
    pub fn is_near(&self, now: DateTime<Utc>) -> bool {
        self.0.is_some_and(|at| at - now < Self::RESERVE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_near_when_little_is_left_of_it() {
        let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let now_ms = u64::try_from(now.timestamp_millis()).unwrap();
        assert!(Deadline::of_lambda(now_ms + 1_000, now).is_near(now));
        assert!(!Deadline::of_lambda(now_ms + 600_000, now).is_near(now));
        assert!(!Deadline::of_lambda(0, now).is_near(now));
        assert!(!Deadline::of_lambda(600_000, now).is_near(now));
    }
}
