//! Posting the payments of the payments table to an account.

use chrono::{DateTime, Utc};
use duewatch_domain::{Account, Applied, Refusal};
use duewatch_store::{FaultyFact, PaymentFact};

/// A blocked payment: it could not be posted, and therefore defers a restriction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedPayment {
    pub payment_id: String,
    /// Why it could not be posted.
    pub reason: String,
}

impl BlockedPayment {
    /// A payment that its account refuses.
    pub(crate) fn refused(fact: &PaymentFact, refusal: &Refusal) -> Self {
        Self { payment_id: fact.payment_id.to_string(), reason: refusal.to_string() }
    }
}

impl From<&FaultyFact> for BlockedPayment {
    fn from(faulty: &FaultyFact) -> Self {
        Self { payment_id: faulty.payment_id.clone(), reason: faulty.to_string() }
    }
}

/// The result of posting all payments of an account.
#[derive(Default)]
pub(super) struct PostedPayments {
    /// A payment that could not be posted, and may be money that is there.
    pub(super) blocked: Option<BlockedPayment>,
    pub(super) has_posted: bool,
}

/// Posts the unposted payments. A reversed payment, one dated ahead of the clock and an item that states no amount
/// above zero block nothing: there is no money that waits.
pub(super) fn post_all(
    account: &mut Account,
    facts: &[Result<PaymentFact, FaultyFact>],
    now: DateTime<Utc>,
) -> PostedPayments {
    let mut posted = PostedPayments::default();
    for fact in facts {
        match fact {
            Ok(fact) => match fact.post_to(account, now) {
                Ok(applied) => posted.has_posted |= applied == Applied::Changed,
                Err(refusal) if fact.may_be_there(now) => {
                    posted.blocked = Some(BlockedPayment::refused(fact, &refusal));
                }
                Err(_) => {}
            },
            Err(faulty) if faulty.may_be_there(now) => posted.blocked = Some(faulty.into()),
            Err(_) => {}
        }
    }
    posted
}
