//! Exit codes of answers.

use std::error::Error;
use std::io::{self, ErrorKind};

/// An answer other than yes: printed already, and returned as the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no")]
pub struct Answered {
    /// The exit code, for scripts.
    pub code: u8,
}

/// Whether an output could not be written because its reader has closed it.
#[must_use]
pub fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    // Deeper causes are those of connections.
    [Some(error), error.source()].into_iter().flatten().any(|error| {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    })
}
