//! The reconciliation of money from the account to the table: each payment that an account holds is an item of the
//! payments table, with the same amount, currency, kind and reversals.
//!
//! All money comes through that table: the lender's payment system, `intake` and `import` write it there before an
//! account posts it. So a payment without its item was written past every way in. Nothing is repaired: taking money
//! away from a borrower is a decision of the lender.
//!
//! The account is read before the table. What was posted meanwhile, or stands in the table alone, is no finding.

use std::collections::HashMap;

use duewatch_domain::Account;
use duewatch_domain::account::Payment;
use duewatch_domain::kernel::PaymentId;
use duewatch_store::{FaultyFact, PaymentFact};

/// Whether a payment of the account is not in the payments table, or differs from its item. `facts` are all payments
/// of the account in the table. An item that cannot be read proves nothing.
pub(super) fn has_unproven_payment(account: &Account, facts: &[Result<PaymentFact, FaultyFact>]) -> bool {
    let stated: HashMap<&PaymentId, &PaymentFact> =
        facts.iter().flatten().map(|fact| (&fact.payment_id, fact)).collect();
    let is_proven = |payment: &Payment| {
        stated.get(&payment.payment_id).is_some_and(|fact| states(fact, account, payment))
    };
    !account.payments().iter().all(is_proven)
}

/// Whether the item states the payment as the account holds it. A reversal that the account lacks is left to the
/// step that posts.
fn states(fact: &PaymentFact, account: &Account, payment: &Payment) -> bool {
    let reversals = fact.reversals();
    fact.amount == payment.amount
        && fact.currency.is_none_or(|currency| currency == account.currency)
        && fact.kind == payment.kind
        && payment.reversals.iter().all(|known| {
            let is_it = |stated: &duewatch_store::ReversalFact| {
                (stated.reversed_at, stated.amount, stated.dated)
                    == (known.reversed_at, known.amount, known.dated)
            };
            reversals.iter().any(is_it)
        })
}
