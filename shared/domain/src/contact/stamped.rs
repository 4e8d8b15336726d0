//! Fields whose latest value stands, whatever the order in which values come.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::{EventId, MAX_SOURCES, Refusal, Source};

/// The event that made a fact known, and its instant. At equal instants the id decides, then the source, so
/// that every order of arrival gives the same result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    pub at: DateTime<Utc>,
    pub event_id: EventId,
    /// The same id from another source is another event.
    #[serde(default, skip_serializing_if = "Source::is_core")]
    pub source: Source,
}

impl Stamp {
    /// The stamp of an event of the lender's own system.
    #[must_use]
    pub fn of_core(at: DateTime<Utc>, event_id: EventId) -> Self {
        Self { at, event_id, source: Source::default() }
    }
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

/// A value that follows the messages as they arrive: those of one source in the order of their instants, of
/// several sources the last to arrive stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrived<T> {
    pub value: T,
    pub by: Stamp,
    /// The last event of each other source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<Stamp>,
}

impl<T> Arrived<T> {
    /// The instant at which the value became known.
    pub const fn at(&self) -> DateTime<Utc> {
        self.by.at
    }

    /// Stores a value that is later than the last one of its source.
    ///
    /// # Errors
    /// [`Refusal::TooManySources`] past [`MAX_SOURCES`].
    pub(super) fn arrive(field: &mut Option<Self>, value: T, by: &Stamp) -> Result<(), Refusal> {
        let Some(known) = field else {
            *field = Some(Self { value, by: by.clone(), others: Vec::new() });
            return Ok(());
        };
        let is_of_source = |stamp: &&Stamp| stamp.source == by.source;
        let last = std::iter::once(&known.by).chain(&known.others).find(is_of_source);
        if last.is_some_and(|last| *last >= *by) {
            return Ok(());
        }
        if last.is_none() && known.others.len() + 1 >= MAX_SOURCES {
            return Err(Refusal::TooManySources);
        }
        let before = std::mem::replace(&mut known.by, by.clone());
        known.value = value;
        known.others.retain(|stamp| stamp.source != by.source);
        if before.source != by.source {
            known.others.push(before);
        }
        Ok(())
    }
}
