//! Events and messages: a command, addressed to one account.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::command::Command;
use crate::account::Origin;
use crate::kernel::{AccountId, Actor, EventId, SenderId, Source};

/// A command to one account, and the instant at which the lender learnt of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: DateTime<Utc>,
    pub account_id: AccountId,
    pub command: Command,
}

/// An event as the lender's systems send it, under an id of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundMessage {
    /// The same each time the message is sent; unique within the source.
    pub event_id: EventId,
    /// The system that sends it.
    pub source: Source,
    pub actor: Actor,
    /// Who sent it, as the queue states; none: no queue brought it. It is no part of the content: a message that is
    /// sent again by another session is the same.
    pub sender_id: Option<SenderId>,
    pub event: Event,
}

impl InboundMessage {
    /// A message of the lender's own system, of its own accord.
    #[must_use]
    pub fn of_core(event_id: EventId, event: Event) -> Self {
        let source = Source::default();
        Self { event_id, actor: Actor::system(&source), source, sender_id: None, event }
    }

    /// A name of the message that no message of another source has: its id, where the lender's own system
    /// sends it.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        if self.source.is_core() {
            self.event_id.as_str().into()
        } else {
            // No id holds a control character.
            format!("{}\n{}", self.source, self.event_id).into()
        }
    }

    /// The origin of the money that the message states.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            event_id: Some(self.event_id.clone()),
            source: self.source.clone(),
            actor: self.stated_actor().cloned(),
            sender_id: self.sender_id.clone(),
        }
    }

    /// Whether the message names a source or an actor.
    pub(super) fn is_named(&self) -> bool {
        !self.source.is_core() || self.stated_actor().is_some()
    }

    /// The actor; none: the system that sends the message.
    #[must_use]
    pub fn stated_actor(&self) -> Option<&Actor> {
        (self.actor != Actor::system(&self.source)).then_some(&self.actor)
    }
}
