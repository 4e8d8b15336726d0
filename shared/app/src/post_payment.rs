//! A payment of the payments table.
//!
//! # No account yet
//! The payment is a suspense payment, and its note is stored. The function that creates the account reads the
//! payments table and posts it.

use duewatch_notify::OperationsKind;
use duewatch_store::PaymentFact;

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

/// Posts a payment, or its reversal, to its account, and lifts the restrictions that it cures.
///
/// # Errors
/// Poison where the payment is refused; otherwise a later delivery may succeed.
pub async fn post_payment(services: &Services, fact: &PaymentFact) -> Result<PaymentOutcome, RecordError> {
    let (store, now) = (services.store(), services.clock.now());
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
