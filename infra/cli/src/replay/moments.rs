//! The moments of a case, in their order.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::Zone;

use super::{Opening, ReplayCase};

/// An instant and its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) at: DateTime<Utc>,
    pub(super) what: MomentKind,
}

/// The kinds of events in their order at one instant: a day ends before another begins, and accounts open
/// before any other event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MomentKind {
    /// The day of a zone is over.
    DayOver { day: NaiveDate, zone: usize },
    /// An account opens: its index in the case.
    Open(usize),
    /// An event becomes known: its index in the case.
    Step(usize),
}

/// The distinct time zones of accounts.
pub(super) fn zones<'a>(openings: impl Iterator<Item = &'a Opening>) -> Vec<Zone> {
    let names: BTreeMap<&str, Zone> =
        openings.map(|one| (one.account.time_zone.name(), one.account.time_zone)).collect();
    names.into_values().collect()
}

/// The openings of these accounts and the instants of these events, unsorted.
pub(super) fn happenings(
    case: &ReplayCase,
    openings: impl Iterator<Item = usize>,
    steps: impl Iterator<Item = usize>,
) -> Vec<Moment> {
    let opened = openings.filter_map(|place| {
        let opening = case.openings.get(place)?;
        (opening.opens_at < opening.closes_before)
            .then_some(Moment { at: opening.opens_at, what: MomentKind::Open(place) })
    });
    let mut moments: Vec<Moment> = opened.collect();
    moments.extend(
        steps.filter_map(|place| {
            Some(Moment { at: case.steps.get(place)?.at, what: MomentKind::Step(place) })
        }),
    );
    moments
}
