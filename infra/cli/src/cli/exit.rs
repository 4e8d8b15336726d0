//! Exit codes: 0 done or yes, 1 failed, 2 wrong usage, 3 no, 4 not ours, 5 findings.

use std::error::Error;
use std::io::{self, ErrorKind};

use duewatch_domain::UnknownOperation;

/// The exit code of an answer that is no.
pub(super) const NO: u8 = 3;
/// The exit code of a message that is not ours.
pub(super) const NOT_OURS: u8 = 4;
/// The exit code of findings.
pub(super) const FINDINGS: u8 = 5;

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

/// The exit code of an error that is no answer: 2 where the command line asks for something that does not exist.
#[must_use]
pub fn code_of(error: &(dyn Error + 'static)) -> u8 {
    if error.downcast_ref::<UnknownOperation>().is_some() { 2 } else { 1 }
}
