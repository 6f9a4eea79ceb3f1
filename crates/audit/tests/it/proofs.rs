//! Consistency proofs and receipts.

use bedplate_audit::{AuditError, Consistency, Receipt, VerifierKey, prove_consistency, receipt, root_at};
use bedplate_types::Digest;
use proptest::prelude::*;

use crate::folder::key;
use crate::grow::{bodies, naive_root};
use crate::{BIG, Log, big, entry, signer};

#[test]
fn every_consistency_proof_holds_and_fits_no_other_root() {
    let log = Log::new(24, &[]);
    let bodies = bodies(24);
    let roots: Vec<Digest> = (0..=24).map(|size| naive_root(&bodies[..size])).collect();
    for new in 0..=24 {
        for old in 0..=new {
            let proof = log.db.read(|tx| prove_consistency(tx, old as u64, new as u64)).unwrap();
            for (size, root) in roots.iter().enumerate() {
                assert_eq!(proof.verify(root, &roots[new]), size == old, "{old} {new}: old {size}");
                let beginning = old == 0 && new > 0;
                assert!(beginning || proof.verify(&roots[old], root) == (size == new), "{old} {new}: new {size}");
            }
        }
    }
}

#[test]
fn matches_the_examples_of_rfc_6962() {
    // Section 2.1.3: in a tree of 7 leaves, PROOF(3, D[7]) = [c, d, g, l], PROOF(4, D[7]) = [l] and
    // PROOF(6, D[7]) = [i, j, k].
    let log = Log::new(7, &[]);
    let bodies = bodies(7);
    let hash = |from: usize, to: usize| naive_root(&bodies[from..to]);
    let proof = |old| log.db.read(|tx| prove_consistency(tx, old, 7)).unwrap().hashes;
    assert_eq!(proof(3), [hash(2, 3), hash(3, 4), hash(0, 2), hash(4, 7)]);
    assert_eq!(proof(4), [hash(4, 7)]);
    assert_eq!(proof(6), [hash(4, 6), hash(6, 7), hash(0, 4)]);
}

#[test]
fn a_proof_does_not_hold_for_a_log_of_more_levels_than_it_climbs() {
    let log = Log::new(7, &[]);
    let bodies = bodies(7);
    let proof = log.db.read(|tx| prove_consistency(tx, 4, 7)).unwrap();
    let holds = |new| Consistency { new, ..proof.clone() }.verify(&naive_root(&bodies[..4]), &naive_root(&bodies));
    assert!(holds(7));
    assert!((9..70).all(|new| !holds(new)));
}

#[test]
fn sizes_the_log_never_had_in_this_order_have_no_proof() {
    let log = Log::new(5, &[]);
    for (old, new) in [(3, 2), (0, 6), (6, 6)] {
        let error = log.db.read(|tx| prove_consistency(tx, old, new)).unwrap_err();
        assert!(matches!(error, AuditError::Sizes { leaves: 5, .. }), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_consistency_proof_holds_for_its_sizes_its_roots_and_its_hashes_only(
        sizes in (1..=BIG, 1..=BIG), border in prop::option::of((0..3usize, 0..3usize)),
        at in any::<prop::sample::Index>(), bit in 0..8u8,
    ) {
        let borders = [255, 256, 257, 65_535, 65_536, 65_537];
        let sizes = border.map_or(sizes, |(one, two)| (borders[one], borders[3 + two]));
        let (old, new) = (sizes.0.min(sizes.1), sizes.0.max(sizes.1));
        let read = |size| big().db.read(|tx| root_at(tx, size)).unwrap();
        let (from, to) = (read(old), read(new));
        let proof = big().db.read(|tx| prove_consistency(tx, old, new)).unwrap();
        prop_assert!(proof.verify(&from, &to));
        prop_assert_eq!(proof.verify(&to, &from), old == new);
        let other_size = Consistency { new: new + 1, ..proof.clone() };
        prop_assert!(old != new || !other_size.verify(&from, &to));
        prop_assert!(!proof.verify(&flipped(&from, bit), &to) && !proof.verify(&from, &flipped(&to, bit)));
        let mut longer = proof.clone();
        longer.hashes.push(from);
        prop_assert!(!longer.verify(&from, &to));
        if !proof.hashes.is_empty() {
            let mut other = proof.clone();
            let at = at.index(other.hashes.len());
            other.hashes[at] = flipped(&other.hashes[at], bit);
            prop_assert!(!other.verify(&from, &to));
            let mut shorter = proof;
            shorter.hashes.pop();
            prop_assert!(!shorter.verify(&from, &to));
        }
    }

    #[test]
    fn a_receipt_reads_as_it_is_written_and_no_other_way(index in 0..BIG, at in any::<prop::sample::Index>(), bit in 0..7u8) {
        let made = big().db.read(|tx| receipt(tx, index)).unwrap();
        let text = made.to_string();
        prop_assert_eq!(Receipt::parse(&text).unwrap(), made.clone());
        made.verify(&key()).unwrap();
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(bytes).map_err(drop).and_then(|text| Receipt::parse(&text).map_err(drop)) {
            prop_assert!(changed.verify(&key()).is_err(), "byte {at} of\n{text}");
        }
    }
}

fn flipped(digest: &Digest, bit: u8) -> Digest {
    let mut raw = *digest.as_bytes();
    raw[7] ^= 1 << bit;
    Digest::from_sha256(raw)
}

#[test]
fn a_receipt_is_the_text_of_tlog_proof() {
    let log = Log::new(4, &[3]);
    let made = log.db.read(|tx| receipt(tx, 1)).unwrap();
    let text = made.to_string();
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!((lines[0], lines[2]), ("c2sp.org/tlog-proof@v1", "index 1"));
    assert!(lines[1].starts_with("extra "));
    assert_eq!((lines[5], lines[6], lines[7]), ("", crate::ORIGIN, "3"), "{text}");
    assert_eq!(made.body, entry(1).body());
    let told = made.to_json();
    assert_eq!((&told["leaf"], &told["entry"]["object"]), (&1.into(), &"Dataset flights/d1".into()));
    assert_eq!(told["tlogProof"], text);
    assert!(matches!(log.db.read(|tx| receipt(tx, 3)), Err(AuditError::OutOfRange { index: 3, size: 3, leaves: 4 })));
}

#[test]
fn a_receipt_convinces_only_under_the_key_and_for_the_place_it_is_of() {
    let log = Log::new(4, &[4]);
    let made = log.db.read(|tx| receipt(tx, 1)).unwrap();
    let stranger = VerifierKey::of_log("elsewhere.example/log", signer().public_key());
    assert!(matches!(made.verify(&stranger), Err(AuditError::Checkpoint { size: 4, .. })));
    let moved = made.to_string().replace("index 1", "index 0");
    assert!(matches!(Receipt::parse(&moved).unwrap().verify(&key()), Err(AuditError::Proof(_))));
    for bad in ["", "c2sp.org/tlog-proof@v2", &made.to_string().replace("index 1", "index 01"), &"x".repeat(1 << 20)] {
        assert!(Receipt::parse(bad).is_err(), "{bad:.40}");
    }
}
