//! A payment of the payments table.
//!
//! # Only the table counts
//! A stream record, a file of failed records and a quarantined payload name a payment; they prove none. The item of
//! that key is read consistently, and what it states is posted. Without the item nothing is posted.
//!
//! # No account yet
//! The payment is a suspense payment, and its note is stored. The function that creates the account reads the
//! payments table and posts it.

use duewatch_domain::kernel::{AccountId, PaymentId};
use duewatch_notify::OperationsKind;
use duewatch_store::{PaymentFact, Store};

use crate::{RecordError, Services, TransitionError, TransitionOutcome};

/// The result of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentOutcome {
    /// The account was written.
    Posted,
    /// The account was written, and a restriction lifted.
    Lifted,
    /// The account knew the payment.
    Known,
    /// There is no account yet: the payment is in suspense.
    InSuspense,
}

/// Posts the payment of that key, or its reversal, as the payments table states it, to its account, and lifts the
/// restrictions that it cures.
///
/// # Errors
/// Poison where the table has no such payment, or the account refuses it; otherwise a later delivery may succeed.
pub async fn post_payment(
    services: &Services,
    account_id: &AccountId,
    payment_id: &PaymentId,
) -> Result<PaymentOutcome, RecordError> {
    let (store, now) = (services.store(), services.clock.now());
    let fact = &stated_payment(store, account_id, payment_id).await?;
    match outcome(services, fact, services.transitions.post(fact, now).await).await? {
        PaymentOutcome::InSuspense => {}
        PaymentOutcome::Known => {
            // An earlier delivery may have noted a suspense payment, and have been cut off before it found
            // that the account had come after all.
            store.remove_from_suspense(&fact.account_id, &fact.payment_id).await?;
            return Ok(PaymentOutcome::Known);
        }
        posted => return Ok(posted),
    }
    store.put_in_suspense(&fact.account_id, &fact.payment_id, now).await?;
    // The account may have come while the suspense payment was being noted.
    let posted = outcome(services, fact, services.transitions.post(fact, now).await).await?;
    if posted == PaymentOutcome::InSuspense {
        let subject = format!("{}/{}", fact.account_id, fact.payment_id);
        let reason = "the account is not known";
        services.alerts.alert(OperationsKind::PaymentInSuspense, &subject, reason, now).await;
    } else {
        store.remove_from_suspense(&fact.account_id, &fact.payment_id).await?;
    }
    Ok(posted)
}

async fn stated_payment(
    store: &Store,
    account_id: &AccountId,
    payment_id: &PaymentId,
) -> Result<PaymentFact, RecordError> {
    match store.payment(account_id, payment_id).await? {
        Some(fact) => fact.map_err(RecordError::poison),
        None => Err(RecordError::poison(format!(
            "payment_id: payment {payment_id} of account {account_id} is not in the payments table"
        ))),
    }
}

async fn outcome(
    services: &Services,
    fact: &PaymentFact,
    outcome: Result<TransitionOutcome, TransitionError>,
) -> Result<PaymentOutcome, RecordError> {
    match outcome? {
        TransitionOutcome::Written(account) => {
            let lifted =
                account.decision_of_this_revision().is_some_and(|decision| !decision.lifted.is_empty());
            Ok(if lifted { PaymentOutcome::Lifted } else { PaymentOutcome::Posted })
        }
        TransitionOutcome::Deferred(_, blocked) => {
            services.alerts.alert_blocked_payment(&fact.account_id, &blocked, services.clock.now()).await;
            Ok(PaymentOutcome::Posted)
        }
        TransitionOutcome::Unchanged => Ok(PaymentOutcome::Known),
        TransitionOutcome::NoAccount => Ok(PaymentOutcome::InSuspense),
    }
}
