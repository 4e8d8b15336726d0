//! `intake`: commands of the lender's systems.
//!
//! A FIFO queue invokes it, with the account's id as the message group. So the commands of one account come
//! in order, one at a time. The body is an event with an `event_id`.
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
//! # Payments
//! A payment, or its reversal, is put into the payments table, where all money belongs: only there does a
//! sweep see it. The table's stream posts it.
//!
//! # Contact points
//! They are kept with the customer, not with the account, and each change is logged.
//!
//! # Contact profile
//! A command about how the customer may be contacted changes the contact profile, for all accounts. A command
//! that also sets when to remind of this account's next installment then changes the account too. An approval
//! to ask a third-party contact becomes a contact request; `send-reminders` asks them where the contact gate
//! still allows it. When an invocation is killed in between, the next delivery starts over and finds the
//! completed steps known.
//!
//! # No account yet
//! The sender of an account's commands sends its opening first. Any other command for a missing account is
//! quarantined.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use chrono::{DateTime, Utc};
use duewatch_domain::commands::{AccountOpened, ContactChange, ContactFact, PaymentReversed};
use duewatch_domain::formats::parse_message;
use duewatch_domain::{Account, Applied, Command, InboundMessage, Refusal, Trigger};
use duewatch_runtime::{Deadline, Metrics, RecordError, Services, check_not_ahead, queue_batch};
use duewatch_store::{ContactChangeOutcome, PaymentFact, PaymentPut, TransitionError, TransitionOutcome};

/// The function's name.
pub const NAME: &str = "intake";

/// The result of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CommandOutcome {
    Applied,
    /// The message was known, or changes nothing.
    Known,
}

impl CommandOutcome {
    const fn when(is_new: bool) -> Self {
        if is_new { Self::Applied } else { Self::Known }
    }

    /// The result of two steps together.
    fn or(self, other: Self) -> Self {
        Self::when(self == Self::Applied || other == Self::Applied)
    }
}

/// Processes a batch of messages. A repeated message changes nothing; a failed one is delivered again.
pub async fn handle(services: &Services, event: SqsEvent, deadline: Deadline) -> SqsBatchResponse {
    let clock = &*services.clock;
    let batch =
        queue_batch(event, &services.alerts, clock, deadline, async |message| take(services, message).await)
            .await;
    let count = |what: CommandOutcome| batch.done.iter().filter(|done| **done == what).count();
    Metrics::new(&services.metrics_namespace, NAME)
        .count("applied", count(CommandOutcome::Applied))
        .count("known", count(CommandOutcome::Known))
        .count("quarantined", batch.quarantined)
        .count("failed", batch.failures())
        .emit(clock.now());
    tracing::info!(
        applied = count(CommandOutcome::Applied),
        quarantined = batch.quarantined,
        failed = batch.failures(),
        "taken in"
    );
    batch.response()
}

async fn take(services: &Services, sent: &SqsMessage) -> Result<CommandOutcome, RecordError> {
    let message = parse_message(sent.body.as_deref().unwrap_or_default()).map_err(RecordError::poison)?;
    let now = services.clock.now();
    let event = &message.event;
    if let Some(group) =
        sent.attributes.get("MessageGroupId").filter(|group| *group != event.account_id.as_str())
    {
        // In another group the message may overtake the account's other messages.
        return Err(RecordError::poison(format!(
            "MessageGroupId: \"{group}\" is not the account_id, \"{}\"",
            event.account_id
        )));
    }
    check_not_ahead(event.at, now)?;
    match &event.command {
        Command::PaymentReceived(payment) => {
            let fact = PaymentFact::received(event.account_id.clone(), payment, event.at);
            match services.transitions.store().put_payment(&fact).await? {
                PaymentPut::New => Ok(CommandOutcome::Applied),
                PaymentPut::Known => Ok(CommandOutcome::Known),
                PaymentPut::Differs(how) => Err(RecordError::poison(how)),
            }
        }
        Command::PaymentReversed(PaymentReversed { payment_id, dated }) => {
            let store = services.transitions.store();
            let reversed = store.record_reversal(&event.account_id, payment_id, event.at, *dated).await;
            if reversed? {
                Ok(CommandOutcome::Applied)
            } else {
                Err(RecordError::poison(Refusal::UnknownPayment(payment_id.clone())))
            }
        }
        Command::ContactChanged(change) => change_contact(services, &message, change, now).await,
        Command::Contact(fact) => apply_contact_fact(services, &message, fact, now).await,
        Command::AccountOpened(AccountOpened { account }) => {
            outcome(services, &message, services.transitions.open(account, now, Trigger::Fact).await, now)
                .await
        }
        _ => outcome(services, &message, services.transitions.command(&message, now).await, now).await,
    }
}

async fn outcome(
    services: &Services,
    message: &InboundMessage,
    outcome: Result<TransitionOutcome, TransitionError>,
    now: DateTime<Utc>,
) -> Result<CommandOutcome, RecordError> {
    let account_id = &message.event.account_id;
    match outcome {
        Ok(TransitionOutcome::Written(_)) => Ok(CommandOutcome::Applied),
        Ok(TransitionOutcome::Deferred(_, blocked)) => {
            services.alerts.alert_blocked_payment(account_id, &blocked, now).await;
            Ok(CommandOutcome::Applied)
        }
        Ok(TransitionOutcome::Unchanged) => Ok(CommandOutcome::Known),
        Ok(TransitionOutcome::NoAccount) => {
            Err(RecordError::poison(Refusal::UnknownAccount(account_id.clone())))
        }
        Err(error) => Err(error.into()),
    }
}

/// The account of a message that concerns only its customer.
async fn addressed(services: &Services, message: &InboundMessage) -> Result<Account, RecordError> {
    let account_id = &message.event.account_id;
    match services.transitions.store().account(account_id).await? {
        Some(stored) => Ok(stored.account),
        None => Err(RecordError::poison(Refusal::UnknownAccount(account_id.clone()))),
    }
}

async fn apply_to_profile(
    services: &Services,
    account: &Account,
    message: &InboundMessage,
    now: DateTime<Utc>,
) -> Result<CommandOutcome, RecordError> {
    let store = services.transitions.store();
    let applied = store.apply_to_profile(&account.customer_id, message, now).await?;
    Ok(CommandOutcome::when(applied == Applied::Changed))
}

async fn change_contact(
    services: &Services,
    message: &InboundMessage,
    change: &ContactChange,
    now: DateTime<Utc>,
) -> Result<CommandOutcome, RecordError> {
    let (store, event) = (services.transitions.store(), &message.event);
    let account = addressed(services, message).await?;
    let retention = services.transitions.retention_of(&account, now).await?;
    let changed = store.change_contact(&account.customer_id, message, change, retention).await;
    let taken = match changed? {
        ContactChangeOutcome::Changed => CommandOutcome::Applied,
        ContactChangeOutcome::Known => CommandOutcome::Known,
        ContactChangeOutcome::Superseded(last) => {
            return Err(RecordError::poison(Refusal::OutOfOrder { at: event.at, last }));
        }
        ContactChangeOutcome::TooManySources => return Err(RecordError::poison(Refusal::TooManySources)),
    };
    // Also for a known message: the invocation that applied it may have been killed before it changed the
    // profile.
    Ok(taken.or(apply_to_profile(services, &account, message, now).await?))
}

async fn apply_contact_fact(
    services: &Services,
    message: &InboundMessage,
    fact: &ContactFact,
    now: DateTime<Utc>,
) -> Result<CommandOutcome, RecordError> {
    let account = addressed(services, message).await?;
    let taken = apply_to_profile(services, &account, message, now).await?;
    match fact {
        ContactFact::Preferences(preferences) if preferences.plans() => {
            let taken_by_account = services.transitions.command(message, now).await;
            Ok(taken.or(outcome(services, message, taken_by_account, now).await?))
        }
        ContactFact::ThirdPartyApproved(approved) => {
            let (store, name) = (services.transitions.store(), message.name());
            let planned =
                store.queue_third_party_request(&account, &approved.third_party_id, &name, now).await;
            Ok(taken.or(CommandOutcome::when(planned?)))
        }
        _ => Ok(taken),
    }
}
