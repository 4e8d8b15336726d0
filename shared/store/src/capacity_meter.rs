//! Requests and capacity units that the tables charge, counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Requests and capacity units since the start, by operation and table.
#[derive(Debug, Default)]
pub struct CapacityMeter {
    counts: Mutex<BTreeMap<(&'static str, String), Consumed>>,
}

/// The requests and capacity of one operation on one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consumed {
    pub requests: u64,
    /// Half capacity units: an eventually consistent read costs one of them.
    pub half_units: u64,
}

impl Consumed {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.half_units += other.half_units;
    }
}

impl CapacityMeter {
    /// Counts one request, with the capacity that its answer states.
    pub(crate) fn count(&self, operation: &'static str, table: &str, consumed: &[ConsumedCapacity]) {
        let units: f64 = consumed.iter().filter_map(ConsumedCapacity::capacity_units).sum();
        #[expect(
            clippy::float_arithmetic,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "DynamoDB states units as floats; they are multiples of one half, far below 2^53"
        )]
        let half_units = (units * 2.0).round() as u64;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.entry((operation, table.to_owned())).or_default().add(Consumed { requests: 1, half_units });
    }

    /// The counts so far, by operation and table.
    #[must_use]
    pub fn read(&self) -> BTreeMap<(&'static str, String), Consumed> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The sum of one operation over all tables.
    #[must_use]
    pub fn of(&self, operation: &str) -> Consumed {
        let mut sum = Consumed::default();
        for ((name, _), consumed) in self.read() {
            if name == operation {
                sum.add(consumed);
            }
        }
        sum
    }
}
