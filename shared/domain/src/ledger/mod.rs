//! The ledger: how money settles installments, how much is owed on a day, and the late fee.
//!
//! [`allocate`] settles all payments at once. [`owed`] adds the late fee and the effective dates
//! that a policy may ask for, and yields an [`Allocation`] from which [`Owed`] of any day follow.

mod allocation;
mod allocation_run;
mod balances;
mod late_fee;
mod unpaused_days;

pub use self::allocation::{Allocation, Unpaid, allocate, owed};
pub use self::balances::Owed;
pub(crate) use self::unpaused_days::{after_unpaused_days, paused_days};
