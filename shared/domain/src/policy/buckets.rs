//! Delinquency buckets: the overdue installments by their own days past due.

use serde::Deserialize;

use super::Policy;
use super::bounds::MAX_DAYS;

/// The most buckets of a policy.
pub const MAX_BUCKETS: usize = 20;

/// A range of days past due, up to the next bucket's (Fineract's delinquency ranges).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Unique within the policy.
    pub name: String,
    /// The first day past due that belongs to it.
    pub days_past_due: u32,
}

/// The first fault of a policy's buckets. The first one begins on day 1, so that they add up to what is overdue.
pub(super) fn check(policy: &Policy) -> Result<(), String> {
    let buckets = &policy.buckets;
    if buckets.len() > MAX_BUCKETS {
        return Err(format!("buckets: at most {MAX_BUCKETS}"));
    }
    let mut before = 0;
    for (place, Bucket { name, days_past_due }) in buckets.iter().enumerate() {
        if name.trim().is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
            return Err(format!("buckets.name: \"{name}\" is no name: 1 to 64 bytes, no control characters"));
        }
        if buckets[..place].iter().any(|other| other.name == *name) {
            return Err(format!("buckets.name: \"{name}\" is there already; each has a name of its own"));
        }
        if place == 0 && *days_past_due != 1 {
            return Err(format!(
                "buckets: \"{name}\": days_past_due: {days_past_due}; the first begins on day 1"
            ));
        }
        if *days_past_due <= before || *days_past_due > MAX_DAYS {
            return Err(format!(
                "buckets: \"{name}\": days_past_due: {days_past_due} is not between {} and {MAX_DAYS}",
                before + 1
            ));
        }
        before = *days_past_due;
    }
    Ok(())
}
