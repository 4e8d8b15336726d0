//! Actions on a case.

use chrono::{DateTime, Utc};

use super::assess::{not_rejected_before, over_at};
use super::case::{Case, CaseAddition, CaseState, ClockStop, ClosedCase, DeadlineKind};
use super::effect::{CaseEffect, EffectState};
use super::refusal::CaseRefusal;
use crate::account::CaseOutcome;
use crate::kernel::{
    Actor, ActorKind, MAX_CASE_ADDITIONS, MAX_CASE_TEXT_BYTES, MAX_CLOCK_STOPS, business_date, person_in,
};
use crate::policy::CaseKindRules;

/// An action on an open case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseAction {
    /// The borrower was told that the case has arrived.
    Acknowledge,
    /// A further text.
    Add(String),
    /// The clock of the answer stops, for one of the policy's reasons.
    StopClock(String),
    /// The clock goes on from an instant, which may lie back.
    RestartClock(DateTime<Utc>),
    /// The answer has until the policy's next longer term.
    Extend,
    /// For the borrower.
    Uphold {
        reason: String,
    },
    Reject {
        reason: String,
    },
    /// The borrower no longer pursues the case.
    Withdraw {
        reason: String,
    },
}

/// The case after an action that was taken at `at`.
///
/// # Errors
/// A [`CaseRefusal`]; a closed case refuses every action.
pub fn apply(
    case: &Case,
    rules: &CaseKindRules,
    action: &CaseAction,
    actor: &Actor,
    at: DateTime<Utc>,
) -> Result<Case, CaseRefusal> {
    if let Some(closed) = case.closed() {
        return Err(CaseRefusal::Closed { outcome: closed.outcome, at: closed.at });
    }
    if at < case.opened_at {
        return Err(CaseRefusal::BeforeOpening { at, opened_at: case.opened_at });
    }
    let mut next = case.next_revision();
    match action {
        CaseAction::Acknowledge => {
            next.acknowledged_at.get_or_insert(at);
        }
        CaseAction::Add(text) => {
            if next.additions.len() >= MAX_CASE_ADDITIONS {
                return Err(CaseRefusal::TooManyAdditions);
            }
            next.additions.push(CaseAddition { at, by: actor.clone(), text: checked_text(text)? });
        }
        CaseAction::StopClock(reason) => next.stops.push(stopped(case, rules, reason, at)?),
        CaseAction::RestartClock(until) => restart(&mut next, *until, at)?,
        CaseAction::Extend => {
            check_not_missed(case, rules, at)?;
            if case.extensions >= rules.answer.extended_to.len() {
                return Err(CaseRefusal::NoExtension);
            }
            next.extensions += 1;
        }
        CaseAction::Uphold { reason } => {
            check_decider(case, actor)?;
            close(&mut next, CaseOutcome::Upheld, actor, reason, at)?;
        }
        CaseAction::Reject { reason } => {
            check_decider(case, actor)?;
            let from = not_rejected_before(case, rules);
            if let Some(from) = from.filter(|from| business_date(case.time_zone, at) < *from) {
                return Err(CaseRefusal::TooEarly(from));
            }
            close(&mut next, CaseOutcome::Rejected, actor, reason, at)?;
        }
        CaseAction::Withdraw { reason } => {
            if !matches!(actor.kind, ActorKind::Borrower | ActorKind::Officer) {
                return Err(CaseRefusal::NotTheBorrower);
            }
            close(&mut next, CaseOutcome::Withdrawn, actor, reason, at)?;
        }
    }
    Ok(next)
}

/// A text of a case, without blanks around it.
pub(super) fn checked_text(text: &str) -> Result<String, CaseRefusal> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_CASE_TEXT_BYTES {
        return Err(CaseRefusal::TextUnfit);
    }
    Ok(text.to_owned())
}

fn stopped(
    case: &Case,
    rules: &CaseKindRules,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<ClockStop, CaseRefusal> {
    let is_listed = |known: &String| known == reason;
    if !rules.clock_stop.as_ref().is_some_and(|stop| stop.reasons.iter().any(is_listed)) {
        return Err(CaseRefusal::NoReasonToStop(reason.to_owned()));
    }
    if let Some(last) = case.stops.last() {
        match last.until {
            None => return Err(CaseRefusal::StandsStill),
            Some(until) if at < until => return Err(CaseRefusal::RestartUnfit { from: until, now: at }),
            Some(_) => {}
        }
    }
    if case.stops.len() >= MAX_CLOCK_STOPS {
        return Err(CaseRefusal::TooManyStops);
    }
    check_not_missed(case, rules, at)?;
    Ok(ClockStop { reason: reason.to_owned(), from: at, until: None })
}

/// An answer that was missed has no later date.
fn check_not_missed(case: &Case, rules: &CaseKindRules, at: DateTime<Utc>) -> Result<(), CaseRefusal> {
    let (due_on, over_at) = over_at(case, rules, DeadlineKind::Answer);
    if at >= over_at || case.missed.iter().any(|missed| missed.kind == DeadlineKind::Answer) {
        return Err(CaseRefusal::AnswerMissed(due_on));
    }
    Ok(())
}

fn restart(case: &mut Case, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), CaseRefusal> {
    let stop = case.stops.last_mut().filter(|stop| stop.until.is_none()).ok_or(CaseRefusal::Runs)?;
    if until < stop.from || until > now {
        return Err(CaseRefusal::RestartUnfit { from: stop.from, now });
    }
    stop.until = Some(until);
    Ok(())
}

/// An officer who took part in a case does not decide it.
fn check_decider(case: &Case, actor: &Actor) -> Result<(), CaseRefusal> {
    if actor.kind != ActorKind::Officer {
        return Err(CaseRefusal::NotAnOfficer);
    }
    let added = case.additions.iter().map(|addition| &addition.by);
    if added.chain([&case.opened_by]).any(|known| is_same_person(known, actor)) {
        return Err(CaseRefusal::TookPart);
    }
    Ok(())
}

fn is_same_person(one: &Actor, other: &Actor) -> bool {
    one.kind == other.kind && person_in(one.id.as_str()) == person_in(other.id.as_str())
}

/// Closes a case; its end becomes a command to the account.
pub(super) fn close(
    case: &mut Case,
    outcome: CaseOutcome,
    by: &Actor,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<(), CaseRefusal> {
    let reason = checked_text(reason)?;
    case.state = CaseState::Closed(ClosedCase { outcome, at, by: by.clone(), reason });
    case.effects.push(CaseEffect {
        revision: case.revision,
        at,
        by: by.clone(),
        outcome: Some(outcome),
        state: EffectState::Pending,
    });
    Ok(())
}
