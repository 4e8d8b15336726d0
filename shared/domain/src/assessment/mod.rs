//! The assessment of an account under a policy at an instant, and the decision that follows.
//!
//! [`assess`] derives stage, restrictions, figures, contact requests, reasons and the next action from the
//! facts. [`decide`] compares them with the account status.
//! [`Account::judge`](crate::account::Account::judge) chains both into the account's next revision.

mod assess;
mod binding;
mod case_holds;
mod classify;
mod compare;
mod contact_holds;
mod decide;
mod draw_plans;
mod figures;
mod held;
mod imposed;
mod materiality;
mod permit;
pub mod projection;
mod reasons;
mod reminder_times;
mod reminders;
mod revise;
mod stages;
mod taken_over;
mod tolerances;

pub use self::assess::{Assessment, assess};
pub use self::binding::Rules;
pub(crate) use self::classify::classify;
pub use self::compare::{PolicyComparison, TreatmentChange, compare};
pub use self::contact_holds::{ReminderHold, reminder_hold, request_hold};
pub use self::decide::{Trigger, decide};
pub use self::draw_plans::{DrawPlan, DrawState, draw_plans};
pub(crate) use self::figures::day_counts;
pub use self::held::{HeldRestriction, held_restriction};
pub(crate) use self::imposed::ImposedOnDay;
pub use self::permit::{Permit, UnknownOperation, permit_for};
pub use self::reminders::is_still_due;
pub use self::revise::BoundAssessment;
pub(crate) use self::stages::project_ladder;
