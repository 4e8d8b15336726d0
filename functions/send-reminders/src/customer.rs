//! The due contact requests of one customer, from the last look to the message.
//!
//! ```text
//! load        the contact profile and its queued requests          one Query
//! last look   each account in its current state                    Judged
//! gate        which requests leave, on which channel, together     consolidate
//! render      before anything is counted: a request that cannot be rendered is not counted
//! count       profile, messages and requests, all or nothing       write_person
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
use duewatch_runtime::{Metrics, Services};
use duewatch_store::{
    ContactOutcome, ContactRecord, LoadedProfile, MAX_CONFLICTS, MAX_TOGETHER, MessageRecord, ProfileChange,
    RETRY_AFTER, ReservedMessage, StoreError, TransitionError, TransitionOutcome,
};
use serde::Serialize;

use crate::message;
use crate::spoken::{AssessedAccount, SendableRequest};

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
    /// Adds the results to the metrics.
    pub(crate) fn counted(&self, metrics: Metrics) -> Metrics {
        metrics
            .count("reminders", self.messages)
            .count("notices", self.notices)
            .count("withdrawn", self.withdrawn)
            .count("deferred", self.deferred)
            .count("suppressed", self.suppressed)
    }

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
    wiring: &Services,
    keys: &ReferenceKeys,
    customer_id: &CustomerId,
) -> Result<EvaluationReport, TransitionError> {
    let store = wiring.transitions.store();
    for _ in 0..=MAX_CONFLICTS {
        let now = wiring.clock.now();
        let LoadedProfile { profile: person, requests: planned } = store.load_profile(customer_id).await?;
        let due: Vec<QueuedRequest> =
            planned.into_iter().filter(|one| one.evaluate_at <= now).take(MAX_TOGETHER).collect();
        if due.is_empty() {
            return Ok(EvaluationReport::default());
        }
        let accounts = load_accounts(wiring, &due, now).await?;
        let mut look = CustomerEvaluation {
            keys,
            now,
            evaluated: EvaluationReport::default(),
            change: ProfileChange::default(),
        };
        let told = look.withdraw_obsolete(&due, &accounts);
        let (ready, mut rings) = look.pass_gate(person, &told);
        rings.extend(unreadable(&accounts));
        let CustomerEvaluation { evaluated: mut looked, change, .. } = look;
        if !store.write_profile(change).await? {
            continue;
        }
        for (account_id, judged) in &accounts {
            if let CurrentAccount::There(judged) = judged
                && let Some(hold) = &judged.blocked
            {
                wiring.alerts.alert_blocked_payment(account_id, hold, now).await;
            }
        }
        for (kind, subject, reason) in rings {
            wiring.alerts.alert(kind, &subject, &reason, now).await;
        }
        Box::pin(publish(wiring, ready, now, &mut looked)).await?;
        return Ok(looked);
    }
    Err(store.contested(customer_id).into())
}

/// Each account in its current state.
async fn load_accounts(
    wiring: &Services,
    due: &[QueuedRequest],
    now: DateTime<Utc>,
) -> Result<BTreeMap<AccountId, CurrentAccount>, StoreError> {
    let mut accounts = BTreeMap::new();
    for planned in due {
        if !accounts.contains_key(&planned.account_id) {
            let look = match assess_current(wiring, &planned.account_id, now).await {
                Ok(Some(judged)) => CurrentAccount::There(Box::new(judged)),
                Ok(None) => CurrentAccount::Gone,
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => CurrentAccount::Unreadable(error.to_string()),
            };
            accounts.insert(planned.account_id.clone(), look);
        }
    }
    Ok(accounts)
}

async fn assess_current(
    wiring: &Services,
    account_id: &AccountId,
    now: DateTime<Utc>,
) -> Result<Option<AssessedAccount>, StoreError> {
    let Some((account, hold)) = wiring.transitions.load_current(account_id).await? else { return Ok(None) };
    let versions = wiring.transitions.rules_of(&account, now).await?;
    let assessment = assess(&account, versions.in_force(&account, now), now);
    let (stage, figures) = (assessment.stage_name().to_owned(), assessment.figures);
    Ok(Some(AssessedAccount { account, versions, figures, stage, blocked: hold }))
}

fn unreadable(accounts: &BTreeMap<AccountId, CurrentAccount>) -> impl Iterator<Item = Alert> + '_ {
    accounts.iter().filter_map(|(account_id, look)| match look {
        CurrentAccount::Unreadable(problem) => Some((
            OperationsKind::MessageBlocked,
            account_id.to_string(),
            format!("it cannot be judged, so nobody is told anything of it: {problem}"),
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
        let mut told = Vec::new();
        for planned in due {
            match accounts.get(&planned.account_id) {
                Some(CurrentAccount::There(judged)) if judged.blocked.is_some() => {
                    self.end(planned, ContactOutcome::Held, None, Some(judged));
                    self.evaluated.held += 1;
                }
                Some(CurrentAccount::There(judged)) if self.has_reason(planned, judged) => {
                    told.push(SendableRequest { request: planned, account: judged });
                }
                Some(CurrentAccount::Unreadable(_)) => {
                    let look_at = self.now + REASSESS_AFTER;
                    self.change.requests.push(QueuedRequest { evaluate_at: look_at, ..planned.clone() });
                    self.evaluated.deferred += 1;
                }
                Some(CurrentAccount::There(judged)) => {
                    self.end(planned, ContactOutcome::Withdrawn, None, Some(judged));
                    self.evaluated.withdrawn += 1;
                }
                Some(CurrentAccount::Gone) | None => {
                    self.end(planned, ContactOutcome::Withdrawn, None, None);
                    self.evaluated.withdrawn += 1;
                }
            }
        }
        let is_owed =
            |planned: &QueuedRequest| planned.borrower_request().is_some_and(|one| one.notice_of.is_some());
        told.sort_by_key(|one| {
            let planned = one.request;
            (planned.reserved_as.is_none(), !is_owed(planned), planned.planned_at, &planned.contact_id)
        });
        told
    }

    fn has_reason(&self, planned: &QueuedRequest, judged: &AssessedAccount) -> bool {
        let Some(intent) = planned.borrower_request() else { return true };
        let policy = judged.policy(self.now);
        let allocation = allocate_at(&judged.account, policy);
        let stands = (planned.stage.as_str(), judged.stage.as_str());
        is_still_due(&judged.account, &allocation, stands.0, stands.1, intent)
            && (intent.notice_of.is_some() || !intent.has_passed(&judged.account, policy, self.now))
    }

    fn end(
        &mut self,
        planned: &QueuedRequest,
        outcome: ContactOutcome,
        why: Option<GateReason>,
        judged: Option<&AssessedAccount>,
    ) {
        let said =
            ContactRecord { request: planned.clone(), outcome, at: self.now, reason: why, message: None };
        let until = judged.and_then(|one| one.policy(self.now).retention.contact_log_until(self.now));
        self.change.ended.push((said, until));
    }

    /// Asks the gate, and renders the requests that may leave. A request that cannot be rendered ends, and
    /// the gate is asked again without it.
    fn pass_gate(
        &mut self,
        person: ContactProfile,
        told: &[SendableRequest<'_>],
    ) -> (Vec<ReadyMessage>, Vec<Alert>) {
        let (now, no_rules) = (self.now, ContactRules::default());
        let rules: Vec<&ContactRules> =
            told.iter().map(|one| one.account.policy(now).contact.as_ref().unwrap_or(&no_rules)).collect();
        let mut rings = Vec::new();
        let mut left: Vec<usize> = (0..told.len()).collect();
        // Each further round drops at least one request.
        for _ in 0..=told.len() {
            let wishes: Vec<(GateRequest, &ContactRules)> = left
                .iter()
                .map(|place| {
                    let SendableRequest { request: planned, account: judged } = &told[*place];
                    let policy = judged.policy(self.now);
                    let wish = planned.gate_request(&judged.account, policy, &judged.figures, self.now);
                    (wish, rules[*place])
                })
                .collect();
            let consolidated = consolidate(&person, &wishes, self.now);
            let mut said = Vec::new();
            let mut unsayable = Vec::new();
            for (attempt, places) in &consolidated.messages {
                let spoken: Vec<&SendableRequest<'_>> =
                    places.iter().map(|place| &told[left[*place]]).collect();
                match message::of(self.keys, &person, attempt, &spoken, self.now) {
                    Ok(message) => said.push((attempt, spoken, message)),
                    Err(problem) => {
                        unsayable.extend(places.iter().map(|place| (left[*place], problem.clone())))
                    }
                }
            }
            if unsayable.is_empty() {
                let verdicts = consolidated.decisions.iter().zip(&left);
                let verdicts = verdicts.map(|(verdict, place)| (verdict, &told[*place]));
                rings.extend(self.defer_or_suppress(verdicts));
                let windows = rules.iter().map(|rules| rules.window_days()).max().unwrap_or(0);
                let ready = self.reserve(person, windows, said.into_iter());
                return (ready, rings);
            }
            for (place, problem) in unsayable {
                let SendableRequest { request: planned, account: judged } = &told[place];
                self.end(planned, ContactOutcome::Unrenderable, None, Some(judged));
                self.evaluated.unrenderable += 1;
                left.retain(|other| *other != place);
                let reason = format!("it cannot be put into words: {problem}");
                rings.push((OperationsKind::MessageBlocked, planned.contact_id.to_string(), reason));
            }
        }
        (Vec::new(), rings)
    }

    /// Defers or ends the requests that the gate does not let leave. Returns the alerts.
    fn defer_or_suppress<'a>(
        &mut self,
        verdicts: impl Iterator<Item = (&'a GateDecision, &'a SendableRequest<'a>)>,
    ) -> Vec<Alert> {
        let mut rings = Vec::new();
        for (verdict, SendableRequest { request: planned, account: judged }) in verdicts {
            match verdict {
                GateDecision::Send { .. } => {}
                GateDecision::Defer { until, reason: why } => {
                    let late_since = planned.late_since(judged.account.time_zone, self.now);
                    let waits_for = Some(why.clone());
                    let deferred =
                        QueuedRequest { evaluate_at: *until, waits_for, late_since, ..(*planned).clone() };
                    self.change.requests.push(deferred);
                    self.evaluated.deferred += 1;
                }
                GateDecision::Suppress { reason: why } => {
                    if matches!(why, GateReason::NoChannel { .. }) {
                        let subject = planned.customer_id.to_string();
                        rings.push((OperationsKind::NoChannel, subject, why.to_string()));
                    }
                    self.end(planned, ContactOutcome::Suppressed, Some(why.clone()), Some(judged));
                    self.evaluated.suppressed += 1;
                }
            }
        }
        rings
    }

    /// Counts the messages that are about to leave.
    fn reserve<'a>(
        &mut self,
        mut person: ContactProfile,
        window_days: u32,
        said: impl Iterator<Item = (&'a ContactAttempt, Vec<&'a SendableRequest<'a>>, OutboundMessage)>,
    ) -> Vec<ReadyMessage> {
        let mut ready = Vec::new();
        for (attempt, spoken, message) in said {
            let message_id = attempt.contact_id.clone();
            person.keep(attempt.clone());
            let known = MessageRecord {
                customer_id: person.customer_id.clone(),
                channel: attempt.channel,
                third_party: attempt.third_party.clone(),
                contacts: spoken.iter().map(|one| one.request.contact_id.clone()).collect(),
                receipts: Vec::new(),
            };
            let kept =
                spoken.iter().map(|one| one.account.policy(self.now).retention.contact_log_until(self.now));
            // The longest retention period of the requests; `None` is without end.
            let until = kept.reduce(|one, other| one.zip(other).map(|(one, other)| one.max(other))).flatten();
            let reserved = ReservedMessage { message_id: message_id.clone(), message: known, until };
            let spoken_for: Vec<QueuedRequest> = spoken
                .iter()
                .map(|one| QueuedRequest {
                    reserved_as: Some(message_id.clone()),
                    evaluate_at: self.now + RETRY_AFTER,
                    ..one.request.clone()
                })
                .collect();
            self.change.requests.extend(spoken_for.iter().cloned());
            self.change.reserved.push(reserved.clone());
            ready.push(ReadyMessage { message, reserved, requests: spoken_for });
        }
        if !ready.is_empty() {
            person.prune(window_days, self.now);
            self.change.profile = Some(person);
        }
        ready
    }
}

/// Publishes the counted messages, records each notice, and ends the requests. A message that did not leave,
/// or whose notice could not be recorded, becomes due again by itself.
async fn publish(
    wiring: &Services,
    ready: Vec<ReadyMessage>,
    now: DateTime<Utc>,
    looked: &mut EvaluationReport,
) -> Result<(), StoreError> {
    let messages: Vec<OutboundMessage> = ready.iter().map(|one| one.message.clone()).collect();
    let failed: Vec<usize> = match wiring.notifier.publish(&messages).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            tracing::warn!(%error, "to be sent again");
            error.0.iter().map(|failed| failed.place).collect()
        }
    };
    for (place, ReadyMessage { reserved, requests: spoken_for, .. }) in ready.into_iter().enumerate() {
        if failed.contains(&place) || !note_notices(wiring, &spoken_for, now).await {
            looked.unsent += 1;
            continue;
        }
        looked.messages += 1;
        looked.sent += spoken_for.len();
        let is_notice =
            |one: &&QueuedRequest| one.borrower_request().is_some_and(|intent| intent.notice_of.is_some());
        looked.notices += spoken_for.iter().filter(is_notice).count();
        let ReservedMessage { message_id, message, until } = reserved;
        let ended = spoken_for.into_iter().map(|planned| {
            let message = Some((message_id.clone(), message.channel));
            (
                ContactRecord {
                    request: planned,
                    outcome: ContactOutcome::Sent,
                    at: now,
                    reason: None,
                    message,
                },
                until,
            )
        });
        // Where another writer has ended the requests meanwhile, its records stand.
        let change = ProfileChange { ended: ended.collect(), ..ProfileChange::default() };
        wiring.transitions.store().write_profile(change).await?;
    }
    Ok(())
}

/// Records in the accounts that their notices have left. Returns whether all were recorded.
async fn note_notices(wiring: &Services, spoken_for: &[QueuedRequest], now: DateTime<Utc>) -> bool {
    let mut all = true;
    for planned in spoken_for {
        let RequestTarget::Borrower(ContactRequest { notice_of: Some(of), planned_at, .. }) = &planned.target
        else {
            continue;
        };
        match wiring.transitions.notice_left(&planned.account_id, of, *planned_at, now).await {
            Ok(TransitionOutcome::Deferred(account, hold)) => {
                wiring.alerts.alert_blocked_payment(&account.account_id, &hold, now).await;
            }
            Ok(_) => {}
            Err(error) => {
                let account_id = planned.account_id.as_str();
                tracing::warn!(%error, account_id, "a notice has left and is not noted");
                all = false;
            }
        }
    }
    all
}
