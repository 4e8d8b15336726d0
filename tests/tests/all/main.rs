//! The whole of duewatch: scenarios over the real handlers, capacity, both engines, the model, the template, and
//! the pages and layers of the repository.
//!
//! A test here shares its process with all others: it changes no environment variable and no current directory,
//! and it listens
//! to the log of its own thread alone (`duewatch_tests::listening`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's own input is known to be good"
)]

mod attacks;
mod capacity;
mod cases;
mod conflicts;
mod contacts;
mod cost;
mod customer_rule;
mod customers;
mod documents;
#[allow(dead_code, reason = "the laws of the domain use the rest of it")]
#[path = "../../../shared/domain/tests/domain/common/generate.rs"]
mod domain;
mod engines;
mod events;
mod history;
mod history_entries;
mod intake;
mod layers;
mod model;
mod mutants;
mod pages;
mod payments;
mod poison;
mod policies;
mod privacy;
mod real_loans;
mod receipts;
mod reconcile;
mod reminders;
mod requeue;
mod restore;
mod retention;
mod simulation;
mod sweep;
mod template;
