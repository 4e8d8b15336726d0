//! The commands: how a fact becomes part of an account, or is refused.
//!
//! One file holds one group of commands, each with its fields, its meaning and its refusals. The table in
//! `command.rs` lists them all: reading, writing and dispatch follow from it. `take.rs` keeps the messages of
//! one account in order and applies each at most once.

mod apply;
mod approval;
mod bounds;
mod bureau;
mod canonical;
mod cases;
mod check;
mod command;
mod contact_change;
mod contract;
mod cross_restrictions;
mod customer_facts;
mod definition;
mod disputes;
mod draws;
mod enforcement;
mod erasure;
mod event;
mod hardship;
mod notices;
mod open;
mod origins;
mod pauses;
mod payment_in_process;
mod payments;
mod preferences;
mod promises;
mod schedule;
mod score;
mod shape;
mod stated;
mod take;
mod waivers;
mod write_offs;

pub use self::apply::Applied;
pub use self::canonical::event_line;
pub(crate) use self::canonical::message_fields;
pub use self::command::*;
pub use self::contract::{Contract, NewInstallment};
pub use self::customer_facts::{BreathingSpaceKind, Consent};
pub use self::definition::{CommandDefinition, CommandDescription, WireCommand};
pub use self::erasure::ERASED;
pub use self::event::{Event, InboundMessage};
pub use self::hardship::BORROWER;
pub use self::payment_in_process::ProcessOutcome;
pub use self::preferences::AgreedHours;
pub use self::shape::{Presence, Shape, WireField};
pub use self::stated::FreeText;
