//! The clock of the local stack: simulated or real.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use duewatch_app::{Clock, SystemClock};

/// The clock of the local stack: simulated, or the machine's own.
#[derive(Clone, Debug)]
pub enum StackClock {
    /// It stands until it is set.
    Simulated(Arc<Mutex<DateTime<Utc>>>),
    /// It runs.
    System,
}

impl StackClock {
    /// A simulated clock at `now`.
    #[must_use]
    pub fn simulated(now: DateTime<Utc>) -> Self {
        Self::Simulated(Arc::new(Mutex::new(now)))
    }

    /// Sets a simulated clock, which never goes back. Does nothing to the machine's own.
    pub fn set(&self, now: DateTime<Utc>) {
        if let Self::Simulated(clock) = self {
            let mut clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
            *clock = now.max(*clock);
        }
    }
}

impl Clock for StackClock {
    fn now(&self) -> DateTime<Utc> {
        match self {
            Self::Simulated(clock) => *clock.lock().unwrap_or_else(PoisonError::into_inner),
            Self::System => SystemClock.now(),
        }
    }
}

/// The embedded DynamoDB stamps its stream records by the same clock.
impl dynoxide::storage_backend::Clock for StackClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.now().timestamp()).unwrap_or_default()
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::float_arithmetic,
        reason = "the engine asks for a float; microseconds fit into its 52 bits until the year 2112"
    )]
    fn now_unix_secs_f64(&self) -> f64 {
        self.now().timestamp_micros() as f64 / 1_000_000.0
    }
}
