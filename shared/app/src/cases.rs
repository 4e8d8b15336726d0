//! Cases: opened, acted on, and found by the sweep.
//!
//! # One write, then the account
//! A case is written first, with the command to its account as a pending effect; the command follows, and then the case
//! notes the answer. The pending effect makes the case due at once.
//!
//! # Cut off, or delivered twice
//! An invocation that is killed between two of these writes leaves the rest to the sweep. The command's event id follows
//! from case, revision and step, so the account takes it once. The same request opens one case.
//!
//! # Racing
//! Each write of a case is on the condition of its revision; the slower writer reads again and decides again. Two cases
//! that are opened side by side want the same number: the second sees the first.
//!
//! # Late
//! Before an action is taken, deadlines that have passed are written, as a revision of their own. So a decision that
//! comes late hides no missed deadline.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use duewatch_domain::Refusal;
use duewatch_domain::cases::{
    Case, CaseAction, CaseAssessment, CaseRefusal, EffectState, NewCase, apply, assess_case,
    open_case as opened_under,
};
use duewatch_domain::kernel::{AccountId, Actor, CaseId, NoId};
use duewatch_domain::policy::{CaseKindRules, Versions};
use duewatch_notify::OperationsKind;
use duewatch_store::{MayConflict, StoreError, retry_conflicts};

use crate::archive::archive_command;
use crate::{Authority, Services, TransitionError, TransitionOutcome};

/// The most writes by which one call files effects: a case has two, and each may be dated anew.
const MAX_EFFECT_WRITES: usize = 8;

/// Why a case was not opened or not acted on.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    #[error("there is no case {0}")]
    NoCase(CaseId),
    #[error(transparent)]
    Refused(#[from] CaseRefusal),
    /// The terms of the case are gone: its policy version cannot be read any more.
    #[error("case {0}: its policy version has no such kind of case")]
    NoTerms(CaseId),
    #[error(transparent)]
    Id(#[from] NoId),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The case is written; the sweep files its command again.
    #[error("the case is written, but its account has not taken it yet; the next sweep tries again: {0}")]
    NotFiled(String),
}

impl CaseError {
    /// Whether a later attempt can succeed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::NotFiled(_) => true,
            Self::Store(error) => error.is_transient(),
            _ => false,
        }
    }
}

impl MayConflict for CaseError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}

/// The terms of a case: the versions of its policy, and the place among them.
struct CaseTerms(Arc<Versions>, u32);

impl CaseTerms {
    fn rules(&self, case: &Case) -> Result<&CaseKindRules, CaseError> {
        let version = self.0.iter().find(|policy| policy.version == self.1);
        let rules = version.and_then(|policy| policy.cases.of(case.kind));
        rules.ok_or_else(|| CaseError::NoTerms(case.case_id.clone()))
    }
}

async fn terms_of(services: &Services, case: &Case, now: DateTime<Utc>) -> Result<CaseTerms, CaseError> {
    let versions = services.transitions.versions_with(&case.policy, now).await?;
    Ok(CaseTerms(versions, case.policy.version))
}

/// Opens a case about an account, and tells the account. The same request again opens no second one.
///
/// # Errors
/// [`CaseError`]. Of [`CaseError::NotFiled`] the case is open.
pub async fn open_case(
    services: &Services,
    account_id: &AccountId,
    request: &NewCase,
    now: DateTime<Utc>,
) -> Result<Case, CaseError> {
    let case = retry_conflicts(async || {
        let stored = services.store().account(account_id).await?;
        let account = stored.ok_or_else(|| CaseError::NoAccount(account_id.clone()))?.account;
        let versions = services.transitions.rules_of(&account, now).await?;
        let policy = versions.in_force(&account, now);
        let earlier = services.store().cases_of(account_id).await?;
        if let Some(known) = earlier.iter().find(|case| case.request_id == request.request_id) {
            return Ok(known.clone());
        }
        let case = opened_under(&account, &earlier, policy, request, now)?;
        let rules = policy.cases.of(case.kind).ok_or(CaseRefusal::KindNotTaken(case.kind))?;
        let next_action_at = assess_case(&case, rules, now).next_action_at;
        services.store().create_case(&case, next_action_at).await?;
        Ok::<_, CaseError>(case)
    })
    .await?;
    file_effects(services, case, now).await
}

/// Takes an action on a case, and tells its account where the case ends.
///
/// # Errors
/// [`CaseError`]. Of [`CaseError::NotFiled`] the action is taken.
pub async fn act_on_case(
    services: &Services,
    case_id: &CaseId,
    action: &CaseAction,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Case, CaseError> {
    let case = retry_conflicts(async || {
        let read = read(services, case_id).await?;
        let terms = terms_of(services, &read, now).await?;
        let case = pass_time(services, read, &terms, now).await?.0;
        let next = apply(&case, terms.rules(&case)?, action, actor, now)?;
        write(services, &case, &next, &terms, now).await?;
        Ok::<_, CaseError>(next)
    })
    .await?;
    file_effects(services, case, now).await
}

/// Evaluates a case that is due: notes missed deadlines and files pending commands. Returns the number of deadlines
/// that it found missed.
///
/// # Errors
/// [`CaseError`]; where it is transient, the case stays due.
pub(crate) async fn sweep_case(
    services: &Services,
    case_id: &CaseId,
    now: DateTime<Utc>,
) -> Result<usize, CaseError> {
    let (case, missed) = retry_conflicts(async || {
        let read = read(services, case_id).await?;
        let terms = terms_of(services, &read, now).await?;
        pass_time(services, read, &terms, now).await
    })
    .await?;
    file_effects(services, case, now).await?;
    Ok(missed)
}

/// Erases all that somebody wrote into the cases of an account. Returns the number of cases that had any.
///
/// # Errors
/// When a call fails, or the terms of a case are gone.
pub async fn erase_case_texts(
    services: &Services,
    account_id: &AccountId,
    now: DateTime<Utc>,
) -> Result<u64, CaseError> {
    let mut erased = 0;
    for known in services.store().cases_of(account_id).await? {
        erased += retry_conflicts(async || {
            let case = read(services, &known.case_id).await?;
            let mut next = case.clone();
            if !next.erase_free_text() {
                return Ok(0);
            }
            next.revision = case.revision.next();
            write(services, &case, &next, &terms_of(services, &case, now).await?, now).await?;
            Ok::<_, CaseError>(1)
        })
        .await?;
    }
    Ok(erased)
}

async fn read(services: &Services, case_id: &CaseId) -> Result<Case, CaseError> {
    services.store().case(case_id).await?.ok_or_else(|| CaseError::NoCase(case_id.clone()))
}

async fn write(
    services: &Services,
    before: &Case,
    after: &Case,
    terms: &CaseTerms,
    now: DateTime<Utc>,
) -> Result<(), CaseError> {
    let next_action_at = assess_case(after, terms.rules(after)?, now).next_action_at;
    Ok(services.store().update_case(before.revision, after, next_action_at).await?)
}

/// Writes the deadlines that have passed, each with its ticket, and returns their number. The ticket leaves before the
/// write: an invocation that is killed in between alerts once more under the same id.
async fn pass_time(
    services: &Services,
    case: Case,
    terms: &CaseTerms,
    now: DateTime<Utc>,
) -> Result<(Case, usize), CaseError> {
    let Some(next) = case.let_time_pass(terms.rules(&case)?, now) else { return Ok((case, 0)) };
    let missed = &next.missed[case.missed.len()..];
    for deadline in missed {
        let subject = format!("{}/{}", case.case_id, deadline.kind);
        let reason = format!("it was due on {}; duewatch cases shows the case", deadline.due_on);
        services.alerts.alert(OperationsKind::CaseDeadlineMissed, &subject, &reason, now).await;
    }
    let missed = missed.len();
    write(services, &case, &next, terms, now).await?;
    Ok((next, missed))
}

/// Files the commands that a case has pending, in their order.
async fn file_effects(services: &Services, mut case: Case, now: DateTime<Utc>) -> Result<Case, CaseError> {
    for _ in 0..MAX_EFFECT_WRITES {
        let Some((step, effect)) = case.pending_effect() else { break };
        let message = case.message_of(step, effect)?;
        let taken = services.transitions.command(&message, Authority::OnePerson, now).await;
        let next = match taken {
            Ok(TransitionOutcome::NoAccount) => case
                .with_effect(step, EffectState::Refused(format!("there is no account {}", case.account_id))),
            Ok(outcome) => {
                if let TransitionOutcome::Deferred(_, blocked) = &outcome {
                    services.alerts.alert_blocked_payment(&case.account_id, blocked, now).await;
                }
                let archived = archive_command(services, &message, now).await;
                archived.map_err(|error| CaseError::NotFiled(error.reason().to_owned()))?;
                case.with_effect(step, EffectState::Applied(now))
            }
            // A later command of another case came first. This one is dated anew.
            Err(TransitionError::Refused(Refusal::OutOfOrder { last, .. })) => {
                case.with_effect_dated(step, now.max(last))
            }
            Err(TransitionError::Refused(refusal)) => {
                let reason = "its account refuses the command; duewatch cases shows why";
                let subject = case.case_id.to_string();
                services.alerts.alert(OperationsKind::CaseNotFiled, &subject, reason, now).await;
                case.with_effect(step, EffectState::Refused(refusal.to_string()))
            }
            Err(TransitionError::Store(error)) => return Err(CaseError::NotFiled(error.to_string())),
        };
        let terms = terms_of(services, &case, now).await?;
        match write(services, &case, &next, &terms, now).await {
            Ok(()) => case = next,
            // Another invocation wrote the case; it may have filed the same command.
            Err(error) if error.is_conflict() => case = read(services, &case.case_id).await?,
            Err(error) => return Err(error),
        }
    }
    Ok(case)
}

/// A case with its deadlines at `now`, by its terms.
///
/// # Errors
/// When a call fails, or the terms of the case are gone.
pub async fn case_deadlines(
    services: &Services,
    case: &Case,
    now: DateTime<Utc>,
) -> Result<CaseAssessment, CaseError> {
    let terms = terms_of(services, case, now).await?;
    Ok(assess_case(case, terms.rules(case)?, now))
}
