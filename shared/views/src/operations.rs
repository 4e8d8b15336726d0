//! The operations that still work.

use duewatch_domain::{Account, Permit, Policy, permit_for};
use serde::Serialize;

/// Whether an operation may go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationAnswer {
    Allowed,
    /// Allowed while the credit line in use stays within a percentage.
    Within,
    Blocked,
}

/// An operation that the policy knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperationView {
    pub operation: String,
    pub answer: OperationAnswer,
    /// The percentage of the credit line, where that limits the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
}

/// Each operation that the policy knows, by the restrictions decided last.
pub(crate) fn operations(account: &Account, policy: &Policy) -> Vec<OperationView> {
    let known = policy.known_operations();
    let answers = known.into_iter().filter_map(|operation| {
        // A known operation has an answer.
        let permit = permit_for(account, policy, operation).ok()?;
        let (answer, percent) = match permit {
            Permit::Allowed | Permit::Excepted(_) => (OperationAnswer::Allowed, None),
            Permit::Within(_, percent) => (OperationAnswer::Within, Some(percent)),
            Permit::Blocked(_) => (OperationAnswer::Blocked, None),
        };
        Some(OperationView { operation: operation.to_owned(), answer, percent })
    });
    answers.collect()
}
