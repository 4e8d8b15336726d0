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
//! due again [`DUE_AGAIN`] later, under the same id. Its count is never undone, for it may have left.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::contact::{Attempt, Person, Planned, Verdict, Wanted, Why, Wish, consolidate};
use duewatch_domain::ids::{AccountId, CustomerId};
use duewatch_domain::policy::ContactRules;
use duewatch_domain::reminder::{Intent, still_owed};
use duewatch_domain::{assess, owed};
use duewatch_notify::{Message, OperationsKind, ReferenceKeys};
use duewatch_runtime::{Metrics, Wiring};
use duewatch_store::{
    AtHand, ContactOutcome, DUE_AGAIN, MAX_CONFLICTS, MAX_TOGETHER, Outcome, PersonChange, Reserved, Said,
    SentMessage, StoreError, TransitionError,
};
use serde::Serialize;

use crate::message;
use crate::spoken::{Judged, Spoken};

/// When an account that cannot be assessed is evaluated again. The fault may be repaired by then.
const JUDGED_AGAIN: TimeDelta = TimeDelta::hours(1);

/// The results of due contact requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Looked {
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
    pub unsayable: usize,
    /// Messages that did not leave and are due again.
    pub not_out: usize,
}

impl Looked {
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
        self.unsayable += other.unsayable;
        self.not_out += other.not_out;
    }
}

/// An alert for the staff on call: kind, subject, reason.
type Ring = (OperationsKind, String, String);

/// The result of the last look at an account.
enum LastLook {
    Gone,
    /// The account, or its policy, cannot be read.
    Unreadable(String),
    There(Box<Judged>),
}

/// A message that may leave, with the requests that it covers.
struct Ready {
    message: Message,
    reserved: Reserved,
    spoken_for: Vec<Planned>,
}

/// Evaluates all due contact requests of a customer, and sends those that may leave.
///
/// # Errors
/// When a call fails, an item of the customer cannot be read, or other writers keep winning.
pub(crate) async fn look(
    wiring: &Wiring,
    keys: &ReferenceKeys,
    customer_id: &CustomerId,
) -> Result<Looked, TransitionError> {
    let store = wiring.transitions.store();
    for _ in 0..=MAX_CONFLICTS {
        let now = wiring.clock.now();
        let AtHand { person, planned } = store.at_hand(customer_id).await?;
        let due: Vec<Planned> =
            planned.into_iter().filter(|one| one.look_at <= now).take(MAX_TOGETHER).collect();
        if due.is_empty() {
            return Ok(Looked::default());
        }
        let accounts = last_look(wiring, &due, now).await?;
        let mut look = Look { keys, now, looked: Looked::default(), change: PersonChange::default() };
        let told = look.settle(&due, &accounts);
        let (ready, mut rings) = look.through_the_gate(person, &told);
        rings.extend(unreadable(&accounts));
        let Look { mut looked, change, .. } = look;
        if !store.write_person(change).await? {
            continue;
        }
        for (account_id, judged) in &accounts {
            if let LastLook::There(judged) = judged
                && let Some(hold) = &judged.hold
            {
                wiring.desk.tell_held(account_id, hold, now).await;
            }
        }
        for (kind, subject, reason) in rings {
            wiring.desk.tell(kind, &subject, &reason, now).await;
        }
        Box::pin(leave(wiring, ready, now, &mut looked)).await?;
        return Ok(looked);
    }
    Err(store.contested(customer_id).into())
}

/// Each account in its current state.
async fn last_look(
    wiring: &Wiring,
    due: &[Planned],
    now: DateTime<Utc>,
) -> Result<BTreeMap<AccountId, LastLook>, StoreError> {
    let mut accounts = BTreeMap::new();
    for planned in due {
        if !accounts.contains_key(&planned.account_id) {
            let look = match judged(wiring, &planned.account_id, now).await {
                Ok(Some(judged)) => LastLook::There(Box::new(judged)),
                Ok(None) => LastLook::Gone,
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => LastLook::Unreadable(error.to_string()),
            };
            accounts.insert(planned.account_id.clone(), look);
        }
    }
    Ok(accounts)
}

async fn judged(
    wiring: &Wiring,
    account_id: &AccountId,
    now: DateTime<Utc>,
) -> Result<Option<Judged>, StoreError> {
    let Some((account, hold)) = wiring.transitions.last_look(account_id).await? else { return Ok(None) };
    let versions = wiring.transitions.rules_of(&account, now).await?;
    let assessment = assess(&account, versions.in_force(&account, now), now);
    let (stage, figures) = (assessment.stage_name().to_owned(), assessment.figures);
    Ok(Some(Judged { account, versions, figures, stage, hold }))
}

fn unreadable(accounts: &BTreeMap<AccountId, LastLook>) -> impl Iterator<Item = Ring> + '_ {
    accounts.iter().filter_map(|(account_id, look)| match look {
        LastLook::Unreadable(problem) => Some((
            OperationsKind::MessageHeld,
            account_id.to_string(),
            format!("it cannot be judged, so nobody is told anything of it: {problem}"),
        )),
        _ => None,
    })
}

/// One evaluation of one customer.
struct Look<'a> {
    keys: &'a ReferenceKeys,
    now: DateTime<Utc>,
    looked: Looked,
    change: PersonChange,
}

impl Look<'_> {
    /// Ends the requests whose reason has gone, and returns the rest for the gate: counted ones first, then
    /// notices owed by law, each in the order of planning.
    fn settle<'a>(
        &mut self,
        due: &'a [Planned],
        accounts: &'a BTreeMap<AccountId, LastLook>,
    ) -> Vec<Spoken<'a>> {
        let mut told = Vec::new();
        for planned in due {
            match accounts.get(&planned.account_id) {
                Some(LastLook::There(judged)) if judged.hold.is_some() => {
                    self.end(planned, ContactOutcome::Held, None, Some(judged));
                    self.looked.held += 1;
                }
                Some(LastLook::There(judged)) if self.has_reason(planned, judged) => {
                    told.push(Spoken { planned, judged });
                }
                Some(LastLook::Unreadable(_)) => {
                    let look_at = self.now + JUDGED_AGAIN;
                    self.change.planned.push(Planned { look_at, ..planned.clone() });
                    self.looked.deferred += 1;
                }
                Some(LastLook::There(judged)) => {
                    self.end(planned, ContactOutcome::Withdrawn, None, Some(judged));
                    self.looked.withdrawn += 1;
                }
                Some(LastLook::Gone) | None => {
                    self.end(planned, ContactOutcome::Withdrawn, None, None);
                    self.looked.withdrawn += 1;
                }
            }
        }
        let is_owed = |planned: &Planned| planned.intent().is_some_and(|one| one.notice_of.is_some());
        told.sort_by_key(|one| {
            let planned = one.planned;
            (planned.reserved_as.is_none(), !is_owed(planned), planned.planned_at, &planned.contact_id)
        });
        told
    }

    fn has_reason(&self, planned: &Planned, judged: &Judged) -> bool {
        let Some(intent) = planned.intent() else { return true };
        let policy = judged.policy(self.now);
        let allocation = owed(&judged.account, policy);
        let stands = (planned.stage.as_str(), judged.stage.as_str());
        still_owed(&judged.account, &allocation, stands.0, stands.1, intent)
            && (intent.notice_of.is_some() || !intent.has_passed(&judged.account, policy, self.now))
    }

    fn end(&mut self, planned: &Planned, outcome: ContactOutcome, why: Option<Why>, judged: Option<&Judged>) {
        let said = Said { planned: planned.clone(), outcome, at: self.now, why, message: None };
        let until = judged.and_then(|one| one.policy(self.now).retention.contact_log_until(self.now));
        self.change.ended.push((said, until));
    }

    /// Asks the gate, and renders the requests that may leave. A request that cannot be rendered ends, and
    /// the gate is asked again without it.
    fn through_the_gate(&mut self, person: Person, told: &[Spoken<'_>]) -> (Vec<Ready>, Vec<Ring>) {
        let (now, no_rules) = (self.now, ContactRules::default());
        let rules: Vec<&ContactRules> =
            told.iter().map(|one| one.judged.policy(now).contact.as_ref().unwrap_or(&no_rules)).collect();
        let mut rings = Vec::new();
        let mut left: Vec<usize> = (0..told.len()).collect();
        // Each further round drops at least one request.
        for _ in 0..=told.len() {
            let wishes: Vec<(Wish, &ContactRules)> = left
                .iter()
                .map(|place| {
                    let Spoken { planned, judged } = &told[*place];
                    let policy = judged.policy(self.now);
                    let wish = planned.wish(&judged.account, policy, &judged.figures, self.now);
                    (wish, rules[*place])
                })
                .collect();
            let consolidated = consolidate(&person, &wishes, self.now);
            let mut said = Vec::new();
            let mut unsayable = Vec::new();
            for (attempt, places) in &consolidated.messages {
                let spoken: Vec<&Spoken<'_>> = places.iter().map(|place| &told[left[*place]]).collect();
                match message::of(self.keys, &person, attempt, &spoken, self.now) {
                    Ok(message) => said.push((attempt, spoken, message)),
                    Err(problem) => {
                        unsayable.extend(places.iter().map(|place| (left[*place], problem.clone())))
                    }
                }
            }
            if unsayable.is_empty() {
                let verdicts = consolidated.verdicts.iter().zip(&left);
                let verdicts = verdicts.map(|(verdict, place)| (verdict, &told[*place]));
                rings.extend(self.keep_back(verdicts));
                let windows = rules.iter().map(|rules| rules.window_days()).max().unwrap_or(0);
                let ready = self.count(person, windows, said.into_iter());
                return (ready, rings);
            }
            for (place, problem) in unsayable {
                let Spoken { planned, judged } = &told[place];
                self.end(planned, ContactOutcome::Unsayable, None, Some(judged));
                self.looked.unsayable += 1;
                left.retain(|other| *other != place);
                let reason = format!("it cannot be put into words: {problem}");
                rings.push((OperationsKind::MessageHeld, planned.contact_id.to_string(), reason));
            }
        }
        (Vec::new(), rings)
    }

    /// Defers or ends the requests that the gate does not let leave. Returns the alerts.
    fn keep_back<'a>(&mut self, verdicts: impl Iterator<Item = (&'a Verdict, &'a Spoken<'a>)>) -> Vec<Ring> {
        let mut rings = Vec::new();
        for (verdict, Spoken { planned, judged }) in verdicts {
            match verdict {
                Verdict::Send { .. } => {}
                Verdict::Defer { until, why } => {
                    let late_since = planned.late_since(judged.account.time_zone, self.now);
                    let waits_for = Some(why.clone());
                    let deferred = Planned { look_at: *until, waits_for, late_since, ..(*planned).clone() };
                    self.change.planned.push(deferred);
                    self.looked.deferred += 1;
                }
                Verdict::Suppress { why } => {
                    if matches!(why, Why::NoChannel { .. }) {
                        let subject = planned.customer_id.to_string();
                        rings.push((OperationsKind::NoChannel, subject, why.to_string()));
                    }
                    self.end(planned, ContactOutcome::Suppressed, Some(why.clone()), Some(judged));
                    self.looked.suppressed += 1;
                }
            }
        }
        rings
    }

    /// Counts the messages that are about to leave.
    fn count<'a>(
        &mut self,
        mut person: Person,
        window_days: u32,
        said: impl Iterator<Item = (&'a Attempt, Vec<&'a Spoken<'a>>, Message)>,
    ) -> Vec<Ready> {
        let mut ready = Vec::new();
        for (attempt, spoken, message) in said {
            let message_id = attempt.contact_id.clone();
            person.keep(attempt.clone());
            let known = SentMessage {
                customer_id: person.customer_id.clone(),
                channel: attempt.channel,
                contact_person: attempt.contact_person.clone(),
                contacts: spoken.iter().map(|one| one.planned.contact_id.clone()).collect(),
                receipts: Vec::new(),
            };
            let kept =
                spoken.iter().map(|one| one.judged.policy(self.now).retention.contact_log_until(self.now));
            // The longest retention period of the requests; `None` is without end.
            let until = kept.reduce(|one, other| one.zip(other).map(|(one, other)| one.max(other))).flatten();
            let reserved = Reserved { message_id: message_id.clone(), message: known, until };
            let spoken_for: Vec<Planned> = spoken
                .iter()
                .map(|one| Planned {
                    reserved_as: Some(message_id.clone()),
                    look_at: self.now + DUE_AGAIN,
                    ..one.planned.clone()
                })
                .collect();
            self.change.planned.extend(spoken_for.iter().cloned());
            self.change.reserved.push(reserved.clone());
            ready.push(Ready { message, reserved, spoken_for });
        }
        if !ready.is_empty() {
            person.prune(window_days, self.now);
            self.change.person = Some(person);
        }
        ready
    }
}

/// Publishes the counted messages, records each notice, and ends the requests. A message that did not leave,
/// or whose notice could not be recorded, becomes due again by itself.
async fn leave(
    wiring: &Wiring,
    ready: Vec<Ready>,
    now: DateTime<Utc>,
    looked: &mut Looked,
) -> Result<(), StoreError> {
    let messages: Vec<Message> = ready.iter().map(|one| one.message.clone()).collect();
    let failed: Vec<usize> = match wiring.notifier.publish(&messages).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            tracing::warn!(%error, "to be sent again");
            error.0.iter().map(|failed| failed.place).collect()
        }
    };
    for (place, Ready { reserved, spoken_for, .. }) in ready.into_iter().enumerate() {
        if failed.contains(&place) || !note_notices(wiring, &spoken_for, now).await {
            looked.not_out += 1;
            continue;
        }
        looked.messages += 1;
        looked.sent += spoken_for.len();
        let is_notice = |one: &&Planned| one.intent().is_some_and(|intent| intent.notice_of.is_some());
        looked.notices += spoken_for.iter().filter(is_notice).count();
        let Reserved { message_id, message, until } = reserved;
        let ended = spoken_for.into_iter().map(|planned| {
            let message = Some((message_id.clone(), message.channel));
            (Said { planned, outcome: ContactOutcome::Sent, at: now, why: None, message }, until)
        });
        // Where another writer has ended the requests meanwhile, its records stand.
        let change = PersonChange { ended: ended.collect(), ..PersonChange::default() };
        wiring.transitions.store().write_person(change).await?;
    }
    Ok(())
}

/// Records in the accounts that their notices have left. Returns whether all were recorded.
async fn note_notices(wiring: &Wiring, spoken_for: &[Planned], now: DateTime<Utc>) -> bool {
    let mut all = true;
    for planned in spoken_for {
        let Wanted::Intent(Intent { notice_of: Some(of), planned_at, .. }) = &planned.wanted else {
            continue;
        };
        match wiring.transitions.notice_left(&planned.account_id, of, *planned_at, now).await {
            Ok(Outcome::Held(account, hold)) => {
                wiring.desk.tell_held(&account.account_id, &hold, now).await;
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
