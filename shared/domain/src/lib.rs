//! The rules of duewatch: pure functions over plain data.
//!
//! Nothing here reads a clock, the environment or a network. Three functions carry the whole product:
//!
//! ```text
//! Account::apply(command)      records a fact, or refuses it               commands/apply.rs
//! assess(account, policy, now) derives stage, restrictions and requests    assessment/assess.rs
//! decide(account, assessment)  is the difference to the account's status   assessment/decide.rs
//! ```
//!
//! [`Account::judge`] chains the last two into the account's next revision.
//!
//! The folders are layers. Each uses only those above it in this list; a test reads the imports.

pub mod kernel;

pub mod policy;

pub mod account;

pub mod ledger;

pub mod assessment;

pub mod commands;

pub mod contact;

pub mod cases;

pub mod formats;

pub mod describe;

pub use account::{Account, Decision};
pub use assessment::{Assessment, Permit, Trigger, UnknownOperation, assess, decide, draw_plans, permit_for};
pub use commands::{Applied, Command, Contract, Event, InboundMessage};
pub use kernel::{MAX_PRINTABLE_BYTES, Refusal, Zone, escaped, printable};
pub use ledger::{Balances, allocate, allocate_at};
pub use policy::Policy;
