//! The publication of a revision.
//!
//! A decision goes to `account-events`. The revision's contact requests are queued, and the contact gate
//! decides when each leaves. A revision that changes the restrictions that an account imposes on the
//! customer's other accounts makes each of them apply the change. Only then does the revision count as
//! published; the reconciler publishes a revision that its stream lost.
//!
//! # Sent twice
//! A message that leaves again bears the same id, for consumers to drop. A contact request that is queued
//! already, or has ended, is not queued again.
//!
//! # While sending is on hold
//! The decisions stay, and their revisions count as unpublished: they are tried again. Contact requests are queued,
//! and cross-restrictions are propagated all the same.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use duewatch_domain::Account;
use duewatch_domain::account::Decision;
use duewatch_domain::kernel::{AccountId, CustomerId, Revision};
use duewatch_notify::{OperationsKind, OutboundMessage, account_changed};
use duewatch_store::StoreError;
use futures_util::{StreamExt, stream};

use crate::{
    CONCURRENCY, CrossRestrictionOutcome, CrossRestrictionTargets, Services, TransitionError,
    TransitionOutcome,
};

/// The messages and effects of a revision, and the published marker that follows them.
#[derive(Debug, Default)]
pub struct Publication {
    messages: Vec<OutboundMessage>,
    /// The revision whose contact requests are to be queued.
    requests: Option<Box<Account>>,
    /// The account and the revision to mark as published.
    revision: Option<(AccountId, Revision)>,
    /// The customer whose other accounts must apply this one's restrictions.
    restricts_others_of: Option<CustomerId>,
    /// The preceding revision with anything to publish, which must be published already.
    after: Option<Revision>,
}

impl Publication {
    /// All that a revision publishes: its decision, its cross-restrictions, its contact requests.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        let decided = account.recent_decisions().iter().map(|decision| decision.revision);
        let after =
            decided.chain(account.imposed_at_revision()).filter(|before| *before < account.revision).max();
        let mut publication = Self { after, ..Self::up_to(account.account_id.clone(), account.revision) };
        if let Some(decision) = account.decision_of_this_revision() {
            publication.decision(account, decision);
        }
        if account.imposed_at_revision() == Some(account.revision) {
            publication.propagate_restrictions(account);
        }
        if !account.contact_requests.is_empty() {
            publication.queue_requests(account);
        }
        publication
    }

    /// An empty publication that marks everything up to a revision as published.
    #[must_use]
    pub fn up_to(account_id: AccountId, revision: Revision) -> Self {
        Self { revision: Some((account_id, revision)), ..Self::default() }
    }

    /// Adds a decision, with the account as that decision left it.
    pub fn decision(&mut self, then: &Account, decision: &Decision) {
        self.messages.push(account_changed(then, decision));
    }

    /// Propagates the account's cross-restrictions to the customer's other accounts.
    pub fn propagate_restrictions(&mut self, account: &Account) {
        self.restricts_others_of = Some(account.customer_id.clone());
    }

    /// Queues the revision's contact requests; the contact gate decides when each leaves.
    pub fn queue_requests(&mut self, then: &Account) {
        self.requests = Some(Box::new(then.clone()));
    }

    /// The customer whose contact requests are to be queued.
    #[must_use]
    pub fn requests_for(&self) -> Option<&CustomerId> {
        self.requests.as_ref().map(|account| &account.customer_id)
    }

    /// Whether there is anything to publish.
    const fn has_anything(&self) -> bool {
        !self.messages.is_empty() || self.restricts_others_of.is_some() || self.requests.is_some()
    }

    /// The number of messages.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.messages.len()
    }
}

/// The result of [`send`].
#[derive(Clone, Debug, Default)]
pub struct SendReport {
    /// The indices of the publications to be tried again.
    pub failed: BTreeSet<usize>,
    /// The number of contact requests that are newly queued.
    pub queued: usize,
    /// Whether messages stay because sending is on hold.
    pub is_held: bool,
}

/// Publishes all messages, queues the contact requests, and propagates cross-restrictions to the customers'
/// other accounts. A failure of one publication leaves the others alone.
pub async fn send(services: &Services, all: &[&Publication]) -> SendReport {
    let has_messages = |place: &usize| all.get(*place).is_some_and(|one| one.messages() > 0);
    let with_messages: BTreeSet<usize> = (0..all.len()).filter(has_messages).collect();
    let is_held = !with_messages.is_empty()
        && services.publisher.sending_is_held(services.clock.now()).await.unwrap_or(false);
    let failed = if is_held { BTreeSet::new() } else { publish(services, all).await };
    let mut sent = SendReport { failed, queued: 0, is_held };
    queue_requests(services, all, &mut sent).await;
    let not_told = propagate_restrictions(services, all, &sent.failed).await;
    sent.failed.extend(not_told);
    if is_held {
        sent.failed.extend(with_messages);
    }
    let not_marked = mark(services, all, &sent.failed).await;
    sent.failed.extend(not_marked);
    sent
}

async fn publish(services: &Services, all: &[&Publication]) -> BTreeSet<usize> {
    let mut messages = Vec::new();
    let mut places = Vec::new();
    for (place, publication) in all.iter().enumerate() {
        for message in &publication.messages {
            messages.push(message.clone());
            places.push(place);
        }
    }
    match services.publisher.publish(&messages, services.clock.now()).await {
        Ok(()) => BTreeSet::new(),
        Err(error) => {
            tracing::warn!(%error, "to be sent again");
            error.0.iter().filter_map(|failed| places.get(failed.place)).copied().collect()
        }
    }
}

/// Queues the contact requests of each publication.
async fn queue_requests(services: &Services, all: &[&Publication], sent: &mut SendReport) {
    let (store, now) = (services.transitions.store(), services.clock.now());
    let wishes = all.iter().enumerate().filter(|(place, _)| !sent.failed.contains(place));
    let wishes = wishes.filter_map(|(place, publication)| Some((place, publication.requests.as_deref()?)));
    let planned: Vec<_> = stream::iter(wishes)
        .map(|(place, account)| async move { (place, account, store.queue_requests(account, now).await) })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    for (place, account, planned) in planned {
        match planned {
            Ok(new) => sent.queued += new,
            Err(error) => {
                tracing::warn!(%error, account_id = account.account_id.as_str(), "to be planned again");
                sent.failed.insert(place);
            }
        }
    }
}

/// Propagates cross-restrictions for each publication whose messages left. Returns the indices to be tried
/// again.
async fn propagate_restrictions(
    services: &Services,
    all: &[&Publication],
    failed: &BTreeSet<usize>,
) -> BTreeSet<usize> {
    let mut not_told = BTreeSet::new();
    for (place, publication) in all.iter().enumerate().filter(|(place, _)| !failed.contains(place)) {
        let (Some((account_id, _)), Some(customer_id)) =
            (&publication.revision, &publication.restricts_others_of)
        else {
            continue;
        };
        if let Err(error) = Box::pin(propagate_restrictions_of(services, account_id, customer_id)).await {
            tracing::warn!(%error, account_id = account_id.as_str(), "its cross-restrictions are to be applied again");
            not_told.insert(place);
        }
    }
    not_told
}

/// Where a payment that cannot be posted blocks a cross-restriction, the reconciler tries again later.
async fn propagate_restrictions_of(
    services: &Services,
    account_id: &AccountId,
    customer_id: &CustomerId,
) -> Result<(), TransitionError> {
    let now = services.clock.now();
    let targets = CrossRestrictionTargets::OthersOf(account_id);
    let outcomes = match services.transitions.apply_cross_restrictions(customer_id, targets, now).await {
        Err(error) if !error.is_transient() => {
            quarantine_cross_restrictions(services, account_id, &error, now).await?;
            return Ok(());
        }
        outcomes => outcomes?,
    };
    for (other, applied) in outcomes {
        match applied {
            Ok(CrossRestrictionOutcome { outcome, blocked: blocked_payment }) => {
                if let TransitionOutcome::Deferred(_, blocked) = outcome {
                    services.alerts.alert_blocked_payment(&other, &blocked, now).await;
                }
                if let Some((whose, blocked)) = blocked_payment {
                    services.alerts.alert_blocked_payment(&whose, &blocked, now).await;
                }
            }
            Err(error) if !error.is_transient() => {
                quarantine_cross_restrictions(services, &other, &error, now).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Quarantines an account that can never apply cross-restrictions, so that it does not block the rest of the
/// publication.
async fn quarantine_cross_restrictions(
    services: &Services,
    account_id: &AccountId,
    error: &TransitionError,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    services.transitions.quarantine_cross_restrictions(account_id, error, now).await?;
    let told = "it is assessed apart from the customer's other accounts; the record says why";
    services.alerts.alert(OperationsKind::Quarantined, account_id.as_str(), told, now).await;
    Ok(())
}

/// Marks the complete publications. Returns the indices that could not be marked.
async fn mark(services: &Services, all: &[&Publication], failed: &BTreeSet<usize>) -> BTreeSet<usize> {
    let store = services.transitions.store();
    let mut not_marked = BTreeSet::new();
    let mut published: BTreeMap<&AccountId, Published> = BTreeMap::new();
    for (place, publication) in all.iter().enumerate().filter(|(place, _)| !failed.contains(place)) {
        let Some((account_id, revision)) = &publication.revision else { continue };
        if !publication.has_anything() {
            continue;
        }
        match published.get_mut(account_id) {
            // A publication in between has failed: the marker stays below it.
            Some(known) if publication.after > Some(known.revision) => {}
            Some(known) => (known.revision, known.place) = (known.revision.max(*revision), place),
            None => {
                let after = publication.after;
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

/// The published marker of one account.
struct Published {
    revision: Revision,
    after: Option<Revision>,
    place: usize,
}
