//! The ledger: the allocation of payments to installments, the balances on a day, and the late fee.
//!
//! [`allocate`] allocates all payments at once. [`allocate_at`] adds the late fee and the effective dates that a
//! policy may require, and yields an [`Allocation`], which gives the [`Balances`] of any day.

mod allocation;
mod allocation_run;
mod balances;
mod buckets;
mod late_fee_accrual;
mod ledger_run;
mod settlement;
mod unpaused_days;

pub(crate) use self::allocation::due_dates;
pub use self::allocation::{Allocation, OpenInstallment, allocate, allocate_at};
pub use self::balances::{Balances, JudgedBalances};
pub use self::buckets::BucketBalance;
pub(crate) use self::ledger_run::settled_days;
pub(crate) use self::settlement::Settlement;
pub(crate) use self::unpaused_days::{after_pause, after_unpaused_days, paused_days};
