//! Stages of the delinquency ladder.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::restriction::Restriction;
use super::stage_conditions::When;
use crate::kernel::Money;

/// The name of a stage. The bottom of every ladder is [`StageName::current`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StageName(pub(super) String);

impl StageName {
    const CURRENT: &'static str = "current";

    /// The name of the bottom of every ladder: no stage holds.
    #[must_use]
    pub fn current() -> Self {
        Self(Self::CURRENT.to_owned())
    }

    /// Whether this is the bottom of the ladder.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.0 == Self::CURRENT
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A stage of the delinquency ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Unique within the policy.
    pub name: StageName,
    pub when: When,
    /// Imposed while the stage holds.
    pub restrictions: Vec<Restriction>,
    /// Late fee of an installment once its own delinquent days reach those that the stage asks for.
    pub late_fee: Option<Money>,
}

impl Stage {
    /// Days by which a notice must precede its restrictions, the longest of them; none: no notice is
    /// required.
    #[must_use]
    pub fn notice_days(&self) -> Option<u32> {
        self.restrictions.iter().filter_map(|restriction| restriction.notice_days).max()
    }
}
