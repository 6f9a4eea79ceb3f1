//! Making a signature.

use p256::ecdsa::signature::Signer;

use crate::bundle::{Bundle, Envelope, MEDIA_TYPE, Material, PAYLOAD_TYPE, PublicKey, Signature, pre_authentication};
use crate::files::{is_plain, signed_files};
use crate::key::hint;
use crate::statement::Statement;
use crate::{Files, SignError, SigningKey};

/// Signs a folder's files, except [`crate::SIGNATURE_FILE`], and returns the bundle's bytes for that file.
/// `model` is the subject's name, for people. Same files, same key, same bytes (RFC 6979).
///
/// # Errors
/// When there are no files, or a name is not a plain relative path.
pub fn sign(model: &str, files: &Files, key: &SigningKey) -> Result<Vec<u8>, SignError> {
    check(files)?;
    let payload = json(&Statement::of(model, files));
    let signature: p256::ecdsa::Signature = key.inner().sign(&pre_authentication(&payload));
    let signature = Signature { sig: signature.to_der().as_bytes().to_vec(), keyid: String::new() };
    Ok(json(&Bundle {
        media_type: MEDIA_TYPE.to_owned(),
        verification_material: Material {
            public_key: PublicKey { hint: hint(key.inner().verifying_key())? },
            tlog_entries: Vec::new(),
        },
        dsse_envelope: Envelope { payload, payload_type: PAYLOAD_TYPE.to_owned(), signatures: vec![signature] },
    }))
}

fn check(files: &Files) -> Result<(), SignError> {
    if signed_files(files).next().is_none() {
        return Err(SignError::Empty);
    }
    match files.keys().find(|name| !is_plain(name)) {
        Some(name) => Err(SignError::Name(name.clone())),
        None => Ok(()),
    }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings, lists and maps with string keys are always JSON")
}
