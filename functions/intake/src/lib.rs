//! `intake`: commands of the lender's systems.
//!
//! A FIFO queue invokes it, with the account's id as the group of a message: the messages
//! of one account come in order, one at a time. The body is an event with an `event_id`.
//!
//! # Delivered twice
//! The account knows the last messages that changed it, and leaves them alone. One that is
//! older than those is out of order: it is quarantined, never taken twice.
//!
//! # Out of order
//! A message that became known before one that was taken is quarantined: what it says may
//! have been overtaken.
//!
//! # Payments
//! A payment, or its reversal, is put into the payments table, where all money belongs: only
//! there does a sweep see it. The table's stream posts it.
//!
//! # Contact points
//! They are kept with the customer, not with the account, and each change is logged.
//!
//! # Of the person
//! What says something of how the customer may be contacted is taken by the person, for all
//! accounts. Where it also says when to remind of what is coming due on this one, the account takes
//! it after that. An approval to ask a contact person is planned; `send-reminders` asks them where
//! the contact gate still allows it. Whoever is killed in between starts over, and finds what was
//! done known.
//!
//! # No account yet
//! Whoever sends the messages of an account sends its opening first. Any other message to an
//! account that is not there is quarantined.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use chrono::{DateTime, Utc};
use duewatch_domain::commands::{ContactChange, PersonFact};
use duewatch_domain::formats::parse_message;
use duewatch_domain::{Account, Applied, Cause, Command, Message, Refusal};
use duewatch_runtime::{Deadline, Metrics, RecordError, Wiring, check_not_ahead, queue_batch};
use duewatch_store::{ContactTaken, Outcome, PaymentFact, PaymentPut, TransitionError};

/// The function's name.
pub const NAME: &str = "intake";

/// What a message came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// Something was written.
    Applied,
    /// It was known, or changes nothing.
    Known,
}

impl Taken {
    const fn when(is_new: bool) -> Self {
        if is_new { Self::Applied } else { Self::Known }
    }

    /// Both together.
    fn or(self, other: Self) -> Self {
        Self::when(self == Self::Applied || other == Self::Applied)
    }
}

/// Takes a batch of messages.
pub async fn handle(wiring: &Wiring, event: SqsEvent, deadline: Deadline) -> SqsBatchResponse {
    let clock = &*wiring.clock;
    let batch =
        queue_batch(event, &wiring.desk, clock, deadline, async |message| take(wiring, message).await).await;
    let count = |what: Taken| batch.done.iter().filter(|done| **done == what).count();
    Metrics::new(&wiring.metrics_namespace, NAME)
        .count("applied", count(Taken::Applied))
        .count("known", count(Taken::Known))
        .count("quarantined", batch.quarantined)
        .count("failed", batch.failures())
        .emit(clock.now());
    tracing::info!(
        applied = count(Taken::Applied),
        quarantined = batch.quarantined,
        failed = batch.failures(),
        "taken in"
    );
    batch.response()
}

async fn take(wiring: &Wiring, sent: &SqsMessage) -> Result<Taken, RecordError> {
    let message = parse_message(sent.body.as_deref().unwrap_or_default()).map_err(RecordError::poison)?;
    let now = wiring.clock.now();
    let event = &message.event;
    if let Some(group) =
        sent.attributes.get("MessageGroupId").filter(|group| *group != event.account_id.as_str())
    {
        // In another group it may overtake the account's other messages.
        return Err(RecordError::poison(format!(
            "MessageGroupId: \"{group}\" is not the account_id, \"{}\"",
            event.account_id
        )));
    }
    check_not_ahead(event.at, now)?;
    match &event.command {
        Command::PaymentReceived(payment) => {
            let fact = PaymentFact::received(event.account_id.clone(), payment, event.at);
            match wiring.transitions.store().put_payment(&fact).await? {
                PaymentPut::New => Ok(Taken::Applied),
                PaymentPut::Known => Ok(Taken::Known),
                PaymentPut::Differs(how) => Err(RecordError::poison(how)),
            }
        }
        Command::PaymentReversed { payment_id, dated } => {
            let store = wiring.transitions.store();
            let reversed = store.record_reversal(&event.account_id, payment_id, event.at, *dated).await;
            if reversed? {
                Ok(Taken::Applied)
            } else {
                Err(RecordError::poison(Refusal::UnknownPayment(payment_id.clone())))
            }
        }
        Command::ContactChanged(change) => change_contact(wiring, &message, change, now).await,
        Command::OfPerson(fact) => of_person(wiring, &message, fact, now).await,
        Command::AccountOpened(contract) => {
            outcome(wiring, &message, wiring.transitions.open(contract, now, Cause::Fact).await, now).await
        }
        _ => outcome(wiring, &message, wiring.transitions.command(&message, now).await, now).await,
    }
}

async fn outcome(
    wiring: &Wiring,
    message: &Message,
    outcome: Result<Outcome, TransitionError>,
    now: DateTime<Utc>,
) -> Result<Taken, RecordError> {
    let account_id = &message.event.account_id;
    match outcome {
        Ok(Outcome::Written(_)) => Ok(Taken::Applied),
        Ok(Outcome::Held(_, hold)) => {
            wiring.desk.tell_held(account_id, &hold, now).await;
            Ok(Taken::Applied)
        }
        Ok(Outcome::Unchanged) => Ok(Taken::Known),
        Ok(Outcome::NoAccount) => Err(RecordError::poison(Refusal::UnknownAccount(account_id.clone()))),
        Err(error) => Err(error.into()),
    }
}

/// The account that a message is addressed to, where only its customer matters.
async fn addressed(wiring: &Wiring, message: &Message) -> Result<Account, RecordError> {
    let account_id = &message.event.account_id;
    match wiring.transitions.store().account(account_id).await? {
        Some(stored) => Ok(stored.account),
        None => Err(RecordError::poison(Refusal::UnknownAccount(account_id.clone()))),
    }
}

async fn tell_person(
    wiring: &Wiring,
    account: &Account,
    message: &Message,
    now: DateTime<Utc>,
) -> Result<Taken, RecordError> {
    let store = wiring.transitions.store();
    let applied = store.tell_person(&account.customer_id, message, now).await?;
    Ok(Taken::when(applied == Applied::Changed))
}

async fn change_contact(
    wiring: &Wiring,
    message: &Message,
    change: &ContactChange,
    now: DateTime<Utc>,
) -> Result<Taken, RecordError> {
    let (store, event) = (wiring.transitions.store(), &message.event);
    let account = addressed(wiring, message).await?;
    let retention = wiring.transitions.retention_of(&account, now).await?;
    let (customer_id, event_id) = (&account.customer_id, &message.event_id);
    let changed = store.change_contact(customer_id, event_id, change, event.at, retention).await;
    let taken = match changed? {
        ContactTaken::Changed => Taken::Applied,
        ContactTaken::Known => Taken::Known,
        ContactTaken::Superseded(last) => {
            return Err(RecordError::poison(Refusal::OutOfOrder { at: event.at, last }));
        }
    };
    // Also where it is known: whoever took it may have been killed before the person heard of it.
    Ok(taken.or(tell_person(wiring, &account, message, now).await?))
}

async fn of_person(
    wiring: &Wiring,
    message: &Message,
    fact: &PersonFact,
    now: DateTime<Utc>,
) -> Result<Taken, RecordError> {
    let account = addressed(wiring, message).await?;
    let taken = tell_person(wiring, &account, message, now).await?;
    match fact {
        PersonFact::Preferences(preferences) if preferences.plans() => {
            let taken_by_account = wiring.transitions.command(message, now).await;
            Ok(taken.or(outcome(wiring, message, taken_by_account, now).await?))
        }
        PersonFact::ContactPersonApproved(approved) => {
            let (store, event_id) = (wiring.transitions.store(), message.event_id.as_str());
            let planned = store.plan_contact_person(&account, &approved.person_id, event_id, now).await;
            Ok(taken.or(Taken::when(planned?)))
        }
        _ => Ok(taken),
    }
}
