//! Projection: how an account goes on if no fact changes, as shown to the borrower.

use chrono::{DateTime, NaiveDate, Utc};

use super::materiality::counted_from;
use super::stages::{LadderDay, project_ladder_from};
use crate::account::Account;
use crate::ledger::allocate_at;
use crate::policy::{Stage, Timeline};

/// A step up the ladder that comes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectedStage<'p> {
    /// The stage whose restrictions take effect.
    pub stage: &'p Stage,
    pub on: NaiveDate,
}

/// The steps up the ladder that come by themselves, as far as they can be projected now, in their order.
///
/// The projection goes from change to change of the ladder's timetable; there are few of them.
#[must_use]
pub fn project_stages<'p>(
    account: &Account,
    timeline: impl Into<Timeline<'p>>,
    now: DateTime<Utc>,
) -> Vec<ProjectedStage<'p>> {
    let timeline = timeline.into();
    let policy = timeline.current();
    let allocation = allocate_at(account, &timeline);
    let stage_index = |stage: Option<&Stage>| policy.stages.iter().position(|one| Some(one) == stage);
    let today = policy.day_count.judged_day(account.time_zone, now);
    let mut steps = Vec::new();
    let counted_from = counted_from(account, &allocation, policy);
    let on = |day| {
        let seen = LadderDay { day, seen_on: today };
        project_ladder_from(account, &allocation, &timeline, seen, counted_from)
    };
    let mut projection = on(today);
    // Each stage begins, ends and takes effect at most once.
    for _ in 0..=3 * policy.stages.len() {
        let Some(day) = projection.changes_on else { break };
        let then = on(day);
        if let Some(stage) =
            then.restricting.filter(|_| stage_index(then.restricting) > stage_index(projection.restricting))
        {
            steps.push(ProjectedStage { stage, on: day });
        }
        if then.changes_on.is_some_and(|next| next <= day) {
            break;
        }
        projection = then;
    }
    steps
}
