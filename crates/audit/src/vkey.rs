//! Verifier keys: a public key with the name it signs under, and the sort of signature it makes (C2SP signed-note).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::key::ED25519;
use crate::note::{Note, is_key_name};
use crate::{AuditError, PublicKey};

/// The signature type of Ed25519 cosignatures (C2SP tlog-cosignature).
const COSIGNATURE: u8 = 4;

/// Whom to believe. Written `<name>+<key id in hex>+<base64 of type and key>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    pub(crate) name: String,
    pub(crate) signature: u8,
    pub(crate) key: PublicKey,
}

impl VerifierKey {
    /// The key of a log that signs checkpoints under its origin.
    #[must_use]
    pub fn of_log(origin: &str, key: PublicKey) -> Self {
        Self { name: origin.to_owned(), signature: ED25519, key }
    }

    /// The key of a witness that cosigns checkpoints.
    #[must_use]
    pub fn of_witness(name: &str, key: PublicKey) -> Self {
        Self { name: name.to_owned(), signature: COSIGNATURE, key }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn is_witness(&self) -> bool {
        self.signature == COSIGNATURE
    }

    /// What stands before a signature: the first four bytes of SHA-256 of name, newline, type and key.
    pub(crate) fn id(&self) -> [u8; 4] {
        let hash = Sha256::new().chain_update(&self.name).chain_update("\n").chain_update(self.typed()).finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    fn typed(&self) -> Vec<u8> {
        [&[self.signature][..], &self.key.as_bytes()].concat()
    }

    /// Whether the note is signed by this key, and everything it seems to have signed it did sign.
    pub(crate) fn signed(&self, note: &Note<'_>) -> bool {
        let mine = note.signatures.iter().filter(|line| line.name == self.name && line.id() == self.id());
        let mut verified = mine.map(|line| self.verifies(note.text, line.bytes())).peekable();
        self.signature == ED25519 && verified.peek().is_some() && verified.all(|verified| verified)
    }

    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        signature.try_into().is_ok_and(|signature| self.key.verifies(text, signature))
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id()), STANDARD.encode(self.typed()))
    }
}

impl FromStr for VerifierKey {
    type Err = AuditError;

    fn from_str(text: &str) -> Result<Self, AuditError> {
        let text = text.trim();
        let (name, rest) = text.split_once('+').filter(|(name, _)| is_key_name(name)).ok_or(AuditError::Key)?;
        let typed = rest.split_once('+').and_then(|(_, key)| STANDARD.decode(key).ok()).ok_or(AuditError::Key)?;
        let (signature, raw) = typed.split_first().ok_or(AuditError::Key)?;
        let key = PublicKey::from_bytes(raw.try_into().map_err(|_| AuditError::Key)?)?;
        let read = Self { name: name.to_owned(), signature: *signature, key };
        // Writing it again checks the key id too.
        let known = matches!(*signature, ED25519 | COSIGNATURE) && read.to_string() == text;
        if known { Ok(read) } else { Err(AuditError::Key) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signer;

    // The example of C2SP signed-note.
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2O\
                        NncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn believes_the_specifications_example_and_no_other() {
        let key: VerifierKey = KEY.parse().unwrap();
        assert_eq!(key.to_string(), KEY);
        assert!(key.signed(&Note::parse(NOTE).unwrap()));
        assert!(!key.signed(&Note::parse(&NOTE.replace("an example", "no example")).unwrap()));
        let other = VerifierKey::of_log("example.com/foo", Signer::from_seed([1; 32]).public_key());
        assert!(!other.signed(&Note::parse(NOTE).unwrap()));
    }

    #[test]
    fn a_wrong_signature_beside_the_right_one_spoils_the_note() {
        let key: VerifierKey = KEY.parse().unwrap();
        let line = NOTE.lines().last().unwrap();
        let spoiled = format!("{NOTE}{}\n", line.replace("QOkn8", "QOkn9"));
        assert!(!key.signed(&Note::parse(&spoiled).unwrap()));
    }

    #[test]
    fn refuses_keys_that_do_not_fit_themselves() {
        for bad in ["", "a", "a+b", &KEY.replace("530d", "530e"), &KEY.replace("example", "example.")] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
        let witness = VerifierKey::of_witness("w", Signer::from_seed([1; 32]).public_key());
        assert_eq!(witness.to_string().parse::<VerifierKey>().unwrap(), witness);
        assert!(witness.is_witness());
    }
}
