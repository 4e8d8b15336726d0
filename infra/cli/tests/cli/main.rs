//! The `duewatch` command, as people and scripts call it, and its JSON Schemas.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's own input is known to be good"
)]

mod approve;
mod cases;
mod command_line;
mod diff_law;
mod endpoints;
mod hand_worked_cases;
mod holds;
mod lines;
mod operations;
mod outputs;
mod permits;
mod policies;
mod policy;
mod printing;
mod readings;
mod readings_of_facts;
mod restore;
mod schema;
mod tables;
mod takeover;
mod verify;
