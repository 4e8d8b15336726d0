//! Read models: an account as its lender and its borrower see it, as data.
//!
//! [`AccountView`] is the one source of `explain`, for people and for scripts, and of whatever else shows an
//! account. It derives everything from the account's facts and the policy that binds it, at an instant that the
//! caller names. It leaves nothing out by a score or a risk class, and reads neither.

mod account;
mod clearing;
mod installments;
mod messages;
mod operations;
mod outlook;
mod payments;
mod situation;

pub use self::account::{AccountView, CreditView, PauseView};
pub use self::clearing::Clearing;
pub use self::installments::{BucketView, InstallmentState, InstallmentView, Part};
pub use self::messages::MessageView;
pub use self::operations::{OperationAnswer, OperationView};
pub use self::outlook::{CauseView, DisputeView, PromiseView, StepView};
pub use self::payments::{PaymentState, PaymentView, ProcessView, ReversalView};
pub use self::situation::Situation;
