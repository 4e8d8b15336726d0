//! Attacks on the running product through its tables, queues and commands: each name says what must not happen.

mod approval;
mod disabled;
mod erasure;
mod history;
mod money;
mod policies;
mod reading;
mod senders;
mod sending;
mod signatures;
mod silence;
mod tables;
