use bedplate_audit::{
    AuditError, Checkpoint, Head, append, entries, head, latest_checkpoint, leaf_hash, prove, root_at, sign_checkpoint,
    verify,
};
use bedplate_types::Digest;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::{Log, ORIGIN, entry, signer};

/// MTH of RFC 6962 section 2.1, as it is written there.
pub fn naive_root(leaves: &[Vec<u8>]) -> Digest {
    match leaves {
        [] => Digest::from_sha256(Sha256::digest(b"").into()),
        [leaf] => leaf_hash(leaf),
        _ => {
            let k = (0..).map(|power| 1 << power).take_while(|k| *k < leaves.len()).last().unwrap();
            let (left, right) = (naive_root(&leaves[..k]), naive_root(&leaves[k..]));
            let bytes = [&[1], &left.as_bytes()[..], right.as_bytes()].concat();
            Digest::from_sha256(Sha256::digest(bytes).into())
        }
    }
}

pub fn bodies(leaves: u64) -> Vec<Vec<u8>> {
    (0..leaves).map(|index| entry(index).body()).collect()
}

#[test]
fn every_root_on_the_way_is_that_of_the_naive_tree() {
    let log = Log::new(70, &[]);
    let bodies = bodies(70);
    log.db
        .read(|tx| {
            for size in 0..=70 {
                assert_eq!(root_at(tx, size)?, naive_root(&bodies[..usize::try_from(size).unwrap()]), "{size}");
            }
            assert_eq!(head(tx)?, Head { leaves: 70, root: naive_root(&bodies) });
            assert!(matches!(root_at(tx, 71), Err(AuditError::Missing { index: 70 })));
            Ok::<_, AuditError>(())
        })
        .unwrap();
}

#[test]
fn every_inclusion_proof_holds_and_no_other_leaf_fits_it() {
    let log = Log::new(33, &[]);
    let bodies = bodies(33);
    log.db
        .read(|tx| {
            for size in 1..=33u64 {
                let root = naive_root(&bodies[..usize::try_from(size).unwrap()]);
                for index in 0..size {
                    let proof = prove(tx, index, size)?;
                    for (other, body) in (0..).zip(&bodies) {
                        assert_eq!(proof.verify(body, &root), other == index, "{other} for {index} of {size}");
                    }
                }
            }
            Ok::<_, AuditError>(())
        })
        .unwrap();
    let error = log.db.read(|tx| prove(tx, 5, 5)).unwrap_err();
    assert_eq!(error.to_string(), "the audit log has 33 leaves, and a proof for leaf 5 among 5 was asked for");
    assert!(log.db.read(|tx| prove(tx, 5, 34)).is_err());
}

#[test]
fn a_proof_cut_short_does_not_pass_the_hash_of_a_subtree_off_as_the_root() {
    let log = Log::new(4, &[]);
    let (mut proof, subtree) = log.db.read(|tx| Ok::<_, AuditError>((prove(tx, 0, 4)?, root_at(tx, 2)?))).unwrap();
    proof.hashes.pop();
    assert!(!proof.verify(&entry(0).body(), &subtree));
    proof.size = 2;
    assert!(proof.verify(&entry(0).body(), &subtree), "as a proof in the log of 2 leaves it would do");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_proof_holds_for_its_leaf_its_root_and_its_hashes_only(
        size in 1..200u64, index in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>(), bit in 0..8u8,
    ) {
        let log = Log::new(size, &[]);
        let bodies = bodies(size);
        let root = naive_root(&bodies);
        let index = index.index(bodies.len());
        let proof = log.db.read(|tx| prove(tx, index as u64, size)).unwrap();
        prop_assert!(proof.verify(&bodies[index], &root));

        let mut body = bodies[index].clone();
        let at = flip.index(body.len());
        body[at] ^= 1 << bit;
        prop_assert!(!proof.verify(&body, &root));

        let mut longer = proof.clone();
        longer.hashes.push(root);
        prop_assert!(!longer.verify(&bodies[index], &root));
        if !proof.hashes.is_empty() {
            let mut other = proof.clone();
            let at = flip.index(other.hashes.len());
            let mut raw = *other.hashes[at].as_bytes();
            raw[31] ^= 1 << bit;
            other.hashes[at] = Digest::from_sha256(raw);
            prop_assert!(!other.verify(&bodies[index], &root));
            let mut shorter = proof;
            shorter.hashes.pop();
            prop_assert!(!shorter.verify(&bodies[index], &root));
        }
    }
}

#[test]
fn entries_come_back_in_order_and_a_failed_write_leaves_no_leaf() {
    let log = Log::new(5, &[]);
    let failed = log.db.write(|tx| {
        append(tx, &entry(5))?;
        Err::<(), _>(AuditError::Key)
    });
    assert!(failed.is_err());
    let found = log.db.read(|tx| entries(tx, 3, 10)).unwrap();
    assert_eq!(found, [(3, entry(3)), (4, entry(4))]);
    assert_eq!(log.db.read(|tx| entries(tx, 0, 2)).unwrap().len(), 2);
}

#[test]
fn a_checkpoint_is_a_signed_note_anybody_can_read() {
    let log = Log::new(3, &[]);
    assert_eq!(log.db.read(latest_checkpoint).unwrap(), None);
    let made = log.db.write(|tx| sign_checkpoint(tx, &signer(), ORIGIN)).unwrap();
    let lines: Vec<&str> = made.note.split('\n').collect();
    assert_eq!((lines[0], lines[1], lines[3], lines.len()), (ORIGIN, "3", "", 6));
    assert!(lines[4].starts_with("\u{2014} bedplate.example/audit "));
    assert_eq!(Checkpoint::parse(&made.note).unwrap(), made);
    assert!(made.is_signed_by(&signer().public_key()));
    assert_eq!(log.db.read(latest_checkpoint).unwrap(), Some(made));
    let bad = log.db.write(|tx| sign_checkpoint(tx, &signer(), "two words")).unwrap_err();
    assert!(matches!(bad, AuditError::Origin(_)));
}

#[test]
fn a_log_as_it_was_written_verifies() {
    for (leaves, signed, covered) in [(0, &[][..], None), (1, &[1], Some(1)), (100, &[7, 64, 90], Some(90))] {
        let log = Log::new(leaves, signed);
        let verified = log.db.read(|tx| verify(tx, &signer().public_key())).unwrap();
        assert_eq!((verified.leaves, verified.signed), (leaves, covered));
        assert_eq!(verified.root, naive_root(&bodies(leaves)));
    }
    let empty = Log::new(0, &[]);
    empty.db.write(|tx| sign_checkpoint(tx, &signer(), ORIGIN)).unwrap();
    assert_eq!(empty.db.read(|tx| verify(tx, &signer().public_key())).unwrap().signed, Some(0));
}
