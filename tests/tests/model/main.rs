//! The model against the pages, and the domain against the model.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "the laws of the domain use the rest of it")]
#[path = "../../../shared/domain/tests/common/generate.rs"]
mod domain;
mod generate;
mod pages;
mod readings;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::reminder::Intent;
use duewatch_domain::{Account, Assessment, Cause, Policy, assess};
use duewatch_tests::model::{Judged, Model, Reminder};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::domain::{DATE_SKIPPED, PLACES};
use crate::generate::{Case, ODD, case};

type Agree = fn(&Account, &Model, &Policy, DateTime<Utc>) -> TestCaseResult;

/// How far the model looks ahead for the next change.
const AHEAD: TimeDelta = TimeDelta::days(25);

fn seen(assessment: &Assessment<'_>) -> Judged {
    let figures = &assessment.figures;
    Judged {
        stage: assessment.stage_name().to_owned(),
        restrictions: assessment.restrictions().to_vec(),
        holds_since: assessment.held_from,
        days_past_due: figures.days_past_due,
        delinquent_days: figures.delinquent_days,
        overdue: figures.overdue,
        oldest_due_on: figures.oldest_due_on,
        outstanding: figures.outstanding,
        unpaid_installments: figures.unpaid_installments,
    }
}

fn reminder(intent: &Intent) -> Reminder {
    Reminder {
        channel: intent.channel,
        template: intent.template.clone(),
        about: intent.installment.clone().unwrap(),
        due_on: intent.due_on.unwrap(),
        planned_at: intent.planned_at,
        missed: intent.missed,
    }
}

/// Both say the same of the account at `now`.
fn agree(account: &Account, model: &Model, policy: &Policy, now: DateTime<Utc>) -> TestCaseResult {
    let assessment = assess(account, policy, now);
    prop_assert_eq!(seen(&assessment), model.judge(policy, now), "domain and model at {}", now);
    let intents: Vec<Reminder> = assessment.intents.iter().map(reminder).collect();
    let reminders = model.reminders(policy, account.standing.reminded_through, now);
    prop_assert_eq!(intents, reminders, "domain and model at {}", now);
    Ok(())
}

/// Both say the same of when something comes next.
fn agree_on_what_is_next(
    account: &Account,
    model: &Model,
    policy: &Policy,
    now: DateTime<Utc>,
) -> TestCaseResult {
    let until = now + AHEAD;
    let next = assess(account, policy, now).next_action_at.filter(|next| *next <= until);
    prop_assert_eq!(next, model.next_change(policy, now, until), "domain and model at {}", now);
    Ok(())
}

/// A clock that jumps over the end of a date moves a reminder of that date to where it is
/// too late: the domain looks then, and finds nothing to do. It never looks later.
fn agree_after_idle_looks(
    account: &Account,
    model: &Model,
    policy: &Policy,
    now: DateTime<Utc>,
) -> TestCaseResult {
    let until = now + AHEAD;
    let change = model.next_change(policy, now, until);
    let mut next = assess(account, policy, now).next_action_at;
    while let Some(look) = next.filter(|look| *look < change.unwrap_or(until + TimeDelta::seconds(1))) {
        next = assess(account, policy, look).next_action_at;
    }
    prop_assert_eq!(next.filter(|next| *next <= until), change, "domain and model at {}", now);
    Ok(())
}

/// Walks both through a case and compares them after every fact and at every look.
fn walk(case: &Case, agree_on_what_is_next: Agree) -> TestCaseResult {
    let Case { contract, policy, begin, arrivals, looks } = case;
    let (mut account, mut model) = (Account::open(contract).unwrap(), Model::open(contract));
    account.judge(policy, *begin, Cause::Fact);
    for arrival in arrivals {
        if account.apply(&arrival.command, arrival.at).is_err() {
            continue;
        }
        model.take(&arrival.command, arrival.at);
        for now in looks.iter().chain([&arrival.at, &arrival.arrives_at]) {
            agree(&account, &model, policy, *now)?;
        }
        account.judge(policy, arrival.arrives_at, Cause::Fact);
    }
    for now in looks {
        agree_on_what_is_next(&account, &model, policy, *now)?;
    }
    sweep(account, &model, policy)
}

/// What time alone brings after the last fact.
fn sweep(mut account: Account, model: &Model, policy: &Policy) -> TestCaseResult {
    for _ in 0..10 {
        let Some(next) = account.standing.next_action_at else { break };
        agree(&account, model, policy, next - TimeDelta::seconds(1))?;
        agree(&account, model, policy, next)?;
        account.judge(policy, next, Cause::Time);
    }
    Ok(())
}

fn cases(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|asked| asked.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(cases), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_domain_and_the_model_agree(case in case(PLACES)) {
        walk(&case, agree_on_what_is_next)?;
    }
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn they_agree_where_a_zone_skips_a_date(case in case(DATE_SKIPPED)) {
        walk(&case, agree_after_idle_looks)?;
    }

    #[test]
    fn they_agree_where_a_date_begins_or_ends_oddly(case in case(ODD)) {
        walk(&case, agree_after_idle_looks)?;
    }
}
