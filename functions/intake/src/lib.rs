//! `intake`: commands of the lender's systems.
//!
//! A FIFO queue invokes it, with the account's id as the message group. So the commands of one account come
//! in order, one at a time. The body is an event with an `event_id`.
//! [`take_command`] says what becomes of each.
//!
//! # Delivered twice
//! The account knows the last commands of each source that changed it, and ignores their repetition. An older
//! command is out of order: it is quarantined, never applied twice.
//!
//! # Out of order
//! A command that became known before an applied one of the same source is quarantined, for the later one may
//! have superseded it. Sources are independent of each other: a command that arrives after a later one of
//! another source is applied on arrival, or refused because its target is gone.
//!
//! # Sent by somebody else
//! The [`SenderMap`] says which source a sender is and what it may send. What it may not is quarantined.
//!
//! # More than one person alone may grant
//! Relief above the policy's limits becomes a proposal, unless the map exempts the sender. It is no poison, and the
//! account's later commands are taken.

mod senders;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use duewatch_app::{CommandOutcome, Deadline, RecordError, Services, take_command};
use duewatch_domain::formats::parse_message;
use duewatch_runtime::{Metrics, queue_batch};

pub use self::senders::{Admitted, FaultyMap, SENDERS, SenderMap};

/// The function's name.
pub const NAME: &str = "intake";

/// Processes a batch of messages. A repeated message changes nothing; a failed one is delivered again.
pub async fn handle(
    services: &Services,
    senders: &SenderMap,
    event: SqsEvent,
    deadline: Deadline,
) -> SqsBatchResponse {
    let take = async |message: &SqsMessage| take(services, senders, message).await;
    let batch = queue_batch(services, event, deadline, take).await;
    let count = |what: CommandOutcome| batch.done.iter().filter(|done| **done == what).count();
    let metrics = Metrics::new(&services.metrics_namespace, NAME)
        .count("applied", count(CommandOutcome::Applied))
        .count("known", count(CommandOutcome::Known))
        .count("proposed", count(CommandOutcome::Proposed));
    batch.finish(services, metrics)
}

async fn take(
    services: &Services,
    senders: &SenderMap,
    sent: &SqsMessage,
) -> Result<CommandOutcome, RecordError> {
    let message = parse_message(sent.body.as_deref().unwrap_or_default()).map_err(RecordError::poison)?;
    let Admitted { message, authority } =
        senders.admit(sent.attributes.get("SenderId").map(String::as_str), message)?;
    let account_id = message.event.account_id.as_str();
    if let Some(group) = sent.attributes.get("MessageGroupId").filter(|group| *group != account_id) {
        // In another group the message may overtake the account's other messages.
        return Err(RecordError::poison(format!(
            "MessageGroupId: \"{group}\" is not the account_id, \"{account_id}\""
        )));
    }
    take_command(services, &message, authority).await
}
