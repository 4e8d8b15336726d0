//! Events and messages: a command, addressed to one account.

use chrono::{DateTime, Utc};

use super::command::Command;
use crate::kernel::{AccountId, EventId};

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
    /// The same each time the message is sent.
    pub event_id: EventId,
    pub event: Event,
}
