//! The reconciliation of suspense payments.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::kernel::AccountId;
use duewatch_store::{StoreError, SuspensePayment};

use super::findings::{Discrepancy, Findings};
use crate::Services;

/// Notes that one firing reads; the next continues.
const AT_ONCE: i32 = 200;
/// How long a payment may wait for its account before it alerts.
const PATIENCE: TimeDelta = TimeDelta::days(1);

/// The result of reconciling suspense payments.
pub(crate) struct SuspenseScan {
    /// The payments that still wait.
    pub(crate) waiting: usize,
    /// The note after which the next firing continues; `None` to begin again.
    pub(crate) next: Option<String>,
}

/// Posts the suspense payments whose accounts exist by now.
pub(crate) async fn post_suspense(
    services: &Services,
    after: Option<&str>,
    now: DateTime<Utc>,
    found: &mut Findings,
) -> Result<SuspenseScan, StoreError> {
    let page = services.store().all_suspense(AT_ONCE, after).await?;
    let mut by_account: BTreeMap<AccountId, Vec<SuspensePayment>> = BTreeMap::new();
    for payment in page.payments {
        by_account.entry(payment.account_id.clone()).or_default().push(payment);
    }
    let mut waiting = 0;
    for (account_id, all) in by_account {
        let left = match services.transitions.post_suspense(&account_id, now).await {
            Ok(left) => left,
            Err(error) => {
                tracing::error!(account_id = account_id.as_str(), %error, "a suspense payment was not posted");
                None
            }
        };
        for payment in all {
            let subject = format!("{account_id}/{}", payment.payment_id);
            let is_posted = left
                .as_ref()
                .is_some_and(|left| !left.iter().any(|payment_id| payment_id == payment.payment_id.as_str()));
            waiting += usize::from(!is_posted);
            if is_posted {
                found.add(Discrepancy::InSuspense, &subject, true);
            } else if now - payment.at > PATIENCE {
                found.add(Discrepancy::InSuspense, &subject, false);
            }
        }
    }
    Ok(SuspenseScan { waiting, next: page.next })
}
