//! The number of text messages that a text becomes, and that delivery providers charge.
//!
//! A text within the GSM 03.38 default alphabet takes seven bits a character; its extension table costs two
//! characters each. Any other text is UCS-2, two bytes a UTF-16 unit. A text that does not fit one message is
//! split into several, each of which gives up room for the header that joins them (3GPP TS 23.040, 9.2.3.24).

/// The GSM 03.38 default alphabet, in its order; the escape is left out, for no text holds it.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
                     ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: each of its characters is sent as an escape and a character.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// The encoding of a text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Seven bits a character.
    Gsm7,
    /// Two bytes a UTF-16 unit.
    Ucs2,
}

impl Encoding {
    /// The most units of a text in one message.
    #[must_use]
    pub const fn alone(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// The most units of each message of a split text.
    #[must_use]
    pub const fn joined(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }
}

/// The size of a text as text messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segments {
    pub encoding: Encoding,
    /// Its length: septets, or UTF-16 units.
    pub units: usize,
    /// The number of messages.
    pub count: usize,
}

impl Segments {
    /// The segments of a text. The split cuts neither an escape from its character nor a surrogate pair.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let (encoding, units_of): (_, fn(char) -> usize) = if text.chars().all(|one| gsm_units(one) > 0) {
            (Encoding::Gsm7, gsm_units)
        } else {
            (Encoding::Ucs2, char::len_utf16)
        };
        let units = text.chars().map(units_of).sum();
        if units <= encoding.alone() {
            return Self { encoding, units, count: 1 };
        }
        let (mut count, mut filled) = (1, 0);
        for needed in text.chars().map(units_of) {
            if filled + needed > encoding.joined() {
                (count, filled) = (count + 1, 0);
            }
            filled += needed;
        }
        Self { encoding, units, count }
    }
}

/// The septets of a character; 0 where the alphabet lacks it.
fn gsm_units(one: char) -> usize {
    if BASIC.contains(one) {
        1
    } else if EXTENSION.contains(one) {
        2
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_alphabet_has_its_127_characters_and_its_extension_ten() {
        // 128 places, one of them the escape.
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
        let mut all: Vec<char> = BASIC.chars().chain(EXTENSION.chars()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 137);
        // The corners of the table in 3GPP TS 23.038, 6.2.1: 0x00, 0x1F, 0x20, 0x40, 0x60, 0x7F
        // (the escape, 0x1B, is not there).
        let at = |place: usize| BASIC.chars().nth(place);
        assert_eq!(
            [at(0), at(30), at(31), at(63), at(95), at(126)].map(Option::unwrap),
            ['@', 'É', ' ', '¡', '¿', 'à']
        );
    }

    #[rstest]
    #[case::nothing(String::new(), Encoding::Gsm7, 0, 1)]
    #[case::one_full("a".repeat(160), Encoding::Gsm7, 160, 1)]
    #[case::one_more("a".repeat(161), Encoding::Gsm7, 161, 2)]
    #[case::two_full("a".repeat(306), Encoding::Gsm7, 306, 2)]
    #[case::two_and_one("a".repeat(307), Encoding::Gsm7, 307, 3)]
    #[case::extension_counts_twice("€".repeat(80), Encoding::Gsm7, 160, 1)]
    #[case::extension_over("€".repeat(81), Encoding::Gsm7, 162, 2)]
    // 152 and an escape would fill 153; the character goes to the next with its escape, so that
    // 152 + 154 do not fit into two.
    #[case::extension_at_the_edge(format!("{}€{}", "a".repeat(152), "a".repeat(152)), Encoding::Gsm7, 306, 3)]
    #[case::extension_before_the_edge(format!("{}€{}", "a".repeat(151), "a".repeat(153)), Encoding::Gsm7, 306, 2)]
    #[case::extension_at_the_second_edge(format!("{}[{}", "a".repeat(305), "a"), Encoding::Gsm7, 308, 3)]
    #[case::greek_is_basic("ΔΦΓ".to_owned(), Encoding::Gsm7, 3, 1)]
    #[case::small_cedilla_is_not("ç".to_owned(), Encoding::Ucs2, 1, 1)]
    #[case::backtick_is_not("`".to_owned(), Encoding::Ucs2, 1, 1)]
    #[case::tab_is_not("\t".to_owned(), Encoding::Ucs2, 1, 1)]
    #[case::curly_quote_makes_all_ucs2(format!("{}’", "a".repeat(70)), Encoding::Ucs2, 71, 2)]
    #[case::chinese_full("您".repeat(70), Encoding::Ucs2, 70, 1)]
    #[case::chinese_more("您".repeat(71), Encoding::Ucs2, 71, 2)]
    #[case::chinese_two_full("您".repeat(134), Encoding::Ucs2, 134, 2)]
    #[case::chinese_three("您".repeat(135), Encoding::Ucs2, 135, 3)]
    #[case::pairs_alone("😀".repeat(35), Encoding::Ucs2, 70, 1)]
    // 33 pairs are 66 units; the 34th would be cut at 67, and goes to the next.
    #[case::pairs_are_not_cut("😀".repeat(67), Encoding::Ucs2, 134, 3)]
    #[case::pair_at_the_edge(format!("{}😀{}", "您".repeat(66), "您".repeat(66)), Encoding::Ucs2, 134, 3)]
    #[case::pair_before_the_edge(format!("{}😀{}", "您".repeat(65), "您".repeat(67)), Encoding::Ucs2, 134, 2)]
    fn segments_are_counted(
        #[case] text: String,
        #[case] encoding: Encoding,
        #[case] units: usize,
        #[case] count: usize,
    ) {
        assert_eq!(Segments::of(&text), Segments { encoding, units, count });
    }

    proptest! {
        #[test]
        fn every_unit_has_its_room_and_none_is_wasted(text in "[a-z€{您😀]{0,500}") {
            let Segments { encoding, units, count } = Segments::of(&text);
            let room = if count == 1 { encoding.alone() } else { encoding.joined() };
            prop_assert!(units <= count * room);
            // Each message but the last loses at most one unit to an uncut pair.
            prop_assert!(count == 1 || units > (count - 1) * (room - 1));
        }
    }
}
