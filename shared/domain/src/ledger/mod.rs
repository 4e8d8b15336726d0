//! The ledger: the allocation of payments to installments, the balances on a day, and the late fee.
//!
//! [`allocate`] allocates all payments at once. [`owed`] adds the late fee and the effective dates that a
//! policy may require, and yields an [`Allocation`], which gives the [`Owed`] of any day.

mod allocation;
mod allocation_run;
mod balances;
mod late_fee;
mod unpaused_days;

pub use self::allocation::{Allocation, Unpaid, allocate, owed};
pub use self::balances::Owed;
pub(crate) use self::unpaused_days::{after_unpaused_days, paused_days};
