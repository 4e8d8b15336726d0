//! Transitions: read an account, take what is new, judge, write.
//!
//! Every transition is one revision and one conditional write. When somebody
//! else has written in between, the account is read and judged again, at most
//! [`MAX_CONFLICTS`] times.
//!
//! # Delivered twice
//! A fact that the account knows changes nothing and writes nothing; an account
//! that is not due any more is left alone.
//!
//! # Racing a payment
//! Before a write that adds a restriction, the account's payments are read, one
//! consistent Query. What is not posted yet is posted in the same write; if
//! something cannot be posted, the restriction is held and looked at again an
//! hour later ([`Outcome::Held`]). What is posted and puts the account on a milder
//! stage is never held: a cure does not wait for other money.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::account::NoticeOf;
use duewatch_domain::kernel::AccountId;
use duewatch_domain::policy::{Retention, Versions};
use duewatch_domain::{Account, Applied, Cause, Command, Contract, Message, Refusal};

use crate::{PaymentFact, Policies, Quarantined, Store, StoreError, Stored};

/// How often a transition is tried again when somebody else wrote in between.
pub const MAX_CONFLICTS: usize = 8;
/// When a held restriction is looked at again.
const HOLD_FOR: TimeDelta = TimeDelta::hours(1);

/// Transitions over a store, with the policies that judge them.
#[derive(Clone, Debug)]
pub struct Transitions {
    store: Store,
    policies: Arc<Policies>,
}

/// What a transition came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The account was written.
    Written(Box<Account>),
    /// The account was written, but a restriction was held back.
    Held(Box<Account>, Hold),
    /// Nothing was new, nothing was written.
    Unchanged,
    /// There is no such account.
    NoAccount,
}

/// Money that could not be posted and therefore holds a restriction back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The payment.
    pub payment_id: String,
    /// Why it could not be posted.
    pub reason: String,
}

/// Why a transition did not come about.
#[derive(Debug, thiserror::Error)]
pub enum TransitionError {
    /// The command was refused; the account is as it was.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TransitionError {
    /// Whether trying again later can help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Store(error) => error.is_transient(),
        }
    }
}

/// What is new about an account.
enum News<'a> {
    /// Time has passed.
    Time,
    /// A payment or its reversal, as the payments table states it.
    Payment(&'a PaymentFact),
    /// A message of the lender's systems.
    Message(&'a Message),
    /// The terms under which it is said to be open.
    Opened(&'a Contract),
    /// A notice that the account had planned for that instant has left.
    Notice(&'a NoticeOf, DateTime<Utc>),
    /// Why its borrower says that it fell behind, and when that was heard.
    Answer(&'a str, DateTime<Utc>),
    /// Somebody doubts that the account stands as it should.
    Doubt,
}

impl Transitions {
    /// Over a store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, policies: Arc::default() }
    }

    /// The store beneath.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The versions of the policy that judges an account.
    ///
    /// # Errors
    /// When it was never published or cannot be read.
    pub async fn rules_of(&self, account: &Account, now: DateTime<Utc>) -> Result<Arc<Versions>, StoreError> {
        self.policies.get(&self.store, &account.policy_id, now).await
    }

    /// For how long what is written of an account is kept, as its policy says. A policy that
    /// cannot be read lets nothing go.
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

    /// Looks at an account that is due.
    ///
    /// # Errors
    /// When the store fails, or others keep writing the account.
    pub async fn sweep(
        &self,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<Outcome, TransitionError> {
        self.take(account_id, &News::Time, now).await
    }

    /// Looks at an account whether it is due or not, and judges it where it does not stand
    /// as it should, or is not in the due index where it waits. One that does is left as it
    /// is, and so is one whose restriction is held back.
    ///
    /// # Errors
    /// When the store fails, or others keep writing the account.
    pub async fn look_again(
        &self,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<Outcome, TransitionError> {
        self.take(account_id, &News::Doubt, now).await
    }

    /// Posts a payment, or its reversal, and lifts what it cures in the same write.
    ///
    /// # Errors
    /// When the payment is refused, the store fails, or others keep writing the account.
    pub async fn post(&self, fact: &PaymentFact, now: DateTime<Utc>) -> Result<Outcome, TransitionError> {
        self.take(&fact.account_id, &News::Payment(fact), now).await
    }

    /// Takes a message of the lender's systems: once, and in the order of its instants.
    ///
    /// Payments that are in the table but not posted yet are posted first: a new
    /// schedule or a write-off looks at what is paid when it arrives.
    ///
    /// # Errors
    /// When the message is refused, the store fails, or others keep writing the account.
    pub async fn command(&self, message: &Message, now: DateTime<Utc>) -> Result<Outcome, TransitionError> {
        self.take(&message.event.account_id, &News::Message(message), now).await
    }

    /// Notes that a notice, planned for `planned_at`, has left: what it announces may
    /// follow when their time has come. Once; what was not planned changes nothing.
    ///
    /// # Errors
    /// When the store fails, or others keep writing the account.
    pub async fn notice_left(
        &self,
        account_id: &AccountId,
        of: &NoticeOf,
        planned_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Outcome, TransitionError> {
        self.take(account_id, &News::Notice(of, planned_at), now).await
    }

    /// Takes why the borrower says that the account fell behind, as heard at `at`. What an officer
    /// recorded stands.
    ///
    /// # Errors
    /// When the answer is refused, the store fails, or others keep writing the account.
    pub async fn borrower_said(
        &self,
        account_id: &AccountId,
        reason: &str,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Outcome, TransitionError> {
        self.take(account_id, &News::Answer(reason, at), now).await
    }

    /// Opens an account, posts the payments that came before it, and judges it.
    /// An account that is there under the same terms is left as it is.
    ///
    /// # Errors
    /// When the account is there under other terms, or the store fails.
    pub async fn open(
        &self,
        contract: &Contract,
        now: DateTime<Utc>,
        cause: Cause,
    ) -> Result<Outcome, TransitionError> {
        match Box::pin(self.create(Account::open(contract)?, now, cause)).await {
            Err(TransitionError::Store(StoreError::Conflict { .. })) => {
                let outcome = self.take(&contract.account_id, &News::Opened(contract), now).await?;
                // Whoever put it may have stopped before posting what it had found, or heeding the
                // customer's other accounts.
                if let Some(stored) = self.store.account(&contract.account_id).await? {
                    let latest = self.post_found(Box::new(stored.account), now).await?;
                    Box::pin(self.heed_at_first(latest, now)).await?;
                }
                Ok(outcome)
            }
            done => done,
        }
    }

    /// Puts an account that was prepared elsewhere, judged as of `now`, and makes it heed the
    /// customer's other accounts.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when an account of that id is there.
    pub async fn create(
        &self,
        mut account: Account,
        now: DateTime<Utc>,
        cause: Cause,
    ) -> Result<Outcome, TransitionError> {
        let rules = self.policies.get(&self.store, &account.policy_id, now).await?;
        let facts = self.store.payments_of(&account.account_id).await?;
        let (hold, _) = post_all(&mut account, &facts);
        let hold = hold.filter(|_| account.would_be_restricted(&rules, now));
        match hold {
            Some(_) => account.hold(now + HOLD_FOR),
            None => account.judge(&rules, now, cause),
        }
        // Before the account: whoever tells the customer's accounts of something finds it, or it
        // finds out by itself.
        self.store.link_account(&account.customer_id, &account.account_id).await?;
        let created = self.store.create_account(account).await?.account;
        // A payment that was put or parked since that Query has found no account either;
        // the second one finds it.
        let latest = self.post_found(Box::new(created), now).await?;
        let (latest, held) = Box::pin(self.heed_at_first(latest, now)).await?;
        Ok(match hold.or(held) {
            Some(hold) => Outcome::Held(latest, hold),
            None => Outcome::Written(latest),
        })
    }

    /// Posts what is parked for an account, where that has come. Says what stays parked
    /// then; none: there is no account yet.
    ///
    /// # Errors
    /// When the store fails, or others keep writing the account.
    pub async fn post_parked(
        &self,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<String>>, TransitionError> {
        let Some(stored) = self.store.account(account_id).await? else { return Ok(None) };
        self.post_found(Box::new(stored.account), now).await?;
        Ok(Some(self.store.parked(account_id).await?))
    }

    /// Posts what the payments table holds for an account that is there, and takes
    /// the notes of what was parked away. What was parked and cannot be posted is
    /// quarantined: no function is going to take it up again.
    async fn post_found(
        &self,
        mut latest: Box<Account>,
        now: DateTime<Utc>,
    ) -> Result<Box<Account>, TransitionError> {
        let facts = self.store.payments_of(&latest.account_id).await?;
        let parked =
            if facts.is_empty() { Vec::new() } else { self.store.parked(&latest.account_id).await? };
        for fact in facts.iter().flatten() {
            let is_parked = parked.iter().any(|parked| parked == fact.payment_id.as_str());
            match fact.post_to(&mut latest.clone()) {
                Err(refusal) if is_parked => self.set_aside(fact, &refusal, now).await?,
                Err(_) => continue,
                Ok(Applied::Unchanged) => {}
                Ok(Applied::Changed) => {
                    if let Outcome::Written(account) | Outcome::Held(account, _) =
                        self.post(fact, now).await?
                    {
                        latest = account;
                    }
                }
            }
            if is_parked {
                self.store.unpark(&fact.account_id, &fact.payment_id).await?;
            }
        }
        Ok(latest)
    }

    async fn set_aside(
        &self,
        fact: &PaymentFact,
        refusal: &Refusal,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let id = format!("{}/{}", fact.account_id, fact.payment_id);
        tracing::error!(id, "quarantined: it was parked and cannot be posted");
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
        news: &News<'_>,
        now: DateTime<Utc>,
    ) -> Result<Outcome, TransitionError> {
        let mut conflict = None;
        for _ in 0..=MAX_CONFLICTS {
            let Some(stored) = self.store.account(account_id).await? else {
                return Ok(Outcome::NoAccount);
            };
            // Boxed, for an account is large, and everything that awaits this would be.
            match Box::pin(self.try_take(stored, news, now)).await {
                Err(TransitionError::Store(error @ StoreError::Conflict { .. })) => conflict = Some(error),
                done => return done,
            }
        }
        Err(conflict.unwrap_or_else(|| StoreError::codec("accounts", account_id.as_str(), "unread")).into())
    }

    async fn try_take(
        &self,
        mut stored: Stored,
        news: &News<'_>,
        now: DateTime<Utc>,
    ) -> Result<Outcome, TransitionError> {
        let rules = self.rules_of(&stored.account, now).await?;
        let mut held_by_time = None;
        let is_due = stored.account.standing.is_due(now);
        if is_due {
            // What time has brought is a revision of its own, before what is new.
            let (account, hold) = self.judged(stored.account.clone(), &rules, now, Cause::Time).await?;
            stored = self.store.update_account(&stored, account).await?;
            held_by_time = hold;
        }
        let mut account = stored.account.clone();
        let applied = match news {
            News::Time => Applied::Unchanged,
            News::Doubt if is_due || self.stands(&stored, &rules, now) => Applied::Unchanged,
            News::Doubt => Applied::Changed,
            News::Payment(fact) => fact.post_to(&mut account)?,
            News::Notice(of, planned_at) => account.notice_left(of, *planned_at, now),
            News::Answer(reason, at) => account.borrower_said(reason, *at, now)?,
            News::Opened(contract) => {
                account.apply(&Command::AccountOpened(Box::new((*contract).clone())), now)?
            }
            News::Message(message) => {
                let facts = match &message.event.command {
                    Command::ScheduleReplaced { .. } | Command::WrittenOff { .. } => {
                        self.store.payments_of(&account.account_id).await?
                    }
                    _ => Vec::new(),
                };
                let (_, posted) = post_all(&mut account, &facts);
                let applied = account.take(message)?;
                if posted { Applied::Changed } else { applied }
            }
        };
        if applied == Applied::Unchanged {
            // What time has brought may have posted the news already.
            return Ok(if is_due { written(stored, held_by_time) } else { Outcome::Unchanged });
        }
        let (account, hold) = self.judged(account, &rules, now, Cause::Fact).await?;
        let waits = |at: DateTime<Utc>| at <= now + HOLD_FOR && stored.is_queued(self.store.due_shards());
        if matches!(news, News::Doubt)
            && hold.is_some()
            && stored.account.standing.next_action_at.is_some_and(waits)
        {
            // It is held already, and looked at again soon.
            return Ok(Outcome::Unchanged);
        }
        let stored = self.store.update_account(&stored, account).await?;
        Ok(written(stored, hold))
    }

    /// Whether an account stands as it should, and is found again when it waits.
    fn stands(&self, stored: &Stored, rules: &Arc<Versions>, now: DateTime<Utc>) -> bool {
        stored.is_queued(self.store.due_shards()) && stored.account.is_confirmed(rules, now)
    }

    /// Judges the account, after a look at its payments where that would restrict it.
    pub(crate) async fn judged(
        &self,
        mut account: Account,
        rules: &Arc<Versions>,
        now: DateTime<Utc>,
        cause: Cause,
    ) -> Result<(Account, Option<Hold>), StoreError> {
        let mut cause = cause;
        if account.would_be_restricted(rules, now) {
            let facts = self.store.payments_of(&account.account_id).await?;
            let (hold, posted) = post_all(&mut account, &facts);
            if posted {
                cause = Cause::Fact;
            }
            if let Some(hold) = hold
                && account.would_be_restricted(rules, now)
                && !account.would_be_eased(rules, now)
            {
                account.hold(now + HOLD_FOR);
                return Ok((account, Some(hold)));
            }
        }
        account.judge(rules, now, cause);
        Ok((account, None))
    }
}

pub(crate) fn written(stored: Stored, hold: Option<Hold>) -> Outcome {
    let account = Box::new(stored.account);
    match hold {
        Some(hold) => Outcome::Held(account, hold),
        None => Outcome::Written(account),
    }
}

/// Posts what is not posted yet. Says what could not be, and whether anything was.
fn post_all(account: &mut Account, facts: &[Result<PaymentFact, crate::FaultyFact>]) -> (Option<Hold>, bool) {
    let mut hold = None;
    let mut posted = false;
    for fact in facts {
        match fact {
            Ok(fact) => match fact.post_to(account) {
                Ok(applied) => posted |= applied == Applied::Changed,
                Err(refusal) => {
                    hold =
                        Some(Hold { payment_id: fact.payment_id.to_string(), reason: refusal.to_string() });
                }
            },
            Err(faulty) => {
                hold = Some(Hold { payment_id: faulty.payment_id.clone(), reason: faulty.to_string() });
            }
        }
    }
    (hold, posted)
}

impl Transitions {
    /// The last look: the account as it stands this moment, with money posted that
    /// is in the payments table but has not been handled yet, and what could not be
    /// posted. Nothing is written.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn last_look(
        &self,
        account_id: &AccountId,
    ) -> Result<Option<(Account, Option<Hold>)>, StoreError> {
        let Some(stored) = self.store.account(account_id).await? else { return Ok(None) };
        let mut account = stored.account;
        let facts = self.store.payments_of(account_id).await?;
        let (hold, _) = post_all(&mut account, &facts);
        Ok(Some((account, hold)))
    }
}
