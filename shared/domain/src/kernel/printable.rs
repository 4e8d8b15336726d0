//! Texts from outside made fit to be printed: without characters that act on whatever shows them, and cut to a
//! length that can be stored.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The most bytes that a message prints of one text.
pub const MAX_PRINTABLE_BYTES: usize = 500;

/// The bytes kept from the beginning of a longer text.
const BEGINNING_BYTES: usize = 350;

/// Whether a character acts on whatever shows it, rather than being shown: control characters, line separators
/// and Unicode's format characters (category Cf), which turn the direction of a line, join or hide.
#[must_use]
pub fn is_unprintable(one: char) -> bool {
    one.is_control()
        || matches!(one,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}'
            | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e007f}')
}

/// The text on one line, each [unprintable](is_unprintable) character as an escape such as `\u{202e}`. An escaped
/// text stays as it is.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for one in text.chars() {
        if is_unprintable(one) {
            // Writing to a `String` never fails.
            let _ = write!(shown, "{}", Escape(one));
        } else {
            shown.push(one);
        }
    }
    Cow::Owned(shown)
}

/// The escape of one character.
struct Escape(char);

impl std::fmt::Display for Escape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_ascii() { self.0.escape_default().fmt(f) } else { self.0.escape_unicode().fmt(f) }
    }
}

/// A text of JSON with JSON's own escape for each [unprintable](is_unprintable) character but line feeds: it says the
/// same to a program, and acts on nothing that shows it. A line feed stands between values, never in a string.
#[must_use]
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    let acts = |one: char| one != '\n' && is_unprintable(one);
    if !json.chars().any(acts) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for one in json.chars() {
        if acts(one) {
            for unit in one.encode_utf16(&mut [0; 2]) {
                // Writing to a `String` never fails.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(one);
        }
    }
    Cow::Owned(shown)
}

/// The text, [escaped]; its beginning and its end if it has more than [`MAX_PRINTABLE_BYTES`].
///
/// A message names the value that is wrong. A value can be as long as an item, and a message of that length
/// fits beside its payload in no other item.
#[must_use]
pub fn printable(text: String) -> String {
    let text = match escaped(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(escaped) => escaped,
    };
    if text.len() <= MAX_PRINTABLE_BYTES {
        return text;
    }
    let gap = " ... ";
    let ending_bytes = MAX_PRINTABLE_BYTES - BEGINNING_BYTES - gap.len();
    let beginning = &text[..text.floor_char_boundary(BEGINNING_BYTES)];
    let ending = &text[text.ceil_char_boundary(text.len() - ending_bytes)..];
    format!("{beginning}{gap}{ending}")
}

/// The text as the value of a mail header: one line, without characters that turn its direction. A line break in
/// a subject would begin a header of its own.
#[must_use]
pub fn header_value(text: &str) -> String {
    let words = text.split(|one: char| one.is_whitespace() || is_unprintable(one));
    words.filter(|word| !word.is_empty()).collect::<Vec<&str>>().join(" ")
}

/// The text within a line of Markdown: nothing in it is a link, an image, emphasis, code, a table cell or HTML.
#[must_use]
pub fn markdown(text: &str) -> String {
    let text = escaped(text);
    let mut shown = String::with_capacity(text.len());
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(one) = chars.next() {
        let is_word = |other: Option<char>| other.is_some_and(char::is_alphanumeric);
        let acts = match one {
            // Between letters it is no emphasis, and names are full of them.
            '_' => !(is_word(before) && is_word(chars.peek().copied())),
            _ => "\\`*[]<>&|~!#".contains(one),
        };
        if acts {
            shown.push('\\');
        }
        shown.push(one);
        before = Some(one);
    }
    shown
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_long_text_is_shown_by_its_beginning_and_its_end() {
        let long = printable(format!("field {} is no number", "\u{5ba2}".repeat(100_000)));
        assert!(long.starts_with("field \u{5ba2}") && long.ends_with("\u{5ba2} is no number"), "{long}");
        assert!(long.len() <= MAX_PRINTABLE_BYTES);
    }

    #[test]
    fn a_short_text_is_shown_as_it_is() {
        assert_eq!(printable("amount: 0".to_owned()), "amount: 0");
        assert_eq!(escaped("逾期, späť, \u{1f600}"), "逾期, späť, \u{1f600}");
    }

    #[rstest]
    #[case::colour("\u{1b}[31mpaid", "\\u{1b}[31mpaid")]
    #[case::lines("a\r\nb\tc", "a\\r\\nb\\tc")]
    #[case::c1("\u{9b}2J", "\\u{9b}2J")]
    #[case::right_to_left("gnp\u{202e}exe", "gnp\\u{202e}exe")]
    #[case::isolate("a\u{2066}b\u{2069}", "a\\u{2066}b\\u{2069}")]
    #[case::zero_width("A\u{200b}1", "A\\u{200b}1")]
    #[case::tag("\u{e0041}", "\\u{e0041}")]
    #[case::line_separator("a\u{2028}b", "a\\u{2028}b")]
    fn a_character_that_acts_is_shown_by_its_escape(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(printable(text.to_owned()), shown);
        assert_eq!(printable(shown.to_owned()), shown, "escaped once, it stays");
    }

    #[test]
    fn a_header_value_is_one_line() {
        assert_eq!(header_value("Please pay\r\nBcc: all@example.com"), "Please pay Bcc: all@example.com");
        assert_eq!(header_value(" a\u{202e}b\u{2028}c\td "), "a b c d");
    }

    #[rstest]
    #[case::name("limit_2-a", "limit_2-a")]
    #[case::link("[pay](http://x)", "\\[pay\\](http://x)")]
    #[case::html("<script>&amp;", "\\<script\\>\\&amp;")]
    #[case::emphasis("*a* _b_ `c`", "\\*a\\* \\_b\\_ \\`c\\`")]
    #[case::lines("a\n# b", "a\\\\n\\# b")]
    fn a_text_in_markdown_is_text_alone(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(markdown(text), shown);
    }
}
