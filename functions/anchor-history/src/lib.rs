//! `anchor-history`: signs what the history held at the end of each day.
//!
//! A schedule fires it every six hours, and the day's anchor is made once. It reads the index of the history by day,
//! and the anchors; it puts anchors, and sends the digest of each to `operations`.
//!
//! # Delivered twice
//! The day has its anchor: nothing is put or sent. Two runs at the same time make the same anchor, and send its
//! digest under the same id.
//!
//! # Cut off
//! The next firing finds the shards that are stored, and goes on. Missed days are caught up, oldest first.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use duewatch_app::{AnchorReport, Deadline, Services};
use duewatch_runtime::{FiringError, Metrics};
use duewatch_store::PrivateKey;

/// The function's name.
pub const NAME: &str = "anchor-history";

/// Anchors the days that have ended since the last anchor.
///
/// # Errors
/// When a table cannot be read or written, or a digest cannot be sent.
pub async fn handle(
    services: &Services,
    key: &PrivateKey,
    _event: EventBridgeEvent,
    deadline: Deadline,
) -> Result<AnchorReport, FiringError> {
    let report =
        duewatch_app::anchor_history(services, key, deadline).await.map_err(FiringError::of("anchor"))?;
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Metrics::new(&services.metrics_namespace, NAME)
        .count("anchored", report.anchored)
        .count("anchored_lines", count(report.lines))
        .count("days_behind", count(report.days_behind))
        .emit(services.clock.now());
    tracing::info!(anchored = report.anchored, lines = report.lines, behind = report.days_behind, "anchored");
    Ok(report)
}
