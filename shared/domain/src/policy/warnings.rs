//! Warnings about a valid policy, for its author.
//!
//! A warning refuses nothing. A ladder should be proportionate: the line first, then draw-downs, the whole
//! account last, nothing within grace, and nothing unannounced.

use chrono::{Datelike, NaiveDate};

use super::Policy;
use super::check::{PolicyFault, PolicyPlace, at, at_key};
use super::customer_rule::outweighs_its_stage;
use super::reminders::{CountedFrom, ReminderStep};
use super::restriction::Restriction;
use super::severity::{LADDER, is_covered};
use super::stage::Stage;
use super::waterfall::{Component, DueClass};

/// All warnings about a policy.
pub(super) fn warnings(policy: &Policy) -> Vec<PolicyFault> {
    let mut warnings = Vec::new();
    for (place, stage) in policy.stages.iter().enumerate() {
        let milder = &policy.stages[..place];
        let found = [
            jumps(milder, stage),
            restricts_within_grace(policy, stage),
            restricts_by_paused_days(stage),
            restricts_unannounced(policy, milder, stage),
            is_noticed_too_late(policy, stage),
            drops(milder, stage),
        ];
        warnings.extend(found.into_iter().flatten().map(at(PolicyPlace::Stage(place))));
    }
    let found = [
        ("waterfall", allocates_past_due_later(policy)),
        ("business_days", outlives_its_calendar(policy)),
        ("late_fee", is_late_for_free(policy)),
        ("late_fee", makes_late_by_fees(policy)),
        ("buffer", tolerates_nothing(policy)),
        ("approval", super::approval::warning(policy)),
        ("customer", outweighs_its_stage(policy)),
    ];
    warnings.extend(found.into_iter().filter_map(|(key, problem)| Some(at_key(key, problem?))));
    warnings.extend(never_sent(policy).into_iter().map(|problem| at_key("reminders", problem)));
    warnings.extend(binds_at_once(policy));
    warnings.extend(super::contact_check::warnings(policy));
    warnings
}

/// A step of the ladder of restrictions is left out.
fn jumps(milder: &[Stage], stage: &Stage) -> Option<String> {
    let highest =
        |restrictions: &[Restriction]| restrictions.iter().map(Restriction::severity).max().unwrap_or(0);
    let reached = highest(&stage.restrictions);
    let before = milder.iter().map(|stage| highest(&stage.restrictions)).max().unwrap_or(0);
    if reached < before + 2 {
        return None;
    }
    let name = &stage.name;
    let nothing_before = milder.iter().all(|stage| stage.restrictions.is_empty());
    if reached == LADDER.len() && nothing_before {
        return Some(format!(
            "stage \"{name}\" goes from no restriction straight to suspend_account; \
             limit the line first, then freeze draw-downs, in stages before it"
        ));
    }
    let from = if before == 0 { "no step of the ladder" } else { LADDER[before - 1].as_str() };
    Some(format!(
        "stage \"{name}\" takes {} rungs at once, from {from} to {}; \
         the line comes first, then draw-downs, the whole account last",
        reached - before,
        LADDER[reached - 1],
    ))
}

/// A condition other than delinquent days can bring a restriction before grace is over.
fn restricts_within_grace(policy: &Policy, stage: &Stage) -> Option<String> {
    let first_day = first_day_restricted(policy, stage);
    (!stage.restrictions.is_empty() && first_day <= i64::from(policy.grace_days)).then(|| {
        format!(
            "stage \"{}\" can restrict on day {first_day} past due, within grace, which lasts through \
             day {} and delays delinquent_days alone; let it require delinquent_days = 1 too",
            stage.name, policy.grace_days,
        )
    })
}

/// A restriction counts days that no pause stops.
fn restricts_by_paused_days(stage: &Stage) -> Option<String> {
    let days = stage.when.days_past_due.filter(|days| *days > 0)?;
    (!stage.restrictions.is_empty()).then(|| {
        format!(
            "stage \"{}\" restricts by days_past_due = {days}, which no agreed pause stops; \
             ask for delinquent_days, and keep days_past_due for the classification",
            stage.name,
        )
    })
}

/// A late fee that a payment pays first leaves the next installment short, and late.
fn makes_late_by_fees(policy: &Policy) -> Option<String> {
    policy.late_fee.as_ref().filter(|fee| fee.fee_arrears_count)?;
    let order = policy.waterfall.order();
    let comes_first = order.iter().position(|one| *one == Component::Penalty)
        < order.iter().position(|one| *one == Component::Principal);
    let more = if comes_first {
        ", and the waterfall pays late fees before principal: the next installment then falls short by the fee"
    } else {
        ""
    };
    Some(format!(
        "late_fee.fee_arrears_count: unpaid late fees alone make an account late and bear fees of their own{more}"
    ))
}

/// No reminder leaves before a restriction comes. A restriction with a notice never comes before the notice.
fn restricts_unannounced(policy: &Policy, milder: &[Stage], stage: &Stage) -> Option<String> {
    if stage.restrictions.is_empty() || stage.notice_days().is_some() {
        return None;
    }
    let first_day = first_day_past_due(policy, stage);
    let mut steps = policy.reminders.iter().flat_map(|reminders| &reminders.steps);
    let announced = steps.any(|step| {
        let comes_before = step.stage.is_current() || milder.iter().any(|one| one.name == step.stage);
        comes_before && planned_on(policy, step) < first_day
    });
    (!announced).then(|| {
        format!(
            "stage \"{}\" restricts, and no reminder goes out before it; \
             add a step in a milder stage, before day {first_day} past due",
            stage.name,
        )
    })
}

/// Reminder steps that cannot leave as they are meant: no account is on their stage when they are planned.
fn never_sent(policy: &Policy) -> Vec<String> {
    let steps = policy.reminders.iter().flat_map(|reminders| &reminders.steps);
    steps.filter(|step| step.notice_of.is_none()).filter_map(|step| never_leaves(policy, step)).collect()
}

fn never_leaves(policy: &Policy, step: &ReminderStep) -> Option<String> {
    let (name, day) = (&step.stage, step.days);
    let stage = policy.stages.iter().position(|stage| stage.name == *name);
    let begins = stage.map_or(0, |place| first_day_past_due(policy, &policy.stages[place]));
    // The days past due on which the step and its repetitions leave.
    let from = match step.from {
        CountedFrom::Due => 0,
        CountedFrom::Stage => begins,
    };
    let leave = || step.days().map(|days| from + days);
    if stage.is_some() && step.from == CountedFrom::Due && leave().all(|day| day <= 0) {
        return Some(format!(
            "reminders.steps: day {day} for stage \"{name}\": no account is on it before its due date, so that \
             the step leaves only about a later installment; take stage = \"current\", or from = \"stage\""
        ));
    }
    if leave().all(|day| (1..begins).contains(&day)) {
        return Some(format!(
            "reminders.steps: day {day} for stage \"{name}\" can never be sent: the stage begins on day {begins} \
             past due at the earliest; take a later day, or from = \"stage\""
        ));
    }
    // A balance that is not material, or that money under way defers, may stay on the stage for longer.
    if policy.materiality.is_some() || policy.payment_in_process.is_some() {
        return None;
    }
    let severer = &policy.stages[stage.map_or(0, |place| place + 1)..];
    let over = severer.iter().filter(|stage| stage.when.asks_for_days_alone());
    let next = over.min_by_key(|stage| first_day_past_due(policy, stage))?;
    let ends = first_day_past_due(policy, next);
    leave().all(|day| day >= ends).then(|| {
        format!(
            "reminders.steps: day {day} for stage \"{name}\" can never be sent: from day {ends} past due on the \
             account is on stage \"{}\"; take an earlier day, or that stage",
            next.name
        )
    })
}

/// The notice that a stage waits for never leaves, or leaves so late that it delays the stage's restrictions.
fn is_noticed_too_late(policy: &Policy, stage: &Stage) -> Option<String> {
    let notice_days = stage.notice_days()?;
    let name = &stage.name;
    let steps = policy.reminders.iter().flat_map(|reminders| &reminders.steps);
    let notices = steps.filter(|step| step.notice_of.as_ref() == Some(name));
    let Some(leaves) = notices.map(|step| leaves_on(policy, step)).min() else {
        return Some(format!(
            "stage \"{name}\" restricts only after a notice, and no reminder step is one; \
             add a step with notice_of = \"{name}\""
        ));
    };
    // A stage that only an amount, a cause or a score brings has no first day to be in time for.
    let days = [stage.when.days_past_due, stage.when.delinquent_days];
    if days.into_iter().flatten().all(|days| days == 0) {
        return None;
    }
    let first_day = first_day_past_due(policy, stage);
    let restricts = leaves + i64::from(notice_days);
    (restricts > first_day).then(|| {
        format!(
            "stage \"{name}\" begins on day {first_day} past due and restricts only on day {restricts}: \
             its notice leaves on day {leaves}, and notice_days are {notice_days}; let the notice leave \
             earlier, or ask for fewer days"
        )
    })
}

/// The first day past due on which a step leaves.
fn leaves_on(policy: &Policy, step: &ReminderStep) -> i64 {
    let stage = policy.stages.iter().find(|stage| stage.name == step.stage);
    let held = stage.map_or(0, |stage| first_day_past_due(policy, stage));
    held.max(planned_on(policy, step))
}

/// The first day past due for which a step is planned if no day is paused.
fn planned_on(policy: &Policy, step: &ReminderStep) -> i64 {
    let on_due_date = policy.day_count.on_due_date();
    match step.from {
        CountedFrom::Due => step.days + on_due_date,
        CountedFrom::Stage => {
            let stage = policy.stages.iter().find(|stage| stage.name == step.stage);
            // If a stage begins at the end of a day, its first step leaves on the next.
            stage.map_or(0, |stage| first_day_past_due(policy, stage)) + step.days + on_due_date
        }
    }
}

/// A restriction of the stage before is dropped or milder, so that paying later brings relief.
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

/// Money for an overdue amount is allocated elsewhere first, so that it does not clear the amount.
fn allocates_past_due_later(policy: &Policy) -> Option<String> {
    let entries = policy.waterfall.entries()?;
    let first = entries.iter().position(|entry| entry.class != DueClass::PastDue)?;
    let later = entries[first..].iter().find(|entry| entry.class == DueClass::PastDue)?;
    Some(format!(
        "waterfall: {} comes before {later}, so that paying what is overdue may leave it overdue; \
         put what is past_due first",
        entries[first],
    ))
}

/// The calendar lacks part of the year in which the policy begins to bind.
fn outlives_its_calendar(policy: &Policy) -> Option<String> {
    let calendar = &policy.business_days.as_ref()?.calendar;
    let from = policy.effective_on;
    let to = NaiveDate::from_ymd_opt(from.year(), 12, 31)?;
    (!calendar.covers(from) || !calendar.covers(to)).then(|| {
        format!(
            "business_days.calendar: it does not know all days from {from} to {to}, and takes every weekday \
             that it does not know for a working day; add the year's holidays"
        )
    })
}

/// The mildest stage begins while being late still costs nothing.
fn is_late_for_free(policy: &Policy) -> Option<String> {
    let free_days = policy.late_fee.as_ref()?.free_days?;
    let stage = policy.stages.first()?;
    let begins = first_day_past_due(policy, stage).max(i64::from(policy.grace_days) + 1);
    (i64::from(free_days) >= begins).then(|| {
        format!(
            "late_fee.free_days: {free_days} last into stage \"{}\", which can begin on day {begins} past due: \
             the account is late then and costs nothing; ask for {} or fewer",
            stage.name,
            begins - 1,
        )
    })
}

/// The first-lapse tolerance ends before it can defer any restriction.
fn tolerates_nothing(policy: &Policy) -> Option<String> {
    let tolerance = policy.first_lapse_tolerance.as_ref()?;
    let restricting = policy.stages.iter().filter(|stage| !stage.restrictions.is_empty());
    let first_day = restricting.map(|stage| first_day_restricted(policy, stage)).min()?;
    let over = i64::from(policy.grace_days) + i64::from(tolerance.days) + 1;
    (over <= first_day).then(|| {
        format!(
            "buffer.days: {} hold nothing back: the buffer is over on day {over} past due, and nothing is \
             restricted before day {first_day}; ask for more",
            tolerance.days,
        )
    })
}

/// A stricter version binds customers who were never told of it.
fn binds_at_once(policy: &Policy) -> Option<PolicyFault> {
    let place = policy.stages.iter().position(|stage| !stage.restrictions.is_empty())?;
    policy.announcement.is_none().then(|| {
        at(PolicyPlace::Stage(place))(format!(
            "stage \"{}\" restricts, and the policy has no [announcement]: a version that is stricter than \
             the one before binds at once, and nobody is told; add the table to each version",
            policy.stages[place].name,
        ))
    })
}

/// The first day past due on which a stage can hold if no day is paused.
fn first_day_past_due(policy: &Policy, stage: &Stage) -> i64 {
    let delinquent = stage.when.delinquent_days.filter(|days| *days > 0);
    let after_grace = delinquent.map_or(0, |days| i64::from(days) + i64::from(policy.grace_days));
    i64::from(stage.when.days_past_due.unwrap_or(0)).max(after_grace).max(1)
}

/// The first day past due on which it can restrict. A notice can leave on the due date, by another way. The
/// first-lapse tolerance does not count: only a first and minor episode has one.
fn first_day_restricted(policy: &Policy, stage: &Stage) -> i64 {
    let noticed = stage.notice_days().map_or(0, |days| i64::from(days) + policy.day_count.on_due_date());
    first_day_past_due(policy, stage).max(noticed)
}
