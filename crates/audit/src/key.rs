//! The key that signs checkpoints, and its public half as signed notes name it (C2SP signed-note).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::{AuditError, VerifierKey};

/// The signature type of Ed25519 in signed notes.
pub(crate) const ED25519: u8 = 1;

/// Signs checkpoints. It does not show its secret.
pub struct Signer(SigningKey);

impl Signer {
    /// A signer from 32 secret random bytes.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, text: &str) -> [u8; 64] {
        self.0.sign(text.as_bytes()).to_bytes()
    }
}

/// Checks checkpoints. Written as 32 bytes in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// # Errors
    /// [`AuditError::Key`] when these bytes are no point on the curve.
    pub fn from_bytes(raw: &[u8; 32]) -> Result<Self, AuditError> {
        VerifyingKey::from_bytes(raw).map(Self).map_err(|_| AuditError::Key)
    }

    #[must_use]
    pub fn as_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The key as other tools take it: `<name>+<key id>+<base64>` (C2SP signed-note, verifier keys).
    #[must_use]
    pub fn verifier_key(&self, name: &str) -> String {
        VerifierKey { name: name.to_owned(), signature: ED25519, key: *self }.to_string()
    }

    pub(crate) fn verifies(&self, text: &str, signature: &[u8; 64]) -> bool {
        self.0.verify_strict(text.as_bytes(), &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0.as_bytes()))
    }
}

impl FromStr for PublicKey {
    type Err = AuditError;

    fn from_str(text: &str) -> Result<Self, AuditError> {
        let raw = STANDARD.decode(text.trim()).map_err(|_| AuditError::Key)?;
        Self::from_bytes(&raw.try_into().map_err(|_| AuditError::Key)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_reads_as_it_is_written() {
        let key = Signer::from_seed([3; 32]).public_key();
        assert_eq!(key.to_string().parse::<PublicKey>().unwrap(), key);
        assert!("AAAA".parse::<PublicKey>().is_err() && "%".parse::<PublicKey>().is_err());
    }

    #[test]
    fn names_itself_as_the_specification_has_it() {
        // The example verifier key of the Go module sumdb/note.
        let known = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let raw = STANDARD.decode(known.rsplit_once('+').unwrap().1).unwrap();
        let key = PublicKey::from_bytes(&raw[1..].try_into().unwrap()).unwrap();
        assert_eq!(key.verifier_key("PeterNeumann"), known);
    }
}
