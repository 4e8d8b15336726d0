//! The steps that come by themselves, and what a borrower has told the lender.

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::Account;
use duewatch_domain::account::{DisputeOutcome, PromiseOutcome};
use duewatch_domain::assessment::projection::project_stages;
use duewatch_domain::commands::BORROWER;
use duewatch_domain::kernel::{DisputeId, PromiseId};
use duewatch_domain::policy::{Restriction, Timeline};
use serde::Serialize;

use crate::account::amount;

/// A stage that the account reaches if nothing is paid and no other fact comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepView {
    pub on: NaiveDate,
    pub stage: String,
    pub restrictions: Vec<Restriction>,
}

/// A promise to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromiseView {
    pub promise_id: PromiseId,
    pub amount: String,
    /// The last day on which a payment keeps it.
    pub by: NaiveDate,
    /// None: it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<PromiseOutcome>,
}

/// An objection to an amount or a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DisputeView {
    pub dispute_id: DisputeId,
    pub at: DateTime<Utc>,
    pub reason: String,
    /// None: it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DisputeOutcome>,
}

/// The borrower's own reason for being late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CauseView {
    pub at: DateTime<Utc>,
    pub reason: String,
}

pub(crate) fn steps(account: &Account, timeline: &Timeline<'_>, at: DateTime<Utc>) -> Vec<StepView> {
    let steps = project_stages(account, timeline.clone(), at).into_iter().map(|step| StepView {
        on: step.on,
        stage: step.stage.name.to_string(),
        restrictions: step.stage.restrictions.clone(),
    });
    steps.collect()
}

pub(crate) fn promises(account: &Account, today: NaiveDate) -> Vec<PromiseView> {
    let views = account.promises().iter().map(|promise| PromiseView {
        promise_id: promise.promise_id.clone(),
        amount: amount(account, promise.amount),
        by: promise.until.pred_opt().unwrap_or(promise.until),
        outcome: promise.outcome(account, today),
    });
    views.collect()
}

pub(crate) fn disputes(account: &Account) -> Vec<DisputeView> {
    let views = account.disputes().iter().map(|dispute| DisputeView {
        dispute_id: dispute.dispute_id.clone(),
        at: dispute.at,
        reason: dispute.reason.clone(),
        outcome: dispute.closed.map(|(outcome, _)| outcome),
    });
    views.collect()
}

/// The borrower's reason; a cause that somebody else recorded is not the borrower's own.
pub(crate) fn cause(account: &Account) -> Option<CauseView> {
    let cause = account.cause().filter(|cause| cause.by == BORROWER)?;
    Some(CauseView { at: cause.at, reason: cause.reason.clone() })
}
