//! `record-delivery`: what senders report of messages.
//!
//! A queue invokes it. The body is a receipt: the id that the message bore on `reminders`, when, and
//! what became of it.
//!
//! | outcome | what follows |
//! |---|---|
//! | `delivered`, `unanswered` | the person knows, and so do caps that count it |
//! | `bounced` | the channel is not used until there is another contact point; what the message said is planned again, and the contact gate takes the next channel |
//! | `opted_out` | the channel is not used any more |
//! | `complained` | the same, and whatever the policy makes of a complaint |
//! | `answered` | there was a conversation; a reason becomes the recorded cause of the accounts, where no other binds |
//!
//! Of a message to a contact person nothing of this concerns the debtor's channels: see
//! [`Person::receive_of`](duewatch_domain::contact::Person::receive_of). It is not planned again, for
//! nobody knows their other channels, and what they say is no cause of the borrower's.
//!
//! # Delivered twice, out of order
//! A receipt is noted with its message last, when all that follows from it is done. Until then
//! each step that is taken once more changes nothing; after that the receipt is known. Its reason is
//! not kept there.
//!
//! # Back before it was noted that it left
//! A message that came back may still be waiting for the note that it left, which ends its wishes.
//! Planned again beside that note, or instead of it, it would leave twice or not at all: the receipt
//! is delivered again later. Where the note never comes, the sweep of `send-reminders` finds the
//! channel unusable, takes the next by itself, and this has nothing left to do.
//!
//! # Why this ends
//! What comes back is planned again only when it has left, and leaves only on a channel from which
//! nothing has come back since its contact point changed: each round uses one up. Where a sender
//! reports both that a message arrived and that it came back,
//! [`MAX_CAME_BACK`](duewatch_domain::contact::MAX_CAME_BACK) ends it.

use std::collections::BTreeSet;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use chrono::{DateTime, Utc};
use duewatch_domain::contact::{Planned, Receipt, ReceiptOutcome, Why};
use duewatch_domain::formats::parse_receipt;
use duewatch_domain::kernel::{AccountId, CustomerId};
use duewatch_notify::OperationsKind;
use duewatch_runtime::{Deadline, Metrics, RecordError, Wiring, check_not_ahead, queue_batch};
use duewatch_store::{ContactOutcome, Outcome, Said, SentMessage, StoreError};

/// The function's name.
pub const NAME: &str = "record-delivery";

/// What a receipt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// It was new, and says this.
    New(ReceiptOutcome),
    /// It was known.
    Known,
}

/// A wish that a message spoke for.
enum Wish {
    /// It is still planned.
    Planned(Planned),
    /// It has ended.
    Ended(Said),
}

impl Wish {
    const fn planned(&self) -> &Planned {
        match self {
            Self::Planned(planned) => planned,
            Self::Ended(said) => &said.planned,
        }
    }
}

/// Takes a batch of receipts.
pub async fn handle(wiring: &Wiring, event: SqsEvent, deadline: Deadline) -> SqsBatchResponse {
    let clock = &*wiring.clock;
    let batch =
        queue_batch(event, &wiring.desk, clock, deadline, async |message| take(wiring, message).await).await;
    let count = |what: Taken| batch.done.iter().filter(|done| **done == what).count();
    let new = |outcome| count(Taken::New(outcome));
    Metrics::new(&wiring.metrics_namespace, NAME)
        .count("delivered", new(ReceiptOutcome::Delivered))
        .count("bounced", new(ReceiptOutcome::Bounced))
        .count("complained", new(ReceiptOutcome::Complained))
        .count("opted_out", new(ReceiptOutcome::OptedOut))
        .count("answered", new(ReceiptOutcome::Answered))
        .count("unanswered", new(ReceiptOutcome::Unanswered))
        .count("known", count(Taken::Known))
        .count("quarantined", batch.quarantined)
        .count("failed", batch.failures())
        .emit(clock.now());
    tracing::info!(
        receipts = batch.done.len(),
        bounced = new(ReceiptOutcome::Bounced),
        quarantined = batch.quarantined,
        failed = batch.failures(),
        "taken in"
    );
    batch.response()
}

async fn take(wiring: &Wiring, sent: &SqsMessage) -> Result<Taken, RecordError> {
    let receipt = parse_receipt(sent.body.as_deref().unwrap_or_default()).map_err(RecordError::poison)?;
    let (store, now) = (wiring.transitions.store(), wiring.clock.now());
    check_not_ahead(receipt.at, now)?;
    let Some(message) = store.message(&receipt.message_id).await? else {
        return Err(RecordError::poison(format!("message_id: {} is not known", receipt.message_id)));
    };
    if message.knows(&receipt) {
        return Ok(Taken::Known);
    }
    let heard = store.change_person(&message.customer_id, now, |person| {
        Ok(match &message.contact_person {
            Some(person_id) => person.receive_of(person_id, &receipt),
            None => person.receive(message.channel, &receipt),
        })
    });
    heard.await?;
    if message.contact_person.is_none() {
        follow(wiring, &receipt, &message, now).await?;
    }
    let is_new = store.note_receipt(&receipt).await?;
    Ok(if is_new { Taken::New(receipt.outcome) } else { Taken::Known })
}

/// What follows from a receipt when the person knows.
async fn follow(
    wiring: &Wiring,
    receipt: &Receipt,
    message: &SentMessage,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    match (receipt.outcome, &receipt.reason) {
        (ReceiptOutcome::Bounced, _) => {
            tell_if_out_of_reach(wiring, &message.customer_id, now).await?;
            plan_again(wiring, receipt, message, now).await
        }
        (ReceiptOutcome::Complained | ReceiptOutcome::OptedOut, _) => {
            Ok(tell_if_out_of_reach(wiring, &message.customer_id, now).await?)
        }
        (ReceiptOutcome::Answered, Some(reason)) if !reason.trim().is_empty() => {
            record_cause(wiring, receipt, message, reason, now).await
        }
        _ => Ok(()),
    }
}

/// The wishes that a message spoke for, as far as they are kept. What is planned is read first:
/// what ends in between is found ended.
async fn wishes(wiring: &Wiring, message: &SentMessage) -> Result<Vec<Wish>, StoreError> {
    let store = wiring.transitions.store();
    let mut planned = store.at_hand(&message.customer_id).await?.planned;
    let mut wishes = Vec::with_capacity(message.contacts.len());
    for contact_id in &message.contacts {
        if let Some(said) = store.said_of(&message.customer_id, contact_id).await? {
            wishes.push(Wish::Ended(said));
        } else if let Some(place) = planned.iter().position(|one| &one.contact_id == contact_id) {
            wishes.push(Wish::Planned(planned.swap_remove(place)));
        }
    }
    Ok(wishes)
}

/// Plans again what a message said that came back, and nothing that another message has said, or
/// that has ended without one.
async fn plan_again(
    wiring: &Wiring,
    receipt: &Receipt,
    message: &SentMessage,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    let message_id = &receipt.message_id;
    for wish in wishes(wiring, message).await? {
        match wish {
            Wish::Ended(said) => {
                let is_by_it = said.message.as_ref().is_some_and(|(by, _)| by == message_id);
                if is_by_it && said.outcome == ContactOutcome::Sent {
                    wiring.transitions.store().plan_again(&said, now).await?;
                }
            }
            Wish::Planned(planned) if planned.reserved_as.as_ref() == Some(message_id) => {
                return Err(RecordError::Retry("it came back, and is not noted as sent yet".to_owned()));
            }
            Wish::Planned(_) => {}
        }
    }
    Ok(())
}

/// Records why the borrower is late with the accounts that the message was about.
async fn record_cause(
    wiring: &Wiring,
    receipt: &Receipt,
    message: &SentMessage,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    let wishes = wishes(wiring, message).await?;
    let accounts: BTreeSet<&AccountId> = wishes.iter().map(|wish| &wish.planned().account_id).collect();
    for account_id in accounts {
        let said = wiring.transitions.borrower_said(account_id, reason, receipt.at, now).await?;
        if let Outcome::Held(_, hold) = said {
            wiring.desk.tell_held(account_id, &hold, now).await;
        }
    }
    Ok(())
}

/// Tells people on duty where none of the contact points that are known can be used any more.
/// The contact gate tells them the same when it next has something to say, under the same id.
async fn tell_if_out_of_reach(
    wiring: &Wiring,
    customer_id: &CustomerId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let unusable = wiring.transitions.store().person(customer_id).await?.out_of_reach();
    if !unusable.is_empty() {
        let why = Why::NoChannel { channels: unusable }.to_string();
        wiring.desk.tell(OperationsKind::NoChannel, customer_id.as_str(), &why, now).await;
    }
    Ok(())
}
