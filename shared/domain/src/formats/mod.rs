//! The file formats for scripts: portfolio file, events, daily output, decisions; and the delivery receipt.

mod daily;
mod decisions;
mod events;
mod portfolio;
mod receipt;
mod strict;
mod write;

use serde::de::DeserializeOwned;

use crate::kernel::printable;

pub use self::daily::DailyLines;
pub use self::decisions::{DecisionLine, DecisionSubject};
pub use self::events::{EVENT_TYPES, parse_event_line, parse_message};
pub use self::portfolio::{BOOK_COLUMNS, BookRow, parse_book_line, parse_book_rows};
pub use self::receipt::parse_receipt;
pub use self::write::{book_line, message_line};

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

/// The most bytes a line may have: more than the largest account.
pub const MAX_LINE_BYTES: usize = 1024 * 1024;

fn checked_length(line: &str) -> Result<(), FormatError> {
    if line.len() > MAX_LINE_BYTES {
        return Err(FormatError::new(
            "",
            format!("the line has {} bytes, at most {MAX_LINE_BYTES} are read", line.len()),
        ));
    }
    Ok(())
}

/// Reads JSON.
///
/// # Errors
/// The path of the faulty field, and its fault.
fn read<T: DeserializeOwned>(json: serde_json::Value) -> Result<T, FormatError> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        FormatError::new(field, error.into_inner().to_string())
    })
}

fn read_object(line: &str) -> Result<serde_json::Map<String, serde_json::Value>, FormatError> {
    checked_length(line)?;
    let strict::Strict(json) = serde_json::from_str(line).map_err(|error| {
        FormatError::new("", format!("column {}: no JSON object: {error}", error.column()))
    })?;
    match json {
        serde_json::Value::Object(fields) => Ok(fields),
        other => Err(FormatError::new("", format!("{other} is no JSON object"))),
    }
}
