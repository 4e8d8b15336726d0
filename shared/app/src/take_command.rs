//! A command of the lender's systems.
//!
//! # Payments
//! A payment, or its reversal, is put into the payments table, where all money belongs: only there does a
//! sweep see it. The table's stream posts it.
//!
//! # Contact points
//! They are kept with the customer, not with the account, and each change is logged.
//!
//! A contact point that was opted out of and erased is known by its tombstone. Where it comes back, for whichever
//! customer, its channel is blocked until a later consent.
//!
//! # Reasons
//! The texts that somebody wrote into a command are kept with the customer, where an erasure reaches them. The
//! account and its history bear their digests.
//!
//! # Contact profile
//! A command about how the customer may be contacted changes the contact profile, for all accounts. A command
//! that also sets when to remind of this account's next installment then changes the account too. An approval
//! to ask a third-party contact becomes a contact request; `send-reminders` asks them where the contact gate
//! still allows it. When an invocation is killed in between, the next delivery starts over and finds the
//! completed steps known.
//!
//! # Archive
//! An accepted command is archived before it counts as taken, so that a restore can replay it.
//!
//! # Two people
//! A command that its account would take from two different people alone becomes a proposal. The account stays as it
//! is, and its later commands wait for nothing.
//!
//! # No account yet
//! The sender of an account's commands sends its opening first. Any other command for a missing account is
//! poison.

use chrono::{DateTime, Utc};
use duewatch_domain::commands::{AccountOpened, ContactChange, ContactFact, PaymentReversed};
use duewatch_domain::contact::Stamp;
use duewatch_domain::{Account, Applied, Command, InboundMessage, Refusal};
use duewatch_notify::OperationsKind;
use duewatch_store::{ContactChangeOutcome, PaymentFact, PaymentPut, Proposal, ReversalFact, ReversalPut};

use crate::archive::archive_command;
use crate::clock::check_not_ahead;
use crate::{Authority, RecordError, Services, TransitionError, TransitionOutcome};

/// The result of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    Applied,
    /// The message was known, or changes nothing.
    Known,
    /// It is no more than a proposal, which waits until another person approves it or has ended.
    Proposed,
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

/// Takes a command of the lender's systems, and archives it. A repeated one changes nothing.
///
/// # Errors
/// Poison where the command is refused; otherwise a later delivery may succeed.
pub async fn take_command(
    services: &Services,
    message: &InboundMessage,
    authority: Authority<'_>,
) -> Result<CommandOutcome, RecordError> {
    let now = services.clock.now();
    check_not_ahead(message.event.at, now)?;
    let outcome = apply_command(services, message, authority, now).await?;
    if outcome != CommandOutcome::Proposed {
        // Also a known one: the invocation that applied it may have been killed before it was archived.
        archive_command(services, message, now).await?;
    }
    Ok(outcome)
}

async fn apply_command(
    services: &Services,
    message: &InboundMessage,
    authority: Authority<'_>,
    now: DateTime<Utc>,
) -> Result<CommandOutcome, RecordError> {
    let event = &message.event;
    match &event.command {
        Command::PaymentReceived(payment) => {
            let fact = PaymentFact::received(event.account_id.clone(), payment, event.at)
                .stated_by(message.origin());
            match services.store().put_payment(&fact).await? {
                PaymentPut::New => Ok(CommandOutcome::Applied),
                PaymentPut::Known => Ok(CommandOutcome::Known),
                PaymentPut::Differs(how) => Err(RecordError::poison(how)),
            }
        }
        Command::PaymentReversed(PaymentReversed { payment_id, amount, dated }) => {
            let (store, account_id) = (services.store(), &event.account_id);
            let reversal = ReversalFact::of(event.at, *amount, *dated).stated_by(message.origin());
            match store.record_reversal(account_id, payment_id, reversal).await? {
                ReversalPut::New => Ok(CommandOutcome::Applied),
                ReversalPut::Known => Ok(CommandOutcome::Known),
                ReversalPut::NoPayment => {
                    Err(RecordError::poison(Refusal::UnknownPayment(payment_id.clone())))
                }
                ReversalPut::Beyond(left) => {
                    let (payment_id, amount) = (payment_id.clone(), amount.unwrap_or(left));
                    Err(RecordError::poison(Refusal::ReversedBeyond { payment_id, amount, left }))
                }
            }
        }
        Command::ContactChanged(change) => change_contact(services, message, change, now).await,
        Command::Contact(fact) => apply_contact_fact(services, message, fact, authority, now).await,
        Command::AccountOpened(AccountOpened { account }) => {
            let opened = services.transitions.open_by(account, message, now).await;
            outcome(services, message, opened, now).await
        }
        _ => {
            keep_free_texts(services, message, now).await?;
            let taken = services.transitions.command(message, authority, now).await;
            match taken {
                Err(TransitionError::Refused(refusal @ Refusal::NeedsApproval { .. })) => {
                    propose(services, message, &refusal, now).await
                }
                taken => outcome(services, message, taken, now).await,
            }
        }
    }
}

/// Keeps a command as a proposal, and alerts the staff on call while it waits.
async fn propose(
    services: &Services,
    message: &InboundMessage,
    refusal: &Refusal,
    now: DateTime<Utc>,
) -> Result<CommandOutcome, RecordError> {
    let (store, account_id) = (services.store(), &message.event.account_id);
    let customer_id = addressed(services, message).await?.customer_id;
    let proposal = Proposal::new(message.clone(), customer_id, refusal.to_string(), now);
    let is_new = store.put_proposal(&proposal).await?;
    let waits = is_new || {
        // The invocation that put it may have been killed before it alerted.
        let known = store.proposal(&proposal.digest).await?;
        known.is_some_and(|known| known.end.is_none() && known.approval.is_none() && !known.is_expired(now))
    };
    if waits {
        let subject = format!("{account_id}/{}", proposal.digest);
        let reason = "it forgives or defers more than one person alone may; duewatch approve --list shows it";
        services.alerts.alert(OperationsKind::ApprovalNeeded, &subject, reason, now).await;
    }
    Ok(CommandOutcome::Proposed)
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
    match services.store().account(account_id).await? {
        Some(stored) => Ok(stored.account),
        None => Err(RecordError::poison(Refusal::UnknownAccount(account_id.clone()))),
    }
}

/// Keeps the texts of a command with its customer, as long as the history is kept that bears their digests. They
/// are kept before the command is applied: an invocation that is killed in between starts over.
async fn keep_free_texts(
    services: &Services,
    message: &InboundMessage,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    let written = message.free_texts();
    if written.is_empty() {
        return Ok(());
    }
    let account = addressed(services, message).await?;
    let until = services.transitions.retention_of(&account, now).await?.history_until(now);
    services.store().keep_free_texts(&account.customer_id, message, &written, until).await?;
    Ok(())
}

/// Applies the part of an account's command that concerns the contact profile.
async fn apply_to_profile(
    services: &Services,
    account: &Account,
    message: &InboundMessage,
    now: DateTime<Utc>,
) -> Result<CommandOutcome, RecordError> {
    let applied = services.store().change_profile(&account.customer_id, now, |profile| {
        profile.take(message).map_err(TransitionError::from)
    });
    Ok(CommandOutcome::when(applied.await? == Applied::Changed))
}

async fn change_contact(
    services: &Services,
    message: &InboundMessage,
    change: &ContactChange,
    now: DateTime<Utc>,
) -> Result<CommandOutcome, RecordError> {
    let (store, event) = (services.store(), &message.event);
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
    let taken = taken.or(apply_to_profile(services, &account, message, now).await?);
    if !was_opted_out(services, change).await? {
        return Ok(taken);
    }
    let (event_id, source) = (message.event_id.clone(), message.source.clone());
    let by = Stamp { at: event.at, event_id, source };
    let blocked = store.change_profile(&account.customer_id, now, |profile| {
        Ok::<_, TransitionError>(profile.opted_out_before(change.channel, &by))
    });
    Ok(taken.or(CommandOutcome::when(blocked.await? == Applied::Changed)))
}

/// Whether the contact point of a change was opted out of before it was erased.
async fn was_opted_out(services: &Services, change: &ContactChange) -> Result<bool, RecordError> {
    let Some(contact_point) = &change.contact_point else { return Ok(false) };
    let Some(key) = &services.tombstone_key else {
        return Err(RecordError::Retry("no contact point is taken without the key of tombstones".to_owned()));
    };
    Ok(services.store().has_tombstone(key, contact_point, change.channel).await?)
}

async fn apply_contact_fact(
    services: &Services,
    message: &InboundMessage,
    fact: &ContactFact,
    authority: Authority<'_>,
    now: DateTime<Utc>,
) -> Result<CommandOutcome, RecordError> {
    let account = addressed(services, message).await?;
    let taken = apply_to_profile(services, &account, message, now).await?;
    match fact {
        ContactFact::Preferences(preferences) if preferences.plans() => {
            let taken_by_account = services.transitions.command(message, authority, now).await;
            Ok(taken.or(outcome(services, message, taken_by_account, now).await?))
        }
        ContactFact::ThirdPartyApproved(approved) => {
            let (store, name) = (services.store(), message.name());
            let planned =
                store.queue_third_party_request(&account, &approved.third_party_id, &name, now).await;
            Ok(taken.or(CommandOutcome::when(planned?)))
        }
        _ => Ok(taken),
    }
}
