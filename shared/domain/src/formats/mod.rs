//! The file formats for scripts: portfolio file, events, daily output, decisions, contacts; and the delivery receipt.

mod archive;
mod contacts;
mod daily;
mod decisions;
mod events;
mod ids;
mod portfolio;
mod receipt;
mod strict;
mod write;

pub use self::archive::{ArchivedCommand, ArchivedErasure, SealedTexts};
pub use self::contacts::ContactLine;
pub use self::daily::DailyLines;
pub use self::decisions::{DecisionLine, DecisionSubject, FiguresLine, ReasonLine};
pub use self::events::{parse_event_line, parse_message};
pub use self::portfolio::{BOOK_COLUMNS, BookRow, parse_book_line, parse_book_rows};
pub use self::receipt::parse_receipt;
pub use self::write::{book_line, message_line};
pub use crate::commands::EVENT_TYPES;
pub use crate::kernel::FormatError;

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
