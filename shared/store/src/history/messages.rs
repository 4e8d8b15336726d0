//! The messages of a revision: who acted, through which system, and what the command stated.

use duewatch_domain::Account;
use duewatch_domain::account::{AppliedMessage, Approval, LastCommand, Origin, Payment};
use duewatch_domain::commands::{PaymentReceived, PaymentReversed, WireCommand};
use duewatch_domain::kernel::{Actor, EventId, PaymentId, SenderId, Source};
use serde::Serialize;
use serde_json::Value;

use super::facts::NewMoney;

/// A message that the revision took, or one that stated a payment or a reversal which the revision posts: who
/// acted, through which system.
#[derive(Serialize)]
pub(super) struct MessageEntry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<&'a EventId>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    command_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<&'a PaymentId>,
    source: &'a Source,
    actor: Actor,
    /// Who sent it, as the queue states.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_id: Option<&'a SenderId>,
    /// Those who approved it, and the digest of what they approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a Approval>,
    /// The fields of the command, with a digest in place of each text that somebody wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    stated: Option<Value>,
}

impl<'a> MessageEntry<'a> {
    /// The command that the revision took, as the account itself bears it.
    pub(super) fn of_this_revision(after: &'a Account) -> Option<Self> {
        after.command_of_this_revision().map(Self::of_command)
    }

    /// The messages that the account knows and did not know before, then the origins of the new payments, then
    /// those of the new reversals.
    pub(super) fn new_since(before: Option<&Account>, after: &'a Account) -> Vec<Self> {
        let known = before.map_or(&[][..], Account::recent_messages);
        let last = after.command_of_this_revision();
        let is_last = |one: &AppliedMessage| {
            last.is_some_and(|last| (&last.event_id, &last.source) == (&one.event_id, &one.source))
        };
        let is_new = |one: &&AppliedMessage| {
            !is_last(one)
                && !known.iter().any(|other| (&other.event_id, &other.source) == (&one.event_id, &one.source))
        };
        let money = NewMoney::since(before, after);
        let received = |payment: &&'a Payment| {
            let origin = payment.origin.as_ref()?;
            Some(Self::of_money(payment, origin, PaymentReceived::TYPE))
        };
        let reversed = |(payment, known): &(&'a Payment, usize)| {
            let payment: &'a Payment = payment;
            let new = payment.reversals.iter().skip(*known);
            let new = new.filter_map(|reversal| {
                Some(Self::of_money(payment, reversal.origin.as_ref()?, PaymentReversed::TYPE))
            });
            new.collect::<Vec<_>>()
        };
        let messages = after.recent_messages().iter().filter(is_new).map(Self::of_message);
        let origins =
            money.received.iter().filter_map(received).chain(money.reversed.iter().flat_map(reversed));
        messages.chain(Self::of_this_revision(after)).chain(origins).collect()
    }

    fn of_command(command: &'a LastCommand) -> Self {
        Self {
            event_id: Some(&command.event_id),
            command_type: Some(&command.command_type),
            payment_id: None,
            source: &command.source,
            actor: command.actor(),
            sender_id: command.sender_id.as_ref(),
            approval: command.approval.as_ref(),
            stated: serde_json::from_str(&command.stated)
                .ok()
                .filter(|stated| *stated != serde_json::json!({})),
        }
    }

    fn of_message(message: &'a AppliedMessage) -> Self {
        Self {
            event_id: Some(&message.event_id),
            command_type: message.command_type.as_deref(),
            payment_id: None,
            source: &message.source,
            actor: message.actor(),
            sender_id: None,
            approval: None,
            stated: None,
        }
    }

    fn of_money(payment: &'a Payment, origin: &'a Origin, command_type: &'a str) -> Self {
        Self {
            event_id: origin.event_id.as_ref(),
            command_type: Some(command_type),
            payment_id: Some(&payment.payment_id),
            source: &origin.source,
            actor: origin.actor(),
            sender_id: origin.sender_id.as_ref(),
            approval: None,
            stated: None,
        }
    }
}
