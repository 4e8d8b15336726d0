//! The failure of a whole firing.

/// Why an invocation of a schedule failed as a whole. The next one goes on where this one stopped.
#[derive(Debug, thiserror::Error)]
#[error("{work}: {reason}")]
pub struct FiringError {
    /// The work of the schedule, as it stands before the reason in logs.
    work: &'static str,
    reason: String,
}

impl FiringError {
    /// Names the work that failed.
    pub fn of<E: std::error::Error>(work: &'static str) -> impl Fn(E) -> Self {
        move |error| Self { work, reason: error.to_string() }
    }
}

impl From<FiringError> for lambda_runtime::Diagnostic {
    fn from(error: FiringError) -> Self {
        Self { error_type: "FiringError".to_owned(), error_message: error.to_string() }
    }
}
