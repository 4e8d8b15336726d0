//! `permits`: whether an operation may go through.

use std::fmt;

use crate::account::Account;
use crate::policy::{Policy, REPAY, Restriction};

/// Whether an operation may go through, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit<'a> {
    /// No restriction concerns the operation.
    Allowed,
    /// A restriction would block the operation, but the policy never blocks it or the restriction excepts it.
    Excepted(&'a Restriction),
    /// The operation may go through as long as the credit line in use stays within so many percent.
    Within(&'a Restriction, u32),
    Blocked(&'a Restriction),
}

impl Permit<'_> {
    /// Whether the operation may go through, within a limit or without one.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        !matches!(self, Self::Blocked(_))
    }
}

/// The answer as an English sentence.
impl fmt::Display for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed => f.write_str("Allowed: no restriction concerns it."),
            Self::Excepted(restriction) => {
                write!(f, "Allowed: {} does not block this operation.", restriction.kind)
            }
            Self::Within(restriction, percent) => {
                write!(f, "Allowed within {percent} % of the credit line: {}.", restriction.kind)
            }
            Self::Blocked(restriction) => write!(f, "Blocked by {}.", restriction.kind),
        }
    }
}

/// Whether an account may do an operation, by the restrictions decided last: for other systems a restriction
/// exists only as that decision. Of two limits the tighter one binds.
#[must_use]
pub fn permit_for<'a>(account: &'a Account, policy: &Policy, operation: &str) -> Permit<'a> {
    let mut answer = Permit::Allowed;
    for restriction in &account.status.restrictions {
        let blocks = restriction.blocks(operation);
        let limits = restriction.limits(operation);
        if !blocks && limits.is_none() {
            continue;
        }
        let excepted = operation == REPAY
            || restriction.except.iter().any(|one| one == operation)
            || policy.operations.never_blocked.iter().any(|one| one == operation);
        if excepted {
            if answer == Permit::Allowed {
                answer = Permit::Excepted(restriction);
            }
        } else if blocks {
            return Permit::Blocked(restriction);
        } else if let Some(percent) = limits
            && !matches!(answer, Permit::Within(_, tighter) if tighter <= percent)
        {
            answer = Permit::Within(restriction, percent);
        }
    }
    answer
}
