//! Checks of a ladder as days go by, whatever the account. Each stage must be able to win, must not restrict
//! before its own notice, and must not lift a restriction that comes back later.
//!
//! While the facts stay as they are, each figure only grows, so time takes an account up the ladder and never
//! down. Restrictions then change back and forth only if the ladder itself says so; such a ladder is refused.

use super::Policy;
use super::restriction::Restriction;
use super::severity::is_covered;
use super::stage::Stage;

/// The first fault of the stage at index `place`, beside the other stages.
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
    let shadow = severer.iter().find(|later| later.when.holds_whenever(&stage.when))?;
    Some(format!(
        "stage \"{}\" can never win: whenever it holds, \"{}\" after it holds too; \
         put the mildest first, with the lower thresholds",
        stage.name, shadow.name
    ))
}

/// Wherever the stage holds, a milder one holds too and imposes, with a shorter notice or none, a restriction
/// for which the stage requires a notice.
fn restricts_before_its_notice(milder: &[Stage], stage: &Stage) -> Option<String> {
    let before: Vec<&Stage> = milder.iter().filter(|one| one.when.holds_whenever(&stage.when)).collect();
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

/// A milder stage, this one and a severer one can follow each other by time alone, and this one lifts a
/// restriction that both others impose.
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

/// Whether time alone can take an account from the restrictions of `before` to those of `stage`: on the same
/// facts both can hold, and `stage` need not hold yet, or waits for its notice.
fn can_follow(stage: &Stage, before: &Stage) -> bool {
    let waits = stage.notice_days().is_some();
    agree(stage, before) && (waits || !stage.when.figures_suffice_for(&before.when))
}

/// Whether one recorded cause can satisfy both stages. A score never excludes either.
fn agree(one: &Stage, other: &Stage) -> bool {
    let (one, other) = (one.when.cause, other.when.cause);
    one.is_none() || other.is_none() || one == other
}
