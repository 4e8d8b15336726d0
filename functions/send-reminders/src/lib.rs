//! `send-reminders`: what leaves.
//!
//! The accounts stream invokes it with each new revision. A change of standing
//! goes to `account-events`; what the revision wants to tell the borrower goes to
//! `reminders`, after a last look.
//!
//! # The last look
//! Right before a reminder leaves, the account and its payments are read again.
//! A reminder whose reason has gone is recorded as withdrawn; money that cannot be
//! posted keeps it back and rings at `operations`.
//!
//! # Delivered twice
//! Everything leaves again under the same id, for consumers to drop.
//!
//! # SNS takes a part of a batch
//! Each entry that failed is tried again, then its record is reported, and Lambda
//! delivers it again.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::DynamoDbEventResponse;
use chrono::{DateTime, Utc};
use duewatch_domain::ids::{AccountId, Revision};
use duewatch_domain::reminder::{Intent, still_owed};
use duewatch_domain::{Account, allocate, assess};
use duewatch_notify::{Message, OperationsKind, account_changed, reminder_due};
use duewatch_runtime::{Deadline, Metrics, RawStreamEvent, RecordError, StreamBatch, Wiring, stream_batch};
use duewatch_store::{ContactOutcome, StoreError, account_from_image};

/// The function's name.
pub const NAME: &str = "send-reminders";

/// What a revision wants to say, and what is to be noted once it is said.
#[derive(Debug, Default)]
struct Outgoing {
    messages: Vec<Message>,
    sent: Vec<Intent>,
    withdrawn: usize,
    revision: Option<(AccountId, Revision)>,
}

/// Sends what a batch of revisions wants to say.
pub async fn handle(wiring: &Wiring, event: RawStreamEvent, deadline: Deadline) -> DynamoDbEventResponse {
    let clock = &*wiring.clock;
    let mut batch =
        stream_batch(event, &wiring.desk, clock, deadline, async |record| prepare(wiring, record).await)
            .await;
    let failed = publish(wiring, &batch).await;
    for sequence_number in &failed {
        batch.fail(sequence_number);
    }
    for sequence_number in note(wiring, &batch, &failed).await {
        batch.fail(&sequence_number);
    }
    let sum = |of: fn(&Outgoing) -> usize| batch.done.iter().map(|done| of(&done.value)).sum::<usize>();
    Metrics::new(&wiring.metrics_namespace, NAME)
        .count("taken", batch.taken())
        .count("messages", sum(|outgoing| outgoing.messages.len()))
        .count("reminders", sum(|outgoing| outgoing.sent.len()))
        .count("withdrawn", sum(|outgoing| outgoing.withdrawn))
        .count("quarantined", batch.quarantined)
        .count("failed", batch.failures())
        .emit(clock.now());
    tracing::info!(
        records = batch.done.len(),
        messages = sum(|outgoing| outgoing.messages.len()),
        quarantined = batch.quarantined,
        failed = batch.failures(),
        "sent"
    );
    batch.response()
}

/// Publishes all messages of a batch, and says which records are to be delivered again.
async fn publish(wiring: &Wiring, batch: &StreamBatch<Outgoing>) -> Vec<String> {
    let mut messages = Vec::new();
    let mut records = Vec::new();
    for done in &batch.done {
        for message in &done.value.messages {
            messages.push(message.clone());
            records.push(&done.sequence_number);
        }
    }
    match wiring.notifier.publish(&messages).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            tracing::warn!(%error, "to be sent again");
            error
                .0
                .iter()
                .filter_map(|failed| records.get(failed.place))
                .map(|number| (*number).clone())
                .collect()
        }
    }
}

/// Notes what was sent, for each record that was sent whole.
async fn note(wiring: &Wiring, batch: &StreamBatch<Outgoing>, failed: &[String]) -> Vec<String> {
    let store = wiring.transitions.store();
    let now = wiring.clock.now();
    let mut not_noted = Vec::new();
    let mut published: BTreeMap<&AccountId, (Revision, &str)> = BTreeMap::new();
    for done in batch.done.iter().filter(|done| !failed.contains(&done.sequence_number)) {
        let Some((account_id, revision)) = &done.value.revision else { continue };
        for intent in &done.value.sent {
            let noted = store.record_contact(account_id, *revision, intent, ContactOutcome::Sent, now).await;
            if noted.is_err() {
                not_noted.push(done.sequence_number.clone());
            }
        }
        if !done.value.messages.is_empty() {
            published.insert(account_id, (*revision, &done.sequence_number));
        }
    }
    for (account_id, (revision, sequence_number)) in published {
        if store.mark_published(account_id, revision).await.is_err() {
            not_noted.push(sequence_number.to_owned());
        }
    }
    not_noted
}

async fn prepare(wiring: &Wiring, record: EventRecord) -> Result<Outgoing, RecordError> {
    if record.event_name == "REMOVE" {
        return Ok(Outgoing::default());
    }
    let before = match record.change.old_image.get("revision") {
        Some(serde_dynamo::AttributeValue::N(revision)) => revision.parse::<u64>().ok(),
        _ => None,
    };
    let account = account_from_image(record.change.new_image).map_err(|error| fault(&error))?;
    if before.is_some_and(|before| before >= account.revision.0) {
        // Only its place in the due index has changed.
        return Ok(Outgoing::default());
    }
    let mut outgoing =
        Outgoing { revision: Some((account.account_id.clone(), account.revision)), ..Outgoing::default() };
    if let Some(decision) = account.decision_of_this_revision() {
        outgoing.messages.push(account_changed(&account, decision));
    }
    if !account.intents.is_empty() {
        remind(wiring, &account, &mut outgoing).await.map_err(|error| fault(&error))?;
    }
    Ok(outgoing)
}

/// Turns a revision's intents into messages, after a last look at the account.
async fn remind(wiring: &Wiring, then: &Account, outgoing: &mut Outgoing) -> Result<(), StoreError> {
    let now = wiring.clock.now();
    let Some((account, hold)) = wiring.transitions.last_look(&then.account_id).await? else {
        return Ok(());
    };
    let policy = wiring.transitions.policy_of(&account, now).await?;
    let assessment = assess(&account, &policy, now);
    let allocation = allocate(&account);
    for intent in &then.intents {
        if let Some(hold) = &hold {
            let subject = format!("{}/{}", account.account_id, hold.payment_id);
            wiring.desk.tell(OperationsKind::RestrictionHeld, &subject, &hold.reason, now).await;
            keep_back(wiring, then, intent, ContactOutcome::Held, now).await?;
            outgoing.withdrawn += 1;
        } else if still_owed(
            &account,
            &allocation,
            then.standing.stage.as_str(),
            assessment.stage_name(),
            intent,
        ) {
            outgoing.messages.push(reminder_due(&account, then.revision, intent, &assessment.figures, now));
            outgoing.sent.push(intent.clone());
        } else {
            keep_back(wiring, then, intent, ContactOutcome::Withdrawn, now).await?;
            outgoing.withdrawn += 1;
        }
    }
    Ok(())
}

async fn keep_back(
    wiring: &Wiring,
    then: &Account,
    intent: &Intent,
    outcome: ContactOutcome,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    wiring.transitions.store().record_contact(&then.account_id, then.revision, intent, outcome, now).await
}

fn fault(error: &StoreError) -> RecordError {
    if error.is_transient() {
        RecordError::Retry(error.to_string())
    } else {
        RecordError::Poison(error.to_string())
    }
}
