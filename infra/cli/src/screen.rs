//! The one place through which the command prints: a text that came from outside never acts on a terminal.
//!
//! Errors, stories and tables name ids and words that borrowers and other systems have written. On the screen each
//! control or format character in them is an escape; in JSON it is JSON's own escape, so that a script reads the
//! same text.

use std::fmt::Display;
use std::io::{StdoutLock, Write};

use duewatch_domain::escaped;
use duewatch_runtime::{EscapeStyle, Escaping};

/// Standard output.
pub type Screen = Escaping<StdoutLock<'static>>;

/// Standard output, for people.
#[must_use]
pub fn people() -> Screen {
    Escaping::new(std::io::stdout().lock(), EscapeStyle::Text)
}

/// Standard output, for JSON.
#[must_use]
pub fn json() -> Screen {
    Escaping::new(std::io::stdout().lock(), EscapeStyle::Json)
}

/// Prints a line on standard error. Where that is closed, nobody reads it.
pub fn note(text: impl Display) {
    notes(escaped(&text.to_string()));
}

/// Prints lines on standard error, as [`note`] does one.
pub fn notes(text: impl Display) {
    let _ = writeln!(Escaping::new(std::io::stderr().lock(), EscapeStyle::Text), "{text}");
}
