//! The checks of a revision's assessment against the model's.

use chrono::{DateTime, Utc};
use duewatch_domain::account::NoticeOf;
use duewatch_domain::{Account, Policy};

use super::{Checked, hold};
use crate::model::{Model, ModelAssessment, ModelClass};

pub(super) fn assessed_at(account: &Account) -> DateTime<Utc> {
    account.status.last_assessed_at.unwrap_or(DateTime::UNIX_EPOCH)
}

/// The account status is the model's, the decision is the difference, the reminders are those due.
pub(super) fn check_assessment(
    before: Option<&Account>,
    account: &Account,
    model: &Model,
    policy: &Policy,
    its_now: DateTime<Utc>,
) -> Checked {
    let (id, revision) = (account.account_id.as_str(), account.revision);
    hold!("it is judged", account.status.last_assessed_at.is_some(), "{id} revision {revision} is not");
    let at = assessed_at(account);
    let last = before.map_or(DateTime::<Utc>::MIN_UTC, assessed_at);
    hold!("time goes on", at >= last, "{id} revision {revision}: judged at {at}, before at {last}");
    hold!(
        "time goes on",
        at <= its_now.max(last),
        "{id} revision {revision}: judged at {at}, it is {its_now}"
    );
    let assessed = model.judge(policy, at);
    let status = &account.status;
    hold!(
        "the standing is the model's",
        status.stage.as_str() == assessed.stage && status.restrictions == assessed.restrictions,
        "{id} revision {revision} at {at}: {} {:?}, the model says {} {:?}",
        status.stage.as_str(),
        status.restrictions,
        assessed.stage,
        assessed.restrictions
    );
    check_class(account, &assessed)?;
    check_asked(before, account, &assessed)?;
    check_decision(before, account, &assessed)?;
    check_reminders(account, model, policy)
}

fn check_class(account: &Account, assessed: &ModelAssessment) -> Checked {
    let (id, revision, at) = (&account.account_id, account.revision, assessed_at(account));
    let status = &account.status;
    let held = status.classification.as_ref().and_then(|classes| classes.class());
    let class = held.map(|held| ModelClass {
        name: held.name.to_string(),
        since: held.since,
        probation_until: held.probation_until,
    });
    hold!(
        "the class is the model's",
        class == assessed.class,
        "{id} revision {revision} at {at}: {class:?}, the model says {:?}",
        assessed.class
    );
    Ok(())
}

fn check_asked(before: Option<&Account>, account: &Account, assessed: &ModelAssessment) -> Checked {
    let (id, revision, at) = (&account.account_id, account.revision, assessed_at(account));
    let status = &account.status;
    hold!(
        "what is asked of others is the model's",
        status.imposed_restrictions() == assessed.imposes,
        "{id} revision {revision} at {at}: asks {:?}, the model says {:?}",
        status.imposes,
        assessed.imposes
    );
    let before_asks = before.map_or(&[][..], |before| before.status.imposed_restrictions());
    hold!(
        "what is asked of others bears its revision",
        (status.imposed_restrictions() == before_asks) == (account.imposed_at_revision() != Some(revision)),
        "{id} revision {revision}: asks {:?}, before {before_asks:?}",
        status.imposes
    );
    Ok(())
}

fn check_reminders(account: &Account, model: &Model, policy: &Policy) -> Checked {
    let (id, revision, at) = (&account.account_id, account.revision, assessed_at(account));
    let due = model.reminders(policy, at);
    let wanted: Vec<_> = account
        .contact_requests
        .iter()
        .filter(|one| !matches!(one.notice_of, Some(NoticeOf::Policy(_))))
        .map(|one| {
            (
                one.name(),
                one.template.clone(),
                one.installment.clone(),
                (one.planned_at, one.not_before),
                one.missed,
            )
        })
        .collect();
    let owed: Vec<_> = due
        .into_iter()
        .map(|one| {
            let of = one.notice_of.map_or_else(String::new, |of| format!("/{of}"));
            let name = format!("{}{of}", one.channel);
            (name, one.template, Some(one.about), (one.planned_at, one.not_before), one.missed)
        })
        .collect();
    hold!(
        "every owed reminder",
        wanted == owed,
        "{id} revision {revision} at {at}: wants {wanted:?}, owes {owed:?}"
    );
    Ok(())
}

fn check_decision(before: Option<&Account>, account: &Account, assessed: &ModelAssessment) -> Checked {
    let (id, revision) = (account.account_id.as_str(), account.revision);
    let none = Vec::new();
    let (from, old) = before
        .map_or(("current", &none), |before| (before.status.stage.as_str(), &before.status.restrictions));
    let new = &account.status.restrictions;
    let applied: Vec<_> = new.iter().filter(|one| !old.contains(one)).cloned().collect();
    let lifted: Vec<_> = old.iter().filter(|one| !new.contains(one)).cloned().collect();
    let changed = from != account.status.stage.as_str() || !applied.is_empty() || !lifted.is_empty();
    let Some(decision) = account.decision_of_this_revision() else {
        hold!(
            "every change is a decision",
            !changed,
            "{id} revision {revision}: none for {from} to {}",
            account.status.stage.as_str()
        );
        return Ok(());
    };
    let is_it = changed
        && decision.from.as_str() == from
        && decision.to == account.status.stage
        && decision.applied == applied
        && decision.lifted == lifted
        && !decision.reasons.is_empty();
    hold!("every change is a decision", is_it, "{id} revision {revision}: {decision:?} from {from} {old:?}");
    let figures = &decision.figures;
    let same = figures.days_past_due == assessed.days_past_due
        && figures.delinquent_days == assessed.delinquent_days
        && figures.overdue == assessed.overdue
        && figures.outstanding == assessed.outstanding
        && figures.oldest_due_on == assessed.oldest_due_on
        && figures.late_fee == assessed.late_fee
        && figures.unpaid_installments == assessed.unpaid_installments;
    hold!(
        "every change is explained",
        same,
        "{id} revision {revision}: {figures:?}, the model says {assessed:?}"
    );
    Ok(())
}

/// The account and the model record the same notices.
pub(super) fn check_notices(account: &Account, model: &Model) -> Checked {
    let known = account.notices().iter().map(|one| (&one.of, one.planned_at, one.sent_at));
    hold!(
        "nothing is made up",
        known.eq(model.notices()),
        "{} revision {}: notices {:?}, the model has {:?}",
        account.account_id,
        account.revision,
        account.notices(),
        model.notices().collect::<Vec<_>>()
    );
    Ok(())
}
