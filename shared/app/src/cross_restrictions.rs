//! Cross-restrictions: an account applies the restrictions that the customer's other accounts impose.
//!
//! The account pulls them: it reads the other accounts, and their current impositions replace all those
//! that it applied before. So the result does not depend on how often, in which order or by which
//! function the account is made to apply them.
//!
//! # Racing a cure
//! Another account may stop imposing between the read of it and the write here, and the function that
//! propagates that cure may have found nothing to lift here yet. After a write that applied a further
//! restriction, this module therefore reads the other accounts once more.
//!
//! # Racing a payment
//! Before a further restriction is applied, this module reads the payments of the imposing account, one
//! consistent Query. It posts the unposted ones first. Where a payment cannot be posted, no restriction
//! of that account is applied ([`CrossRestrictionOutcome::blocked`]).
//!
//! # Opened meanwhile
//! An account is linked to its customer before it is created, and applies the others' restrictions right
//! after its creation. An account writes the restrictions it imposes before it reads the links. So one of
//! two accounts always finds the other.

use chrono::{DateTime, Utc};
use duewatch_domain::account::ImposedBy;
use duewatch_domain::kernel::MAX_ACCOUNTS_OF_CUSTOMER;
use duewatch_domain::kernel::{AccountId, CustomerId};
use duewatch_domain::{Account, Applied, Refusal, Trigger};
use serde_json::json;

use crate::transition::written;
use crate::{
    BlockedPayment, MAX_CONFLICTS, Quarantined, StoreError, Stored, TransitionError, TransitionOutcome,
    Transitions, WriteConflict,
};

/// The quarantine source of an account that can never apply cross-restrictions.
pub const CROSS_RESTRICTIONS: &str = "heeding";

/// The result of applying cross-restrictions to an account.
#[derive(Clone, Debug)]
pub struct CrossRestrictionOutcome {
    /// The outcome of the account's own transition.
    pub outcome: TransitionOutcome,
    /// Another account with a payment that cannot be posted: none of its further restrictions was applied.
    pub blocked: Option<(AccountId, BlockedPayment)>,
}

/// The restrictions that the customer's other accounts impose.
struct ImposedRestrictions {
    others: Vec<ImposedBy>,
    blocked: Option<(AccountId, BlockedPayment)>,
}

/// The restrictions that an account imposes once its unposted payments are posted.
enum Imposition {
    Nothing,
    Restrictions(ImposedBy),
    /// A payment cannot be posted, so the account imposes nothing new.
    Blocked(BlockedPayment),
}

impl From<Option<ImposedBy>> for Imposition {
    fn from(asks: Option<ImposedBy>) -> Self {
        asks.map_or(Self::Nothing, Self::Restrictions)
    }
}

impl Transitions {
    /// The accounts linked to a customer, whether they are created yet or not.
    ///
    /// # Errors
    /// [`Refusal::TooManyAccounts`] where they exceed [`MAX_ACCOUNTS_OF_CUSTOMER`]; or when the call fails.
    pub async fn accounts_of(&self, customer_id: &CustomerId) -> Result<Vec<AccountId>, TransitionError> {
        let linked = self.store().accounts_of_customer(customer_id).await?;
        if linked.len() > MAX_ACCOUNTS_OF_CUSTOMER {
            return Err(Refusal::TooManyAccounts.into());
        }
        Ok(linked)
    }

    /// The customer's other accounts, by id, in their current state. Accounts that cannot be decoded are left
    /// out.
    ///
    /// # Errors
    /// As [`accounts_of`](Self::accounts_of).
    pub async fn others_of(&self, account: &Account) -> Result<Vec<Account>, TransitionError> {
        Ok(self.read_others(account).await?.into_iter().filter_map(|(_, other)| other).collect())
    }

    /// Like [`others_of`](Self::others_of); `None` stands for an account that exists but cannot be decoded.
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
                // The link may precede a refused opening: the existing account then belongs to another
                // customer.
                Ok(Some(other)) if other.account.customer_id == account.customer_id => {
                    others.push((account_id, Some(other.account)));
                }
                Ok(_) => {}
                Err(error) if error.is_transient() => return Err(error.into()),
                Err(error) => {
                    tracing::error!(account_id = account_id.as_str(), %error, "its cross-restriction is not known");
                    others.push((account_id, None));
                }
            }
        }
        Ok(others)
    }

    /// Applies the restrictions that the customer's other accounts impose now, and lifts those that they no
    /// longer impose. Writes nothing where nothing changes.
    ///
    /// # Errors
    /// When the customer has too many accounts, the store fails, or other writers keep winning.
    pub async fn apply_cross_restrictions(
        &self,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<CrossRestrictionOutcome, TransitionError> {
        let mut applied = CrossRestrictionOutcome { outcome: TransitionOutcome::Unchanged, blocked: None };
        for _ in 0..=MAX_CONFLICTS {
            let Some(stored) = self.store().account(account_id).await? else {
                return Ok(CrossRestrictionOutcome { outcome: TransitionOutcome::NoAccount, blocked: None });
            };
            let ImposedRestrictions { others, blocked } = self.imposed_on(&stored.account, now).await?;
            applied.blocked = blocked;
            let known = stored.account.imposed_by();
            let takes_more = others.iter().any(|other| !known.contains(other));
            match self.try_cross_restrictions(stored, others, now).await {
                Ok(None) => return Ok(applied),
                Ok(Some(outcome)) => {
                    applied.outcome = outcome;
                    if !takes_more {
                        return Ok(applied);
                    }
                }
                Err(TransitionError::Store(StoreError::Conflict(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::from(WriteConflict::CrossRestrictions(account_id.clone())).into())
    }

    /// Applies cross-restrictions to a new account. Where a payment of another account blocks one, the
    /// reconciler applies it later. Where the account can never apply them, that fact is quarantined and the
    /// account is evaluated on its own.
    pub(crate) async fn apply_cross_restrictions_at_opening(
        &self,
        opened: Box<Account>,
        now: DateTime<Utc>,
    ) -> Result<(Box<Account>, Option<BlockedPayment>), TransitionError> {
        let account_id = opened.account_id.clone();
        let outcome = match self.accounts_of(&opened.customer_id).await {
            Ok(linked) if linked.iter().all(|one| *one == account_id) => return Ok((opened, None)),
            Ok(_) => Box::pin(self.apply_cross_restrictions(&account_id, now)).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(CrossRestrictionOutcome { outcome: TransitionOutcome::Written(latest), .. }) => {
                Ok((latest, None))
            }
            Ok(CrossRestrictionOutcome { outcome: TransitionOutcome::Deferred(latest, blocked), .. }) => {
                Ok((latest, Some(blocked)))
            }
            Ok(_) => Ok((opened, None)),
            // Too many accounts, or a newer release has written this one since.
            Err(error) if !error.is_transient() => {
                self.quarantine_cross_restrictions(&account_id, &error, now).await?;
                Ok((opened, None))
            }
            Err(error) => Err(error),
        }
    }

    /// Quarantines the fact that an account can never apply cross-restrictions, with the reason. The account
    /// is evaluated on its own.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn quarantine_cross_restrictions(
        &self,
        account_id: &AccountId,
        why: &TransitionError,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        tracing::error!(account_id = account_id.as_str(), "quarantined: it is assessed apart");
        let quarantined = Quarantined {
            source: CROSS_RESTRICTIONS.to_owned(),
            id: account_id.to_string(),
            reason: why.to_string(),
            payload: json!({"account_id": account_id.as_str()}).to_string(),
            at: now,
        };
        self.store().quarantine(&quarantined).await
    }

    /// The restrictions that the customer's other accounts impose on an account now.
    async fn imposed_on(
        &self,
        account: &Account,
        now: DateTime<Utc>,
    ) -> Result<ImposedRestrictions, TransitionError> {
        let mut imposed_now = ImposedRestrictions { others: Vec::new(), blocked: None };
        for (account_id, other) in self.read_others(account).await? {
            let known = account.imposed_by().iter().find(|known| known.account_id == account_id);
            let Some(other) = other else {
                // Until the other account can be decoded, its restrictions stay as they were: none is added,
                // none lifted.
                imposed_now.others.extend(known.cloned());
                continue;
            };
            let Some(imposed) = other.imposes() else { continue };
            let is_more = known.is_none_or(|known| {
                imposed
                    .restriction
                    .restrictions
                    .iter()
                    .any(|one| !known.restriction.restrictions.contains(one))
            });
            if !is_more {
                imposed_now.others.push(imposed);
                continue;
            }
            match self.check_before_imposing(other, now).await? {
                Imposition::Nothing => {}
                Imposition::Restrictions(imposed) => imposed_now.others.push(imposed),
                Imposition::Blocked(blocked) => {
                    imposed_now.others.extend(known.cloned());
                    imposed_now.blocked = Some((account_id, blocked));
                }
            }
        }
        Ok(imposed_now)
    }

    /// Posts the unposted payments of an account that would impose further restrictions.
    async fn check_before_imposing(
        &self,
        mut other: Account,
        now: DateTime<Utc>,
    ) -> Result<Imposition, TransitionError> {
        let mut posted = false;
        for fact in self.store().payments_of(&other.account_id).await? {
            let fact = match fact {
                Ok(fact) => fact,
                Err(faulty) => {
                    let reason = faulty.to_string();
                    return Ok(Imposition::Blocked(BlockedPayment { payment_id: faulty.payment_id, reason }));
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
                    return Ok(Imposition::Blocked(BlockedPayment {
                        payment_id,
                        reason: refusal.to_string(),
                    }));
                }
            }
        }
        if !posted {
            return Ok(other.imposes().into());
        }
        let latest = self.store().account(&other.account_id).await?;
        Ok(latest.and_then(|latest| latest.account.imposes()).into())
    }

    /// One conditional write; `None` where the account applies all imposed restrictions already.
    async fn try_cross_restrictions(
        &self,
        mut stored: Stored,
        others: Vec<ImposedBy>,
        now: DateTime<Utc>,
    ) -> Result<Option<TransitionOutcome>, TransitionError> {
        let mut account = stored.account.clone();
        if account.replace_imposed_by(others.clone())? == Applied::Unchanged {
            return Ok(None);
        }
        let rules = self.rules_of(&stored.account, now).await?;
        if stored.account.status.is_due(now) {
            // The effect of elapsed time is a revision of its own, before the new restrictions.
            let (judged, _) = self.assess(stored.account.clone(), &rules, now, Trigger::Time).await?;
            stored = self.store().update_account(&stored, judged).await?;
            account = stored.account.clone();
            account.replace_imposed_by(others)?;
        }
        let (account, blocked) = self.assess(account, &rules, now, Trigger::Fact).await?;
        let stored = self.store().update_account(&stored, account).await?;
        Ok(Some(written(stored, blocked)))
    }
}
