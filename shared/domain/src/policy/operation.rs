//! Operations that restrictions may block.

use std::collections::BTreeSet;

use super::{Policy, Restriction};

/// Drawing on the credit line.
pub const DRAW: &str = "draw";

/// Repaying. No restriction ever blocks it.
pub const REPAY: &str = "repay";

/// The operations that every policy knows.
pub const COMMON_OPERATIONS: [&str; 5] = [REPAY, DRAW, "transfer", "pay_wages", "receive"];

impl Policy {
    /// Every operation that the policy knows: the common ones, those of its table `[operations]`, and those that
    /// its restrictions block or except. A name is known in exactly that spelling.
    #[must_use]
    pub fn known_operations(&self) -> BTreeSet<&str> {
        let own = self.operations.known.iter().chain(&self.operations.never_blocked).map(String::as_str);
        let of_customers = self.customer.iter().flat_map(|rule| &rule.restrictions);
        let restrictions = self.stages.iter().flat_map(|stage| &stage.restrictions).chain(of_customers);
        COMMON_OPERATIONS
            .into_iter()
            .chain(own)
            .chain(restrictions.flat_map(Restriction::operations))
            .collect()
    }
}
