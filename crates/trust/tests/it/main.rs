//! A signed folder verifies as long as nothing about it changes.

use bedplate_trust::{Files, KeyError, SIGNATURE_FILE, SignError, SigningKey, VerifyError, sign, verify};
use bedplate_types::Digest;

fn key() -> SigningKey {
    SigningKey::from_random(&[42; 32]).unwrap()
}

fn files() -> Files {
    [("model.onnx", 1), ("data/features.json", 2), ("signature.json", 3)]
        .map(|(name, byte)| (name.to_owned(), Digest::from_sha256([byte; 32])))
        .into()
}

fn check(change: impl FnOnce(&mut Files)) -> Result<(), VerifyError> {
    let bundle = sign("delay", &files(), &key()).unwrap();
    let mut found = files();
    change(&mut found);
    verify(&bundle, &found, &key().public_pem().unwrap())
}

fn insert(files: &mut Files, name: &str) {
    files.insert(name.to_owned(), Digest::from_sha256([9; 32]));
}

#[test]
fn unchanged_files_verify() {
    assert_eq!(check(|_| ()), Ok(()));
    assert_eq!(check(|files| insert(files, SIGNATURE_FILE)), Ok(()));
}

#[test]
fn signing_again_gives_the_same_bytes_with_or_without_the_signature_there() {
    let mut with = files();
    insert(&mut with, SIGNATURE_FILE);
    assert_eq!(sign("delay", &files(), &key()), sign("delay", &with, &key()));
}

#[test]
fn any_change_of_the_folder_is_refused() {
    assert_eq!(check(|files| insert(files, "model.onnx")), Err(VerifyError::Altered("model.onnx".into())));
    assert_eq!(
        check(|files| {
            files.remove("model.onnx");
        }),
        Err(VerifyError::Missing("model.onnx".into()))
    );
    for extra in ["extra.bin", ".gitignore", ".git/config", ".hidden", "data/model.sig", "model.sig.bak"] {
        assert_eq!(check(|files| insert(files, extra)), Err(VerifyError::Extra(extra.into())), "{extra}");
    }
    let moved = check(|files| {
        let digest = files.remove("signature.json").unwrap();
        files.insert("Signature.json".into(), digest);
    });
    assert_eq!(moved, Err(VerifyError::Missing("signature.json".into())));
}

#[test]
fn another_key_is_refused() {
    let bundle = sign("delay", &files(), &key()).unwrap();
    let other = SigningKey::from_random(&[43; 32]).unwrap();
    let verdict = verify(&bundle, &files(), &other.public_pem().unwrap());
    assert!(matches!(verdict, Err(VerifyError::OtherKey { .. })));
    assert_eq!(verify(&bundle, &files(), "no key"), Err(VerifyError::Key(KeyError::PublicPem)));
}

#[test]
fn no_changed_bundle_passes_for_other_files() {
    let bundle: serde_json::Value = serde_json::from_slice(&sign("delay", &files(), &key()).unwrap()).unwrap();
    let mut other = files();
    insert(&mut other, "model.onnx");
    let forged: serde_json::Value = serde_json::from_slice(&sign("delay", &other, &key()).unwrap()).unwrap();
    let mut mixed = bundle.clone();
    mixed["dsseEnvelope"]["payload"] = forged["dsseEnvelope"]["payload"].clone();
    let public = key().public_pem().unwrap();
    let verdict = |bundle: &serde_json::Value| verify(&serde_json::to_vec(bundle).unwrap(), &other, &public);
    assert_eq!(verdict(&mixed), Err(VerifyError::BadSignature));
    mixed["dsseEnvelope"]["signatures"] = serde_json::json!([]);
    assert!(matches!(verdict(&mixed), Err(VerifyError::NotABundle(_))));
    let mut typed = forged.clone();
    typed["dsseEnvelope"]["payloadType"] = "text/plain".into();
    assert!(matches!(verdict(&typed), Err(VerifyError::NotABundle(_))));
    assert_eq!(verdict(&forged), Ok(()));
}

#[test]
fn every_truncation_is_refused() {
    let bundle = sign("delay", &files(), &key()).unwrap();
    let public = key().public_pem().unwrap();
    for end in 0..bundle.len() {
        assert!(verify(&bundle[..end], &files(), &public).is_err(), "{end}");
    }
}

#[test]
fn what_cannot_be_signed_is_named() {
    assert_eq!(sign("m", &Files::new(), &key()), Err(SignError::Empty));
    let mut files = files();
    insert(&mut files, "../escape");
    assert_eq!(sign("m", &files, &key()), Err(SignError::Name("../escape".into())));
}
