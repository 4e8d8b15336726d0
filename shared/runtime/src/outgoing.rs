//! What a revision says to the outside, and the last look before it does.
//!
//! A decision goes to `account-events`; what the revision wants to tell the borrower
//! goes to `reminders`. Right before a reminder leaves, the account and its payments are
//! read again: one whose reason has gone is recorded as withdrawn; money that cannot be
//! posted keeps it back and rings at `operations`.
//!
//! A revision that changes what an account asks of the customer's other accounts makes each
//! of them heed it. Only then it counts as published: what a stream forgot, the watch tells.
//!
//! # Sent twice
//! Everything leaves again under the same id, for consumers to drop.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use duewatch_domain::decision::Decision;
use duewatch_domain::ids::{AccountId, CustomerId, Revision};
use duewatch_domain::policy::Retention;
use duewatch_domain::reminder::{Intent, still_owed};
use duewatch_domain::{Account, assess, owed};
use duewatch_notify::{Message, OperationsKind, account_changed, reminder_due};
use duewatch_store::{ContactOutcome, Heeded, Outcome, StoreError, TransitionError};

use crate::Wiring;

/// What a revision wants to say, and what is to be noted once it is said.
#[derive(Debug, Default)]
pub struct Outgoing {
    messages: Vec<Message>,
    sent: Vec<Intent>,
    withdrawn: usize,
    /// For how long what became of a reminder is kept.
    retention: Retention,
    /// Whose revision is published then.
    revision: Option<(AccountId, Revision)>,
    /// Whose other accounts are to heed this one.
    heeded_by: Option<CustomerId>,
    /// The revision before that said something, which is to be published already.
    after: Option<Revision>,
}

impl Outgoing {
    /// What a revision says: its decision and its reminders, after a last look.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn of(wiring: &Wiring, account: &Account) -> Result<Self, StoreError> {
        let decided = account.recent_decisions().iter().map(|decision| decision.revision);
        let after = decided.chain(account.asked_at()).filter(|before| *before < account.revision).max();
        let mut outgoing = Self { after, ..Self::up_to(account.account_id.clone(), account.revision) };
        if let Some(decision) = account.decision_of_this_revision() {
            outgoing.decision(account, decision);
        }
        if account.asked_at() == Some(account.revision) {
            outgoing.tell_others(account);
        }
        if !account.intents.is_empty() {
            outgoing.remind(wiring, account).await?;
        }
        Ok(outgoing)
    }

    /// Nothing yet, and everything up to a revision is published with it.
    #[must_use]
    pub fn up_to(account_id: AccountId, revision: Revision) -> Self {
        Self { revision: Some((account_id, revision)), ..Self::default() }
    }

    /// Adds a decision, with the account as it stood after it.
    pub fn decision(&mut self, then: &Account, decision: &Decision) {
        self.messages.push(account_changed(then, decision));
    }

    /// Has the customer's other accounts heed what the account asks.
    pub fn tell_others(&mut self, account: &Account) {
        self.heeded_by = Some(account.customer_id.clone());
    }

    /// Turns a revision's intents into messages, after a last look at the account.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn remind(&mut self, wiring: &Wiring, then: &Account) -> Result<(), StoreError> {
        let now = wiring.clock.now();
        let Some((account, hold)) = wiring.transitions.last_look(&then.account_id).await? else {
            return Ok(());
        };
        let versions = wiring.transitions.rules_of(&account, now).await?;
        let policy = versions.in_force(&account, now);
        self.retention = policy.retention;
        let assessment = assess(&account, policy, now);
        let allocation = owed(&account, policy);
        for intent in &then.intents {
            if let Some(hold) = &hold {
                wiring.desk.tell_held(&account.account_id, hold, now).await;
                self.keep_back(wiring, then, intent, ContactOutcome::Held, now).await?;
            } else if still_owed(
                &account,
                &allocation,
                then.standing.stage.as_str(),
                assessment.stage_name(),
                intent,
            ) {
                let message = reminder_due(&account, then.revision, intent, &assessment.figures, now);
                self.messages.push(message);
                self.sent.push(intent.clone());
            } else {
                self.keep_back(wiring, then, intent, ContactOutcome::Withdrawn, now).await?;
            }
        }
        Ok(())
    }

    async fn keep_back(
        &mut self,
        wiring: &Wiring,
        then: &Account,
        intent: &Intent,
        outcome: ContactOutcome,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.withdrawn += 1;
        let store = wiring.transitions.store();
        store.record_contact(&then.account_id, then.revision, intent, outcome, now, self.retention).await
    }

    /// How many messages there are.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.messages.len()
    }

    /// How many of them are reminders, notices among them.
    #[must_use]
    pub fn reminders(&self) -> usize {
        self.sent.len()
    }

    /// How many of those are notices: of a stage's restrictions, or of a version of the policy.
    #[must_use]
    pub fn notices(&self) -> usize {
        self.sent.iter().filter(|intent| intent.notice_of.is_some()).count()
    }

    /// How many reminders were kept back.
    #[must_use]
    pub const fn withdrawn(&self) -> usize {
        self.withdrawn
    }
}

/// Publishes all of it, and notes what was sent. Says what is to be sent again, by its
/// place: some of its messages are not out, or that they are was not noted.
pub async fn send(wiring: &Wiring, all: &[&Outgoing]) -> BTreeSet<usize> {
    let mut failed = publish(wiring, all).await;
    let not_noted = note(wiring, all, &failed).await;
    let not_told = tell_others(wiring, all, &failed).await;
    failed.extend(not_told);
    let not_marked = mark(wiring, all, &failed).await;
    failed.extend(not_noted);
    failed.extend(not_marked);
    failed
}

async fn publish(wiring: &Wiring, all: &[&Outgoing]) -> BTreeSet<usize> {
    let mut messages = Vec::new();
    let mut places = Vec::new();
    for (place, outgoing) in all.iter().enumerate() {
        for message in &outgoing.messages {
            messages.push(message.clone());
            places.push(place);
        }
    }
    match wiring.notifier.publish(&messages).await {
        Ok(()) => BTreeSet::new(),
        Err(error) => {
            tracing::warn!(%error, "to be sent again");
            error.0.iter().filter_map(|failed| places.get(failed.place)).copied().collect()
        }
    }
}

/// Notes which reminders were sent, for each that was sent whole.
async fn note(wiring: &Wiring, all: &[&Outgoing], failed: &BTreeSet<usize>) -> BTreeSet<usize> {
    let store = wiring.transitions.store();
    let now = wiring.clock.now();
    let mut not_noted = BTreeSet::new();
    for (place, outgoing) in all.iter().enumerate().filter(|(place, _)| !failed.contains(place)) {
        let Some((account_id, revision)) = &outgoing.revision else { continue };
        for intent in &outgoing.sent {
            let (sent, retention) = (ContactOutcome::Sent, outgoing.retention);
            let noted = store.record_contact(account_id, *revision, intent, sent, now, retention).await;
            if noted.is_err() || !note_notice(wiring, account_id, intent, now).await {
                not_noted.insert(place);
            }
        }
    }
    not_noted
}

/// Has the customer's other accounts heed what changed, for each that was sent whole. Says
/// for which that is to be tried again.
async fn tell_others(wiring: &Wiring, all: &[&Outgoing], failed: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut not_told = BTreeSet::new();
    for (place, outgoing) in all.iter().enumerate().filter(|(place, _)| !failed.contains(place)) {
        let (Some((account_id, _)), Some(customer_id)) = (&outgoing.revision, &outgoing.heeded_by) else {
            continue;
        };
        if let Err(error) = Box::pin(tell_others_of(wiring, account_id, customer_id)).await {
            tracing::warn!(%error, account_id = account_id.as_str(), "its customer's others are to heed it again");
            not_told.insert(place);
        }
    }
    not_told
}

/// What money that cannot be posted keeps back, the watch tries again.
async fn tell_others_of(
    wiring: &Wiring,
    account_id: &AccountId,
    customer_id: &CustomerId,
) -> Result<(), TransitionError> {
    let now = wiring.clock.now();
    let others = match wiring.transitions.accounts_of(customer_id).await {
        Err(error) if !error.is_transient() => {
            set_aside(wiring, account_id, &error, now).await?;
            return Ok(());
        }
        others => others?,
    };
    for other in others.iter().filter(|other| *other != account_id) {
        match Box::pin(wiring.transitions.heed_others(other, now)).await {
            Ok(Heeded { outcome, held }) => {
                if let Outcome::Held(_, hold) = outcome {
                    wiring.desk.tell_held(other, &hold, now).await;
                }
                if let Some((whose, hold)) = held {
                    wiring.desk.tell_held(&whose, &hold, now).await;
                }
            }
            Err(error) if !error.is_transient() => {
                set_aside(wiring, other, &error, now).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// An account that can never heed keeps nothing else from leaving.
async fn set_aside(
    wiring: &Wiring,
    account_id: &AccountId,
    error: &TransitionError,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    wiring.transitions.cannot_heed(account_id, error, now).await?;
    let told = "it is judged apart from the customer's other accounts; the record says why";
    wiring.desk.tell(OperationsKind::Quarantined, account_id.as_str(), told, now).await;
    Ok(())
}

/// Marks as published what was sent whole. Says what could not be.
async fn mark(wiring: &Wiring, all: &[&Outgoing], failed: &BTreeSet<usize>) -> BTreeSet<usize> {
    let store = wiring.transitions.store();
    let mut not_marked = BTreeSet::new();
    let mut published: BTreeMap<&AccountId, Published> = BTreeMap::new();
    for (place, outgoing) in all.iter().enumerate().filter(|(place, _)| !failed.contains(place)) {
        let Some((account_id, revision)) = &outgoing.revision else { continue };
        if outgoing.messages.is_empty() && outgoing.heeded_by.is_none() {
            continue;
        }
        match published.get_mut(account_id) {
            // What lies between has failed: the mark stays below it.
            Some(known) if outgoing.after > Some(known.revision) => {}
            Some(known) => (known.revision, known.place) = (known.revision.max(*revision), place),
            None => {
                let after = outgoing.after;
                published.insert(account_id, Published { revision: *revision, after, place });
            }
        }
    }
    for (account_id, Published { revision, after, place }) in published {
        if store.mark_published(account_id, revision, after).await.is_err() {
            not_marked.insert(place);
        }
    }
    not_marked
}

/// Lets the account know that its notice has left, where the intent was one. Says whether
/// nothing is left to do.
async fn note_notice(wiring: &Wiring, account_id: &AccountId, intent: &Intent, now: DateTime<Utc>) -> bool {
    let Some(of) = &intent.notice_of else { return true };
    match wiring.transitions.notice_left(account_id, of, intent.planned_at, now).await {
        Ok(Outcome::Held(account, hold)) => {
            wiring.desk.tell_held(&account.account_id, &hold, now).await;
            true
        }
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, account_id = account_id.as_str(), "a notice has left and is not noted");
            false
        }
    }
}

/// How far an account is published.
struct Published {
    revision: Revision,
    after: Option<Revision>,
    place: usize,
}
