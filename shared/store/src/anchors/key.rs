//! The keys of anchors: Ed25519, so that whoever verifies an anchor cannot make one.

use std::fmt;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::merkle::bytes_of;
use crate::history::hex;

/// Why a text is no key. The message never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key of anchors is 32 bytes in hexadecimal digits; `openssl rand -hex 32` makes a secret one")]
pub struct NoAnchorKey;

/// The secret key that signs anchors.
pub struct AnchorKey(Ed25519KeyPair);

/// Prints the public key alone.
impl fmt::Debug for AnchorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnchorKey").field(&self.public_key()).finish()
    }
}

impl AnchorKey {
    /// Parses a secret key: 32 random bytes in hexadecimal digits.
    ///
    /// # Errors
    /// [`NoAnchorKey`], which never quotes the text.
    pub fn parse(text: &str) -> Result<Self, NoAnchorKey> {
        let seed: [u8; 32] = bytes_of(text.trim()).ok_or(NoAnchorKey)?;
        Ed25519KeyPair::from_seed_unchecked(&seed).map(Self).map_err(|_| NoAnchorKey)
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn public_key(&self) -> AnchorPublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        AnchorPublicKey(bytes)
    }

    /// The signature of a text, as hexadecimal digits.
    pub(super) fn sign(&self, text: &[u8]) -> String {
        hex(self.0.sign(text).as_ref())
    }
}

/// The public key that verifies anchors, as hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorPublicKey([u8; 32]);

impl AnchorPublicKey {
    /// Whether the key has signed a text.
    pub(super) fn verifies(&self, text: &[u8], signature: &str) -> bool {
        let Some(signature) = bytes_of::<64>(signature) else { return false };
        UnparsedPublicKey::new(&ED25519, self.0).verify(text, &signature).is_ok()
    }
}

impl fmt::Display for AnchorPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::str::FromStr for AnchorPublicKey {
    type Err = NoAnchorKey;

    fn from_str(text: &str) -> Result<Self, NoAnchorKey> {
        bytes_of(text.trim()).map(Self).ok_or(NoAnchorKey)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test's own input is known to be good")]

    use super::*;

    #[test]
    fn only_the_key_that_signed_a_text_verifies_it() {
        let (key, other) =
            (AnchorKey::parse(&"07".repeat(32)).unwrap(), AnchorKey::parse(&"08".repeat(32)).unwrap());
        let signature = key.sign(b"text");
        assert!(key.public_key().verifies(b"text", &signature));
        assert!(!key.public_key().verifies(b"another", &signature));
        assert!(!other.public_key().verifies(b"text", &signature));
        assert_eq!(key.public_key().to_string().parse(), Ok(key.public_key()));
    }

    #[test]
    fn a_secret_key_is_never_shown() {
        let secret = "07".repeat(32);
        assert!(!format!("{:?}", AnchorKey::parse(&secret).unwrap()).contains(&secret));
        for text in ["", "07", "secret"] {
            assert_eq!(AnchorKey::parse(text).unwrap_err(), NoAnchorKey, "{text}");
        }
    }
}
