//! The signatures of policy versions and of their approvals.
//!
//! A publisher signs with a key that no function has; the functions know its public half. The signed text of a version
//! names policy, number, the digest of the text, effective date, publisher, instant, approver and the reason of a past
//! date. So a signature that is moved to another item, or stays beside a changed attribute, does not verify. Of several
//! keys each one counts, so that a version stays valid when the key is changed.

use std::fmt;
use std::str::FromStr;

use duewatch_domain::Policy;
use duewatch_domain::kernel::PolicyId;
use serde_json::json;

use super::{PolicyApproval, PolicyPublication, instant};
use crate::{PrivateKey, VerifyingKey};

/// The most keys that verify policies at once.
pub const MAX_POLICY_KEYS: usize = 5;
/// The setting of an environment that has no key yet.
const NONE: &str = "none";

/// The keys that verify policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyKeys(Vec<VerifyingKey>);

/// Why a text names no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no keys there; write 1 to {MAX_POLICY_KEYS} public keys of 64 hexadecimal digits, with commas between them, or \
     `none` in an environment that has no key yet. `duewatch policy key FILE` prints the public key"
)]
pub struct NoPolicyKeys;

impl PolicyKeys {
    /// No key: versions are taken without a signature, and those in the records table too, where earlier releases
    /// published.
    pub const NONE: Self = Self(Vec::new());

    /// Whether there is no key.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a signature by the key would verify.
    #[must_use]
    pub fn know(&self, key: &VerifyingKey) -> bool {
        self.0.contains(key)
    }

    /// Whether a signature of a text may be taken: one of the keys made it, or there is no key.
    pub(super) fn accept(&self, text: &str, signature: Option<&str>) -> bool {
        let is_by =
            |key: &VerifyingKey| signature.is_some_and(|signature| key.verifies(text.as_bytes(), signature));
        self.is_none() || self.0.iter().any(is_by)
    }
}

impl FromStr for PolicyKeys {
    type Err = NoPolicyKeys;

    fn from_str(text: &str) -> Result<Self, NoPolicyKeys> {
        if text == NONE {
            return Ok(Self::NONE);
        }
        let keys: Result<Vec<VerifyingKey>, _> = text.split(',').map(str::parse).collect();
        keys.ok().filter(|keys| keys.len() <= MAX_POLICY_KEYS).map(Self).ok_or(NoPolicyKeys)
    }
}

impl fmt::Display for PolicyKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str(NONE);
        }
        let keys: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&keys.join(","))
    }
}

/// The text that a publisher signs. JSON keeps its parts apart, whatever they hold.
pub(super) fn statement(policy: &Policy, digest: &str, publication: Option<&PolicyPublication>) -> String {
    let parts = json!([
        policy.id,
        policy.version,
        digest,
        policy.effective_on,
        publication.map(|one| &one.by),
        publication.map(|one| instant(one.at)),
        publication.and_then(|one| one.approved_by.as_ref()),
        publication.and_then(|one| one.backdated.as_ref()),
    ]);
    format!("duewatch policy 1\n{parts}")
}

/// The text that an approver signs.
pub(super) fn approval_statement(id: &PolicyId, digest: &str, approval: &PolicyApproval) -> String {
    let parts = json!([id, digest, approval.by, instant(approval.at)]);
    format!("duewatch policy approval 1\n{parts}")
}

pub(super) fn signature_of(text: &str, key: &PrivateKey) -> String {
    key.sign(text.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test's own input is known to be good")]

    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written_and_nothing_else_is() {
        let (one, other) = ("07".repeat(32), "08".repeat(32));
        for text in [NONE.to_owned(), one.clone(), format!("{one},{other}")] {
            assert_eq!(text.parse::<PolicyKeys>().unwrap().to_string(), text);
        }
        assert!(PolicyKeys::NONE.is_none() && !one.parse::<PolicyKeys>().unwrap().is_none());
        for text in
            ["", "None", "07", &format!("{one},none"), &format!("{one},"), &[one.as_str(); 6].join(",")]
        {
            assert_eq!(text.parse::<PolicyKeys>(), Err(NoPolicyKeys), "{text}");
        }
    }
}
