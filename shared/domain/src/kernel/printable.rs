//! Texts cut to a printable length, so that a message with them can be stored.

/// The most bytes that a message prints of one text.
pub const MAX_PRINTABLE_BYTES: usize = 500;

/// The bytes kept from the beginning of a longer text.
const BEGINNING_BYTES: usize = 350;

/// The text, or its beginning and its end if it has more than [`MAX_PRINTABLE_BYTES`].
///
/// A message names the value that is wrong. A value can be as long as an item, and a message of that length
/// fits beside its payload in no other item.
#[must_use]
pub fn printable(text: String) -> String {
    if text.len() <= MAX_PRINTABLE_BYTES {
        return text;
    }
    let gap = " ... ";
    let ending_bytes = MAX_PRINTABLE_BYTES - BEGINNING_BYTES - gap.len();
    let beginning = &text[..text.floor_char_boundary(BEGINNING_BYTES)];
    let ending = &text[text.ceil_char_boundary(text.len() - ending_bytes)..];
    format!("{beginning}{gap}{ending}")
}

#[cfg(test)]
mod tests {
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
    }
}
