//! The contact gate: whether a borrower may be contacted now, on which channel, and why not.
//!
//! ```text
//! Person::apply(fact)                 records a fact about contacting a customer       person.rs
//! Person::receive(channel, receipt)   records the delivery receipt of a message        receipt.rs
//! gate(person, wish, rules, now)      send, defer or suppress, with the reason         gate.rs
//! consolidate(person, wishes, now)    one message a channel out of contact requests    consolidate.rs
//! ```
//!
//! Facts may come repeatedly and in any order: the latest value of each field stands, lists are unions, and
//! counts are derived.

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
mod verdict;

pub use self::attempt::{Attempt, Outcome};
pub use self::breathing::BreathingSpace;
pub use self::consolidate::{Consolidated, consolidate};
pub use self::gate::{Kind, MAX_DEFERRALS, Wish, gate};
pub use self::known::{Known, Stamp};
pub use self::person::Vulnerability;
pub use self::person::{
    Approval, ChannelState, ContactPerson, Deliverability, MAX_BREATHING_SPACES, MAX_CONTACT_PERSONS,
    MAX_CONTACTED_ACCOUNTS, MAX_RECENT_CONTACTS, Person,
};
pub use self::planned::{MAX_CAME_BACK, Planned, Wanted};
pub use self::receipt::{Receipt, ReceiptOutcome};
pub use self::verdict::{Unusable, Verdict, Why};
