//! Heeding: an account takes what the customer's other accounts ask of it.
//!
//! It is a pull: the other accounts are read, and all that they ask now takes the place of
//! all that they asked before. So it does not matter how often, in which order or by whom an
//! account is made to heed.
//!
//! # Racing a cure
//! Another account may stop asking between the read of it and the write here, and whoever
//! tells of that may have found nothing to do here yet. After a write that took something
//! more, the others are therefore read once more.
//!
//! # Racing a payment
//! Before something is taken that would restrict this account, the payments of the account
//! that asks it are read, one consistent Query. What is not posted there is posted first;
//! where something cannot be, nothing is taken ([`Heeded::held`]).
//!
//! # Opened meanwhile
//! The link of an account to its customer is put before the account, and an account heeds
//! the others once it is there; an account writes what it asks before it looks for links.
//! So one of the two finds the other.

use chrono::{DateTime, Utc};
use duewatch_domain::account::AskedBy;
use duewatch_domain::kernel::MAX_ACCOUNTS_OF_CUSTOMER;
use duewatch_domain::kernel::{AccountId, CustomerId};
use duewatch_domain::{Account, Applied, Cause, Refusal};

use crate::transition::written;
use crate::{Hold, MAX_CONFLICTS, Outcome, Quarantined, StoreError, Stored, TransitionError, Transitions};

/// Where an account that can never heed the others is quarantined as coming from.
pub const HEEDING: &str = "heeding";

/// What heeding came to.
#[derive(Clone, Debug)]
pub struct Heeded {
    /// What became of the account.
    pub outcome: Outcome,
    /// Another account whose money cannot be posted: what it asks was not taken.
    pub held: Option<(AccountId, Hold)>,
}

/// What the customer's other accounts ask.
struct Asked {
    others: Vec<AskedBy>,
    held: Option<(AccountId, Hold)>,
}

impl Transitions {
    /// The accounts of a customer, whether they are there yet or not.
    ///
    /// # Errors
    /// [`Refusal::TooManyAccounts`] where they are more than are judged together; or when the
    /// call fails.
    pub async fn accounts_of(&self, customer_id: &CustomerId) -> Result<Vec<AccountId>, TransitionError> {
        let linked = self.store().accounts_of_customer(customer_id).await?;
        if linked.len() > MAX_ACCOUNTS_OF_CUSTOMER {
            return Err(Refusal::TooManyAccounts.into());
        }
        Ok(linked)
    }

    /// The customer's other accounts, by id, each as it stands. One that cannot be read is
    /// left out.
    ///
    /// # Errors
    /// As [`accounts_of`](Self::accounts_of).
    pub async fn others_of(&self, account: &Account) -> Result<Vec<Account>, TransitionError> {
        Ok(self.read_others(account).await?.into_iter().filter_map(|(_, other)| other).collect())
    }

    /// The same; none: it is there and cannot be read.
    async fn read_others(
        &self,
        account: &Account,
    ) -> Result<Vec<(AccountId, Option<Account>)>, TransitionError> {
        let mut others = Vec::new();
        for account_id in self.accounts_of(&account.customer_id).await? {
            if account_id == account.account_id {
                continue;
            }
            match self.store().account(&account_id).await {
                // Somebody may have put a link for an account that was there under other terms.
                Ok(Some(other)) if other.account.customer_id == account.customer_id => {
                    others.push((account_id, Some(other.account)));
                }
                Ok(_) => {}
                Err(error) if error.is_transient() => return Err(error.into()),
                Err(error) => {
                    tracing::error!(account_id = account_id.as_str(), %error, "what it asks is not known");
                    others.push((account_id, None));
                }
            }
        }
        Ok(others)
    }

    /// Makes an account heed the customer's other accounts: restricts it, or lifts that.
    /// Where it knows all that they ask, nothing is written.
    ///
    /// # Errors
    /// When the customer has too many accounts, the store fails, or others keep writing.
    pub async fn heed_others(
        &self,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<Heeded, TransitionError> {
        let mut heeded = Heeded { outcome: Outcome::Unchanged, held: None };
        for _ in 0..=MAX_CONFLICTS {
            let Some(stored) = self.store().account(account_id).await? else {
                return Ok(Heeded { outcome: Outcome::NoAccount, held: None });
            };
            let Asked { others, held } = self.asked_of(&stored.account, now).await?;
            heeded.held = held;
            let known = stored.account.asked_by();
            let takes_more = others.iter().any(|other| !known.contains(other));
            match self.try_heed(stored, others, now).await {
                Ok(None) => return Ok(heeded),
                Ok(Some(outcome)) => {
                    heeded.outcome = outcome;
                    if !takes_more {
                        return Ok(heeded);
                    }
                }
                Err(TransitionError::Store(StoreError::Conflict { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict { account_id: account_id.to_string(), revision: 0 }.into())
    }

    /// Makes an account that was just opened heed the others. What is held back by money of
    /// another account the watch takes up. That it can never heed them is set aside: it is
    /// watched all the same, apart.
    pub(crate) async fn heed_at_first(
        &self,
        opened: Box<Account>,
        now: DateTime<Utc>,
    ) -> Result<(Box<Account>, Option<Hold>), TransitionError> {
        let account_id = opened.account_id.clone();
        let heeded = match self.accounts_of(&opened.customer_id).await {
            Ok(linked) if linked.iter().all(|one| *one == account_id) => return Ok((opened, None)),
            Ok(_) => Box::pin(self.heed_others(&account_id, now)).await,
            Err(error) => Err(error),
        };
        match heeded {
            Ok(Heeded { outcome: Outcome::Written(latest), .. }) => Ok((latest, None)),
            Ok(Heeded { outcome: Outcome::Held(latest, hold), .. }) => Ok((latest, Some(hold))),
            Ok(_) => Ok((opened, None)),
            // Too many accounts, or a newer release has written this one since.
            Err(error) if !error.is_transient() => {
                self.cannot_heed(&account_id, &error, now).await?;
                Ok((opened, None))
            }
            Err(error) => Err(error),
        }
    }

    /// Sets aside that an account can never heed the others, and why: it is judged apart.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn cannot_heed(
        &self,
        account_id: &AccountId,
        why: &TransitionError,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        tracing::error!(account_id = account_id.as_str(), "quarantined: it is judged apart");
        let quarantined = Quarantined {
            source: HEEDING.to_owned(),
            id: account_id.to_string(),
            reason: why.to_string(),
            payload: format!("{{\"account_id\":{:?}}}", account_id.as_str()),
            at: now,
        };
        self.store().quarantine(&quarantined).await
    }

    /// What the customer's other accounts ask of an account now.
    async fn asked_of(&self, account: &Account, now: DateTime<Utc>) -> Result<Asked, TransitionError> {
        let mut asked = Asked { others: Vec::new(), held: None };
        for (account_id, other) in self.read_others(account).await? {
            let known = account.asked_by().iter().find(|known| known.account_id == account_id);
            let Some(other) = other else {
                // As it was, until somebody can read it: nothing is taken, nothing lifted.
                asked.others.extend(known.cloned());
                continue;
            };
            let Some(ask) = other.asks() else { continue };
            let is_more = known.is_none_or(|known| {
                ask.ask.restrictions.iter().any(|one| !known.ask.restrictions.contains(one))
            });
            if !is_more {
                asked.others.push(ask);
                continue;
            }
            match self.last_look_before_asking(other, now).await? {
                Ok(still) => asked.others.extend(still),
                Err(hold) => {
                    asked.others.extend(known.cloned());
                    asked.held = Some((account_id, hold));
                }
            }
        }
        Ok(asked)
    }

    /// What an account asks once the money is posted that its payments hold; or the money
    /// that cannot be.
    async fn last_look_before_asking(
        &self,
        mut other: Account,
        now: DateTime<Utc>,
    ) -> Result<Result<Option<AskedBy>, Hold>, TransitionError> {
        let mut posted = false;
        for fact in self.store().payments_of(&other.account_id).await? {
            let fact = match fact {
                Ok(fact) => fact,
                Err(faulty) => {
                    let reason = faulty.to_string();
                    return Ok(Err(Hold { payment_id: faulty.payment_id, reason }));
                }
            };
            match fact.post_to(&mut other) {
                Ok(Applied::Unchanged) => {}
                Ok(Applied::Changed) => {
                    Box::pin(self.post(&fact, now)).await?;
                    posted = true;
                }
                Err(refusal) => {
                    let payment_id = fact.payment_id.to_string();
                    return Ok(Err(Hold { payment_id, reason: refusal.to_string() }));
                }
            }
        }
        if !posted {
            return Ok(Ok(other.asks()));
        }
        let latest = self.store().account(&other.account_id).await?;
        Ok(Ok(latest.and_then(|latest| latest.account.asks())))
    }

    /// One conditional write; none: it knows all that is asked.
    async fn try_heed(
        &self,
        mut stored: Stored,
        others: Vec<AskedBy>,
        now: DateTime<Utc>,
    ) -> Result<Option<Outcome>, TransitionError> {
        let mut account = stored.account.clone();
        if account.heed(others.clone())? == Applied::Unchanged {
            return Ok(None);
        }
        let rules = self.rules_of(&stored.account, now).await?;
        if stored.account.standing.is_due(now) {
            // What time has brought is a revision of its own, before what is new.
            let (judged, _) = self.judged(stored.account.clone(), &rules, now, Cause::Time).await?;
            stored = self.store().update_account(&stored, judged).await?;
            account = stored.account.clone();
            account.heed(others)?;
        }
        let (account, hold) = self.judged(account, &rules, now, Cause::Fact).await?;
        let stored = self.store().update_account(&stored, account).await?;
        Ok(Some(written(stored, hold)))
    }
}
