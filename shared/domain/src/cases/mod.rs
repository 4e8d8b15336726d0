//! Cases: questions of a borrower that a person must answer by a date.
//!
//! Pure functions, as for accounts: [`apply`] takes an action or refuses it, [`assess_case`] derives the deadlines and
//! the next action, [`Case::let_time_pass`] is the case with the deadlines that have passed. The facts are in the case;
//! the terms are the policy version's that was in force when the case was opened.
//!
//! **The law of the next action:** for every instant before `next_action_at`, time brings nothing new.

mod apply;
mod assess;
mod case;
mod effect;
mod open;
mod refusal;

pub use self::apply::{CaseAction, apply};
pub use self::assess::{CaseAssessment, CaseDeadline, DeadlineState, assess_case};
pub use self::case::{Case, CaseAddition, CaseState, ClockStop, ClosedCase, DeadlineKind, MissedDeadline};
pub use self::effect::{CaseEffect, EffectState};
pub use self::open::{NewCase, open_case};
pub use self::refusal::CaseRefusal;
