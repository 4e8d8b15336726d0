//! The only clock, and the time that is left of an invocation.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// Says what time it is. One clock stamps everything that a handler does.
pub trait Clock: Debug + Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from(std::time::SystemTime::now())
    }
}

/// When an invocation has to be through.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// What a handler keeps in hand to answer before it is cut off.
    pub const RESERVE: Duration = Duration::from_secs(5);

    /// No deadline.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// So long from now.
    #[must_use]
    pub fn within(left: Duration) -> Self {
        Self(Instant::now().checked_add(left))
    }

    /// The deadline that Lambda states, in milliseconds since 1970; 0: none.
    #[must_use]
    pub fn of_lambda(deadline_ms: u64, now: DateTime<Utc>) -> Self {
        if deadline_ms == 0 {
            return Self::none();
        }
        let now_ms = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        Self::within(Duration::from_millis(deadline_ms.saturating_sub(now_ms)))
    }

    /// Whether no new work should be begun.
    #[must_use]
    pub fn is_near(&self) -> bool {
        self.0.is_some_and(|at| at.saturating_duration_since(Instant::now()) < Self::RESERVE)
    }
}
