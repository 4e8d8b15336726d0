//! The keys that sign anchors of the history and policy versions: Ed25519, so that whoever verifies a signature cannot
//! make one. The first line of each signed text names its kind, so a signature of one kind is none of the other.

use std::fmt;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::anchors::bytes_of;
use crate::history::hex;

/// Why a text is no key. The message never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key that signs, and its public half, are 32 bytes each in hexadecimal digits; `openssl rand -hex 32` makes a secret one"
)]
pub struct NoSigningKey;

/// A secret key.
pub struct PrivateKey(Ed25519KeyPair);

/// Prints the public key alone.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PrivateKey").field(&self.public_key()).finish()
    }
}

impl PrivateKey {
    /// Parses a secret key: 32 random bytes in hexadecimal digits.
    ///
    /// # Errors
    /// [`NoSigningKey`], which never quotes the text.
    pub fn parse(text: &str) -> Result<Self, NoSigningKey> {
        let seed: [u8; 32] = bytes_of(text.trim()).ok_or(NoSigningKey)?;
        Ed25519KeyPair::from_seed_unchecked(&seed).map(Self).map_err(|_| NoSigningKey)
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn public_key(&self) -> VerifyingKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        VerifyingKey(bytes)
    }

    /// The signature of a text, as hexadecimal digits.
    pub(crate) fn sign(&self, text: &[u8]) -> String {
        hex(self.0.sign(text).as_ref())
    }
}

/// A public key, as hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// Whether the key has signed a text.
    pub(crate) fn verifies(&self, text: &[u8], signature: &str) -> bool {
        let Some(signature) = bytes_of::<64>(signature) else { return false };
        UnparsedPublicKey::new(&ED25519, self.0).verify(text, &signature).is_ok()
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::str::FromStr for VerifyingKey {
    type Err = NoSigningKey;

    fn from_str(text: &str) -> Result<Self, NoSigningKey> {
        bytes_of(text.trim()).map(Self).ok_or(NoSigningKey)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test's own input is known to be good")]

    use super::*;

    #[test]
    fn only_the_key_that_signed_a_text_verifies_it() {
        let (key, other) =
            (PrivateKey::parse(&"07".repeat(32)).unwrap(), PrivateKey::parse(&"08".repeat(32)).unwrap());
        let signature = key.sign(b"text");
        assert!(key.public_key().verifies(b"text", &signature));
        assert!(!key.public_key().verifies(b"another", &signature));
        assert!(!other.public_key().verifies(b"text", &signature));
        assert_eq!(key.public_key().to_string().parse(), Ok(key.public_key()));
    }

    #[test]
    fn a_secret_key_is_never_shown() {
        let secret = "07".repeat(32);
        assert!(!format!("{:?}", PrivateKey::parse(&secret).unwrap()).contains(&secret));
        for text in ["", "07", "secret"] {
            assert_eq!(PrivateKey::parse(text).unwrap_err(), NoSigningKey, "{text}");
        }
    }
}
