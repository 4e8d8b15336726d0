//! The one optimistic retry: read, change, write on the condition that no other writer was faster.

use crate::StoreError;

/// How often a read and its conditional write are tried again when another writer was faster.
pub const MAX_CONFLICTS: usize = 8;

/// Repeats `attempt`, which reads, changes and writes, while another writer was faster, at most
/// [`MAX_CONFLICTS`] times.
///
/// # Errors
/// The error of the last attempt: a conflict names the item.
pub async fn retry_conflicts<T, E>(mut attempt: impl AsyncFnMut() -> Result<T, E>) -> Result<T, E>
where
    E: MayConflict,
{
    let mut conflicts = 0;
    loop {
        match attempt().await {
            Err(error) if error.is_conflict() && conflicts < MAX_CONFLICTS => conflicts += 1,
            done => return done,
        }
    }
}

/// An error that may be a conflict with another writer.
pub trait MayConflict {
    /// Whether another writer was faster, so that the next attempt may succeed at once.
    fn is_conflict(&self) -> bool;
}

impl MayConflict for StoreError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}
