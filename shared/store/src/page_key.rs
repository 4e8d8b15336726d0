//! The key of the borrower's pages: it makes sign-in codes, sessions and forms unforgeable.

use std::fmt;

use ring::hmac;
use subtle::ConstantTimeEq;

use crate::anchors::bytes_of;
use crate::history::hex;

/// Why a text is no key. The message never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key of the pages is 32 bytes in hexadecimal digits; `openssl rand -hex 32` makes one")]
pub struct NoPageKey;

/// The key under which the pages know codes, contact points, sessions and forms. A new key ends each session and
/// each code; nothing else depends on it.
#[derive(Clone)]
pub struct PageKey(hmac::Key);

/// Prints nothing of the key.
impl fmt::Debug for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageKey")
    }
}

impl PageKey {
    /// Parses a key: 32 random bytes in hexadecimal digits.
    ///
    /// # Errors
    /// [`NoPageKey`], which never quotes the text.
    pub fn parse(text: &str) -> Result<Self, NoPageKey> {
        let bytes: [u8; 32] = bytes_of(text.trim()).ok_or(NoPageKey)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The MAC of a text for a purpose, in 64 hexadecimal digits. A MAC for one purpose is none for another.
    #[must_use]
    pub fn mac(&self, purpose: &str, text: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(text.as_bytes());
        hex(context.sign().as_ref())
    }

    /// Whether a MAC is that of a text for a purpose, in constant time.
    #[must_use]
    pub fn is_mac(&self, purpose: &str, text: &str, mac: &str) -> bool {
        self.mac(purpose, text).as_bytes().ct_eq(mac.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_is_of_its_key_its_purpose_and_its_text() {
        let [key, other] = ["07", "08"].map(|byte| PageKey::parse(&byte.repeat(32)).unwrap());
        let mac = key.mac("code", "1");
        assert!(key.is_mac("code", "1", &mac));
        assert!(!key.is_mac("code", "2", &mac));
        assert!(!key.is_mac("session", "1", &mac));
        assert!(!other.is_mac("code", "1", &mac));
        assert!(!key.is_mac("code", "1", &mac[1..]));
        assert_ne!(key.mac("a", "b"), key.mac("a\0b", ""));
    }

    #[test]
    fn no_fault_shows_a_key() {
        for text in ["", "07", &"zz".repeat(32), &"07".repeat(33)] {
            assert_eq!(PageKey::parse(text).unwrap_err(), NoPageKey);
        }
        assert_eq!(format!("{:?}", PageKey::parse(&"07".repeat(32)).unwrap()), "PageKey");
    }
}
