//! P-256 keys and their PEM forms.

use bedplate_types::Digest;
use p256::ecdsa::VerifyingKey;
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use sha2::{Digest as _, Sha256};

use crate::KeyError;

/// A private key that signs models. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SigningKey(p256::ecdsa::SigningKey);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl SigningKey {
    /// The key that 32 random bytes are.
    ///
    /// # Errors
    /// [`KeyError::Random`] for the few bytes (about 1 in 2^32) that are no scalar of the curve: draw again.
    pub fn from_random(random: &[u8; 32]) -> Result<Self, KeyError> {
        p256::ecdsa::SigningKey::from_slice(random).map(Self).map_err(|_| KeyError::Random)
    }

    /// Reads a PKCS#8 PEM (`BEGIN PRIVATE KEY`).
    ///
    /// # Errors
    /// [`KeyError::PrivatePem`] when the text is anything else.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        p256::ecdsa::SigningKey::from_pkcs8_pem(pem).map(Self).map_err(|_| KeyError::PrivatePem)
    }

    /// The key as PKCS#8 PEM: a secret, for a file only its owner may read.
    ///
    /// # Errors
    /// [`KeyError::Encode`]; not expected of a sound key.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        self.0.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).map_err(|_| KeyError::Encode)
    }

    /// The public half as SPKI PEM (`BEGIN PUBLIC KEY`), which verifiers are given.
    ///
    /// # Errors
    /// [`KeyError::Encode`]; not expected of a sound key.
    pub fn public_pem(&self) -> Result<String, KeyError> {
        public_pem(self.0.verifying_key())
    }

    pub(crate) fn inner(&self) -> &p256::ecdsa::SigningKey {
        &self.0
    }
}

pub(crate) fn read_public(pem: &str) -> Result<VerifyingKey, KeyError> {
    VerifyingKey::from_public_key_pem(pem).map_err(|_| KeyError::PublicPem)
}

fn public_pem(key: &VerifyingKey) -> Result<String, KeyError> {
    key.to_public_key_pem(LineEnding::LF).map_err(|_| KeyError::Encode)
}

/// The hint by which a bundle names its key: hex SHA-256 of the public key's PEM in its one canonical spelling.
pub(crate) fn hint(key: &VerifyingKey) -> Result<String, KeyError> {
    Ok(Digest::from_sha256(Sha256::digest(public_pem(key)?).into()).hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_round_trips() {
        let key = SigningKey::from_random(&[7; 32]).unwrap();
        let pem = key.to_pem().unwrap();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{pem}");
        let again = SigningKey::from_pem(&pem).unwrap();
        assert_eq!(again.public_pem(), key.public_pem());
        let public = key.public_pem().unwrap();
        assert!(public.starts_with("-----BEGIN PUBLIC KEY-----\n") && public.ends_with("-----END PUBLIC KEY-----\n"));
        assert_eq!(hint(&read_public(&public).unwrap()), hint(key.inner().verifying_key()));
    }

    #[test]
    fn refuses_what_is_no_key() {
        assert_eq!(SigningKey::from_random(&[0; 32]).unwrap_err(), KeyError::Random);
        assert_eq!(SigningKey::from_random(&[0xff; 32]).unwrap_err(), KeyError::Random);
        assert_eq!(SigningKey::from_pem("-----BEGIN PRIVATE KEY-----").unwrap_err(), KeyError::PrivatePem);
        assert_eq!(read_public("").unwrap_err(), KeyError::PublicPem);
    }

    #[test]
    fn debug_keeps_the_secret() {
        assert_eq!(format!("{:?}", SigningKey::from_random(&[7; 32]).unwrap()), "SigningKey(..)");
    }
}
