//! The commands: how a fact becomes part of an account, or is refused.
//!
//! One file holds one group of commands. [`Command`] lists them all, `apply.rs` dispatches them, and
//! `take.rs` keeps the messages of one account in order and applies each at most once.

mod apply;
mod bounds;
mod bureau;
mod canonical;
mod check;
mod command;
mod contact_change;
mod cross_restrictions;
mod customer_facts;
mod disputes;
mod draws;
mod hardship;
mod notices;
mod open;
mod pauses;
mod payment_in_process;
mod payments;
mod preferences;
mod promises;
mod schedule;
mod score;
mod take;
mod waivers;
mod write_offs;

pub use self::apply::Applied;
pub use self::canonical::event_line;
pub(crate) use self::canonical::{account, event_fields};
pub use self::command::{Command, Contract, Drawn, Event, InboundMessage, NewInstallment, PaymentReceived};
pub use self::contact_change::ContactChange;
pub use self::customer_facts::{
    AgreedHours, BreathingSpaceKind, BreathingSpaceStarted, ComplaintMade, Consent, ConsentChanged,
    ContactAttempted, ContactFact, PreferencesChanged, ThirdPartyAdded, ThirdPartyApproved,
    ThirdPartyRefused, VulnerabilityRecorded,
};
pub use self::hardship::BORROWER;
