//! A witness played by the test, which checks what it is sent as C2SP tlog-witness says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bedplate_audit::{
    AuditError, Checkpoint, Consistency, PublicKey, VerifierKey, add_checkpoint, cosignatures, known_size,
    prove_consistency, root_at, sign_checkpoint,
};
use bedplate_types::Digest;
use ed25519_dalek::{Signer as _, SigningKey};

use crate::{Log, ORIGIN, signer};

const NAME: &str = "witness.example/w1";

fn secret() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn witness() -> VerifierKey {
    VerifierKey::of_witness(NAME, PublicKey::from_bytes(&secret().verifying_key().to_bytes()).unwrap())
}

/// The line a witness answers, made by hand from the specification.
fn cosign(checkpoint: &Checkpoint, name: &str, at: u64) -> String {
    let (body, _) = checkpoint.note.split_once("\n\n").unwrap();
    let signature = secret().sign(format!("cosignature/v1\ntime {at}\n{body}\n").as_bytes()).to_bytes();
    let id = u32::from_str_radix(witness().to_string().split('+').nth(1).unwrap(), 16).unwrap();
    let raw = [&id.to_be_bytes()[..], &at.to_be_bytes(), &signature].concat();
    format!("\u{2014} {name} {}\n", STANDARD.encode(raw))
}

fn log() -> (Log, Checkpoint, Consistency) {
    let log = Log::new(30, &[11]);
    let checkpoint = log.db.write(|tx| sign_checkpoint(tx, &signer(), ORIGIN)).unwrap();
    let proof = log.db.read(|tx| prove_consistency(tx, 11, 30)).unwrap();
    (log, checkpoint, proof)
}

#[test]
fn a_request_holds_what_a_witness_checks() {
    let (log, checkpoint, proof) = log();
    let request = add_checkpoint(&proof, &checkpoint).unwrap();
    let (head, note) = request.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("old 11"));
    let hashes = lines.map(|line| Digest::from_sha256(STANDARD.decode(line).unwrap().try_into().unwrap())).collect();
    let received = Checkpoint::parse(note).unwrap();
    assert!(received.is_signed_by(&signer().public_key()));
    let proof = Consistency { old: 11, new: received.size, hashes };
    assert!(proof.verify(&log.db.read(|tx| root_at(tx, 11)).unwrap(), &received.root));
}

#[test]
fn the_first_request_carries_no_proof_and_another_checkpoints_proof_is_refused() {
    let (log, checkpoint, mut proof) = log();
    let first = log.db.read(|tx| prove_consistency(tx, 0, 30)).unwrap();
    assert_eq!(add_checkpoint(&first, &checkpoint).unwrap(), format!("old 0\n\n{}", checkpoint.note));
    proof.new = 29;
    assert!(matches!(add_checkpoint(&proof, &checkpoint), Err(AuditError::Witness(_))));
}

#[test]
fn a_cosignature_is_believed_and_goes_onto_the_note() {
    let (_log, checkpoint, _) = log();
    let answer = cosign(&checkpoint, NAME, 1_679_315_147) + "\u{2014} somebody.example/else AAAAAAE=\n";
    let found = cosignatures(&checkpoint, &answer, &[witness()]).unwrap();
    assert_eq!(found.iter().map(|one| (one.witness.as_str(), one.at)).collect::<Vec<_>>(), [(NAME, 1_679_315_147)]);
    let cosigned = checkpoint.clone().with_cosignatures(&found).with_cosignatures(&found);
    assert_eq!(cosigned.note, checkpoint.note.clone() + &cosign(&checkpoint, NAME, 1_679_315_147));
    assert!(cosigned.is_signed_by(&signer().public_key()), "the log's own signature stays");
    assert_eq!(Checkpoint::parse(&cosigned.note).unwrap().cosigned_by(&[witness()]).unwrap(), found);
    assert!(checkpoint.cosigned_by(&[witness()]).unwrap().is_empty());
}

#[test]
fn what_a_witness_did_not_sign_is_refused() {
    let (_log, checkpoint, _) = log();
    let other = Log::new(7, &[]).db.write(|tx| sign_checkpoint(tx, &signer(), ORIGIN)).unwrap();
    let not_a_key_of_a_witness =
        VerifierKey::of_log(NAME, PublicKey::from_bytes(&secret().verifying_key().to_bytes()).unwrap());
    let good = cosign(&checkpoint, NAME, 5);
    for (answer, trusted) in [
        (cosign(&other, NAME, 5), witness()),
        (cosign(&checkpoint, NAME, 0), witness()),
        (cosign(&checkpoint, NAME, u64::MAX), witness()),
        (good.replace("Pw", "Pv"), VerifierKey::of_witness("w2", signer().public_key())),
        (cosign(&checkpoint, "witness.example/w2", 5), witness()),
        (good.clone(), not_a_key_of_a_witness),
        (good.trim_end().to_owned(), witness()),
        (String::new(), witness()),
        (format!("{good}{}", good.repeat(1_000)), witness()),
    ] {
        let refused = cosignatures(&checkpoint, &answer, &[trusted]);
        assert!(matches!(refused, Err(AuditError::Witness(_))), "{answer:.80}");
    }
    assert!(cosignatures(&checkpoint, &good, &[witness()]).is_ok());
}

#[test]
fn a_witness_that_knows_another_size_says_so() {
    assert_eq!(known_size("20852014\n").unwrap(), 20_852_014);
    for bad in ["", "\n", "12", "-1\n", "007\n", "12\n13\n"] {
        assert!(known_size(bad).is_err(), "{bad:?}");
    }
}
