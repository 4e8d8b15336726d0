//! The checks that a policy must pass before it assesses any account.

use rust_decimal::Decimal;

use super::Policy;
use super::bounds::{MAX_DAYS, MAX_MONTHS, MAX_OPERATIONS, MAX_RESTRICTIONS, MAX_STAGES};
use super::operation::REPAY;
use super::restriction::{PercentBounds, Restriction, RestrictionKind};
use super::retention::MIN_KEPT_DAYS;
use super::stage::Stage;
use crate::kernel::is_in_range;

/// A policy's fault and its place.
pub(super) struct PolicyFault {
    pub(super) place: PolicyPlace,
    pub(super) problem: String,
}

/// A place in a policy's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PolicyPlace {
    /// A key or a table at the top level.
    Key(&'static str),
    /// The stage index, from 0.
    Stage(usize),
    /// Index among the policy's own calendars by name, from 0.
    Calendar(usize),
    /// Index among the quiet hours, from 0.
    QuietHours(usize),
    /// Index among the frequency caps, from 0.
    Cap(usize),
}

pub(super) fn at(place: PolicyPlace) -> impl Fn(String) -> PolicyFault {
    move |problem| PolicyFault { place, problem }
}

pub(super) fn at_key(key: &'static str, problem: String) -> PolicyFault {
    at(PolicyPlace::Key(key))(problem)
}

/// The first fault of a parsed policy.
pub(super) fn faults(policy: &Policy) -> Result<(), PolicyFault> {
    if policy.version == 0 {
        return Err(at_key("version", "version: 0 is no version; versions count from 1".to_owned()));
    }
    if !is_in_range(policy.effective_on) {
        return Err(at_key("effective_on", format!("effective_on: {} is out of range", policy.effective_on)));
    }
    if policy.grace_days > MAX_DAYS {
        return Err(at_key(
            "grace_days",
            format!("grace_days: {} is more than {MAX_DAYS}", policy.grace_days),
        ));
    }
    if policy.stages.len() > MAX_STAGES {
        return Err(at(PolicyPlace::Stage(0))(format!("stages: a ladder has at most {MAX_STAGES}")));
    }
    for (place, stage) in policy.stages.iter().enumerate() {
        check_stage(policy, place, stage).map_err(at(PolicyPlace::Stage(place)))?;
    }
    super::late_fee::check(policy).map_err(at(PolicyPlace::Key("late_fee")))?;
    check_materiality(policy).map_err(at(PolicyPlace::Key("materiality")))?;
    check_patience(policy)?;
    super::approval::check(policy)?;
    check_names("operations.known", &policy.operations.known)
        .and_then(|()| check_names("operations.never_blocked", &policy.operations.never_blocked))
        .map_err(at(PolicyPlace::Key("operations")))?;
    super::reminders::check(policy).map_err(at(PolicyPlace::Key("reminders")))?;
    super::customer_rule::check(policy).map_err(at(PolicyPlace::Key("customer")))?;
    super::contact_check::check(policy)?;
    super::buckets::check(policy).map_err(at(PolicyPlace::Key("buckets")))?;
    if let Some(problem) = super::templates::fault(&policy.templates) {
        return Err(at_key("templates", problem));
    }
    check_retention(policy).map_err(at(PolicyPlace::Key("retention")))
}

fn check_stage(policy: &Policy, place: usize, stage: &Stage) -> Result<(), String> {
    let name = &stage.name;
    if name.as_str().is_empty() || name.as_str().len() > 64 || name.as_str().chars().any(char::is_control) {
        return Err(format!("name: \"{name}\" is no stage name: 1 to 64 bytes, no control characters"));
    }
    if name.is_current() {
        return Err("name: \"current\" is the bottom of every ladder and needs no table".to_owned());
    }
    if policy.stages[..place].iter().any(|earlier| &earlier.name == name) {
        return Err(format!("name: stage \"{name}\" is there already; each has a name of its own"));
    }
    stage.when.check().map_err(|problem| format!("stage \"{name}\": {problem}"))?;
    check_restrictions(&stage.restrictions).map_err(|problem| format!("stage \"{name}\": {problem}"))?;
    super::stage_order::check(policy, place)
}

pub(crate) fn check_restrictions(restrictions: &[Restriction]) -> Result<(), String> {
    if restrictions.len() > MAX_RESTRICTIONS {
        return Err(format!("restrictions: a stage brings at most {MAX_RESTRICTIONS}"));
    }
    for (place, restriction) in restrictions.iter().enumerate() {
        let kind = restriction.kind.as_str();
        check_options(restriction)?;
        check_percent(restriction)?;
        if !is_plain_name(kind) {
            return Err(format!(
                "restrictions: kind \"{kind}\" is no name: lower-case letters, digits and underscores"
            ));
        }
        if restrictions[..place].iter().any(|earlier| earlier.kind == restriction.kind) {
            return Err(format!("restrictions: {kind} is there already"));
        }
    }
    Ok(())
}

fn check_percent(restriction: &Restriction) -> Result<(), String> {
    let kind = &restriction.kind;
    match (kind.percent_bounds(), restriction.percent) {
        (None, Some(_)) => Err(format!("restrictions: {kind} has no option percent")),
        (Some(bounds), None) if bounds.required => Err(out_of_bounds(kind, "nothing", &bounds)),
        (Some(bounds), Some(percent)) if !bounds.range.contains(&percent) => {
            Err(out_of_bounds(kind, &percent.to_string(), &bounds))
        }
        _ => Ok(()),
    }
}

fn out_of_bounds(kind: &RestrictionKind, percent: &str, bounds: &PercentBounds) -> String {
    let (least, most) = (bounds.range.start(), bounds.range.end());
    format!("restrictions: {kind}.percent: {percent} is not between {least} and {most}")
}

fn check_options(restriction: &Restriction) -> Result<(), String> {
    let kind = &restriction.kind;
    if let Some(days) = restriction.notice_days.filter(|days| *days > MAX_DAYS) {
        return Err(format!("restrictions: {kind}.notice_days: {days} is more than {MAX_DAYS}"));
    }
    check_names(&format!("restrictions: {kind}.blocks"), &restriction.blocks)?;
    check_names(&format!("restrictions: {kind}.except"), &restriction.except)?;
    if !matches!(kind, RestrictionKind::Custom(_)) && !restriction.blocks.is_empty() {
        return Err(format!("restrictions: {kind}.blocks: what {kind} blocks is given; use except"));
    }
    if restriction.blocks.iter().any(|operation| operation == REPAY) {
        return Err(format!("restrictions: {kind}.blocks: nothing blocks \"{REPAY}\""));
    }
    Ok(())
}

/// Checks a list of operation names.
fn check_names(field: &str, names: &[String]) -> Result<(), String> {
    if names.len() > MAX_OPERATIONS {
        return Err(format!("{field}: at most {MAX_OPERATIONS}"));
    }
    match names.iter().find(|name| !is_plain_name(name)) {
        Some(name) => {
            Err(format!("{field}: \"{name}\" is no name: lower-case letters, digits and underscores"))
        }
        None => Ok(()),
    }
}

pub(super) fn is_plain_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn check_materiality(policy: &Policy) -> Result<(), String> {
    let Some(materiality) = &policy.materiality else { return Ok(()) };
    if materiality.amount.is_negative() {
        return Err(format!("materiality.amount: {} is less than zero", materiality.amount));
    }
    if !(Decimal::ZERO..Decimal::ONE).contains(&materiality.share) {
        return Err(format!("materiality.share: {} is not from 0 to below 1", materiality.share));
    }
    Ok(())
}

/// Checks the tables that defer consequences.
fn check_patience(policy: &Policy) -> Result<(), PolicyFault> {
    let days = |key: &'static str, field: &str, days: u32| {
        if (1..=MAX_DAYS).contains(&days) {
            Ok(())
        } else {
            Err(at_key(key, format!("{key}.{field}: {days} is not between 1 and {MAX_DAYS}")))
        }
    };
    if let Some(tolerance) = &policy.first_lapse_tolerance {
        days("buffer", "days", tolerance.days)?;
        if !(1..=MAX_MONTHS).contains(&tolerance.months) {
            let problem = format!("buffer.months: {} is not between 1 and {MAX_MONTHS}", tolerance.months);
            return Err(at_key("buffer", problem));
        }
        if !tolerance.amount.is_positive() {
            return Err(at_key(
                "buffer",
                format!("buffer.amount: {} is not more than zero", tolerance.amount),
            ));
        }
    }
    if let Some(cause) = &policy.cause {
        days("cause", "temporary_holds_days", cause.temporary_holds_days)?;
    }
    if let Some(process) = &policy.payment_in_process {
        days("payment_in_process", "max_days", process.max_days)?;
    }
    if let Some(promise) = &policy.promise {
        days("promise", "max_days", promise.max_days)?;
    }
    if let Some(dispute) = &policy.dispute {
        days("dispute", "holds_days", dispute.holds_days)?;
    }
    if let Some(holds) = &policy.holds {
        let (all, money) = (holds.at_most_days, policy.money_hold_days());
        days("holds", "at_most_days", all.unwrap_or(1))?;
        days("holds", "hold_days", money)?;
        if let (Some(all), Some(money)) = (all, holds.hold_days.filter(|money| Some(*money) > all)) {
            let problem = format!("holds.hold_days: {money} is more than at_most_days, {all}");
            return Err(at_key("holds", problem));
        }
    }
    if let Some(rollout) = &policy.rollout {
        days("rollout", "pause_days", rollout.pause_days)?;
        rollout.check().map_err(|problem| at_key("rollout", format!("rollout.{problem}")))?;
    }
    let Some(announcement) = &policy.announcement else { return Ok(()) };
    days("announcement", "days", announcement.days)?;
    check_template(&announcement.template)
        .map_err(|problem| at_key("announcement", format!("announcement.{problem}")))
}

pub(super) fn check_template(name: &str) -> Result<(), String> {
    let named = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if named { Ok(()) } else { Err(format!("template \"{name}\" is no name")) }
}

fn check_retention(policy: &Policy) -> Result<(), String> {
    let retention = &policy.retention;
    for (field, days) in
        [("history_days", retention.history_days), ("contact_log_days", retention.contact_log_days)]
    {
        if let Some(days) = days.filter(|days| !(MIN_KEPT_DAYS..=MAX_DAYS).contains(days)) {
            return Err(format!("retention.{field}: {days} is not between {MIN_KEPT_DAYS} and {MAX_DAYS}"));
        }
    }
    Ok(())
}
