//! The deadlines of a case, and the next instant at which time brings something new.
//!
//! A deadline follows from the facts alone. While the clock of the answer stands still, its deadline is the one that
//! holds if the clock uses up all days that the policy allows: so an open case always has a date.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::apply::close;
use super::case::{Case, DeadlineKind, MissedDeadline};
use crate::account::CaseOutcome;
use crate::kernel::{Actor, business_date, days_between, earlier, plus_days, start_of_day};
use crate::policy::{BreachEffect, CaseKindRules, CaseTerm, TermAnchor};

/// The reason of a case that was decided for the borrower because nobody answered.
const UNANSWERED: &str = "not answered in time";

/// A case as it stands at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseAssessment {
    /// Those that the policy sets, the earliest first.
    pub deadlines: Vec<CaseDeadline>,
    /// Whether time has brought something new: a deadline is missed and not recorded as such, or a command is not
    /// filed.
    pub has_news: bool,
    /// The earliest instant at which time brings something new if no fact changes; none: never.
    pub next_action_at: Option<DateTime<Utc>>,
}

/// A deadline of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseDeadline {
    pub kind: DeadlineKind,
    /// The last date on which it can be met.
    pub due_on: NaiveDate,
    /// The first instant after that date.
    pub over_at: DateTime<Utc>,
    pub state: DeadlineState,
}

/// Whether a deadline is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadlineState {
    Met,
    Open,
    Missed,
}

/// Derives the deadlines of a case at `now`.
#[must_use]
pub fn assess_case(case: &Case, rules: &CaseKindRules, now: DateTime<Utc>) -> CaseAssessment {
    let mut deadlines = deadlines(case, rules, now);
    deadlines.sort_by_key(|deadline| (deadline.due_on, deadline.kind));
    let waits = |deadline: &&CaseDeadline| deadline.state != DeadlineState::Met && case.is_open();
    let unrecorded = |deadline: &&CaseDeadline| !case.missed.iter().any(|known| known.kind == deadline.kind);
    let over = deadlines.iter().filter(waits).filter(unrecorded).map(|deadline| deadline.over_at).min();
    let pending = case.pending_effect().map(|(_, effect)| effect.at);
    let next_action_at = earlier(over, pending).map(whole_second);
    CaseAssessment { has_news: next_action_at.is_some_and(|at| at <= now), deadlines, next_action_at }
}

impl Case {
    /// The case with the deadlines that were missed by `now`, and what follows from them; none: time brought nothing.
    #[must_use]
    pub fn let_time_pass(&self, rules: &CaseKindRules, now: DateTime<Utc>) -> Option<Self> {
        if !self.is_open() {
            return None;
        }
        let is_new = |deadline: &CaseDeadline| {
            deadline.state == DeadlineState::Missed
                && !self.missed.iter().any(|known| known.kind == deadline.kind)
        };
        let mut missed = deadlines(self, rules, now);
        missed.retain(is_new);
        if missed.is_empty() {
            return None;
        }
        let mut case = self.next_revision();
        let mut is_upheld = false;
        for CaseDeadline { kind, due_on, .. } in missed {
            case.missed.push(MissedDeadline { kind, due_on, found_at: now });
            let breach = term(rules, kind).map_or(&[][..], |term| &term.breach);
            if kind == DeadlineKind::Escalate || breach.contains(&BreachEffect::Escalate) {
                case.escalated_at.get_or_insert(now);
            }
            is_upheld |= breach.contains(&BreachEffect::Uphold);
        }
        if is_upheld {
            close(&mut case, CaseOutcome::Upheld, &Actor::duewatch(), UNANSWERED, now).ok()?;
        }
        Some(case)
    }
}

/// The first date on which a case may be rejected; none: at once.
pub(super) fn not_rejected_before(case: &Case, rules: &CaseKindRules) -> Option<NaiveDate> {
    rules.not_before.as_ref().map(|term| term.after(anchor(case, term), 0))
}

/// The last date of a deadline, and the first instant after it. A deadline that the policy does not set has those of
/// the answer.
pub(super) fn over_at(case: &Case, rules: &CaseKindRules, kind: DeadlineKind) -> (NaiveDate, DateTime<Utc>) {
    let term = term(rules, kind).unwrap_or(&rules.answer);
    let extensions = if kind == DeadlineKind::Answer { case.extensions } else { 0 };
    let run_out = term.after(anchor(case, term), extensions);
    let due_on = match kind {
        DeadlineKind::Acknowledge => run_out,
        DeadlineKind::Escalate | DeadlineKind::Answer => match stopped_days(case, rules) {
            0 => run_out,
            days => term.on_working_day(plus_days(run_out, days)),
        },
    };
    (due_on, start_of_day(case.time_zone, plus_days(due_on, 1)))
}

fn deadlines(case: &Case, rules: &CaseKindRules, now: DateTime<Utc>) -> Vec<CaseDeadline> {
    let kinds = [DeadlineKind::Acknowledge, DeadlineKind::Escalate, DeadlineKind::Answer];
    let set = kinds.into_iter().filter(|kind| term(rules, *kind).is_some());
    let answered_at = case.closed().map(|closed| closed.at);
    let deadline = |kind| {
        let (due_on, over_at) = over_at(case, rules, kind);
        let met_at = match kind {
            DeadlineKind::Acknowledge => earlier(case.acknowledged_at, answered_at),
            DeadlineKind::Escalate | DeadlineKind::Answer => answered_at,
        };
        let is_missed = case.missed.iter().any(|missed| missed.kind == kind);
        let state = match met_at {
            _ if is_missed => DeadlineState::Missed,
            Some(at) if at < over_at => DeadlineState::Met,
            None if now < over_at => DeadlineState::Open,
            _ => DeadlineState::Missed,
        };
        CaseDeadline { kind, due_on, over_at, state }
    };
    set.map(deadline).collect()
}

fn term(rules: &CaseKindRules, kind: DeadlineKind) -> Option<&CaseTerm> {
    match kind {
        DeadlineKind::Acknowledge => rules.acknowledge.as_ref(),
        DeadlineKind::Escalate => rules.escalate.as_ref(),
        DeadlineKind::Answer => Some(&rules.answer),
    }
}

fn anchor(case: &Case, term: &CaseTerm) -> NaiveDate {
    let opened_on = business_date(case.time_zone, case.opened_at);
    match term.from {
        TermAnchor::Opened => opened_on,
        TermAnchor::Event => case.event_on.unwrap_or(opened_on),
    }
}

/// The days on which the clock stood still, from one local date to the next, within the policy's bound. A stop that
/// goes on counts with all days that are left.
fn stopped_days(case: &Case, rules: &CaseKindRules) -> i64 {
    let most = rules.most_stopped_days();
    let day_of = |at| business_date(case.time_zone, at);
    let days = case.stops.iter().map(|stop| match stop.until {
        Some(until) => days_between(day_of(stop.from), day_of(until)),
        None => most,
    });
    days.sum::<i64>().min(most)
}

/// The same instant, or the next whole second: an index has no parts of seconds.
fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    let parts = TimeDelta::nanoseconds(i64::from(at.timestamp_subsec_nanos()));
    if parts.is_zero() { at } else { at - parts + TimeDelta::seconds(1) }
}
