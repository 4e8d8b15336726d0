//! SNS: event envelopes and batch publishing.
//!
//! Each outgoing message is a CloudEvents 1.0 JSON body with a stable `id`: published again, it bears the
//! same. Names and contact points are in none.
//!
//! [`text`] renders messages; [`mod@reference`] makes the references by which recipients verify them.

mod event;
mod publish;
pub mod reference;
mod segments;
pub mod text;

pub use event::{
    AccountChanged, COMMAND_ARCHIVED, CloudEvent, ContactDue, ContactItem, ERASURE_ARCHIVED, OperationsEvent,
    OperationsKind, SignInDue, WorkDone, account_changed, command_archived, contact_due, erasure_archived,
    heartbeat, operations, operations_today, sign_in_due,
};
pub use publish::{FailedMessage, MAX_ATTEMPTS, Notifier, NotifyError, OutboundMessage, Topic, Topics};
pub use reference::{Reference, ReferenceKeys, Verified, verify};
pub use segments::{Encoding, Segments};
