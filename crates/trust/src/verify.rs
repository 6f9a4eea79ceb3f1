//! Checking a signature, strictly.

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};

use crate::bundle::{Bundle, MEDIA_TYPE, PAYLOAD_TYPE, pre_authentication};
use crate::files::signed_files;
use crate::key::{hint, read_public};
use crate::statement::{Statement, not_a_bundle};
use crate::{Files, VerifyError};

/// Whether `files`, all files of the folder, are exactly those that the holder of `public_pem`'s key signed.
/// [`crate::SIGNATURE_FILE`] may be among them and is passed over; nothing else is, however hidden.
///
/// # Errors
/// Names the first thing that is wrong: the bundle's form, the key, the signature, then a file altered, missing or
/// extra.
pub fn verify(bundle: &[u8], files: &Files, public_pem: &str) -> Result<(), VerifyError> {
    let key = read_public(public_pem)?;
    let bundle: Bundle = serde_json::from_slice(bundle).map_err(|error| not_a_bundle(error.to_string()))?;
    check_key(&bundle, &key)?;
    let payload = signed_payload(&bundle, &key)?;
    let statement: Statement = serde_json::from_slice(payload).map_err(|error| not_a_bundle(error.to_string()))?;
    compare(&statement.files()?, files)
}

fn check_key(bundle: &Bundle, key: &VerifyingKey) -> Result<(), VerifyError> {
    if bundle.media_type != MEDIA_TYPE {
        return Err(not_a_bundle(format!("mediaType is {:?}", bundle.media_type)));
    }
    let (signed, given) = (bundle.verification_material.public_key.hint.clone(), hint(key)?);
    if signed == given { Ok(()) } else { Err(VerifyError::OtherKey { signed, given }) }
}

/// The payload, once its signature is found good: nothing of it is read before.
fn signed_payload<'a>(bundle: &'a Bundle, key: &VerifyingKey) -> Result<&'a [u8], VerifyError> {
    let envelope = &bundle.dsse_envelope;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(not_a_bundle(format!("payloadType is {:?}", envelope.payload_type)));
    }
    let [signature] = &envelope.signatures[..] else {
        return Err(not_a_bundle(format!("it has {} signatures", envelope.signatures.len())));
    };
    let signature = Signature::from_der(&signature.sig).map_err(|_| VerifyError::BadSignature)?;
    key.verify(&pre_authentication(&envelope.payload), &signature).map_err(|_| VerifyError::BadSignature)?;
    Ok(&envelope.payload)
}

fn compare(signed: &Files, found: &Files) -> Result<(), VerifyError> {
    for (name, digest) in signed {
        match found.get(name) {
            None => return Err(VerifyError::Missing(name.clone())),
            Some(other) if other != digest => return Err(VerifyError::Altered(name.clone())),
            Some(_) => {}
        }
    }
    match signed_files(found).find(|(name, _)| !signed.contains_key(*name)) {
        Some((name, _)) => Err(VerifyError::Extra(name.clone())),
        None => Ok(()),
    }
}
