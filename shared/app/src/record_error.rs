//! Why a record was not taken.

use duewatch_store::StoreError;

use crate::TransitionError;

/// Why a record, a message or a request was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// A later delivery may succeed.
    Retry(String),
    /// No delivery can succeed: the record is poisoned.
    Poison(String),
}

impl RecordError {
    /// Poison, with the error as its reason.
    #[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
    pub fn poison(reason: impl ToString) -> Self {
        Self::Poison(reason.to_string())
    }
}

impl RecordError {
    /// The reason, in words.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Retry(reason) | Self::Poison(reason) => reason,
        }
    }
}

impl From<StoreError> for RecordError {
    fn from(error: StoreError) -> Self {
        if error.is_transient() { Self::Retry(error.to_string()) } else { Self::Poison(error.to_string()) }
    }
}

impl From<TransitionError> for RecordError {
    fn from(error: TransitionError) -> Self {
        match error {
            TransitionError::Refused(refusal) => Self::poison(refusal),
            TransitionError::Store(error) => error.into(),
        }
    }
}
