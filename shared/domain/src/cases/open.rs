//! Opening a case.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::apply::checked_text;
use super::case::{Case, CaseState};
use super::effect::{CaseEffect, EffectState};
use super::refusal::CaseRefusal;
use crate::account::Account;
use crate::kernel::{Actor, CaseId, EventId, Revision, business_date};
use crate::policy::{CaseKind, CaseKindRules, Policy, TermAnchor};

/// A request to open a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCase {
    pub request_id: EventId,
    pub kind: CaseKind,
    /// The date of the event that the case is about; none: not known.
    pub event_on: Option<NaiveDate>,
    pub statement: String,
    pub by: Actor,
}

/// Opens a case about an account, beside the account's earlier cases, under the policy that is in force at `at`.
///
/// # Errors
/// A [`CaseRefusal`]: the policy takes no such case, it comes too late or too often, or one is open already.
pub fn open_case(
    account: &Account,
    earlier: &[Case],
    policy: &Policy,
    request: &NewCase,
    at: DateTime<Utc>,
) -> Result<Case, CaseRefusal> {
    let NewCase { request_id, kind, event_on, statement, by } = request;
    let rules = policy.cases.of(*kind).ok_or(CaseRefusal::KindNotTaken(*kind))?;
    let today = business_date(account.time_zone, at);
    if let Some(event_on) = event_on.filter(|event_on| *event_on > today) {
        return Err(CaseRefusal::EventAhead(event_on));
    }
    check_in_time(rules, *kind, *event_on, today)?;
    check_repetition(rules, *kind, earlier, at)?;
    let statement = checked_text(statement)?;
    let number = earlier.iter().filter_map(|case| Some(case.case_id.parts()?.1)).max().unwrap_or(0);
    let revision = Revision::default().next();
    let opening = CaseEffect { revision, at, by: by.clone(), outcome: None, state: EffectState::Pending };
    Ok(Case {
        case_id: CaseId::of(&account.account_id, number.saturating_add(1))?,
        account_id: account.account_id.clone(),
        customer_id: account.customer_id.clone(),
        kind: *kind,
        policy: policy.reference(),
        time_zone: account.time_zone,
        opened_at: at,
        opened_by: by.clone(),
        request_id: request_id.clone(),
        event_on: *event_on,
        statement,
        acknowledged_at: None,
        additions: Vec::new(),
        stops: Vec::new(),
        extensions: 0,
        missed: Vec::new(),
        escalated_at: None,
        state: CaseState::Open,
        effects: vec![opening],
        revision,
    })
}

fn check_in_time(
    rules: &CaseKindRules,
    kind: CaseKind,
    event_on: Option<NaiveDate>,
    today: NaiveDate,
) -> Result<(), CaseRefusal> {
    let Some(term) = &rules.file_within else { return Ok(()) };
    let anchor = match term.from {
        TermAnchor::Opened => return Ok(()),
        TermAnchor::Event => event_on.unwrap_or(today),
    };
    let until = term.after(anchor, 0);
    if today > until { Err(CaseRefusal::TooLate { kind, until }) } else { Ok(()) }
}

fn check_repetition(
    rules: &CaseKindRules,
    kind: CaseKind,
    earlier: &[Case],
    at: DateTime<Utc>,
) -> Result<(), CaseRefusal> {
    let of_kind = || earlier.iter().filter(|case| case.kind == kind);
    if let Some(open) = of_kind().find(|case| case.is_open()) {
        return Err(CaseRefusal::OpenAlready { case_id: open.case_id.clone(), kind });
    }
    let Some(repeat) = rules.repeat else { return Ok(()) };
    let since = at - TimeDelta::days(i64::from(repeat.within_days));
    let count = of_kind().filter(|case| case.opened_at > since).count();
    if u32::try_from(count).unwrap_or(u32::MAX) >= repeat.at_most {
        return Err(CaseRefusal::TooOften { kind, at_most: repeat.at_most, within_days: repeat.within_days });
    }
    Ok(())
}
