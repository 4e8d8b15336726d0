//! Causes of delinquency.

use serde::{Deserialize, Serialize};

/// Why an account fell behind, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HardshipCause {
    /// Short of cash for a while.
    Temporary,
    /// A lasting credit problem.
    LongTerm,
    Unknown,
}

impl HardshipCause {
    /// The cause's name in the formats.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::LongTerm => "long_term",
            Self::Unknown => "unknown",
        }
    }
}
