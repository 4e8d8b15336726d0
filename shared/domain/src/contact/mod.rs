//! The contact gate: whether a person may be contacted now, on which channel, and why not.
//!
//! ```text
//! Person::apply(fact)                 takes what became known of contacting somebody   person.rs
//! Person::receive(channel, receipt)   takes what became of a message                   received.rs
//! gate(person, wish, rules, now)      send, defer or suppress, with the reason         gate.rs
//! consolidate(person, wishes, now)    one message a channel out of several wishes      consolidate.rs
//! ```
//!
//! Everything is kept so that it does not matter how often and in which order facts come:
//! of each field the latest stands, lists are unions, and what is counted is derived.

mod attempt;
mod breathing;
mod caps;
mod consolidate;
mod gate;
mod known;
mod person;
mod planned;
mod quiet;
mod receipt;
mod received;
mod verdict;

pub use self::attempt::{Attempt, Outcome};
pub use self::breathing::BreathingSpace;
pub use self::consolidate::{Consolidated, consolidate};
pub use self::gate::{Kind, MAX_DEFERRALS, Wish, gate};
pub use self::known::{Known, Stamp};
pub use self::person::{
    Approval, ChannelState, ContactPerson, Deliverability, MAX_BREATHING_SPACES, MAX_CONTACT_PERSONS,
    MAX_CONTACTED_ACCOUNTS, MAX_RECENT_CONTACTS, Person,
};
pub use self::planned::{MAX_CAME_BACK, Planned, Wanted};
pub use self::receipt::{Receipt, ReceiptOutcome};
pub use self::verdict::{Unusable, Verdict, Why};
