//! Secrets at rest: what may hold their data is sealed before it is written and opened after it is read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::meta;

/// Where the sealed text lies in a stored Secret.
const FIELD: &str = "sealed";
/// What is sealed. kubectl keeps the whole of what it applied, data and all, in an annotation.
const SEALED: [&str; 3] = ["/data", "/metadata/annotations", "/metadata/managedFields"];
/// Names the cipher (XChaCha20-Poly1305, draft-irtf-cfrg-xchacha) and the layout: nonce, then ciphertext and tag, in base64.
const PREFIX: &str = "xchacha20poly1305:";
const NONCE: usize = 24;

/// Seals and opens with one key.
#[derive(Clone)]
pub struct Seal {
    key: [u8; 32],
    random: fn() -> [u8; 16],
}

impl Seal {
    pub const fn new(key: [u8; 32], random: fn() -> [u8; 16]) -> Self {
        Self { key, random }
    }

    /// Replaces what is to be sealed by one text, which opens in this object only.
    pub fn close(&self, mut secret: Value) -> Result<Value, ApiError> {
        let parts = SEALED.map(|path| take(&mut secret, path));
        let (plain, bound_to) = (json!(parts).to_string(), bound_to(&secret));
        let nonce = self.nonce(&plain, &bound_to);
        let payload = Payload { msg: plain.as_bytes(), aad: bound_to.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| ApiError::Internal("a secret could not be sealed".to_owned()))?;
        secret[FIELD] = format!("{PREFIX}{}", STANDARD.encode([nonce.as_slice(), &sealed].concat())).into();
        Ok(secret)
    }

    /// Puts it back. A Secret that an older version stored in the open is given as it is.
    pub fn open(&self, mut secret: Value) -> Result<Value, ApiError> {
        let Some(sealed) = secret.as_object_mut().and_then(|fields| fields.shift_remove(FIELD)) else {
            return Ok(secret);
        };
        let parts = self.unseal(sealed.as_str().unwrap_or_default(), &bound_to(&secret));
        for (path, part) in SEALED.into_iter().zip(parts.ok_or_else(|| unreadable(&secret))?) {
            put(&mut secret, path, part);
        }
        Ok(secret)
    }

    fn unseal(&self, sealed: &str, bound_to: &str) -> Option<[Option<Value>; 3]> {
        let bytes = STANDARD.decode(sealed.strip_prefix(PREFIX)?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: bound_to.as_bytes() };
        let plain = self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.key.into())
    }

    /// Random, and of the content too: should randomness ever repeat, a nonce still meets one content only.
    fn nonce(&self, plain: &str, bound_to: &str) -> [u8; NONCE] {
        let parts = [self.key.as_slice(), &(self.random)(), bound_to.as_bytes(), b"\0", plain.as_bytes()];
        let digest = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
        std::array::from_fn(|at| digest[at])
    }
}

fn take(secret: &mut Value, path: &str) -> Option<Value> {
    let (parent, field) = path.rsplit_once('/')?;
    secret.pointer_mut(parent)?.as_object_mut()?.shift_remove(field)
}

fn put(secret: &mut Value, path: &str, part: Option<Value>) {
    let Some((parent, field)) = path.rsplit_once('/') else { return };
    if let (Some(part), Some(fields)) = (part, secret.pointer_mut(parent).and_then(Value::as_object_mut)) {
        fields.insert(field.to_owned(), part);
    }
}

/// What a sealed text cannot be moved away from.
fn bound_to(secret: &Value) -> String {
    let namespace = meta::text(secret, "namespace").unwrap_or_default();
    format!("{namespace}/{}/{}", meta::name(secret), meta::uid(secret))
}

fn unreadable(secret: &Value) -> ApiError {
    let namespace = meta::text(secret, "namespace").unwrap_or_default();
    ApiError::Corrupt {
        object: format!("secret {namespace}/{}", meta::name(secret)),
        why: "it was sealed with another key, or altered; put back the key file it was sealed with".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(key: u8) -> Seal {
        Seal::new([key; 32], || [7; 16])
    }

    fn secret(name: &str) -> Value {
        let annotations = json!({ "kubectl.kubernetes.io/last-applied-configuration": "password: aHVudGVyMg==" });
        let metadata = json!({ "name": name, "namespace": "n", "uid": "u", "annotations": annotations });
        json!({ "metadata": metadata, "data": { "password": "aHVudGVyMg==" } })
    }

    #[test]
    fn closed_it_does_not_show_and_opened_it_is_whole() {
        let closed = seal(1).close(secret("a")).unwrap();
        assert!(closed.get("data").is_none() && !closed.to_string().contains("aHVudGVyMg"), "{closed}");
        assert!(!closed.to_string().contains("password"), "{closed}");
        assert_eq!(seal(1).open(closed).unwrap(), secret("a"));
    }

    #[test]
    fn another_key_an_altered_text_or_another_secret_do_not_open_it() {
        let closed = seal(1).close(secret("a")).unwrap();
        assert!(matches!(seal(2).open(closed.clone()), Err(ApiError::Corrupt { .. })));
        let mut moved = closed.clone();
        moved["metadata"]["name"] = "b".into();
        assert!(seal(1).open(moved).is_err());
        let mut altered = closed;
        let text = altered[FIELD].as_str().unwrap().replace(PREFIX, "");
        let mut bytes = STANDARD.decode(text).unwrap();
        bytes[NONCE] ^= 1;
        altered[FIELD] = format!("{PREFIX}{}", STANDARD.encode(bytes)).into();
        assert!(seal(1).open(altered).is_err());
    }

    #[test]
    fn with_the_same_randomness_two_contents_have_two_nonces() {
        let seal = seal(1);
        assert_ne!(seal.nonce("a", "n/a/u"), seal.nonce("b", "n/a/u"));
        assert_ne!(seal.nonce("a", "n/a/u"), seal.nonce("a", "n/b/u"));
    }

    #[test]
    fn what_was_stored_in_the_open_is_read() {
        assert_eq!(seal(1).open(secret("a")).unwrap(), secret("a"));
    }
}
