//! A receipt of a delivery provider.
//!
//! | outcome | consequence |
//! |---|---|
//! | `delivered`, `unanswered` | the contact profile records it, and so do the frequency caps that count it |
//! | `bounced` | the channel is blocked until there is another contact point; the requests of the message are queued again, and the contact gate takes the next channel |
//! | `opted_out` | the channel is blocked |
//! | `complained` | the channel is blocked, and the policy's rule for complaints applies |
//! | `answered` | there was a conversation; a stated reason becomes the recorded cause of the accounts, unless another one binds |
//!
//! A receipt of a message to a third-party contact never concerns the borrower's channels: see
//! [`ContactProfile::apply_third_party_receipt`](duewatch_domain::contact::ContactProfile::apply_third_party_receipt). Its request is not queued again,
//! for the lender knows no other channel of theirs, and their answer is no cause of the borrower's.
//!
//! # Delivered twice, out of order
//! A receipt is added to its message's record last, after all its consequences. Until then each repeated
//! step changes nothing; after that the receipt is known. The record does not keep the receipt's reason.
//!
//! # Bounced before it was recorded as sent
//! A bounced message may still wait for its contact records, which end its requests. A request queued again
//! beside that wait, or instead of it, would leave twice or not at all. So the receipt is delivered again
//! later. Where the contact records never come, the sweep of `send-reminders` finds the channel blocked and
//! takes the next by itself; this function has nothing left to do.
//!
//! # Why this ends
//! A bounced request is queued again only after its message left. A message leaves only on a channel
//! without a bounce since the last change of its contact point: each round uses one channel up. Where a
//! provider reports both a delivery and a bounce, [`MAX_BOUNCES`](duewatch_domain::contact::MAX_BOUNCES)
//! ends it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use duewatch_domain::contact::{GateReason, QueuedRequest, Receipt, ReceiptOutcome};
use duewatch_domain::kernel::{AccountId, CustomerId};
use duewatch_domain::{Command, Event, InboundMessage};
use duewatch_notify::OperationsKind;
use duewatch_store::{ContactOutcome, ContactRecord, MessageRecord, StoreError};

use crate::archive::archive_command;
use crate::clock::check_not_ahead;
use crate::{RecordError, Services, TransitionError, TransitionOutcome};

/// The result of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptEffect {
    New(ReceiptOutcome),
    Known,
}

/// A contact request that a message covered.
enum RequestState {
    /// Still queued.
    Queued(QueuedRequest),
    /// Ended, with its contact record.
    Ended(ContactRecord),
}

impl RequestState {
    const fn request(&self) -> &QueuedRequest {
        match self {
            Self::Queued(queued) => queued,
            Self::Ended(record) => &record.request,
        }
    }
}

/// Takes a receipt. A repeated one changes nothing.
///
/// # Errors
/// Poison where the message is not known; otherwise a later delivery may succeed.
pub async fn take_receipt(services: &Services, receipt: &Receipt) -> Result<ReceiptEffect, RecordError> {
    let (store, now) = (services.store(), services.clock.now());
    check_not_ahead(receipt.at, now)?;
    let Some(message) = store.message(&receipt.message_id).await? else {
        return Err(RecordError::poison(format!("message_id: {} is not known", receipt.message_id)));
    };
    if message.knows(receipt) {
        return Ok(ReceiptEffect::Known);
    }
    let recorded = store.change_profile(&message.customer_id, now, |profile| {
        Ok::<_, TransitionError>(match &message.third_party {
            Some(third_party_id) => profile.apply_third_party_receipt(third_party_id, receipt),
            None => profile.apply_receipt(message.channel, receipt),
        })
    });
    recorded.await?;
    if message.third_party.is_none() {
        follow(services, receipt, &message, now).await?;
    }
    if receipt.is_unwanted() {
        archive_refusal(services, receipt, &message, now).await?;
    }
    let is_new = store.record_receipt(receipt).await?;
    Ok(if is_new { ReceiptEffect::New(receipt.outcome) } else { ReceiptEffect::Known })
}

/// The consequences of a receipt that the contact profile has recorded.
async fn follow(
    services: &Services,
    receipt: &Receipt,
    message: &MessageRecord,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    match (receipt.outcome, &receipt.reason) {
        (ReceiptOutcome::Bounced, _) => {
            alert_if_out_of_reach(services, &message.customer_id, now).await?;
            requeue(services, receipt, message, now).await
        }
        (ReceiptOutcome::Complained | ReceiptOutcome::OptedOut, _) => {
            Ok(alert_if_out_of_reach(services, &message.customer_id, now).await?)
        }
        (ReceiptOutcome::Answered, Some(reason)) if !reason.trim().is_empty() => {
            record_cause(services, receipt, message, reason, now).await
        }
        _ => Ok(()),
    }
}

/// Archives the opt-out, the complaint or the refusal of a receipt as the commands that say the same: after a restore the
/// message of the receipt may not be known.
async fn archive_refusal(
    services: &Services,
    receipt: &Receipt,
    message: &MessageRecord,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    let Some(account_id) =
        services.store().accounts_of_customer(&message.customer_id).await?.into_iter().next()
    else {
        return Ok(());
    };
    for (event_id, fact) in receipt.as_facts(message.channel, message.third_party.as_ref()) {
        let (account_id, at) = (account_id.clone(), receipt.at);
        let event = Event { account_id, at, command: Command::Contact(fact) };
        archive_command(services, &InboundMessage::of_core(event_id, event), now).await?;
    }
    Ok(())
}

/// The contact requests that a message covered, as far as they are kept. Queued ones are read first: a
/// request that ends in between is then found ended.
async fn requests_of(services: &Services, message: &MessageRecord) -> Result<Vec<RequestState>, StoreError> {
    let store = services.store();
    let mut queued = store.load_profile(&message.customer_id).await?.requests;
    let mut states = Vec::with_capacity(message.contacts.len());
    for contact_id in &message.contacts {
        if let Some(record) = store.contact_record(&message.customer_id, contact_id).await? {
            states.push(RequestState::Ended(record));
        } else if let Some(place) = queued.iter().position(|one| &one.contact_id == contact_id) {
            states.push(RequestState::Queued(queued.swap_remove(place)));
        }
    }
    Ok(states)
}

/// Queues the requests of a bounced message again, except those that another message covered, or that ended
/// without one.
async fn requeue(
    services: &Services,
    receipt: &Receipt,
    message: &MessageRecord,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    let message_id = &receipt.message_id;
    for state in requests_of(services, message).await? {
        match state {
            RequestState::Ended(record) => {
                let is_by_it = record.message.as_ref().is_some_and(|(by, _)| by == message_id);
                if is_by_it && record.outcome == ContactOutcome::Sent {
                    services.store().requeue_request(&record, now).await?;
                }
            }
            RequestState::Queued(queued) if queued.reserved_as.as_ref() == Some(message_id) => {
                return Err(RecordError::Retry("it came back, and is not noted as sent yet".to_owned()));
            }
            RequestState::Queued(_) => {}
        }
    }
    Ok(())
}

/// Records the borrower's reason for the arrears of the message's accounts.
async fn record_cause(
    services: &Services,
    receipt: &Receipt,
    message: &MessageRecord,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    let states = requests_of(services, message).await?;
    let accounts: BTreeSet<&AccountId> = states.iter().map(|state| &state.request().account_id).collect();
    for account_id in accounts {
        let said = services.transitions.record_borrower_cause(account_id, reason, receipt.at, now).await?;
        if let TransitionOutcome::Deferred(_, blocked) = said {
            services.alerts.alert_blocked_payment(account_id, &blocked, now).await;
        }
    }
    Ok(())
}

/// Alerts the staff on call where no known contact point is usable any more. The contact gate alerts the
/// same, under the same id, at its next message.
async fn alert_if_out_of_reach(
    services: &Services,
    customer_id: &CustomerId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let unusable = services.store().profile(customer_id).await?.out_of_reach();
    if !unusable.is_empty() {
        let why = GateReason::NoChannel { channels: unusable }.to_string();
        services.alerts.alert(OperationsKind::NoChannel, customer_id.as_str(), &why, now).await;
    }
    Ok(())
}
