//! The reconciliation of one account.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::assessment::held_restriction;
use duewatch_domain::contact::{self, ContactAttempt};
use duewatch_domain::kernel::{AccountId, NoId, Revision, business_date};
use duewatch_domain::{Account, Applied};
use duewatch_store::{FaultyFact, PaymentFact, StoreError, Stored};
use serde_json::json;

use super::findings::Discrepancy;
use super::proof::has_unproven_payment;
use crate::{
    CrossRestrictionTargets, Publication, Services, TransitionError, TransitionOutcome, publication,
};

/// How long an account may be due: two sweeps, a quarter of an hour apart. One may be missed, or cut short.
const LATE_AFTER: TimeDelta = TimeDelta::minutes(30);
/// How long a stream has to deliver a write. Streams take seconds; an hour keeps the reconciler away from
/// records that are merely busy.
const STREAMS_HAVE: TimeDelta = TimeDelta::hours(1);

/// How long a message without a receipt alerts: each account is reconciled once a day.
const ALERTS_FOR: TimeDelta = TimeDelta::days(2);

/// The result of one step of a reconciliation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RepairOutcome {
    NothingFound,
    Repaired,
    /// A discrepancy that the reconciler did not repair.
    Open,
}

impl RepairOutcome {
    const fn repaired_if(is_repaired: bool) -> Self {
        if is_repaired { Self::Repaired } else { Self::NothingFound }
    }

    const fn open_if(is_open: bool) -> Self {
        if is_open { Self::Open } else { Self::NothingFound }
    }

    /// The result of two steps that look for the same discrepancy.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::NothingFound, one) | (one, Self::NothingFound) => one,
            (Self::Repaired, Self::Repaired) => Self::Repaired,
            (Self::Open, _) | (_, Self::Open) => Self::Open,
        }
    }
}

/// The findings of one account.
#[derive(Debug, Default)]
pub(crate) struct AccountFindings {
    /// The discrepancies, and whether each is repaired.
    pub(crate) found: Vec<(Discrepancy, bool)>,
    /// How long the account has been due, where that is too long.
    pub(crate) late_seconds: usize,
    /// Whether a transient failure occurred.
    pub(crate) failed: bool,
    /// Whether a hold has kept a restriction back since the day before or longer.
    pub(crate) held: bool,
}

impl AccountFindings {
    /// The reconciliation itself panicked.
    pub(crate) fn panicked() -> Self {
        Self { found: vec![(Discrepancy::Unconfirmed, false)], ..Self::default() }
    }

    /// Adds the result of one step.
    fn take(
        &mut self,
        account_id: &str,
        discrepancy: Discrepancy,
        came_to: Result<RepairOutcome, TransitionError>,
    ) {
        match came_to {
            Ok(RepairOutcome::NothingFound) => {}
            Ok(RepairOutcome::Repaired) => self.found.push((discrepancy, true)),
            Ok(RepairOutcome::Open) => self.found.push((discrepancy, false)),
            Err(error) if error.is_transient() => {
                tracing::warn!(account_id, gap = discrepancy.as_str(), %error, "left for tomorrow");
                self.failed = true;
            }
            Err(error) => {
                tracing::error!(account_id, gap = discrepancy.as_str(), %error, "not repaired");
                self.found.push((discrepancy, false));
            }
        }
    }
}

/// Reconciles an account as a page of the table has shown it.
///
/// Its revision is recorded and published first: a repair writes a new revision, and an account remembers few
/// of the old ones.
pub(crate) async fn reconcile_account(
    services: &Services,
    account_id: &str,
    seen: Result<Stored, StoreError>,
    now: DateTime<Utc>,
) -> AccountFindings {
    let mut findings = AccountFindings::default();
    let seen = match seen {
        Ok(seen) => seen,
        Err(_) => match read_again(services, account_id).await {
            Ok(Some(seen)) => seen,
            Ok(None) => return findings,
            Err(error) => {
                findings.take(account_id, Discrepancy::Unconfirmed, Err(error.into()));
                return findings;
            }
        },
    };
    let account = &seen.account;
    if is_settled(account, now) {
        let recorded = hand_to_history(services, account, now).await;
        findings.take(account_id, Discrepancy::HistoryBehind, recorded.map_err(Into::into));
        let sent = publish(services, account, now).await;
        findings.take(account_id, Discrepancy::Unpublished, sent.map_err(Into::into));
        let told = Box::pin(propagate_restrictions(services, account, now)).await;
        findings.take(account_id, Discrepancy::Unpropagated, told);
    }
    let reported = check_receipts(services, account, now).await;
    findings.take(account_id, Discrepancy::Unreported, reported.map_err(Into::into));
    let was_posted = match services.store().payments_of(&account.account_id).await {
        Ok(facts) => reconcile_payments(services, account, &facts, now, &mut findings).await,
        Err(error) => {
            findings.take(account_id, Discrepancy::Unposted, Err(error.into()));
            false
        }
    };
    findings.held = is_held_back(services, account, now).await;
    match find_discrepancy(services, &seen, now).await {
        Ok(None) => {}
        Ok(Some(discrepancy)) => {
            let judged = reassess(services, account, now).await;
            // Posting a payment just now has assessed the account too.
            let by_payment = RepairOutcome::repaired_if(was_posted && discrepancy == Discrepancy::Late);
            let judged = judged.map(|judged| judged.and(by_payment));
            if discrepancy == Discrepancy::Late && !matches!(judged, Ok(RepairOutcome::NothingFound)) {
                findings.late_seconds = waits_for(account, now).num_seconds().try_into().unwrap_or_default();
            }
            findings.take(account_id, discrepancy, judged);
        }
        Err(error) => findings.take(account_id, Discrepancy::Unconfirmed, Err(error.into())),
    }
    findings
}

/// Whether a hold has kept a restriction back since the day before or longer. An account that nothing can hold is not
/// assessed for it, and a policy that cannot be read is found by the reconciliation itself.
async fn is_held_back(services: &Services, account: &Account, now: DateTime<Utc>) -> bool {
    let may_be_held = !account.disputes().is_empty()
        || !account.pauses().is_empty()
        || account.cause().is_some()
        || account.in_process().is_some()
        || account.status.holds.money_on.is_some();
    if !may_be_held {
        return false;
    }
    let Ok(rules) = services.transitions.rules_of(account, now).await else { return false };
    let held = held_restriction(account, &rules.timeline(account, now), now);
    let today = business_date(account.time_zone, now);
    held.is_some_and(|held| held.since.is_none_or(|since| since < today))
}

/// Finds a message about the account that lacks its receipt. The reconciler cannot repair that: it alerts for
/// as long as [`ALERTS_FOR`].
async fn check_receipts(
    services: &Services,
    account: &Account,
    now: DateTime<Utc>,
) -> Result<RepairOutcome, StoreError> {
    let rules = services.transitions.rules_of(account, now).await;
    // An unreadable policy is found by the step that assesses the account.
    let rules = match rules {
        Err(error) if !error.is_transient() => return Ok(RepairOutcome::NothingFound),
        rules => rules?,
    };
    let contact = rules.in_force(account, now).contact.as_ref();
    let Some(receipts) = contact.and_then(|contact| contact.receipts.as_ref()) else {
        return Ok(RepairOutcome::NothingFound);
    };
    let profile = services.store().profile(&account.customer_id).await?;
    let allowed = TimeDelta::hours(i64::from(receipts.within_hours));
    let is_missing = |attempt: &ContactAttempt| {
        let waited = now - attempt.at;
        attempt.reported_by.is_none()
            && attempt.accounts.contains(&account.account_id)
            && receipts.channels.contains(&attempt.channel)
            && matches!(attempt.outcome, contact::AttemptOutcome::Reserved | contact::AttemptOutcome::Sent)
            && waited > allowed
            && waited <= allowed + ALERTS_FOR
    };
    Ok(RepairOutcome::open_if(profile.attempts().iter().any(is_missing)))
}

/// Makes the customer's other accounts apply a change of the account's cross-restrictions that they missed.
async fn propagate_restrictions(
    services: &Services,
    seen: &Account,
    now: DateTime<Utc>,
) -> Result<RepairOutcome, TransitionError> {
    let mut all = RepairOutcome::NothingFound;
    if seen.imposed_at_revision().is_none() {
        return Ok(all);
    }
    let lacking = CrossRestrictionTargets::Lacking(seen);
    let applied = services.transitions.apply_cross_restrictions(&seen.customer_id, lacking, now).await?;
    for (account_id, applied) in applied {
        let applied = applied?;
        if let Some((whose, blocked)) = &applied.blocked {
            services.alerts.alert_blocked_payment(whose, blocked, now).await;
        }
        let is_taken = changed(services, &account_id, applied.outcome, now).await;
        all = all.and(RepairOutcome::open_if(applied.blocked.is_some()));
        all = all.and(RepairOutcome::repaired_if(is_taken));
    }
    Ok(all)
}

/// The page may have shown the account half written, or out of date.
async fn read_again(services: &Services, account_id: &str) -> Result<Option<Stored>, StoreError> {
    let store = services.store();
    let account_id: AccountId = account_id.parse().map_err(|problem: NoId| StoreError::Codec {
        table: store.tables().accounts.clone(),
        key: account_id.to_owned(),
        problem: problem.to_string(),
    })?;
    store.account(&account_id).await
}

/// Whether the streams have had their time since the account was assessed.
fn is_settled(account: &Account, now: DateTime<Utc>) -> bool {
    account.status.last_assessed_at.is_none_or(|judged_at| now - judged_at > STREAMS_HAVE)
}

/// How long an account has been due.
fn waits_for(account: &Account, now: DateTime<Utc>) -> TimeDelta {
    account.status.next_action_at.map_or(TimeDelta::zero(), |due_at| now - due_at)
}

/// The discrepancy in the account's status or in its index entry.
async fn find_discrepancy(
    services: &Services,
    seen: &Stored,
    now: DateTime<Utc>,
) -> Result<Option<Discrepancy>, StoreError> {
    let account = &seen.account;
    if !seen.is_queued(services.store().due_shards()) {
        return Ok(Some(Discrepancy::NotDue));
    }
    if account.status.is_due(now) {
        return Ok((waits_for(account, now) > LATE_AFTER).then_some(Discrepancy::Late));
    }
    let rules = services.transitions.rules_of(account, now).await?;
    if account.is_confirmed(&rules, now) {
        return Ok(None);
    }
    let waits = account.status.next_action_at.is_some();
    Ok(Some(if waits { Discrepancy::Unconfirmed } else { Discrepancy::NotDue }))
}

async fn reassess(
    services: &Services,
    account: &Account,
    now: DateTime<Utc>,
) -> Result<RepairOutcome, TransitionError> {
    let outcome = services.transitions.reconcile(&account.account_id, now).await?;
    Ok(RepairOutcome::repaired_if(changed(services, &account.account_id, outcome, now).await))
}

/// Whether a transition has changed the account.
async fn changed(
    services: &Services,
    account_id: &AccountId,
    outcome: TransitionOutcome,
    now: DateTime<Utc>,
) -> bool {
    match outcome {
        TransitionOutcome::Written(_) => true,
        TransitionOutcome::Deferred(_, blocked) => {
            services.alerts.alert_blocked_payment(account_id, &blocked, now).await;
            true
        }
        TransitionOutcome::Unchanged | TransitionOutcome::NoAccount => false,
    }
}

/// Reconciles the account's payments with those of the payments table, both ways. Returns whether any was posted.
async fn reconcile_payments(
    services: &Services,
    seen: &Account,
    facts: &[Result<PaymentFact, FaultyFact>],
    now: DateTime<Utc>,
    findings: &mut AccountFindings,
) -> bool {
    let account_id = seen.account_id.as_str();
    findings.take(
        account_id,
        Discrepancy::Unproven,
        Ok(RepairOutcome::open_if(has_unproven_payment(seen, facts))),
    );
    let posted = post(services, seen, facts, now).await;
    let was_posted = matches!(posted, Ok(RepairOutcome::Repaired));
    findings.take(account_id, Discrepancy::Unposted, posted);
    was_posted
}

/// Posts the payments of the payments table that the account lacks.
async fn post(
    services: &Services,
    seen: &Account,
    facts: &[Result<PaymentFact, FaultyFact>],
    now: DateTime<Utc>,
) -> Result<RepairOutcome, TransitionError> {
    let mut known = seen.clone();
    let mut all = RepairOutcome::NothingFound;
    for fact in facts {
        let posted = match fact {
            Ok(fact) if is_young(fact, now) => RepairOutcome::NothingFound,
            Ok(fact) if matches!(fact.post_to(&mut known, now), Ok(Applied::Unchanged)) => {
                RepairOutcome::NothingFound
            }
            Ok(fact) => post_one(services, seen, fact, now).await?,
            Err(faulty) => {
                let payload = json!({"account_id": faulty.account_id, "payment_id": faulty.payment_id});
                let payload = payload.to_string();
                let unpostable =
                    Unpostable { id: &faulty.payment_id, at: now, reason: faulty.to_string(), payload };
                RepairOutcome::open_if(quarantine(services, seen, unpostable, now).await?)
            }
        };
        all = all.and(posted);
    }
    Ok(all)
}

/// Whether the payment's stream has not had its time yet. A date far ahead is no reason to wait for it.
fn is_young(fact: &PaymentFact, now: DateTime<Utc>) -> bool {
    (now - written_at(fact)).abs() < STREAMS_HAVE
}

fn written_at(fact: &PaymentFact) -> DateTime<Utc> {
    fact.reversals().last().map_or(fact.received_at, |reversal| reversal.reversed_at)
}

async fn post_one(
    services: &Services,
    seen: &Account,
    fact: &PaymentFact,
    now: DateTime<Utc>,
) -> Result<RepairOutcome, TransitionError> {
    let refusal = match services.transitions.post(fact, now).await {
        Ok(outcome) => {
            return Ok(RepairOutcome::repaired_if(changed(services, &seen.account_id, outcome, now).await));
        }
        Err(TransitionError::Refused(refusal)) => refusal,
        Err(error) => return Err(error),
    };
    let payload = serde_json::to_string(fact).unwrap_or_default();
    let (id, at, reason) = (fact.payment_id.as_str(), written_at(fact), refusal.to_string());
    let is_new = quarantine(services, seen, Unpostable { id, at, reason, payload }, now).await?;
    Ok(RepairOutcome::open_if(is_new))
}

/// A payment that cannot be posted.
struct Unpostable<'a> {
    id: &'a str,
    at: DateTime<Utc>,
    reason: String,
    payload: String,
}

/// Quarantines a payment that cannot be posted, unless it is quarantined already. Returns whether it was not.
async fn quarantine(
    services: &Services,
    account: &Account,
    unpostable: Unpostable<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let store = services.store();
    let Unpostable { id, at, reason, payload } = unpostable;
    if store.is_unpostable(&account.account_id, id).await? {
        return Ok(false);
    }
    let mut is_new = true;
    for date in quarantine_dates(at, now) {
        is_new &= !store.is_quarantined(date, &account.account_id, id).await?;
    }
    if is_new {
        services.alerts.quarantine(&format!("{}/{id}", account.account_id), &reason, &payload, now).await?;
    }
    store.mark_unpostable(&account.account_id, id, now).await?;
    Ok(is_new)
}

/// The dates on which `post-payment` may have quarantined it: a stream keeps a record for a day.
fn quarantine_dates(at: DateTime<Utc>, now: DateTime<Utc>) -> BTreeSet<NaiveDate> {
    let (first, today) = (at.date_naive(), now.date_naive());
    [first, first + TimeDelta::days(1), first + TimeDelta::days(2), today - TimeDelta::days(1), today].into()
}

/// Hands the account to `record-history` where the history lacks its revision, or holds it for a few days more only.
/// Whether an entry was put is seen on the next day.
async fn hand_to_history(
    services: &Services,
    seen: &Account,
    now: DateTime<Utc>,
) -> Result<RepairOutcome, StoreError> {
    let store = services.store();
    let newest = store.entry_until(&seen.account_id, seen.revision).await?;
    let is_behind = newest.as_ref().is_none_or(|entry| entry.revision < seen.revision);
    if !is_behind && !newest.is_some_and(|entry| entry.is_expiring(now)) {
        return Ok(RepairOutcome::NothingFound);
    }
    let is_asked = store.ask_for_history(&seen.account_id, seen.revision, now).await?;
    Ok(RepairOutcome::repaired_if(is_behind && is_asked))
}

/// Publishes everything above the published marker.
async fn publish(
    services: &Services,
    seen: &Account,
    now: DateTime<Utc>,
) -> Result<RepairOutcome, StoreError> {
    let store = services.store();
    let account_id = &seen.account_id;
    let is_silent = seen.recent_decisions().is_empty()
        && seen.contact_requests.is_empty()
        && seen.imposed_at_revision().is_none();
    if is_silent || !is_behind(seen, store.published(account_id).await?) {
        return Ok(RepairOutcome::NothingFound);
    }
    let Some(Stored { account, .. }) = store.account(account_id).await? else {
        return Ok(RepairOutcome::NothingFound);
    };
    let marker = store.published(account_id).await?;
    if !is_settled(&account, now) || !is_behind(&account, marker) {
        return Ok(RepairOutcome::NothingFound);
    }
    let versions = services.transitions.rules_of(&account, now).await?;
    let policy = versions.in_force(&account, now);
    let mut published = Publication::up_to(account_id.clone(), account.revision);
    for decision in account.recent_decisions().iter().filter(|decision| Some(decision.revision) > marker) {
        let decided_by = versions.iter().find(|version| version.version == decision.policy.version);
        published.decision(&account.as_decided(decision, decided_by.unwrap_or(policy)), decision);
    }
    if account.imposed_at_revision() > marker {
        published.propagate_restrictions(&account);
    }
    if !account.contact_requests.is_empty() && Some(account.revision) > marker {
        published.queue_requests(&account);
    }
    let sent = publication::send(services, &[&published]).await;
    if !sent.failed.is_empty() {
        // A hold has an alarm of its own; the next round after it repairs.
        return Ok(RepairOutcome::open_if(!sent.is_held));
    }
    let asked_anew = account.imposed_at_revision() > marker;
    Ok(RepairOutcome::repaired_if(published.messages() + sent.queued > 0 || asked_anew))
}

fn is_behind(account: &Account, marker: Option<Revision>) -> bool {
    let wants = (!account.contact_requests.is_empty()).then_some(account.revision);
    let decided = account.recent_decisions().last().map(|decision| decision.revision);
    wants.max(decided).max(account.imposed_at_revision()) > marker
}
