//! What a valid policy may well say, and its author should look at twice.
//!
//! Nothing here refuses a policy. A ladder should be proportionate: the line first, then
//! draw-downs, the whole account last, nothing within grace, and nothing unannounced.

use super::check::{Fault, Place};
use super::severity::{RUNGS, is_covered};
use super::{Policy, Restriction, Stage};

/// All that is worth a warning, in the order of the ladder.
pub(super) fn warnings(policy: &Policy) -> Vec<Fault> {
    let mut warnings = Vec::new();
    for (place, stage) in policy.stages.iter().enumerate() {
        let milder = &policy.stages[..place];
        let found = [
            jumps(milder, stage),
            restricts_within_grace(policy, stage),
            restricts_unannounced(policy, milder, stage),
            drops(milder, stage),
        ];
        warnings
            .extend(found.into_iter().flatten().map(|problem| Fault { place: Place::Stage(place), problem }));
    }
    warnings
}

/// A rung of the ladder of restrictions is left out.
fn jumps(milder: &[Stage], stage: &Stage) -> Option<String> {
    let highest =
        |restrictions: &[Restriction]| restrictions.iter().map(Restriction::rung).max().unwrap_or(0);
    let reached = highest(&stage.restrictions);
    let before = milder.iter().map(|stage| highest(&stage.restrictions)).max().unwrap_or(0);
    if reached < before + 2 {
        return None;
    }
    let name = &stage.name;
    let nothing_before = milder.iter().all(|stage| stage.restrictions.is_empty());
    if reached == RUNGS.len() && nothing_before {
        return Some(format!(
            "stage \"{name}\" goes from no restriction straight to suspend_account; \
             limit the line first, then freeze draw-downs, in stages before it"
        ));
    }
    let from = if before == 0 { "no step of the ladder" } else { RUNGS[before - 1] };
    Some(format!(
        "stage \"{name}\" takes {} rungs at once, from {from} to {}; \
         the line comes first, then draw-downs, the whole account last",
        reached - before,
        RUNGS[reached - 1],
    ))
}

/// Something other than delinquent days can bring a restriction before grace is over.
fn restricts_within_grace(policy: &Policy, stage: &Stage) -> Option<String> {
    let first_day = first_day_past_due(policy, stage);
    (!stage.restrictions.is_empty() && first_day <= policy.grace_days).then(|| {
        format!(
            "stage \"{}\" can restrict on day {first_day} past due, within grace, which lasts through \
             day {} and delays delinquent_days alone; let it require delinquent_days = 1 too",
            stage.name, policy.grace_days,
        )
    })
}

/// Nobody is reminded before a restriction comes.
fn restricts_unannounced(policy: &Policy, milder: &[Stage], stage: &Stage) -> Option<String> {
    let first_day = i64::from(first_day_past_due(policy, stage));
    let mut steps = policy.reminders.iter().flat_map(|reminders| &reminders.steps);
    let announced = steps.any(|step| {
        let comes_before = step.stage.is_current() || milder.iter().any(|one| one.name == step.stage);
        comes_before && step.days < first_day
    });
    (!stage.restrictions.is_empty() && !announced).then(|| {
        format!(
            "stage \"{}\" restricts, and no reminder goes out before it; \
             add a step in a milder stage, before day {first_day} past due",
            stage.name,
        )
    })
}

/// What the stage before brings is gone, or milder: whoever gets later is eased.
fn drops(milder: &[Stage], stage: &Stage) -> Option<String> {
    let before = milder.last()?;
    let dropped: Vec<String> = before
        .restrictions
        .iter()
        .filter(|restriction| !is_covered(restriction, &stage.restrictions))
        .map(ToString::to_string)
        .collect();
    (!dropped.is_empty()).then(|| {
        format!(
            "stage \"{}\" drops {}, which the milder \"{}\" brings; stages do not add up, \
             so that getting later would lift it",
            stage.name,
            dropped.join(", "),
            before.name,
        )
    })
}

/// The first day past due on which a stage can hold where nothing is paused.
fn first_day_past_due(policy: &Policy, stage: &Stage) -> u32 {
    let delinquent = stage.when.delinquent_days.filter(|days| *days > 0);
    let after_grace = delinquent.map_or(0, |days| days + policy.grace_days);
    stage.when.days_past_due.unwrap_or(0).max(after_grace).max(1)
}
