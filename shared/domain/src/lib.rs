//! The rules of duewatch: pure functions over plain data.
//!
//! Nothing here reads a clock, the environment or a network. Three functions
//! carry the whole product:
//!
//! ```text
//! Account::apply(command)      records a fact, or refuses it          apply.rs
//! assess(account, policy, now) says what a policy makes of the facts  assess.rs
//! decide(account, assessment)  is the difference to what stood before decision.rs
//! ```
//!
//! [`Account::judge`] chains the last two into the account's next revision.
//! [`allocation`] derives what the money settles, under a late fee by walking through a ledger,
//! [`figures`] what stages are judged on, [`draw`] the plan of each draw on a line, [`reminder`]
//! whom to tell, [`classification`] the regulatory class, [`customer`] what one account brings
//! upon a customer's others. [`policy`] reads the rules, [`compare`] holds two of them against each
//! other, [`formats`] reads and writes the files.

pub mod account;
pub mod allocation;
mod apply;
pub mod assess;
pub mod classification;
pub mod command;
pub mod compare;
pub mod contact;
pub mod customer;
pub mod days;
pub mod decision;
pub mod draw;
pub mod figures;
pub mod formats;
pub mod ids;
mod judge;
mod ladder;
pub mod lapse;
mod late_fee;
mod ledger;
pub mod money;
mod owed;
pub mod permits;
pub mod policy;
pub mod reason;
pub mod recorded;
pub mod refusal;
pub mod reminder;
mod shown;
pub mod standing;
pub mod zone;

pub use account::Account;
pub use allocation::{allocate, owed};
pub use apply::Applied;
pub use assess::{Assessment, assess};
pub use command::{Command, Contract, Event, Message};
pub use decision::{Cause, Decision, decide};
pub use draw::draw_plans;
pub use owed::Owed;
pub use permits::{Permit, permits};
pub use policy::Policy;
pub use refusal::Refusal;
pub use shown::{MAX_SHOWN_BYTES, shown};
pub use zone::Zone;
