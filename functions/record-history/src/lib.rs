//! `record-history`: keeps an entry of each revision, as long as the account's policy says.
//!
//! The accounts stream invokes it with each new revision. It adds an entry to the history, chained to the one
//! below. It alone may put entries; neither it nor another function may update or delete one.
//!
//! # Delivered twice
//! The entry exists, with the digest of the same account image: nothing is written. Two racing deliveries end
//! the same way: the second finds the entry of the first.
//!
//! # A revision that never comes
//! The stream drops a record that could not be processed for a day, and an unreadable one is quarantined. The
//! next revision then follows the one below the gap, and `operations` is alerted. `reconcile-accounts` hands in the
//! account once more where its newest revision is missing; `duewatch audit` lists the others.
//!
//! # An entry that is about to expire
//! `reconcile-accounts` hands in the account once more, and the newest entry is put again under a later expiry.
//!
//! # A revision that comes late
//! Its entry fills its place and follows the greatest below it. Those above it stay as they are, for the
//! entries that they follow still exist.
//!
//! # Only the due entry has gone
//! The record bears the revision of its old image, which is known already.

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::DynamoDbEventResponse;
use duewatch_app::{Deadline, RecordError, Services, record_revision};
use duewatch_runtime::{Metrics, NewRevision, RawStreamEvent, stream_batch};
use duewatch_store::{Recorded, account_from_image, is_asked_for_history};

/// The function's name.
pub const NAME: &str = "record-history";

/// Records a batch of revisions. A repeated record writes nothing; a failed one is delivered again.
pub async fn handle(services: &Services, event: RawStreamEvent, deadline: Deadline) -> DynamoDbEventResponse {
    let batch = stream_batch(services, event, deadline, async |record| take(services, record).await).await;
    let count = |is: fn(Recorded) -> bool| batch.done.iter().filter(|done| is(done.value)).count();
    let recorded = count(|recorded| matches!(recorded, Recorded::New { .. }));
    let gaps = count(|recorded| recorded == Recorded::New { gap: true });
    let metrics = Metrics::new(&services.metrics_namespace, NAME)
        .count("recorded", recorded)
        .count("known", count(|recorded| recorded == Recorded::Known))
        .count("renewed", count(|recorded| recorded == Recorded::Renewed))
        .count("history_gaps", gaps);
    batch.finish(services, metrics)
}

async fn take(services: &Services, record: EventRecord) -> Result<Recorded, RecordError> {
    let at = record.change.approximate_creation_date_time;
    if is_asked_for_history(&record.change.old_image, &record.change.new_image) {
        let after = account_from_image(record.change.new_image)?;
        let written_at = after.status.last_assessed_at.unwrap_or(at);
        return record_revision(services, None, &after, written_at).await;
    }
    let Some(NewRevision { before, after }) = NewRevision::of(record)? else { return Ok(Recorded::Known) };
    // Without a readable image before, the entry's facts stay null; all else is recorded.
    let before = before.and_then(|before| account_from_image(before).ok());
    record_revision(services, before.as_ref(), &after, at).await
}
