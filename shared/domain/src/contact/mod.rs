//! The contact gate: whether a borrower may be contacted now, on which channel, and why not.
//!
//! ```text
//! ContactProfile::apply(fact)                   records a fact about contacting a customer       profile.rs
//! ContactProfile::apply_receipt(channel, ..)    records the delivery receipt of a message        delivery_receipt.rs
//! gate(profile, request, rules, now)            send, defer or suppress, with the reason         gate.rs
//! consolidate(profile, requests, now)           one message a channel out of contact requests    consolidate.rs
//! ```
//!
//! Facts may come repeatedly and in any order: the latest value of each field stands, lists are unions, and
//! counts are derived.

mod attempt;
mod breathing_space;
mod consolidate;
mod delivery_receipt;
mod frequency_caps;
mod gate;
mod gate_decision;
mod profile;
mod queued_request;
mod quiet_hours;
mod stamped;

pub use self::attempt::{AttemptOutcome, ContactAttempt};
pub use self::breathing_space::BreathingSpace;
pub use self::consolidate::{Consolidated, consolidate};
pub use self::delivery_receipt::{Receipt, ReceiptOutcome};
pub use self::gate::{GateRequest, GateRequestKind, MAX_DEFERRALS, gate};
pub use self::gate_decision::{GateDecision, GateReason, Unusable};
pub use self::profile::Vulnerability;
pub use self::profile::{
    ChannelState, ContactProfile, Deliverability, MAX_BREATHING_SPACES, MAX_CONTACTED_ACCOUNTS,
    MAX_RECENT_CONTACTS, MAX_THIRD_PARTIES, ThirdPartyApproval, ThirdPartyContact,
};
pub use self::queued_request::{MAX_BOUNCES, QueuedRequest, RequestTarget};
pub use self::stamped::{Arrived, Stamp, Stamped};
