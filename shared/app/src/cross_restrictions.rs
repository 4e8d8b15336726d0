//! Cross-restrictions: an account applies the restrictions that the customer's other accounts impose.
//!
//! The account pulls them: the other accounts' current impositions replace all those that it applied before.
//! So the result does not depend on how often, in which order or by which function the account is made to
//! apply them. One read shows the customer's accounts, and only those that change are written.
//!
//! # Racing a cure
//! Another account may stop imposing between the read of it and the write here, and the function that
//! propagates that cure may have found nothing to lift here yet. After a write that applied a further
//! restriction, this module therefore reads the customer's accounts once more.
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

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::account::ImposedBy;
use duewatch_domain::kernel::{AccountId, CustomerId, MAX_ACCOUNTS_OF_CUSTOMER};
use duewatch_domain::{Account, Applied, Refusal, Trigger};
use duewatch_store::{MAX_CONFLICTS, MayConflict, Quarantined, StoreError, Stored, WriteConflict};
use serde_json::json;

use crate::transition::{BlockedPayment, TransitionError, TransitionOutcome, Transitions, written};

/// The quarantine source of an account that can never apply cross-restrictions.
pub const CROSS_RESTRICTIONS: &str = "heeding";

/// The accounts of a customer that are to apply cross-restrictions.
#[derive(Clone, Copy, Debug)]
pub enum CrossRestrictionTargets<'a> {
    /// All but the account that imposes.
    OthersOf(&'a AccountId),
    /// Those that lack the present restrictions of an account, or still bear former ones.
    Lacking(&'a Account),
    Only(&'a AccountId),
}

impl CrossRestrictionTargets<'_> {
    /// Whether an account is among them. `account` is `None` for one that cannot be decoded.
    fn include(self, account_id: &AccountId, account: Option<&Account>) -> bool {
        match self {
            Self::OthersOf(imposing) => account_id != imposing,
            Self::Lacking(imposing) => {
                *account_id != imposing.account_id
                    && account.is_some_and(|account| !account.has_applied_from(imposing))
            }
            Self::Only(target) => account_id == target,
        }
    }
}

/// The result of applying cross-restrictions to an account.
#[derive(Clone, Debug)]
pub struct CrossRestrictionOutcome {
    /// The outcome of the account's own transition.
    pub outcome: TransitionOutcome,
    /// Another account with a payment that cannot be posted: none of its further restrictions was applied.
    pub blocked: Option<(AccountId, BlockedPayment)>,
}

/// The results of several accounts of a customer.
pub type CrossRestrictionOutcomes = BTreeMap<AccountId, Result<CrossRestrictionOutcome, TransitionError>>;

/// The accounts of a customer as one read has shown them.
#[derive(Default)]
struct CustomerAccounts {
    readable: BTreeMap<AccountId, Stored>,
    /// Accounts that exist and cannot be decoded.
    unreadable: BTreeMap<AccountId, StoreError>,
    /// The restrictions of accounts whose payments have been read since.
    checked: BTreeMap<AccountId, Imposition>,
}

/// The restrictions that the customer's other accounts impose on one.
struct ImposedRestrictions {
    others: Vec<ImposedBy>,
    blocked: Option<(AccountId, BlockedPayment)>,
}

/// The restrictions that an account imposes once its unposted payments are posted.
#[derive(Clone)]
enum Imposition {
    Nothing,
    Restrictions(ImposedBy),
    /// A payment cannot be posted, so the account imposes nothing new.
    Blocked(BlockedPayment),
}

impl From<Option<ImposedBy>> for Imposition {
    fn from(imposed: Option<ImposedBy>) -> Self {
        imposed.map_or(Self::Nothing, Self::Restrictions)
    }
}

impl CustomerAccounts {
    /// The accounts that are to apply cross-restrictions.
    fn targets(&self, targets: CrossRestrictionTargets<'_>) -> BTreeSet<AccountId> {
        let readable = self.readable.iter().map(|(account_id, stored)| (account_id, Some(&stored.account)));
        let unreadable = self.unreadable.keys().map(|account_id| (account_id, None));
        readable
            .chain(unreadable)
            .filter(|(account_id, account)| targets.include(account_id, *account))
            .map(|(account_id, _)| account_id.clone())
            .collect()
    }
}

/// Adds the result of one more write to the outcome of an account.
fn merge(outcomes: &mut CrossRestrictionOutcomes, account_id: &AccountId, applied: CrossRestrictionOutcome) {
    match outcomes.get_mut(account_id) {
        Some(Ok(known)) => {
            known.blocked = applied.blocked;
            if !matches!(applied.outcome, TransitionOutcome::Unchanged) {
                known.outcome = applied.outcome;
            }
        }
        _ => {
            outcomes.insert(account_id.clone(), Ok(applied));
        }
    }
}

impl Transitions {
    /// The accounts linked to a customer, whether they are created yet or not.
    ///
    /// # Errors
    /// [`Refusal::TooManyAccounts`] where they exceed [`MAX_ACCOUNTS_OF_CUSTOMER`]; or when the call fails.
    async fn accounts_of(&self, customer_id: &CustomerId) -> Result<Vec<AccountId>, TransitionError> {
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
    /// [`Refusal::TooManyAccounts`]; or when a call fails.
    pub async fn others_of(&self, account: &Account) -> Result<Vec<Account>, TransitionError> {
        let mut linked = self.accounts_of(&account.customer_id).await?;
        linked.retain(|account_id| *account_id != account.account_id);
        let others = self.read_accounts(&account.customer_id, &linked).await?;
        Ok(others.readable.into_values().map(|other| other.account).collect())
    }

    /// Reads linked accounts. A link may precede a refused opening: the existing account then belongs to
    /// another customer, and is left out.
    async fn read_accounts(
        &self,
        customer_id: &CustomerId,
        linked: &[AccountId],
    ) -> Result<CustomerAccounts, StoreError> {
        let mut customer = CustomerAccounts::default();
        for (account_id, read) in self.store().accounts(linked).await? {
            match read {
                Ok(stored) if stored.account.customer_id == *customer_id => {
                    customer.readable.insert(account_id, stored);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(account_id = account_id.as_str(), %error, "its cross-restriction is not known");
                    customer.unreadable.insert(account_id, error);
                }
            }
        }
        Ok(customer)
    }

    /// Makes accounts of a customer apply the restrictions that the customer's other accounts impose now, and
    /// lift those that they no longer impose. Writes nothing where nothing changes. The failure of one
    /// account leaves the others alone.
    ///
    /// # Errors
    /// When the customer has too many accounts, or they cannot be read.
    pub async fn apply_cross_restrictions(
        &self,
        customer_id: &CustomerId,
        targets: CrossRestrictionTargets<'_>,
        now: DateTime<Utc>,
    ) -> Result<CrossRestrictionOutcomes, TransitionError> {
        let mut outcomes = BTreeMap::new();
        let mut open: Option<BTreeSet<AccountId>> = None;
        for _ in 0..=MAX_CONFLICTS {
            let linked = self.accounts_of(customer_id).await?;
            if linked.len() < 2 {
                return Ok(outcomes);
            }
            let mut customer = self.read_accounts(customer_id, &linked).await?;
            let mut again = BTreeSet::new();
            for account_id in open.take().unwrap_or_else(|| customer.targets(targets)) {
                match Box::pin(self.apply_once(&account_id, &mut customer, now)).await {
                    Ok((applied, takes_more)) => {
                        merge(&mut outcomes, &account_id, applied);
                        if takes_more {
                            again.insert(account_id);
                        }
                    }
                    Err(error) if error.is_conflict() => {
                        again.insert(account_id);
                    }
                    Err(error) => {
                        outcomes.insert(account_id, Err(error));
                    }
                }
            }
            if again.is_empty() {
                return Ok(outcomes);
            }
            open = Some(again);
        }
        for account_id in open.unwrap_or_default() {
            let conflict = StoreError::from(WriteConflict::CrossRestrictions(account_id.clone()));
            outcomes.insert(account_id, Err(conflict.into()));
        }
        Ok(outcomes)
    }

    /// Like [`apply_cross_restrictions`](Self::apply_cross_restrictions), for one account.
    ///
    /// # Errors
    /// When the customer has too many accounts, the store fails, or other writers keep winning.
    pub async fn apply_cross_restrictions_to(
        &self,
        account_id: &AccountId,
        now: DateTime<Utc>,
    ) -> Result<CrossRestrictionOutcome, TransitionError> {
        let Some(stored) = self.store().account(account_id).await? else {
            return Ok(CrossRestrictionOutcome { outcome: TransitionOutcome::NoAccount, blocked: None });
        };
        let (customer_id, targets) = (&stored.account.customer_id, CrossRestrictionTargets::Only(account_id));
        let mut outcomes = Box::pin(self.apply_cross_restrictions(customer_id, targets, now)).await?;
        let unchanged = CrossRestrictionOutcome { outcome: TransitionOutcome::Unchanged, blocked: None };
        outcomes.remove(account_id).unwrap_or(Ok(unchanged))
    }

    /// Makes one account apply what the others of that read impose. Returns whether it took further
    /// restrictions, so that the customer's accounts are to be read once more.
    async fn apply_once(
        &self,
        account_id: &AccountId,
        customer: &mut CustomerAccounts,
        now: DateTime<Utc>,
    ) -> Result<(CrossRestrictionOutcome, bool), TransitionError> {
        if let Some(error) = customer.unreadable.get(account_id) {
            return Err(error.clone().into());
        }
        let Some(stored) = customer.readable.get(account_id).cloned() else {
            let outcome = TransitionOutcome::NoAccount;
            return Ok((CrossRestrictionOutcome { outcome, blocked: None }, false));
        };
        let ImposedRestrictions { others, blocked } = self.imposed_on(&stored.account, customer, now).await?;
        let known = stored.account.imposed_by();
        let takes_more = others.iter().any(|other| !known.contains(other));
        let written = Box::pin(self.write_imposed(stored, others, now)).await?;
        let takes_more = takes_more && written.is_some();
        let outcome = written.unwrap_or(TransitionOutcome::Unchanged);
        Ok((CrossRestrictionOutcome { outcome, blocked }, takes_more))
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
        let targets = CrossRestrictionTargets::Only(&account_id);
        let applied = match Box::pin(self.apply_cross_restrictions(&opened.customer_id, targets, now)).await {
            Ok(mut outcomes) => outcomes.remove(&account_id).transpose(),
            Err(error) => Err(error),
        };
        match applied.map(|applied| applied.map(|applied| applied.outcome)) {
            Ok(Some(TransitionOutcome::Written(latest))) => Ok((latest, None)),
            Ok(Some(TransitionOutcome::Deferred(latest, blocked))) => Ok((latest, Some(blocked))),
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
            lacks_bytes: 0,
            sender_id: None,
        };
        self.store().quarantine(&quarantined).await
    }

    /// The restrictions that the customer's other accounts impose on an account now.
    async fn imposed_on(
        &self,
        account: &Account,
        customer: &mut CustomerAccounts,
        now: DateTime<Utc>,
    ) -> Result<ImposedRestrictions, TransitionError> {
        let mut imposed_now = ImposedRestrictions { others: Vec::new(), blocked: None };
        let known_of = |account_id: &AccountId| {
            account.imposed_by().iter().find(|known| known.account_id == *account_id)
        };
        // Until another account can be decoded, its restrictions stay as they were: none is added, none
        // lifted.
        let unreadable = customer.unreadable.keys().filter(|one| **one != account.account_id);
        imposed_now.others.extend(unreadable.filter_map(|one| known_of(one).cloned()));
        for (account_id, other) in &customer.readable {
            if *account_id == account.account_id {
                continue;
            }
            let Some(imposed) = other.account.imposes() else { continue };
            let known = known_of(account_id);
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
            let checked = match customer.checked.get(account_id) {
                Some(checked) => checked.clone(),
                None => {
                    let checked = self.check_before_imposing(other.account.clone(), now).await?;
                    customer.checked.insert(account_id.clone(), checked.clone());
                    checked
                }
            };
            match checked {
                Imposition::Nothing => {}
                Imposition::Restrictions(imposed) => imposed_now.others.push(imposed),
                Imposition::Blocked(blocked) => {
                    imposed_now.others.extend(known.cloned());
                    imposed_now.blocked = Some((account_id.clone(), blocked));
                }
            }
        }
        Ok(imposed_now)
    }

    /// Posts the unposted payments of an account that would impose further restrictions. Money that cannot be posted
    /// blocks them for as many days as it may keep the account's own restrictions back, from the decision that imposes
    /// them on.
    async fn check_before_imposing(
        &self,
        mut other: Account,
        now: DateTime<Utc>,
    ) -> Result<Imposition, TransitionError> {
        let mut posted = false;
        let days = self.rules_of(&other, now).await?.in_force(&other, now).money_hold_days();
        let imposed_at = other.imposes().map(|imposed| imposed.restriction.since);
        let may_block = imposed_at.is_none_or(|since| now - since < TimeDelta::days(i64::from(days)));
        for fact in self.store().payments_of(&other.account_id).await? {
            let fact = match fact {
                Ok(fact) => fact,
                Err(faulty) if may_block && faulty.may_be_there(now) => {
                    return Ok(Imposition::Blocked((&faulty).into()));
                }
                Err(_) => continue,
            };
            match fact.post_to(&mut other, now) {
                Ok(Applied::Unchanged) => {}
                Ok(Applied::Changed) => {
                    Box::pin(self.post(&fact, now)).await?;
                    posted = true;
                }
                Err(refusal) if may_block && fact.may_be_there(now) => {
                    return Ok(Imposition::Blocked(BlockedPayment::refused(&fact, &refusal)));
                }
                Err(_) => {}
            }
        }
        if !posted {
            return Ok(other.imposes().into());
        }
        let latest = self.store().account(&other.account_id).await?;
        Ok(latest.and_then(|latest| latest.account.imposes()).into())
    }

    /// One conditional write; `None` where the account applies all imposed restrictions already.
    async fn write_imposed(
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
        if stored.account.is_due(now) {
            (stored, _) = self.let_time_pass(stored, &rules, now).await?;
            account = stored.account.clone();
            account.replace_imposed_by(others)?;
        }
        let assessed = account.assess_by(&rules, now);
        let (account, blocked) = self.revise(account, assessed, &rules, now, Trigger::Fact).await?;
        let stored = self.store().update_account(&stored, account).await?;
        Ok(Some(written(stored, blocked)))
    }
}
