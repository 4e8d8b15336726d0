//! What a revision says to the outside.
//!
//! A decision goes to `account-events`. What the revision wishes to tell the borrower is planned:
//! the contact gate says when it leaves. A revision that changes what an account asks of the
//! customer's other accounts makes each of them heed it. Only then it counts as published: what a
//! stream forgot, the watch makes good.
//!
//! # Sent twice
//! Everything leaves again under the same id, for consumers to drop; what is planned already, or
//! has ended, is not planned again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use duewatch_domain::Account;
use duewatch_domain::account::Decision;
use duewatch_domain::kernel::{AccountId, CustomerId, Revision};
use duewatch_notify::{Message, OperationsKind, account_changed};
use duewatch_store::{Heeded, Outcome, StoreError, TransitionError};
use futures_util::{StreamExt, stream};

use crate::Wiring;
use crate::batch::CONCURRENCY;

/// What a revision wants to say, and what is to be noted once it is said.
#[derive(Debug, Default)]
pub struct Outgoing {
    messages: Vec<Message>,
    /// The revision that wishes to tell the borrower something.
    plans: Option<Box<Account>>,
    /// Whose revision is published then.
    revision: Option<(AccountId, Revision)>,
    /// Whose other accounts are to heed this one.
    heeded_by: Option<CustomerId>,
    /// The revision before that said something, which is to be published already.
    after: Option<Revision>,
}

impl Outgoing {
    /// What a revision says: its decision, what it asks of others, what it wishes to tell the
    /// borrower.
    #[must_use]
    pub fn of(account: &Account) -> Self {
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
            outgoing.plan(account);
        }
        outgoing
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

    /// Plans what a revision wishes to tell the borrower: the contact gate says when it leaves.
    pub fn plan(&mut self, then: &Account) {
        self.plans = Some(Box::new(then.clone()));
    }

    /// The person for whom it plans something.
    #[must_use]
    pub fn plans_for(&self) -> Option<&CustomerId> {
        self.plans.as_ref().map(|account| &account.customer_id)
    }

    /// Whether there is anything to do for it.
    const fn says_anything(&self) -> bool {
        !self.messages.is_empty() || self.heeded_by.is_some() || self.plans.is_some()
    }

    /// How many messages there are.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.messages.len()
    }
}

/// What became of what was to go out.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// By its place what is to be tried again.
    pub failed: BTreeSet<usize>,
    /// How many contacts were planned.
    pub planned: usize,
}

/// Publishes all of it, plans what borrowers are to be told, and has the customer's other accounts
/// heed it.
pub async fn send(wiring: &Wiring, all: &[&Outgoing]) -> Sent {
    let mut sent = Sent { failed: publish(wiring, all).await, planned: 0 };
    plan(wiring, all, &mut sent).await;
    let not_told = tell_others(wiring, all, &sent.failed).await;
    sent.failed.extend(not_told);
    let not_marked = mark(wiring, all, &sent.failed).await;
    sent.failed.extend(not_marked);
    sent
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

/// Plans what each wishes to tell its borrower.
async fn plan(wiring: &Wiring, all: &[&Outgoing], sent: &mut Sent) {
    let (store, now) = (wiring.transitions.store(), wiring.clock.now());
    let wishes = all.iter().enumerate().filter(|(place, _)| !sent.failed.contains(place));
    let wishes = wishes.filter_map(|(place, outgoing)| Some((place, outgoing.plans.as_deref()?)));
    let planned: Vec<_> = stream::iter(wishes)
        .map(|(place, account)| async move { (place, account, store.plan_contacts(account, now).await) })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    for (place, account, planned) in planned {
        match planned {
            Ok(new) => sent.planned += new,
            Err(error) => {
                tracing::warn!(%error, account_id = account.account_id.as_str(), "to be planned again");
                sent.failed.insert(place);
            }
        }
    }
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
        if !outgoing.says_anything() {
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

/// How far an account is published.
struct Published {
    revision: Revision,
    after: Option<Revision>,
    place: usize,
}
