//! References: a recipient enters a message's reference to verify that the lender sent it.
//!
//! A reference is 120 bits, in 24 characters that are easy to read out (no 0, O, 1 or I): the key's id (4),
//! the date on which it expires (16), a fingerprint of the contact under the key (36), and a tag over these
//! (64). A reference does not reveal its recipient; matching it to a contact takes the contact's id and the
//! key.
//!
//! A genuine reference proves that duewatch sent a message with it. It does not prove that the text around it
//! is genuine: anyone who sees a message can copy its reference.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, Utc};
use ring::hmac;
use subtle::ConstantTimeEq;

/// For how many days a reference verifies, not counting the day of the message. The previous key must be kept
/// as long.
pub const VALID_DAYS: u64 = 180;

/// 32 characters: five bits each.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const CHARACTERS: usize = 24;
const GROUP: usize = 4;
/// The fewest bytes of a key: those of the hash.
const MIN_KEY_BYTES: usize = 32;
/// The most bytes of a key: those of a block of the hash. A longer one adds nothing.
const MAX_KEY_BYTES: usize = 64;
const KEY_ID_BITS: u32 = 4;
const EXPIRY_BITS: u32 = 16;
const FINGERPRINT_BITS: u32 = 36;
const TAG_BITS: u32 = 64;

/// The keys of references: the one that signs, and the previous one, which still verifies.
#[derive(Clone)]
pub struct ReferenceKeys {
    current: SigningKey,
    previous: Option<SigningKey>,
}

#[derive(Clone)]
struct SigningKey {
    id: u8,
    hmac: hmac::Key,
}

/// Prints the ids of the keys alone, never the keys.
impl fmt::Debug for ReferenceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceKeys")
            .field("current", &self.current.id)
            .field("previous", &self.previous.as_ref().map(|key| key.id))
            .finish()
    }
}

/// Why a text is no pair of keys. The message never quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKeys {
    /// The form of the text.
    #[error(
        "no keys there; write ID=HEX, or ID=HEX,ID=HEX with the current one first and the one before it second"
    )]
    Form,
    /// The id of a key.
    #[error("the id of a key is a number from 0 to 15")]
    Id,
    #[error("both keys have the same id")]
    SameId,
    /// The secret of a key.
    #[error(
        "a key is {MIN_KEY_BYTES} to {MAX_KEY_BYTES} random bytes in hexadecimal digits; `openssl rand -hex 32` makes one"
    )]
    Key,
}

impl ReferenceKeys {
    /// Parses `ID=HEX`, or `ID=HEX,ID=HEX`: the current key, and the previous one.
    ///
    /// # Errors
    /// [`NoKeys`], which never quotes the text.
    pub fn parse(text: &str) -> Result<Self, NoKeys> {
        let mut keys = text.split(',').map(SigningKey::parse);
        let current = keys.next().ok_or(NoKeys::Form)??;
        let previous = keys.next().transpose()?;
        if keys.next().is_some() {
            return Err(NoKeys::Form);
        }
        if previous.as_ref().is_some_and(|key| key.id == current.id) {
            return Err(NoKeys::SameId);
        }
        Ok(Self { current, previous })
    }

    fn of(&self, id: u128) -> Option<&SigningKey> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|key| u128::from(key.id) == id)
    }
}

impl SigningKey {
    fn parse(text: &str) -> Result<Self, NoKeys> {
        let (id, digits) = text.trim().split_once('=').ok_or(NoKeys::Form)?;
        let is_number = (1..=2).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
        let id = id.parse().ok().filter(|id| is_number && *id < 1 << KEY_ID_BITS).ok_or(NoKeys::Id)?;
        let bytes = bytes_of(digits).ok_or(NoKeys::Key)?;
        if !(MIN_KEY_BYTES..=MAX_KEY_BYTES).contains(&bytes.len()) {
            return Err(NoKeys::Key);
        }
        Ok(Self { id, hmac: hmac::Key::new(hmac::HMAC_SHA256, &bytes) })
    }

    /// The first bits of an HMAC, separated by purpose.
    fn bits(&self, purpose: &[u8], of: &[u8], count: u32) -> u128 {
        let mut context = hmac::Context::with_key(&self.hmac);
        context.update(purpose);
        context.update(&[0]);
        context.update(of);
        let signature = context.sign();
        let first = signature.as_ref().iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte));
        first >> (u128::BITS - count)
    }

    fn tag(&self, head: u128) -> u128 {
        self.bits(b"tag", &head.to_be_bytes(), TAG_BITS)
    }
}

fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

/// The reference in a message, by which its recipient can verify it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reference(u128);

impl Reference {
    /// The reference of a contact: always the same for one contact, key and day (UTC).
    #[must_use]
    pub fn issue(keys: &ReferenceKeys, contact_id: &str, now: DateTime<Utc>) -> Self {
        let key = &keys.current;
        let expires = now.date_naive().checked_add_days(Days::new(VALID_DAYS + 1)).map_or(0, days_of);
        let fingerprint = key.bits(b"contact", contact_id.as_bytes(), FINGERPRINT_BITS);
        let head = (u128::from(key.id) << EXPIRY_BITS | expires) << FINGERPRINT_BITS | fingerprint;
        Self(head << TAG_BITS | key.tag(head))
    }

    /// Reads a typed reference: upper or lower case, with or without hyphens and spaces. `None` where the
    /// text cannot be one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut characters = 0;
        let mut bits: u128 = 0;
        for one in text.chars().filter(|one| *one != '-' && !one.is_whitespace()) {
            let value = ALPHABET.iter().position(|known| char::from(*known) == one.to_ascii_uppercase())?;
            characters += 1;
            if characters > CHARACTERS {
                return None;
            }
            bits = bits << 5 | value as u128;
        }
        (characters == CHARACTERS).then_some(Self(bits))
    }

    fn head(self) -> u128 {
        self.0 >> TAG_BITS
    }

    /// The first date (UTC) on which the reference no longer verifies.
    fn expires_on(self) -> Option<NaiveDate> {
        let days = self.head() >> FINGERPRINT_BITS & ((1 << EXPIRY_BITS) - 1);
        NaiveDate::default().checked_add_days(Days::new(u64::try_from(days).ok()?))
    }
}

/// Days since 1970-01-01, in 16 bits: until the year 2149.
fn days_of(date: NaiveDate) -> u128 {
    let days = (date - NaiveDate::default()).num_days();
    u128::try_from(days).unwrap_or(0).min((1 << EXPIRY_BITS) - 1)
}

/// Groups of four: `7KQM-...`.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in 0..CHARACTERS {
            if place > 0 && place % GROUP == 0 {
                f.write_str("-")?;
            }
            let value = self.0 >> (5 * (CHARACTERS - 1 - place)) & 31;
            let character = usize::try_from(value).ok().and_then(|value| ALPHABET.get(value));
            write!(f, "{}", char::from(*character.unwrap_or(&b'2')))?;
        }
        Ok(())
    }
}

/// The result of verifying a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The lender's, and valid.
    Genuine {
        /// The last date (UTC) on which it verifies.
        until: NaiveDate,
    },
    /// The lender's, but expired.
    Expired {
        /// The last date (UTC) on which it verified.
        until: NaiveDate,
    },
    /// Not the lender's, or a character is wrong, or its key is no longer known.
    NotOurs,
}

/// Verifies a reference in constant time: the duration reveals nothing of the tag.
#[must_use]
pub fn verify(keys: &ReferenceKeys, text: &str, now: DateTime<Utc>) -> Verified {
    let Some(reference) = Reference::read(text) else { return Verified::NotOurs };
    let head = reference.head();
    let Some(key) = keys.of(head >> (EXPIRY_BITS + FINGERPRINT_BITS)) else { return Verified::NotOurs };
    let signed = head << TAG_BITS | key.tag(head);
    if !bool::from(signed.to_be_bytes().ct_eq(&reference.0.to_be_bytes())) {
        return Verified::NotOurs;
    }
    match reference.expires_on() {
        None => Verified::NotOurs,
        Some(on) => {
            let until = on.pred_opt().unwrap_or(on);
            if now.date_naive() < on { Verified::Genuine { until } } else { Verified::Expired { until } }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn hex(byte: u8) -> String {
        format!("{byte:02x}").repeat(32)
    }

    fn keys(text: &str) -> ReferenceKeys {
        ReferenceKeys::parse(text).unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    const SENT: &str = "2026-01-05T02:00:00Z";

    /// 180 days after 5 January 2026: 26 more in January, 28, 31, 30, 31 and 30 to the end of
    /// June are 176, so 4 July.
    #[rstest]
    #[case::at_once(SENT, Verified::Genuine { until: NaiveDate::from_ymd_opt(2026, 7, 4).unwrap() })]
    #[case::on_the_last_day("2026-07-04T23:59:59Z", Verified::Genuine { until: NaiveDate::from_ymd_opt(2026, 7, 4).unwrap() })]
    #[case::after_it("2026-07-05T00:00:00Z", Verified::Expired { until: NaiveDate::from_ymd_opt(2026, 7, 4).unwrap() })]
    fn a_reference_is_genuine_until_it_expires(#[case] asked_at: &str, #[case] answer: Verified) {
        let keys = keys(&format!("1={}", hex(7)));
        let reference = Reference::issue(&keys, "contact-1", at(SENT)).to_string();
        assert_eq!(verify(&keys, &reference, at(asked_at)), answer);
    }

    #[test]
    fn a_reference_is_24_characters_in_groups_that_can_be_read_out() {
        let keys = keys(&format!("1={}", hex(7)));
        let reference = Reference::issue(&keys, "contact-1", at(SENT)).to_string();
        let groups: Vec<&str> = reference.split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [4; 6]);
        assert!(!reference.contains(['0', 'O', '1', 'I']), "{reference}");
        let spoken = reference.to_lowercase().replace('-', " ");
        assert!(matches!(verify(&keys, &spoken, at(SENT)), Verified::Genuine { .. }), "{spoken}");
    }

    #[test]
    fn a_reference_tells_contacts_and_days_apart_and_names_neither() {
        let keys = keys(&format!("1={}", hex(7)));
        let issue = |contact: &str, at: DateTime<Utc>| Reference::issue(&keys, contact, at).to_string();
        let next_day = at("2026-01-06T02:00:00Z");
        let all: BTreeSet<String> = (0..500)
            .map(|n| issue(&format!("A-{n}"), at(SENT)))
            .chain([issue("A-1", next_day), issue("A-1", at(SENT))])
            .collect();
        assert_eq!(all.len(), 501);
    }

    #[test]
    fn the_previous_key_still_verifies_and_the_one_before_it_does_not() {
        let old = keys(&format!("1={}", hex(7)));
        let reference = Reference::issue(&old, "contact-1", at(SENT)).to_string();
        let rotated = keys(&format!("2={},1={}", hex(8), hex(7)));
        assert!(matches!(verify(&rotated, &reference, at(SENT)), Verified::Genuine { .. }));
        let again = keys(&format!("3={},2={}", hex(9), hex(8)));
        assert_eq!(verify(&again, &reference, at(SENT)), Verified::NotOurs);
        // A key of the same id, and another key.
        let other = keys(&format!("1={}", hex(8)));
        assert_eq!(verify(&other, &reference, at(SENT)), Verified::NotOurs);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::short("2222-2222-2222-2222-2222-222")]
    #[case::long("2222-2222-2222-2222-2222-22222")]
    #[case::a_letter_that_is_none("222O-2222-2222-2222-2222-2222")]
    #[case::another_script("二二二二二二二二二二二二二二二二二二二二二二二二")]
    #[case::endless(&"2".repeat(1_000))]
    fn what_cannot_be_one_is_not_ours(#[case] text: &str) {
        assert_eq!(Reference::read(text), None);
        assert_eq!(verify(&keys(&format!("1={}", hex(7))), text, at(SENT)), Verified::NotOurs);
    }

    #[rstest]
    #[case::nothing("", NoKeys::Form)]
    #[case::no_id(&hex(7), NoKeys::Form)]
    #[case::an_id_beyond(&format!("16={}", hex(7)), NoKeys::Id)]
    #[case::a_signed_id(&format!("+1={}", hex(7)), NoKeys::Id)]
    #[case::a_short_key("1=abcd", NoKeys::Key)]
    #[case::a_long_key(&format!("1={}", hex(7).repeat(3)), NoKeys::Key)]
    #[case::half_a_byte(&format!("1={}a", hex(7)), NoKeys::Key)]
    #[case::no_hex(&format!("1={}", "zz".repeat(32)), NoKeys::Key)]
    #[case::the_same_id(&format!("1={},1={}", hex(7), hex(8)), NoKeys::SameId)]
    #[case::three(&format!("1={0},2={0},3={0}", hex(7)), NoKeys::Form)]
    #[case::an_empty_second(&format!("1={},", hex(7)), NoKeys::Form)]
    fn what_are_no_keys_is_refused_and_not_shown(#[case] text: &str, #[case] expected: NoKeys) {
        assert_eq!(ReferenceKeys::parse(text).unwrap_err(), expected);
        assert!(!expected.to_string().contains("abcd"));
    }

    #[test]
    fn keys_are_not_shown() {
        let keys = keys(&format!("2={},1={}", hex(8), hex(7)));
        assert_eq!(format!("{keys:?}"), "ReferenceKeys { current: 2, previous: Some(1) }");
    }

    proptest! {
        #[test]
        fn what_is_issued_is_genuine_and_one_changed_character_is_not(
            contact in "\\PC{0,40}", place in 0_usize..24, by in 1_usize..32,
        ) {
            let keys = keys(&format!("1={}", hex(7)));
            let reference = Reference::issue(&keys, &contact, at(SENT));
            prop_assert_eq!(Reference::read(&reference.to_string()), Some(reference));
            let genuine = matches!(verify(&keys, &reference.to_string(), at(SENT)), Verified::Genuine { .. });
            prop_assert!(genuine);
            let mut characters: Vec<char> = reference.to_string().replace('-', "").chars().collect();
            let known = ALPHABET.iter().position(|one| char::from(*one) == characters[place]).unwrap();
            characters[place] = char::from(ALPHABET[(known + by) % 32]);
            let changed: String = characters.into_iter().collect();
            prop_assert_eq!(verify(&keys, &changed, at(SENT)), Verified::NotOurs);
        }
    }
}
