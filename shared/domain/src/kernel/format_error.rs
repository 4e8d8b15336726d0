//! The fault of a value that was read: the field, and what is wrong with it.

use serde::de::DeserializeOwned;

use super::printable;

/// The fault of a line, by field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if field.is_empty() { String::new() } else { format!("{field}: ") })]
pub struct FormatError {
    /// The path of the field, such as `installments[0].principal`; empty for the whole line.
    pub field: String,
    /// Names the value and its fault.
    pub problem: String,
}

impl FormatError {
    /// The fault of a field. Long texts are cut.
    #[must_use]
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: printable(field.into()), problem: printable(problem.into()) }
    }
}

/// Reads JSON.
///
/// # Errors
/// The path of the faulty field, and its fault.
pub(crate) fn read_json<T: DeserializeOwned>(json: serde_json::Value) -> Result<T, FormatError> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        FormatError::new(field, error.into_inner().to_string())
    })
}
