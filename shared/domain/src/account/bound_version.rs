//! The versions of its policy that bound an account.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A version of the policy, and the first date on which it bound the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundVersion {
    pub version: u32,
    pub from: NaiveDate,
}
