//! Transitions: read an account, apply the input, assess, write.
//!
//! Every transition is one revision and one conditional write. When another writer was faster, the account
//! is read and assessed again, at most [`MAX_CONFLICTS`] times.
//!
//! # Delivered twice
//! A fact that the account knows changes nothing and writes nothing. An account that is not due any more is
//! left as it is.
//!
//! # Racing a payment
//! Before a write that adds a restriction, the transition reads the account's payments, one consistent
//! Query. It posts the unposted ones in the same write. If one cannot be posted, the restriction is deferred
//! and evaluated again an hour later ([`TransitionOutcome::Deferred`]). A posted payment that moves the account to a milder
//! stage is never deferred: a cure does not wait for other money.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::account::NoticeOf;
use duewatch_domain::commands::AccountOpened;
use duewatch_domain::kernel::AccountId;
use duewatch_domain::policy::{Retention, Versions};
use duewatch_domain::{Account, Applied, Command, Contract, InboundMessage, Refusal, Trigger};

use crate::{FaultyFact, PaymentFact, Policies, Quarantined, Store, StoreError, Stored};

/// How often a transition is retried when another writer was faster.
pub const MAX_CONFLICTS: usize = 8;
/// When a deferred restriction is evaluated again.
const DEFER_FOR: TimeDelta = TimeDelta::hours(1);

/// Transitions over a store, with a cache of the policies that assess them.
#[derive(Clone, Debug)]
pub struct Transitions {
    store: Store,
    policies: Arc<Policies>,
}

/// The result of a transition.
#[derive(Clone, Debug)]
pub enum TransitionOutcome {
    Written(Box<Account>),
    /// The account was written, but a restriction was deferred.
    Deferred(Box<Account>, BlockedPayment),
    /// The input changed nothing, and nothing was written.
    Unchanged,
    NoAccount,
}

/// A blocked payment: it could not be posted, and therefore defers a restriction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedPayment {
    pub payment_id: String,
    /// Why it could not be posted.
    pub reason: String,
}

/// Why a transition failed.
#[derive(Debug, thiserror::Error)]
pub enum TransitionError {
    /// The command was refused; the account is unchanged.
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TransitionError {
    /// Whether a later retry can succeed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Store(error) => error.is_transient(),
        }
    }
}

/// The input of a transition.
enum TransitionInput<'a> {
    /// Time has passed.
    Time,
    /// A payment or its reversal, as the payments table states it.
    Payment(&'a PaymentFact),
    /// A command of the lender's systems.
    Message(&'a InboundMessage),
    /// The contract of an opening that is repeated for an existing account.
    Opened(&'a Contract),
    /// A notice that the account had planned for that instant has left.
    Notice(&'a NoticeOf, DateTime<Utc>),
    /// The borrower's reason for falling behind, and when it was given.
    BorrowerCause(&'a str, DateTime<Utc>),
    /// A reconciliation: assess the account if its status may be wrong.
    Reconcile,
}

impl Transitions {
    /// Transitions over a store, with an empty cache.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, policies: Arc::default() }
    }

    /// The store that the transitions read and write.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The versions of the policy that assesses an account.
    ///
    /// # Errors
    /// When it was never published or cannot be read.
    pub async fn rules_of(&self, account: &Account, now: DateTime<Utc>) -> Result<Arc<Versions>, StoreError> {
        self.policies.get(&self.store, &account.policy_id, now).await
    }

    /// How long an account's records are kept under its policy. While the policy cannot be parsed, nothing
    /// expires.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn retention_of(&self, account: &Account, now: DateTime<Utc>) -> Result<Retention, StoreError> {
        match self.rules_of(account, now).await {
            Ok(versions) => Ok(versions.in_force(account, now).retention),
            Err(error) if error.is_transient() => Err(error),
            Err(_) => Ok(Retention::default()),
        }
    }

    /// Evaluates an account that is due.
    ///
    /// # Errors
    /// When the store fails, or other writers keep winning.
    pub async fn sweep(
        &self,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        self.take(account_id, &TransitionInput::Time, now).await
    }

    /// Reconciles an account, due or not. Assesses it where its status is wrong, or where the due index lacks
    /// it. Leaves a correct account as it is, and one whose restriction is deferred.
    ///
    /// # Errors
    /// When the store fails, or other writers keep winning.
    pub async fn reconcile(
        &self,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        self.take(account_id, &TransitionInput::Reconcile, now).await
    }

    /// Posts a payment, or its reversal, and lifts the cured restrictions in the same write.
    ///
    /// # Errors
    /// When the payment is refused, the store fails, or other writers keep winning.
    pub async fn post(
        &self,
        fact: &PaymentFact,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        self.take(&fact.account_id, &TransitionInput::Payment(fact), now).await
    }

    /// Applies a command of the lender's systems: once, and in the order of the commands' instants.
    ///
    /// A new schedule and a write-off depend on the paid amounts. So unposted payments in the payments table
    /// are posted first.
    ///
    /// # Errors
    /// When the command is refused, the store fails, or other writers keep winning.
    pub async fn command(
        &self,
        message: &InboundMessage,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        self.take(&message.event.account_id, &TransitionInput::Message(message), now).await
    }

    /// Records that a notice, planned for `planned_at`, has left: the measures it announces may follow once
    /// their time has come. A repeated call, or a notice that was not planned, changes nothing.
    ///
    /// # Errors
    /// When the store fails, or other writers keep winning.
    pub async fn notice_left(
        &self,
        account_id: &AccountId,
        of: &NoticeOf,
        planned_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        self.take(account_id, &TransitionInput::Notice(of, planned_at), now).await
    }

    /// Records the borrower's reason for falling behind, given at `at`. A reason that an officer recorded
    /// stays.
    ///
    /// # Errors
    /// When the answer is refused, the store fails, or other writers keep winning.
    pub async fn record_borrower_cause(
        &self,
        account_id: &AccountId,
        reason: &str,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        self.take(account_id, &TransitionInput::BorrowerCause(reason, at), now).await
    }

    /// Opens an account, posts the payments that came before it, and assesses it. An existing account with
    /// the same terms is left as it is.
    ///
    /// # Errors
    /// When the account exists with other terms, or the store fails.
    pub async fn open(
        &self,
        contract: &Contract,
        now: DateTime<Utc>,
        trigger: Trigger,
    ) -> Result<TransitionOutcome, TransitionError> {
        match Box::pin(self.create(Account::open(contract)?, now, trigger)).await {
            Err(TransitionError::Store(StoreError::Conflict(_))) => {
                let outcome =
                    self.take(&contract.account_id, &TransitionInput::Opened(contract), now).await?;
                // The function that created the account may have stopped before it posted the payments found,
                // or before it applied cross-restrictions.
                if let Some(stored) = self.store.account(&contract.account_id).await? {
                    let latest = self.post_found(Box::new(stored.account), now).await?;
                    Box::pin(self.apply_cross_restrictions_at_opening(latest, now)).await?;
                }
                Ok(outcome)
            }
            done => done,
        }
    }

    /// Creates an account that the caller prepared, assessed as of `now`, and applies the restrictions of the
    /// customer's other accounts to it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when an account of that id exists.
    pub async fn create(
        &self,
        mut account: Account,
        now: DateTime<Utc>,
        trigger: Trigger,
    ) -> Result<TransitionOutcome, TransitionError> {
        let rules = self.policies.get(&self.store, &account.policy_id, now).await?;
        let facts = self.store.payments_of(&account.account_id).await?;
        let blocked = post_all(&mut account, &facts).hold;
        let blocked = blocked.filter(|_| account.would_be_restricted(&rules, now));
        match blocked {
            Some(_) => account.defer_restriction(now + DEFER_FOR),
            None => account.judge(&rules, now, trigger),
        }
        // The link precedes the account: a function that propagates restrictions to the customer's accounts
        // finds it, or the new account pulls them itself.
        self.store.link_account(&account.customer_id, &account.account_id).await?;
        let created = self.store.create_account(account).await?.account;
        // A payment put or noted in suspense since that Query found no account either; the second Query finds
        // it.
        let latest = self.post_found(Box::new(created), now).await?;
        let (latest, blocked_payment) =
            Box::pin(self.apply_cross_restrictions_at_opening(latest, now)).await?;
        Ok(match blocked.or(blocked_payment) {
            Some(blocked) => TransitionOutcome::Deferred(latest, blocked),
            None => TransitionOutcome::Written(latest),
        })
    }

    /// Posts the suspense payments of an account, once it exists. Returns the payments that stay in suspense;
    /// `None` while there is no account.
    ///
    /// # Errors
    /// When the store fails, or other writers keep winning.
    pub async fn post_suspense(
        &self,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<String>>, TransitionError> {
        let Some(stored) = self.store.account(account_id).await? else { return Ok(None) };
        self.post_found(Box::new(stored.account), now).await?;
        Ok(Some(self.store.suspense_of(account_id).await?))
    }

    /// Posts the unposted payments of an existing account and removes the notes of its suspense payments. A
    /// suspense payment that cannot be posted is quarantined, for no function would try it again.
    async fn post_found(
        &self,
        mut latest: Box<Account>,
        now: DateTime<Utc>,
    ) -> Result<Box<Account>, TransitionError> {
        let facts = self.store.payments_of(&latest.account_id).await?;
        let parked =
            if facts.is_empty() { Vec::new() } else { self.store.suspense_of(&latest.account_id).await? };
        for fact in facts.iter().flatten() {
            let is_parked = parked.iter().any(|parked| parked == fact.payment_id.as_str());
            match fact.post_to(&mut latest.clone()) {
                Err(refusal) if is_parked => self.quarantine(fact, &refusal, now).await?,
                Err(_) => continue,
                Ok(Applied::Unchanged) => {}
                Ok(Applied::Changed) => {
                    if let TransitionOutcome::Written(account) | TransitionOutcome::Deferred(account, _) =
                        self.post(fact, now).await?
                    {
                        latest = account;
                    }
                }
            }
            if is_parked {
                self.store.remove_from_suspense(&fact.account_id, &fact.payment_id).await?;
            }
        }
        Ok(latest)
    }

    async fn quarantine(
        &self,
        fact: &PaymentFact,
        refusal: &Refusal,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let id = format!("{}/{}", fact.account_id, fact.payment_id);
        tracing::error!(id, "quarantined: a suspense payment cannot be posted");
        let payload = serde_json::to_string(fact)
            .map_err(|error| StoreError::codec(&self.store.tables().payments, id.as_str(), error))?;
        let quarantined = Quarantined {
            source: "parked-payment".to_owned(),
            id,
            reason: refusal.to_string(),
            payload,
            at: now,
        };
        self.store.quarantine(&quarantined).await
    }

    async fn take(
        &self,
        account_id: &AccountId,
        input: &TransitionInput<'_>,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        let mut conflicts = 0;
        loop {
            let Some(stored) = self.store.account(account_id).await? else {
                return Ok(TransitionOutcome::NoAccount);
            };
            // Boxed, for an account is large, and so would be every future that awaits this one.
            match Box::pin(self.try_take(stored, input, now)).await {
                Err(TransitionError::Store(StoreError::Conflict(_))) if conflicts < MAX_CONFLICTS => {
                    conflicts += 1;
                }
                done => return done,
            }
        }
    }

    async fn try_take(
        &self,
        mut stored: Stored,
        input: &TransitionInput<'_>,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        let rules = self.rules_of(&stored.account, now).await?;
        let mut held_by_time = None;
        let is_due = stored.account.status.is_due(now);
        if is_due {
            // The effect of elapsed time is a revision of its own, before the input.
            let (account, blocked) = self.assess(stored.account.clone(), &rules, now, Trigger::Time).await?;
            stored = self.store.update_account(&stored, account).await?;
            held_by_time = blocked;
        }
        let mut account = stored.account.clone();
        let applied = match input {
            TransitionInput::Time => Applied::Unchanged,
            TransitionInput::Reconcile if is_due || self.is_confirmed(&stored, &rules, now) => {
                Applied::Unchanged
            }
            TransitionInput::Reconcile => Applied::Changed,
            TransitionInput::Payment(fact) => fact.post_to(&mut account)?,
            TransitionInput::Notice(of, planned_at) => account.notice_left(of, *planned_at, now),
            TransitionInput::BorrowerCause(reason, at) => account.record_borrower_cause(reason, *at, now)?,
            TransitionInput::Opened(contract) => {
                account.apply(&Command::AccountOpened(AccountOpened { account: (*contract).clone() }), now)?
            }
            TransitionInput::Message(message) => {
                let facts = match &message.event.command {
                    Command::ScheduleReplaced(_) | Command::WrittenOff(_) => {
                        self.store.payments_of(&account.account_id).await?
                    }
                    _ => Vec::new(),
                };
                let has_posted = post_all(&mut account, &facts).has_posted;
                let applied = account.take(message)?;
                if has_posted { Applied::Changed } else { applied }
            }
        };
        if applied == Applied::Unchanged {
            // The step before may have posted the input already.
            return Ok(if is_due { written(stored, held_by_time) } else { TransitionOutcome::Unchanged });
        }
        let (account, blocked) = self.assess(account, &rules, now, Trigger::Fact).await?;
        let waits = |at: DateTime<Utc>| at <= now + DEFER_FOR && stored.is_queued(self.store.due_shards());
        if matches!(input, TransitionInput::Reconcile)
            && blocked.is_some()
            && stored.account.status.next_action_at.is_some_and(waits)
        {
            // The restriction is deferred already, and evaluated again soon.
            return Ok(TransitionOutcome::Unchanged);
        }
        let stored = self.store.update_account(&stored, account).await?;
        Ok(written(stored, blocked))
    }

    /// Whether an account's status is correct, and the due index holds it where it waits.
    fn is_confirmed(&self, stored: &Stored, rules: &Arc<Versions>, now: DateTime<Utc>) -> bool {
        stored.is_queued(self.store.due_shards()) && stored.account.is_confirmed(rules, now)
    }

    /// Assesses the account, after reading its payments where the assessment would restrict it.
    pub(crate) async fn assess(
        &self,
        mut account: Account,
        rules: &Arc<Versions>,
        now: DateTime<Utc>,
        trigger: Trigger,
    ) -> Result<(Account, Option<BlockedPayment>), StoreError> {
        let mut trigger = trigger;
        if account.would_be_restricted(rules, now) {
            let facts = self.store.payments_of(&account.account_id).await?;
            let PostedPayments { hold, has_posted } = post_all(&mut account, &facts);
            if has_posted {
                trigger = Trigger::Fact;
            }
            if let Some(blocked) = hold
                && account.would_be_restricted(rules, now)
                && !account.would_be_eased(rules, now)
            {
                account.defer_restriction(now + DEFER_FOR);
                return Ok((account, Some(blocked)));
            }
        }
        account.judge(rules, now, trigger);
        Ok((account, None))
    }
}

pub(crate) fn written(stored: Stored, blocked: Option<BlockedPayment>) -> TransitionOutcome {
    let account = Box::new(stored.account);
    match blocked {
        Some(blocked) => TransitionOutcome::Deferred(account, blocked),
        None => TransitionOutcome::Written(account),
    }
}

/// The result of posting all payments of an account.
#[derive(Default)]
struct PostedPayments {
    /// A payment that could not be posted.
    hold: Option<BlockedPayment>,
    has_posted: bool,
}

/// Posts the unposted payments.
fn post_all(account: &mut Account, facts: &[Result<PaymentFact, FaultyFact>]) -> PostedPayments {
    let mut posted = PostedPayments::default();
    for fact in facts {
        match fact {
            Ok(fact) => match fact.post_to(account) {
                Ok(applied) => posted.has_posted |= applied == Applied::Changed,
                Err(refusal) => {
                    let payment_id = fact.payment_id.to_string();
                    posted.hold = Some(BlockedPayment { payment_id, reason: refusal.to_string() });
                }
            },
            Err(faulty) => {
                let payment_id = faulty.payment_id.clone();
                posted.hold = Some(BlockedPayment { payment_id, reason: faulty.to_string() });
            }
        }
    }
    posted
}

impl Transitions {
    /// The check right before a message leaves: the current account with its unposted payments applied in
    /// memory, and a payment that could not be posted. Writes nothing.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn load_current(
        &self,
        account_id: &AccountId,
    ) -> Result<Option<(Account, Option<BlockedPayment>)>, StoreError> {
        let Some(stored) = self.store.account(account_id).await? else { return Ok(None) };
        let mut account = stored.account;
        let facts = self.store.payments_of(account_id).await?;
        let blocked = post_all(&mut account, &facts).hold;
        Ok(Some((account, blocked)))
    }
}
