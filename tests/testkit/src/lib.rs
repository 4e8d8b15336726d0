//! The inputs that several test suites, benchmarks and the simulator share: policies, contracts, instants.
//! No expected value stands here, and no rule.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's own input is known to be good, and what is not ends the test"
)]

mod contracts;
mod instants;
mod policies;

pub use self::contracts::{ContractTerms, FOUR_MONTHS, equal_installments};
pub use self::instants::{date, instant, local_instant};
pub use self::policies::{
    FREEZE, FROZEN, LADDER, LATE, LIMIT, LIMITED, RBI_CLASSES, SUSPEND, SUSPENDED, StageText, StepText,
    ladder, parsed, policy, policy_text, reminders, stages,
};
