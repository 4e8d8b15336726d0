//! The versions of a policy, and which of them binds an account.
//!
//! A version binds from its effective date on, and never before it was published. A version counts as stricter
//! than the one that binds an account unless the comparison proves otherwise. A stricter one that is to be
//! announced binds the account no earlier than the announced days after its customer was told, and never an
//! account whose customer was not told. A later version owes what an earlier one did.

use std::ops::Deref;

use serde::Deserialize;

use super::Policy;
use super::channel::Channel;

/// The most versions of a policy that are evaluated: the latest.
pub const MAX_VERSIONS: usize = 20;

/// How customers are told of a version before it binds them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// Days from the message to the first date on which the version binds the customer.
    pub days: u32,
    pub channel: Channel,
    pub template: String,
}

/// The versions of one policy, oldest first; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions(Vec<Policy>);

impl Versions {
    /// The latest [`MAX_VERSIONS`] of the policies, given in any order; none if there are none.
    #[must_use]
    pub fn new(mut policies: Vec<Policy>) -> Option<Self> {
        policies.sort_by_key(|policy| policy.version);
        policies.drain(..policies.len().saturating_sub(MAX_VERSIONS));
        (!policies.is_empty()).then_some(Self(policies))
    }

    /// These versions and an older one, which binds an account still.
    #[must_use]
    pub fn with_older(&self, older: Policy) -> Self {
        let mut policies = self.0.clone();
        if policies.iter().all(|one| one.version > older.version) {
            policies.insert(0, older);
        }
        Self(policies)
    }
}

impl Deref for Versions {
    type Target = [Policy];

    fn deref(&self) -> &[Policy] {
        &self.0
    }
}
