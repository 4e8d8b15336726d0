//! The versions of a policy, and which of them binds an account.
//!
//! A version binds from its effective date on. One that asks for an announcement and cannot be
//! shown to be no stricter than the one before it binds an account no earlier than so many days
//! after the account's customer was told, and never one that was not told.

use std::ops::Deref;

use serde::Deserialize;

use super::Policy;
use super::channel::Channel;

/// The most versions of a policy that are looked at: the latest.
pub const MAX_VERSIONS: usize = 20;

/// How customers are told of a version before it binds them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// So many days before.
    pub days: u32,
    /// How the message travels.
    pub channel: Channel,
    /// Which text it bears.
    pub template: String,
}

/// The versions of one policy, oldest first; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions(Vec<Policy>);

impl Versions {
    /// The latest [`MAX_VERSIONS`] of them, in whatever order they come; none where there are
    /// none.
    #[must_use]
    pub fn new(mut policies: Vec<Policy>) -> Option<Self> {
        policies.sort_by_key(|policy| policy.version);
        policies.drain(..policies.len().saturating_sub(MAX_VERSIONS));
        (!policies.is_empty()).then_some(Self(policies))
    }
}

impl Deref for Versions {
    type Target = [Policy];

    fn deref(&self) -> &[Policy] {
        &self.0
    }
}
