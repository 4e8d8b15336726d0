//! `permits`: whether an operation may go through.

use std::fmt;

use crate::account::Account;
use crate::kernel::printable;
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

impl<'a> Permit<'a> {
    /// The answer in one word, for scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Excepted(_) => "excepted",
            Self::Within(..) => "within",
            Self::Blocked(_) => "blocked",
        }
    }

    /// The restriction that the answer rests on; none: none concerns the operation.
    #[must_use]
    pub const fn restriction(&self) -> Option<&'a Restriction> {
        match self {
            Self::Allowed => None,
            Self::Excepted(restriction) | Self::Within(restriction, _) | Self::Blocked(restriction) => {
                Some(restriction)
            }
        }
    }

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

/// An operation that is no known one. Whether it may go through cannot be said: it may be a misspelt one that a
/// restriction blocks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{operation}\" is no known operation; there are {}", known.join(", "))]
pub struct UnknownOperation {
    pub operation: String,
    /// The known ones, by name.
    pub known: Vec<String>,
}

/// Whether an account may do an operation, by the restrictions decided last: for other systems a restriction
/// exists only as that decision. Of two limits the tighter one binds.
///
/// The policy is the version in force. An operation is known to it, or named by a restriction of the account,
/// which an earlier version or another account of the customer may have brought.
///
/// # Errors
/// [`UnknownOperation`].
pub fn permit_for<'a>(
    account: &'a Account,
    policy: &Policy,
    operation: &str,
) -> Result<Permit<'a>, UnknownOperation> {
    let mut known = policy.known_operations();
    known.extend(account.status.restrictions.iter().flat_map(Restriction::operations));
    if !known.contains(operation) {
        let known = known.into_iter().map(str::to_owned).collect();
        return Err(UnknownOperation { operation: printable(operation.to_owned()), known });
    }
    Ok(permit_for_known(account, policy, operation))
}

fn permit_for_known<'a>(account: &'a Account, policy: &Policy, operation: &str) -> Permit<'a> {
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
