//! Exit codes of answers.

/// An answer other than yes: printed already, and returned as the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no")]
pub struct Answered {
    /// The exit code, for scripts.
    pub code: u8,
}
