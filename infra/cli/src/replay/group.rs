//! The accounts of one customer in a run, where one of them can restrict the others.
//!
//! They advance together, from one event to the next, as the functions process them. At an instant all due
//! accounts are assessed first. Then each account whose cross-restriction has changed makes the others apply
//! it, in the order of their ids.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::account::ContactRequest;
use duewatch_domain::account::ImposedBy;
use duewatch_domain::kernel::Revision;
use duewatch_domain::kernel::{plus_days, start_of_day};
use duewatch_domain::{Refusal, Zone};

use super::moments::{Moment, MomentKind, happenings, zones};
use super::walk::AccountWalk;
use super::{EventStep, ReplayCase};

/// The accounts of one customer.
pub(super) struct CustomerGroup<'a> {
    case: &'a ReplayCase,
    /// In the order of their ids.
    pub(super) members: Vec<Member<'a>>,
    zones: Vec<ZoneDays>,
    happenings: Vec<Moment>,
    next: usize,
    is_refused: bool,
}

/// One account of the group.
pub(super) struct Member<'a> {
    /// The index in the case.
    pub(super) place: usize,
    pub(super) walk: AccountWalk<'a>,
    /// Lines of the days that are over in the account's zone and not taken yet.
    lines: VecDeque<Vec<u8>>,
}

/// The progress of a zone through its days.
struct ZoneDays {
    zone: Zone,
    /// The day that ends next.
    day: NaiveDate,
    over_at: DateTime<Utc>,
}

impl ZoneDays {
    fn from(zone: Zone, day: NaiveDate) -> Self {
        Self { zone, day, over_at: start_of_day(zone, plus_days(day, 1)) }
    }
}

impl Member<'_> {
    fn imposed_at_revision(&self) -> Option<Revision> {
        self.walk.account.imposed_at_revision()
    }

    /// Takes the lines of the next days; a day without one gives an empty line.
    pub(super) fn take_lines(&mut self, days: usize) -> Vec<Vec<u8>> {
        let mut lines: Vec<Vec<u8>> = self.lines.drain(..days.min(self.lines.len())).collect();
        lines.resize_with(days, Vec::new);
        lines
    }
}

impl<'a> CustomerGroup<'a> {
    /// A group of walks, each with its index in the case, in that order.
    pub(super) fn new(case: &'a ReplayCase, walks: Vec<(usize, AccountWalk<'a>)>) -> Self {
        let zones = zones(walks.iter().map(|(_, walk)| walk.opening)).into_iter();
        let steps = walks.iter().flat_map(|(_, walk)| walk.steps.iter().copied());
        let mut happenings = happenings(case, walks.iter().map(|(place, _)| *place), steps);
        happenings.sort_unstable();
        let members = walks.into_iter().map(|(place, walk)| Member { place, walk, lines: VecDeque::new() });
        Self {
            case,
            members: members.collect(),
            zones: zones.map(|zone| ZoneDays::from(zone, case.from)).collect(),
            happenings,
            next: 0,
            is_refused: false,
        }
    }

    /// Advances until a day is over in every zone, with or without a line for each day. A refused step ends
    /// the group's run.
    pub(super) fn through(&mut self, last: NaiveDate, write: bool) -> Result<(), (usize, Refusal)> {
        if self.is_refused {
            return Ok(());
        }
        while let Some(moment) = self.next_moment(last) {
            match moment.what {
                MomentKind::DayOver { day, zone } => {
                    self.sweep_until(moment.at - TimeDelta::nanoseconds(1));
                    self.day_over(day, zone, write);
                }
                MomentKind::Open(place) => {
                    self.sweep_until(moment.at);
                    self.open(place, moment.at);
                    self.next += 1;
                }
                MomentKind::Step(place) => {
                    self.sweep_until(moment.at);
                    self.next += 1;
                    if let Some(step) = self.case.steps.get(place)
                        && let Err(refusal) = self.take(step)
                    {
                        self.is_refused = true;
                        return Err((place, refusal));
                    }
                }
            }
        }
        if last == self.case.to
            && let Some(end) = self.case.firings.end()
        {
            self.sweep_until(end);
        }
        Ok(())
    }

    /// `None` once that day is over in every zone.
    fn next_moment(&self, last: NaiveDate) -> Option<Moment> {
        let is_left = self.zones.iter().any(|zone| zone.day <= last);
        let days = self.zones.iter().enumerate().filter(|(_, zone)| zone.day <= self.case.to);
        let days = days.map(|(place, zone)| Moment {
            at: zone.over_at,
            what: MomentKind::DayOver { day: zone.day, zone: place },
        });
        days.chain(self.happenings.get(self.next).copied()).min().filter(|_| is_left)
    }

    fn day_over(&mut self, day: NaiveDate, zone: usize, write: bool) {
        let Some(days) = self.zones.get_mut(zone) else { return };
        *days = ZoneDays::from(days.zone, plus_days(day, 1));
        let zone = days.zone;
        let of_zone = |member: &&mut Member<'_>| member.walk.account.time_zone == zone;
        for member in self.members.iter_mut().filter(of_zone) {
            member.walk.day_over(day);
            if !write {
                continue;
            }
            let mut line = Vec::new();
            member.walk.write(day, &mut line);
            member.lines.push_back(line);
        }
    }

    fn open(&mut self, place: usize, at: DateTime<Utc>) {
        let Some(opened) = self.members.iter().position(|member| member.place == place) else { return };
        let others = self.imposed_on(opened);
        let Some(member) = self.members.get_mut(opened) else { return };
        let mut notices = member.walk.open();
        notices.extend(member.walk.apply_cross_restrictions(others, at).into_iter().flatten());
        member.walk.send_notices(notices, at);
        let asks = member.imposed_at_revision().is_some();
        self.propagate_restrictions(asks.then_some(opened).into_iter().collect(), at);
    }

    fn take(&mut self, step: &EventStep) -> Result<(), Refusal> {
        let Some(place) = self.members.iter().position(|member| member.place == step.account) else {
            return Ok(());
        };
        let Some(member) = self.members.get_mut(place) else { return Ok(()) };
        let before = member.imposed_at_revision();
        member.walk.take(step)?;
        let has_changed = member.imposed_at_revision() != before;
        self.propagate_restrictions(has_changed.then_some(place).into_iter().collect(), step.at);
        Ok(())
    }

    /// Sweeps at each firing that finds a due account.
    fn sweep_until(&mut self, until: DateTime<Utc>) {
        loop {
            let due = self.members.iter().filter_map(|member| member.walk.due_at()).min();
            let firing = due.map(|due| self.case.firings.at_or_after(due));
            let Some(firing) = firing.filter(|firing| *firing <= until) else { return };
            let mut changed = Vec::new();
            for (place, member) in self.members.iter_mut().enumerate() {
                let before = member.imposed_at_revision();
                member.walk.fire(firing);
                changed.extend((member.imposed_at_revision() != before).then_some(place));
            }
            self.propagate_restrictions(changed, firing);
        }
    }

    /// Propagates changed cross-restrictions to the others, and then those that changed thereby: an account
    /// is assessed for elapsed time before it applies restrictions. Applying restrictions never changes an
    /// account's own cross-restriction, so the loop ends.
    fn propagate_restrictions(&mut self, mut changed: Vec<usize>, now: DateTime<Utc>) {
        while !changed.is_empty() {
            let mut restricted: Vec<(usize, Option<Revision>, VecDeque<ContactRequest>)> = Vec::new();
            for teller in std::mem::take(&mut changed) {
                for other in (0..self.members.len()).filter(|other| *other != teller) {
                    let imposed = self.imposed_on(other);
                    let Some(member) = self.members.get_mut(other).filter(|member| member.walk.is_open)
                    else {
                        continue;
                    };
                    let before = member.imposed_at_revision();
                    if let Some(notices) = member.walk.apply_cross_restrictions(imposed, now) {
                        restricted.push((other, before, notices));
                    }
                }
            }
            for (place, before, notices) in restricted {
                let Some(member) = self.members.get_mut(place) else { continue };
                member.walk.send_notices(notices, now);
                changed.extend((member.imposed_at_revision() != before).then_some(place));
            }
        }
    }

    /// The restrictions that the others impose on one account.
    fn imposed_on(&self, place: usize) -> Vec<ImposedBy> {
        let others = self.members.iter().enumerate().filter(|(other, _)| *other != place);
        others.filter_map(|(_, other)| other.walk.account.imposes()).collect()
    }
}
