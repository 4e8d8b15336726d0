//! The due contact requests of one customer, from the last look to the message.
//!
//! ```text
//! load        the contact profile and its queued requests          one Query
//! last look   each account in its current state                    AssessedAccount
//! gate        which requests leave, on which channel, together     consolidate
//! render      before anything is counted: a request that cannot be rendered is not counted
//! count       profile, messages and requests, all or nothing       write_profile
//! publish     then each notice is recorded, and the requests end
//! ```
//!
//! The second of two invocations, or of two accounts, finds the profile changed and evaluates again, so that
//! both never use the same room under a frequency cap. A message that was counted and not seen to leave is
//! due again [`RETRY_AFTER`] later, under the same id. Its count is never undone, for it may have left.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::account::ContactRequest;
use duewatch_domain::assessment::is_still_due;
use duewatch_domain::contact::{
    ContactAttempt, ContactProfile, GateDecision, GateReason, GateRequest, QueuedRequest, RequestTarget,
    consolidate,
};
use duewatch_domain::kernel::{AccountId, CustomerId};
use duewatch_domain::policy::ContactRules;
use duewatch_domain::{allocate_at, assess};
use duewatch_notify::{OperationsKind, OutboundMessage, ReferenceKeys};
use duewatch_store::{
    ContactOutcome, ContactRecord, LoadedProfile, MAX_TOGETHER, MayConflict, MessageRecord, ProfileChange,
    RETRY_AFTER, ReservedMessage, StoreError, retry_conflicts,
};
use serde::Serialize;

use super::message;
use super::sendable::{AssessedAccount, SendableRequest};
use crate::{Services, TransitionError, TransitionOutcome};

/// When an account that cannot be assessed is evaluated again. The fault may be repaired by then.
const REASSESS_AFTER: TimeDelta = TimeDelta::hours(1);

/// The results of due contact requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EvaluationReport {
    /// Messages that left.
    pub messages: usize,
    /// Contact requests that these messages cover.
    pub sent: usize,
    /// Notices among these.
    pub notices: usize,
    /// Requests whose reason had gone.
    pub withdrawn: usize,
    /// Requests ended because a payment cannot be posted.
    pub held: usize,
    /// Requests that wait.
    pub deferred: usize,
    /// Requests that the gate suppressed.
    pub suppressed: usize,
    /// Requests that cannot be rendered.
    #[serde(rename = "unsayable")]
    pub unrenderable: usize,
    /// Messages that did not leave and are due again.
    #[serde(rename = "not_out")]
    pub unsent: usize,
}

impl EvaluationReport {
    pub(crate) fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.sent += other.sent;
        self.notices += other.notices;
        self.withdrawn += other.withdrawn;
        self.held += other.held;
        self.deferred += other.deferred;
        self.suppressed += other.suppressed;
        self.unrenderable += other.unrenderable;
        self.unsent += other.unsent;
    }
}

/// An alert for the staff on call: kind, subject, reason.
type Alert = (OperationsKind, String, String);

/// The result of the last look at an account.
enum CurrentAccount {
    Gone,
    /// The account, or its policy, cannot be read.
    Unreadable(String),
    There(Box<AssessedAccount>),
}

/// A message that may leave, with the requests that it covers.
struct ReadyMessage {
    message: OutboundMessage,
    reserved: ReservedMessage,
    requests: Vec<QueuedRequest>,
}

/// Evaluates all due contact requests of a customer, and sends those that may leave.
///
/// # Errors
/// When a call fails, an item of the customer cannot be read, or other writers keep winning.
pub(crate) async fn evaluate(
    services: &Services,
    keys: &ReferenceKeys,
    customer_id: &CustomerId,
) -> Result<EvaluationReport, TransitionError> {
    retry_conflicts(async || Box::pin(try_evaluate(services, keys, customer_id)).await).await
}

async fn try_evaluate(
    services: &Services,
    keys: &ReferenceKeys,
    customer_id: &CustomerId,
) -> Result<EvaluationReport, TransitionError> {
    let (store, now) = (services.store(), services.clock.now());
    let LoadedProfile { profile, requests: queued } = store.load_profile(customer_id).await?;
    let due: Vec<QueuedRequest> =
        queued.into_iter().filter(|one| one.evaluate_at <= now).take(MAX_TOGETHER).collect();
    if due.is_empty() {
        return Ok(EvaluationReport::default());
    }
    let accounts = load_accounts(services, &due, now).await?;
    let mut evaluation = CustomerEvaluation {
        keys,
        now,
        evaluated: EvaluationReport::default(),
        change: ProfileChange::default(),
    };
    let sendable = evaluation.withdraw_obsolete(&due, &accounts);
    let (ready, mut alerts) = evaluation.pass_gate(profile, &sendable);
    alerts.extend(unreadable(&accounts));
    let CustomerEvaluation { evaluated: mut report, change, .. } = evaluation;
    store.write_profile(customer_id, change).await?;
    for (account_id, current) in &accounts {
        if let CurrentAccount::There(assessed) = current
            && let Some(blocked) = &assessed.blocked
        {
            services.alerts.alert_blocked_payment(account_id, blocked, now).await;
        }
    }
    for (kind, subject, reason) in alerts {
        services.alerts.alert(kind, &subject, &reason, now).await;
    }
    Box::pin(publish(services, customer_id, ready, now, &mut report)).await?;
    Ok(report)
}

/// Each account in its current state.
async fn load_accounts(
    services: &Services,
    due: &[QueuedRequest],
    now: DateTime<Utc>,
) -> Result<BTreeMap<AccountId, CurrentAccount>, StoreError> {
    let mut accounts = BTreeMap::new();
    for queued in due {
        if !accounts.contains_key(&queued.account_id) {
            let current = match assess_current(services, &queued.account_id, now).await {
                Ok(Some(assessed)) => CurrentAccount::There(Box::new(assessed)),
                Ok(None) => CurrentAccount::Gone,
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => CurrentAccount::Unreadable(error.to_string()),
            };
            accounts.insert(queued.account_id.clone(), current);
        }
    }
    Ok(accounts)
}

async fn assess_current(
    services: &Services,
    account_id: &AccountId,
    now: DateTime<Utc>,
) -> Result<Option<AssessedAccount>, StoreError> {
    let Some((account, blocked)) = services.transitions.load_current(account_id, now).await? else {
        return Ok(None);
    };
    let versions = services.transitions.rules_of(&account, now).await?;
    let assessment = assess(&account, versions.timeline(&account, now), now);
    let (stage, figures) = (assessment.stage_name().to_owned(), assessment.figures);
    Ok(Some(AssessedAccount { account, versions, figures, stage, blocked }))
}

fn unreadable(accounts: &BTreeMap<AccountId, CurrentAccount>) -> impl Iterator<Item = Alert> + '_ {
    accounts.iter().filter_map(|(account_id, current)| match current {
        CurrentAccount::Unreadable(problem) => Some((
            OperationsKind::MessageBlocked,
            account_id.to_string(),
            format!("it cannot be assessed, so no message about it is sent: {problem}"),
        )),
        _ => None,
    })
}

/// One evaluation of one customer.
struct CustomerEvaluation<'a> {
    keys: &'a ReferenceKeys,
    now: DateTime<Utc>,
    evaluated: EvaluationReport,
    change: ProfileChange,
}

impl CustomerEvaluation<'_> {
    /// Ends the requests whose reason has gone, and returns the rest for the gate: counted ones first, then
    /// notices owed by law, each in the order of planning.
    fn withdraw_obsolete<'a>(
        &mut self,
        due: &'a [QueuedRequest],
        accounts: &'a BTreeMap<AccountId, CurrentAccount>,
    ) -> Vec<SendableRequest<'a>> {
        let mut sendable = Vec::new();
        for queued in due {
            match accounts.get(&queued.account_id) {
                Some(CurrentAccount::There(assessed)) if assessed.blocked.is_some() => {
                    self.end(queued, ContactOutcome::Held, None, Some(assessed));
                    self.evaluated.held += 1;
                }
                Some(CurrentAccount::There(assessed)) if self.has_reason(queued, assessed) => {
                    let leaves_at = queued.leaves_at(&assessed.account, assessed.policy(self.now), self.now);
                    if leaves_at > self.now {
                        self.catch_up(queued, assessed, leaves_at);
                    } else {
                        sendable.push(SendableRequest { request: queued, account: assessed });
                    }
                }
                Some(CurrentAccount::Unreadable(_)) => {
                    let look_at = self.now + REASSESS_AFTER;
                    self.change.requests.push(QueuedRequest { evaluate_at: look_at, ..queued.clone() });
                    self.evaluated.deferred += 1;
                }
                Some(CurrentAccount::There(assessed)) => {
                    self.end(queued, ContactOutcome::Withdrawn, None, Some(assessed));
                    self.evaluated.withdrawn += 1;
                }
                Some(CurrentAccount::Gone) | None => {
                    self.end(queued, ContactOutcome::Withdrawn, None, None);
                    self.evaluated.withdrawn += 1;
                }
            }
        }
        let is_owed =
            |queued: &QueuedRequest| queued.borrower_request().is_some_and(|one| one.notice_of.is_some());
        sendable.sort_by_key(|one| {
            let queued = one.request;
            (queued.reserved_as.is_none(), !is_owed(queued), queued.planned_at, &queued.contact_id)
        });
        sendable
    }

    /// Lets a request that is caught up wait for the time of sending.
    fn catch_up(&mut self, queued: &QueuedRequest, assessed: &AssessedAccount, leaves_at: DateTime<Utc>) {
        let at = leaves_at.with_timezone(&assessed.account.time_zone).time();
        let waits_for = Some(GateReason::SendTime { at });
        let late_since = queued.late_since(assessed.account.time_zone, self.now);
        self.change.requests.push(QueuedRequest {
            evaluate_at: leaves_at,
            waits_for,
            late_since,
            ..queued.clone()
        });
        self.evaluated.deferred += 1;
    }

    fn has_reason(&self, queued: &QueuedRequest, assessed: &AssessedAccount) -> bool {
        let Some(request) = queued.borrower_request() else { return true };
        let policy = assessed.policy(self.now);
        let allocation =
            allocate_at(&assessed.account, assessed.versions.timeline(&assessed.account, self.now));
        let stands = (queued.stage.as_str(), assessed.stage.as_str());
        is_still_due(&assessed.account, &allocation, stands.0, stands.1, request)
            && (request.notice_of.is_some() || !request.has_passed(&assessed.account, policy, self.now))
    }

    fn end(
        &mut self,
        queued: &QueuedRequest,
        outcome: ContactOutcome,
        reason: Option<GateReason>,
        assessed: Option<&AssessedAccount>,
    ) {
        let record = ContactRecord { request: queued.clone(), outcome, at: self.now, reason, message: None };
        let until = assessed.and_then(|one| one.policy(self.now).retention.contact_log_until(self.now));
        self.change.ended.push((record, until));
    }

    /// Asks the gate, and renders the requests that may leave. A request that cannot be rendered ends, and
    /// the gate is asked again without it.
    fn pass_gate(
        &mut self,
        profile: ContactProfile,
        sendable_requests: &[SendableRequest<'_>],
    ) -> (Vec<ReadyMessage>, Vec<Alert>) {
        let (now, no_rules) = (self.now, ContactRules::default());
        let rules: Vec<&ContactRules> = sendable_requests
            .iter()
            .map(|one| one.account.policy(now).contact.as_ref().unwrap_or(&no_rules))
            .collect();
        let mut alerts = Vec::new();
        let mut left: Vec<usize> = (0..sendable_requests.len()).collect();
        // Each further round drops at least one request.
        for _ in 0..=sendable_requests.len() {
            let gate_requests: Vec<(GateRequest, &ContactRules)> = left
                .iter()
                .map(|place| {
                    let SendableRequest { request: queued, account: assessed } = &sendable_requests[*place];
                    let policy = assessed.policy(self.now);
                    let gate_request =
                        queued.gate_request(&assessed.account, policy, &assessed.figures, self.now);
                    (gate_request, rules[*place])
                })
                .collect();
            let consolidated = consolidate(&profile, &gate_requests, self.now);
            let mut said = Vec::new();
            let mut unsayable = Vec::new();
            for (attempt, places) in &consolidated.messages {
                let sendable: Vec<&SendableRequest<'_>> =
                    places.iter().map(|place| &sendable_requests[left[*place]]).collect();
                match message::of(self.keys, &profile, attempt, &sendable, self.now) {
                    Ok(message) => said.push((attempt, sendable, message)),
                    Err(problem) => {
                        unsayable.extend(places.iter().map(|place| (left[*place], problem.clone())))
                    }
                }
            }
            if unsayable.is_empty() {
                let decisions = consolidated.decisions.iter().zip(&left);
                let decisions = decisions.map(|(decision, place)| (decision, &sendable_requests[*place]));
                alerts.extend(self.defer_or_suppress(decisions));
                let windows = rules.iter().map(|rules| rules.window_days()).max().unwrap_or(0);
                let ready = self.reserve(profile, windows, said.into_iter());
                return (ready, alerts);
            }
            for (place, problem) in unsayable {
                let SendableRequest { request: queued, account: assessed } = &sendable_requests[place];
                self.end(queued, ContactOutcome::Unrenderable, None, Some(assessed));
                self.evaluated.unrenderable += 1;
                left.retain(|other| *other != place);
                let reason = format!("it cannot be rendered: {problem}");
                alerts.push((OperationsKind::MessageBlocked, queued.contact_id.to_string(), reason));
            }
        }
        (Vec::new(), alerts)
    }

    /// Defers or ends the requests that the gate does not let leave. Returns the alerts.
    fn defer_or_suppress<'a>(
        &mut self,
        decisions: impl Iterator<Item = (&'a GateDecision, &'a SendableRequest<'a>)>,
    ) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for (decision, SendableRequest { request: queued, account: assessed }) in decisions {
            match decision {
                GateDecision::Send { .. } => {}
                GateDecision::Defer { until, reason } => {
                    let late_since = queued.late_since(assessed.account.time_zone, self.now);
                    let waits_for = Some(reason.clone());
                    let policy = assessed.policy(self.now);
                    let evaluate_at = queued.deferred_until(*until, reason, &assessed.account, policy);
                    let deferred = QueuedRequest { evaluate_at, waits_for, late_since, ..(*queued).clone() };
                    self.change.requests.push(deferred);
                    self.evaluated.deferred += 1;
                }
                GateDecision::Suppress { reason } => {
                    if matches!(reason, GateReason::NoChannel { .. }) {
                        let subject = queued.customer_id.to_string();
                        alerts.push((OperationsKind::NoChannel, subject, reason.to_string()));
                    }
                    self.end(queued, ContactOutcome::Suppressed, Some(reason.clone()), Some(assessed));
                    self.evaluated.suppressed += 1;
                }
            }
        }
        alerts
    }

    /// Counts the messages that are about to leave.
    fn reserve<'a>(
        &mut self,
        mut profile: ContactProfile,
        window_days: u32,
        said: impl Iterator<Item = (&'a ContactAttempt, Vec<&'a SendableRequest<'a>>, OutboundMessage)>,
    ) -> Vec<ReadyMessage> {
        let mut ready = Vec::new();
        for (attempt, sendable, message) in said {
            let message_id = attempt.contact_id.clone();
            profile.keep(attempt.clone());
            let known = MessageRecord {
                customer_id: profile.customer_id.clone(),
                channel: attempt.channel,
                third_party: attempt.third_party.clone(),
                contacts: sendable.iter().map(|one| one.request.contact_id.clone()).collect(),
                receipts: Vec::new(),
            };
            let kept =
                sendable.iter().map(|one| one.account.policy(self.now).retention.contact_log_until(self.now));
            // The longest retention period of the requests; `None` is without end.
            let until = kept.reduce(|one, other| one.zip(other).map(|(one, other)| one.max(other))).flatten();
            let reserved = ReservedMessage { message_id: message_id.clone(), message: known, until };
            let requests: Vec<QueuedRequest> = sendable
                .iter()
                .map(|one| QueuedRequest {
                    reserved_as: Some(message_id.clone()),
                    evaluate_at: self.now + RETRY_AFTER,
                    ..one.request.clone()
                })
                .collect();
            self.change.requests.extend(requests.iter().cloned());
            self.change.reserved.push(reserved.clone());
            ready.push(ReadyMessage { message, reserved, requests });
        }
        if !ready.is_empty() {
            profile.prune(window_days, self.now);
            self.change.profile = Some(profile);
        }
        ready
    }
}

/// Publishes the counted messages, records each notice, and ends the requests. A message that did not leave,
/// or whose notice could not be recorded, becomes due again by itself.
async fn publish(
    services: &Services,
    customer_id: &CustomerId,
    ready: Vec<ReadyMessage>,
    now: DateTime<Utc>,
    report: &mut EvaluationReport,
) -> Result<(), StoreError> {
    let messages: Vec<OutboundMessage> = ready.iter().map(|one| one.message.clone()).collect();
    let failed: Vec<usize> = match services.publisher.publish(&messages, now).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            tracing::warn!(%error, "to be sent again");
            error.0.iter().map(|failed| failed.place).collect()
        }
    };
    for (place, ReadyMessage { reserved, requests, .. }) in ready.into_iter().enumerate() {
        if failed.contains(&place) || !note_notices(services, &requests, now).await {
            report.unsent += 1;
            continue;
        }
        report.messages += 1;
        report.sent += requests.len();
        let is_notice =
            |one: &&QueuedRequest| one.borrower_request().is_some_and(|request| request.notice_of.is_some());
        report.notices += requests.iter().filter(is_notice).count();
        let ReservedMessage { message_id, message, until } = reserved;
        let ended = requests.into_iter().map(|queued| {
            let message = Some((message_id.clone(), message.channel));
            (
                ContactRecord {
                    request: queued,
                    outcome: ContactOutcome::Sent,
                    at: now,
                    reason: None,
                    message,
                },
                until,
            )
        });
        let change = ProfileChange { ended: ended.collect(), ..ProfileChange::default() };
        match services.store().write_profile(customer_id, change).await {
            // Another writer has ended the requests meanwhile: its records stand.
            Err(error) if error.is_conflict() => {}
            written => written?,
        }
    }
    Ok(())
}

/// Records in the accounts that their notices have left. Returns whether all were recorded.
async fn note_notices(services: &Services, requests: &[QueuedRequest], now: DateTime<Utc>) -> bool {
    let mut all = true;
    for queued in requests {
        let RequestTarget::Borrower(ContactRequest { notice_of: Some(of), planned_at, .. }) = &queued.target
        else {
            continue;
        };
        match services.transitions.notice_left(&queued.account_id, of, *planned_at, now).await {
            Ok(TransitionOutcome::Deferred(account, blocked)) => {
                services.alerts.alert_blocked_payment(&account.account_id, &blocked, now).await;
            }
            Ok(_) => {}
            Err(error) => {
                let account_id = queued.account_id.as_str();
                tracing::warn!(%error, account_id, "a notice has left and is not noted");
                all = false;
            }
        }
    }
    all
}
