//! The use cases: each takes its input parsed, reads, applies and assesses, writes, and publishes.
//!
//! [`Transitions`] is the only way in which an account changes. The other modules are what the functions, and
//! later the pages, call: a command, a payment, a receipt, a sweep, a publication, a reconciliation. None of
//! them knows Lambda or HTTP; `duewatch-runtime` and the functions turn events into their inputs, and their
//! outcomes into answers.

mod alerts;
mod anchor_history;
mod archive;
mod cases;
mod clock;
mod contact_requests;
mod cross_restrictions;
mod heartbeat;
mod operator_hold;
mod policy_cache;
mod policy_publication;
mod post_payment;
mod proposals;
pub mod publication;
mod publisher;
mod reconciliation;
mod record_error;
mod record_revision;
mod services;
mod sign_in;
mod sweep;
mod take_command;
mod take_receipt;
mod transition;

pub use self::alerts::OperationsAlerts;
pub use self::anchor_history::{AnchorError, AnchorReport, anchor_history};
pub use self::archive::archive_erasure;
pub use self::cases::{CaseError, act_on_case, case_deadlines, erase_case_texts, open_case};
pub use self::clock::{Clock, Deadline, SystemClock};
pub use self::contact_requests::{
    ContactSweepReport, EvaluationReport, evaluate_customers, sweep_contact_requests,
};
pub use self::cross_restrictions::{
    CROSS_RESTRICTIONS, CrossRestrictionOutcome, CrossRestrictionOutcomes, CrossRestrictionTargets,
};
pub use self::policy_cache::FRESH_FOR;
pub use self::policy_publication::{
    NewVersion, PublishError, check_next_version, check_signing_key, publish_policy,
};
pub use self::post_payment::{PaymentOutcome, post_payment};
pub use self::proposals::{
    ApprovalOutcome, ProposalError, approvals_needed, approve_proposal, refuse_proposal,
};
pub use self::publication::Publication;
pub use self::publisher::Publisher;
pub use self::reconciliation::{Discrepancy, ReconcileError, ReconcileReport, reconcile};
pub use self::record_error::RecordError;
pub use self::record_revision::record_revision;
pub use self::services::Services;
pub use self::sign_in::{
    CODE_WORKS_FOR, CODES_A_DAY, CodeRequest, KNOWN_FOR, SESSION_LASTS, SignedIn, TRIES_A_DAY,
    TRIES_OF_A_CODE, enter_code, request_code, sign_out, signed_in,
};
pub use self::sweep::{SweepReport, sweep_shard};
pub use self::take_command::{CommandOutcome, take_command};
pub use self::take_receipt::{ReceiptEffect, take_receipt};
pub use self::transition::{Authority, BlockedPayment, TransitionError, TransitionOutcome, Transitions};

/// Accounts or customers processed side by side.
pub const CONCURRENCY: usize = 8;
