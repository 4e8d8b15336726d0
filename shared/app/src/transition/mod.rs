//! Transitions: read an account, apply the input, assess, write.
//!
//! Every transition is one revision and one conditional write. It assesses the account once: the checks
//! before the write and the revision itself share that assessment. When another writer was faster, the
//! account is read and assessed again, at most [`MAX_CONFLICTS`](duewatch_store::MAX_CONFLICTS) times.
//!
//! # Delivered twice
//! A fact that the account knows changes nothing and writes nothing. An account that is not due any more is
//! left as it is.
//!
//! # Racing a payment
//! Before a write that adds a restriction, the transition reads the account's payments, one consistent
//! Query. It posts the unposted ones in the same write. If one cannot be posted, the restriction is deferred
//! and evaluated again an hour later ([`TransitionOutcome::Deferred`]), on so many days of a delinquency episode as the
//! policy's `hold_days` say; then the restriction is written, and the money is still alerted. A posted payment that moves the account to a milder
//! stage is never deferred: a cure does not wait for other money.
//!
//! # On hold
//! While the operator holds new restrictions back, a transition defers them alone: the stage, lifts, milder
//! restrictions and reminders are written as assessed, and the account is evaluated again within an hour.

mod opening;
mod posting;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::account::{Approval, NoticeOf};
use duewatch_domain::assessment::BoundAssessment;
use duewatch_domain::commands::AccountOpened;
use duewatch_domain::kernel::AccountId;
use duewatch_domain::policy::{PolicyRef, Retention, Versions};
use duewatch_domain::{Account, Applied, Command, Contract, InboundMessage, Refusal, Trigger};
use duewatch_store::{HoldScope, MayConflict, PaymentFact, Store, StoreError, Stored, retry_conflicts};

pub use self::posting::BlockedPayment;
use self::posting::{PostedPayments, post_all};
use crate::operator_hold::HoldCache;
use crate::policy_cache::PolicyCache;

/// When a deferred restriction is evaluated again.
const DEFER_FOR: TimeDelta = TimeDelta::hours(1);

/// Transitions over a store, with a cache of the policies that assess them.
#[derive(Clone, Debug)]
pub struct Transitions {
    store: Store,
    policies: Arc<PolicyCache>,
    hold: Arc<HoldCache>,
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

/// Why a transition failed.
#[derive(Clone, Debug, thiserror::Error)]
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

impl MayConflict for TransitionError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}

/// The input of a transition.
enum TransitionInput<'a> {
    /// Time has passed.
    Time,
    /// A reconciliation: assess the account if its status may be wrong.
    Reconcile,
    Fact(&'a dyn AccountFact),
}

/// A fact about an account. A function links only the kinds of facts that it applies.
trait AccountFact: Sync {
    /// Whether the fact depends on the paid amounts, so that unposted payments are posted before it.
    fn depends_on_payments(&self) -> bool {
        false
    }

    /// Applies the fact to the account at the transition's instant, by the rules of its policy.
    fn apply_to(
        &self,
        account: &mut Account,
        rules: &Versions,
        now: DateTime<Utc>,
    ) -> Result<Applied, Refusal>;
}

/// A payment or its reversal, as the payments table states it.
impl AccountFact for PaymentFact {
    fn apply_to(&self, account: &mut Account, _: &Versions, now: DateTime<Utc>) -> Result<Applied, Refusal> {
        self.post_to(account, now)
    }
}

/// On whose word a command is taken.
#[derive(Clone, Copy, Debug)]
pub enum Authority<'a> {
    /// On that of one person: relief above the policy's limits is refused.
    OnePerson,
    /// On that of a sender whom the policy's limits do not bind.
    Exempt,
    /// On that of two people.
    Approved(&'a Approval),
}

/// A command of the lender's systems.
struct AuthorisedCommand<'a>(&'a InboundMessage, Authority<'a>);

impl AccountFact for AuthorisedCommand<'_> {
    fn depends_on_payments(&self) -> bool {
        matches!(
            self.0.event.command,
            Command::ScheduleReplaced(_) | Command::WrittenOff(_) | Command::CreditPaidOut(_)
        )
    }

    fn apply_to(
        &self,
        account: &mut Account,
        rules: &Versions,
        now: DateTime<Utc>,
    ) -> Result<Applied, Refusal> {
        let timeline = rules.timeline(account, now);
        match self.1 {
            Authority::OnePerson => account.take_unapproved(self.0, &timeline),
            Authority::Exempt => account.take_under(self.0, Some(&timeline)),
            Authority::Approved(approval) => account.take_approved(self.0, approval, &timeline),
        }
    }
}

/// The contract of an opening that is repeated for an existing account.
impl AccountFact for Contract {
    fn apply_to(&self, account: &mut Account, _: &Versions, now: DateTime<Utc>) -> Result<Applied, Refusal> {
        account.apply(&Command::AccountOpened(AccountOpened { account: self.clone() }), now)
    }
}

/// A notice, planned for an instant, has left.
struct NoticeLeft<'a>(&'a NoticeOf, DateTime<Utc>);

impl AccountFact for NoticeLeft<'_> {
    fn apply_to(&self, account: &mut Account, _: &Versions, now: DateTime<Utc>) -> Result<Applied, Refusal> {
        Ok(account.notice_left(self.0, self.1, now))
    }
}

/// The borrower's reason for falling behind, and when it was given.
struct BorrowerCause<'a>(&'a str, DateTime<Utc>);

impl AccountFact for BorrowerCause<'_> {
    fn apply_to(&self, account: &mut Account, _: &Versions, now: DateTime<Utc>) -> Result<Applied, Refusal> {
        account.record_borrower_cause(self.0, self.1, now)
    }
}

/// The account's free text is to be erased.
struct FreeTextErased;

impl AccountFact for FreeTextErased {
    fn apply_to(&self, account: &mut Account, _: &Versions, _now: DateTime<Utc>) -> Result<Applied, Refusal> {
        Ok(account.erase_free_text())
    }
}

impl Transitions {
    /// Transitions over a store, with an empty cache.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, policies: Arc::default(), hold: Arc::new(HoldCache::of(HoldScope::Restrictions)) }
    }

    /// The store that the transitions read and write.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The versions of the policy that assesses an account. They include the version that assessed it last,
    /// so that no function speaks of the account by an older one.
    ///
    /// # Errors
    /// When it was never published or cannot be read.
    pub async fn rules_of(&self, account: &Account, now: DateTime<Utc>) -> Result<Arc<Versions>, StoreError> {
        let assessed_by = account.status.policy.as_ref().filter(|policy| policy.id == account.policy_id);
        let known = assessed_by.map(|policy| policy.version);
        self.policies.get(&self.store, &account.policy_id, known, now).await
    }

    /// The versions of a policy, that one among them as long as anything is left of it.
    ///
    /// # Errors
    /// When it was never published or cannot be read.
    pub(crate) async fn versions_with(
        &self,
        policy: &PolicyRef,
        now: DateTime<Utc>,
    ) -> Result<Arc<Versions>, StoreError> {
        self.policies.get(&self.store, &policy.id, Some(policy.version), now).await
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
        self.take(&fact.account_id, &TransitionInput::Fact(fact), now).await
    }

    /// Applies a command of the lender's systems: once, and in the order of the commands' instants.
    ///
    /// A new schedule, a write-off and a payout depend on the paid amounts. So unposted payments in the payments table
    /// are posted first.
    ///
    /// # Errors
    /// When the command is refused, the store fails, or other writers keep winning. [`Refusal::NeedsApproval`] where
    /// one person's word is not enough.
    pub async fn command(
        &self,
        message: &InboundMessage,
        authority: Authority<'_>,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        let fact = AuthorisedCommand(message, authority);
        self.take(&message.event.account_id, &TransitionInput::Fact(&fact), now).await
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
        self.take(account_id, &TransitionInput::Fact(&NoticeLeft(of, planned_at)), now).await
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
        self.take(account_id, &TransitionInput::Fact(&BorrowerCause(reason, at)), now).await
    }

    /// Erases the free text that an account keeps. A repeated call changes nothing.
    ///
    /// # Errors
    /// When the store fails, or other writers keep winning.
    pub async fn erase_free_text(
        &self,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        self.take(account_id, &TransitionInput::Fact(&FreeTextErased), now).await
    }

    async fn take(
        &self,
        account_id: &AccountId,
        input: &TransitionInput<'_>,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        retry_conflicts(async || {
            let Some(stored) = self.store.account(account_id).await? else {
                return Ok(TransitionOutcome::NoAccount);
            };
            // Boxed, for an account is large, and so would be every future that awaits this one.
            Box::pin(self.try_take(stored, input, now)).await
        })
        .await
    }

    async fn try_take(
        &self,
        mut stored: Stored,
        input: &TransitionInput<'_>,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        let rules = self.rules_of(&stored.account, now).await?;
        let is_due = stored.account.is_due(now);
        let mut blocked_before = None;
        if is_due {
            (stored, blocked_before) = self.let_time_pass(stored, &rules, now).await?;
        }
        let mut account = stored.account.clone();
        let mut assessed = None;
        let applied = match input {
            TransitionInput::Time => Applied::Unchanged,
            TransitionInput::Reconcile if stored.account.status.is_due(now) => Applied::Unchanged,
            TransitionInput::Reconcile => {
                let mut found = account.assess_by(&rules, now);
                self.respect_hold(&account, &mut found, now).await?;
                let is_queued = stored.is_queued(self.store.due_shards());
                if is_queued && account.is_confirmed_by(&found, &rules) {
                    Applied::Unchanged
                } else {
                    assessed = Some(found);
                    Applied::Changed
                }
            }
            TransitionInput::Fact(fact) => {
                let has_posted = fact.depends_on_payments() && {
                    let facts = self.store.payments_of(&account.account_id).await?;
                    post_all(&mut account, &facts, now).has_posted
                };
                let applied = fact.apply_to(&mut account, &rules, now)?;
                if has_posted { Applied::Changed } else { applied }
            }
        };
        if applied == Applied::Unchanged {
            // The step before may have posted the input already.
            return Ok(if is_due { written(stored, blocked_before) } else { TransitionOutcome::Unchanged });
        }
        let assessed = assessed.unwrap_or_else(|| account.assess_by(&rules, now));
        let (account, blocked) = self.revise(account, assessed, &rules, now, Trigger::Fact).await?;
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

    /// Writes the effect of elapsed time on a due account: a revision of its own, before any other input.
    pub(crate) async fn let_time_pass(
        &self,
        stored: Stored,
        rules: &Arc<Versions>,
        now: DateTime<Utc>,
    ) -> Result<(Stored, Option<BlockedPayment>), StoreError> {
        let account = stored.account.clone();
        let assessed = account.assess_by(rules, now);
        let (account, blocked) = self.revise(account, assessed, rules, now, Trigger::Time).await?;
        Ok((self.store.update_account(&stored, account).await?, blocked))
    }

    /// Makes the assessment the account's next revision. Where it would restrict the account, the payments
    /// table is read first: what it posts, the account is assessed with.
    pub(crate) async fn revise<'p>(
        &self,
        mut account: Account,
        mut assessed: BoundAssessment<'p>,
        rules: &'p Arc<Versions>,
        now: DateTime<Utc>,
        mut trigger: Trigger,
    ) -> Result<(Account, Option<BlockedPayment>), StoreError> {
        if assessed.restricts(&account) {
            let facts = self.store.payments_of(&account.account_id).await?;
            let PostedPayments { blocked, has_posted } = post_all(&mut account, &facts, now);
            if has_posted {
                trigger = Trigger::Fact;
                assessed = account.assess_by(rules, now);
            }
            if let Some(blocked) = blocked
                && assessed.restricts(&account)
                && !assessed.eases(&account)
                && let Some(holds) = assessed.held_by_money()
            {
                account.defer_restriction(holds, now + DEFER_FOR);
                return Ok((account, Some(blocked)));
            }
            self.respect_hold(&account, &mut assessed, now).await?;
            // Money has kept the restriction back until now: it was not there before.
            if account.status.holds.money_on.is_some() {
                trigger = Trigger::Fact;
            }
        }
        account.revise(assessed, trigger);
        Ok((account, None))
    }

    /// Defers the new restrictions of an assessment while the operator holds them back.
    async fn respect_hold(
        &self,
        account: &Account,
        assessed: &mut BoundAssessment<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.hold.apply(&self.store, account, assessed, (now, now + DEFER_FOR)).await
    }

    /// The check right before a message leaves: the current account with its unposted payments applied in
    /// memory, and a payment that could not be posted. Writes nothing.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn load_current(
        &self,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<Option<(Account, Option<BlockedPayment>)>, StoreError> {
        let Some(stored) = self.store.account(account_id).await? else { return Ok(None) };
        let mut account = stored.account;
        let facts = self.store.payments_of(account_id).await?;
        let blocked = post_all(&mut account, &facts, now).blocked;
        Ok(Some((account, blocked)))
    }
}

pub(crate) fn written(stored: Stored, blocked: Option<BlockedPayment>) -> TransitionOutcome {
    let account = Box::new(stored.account);
    match blocked {
        Some(blocked) => TransitionOutcome::Deferred(account, blocked),
        None => TransitionOutcome::Written(account),
    }
}
