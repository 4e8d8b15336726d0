//! The ledger: the allocation of payments to installments, the balances on a day, and the late fee.
//!
//! [`allocate`] allocates all payments at once. [`allocate_at`] adds the late fee and the effective dates that a
//! policy may require, and yields an [`Allocation`], which gives the [`Balances`] of any day.

mod allocation;
mod allocation_run;
mod balances;
mod late_fee_accrual;
mod unpaused_days;

pub use self::allocation::{Allocation, OpenInstallment, allocate, allocate_at};
pub use self::balances::Balances;
pub(crate) use self::unpaused_days::{after_unpaused_days, paused_days};
