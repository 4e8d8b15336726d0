//! Opening an account: the payments that came before it are posted, and the restrictions of the customer's
//! other accounts apply.

use chrono::{DateTime, Utc};
use duewatch_domain::kernel::AccountId;
use duewatch_domain::policy::Versions;
use duewatch_domain::{Account, Applied, Contract, InboundMessage, Refusal, Trigger};
use duewatch_store::{MayConflict, PaymentFact, Quarantined, StoreError};

use super::posting::post_all;
use super::{DEFER_FOR, TransitionError, TransitionInput, TransitionOutcome, Transitions};

impl Transitions {
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
        self.open_prepared(Account::open(contract)?, contract, now, trigger).await
    }

    /// Opens an account as [`Transitions::open`] does, by a message, which the account knows where it names a
    /// source or an actor.
    ///
    /// # Errors
    /// As those of [`Transitions::open`].
    pub async fn open_by(
        &self,
        contract: &Contract,
        message: &InboundMessage,
        now: DateTime<Utc>,
    ) -> Result<TransitionOutcome, TransitionError> {
        let account = Account::open_by(contract, message)?;
        self.open_prepared(account, contract, now, Trigger::Fact).await
    }

    async fn open_prepared(
        &self,
        account: Account,
        contract: &Contract,
        now: DateTime<Utc>,
        trigger: Trigger,
    ) -> Result<TransitionOutcome, TransitionError> {
        match Box::pin(self.create(account, now, trigger)).await {
            Err(error) if error.is_conflict() => {
                let outcome = self.take(&contract.account_id, &TransitionInput::Fact(contract), now).await?;
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
        let rules = self.rules_of(&account, now).await?;
        let facts = self.store.payments_of(&account.account_id).await?;
        let blocked = post_all(&mut account, &facts, now).blocked;
        let mut assessed = account.assess_by(&rules, now);
        self.respect_hold(&account, &mut assessed, now).await?;
        let blocked = blocked.filter(|_| assessed.restricts(&account));
        match blocked.as_ref().and_then(|_| assessed.held_by_money()) {
            Some(holds) => account.defer_restriction(holds, now + DEFER_FOR),
            None => account.revise(assessed, trigger),
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

    /// The account as [`create`](Self::create) would write it: its status is the assessed one. Nothing is written, and
    /// neither the customer's other accounts nor a hold on new restrictions are asked.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn preview(
        &self,
        mut account: Account,
        rules: &Versions,
        now: DateTime<Utc>,
    ) -> Result<Account, TransitionError> {
        let facts = self.store.payments_of(&account.account_id).await?;
        post_all(&mut account, &facts, now);
        account.judge(rules, now, Trigger::Fact);
        Ok(account)
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
        let in_suspense =
            if facts.is_empty() { Vec::new() } else { self.store.suspense_of(&latest.account_id).await? };
        for fact in facts.iter().flatten() {
            let is_in_suspense = in_suspense.iter().any(|one| one == fact.payment_id.as_str());
            match fact.post_to(&mut latest.clone(), now) {
                Err(refusal) if is_in_suspense => self.quarantine(fact, &refusal, now).await?,
                Err(_) => continue,
                Ok(Applied::Unchanged) => {}
                Ok(Applied::Changed) => match self.post(fact, now).await {
                    Ok(TransitionOutcome::Written(account) | TransitionOutcome::Deferred(account, _)) => {
                        latest = account;
                    }
                    Ok(_) => {}
                    // A newer release has written the account since. Its payments are left to that release;
                    // the account itself is open, and `reconcile-accounts` alerts what stays behind.
                    Err(error) if !error.is_transient() => {
                        tracing::error!(account_id = fact.account_id.as_str(), %error, "a payment was not posted");
                        return Ok(latest);
                    }
                    Err(error) => return Err(error),
                },
            }
            if is_in_suspense {
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
            lacks_bytes: 0,
            sender_id: None,
        };
        self.store.quarantine(&quarantined).await
    }
}
