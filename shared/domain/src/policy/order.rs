//! What a ladder must not do as days go by, whatever the account: leave a stage that can never
//! win, restrict before its own notice, take a restriction away and bring it back.
//!
//! While the facts stay as they are each of the figures only grows, so that time takes an account
//! up the ladder and never down. What it may not do then changes back and forth only where the
//! ladder itself says so; that is refused here.

use std::cmp::Reverse;

use super::Policy;
use super::restriction::Restriction;
use super::severity::is_covered;
use super::stage::Stage;
use super::stage_conditions::When;

/// The first fault of the stage at a place, beside the others.
pub(super) fn check(policy: &Policy, place: usize) -> Result<(), String> {
    let Some((stage, severer)) = policy.stages.get(place..).and_then(<[Stage]>::split_first) else {
        return Ok(());
    };
    let milder = policy.stages.get(..place).unwrap_or_default();
    let problem = never_wins(stage, severer)
        .or_else(|| restricts_before_its_notice(milder, stage))
        .or_else(|| lifts_what_comes_again(milder, stage, severer));
    problem.map_or(Ok(()), Err)
}

fn never_wins(stage: &Stage, severer: &[Stage]) -> Option<String> {
    let shadow = severer.iter().find(|later| holds_whenever(&later.when, &stage.when))?;
    Some(format!(
        "stage \"{}\" can never win: whenever it holds, \"{}\" after it holds too; \
         put the mildest first, with the lower thresholds",
        stage.name, shadow.name
    ))
}

/// Wherever the stage holds, a milder one holds too, and that brings what the stage asks a notice
/// for without it.
fn restricts_before_its_notice(milder: &[Stage], stage: &Stage) -> Option<String> {
    let before: Vec<&Stage> = milder.iter().filter(|one| holds_whenever(&one.when, &stage.when)).collect();
    stage.restrictions.iter().find_map(|restriction| {
        let days = restriction.notice_days?;
        let is_sooner = |one: &&&Stage| {
            one.notice_days().unwrap_or(0) < days && is_covered(restriction, &one.restrictions)
        };
        let sooner = before.iter().find(is_sooner)?;
        Some(format!(
            "stage \"{}\" would restrict before notice: {restriction} asks for {days} days, and \"{}\", which \
             holds by then, brings it after {}; ask for the notice in the first stage that brings it",
            stage.name,
            sooner.name,
            sooner.notice_days().unwrap_or(0),
        ))
    })
}

/// A milder stage, this one and a severer one can follow each other by time alone, and this one
/// lifts what both others bring.
fn lifts_what_comes_again(milder: &[Stage], stage: &Stage, severer: &[Stage]) -> Option<String> {
    for before in milder.iter().filter(|before| can_follow(stage, before)) {
        let lifted: Vec<&Restriction> =
            before.restrictions.iter().filter(|one| !is_covered(one, &stage.restrictions)).collect();
        for after in severer.iter().filter(|after| can_follow(after, stage) && agree(before, after)) {
            let again = lifted.iter().find(|one| is_covered(one, &after.restrictions));
            if let Some(restriction) = again {
                return Some(format!(
                    "stage \"{}\" would lift {restriction}, which \"{}\" brings before it and \"{}\" brings \
                     again: the account would go back and forth as days go by; let \"{}\" bring it too",
                    stage.name, before.name, after.name, stage.name
                ));
            }
        }
    }
    None
}

/// Whether time alone can take an account from what one stage brings to what another does: on the
/// same facts both can hold, and the other need not hold yet, or waits for its notice.
fn can_follow(stage: &Stage, before: &Stage) -> bool {
    let waits = stage.notice_days().is_some();
    agree(stage, before) && (waits || !figures_suffice(&stage.when, &before.when))
}

/// Whether a recorded cause and score can satisfy both.
fn agree(one: &Stage, other: &Stage) -> bool {
    let (one, other) = (one.when.cause, other.when.cause);
    one.is_none() || other.is_none() || one == other
}

/// Whether a stage holds whenever `other` does: it names only conditions that the other names
/// too, each with a threshold no higher.
fn holds_whenever(when: &When, other: &When) -> bool {
    asks_no_more(when.delinquent_days, other.delinquent_days)
        && asks_no_more(when.days_past_due, other.days_past_due)
        && asks_no_more(when.overdue_amount, other.overdue_amount)
        && asks_no_more(when.overdue_share, other.overdue_share)
        && asks_no_more(when.unpaid_installments, other.unpaid_installments)
        && (when.cause.is_none() || when.cause == other.cause)
        && asks_no_more(when.score_at_most.map(Reverse), other.score_at_most.map(Reverse))
}

/// Whether the figures on which `other` holds are enough for it; what is overdue at all meets a
/// threshold of one day or one installment.
fn figures_suffice(when: &When, other: &When) -> bool {
    asks_no_more(when.delinquent_days.filter(|days| *days > 0), other.delinquent_days)
        && asks_no_more(when.days_past_due.filter(|days| *days > 1), other.days_past_due)
        && asks_no_more(when.overdue_amount.filter(|amount| amount.is_positive()), other.overdue_amount)
        && asks_no_more(when.overdue_share.filter(|share| !share.is_zero()), other.overdue_share)
        && asks_no_more(when.unpaid_installments.filter(|count| *count > 1), other.unpaid_installments)
}

fn asks_no_more<T: PartialOrd>(threshold: Option<T>, other: Option<T>) -> bool {
    match (threshold, other) {
        (None, _) => true,
        (Some(threshold), Some(other)) => threshold <= other,
        (Some(_), None) => false,
    }
}
