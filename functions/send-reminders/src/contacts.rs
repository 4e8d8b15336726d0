//! The schedule: the queued contact requests that are due pass the contact gate.

use duewatch_app::{ContactSweepReport, Deadline, Services, sweep_contact_requests};
use duewatch_notify::ReferenceKeys;
use duewatch_runtime::Metrics;
use duewatch_store::StoreError;

use crate::NAME;

/// Sweeps the queued contact requests.
///
/// # Errors
/// When the index of queued requests cannot be read.
pub(crate) async fn sweep(
    services: &Services,
    keys: &ReferenceKeys,
    deadline: Deadline,
) -> Result<ContactSweepReport, StoreError> {
    let now = services.clock.now();
    let report = Box::pin(sweep_contact_requests(services, keys, deadline)).await?;
    if !report.cut_short {
        services.store().note_completed_run(NAME, now).await?;
    }
    counted(&report, Metrics::new(&services.metrics_namespace, NAME))
        .seconds("oldest_request_seconds", report.oldest_due_seconds)
        .count("sending_held", usize::from(report.is_held))
        .emit(now);
    Ok(report)
}

/// Adds the results of evaluated requests to the metrics.
pub(crate) fn counted(report: &ContactSweepReport, metrics: Metrics) -> Metrics {
    let evaluated = &report.evaluated;
    metrics
        .count("reminders", evaluated.messages)
        .count("notices", evaluated.notices)
        .count("withdrawn", evaluated.withdrawn)
        .count("deferred", evaluated.deferred)
        .count("suppressed", evaluated.suppressed)
        .count("unsent", evaluated.unsent)
        .count("unrenderable", evaluated.unrenderable)
        .count("persons_failed", report.failed)
}
