//! `intake`: commands of the lender's systems.
//!
//! A FIFO queue invokes it, with the account's id as the message group. So the commands of one account come
//! in order, one at a time. The body is an event with an `event_id`.
//!
//! # Delivered twice
//! The account knows the last commands that changed it, and ignores their repetition. An older command is out
//! of order: it is quarantined, never applied twice.
//!
//! # Out of order
//! A command that became known before an applied one is quarantined, for the later one may have superseded
//! it.
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
use duewatch_domain::commands::{ContactChange, PersonFact};
use duewatch_domain::formats::parse_message;
use duewatch_domain::{Account, Applied, Cause, Command, Message, Refusal};
use duewatch_runtime::{Deadline, Metrics, RecordError, Wiring, check_not_ahead, queue_batch};
use duewatch_store::{ContactTaken, Outcome, PaymentFact, PaymentPut, TransitionError};

/// The function's name.
pub const NAME: &str = "intake";

/// The result of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Applied,
    /// The message was known, or changes nothing.
    Known,
}

impl Taken {
    const fn when(is_new: bool) -> Self {
        if is_new { Self::Applied } else { Self::Known }
    }

    /// The result of two steps together.
    fn or(self, other: Self) -> Self {
        Self::when(self == Self::Applied || other == Self::Applied)
    }
}

/// Processes a batch of messages. A repeated message changes nothing; a failed one is delivered again.
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

/// The account of a message that concerns only its customer.
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
    // Also for a known message: the invocation that applied it may have been killed before it changed the
    // profile.
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
