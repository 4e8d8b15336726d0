//! The rules, a module each: cases in tables, laws in proptest, snapshots of a policy in words.
//!
//! One binary for the crate, and so in each crate: a binary of its own for each module would link everything
//! again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's own input is known to be good"
)]

mod announcements;
mod approval;
mod business_days;
mod case_holds;
mod case_policy;
mod cases;
mod classification;
mod clocks;
mod commands;
mod common;
mod compare;
mod contact_gate;
mod contact_laws;
mod contact_policy;
mod contact_quiet;
mod contradictions;
mod corners;
mod customer;
mod daily;
mod describe;
mod draws;
mod holds;
mod identifiers;
mod late_fee;
mod late_fee_laws;
mod laws;
mod ledger_laws;
mod messages;
mod parsing;
mod patience;
mod pauses;
mod payments;
mod permits;
mod receipts;
mod refusals;
mod refused_policies;
mod reminders;
mod responses;
mod restriction_hold;
mod rollout;
mod schedule;
mod senders;
mod stages;
mod templates;
mod version_laws;
mod versions;
mod warnings;
mod waterfall;
