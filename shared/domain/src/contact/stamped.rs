//! Fields whose latest value stands, whatever the order in which values come.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::EventId;

/// The event that made a fact known, and its instant. At equal instants the id decides, so that every order
/// of arrival gives the same result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    pub at: DateTime<Utc>,
    pub event_id: EventId,
}

/// A value, and the event that made it known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamped<T> {
    pub value: T,
    pub by: Stamp,
}

impl<T> Stamped<T> {
    /// The instant at which the value became known.
    pub const fn at(&self) -> DateTime<Utc> {
        self.by.at
    }
}

/// Stores a value that is later than the known one.
pub(super) fn learn<T>(field: &mut Option<Stamped<T>>, value: T, by: &Stamp) {
    if field.as_ref().is_none_or(|known| known.by < *by) {
        *field = Some(Stamped { value, by: by.clone() });
    }
}

/// The later of two values; where only one is known, that one.
pub(super) fn later<'a, T>(
    one: Option<&'a Stamped<T>>,
    other: Option<&'a Stamped<T>>,
) -> Option<&'a Stamped<T>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one.by < other.by { other } else { one }),
        (one, other) => one.or(other),
    }
}
