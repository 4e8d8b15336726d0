//! The `duewatch` command: its work on the tables of an installation, on files, and on the local stack.
//!
//! The feature `local` carries the local stack. Without it the command works on AWS alone.

// All that is printed goes through `screen`.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod audit;
pub mod caller;
pub mod cli;
pub mod contacts;
pub mod customer;
#[cfg(feature = "local")]
pub mod demo;
pub mod diff;
pub mod explain;
mod explain_facts;
pub mod firings;
pub mod import;
pub mod input;
pub mod output;
pub mod policies;
pub mod progress;
pub mod publish;
pub mod replay;
pub mod requeue;
pub mod restore;
#[cfg(feature = "local")]
pub mod sample;
pub mod schema;
pub mod screen;
#[cfg(feature = "local")]
pub mod serve;
pub mod table;
