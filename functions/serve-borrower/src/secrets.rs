//! Random ids, and the signed cookies that bear them.

use duewatch_store::PageKey;
use ring::rand::{SecureRandom, SystemRandom};

use crate::request::Fields;

/// The cookie of a signed-in browser.
pub(crate) const SESSION_COOKIE: &str = "__Host-session";
/// The cookie of a browser that waits for a code.
pub(crate) const BROWSER_COOKIE: &str = "__Host-browser";
/// The digits of a code.
const CODE_DIGITS: usize = 8;

/// No random bytes are to be had: the request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRandomness;

/// A random id of 128 bits, in hexadecimal digits.
pub(crate) fn random_id() -> Result<String, NoRandomness> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Eight random digits, each code as likely as any other.
pub(crate) fn random_code() -> Result<String, NoRandomness> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    // Of 128 bits the remainder favours no code by more than one in 10^30.
    let code = u128::from_be_bytes(bytes) % 10_u128.pow(8);
    Ok(format!("{code:0CODE_DIGITS$}"))
}

/// An id as a cookie bears it: signed, so that a made-up one is refused without a read.
pub(crate) fn signed(key: &PageKey, id: &str) -> String {
    format!("{id}.{}", key.mac("cookie", id))
}

/// The id in a signed cookie; none: there is no such cookie, or its signature is not ours.
pub(crate) fn signed_id<'a>(key: &PageKey, cookies: &'a Fields, name: &str) -> Option<&'a str> {
    let (id, mac) = cookies.get(name)?.split_once('.')?;
    key.is_mac("cookie", id, mac).then_some(id)
}

/// The token that a form of a session or of a browser bears.
pub(crate) fn form_token(key: &PageKey, of: &str) -> String {
    key.mac("form", of)
}

/// Whether a text is a key that a form bears: 32 hexadecimal digits.
pub(crate) fn is_form_key(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_of_another_key_or_another_id_is_none() {
        let [key, other] = ["07", "08"].map(|byte| PageKey::parse(&byte.repeat(32)).unwrap());
        let cookie = |value: String| Fields::from([(SESSION_COOKIE.to_owned(), value)]);
        let ours = cookie(signed(&key, "abc"));
        assert_eq!(signed_id(&key, &ours, SESSION_COOKIE), Some("abc"));
        assert_eq!(signed_id(&other, &ours, SESSION_COOKIE), None);
        assert_eq!(signed_id(&key, &ours, BROWSER_COOKIE), None);
        let mac = signed(&key, "abc").split_once('.').unwrap().1.to_owned();
        assert_eq!(signed_id(&key, &cookie(format!("abd.{mac}")), SESSION_COOKIE), None);
        assert_eq!(signed_id(&key, &cookie("abc".to_owned()), SESSION_COOKIE), None);
    }

    #[test]
    fn a_code_has_eight_digits_and_an_id_is_a_form_key() {
        for _ in 0..100 {
            let code = random_code().unwrap();
            assert!(code.len() == 8 && code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
            assert!(is_form_key(&random_id().unwrap()));
        }
        assert!(!is_form_key(&"A".repeat(32)) && !is_form_key("12"));
    }
}
