//! A field of which the latest value stands, whatever the order in which values come.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::EventId;

/// When something became known, and by which event. Of two at one instant the id decides, so
/// that every order of arrival leads to the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// When.
    pub at: DateTime<Utc>,
    /// By which event.
    pub event_id: EventId,
}

/// A value, and since when it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known<T> {
    /// What is known.
    pub value: T,
    /// By which event, and when.
    pub by: Stamp,
}

impl<T> Known<T> {
    /// When it became known.
    pub const fn at(&self) -> DateTime<Utc> {
        self.by.at
    }
}

/// Takes a value where it is later than the one that is known.
pub(super) fn learn<T>(field: &mut Option<Known<T>>, value: T, by: &Stamp) {
    if field.as_ref().is_none_or(|known| known.by < *by) {
        *field = Some(Known { value, by: by.clone() });
    }
}

/// The later of two; of something and nothing the something.
pub(super) fn later<'a, T>(one: Option<&'a Known<T>>, other: Option<&'a Known<T>>) -> Option<&'a Known<T>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one.by < other.by { other } else { one }),
        (one, other) => one.or(other),
    }
}
