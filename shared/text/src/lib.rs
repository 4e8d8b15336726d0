//! Texts in [Fluent](https://projectfluent.org): the reader and the renderer, for messages and pages alike.
//!
//! [`read`] finds each fault of a text with its place, so that rendering has none left to meet but a variable that the
//! caller does not provide. [`Words`] renders.

mod figures;
mod read;
mod words;

use duewatch_domain::policy::Language;

pub use self::figures::{amount, date, grouped};
pub use self::read::{SourceFault, TextForm, VariablesOf, read};
pub use self::words::{Argument, Value, Words};

/// Every language of messages and pages.
pub const LANGUAGES: [Language; 2] = [Language::Zh, Language::En];
