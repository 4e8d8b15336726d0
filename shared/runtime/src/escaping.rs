//! A writer that lets no character through that acts on whatever shows it: terminals and logs print texts that came
//! from outside.

use std::io::{self, Write};

use duewatch_domain::escaped;
use duewatch_domain::kernel::escaped_json;

/// How a character that must not get through is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscapeStyle {
    /// For people: `\u{202e}`.
    Text,
    /// Within JSON, where the escape `\u202e` means the same character.
    Json,
}

/// A writer in which only line feeds and printable characters pass; all others become escapes.
///
/// Each write must end at the end of a character, as those of `write!` and of serde_json do; a buffer belongs
/// beneath.
#[derive(Debug)]
pub struct Escaping<W> {
    inner: W,
    style: EscapeStyle,
}

impl<W: Write> Escaping<W> {
    /// A writer over another one.
    pub const fn new(inner: W, style: EscapeStyle) -> Self {
        Self { inner, style }
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        let mut lines = text.split('\n');
        let first = lines.next().unwrap_or_default();
        self.write_line(first)?;
        lines.try_for_each(|line| {
            self.inner.write_all(b"\n")?;
            self.write_line(line)
        })
    }

    fn write_line(&mut self, line: &str) -> io::Result<()> {
        let line = match self.style {
            EscapeStyle::Text => escaped(line),
            EscapeStyle::Json => escaped_json(line),
        };
        self.inner.write_all(line.as_bytes())
    }
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for chunk in bytes.utf8_chunks() {
            self.write_text(chunk.valid())?;
            for byte in chunk.invalid() {
                write!(self.inner, "\\x{byte:02x}")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use duewatch_domain::kernel::is_unprintable;

    use super::*;

    fn written(style: EscapeStyle, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        Escaping::new(&mut out, style).write_all(bytes).unwrap_or_default();
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn what_acts_on_a_terminal_is_shown_instead() {
        let text = "a\u{1b}[2Jb\r\u{202e}c\n逾期";
        assert_eq!(written(EscapeStyle::Text, text.as_bytes()), "a\\u{1b}[2Jb\\r\\u{202e}c\n逾期");
        assert_eq!(written(EscapeStyle::Text, b"a\xffb"), "a\\xffb");
    }

    #[test]
    fn json_stays_the_same_json() -> Result<(), serde_json::Error> {
        let value = serde_json::json!({"a": "\u{202e}\u{7f}\u{e0041}\u{9b}é\n"});
        let text = written(EscapeStyle::Json, &serde_json::to_vec_pretty(&value)?);
        assert!(text.chars().all(|one| one == '\n' || !is_unprintable(one)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text)?, value);
        Ok(())
    }
}
