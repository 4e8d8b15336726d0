//! `assess`: a policy's assessment of an account at an instant.
//!
//! The ladder's timetable (`stages.rs`) gives the stage, the reminders' timetable (`reminders.rs`) the
//! contact requests. The next instant at which one of them changes is the account's next action.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};

use super::classify::classify;
use super::figures::StageFigures;
use super::imposed::ImposedOnDay;
use super::materiality::counted_from;
use super::reasons::reasons;
use super::reminders::plan_reminders;
use super::stages::{LadderDay, LadderProjection, project_ladder_from};
use super::taken_over::beside_kept;
use crate::account::{Account, Classification, ContactRequest, DelinquencyHistory, Figures, HoldUse, Reason};
use crate::kernel::{business_date, earlier};
use crate::ledger::allocate_at;
use crate::policy::{ClassName, Policy, Restriction, Stage, Timeline};

/// A policy's assessment of an account at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment<'p> {
    /// The assessed day.
    pub day: NaiveDate,
    pub figures: Figures,
    /// The most severe stage that holds; none: `current`.
    pub stage: Option<&'p Stage>,
    /// The first day on which that stage holds; none: `current`.
    pub held_from: Option<NaiveDate>,
    /// The stage whose restrictions are in force: that stage, or a milder one while its own restrictions are
    /// deferred.
    pub restricting: Option<&'p Stage>,
    /// The first day on which those restrictions are in force.
    pub restricted_from: Option<NaiveDate>,
    /// The first day on which the same restrictions were in force, of whichever stage.
    pub in_force_from: Option<NaiveDate>,
    /// The account's restrictions: those of that stage, then those that the customer's other accounts impose.
    pub restrictions: Cow<'p, [Restriction]>,
    /// Since when all imposed cross-restrictions are in force; none: none is.
    pub imposed_since: Option<DateTime<Utc>>,
    /// The restrictions that the account imposes on the customer's other accounts.
    pub imposes: &'p [Restriction],
    pub delinquency_history: DelinquencyHistory,
    /// The use that holds have made of their days in the current delinquency episode.
    pub holds: HoldUse,
    /// Since when the policy version binds the account; none: from the beginning.
    pub binds_from: Option<DateTime<Utc>>,
    /// The regulatory class of that day; none: the policy has no classification.
    pub class: Option<&'p ClassName>,
    /// The classification that the next assessment continues from: since when, until when.
    pub classification: Option<Classification>,
    pub reasons: Vec<Reason>,
    /// Contact requests that are due now, if the gate agrees.
    pub contact_requests: Vec<ContactRequest>,
    /// The earliest instant at which this assessment could change by itself; none: not before a new fact.
    pub next_action_at: Option<DateTime<Utc>>,
}

impl<'p> Assessment<'p> {
    /// The account's restrictions, imposed ones included.
    #[must_use]
    pub fn restrictions(&self) -> &[Restriction] {
        &self.restrictions
    }

    /// The stage's name; `current` where no stage holds.
    #[must_use]
    pub fn stage_name(&self) -> &'p str {
        self.stage.map_or("current", |stage| stage.name.as_str())
    }
}

/// Assesses an account at `now`: money and accrual by the versions of the policy that bound the account on the
/// days concerned, days and stages by the one that binds it.
#[must_use]
pub fn assess<'p>(
    account: &Account,
    timeline: impl Into<Timeline<'p>>,
    now: DateTime<Utc>,
) -> Assessment<'p> {
    let timeline = timeline.into();
    let policy = timeline.current();
    let allocation = allocate_at(account, &timeline);
    let day = policy.day_count.judged_day(account.time_zone, now);
    let counted_from = counted_from(account, &allocation, policy);
    let figures = Figures::counted(day, account, &allocation, policy, counted_from);
    let judged = StageFigures::on(day, account, &allocation, policy, counted_from);
    let projection = project_ladder_from(account, &allocation, &timeline, LadderDay::of(day), counted_from);
    let reminders = plan_reminders(account, &allocation, policy, (day, now), &projection);
    let classified = policy
        .classification
        .as_ref()
        .and_then(|_| classify(account, &allocation, &timeline, day, business_date(account.time_zone, now)));
    let class_changes_on = classified.as_ref().and_then(|classified| classified.changes_on);
    let imposed = ImposedOnDay::of(account, policy, day);
    let restrictions = beside_kept(imposed.beside(projection.restricting), account, policy, projection.stage);
    let ladder_changes_on = match imposed.since {
        // Restrictions that another account imposes already change nothing when the account's own begin.
        Some(_) => first_effect(&projection, policy, |then_on| {
            let seen = LadderDay { day: then_on, seen_on: day };
            let then = project_ladder_from(account, &allocation, &timeline, seen, counted_from);
            let imposed = ImposedOnDay::of(account, policy, then_on).beside(then.restricting);
            let is_same = *beside_kept(imposed, account, policy, then.stage) == *restrictions;
            (then, is_same)
        }),
        None => projection.changes_on,
    };
    let changes_on = earlier(earlier(ladder_changes_on, class_changes_on), imposed.changes_on(&restrictions));
    let changes_at = changes_on.map(|day| policy.day_count.begin(account.time_zone, day));
    Assessment {
        day,
        reasons: reasons(account, policy, &figures, judged, &projection),
        figures,
        stage: projection.stage,
        held_from: projection.held_from,
        restricting: projection.restricting,
        restricted_from: projection.restricted_from,
        in_force_from: projection.in_force_from,
        restrictions,
        imposed_since: imposed.since,
        imposes: policy.imposed_restrictions(projection.restricting),
        delinquency_history: projection.delinquency_history,
        holds: projection.holds,
        binds_from: None,
        contact_requests: reminders.due,
        class: classified.as_ref().map(|classified| classified.name),
        classification: classified.map(|classified| classified.classification),
        next_action_at: earlier(changes_at, reminders.next_at),
    }
}

/// The next day on which the ladder's change has an effect on the account. `on` gives the projection on a day, and
/// whether the account has the same restrictions then.
fn first_effect<'p>(
    projection: &LadderProjection<'p>,
    policy: &'p Policy,
    on: impl Fn(NaiveDate) -> (LadderProjection<'p>, bool),
) -> Option<NaiveDate> {
    let mut next = projection.changes_on;
    // Each stage begins, ends and takes effect at most once.
    for _ in 0..=3 * policy.stages.len() {
        let day = next?;
        let (then, has_the_same) = on(day);
        let imposed = |one: &LadderProjection<'p>| policy.imposed_restrictions(one.restricting);
        let is_idle = has_the_same
            && then.stage == projection.stage
            && imposed(&then) == imposed(projection)
            && then.delinquency_history == projection.delinquency_history;
        if !is_idle || then.changes_on.is_some_and(|later| later <= day) {
            return Some(day);
        }
        next = then.changes_on;
    }
    next
}
