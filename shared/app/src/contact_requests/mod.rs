//! The due contact requests: one customer at a time, through the contact gate, and out.

mod customer;
mod message;
mod sendable;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use chrono::{DateTime, Utc};
use duewatch_domain::kernel::CustomerId;
use duewatch_notify::{OperationsKind, ReferenceKeys};
use duewatch_store::StoreError;
use futures_util::{FutureExt, StreamExt, stream};
use serde::Serialize;

pub use self::customer::EvaluationReport;
use crate::{CONCURRENCY, Deadline, Services};

/// Index entries in one page.
const PAGE: i32 = 100;
/// Pages of a shard that one invocation reads at most; the next firing continues.
const MAX_PAGES: usize = 1_000;

/// The result of a sweep of queued contact requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ContactSweepReport {
    /// Customers evaluated.
    #[serde(rename = "persons")]
    pub customers: usize,
    /// The results of their due requests.
    #[serde(flatten)]
    pub evaluated: EvaluationReport,
    /// Customers left for the next firing.
    pub failed: usize,
    /// How long the oldest request had been due.
    pub oldest_due_seconds: u64,
    /// Whether the deadline came before the end.
    pub cut_short: bool,
    /// Whether sending is on hold: the due requests wait.
    #[serde(rename = "sending_held", skip_serializing_if = "std::ops::Not::not")]
    pub is_held: bool,
}

/// Evaluates each customer with due contact requests. While sending is on hold, it only says how long the oldest
/// waits.
///
/// # Errors
/// When the index of queued requests cannot be read. A failed customer does not fail the sweep.
pub async fn sweep_contact_requests(
    services: &Services,
    keys: &ReferenceKeys,
    deadline: Deadline,
) -> Result<ContactSweepReport, StoreError> {
    let store = services.store();
    let now = services.clock.now();
    store.check_due_shards().await?;
    let mut report = ContactSweepReport::default();
    for shard in 0..store.due_shards() {
        let (mut from, mut seen) = (None, BTreeSet::new());
        for _ in 0..MAX_PAGES {
            if deadline.is_near(services.clock.now()) {
                report.cut_short = true;
                break;
            }
            let page = store.due_contacts(shard, now, PAGE, from).await?;
            let waited = page.oldest_due_at.map_or(0, |at| (now - at).num_seconds());
            report.oldest_due_seconds =
                report.oldest_due_seconds.max(u64::try_from(waited).unwrap_or_default());
            let new = page.customers.into_iter().filter(|one| seen.insert(one.clone())).collect();
            Box::pin(evaluate_customers(services, keys, new, deadline, &mut report)).await;
            from = page.next;
            if from.is_none() || report.is_held {
                break;
            }
        }
    }
    // With nothing due too, the alarm of the hold has its figure.
    report.is_held |= services.publisher.sending_is_held(services.clock.now()).await?;
    tracing::info!(?report, "contact requests swept");
    Ok(report)
}

/// The result for one customer.
enum CustomerOutcome {
    Done(EvaluationReport),
    Failed,
    CutShort,
}

/// Evaluates customers, several at once. A customer who fails is left for the next sweep, and so are all while
/// sending is on hold or nobody knows whether it is.
pub async fn evaluate_customers(
    services: &Services,
    keys: &ReferenceKeys,
    customers: BTreeSet<CustomerId>,
    deadline: Deadline,
    swept: &mut ContactSweepReport,
) {
    if customers.is_empty() {
        return;
    }
    match services.publisher.sending_is_held(services.clock.now()).await {
        Ok(false) => {}
        Ok(true) => {
            swept.is_held = true;
            return;
        }
        Err(error) => {
            tracing::warn!(%error, "left for the next firing");
            swept.failed += customers.len();
            return;
        }
    }
    let looks: Vec<CustomerOutcome> = stream::iter(customers)
        .map(|customer_id| async move {
            let now = services.clock.now();
            if deadline.is_near(now) {
                return CustomerOutcome::CutShort;
            }
            Box::pin(evaluate_guarded(services, keys, &customer_id, now)).await
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    for outcome in looks {
        match outcome {
            CustomerOutcome::Done(report) => {
                swept.customers += 1;
                swept.evaluated.add(&report);
            }
            CustomerOutcome::Failed => swept.failed += 1,
            CustomerOutcome::CutShort => swept.cut_short = true,
        }
    }
}

/// Failed requests stay queued for the next sweep. A permanent failure alerts the staff on call; there is
/// nothing to requeue.
async fn evaluate_guarded(
    services: &Services,
    keys: &ReferenceKeys,
    customer_id: &CustomerId,
    now: DateTime<Utc>,
) -> CustomerOutcome {
    let report = AssertUnwindSafe(customer::evaluate(services, keys, customer_id));
    let reason = match report.catch_unwind().await {
        Ok(Ok(report)) => return CustomerOutcome::Done(report),
        Ok(Err(error)) if error.is_transient() => {
            tracing::warn!(customer_id = customer_id.as_str(), %error, "left for the next firing");
            return CustomerOutcome::Failed;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "evaluating the customer panicked".to_owned(),
    };
    tracing::error!(customer_id = customer_id.as_str(), reason, "left for the next firing");
    let told = "evaluating this customer fails; the contact requests wait";
    services.alerts.alert(OperationsKind::MessageBlocked, customer_id.as_str(), told, now).await;
    CustomerOutcome::Failed
}
