//! The log as static files.

use bedplate_audit::{
    AuditError, Entry, MAX_FILE_BYTES, Tile, append, leaf_hash, published, root_at, sign_checkpoint, tiles,
};
use bedplate_types::{ErrorKind, Explained};
use proptest::prelude::*;
use serde_json::json;

use crate::folder::{Files, exported, handed_out, key, verified, with_archive};
use crate::{Log, ORIGIN, entry, signer};

fn grow(log: &Log, to: u64) {
    log.db
        .write(move |tx| {
            let mut size = bedplate_audit::head(tx)?.leaves;
            while size < to {
                size = append(tx, &entry(size))? + 1;
            }
            sign_checkpoint(tx, &signer(), ORIGIN)
        })
        .unwrap();
}

fn signed(size: u64) -> Log {
    let log = Log::new(0, &[]);
    grow(&log, size);
    log
}

/// Bundles and tiles of level 0, written as the specification says it and not as the crate does it.
fn written_out(size: u64) -> Files {
    let mut files = Files::new();
    for first in (0..size).step_by(256) {
        let width = (size - first).min(256);
        let partial = if width == 256 { String::new() } else { format!(".p/{width}") };
        let bodies: Vec<Vec<u8>> = (first..first + width).map(|index| entry(index).body()).collect();
        let bundle = |body: &Vec<u8>| [&u16::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat();
        files.insert(format!("tile/entries/{:03}{partial}", first / 256), bodies.iter().flat_map(bundle).collect());
        let hashes = bodies.iter().flat_map(|body| *leaf_hash(body).as_bytes()).collect();
        files.insert(format!("tile/0/{:03}{partial}", first / 256), hashes);
    }
    files
}

#[test]
fn every_border_is_laid_out_as_the_specification_says() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 513] {
        let files = exported(&signed(size));
        let (lowest, rest): (Files, Files) =
            files.clone().into_iter().partition(|(path, _)| path.contains("entries") || path.starts_with("tile/0"));
        assert_eq!(lowest, written_out(size), "{size}");
        let upper = if size < 256 { vec![] } else { vec![format!("tile/1/000.p/{}", size / 256)] };
        let expected: Vec<String> = ["checkpoint".to_owned()].into_iter().chain(upper).chain(["vkey".into()]).collect();
        assert_eq!(rest.keys().cloned().collect::<Vec<_>>(), expected, "{size}");
        assert_eq!(verified(&files).unwrap().leaves, size);
    }
}

#[test]
fn an_unsigned_log_hands_out_nothing_and_a_signed_one_nothing_after_its_checkpoint() {
    let log = Log::new(3, &[]);
    assert!(exported(&log).is_empty());
    assert_eq!(log.db.read(|tx| published(tx, &signer().public_key(), "checkpoint")).unwrap(), None);
    grow(&log, 3);
    log.db.write(|tx| append(tx, &entry(3))).unwrap();
    let at = |path: &'static str| log.db.read(|tx| published(tx, &signer().public_key(), path)).unwrap();
    assert!(at("tile/entries/000.p/3").is_some() && at("tile/0/000.p/2").is_some());
    for unsaid in ["tile/entries/000.p/4", "tile/0/000", "tile/1/000.p/1", "tile/0/001.p/1", "", "tile/0/../0/000.p/3"]
    {
        assert_eq!(at(unsaid), None, "{unsaid}");
    }
    assert_eq!(at("vkey").unwrap(), format!("{}\n", key()).into_bytes());
}

#[test]
fn an_entry_without_room_is_refused_and_the_largest_one_is_exported() {
    let log = Log::new(0, &[]);
    let object = |length: usize| Entry { object: "x".repeat(length), detail: json!({}), ..entry(0) };
    let spare = 65_535 - object(0).body().len();
    let error = log.db.write(move |tx| append(tx, &object(spare + 1))).unwrap_err();
    assert!(matches!(error, AuditError::TooLarge { .. }) && error.kind() == ErrorKind::TooLarge, "{error}");
    log.db.write(move |tx| append(tx, &object(spare))).unwrap();
    grow(&log, 1);
    let files = exported(&log);
    assert_eq!(files["tile/entries/000.p/1"].len(), 65_537);
    assert!(files["tile/entries/000.p/1"].len() * 256 <= MAX_FILE_BYTES);
    assert_eq!(verified(&files).unwrap().leaves, 1);
}

#[test]
fn a_leaf_from_before_the_limit_is_named() {
    let log = signed(3);
    log.run("UPDATE audit_leaves SET body = $1 WHERE idx = 1", &[vec![0u8; 65_536].into()]);
    let error = log.db.read(|tx| published(tx, &signer().public_key(), "tile/entries/000.p/3")).unwrap_err();
    assert!(matches!(error, AuditError::NoRoom { index: 1, bytes: 65_536 }), "{error}");
}

#[test]
fn what_was_lost_from_the_database_is_named_and_not_skipped() {
    let at = |log: &Log, path: &'static str| log.db.read(|tx| published(tx, &signer().public_key(), path)).unwrap_err();
    let log = signed(5);
    log.run("DELETE FROM audit_leaves WHERE idx = 2", &[]);
    assert!(matches!(at(&log, "tile/entries/000.p/5"), AuditError::Missing { index: 2 }));
    log.run("DELETE FROM audit_nodes WHERE level = 0 AND idx = 4", &[]);
    assert!(matches!(at(&log, "tile/0/000.p/5"), AuditError::Node { first: 4, last: 4 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_log_exported_as_it_grows_is_the_log_exported_at_once(sizes in prop::collection::vec(0..700u64, 1..4)) {
        let mut sizes = sizes;
        sizes.sort_unstable();
        let (log, mut kept, mut had) = (Log::new(0, &[]), Files::new(), 0);
        for size in sizes {
            grow(&log, size);
            for (path, bytes) in handed_out(&log, had) {
                let before = kept.insert(path.clone(), bytes.clone());
                let mutable = path == "checkpoint";
                prop_assert!(mutable || before.is_none_or(|before| before == bytes), "{path} changed");
            }
            had = size;
            let all = exported(&log);
            for (path, bytes) in &all {
                prop_assert_eq!(kept.get(path), Some(bytes), "{} at {}", path, size);
                let served = log.db.read(|tx| published(tx, &signer().public_key(), path)).unwrap();
                prop_assert_eq!(served.as_ref(), Some(bytes));
            }
            prop_assert_eq!(all.len(), tiles(0, size).count() + 2);
            let verified = verified(&kept).unwrap();
            prop_assert_eq!(verified.root, log.db.read(|tx| root_at(tx, size)).unwrap());
        }
    }

    #[test]
    fn every_tiles_path_reads_back(had in 0..=u64::MAX >> 1, more in 0..70_000u64) {
        for tile in tiles(had, had + more) {
            prop_assert_eq!(tile.to_string().parse::<Tile>(), Ok(tile));
            prop_assert!(tile.is_within(had + more) && !tile.is_within(had));
        }
    }

    #[test]
    fn no_path_is_read_as_another(path in "(tile/)?([0-9]|entries)/(x[0-9]{3}/){0,2}[0-9]{2,4}(\\.p/[0-9]{1,3})?") {
        if let Ok(tile) = path.parse::<Tile>() {
            prop_assert_eq!(tile.to_string(), path);
        }
    }
}

#[test]
fn a_log_of_three_levels_verifies_and_proves_from_its_files() {
    let files = exported(crate::big());
    let levels = ["tile/0/255", "tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1", "tile/0/257.p/8"];
    assert!(levels.iter().all(|path| files.contains_key(*path)), "{:?}", files.keys().rev().take(9));
    assert_eq!(verified(&files).unwrap().leaves, crate::BIG);
    for index in [0, 255, 256, 65_535, 65_536, crate::BIG - 1] {
        let proved = with_archive(&files, |archive| archive.prove(index)).unwrap();
        proved.verify(&key()).unwrap();
        assert_eq!(proved.body, entry(index).body());
        assert_eq!(proved, crate::big().db.read(|tx| bedplate_audit::receipt(tx, index)).unwrap());
    }
}
