//! `reconcile-accounts`: the reconciler. Is anything late, stuck, unsent?
//!
//! A schedule fires it every quarter of an hour. Each firing reads one segment of the accounts table, so that
//! each account is reconciled once a day and no firing reads the whole table. The firing repairs the
//! discrepancies that it can repair, and alerts `operations` of the others.
//!
//! At its end it asks each topic whether it is there, and sends the heartbeat for a watch outside the AWS account, where
//! every scheduled part has done its work lately.
//!
//! | finding | condition | measure |
//! |---|---|---|
//! | late | the account has been due for longer than two sweeps | assess it |
//! | not due | the account has a next action and is not in the due index | assess it, and put it into the index |
//! | unconfirmed | `assess` contradicts the account's status; or the account cannot be assessed | assess it; or alert |
//! | unposted | the payments table holds a payment that the account lacks | post it; or quarantine it, and alert |
//! | unproven | the account holds a payment that is not in the payments table, or differs from it | alert, every day |
//! | history behind | the account's revision is not in the history | record it; alert a gap below |
//! | unpublished | a recent decision, its contact requests or the account's cross-restrictions are above the published marker | publish them, the requests after a last look; propagate the restrictions |
//! | unheeded | one of the customer's other accounts has not applied the restrictions that the account imposes | apply them; or alert, where a payment blocks that |
//! | unreported | a message to the customer has no receipt in time, where the policy asks for one | alert, for two days |
//! | parked | a suspense payment waits for its account | post it once the account exists; alert after a day |

use aws_lambda_events::eventbridge::EventBridgeEvent;
use duewatch_app::{Deadline, ReconcileReport, Services, reconcile};
use duewatch_runtime::{FiringError, Metrics};

/// The function's name.
pub const NAME: &str = "reconcile-accounts";
/// The segments of the accounts table: one for each quarter of an hour of a day (UTC).
pub const SEGMENTS: u32 = 96;

/// Reconciles the next accounts of the scan.
///
/// # Errors
/// When the table cannot be read, or the alerts cannot be published. A failed account does not fail the
/// firing.
pub async fn handle(
    services: &Services,
    _event: EventBridgeEvent,
    deadline: Deadline,
) -> Result<ReconcileReport, FiringError> {
    reconcile_segments(services, SEGMENTS, deadline).await
}

/// Like [`handle`], with so many segments a day.
///
/// # Errors
/// As [`handle`].
pub async fn reconcile_segments(
    services: &Services,
    segments: u32,
    deadline: Deadline,
) -> Result<ReconcileReport, FiringError> {
    let now = services.clock.now();
    let (report, ended) = reconcile(services, segments, deadline).await;
    Metrics::new(&services.metrics_namespace, NAME)
        .count("evaluated", report.evaluated)
        .count("late", report.late)
        .count("oldest_late_seconds", report.oldest_late_seconds)
        .count("not_due", report.not_due)
        .count("unconfirmed", report.unconfirmed)
        .count("unposted", report.unposted)
        .count("unproven", report.unproven)
        .count("history_behind", report.history_behind)
        .count("unpublished", report.unpublished)
        .count("unpropagated", report.unpropagated)
        .count("unreported", report.unreported)
        .count("in_suspense", report.in_suspense)
        .count("quarantined", report.quarantined)
        .count("held", report.held)
        .count("repaired", report.repaired)
        .count("failed", report.failed)
        .count("topics_missing", report.topics_missing)
        .count("heartbeats", usize::from(report.heartbeat))
        .emit(now);
    ended.map_err(FiringError::of("reconcile"))?;
    Ok(report)
}
