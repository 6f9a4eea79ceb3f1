//! What becomes of somebody who edits an exported folder.

use std::sync::LazyLock;

use bedplate_audit::{Checkpoint, Fault, Signer, append, sign_checkpoint};
use bedplate_types::{ErrorKind, Explained};
use proptest::prelude::*;

use crate::folder::{Files, checkpoint, exported, verified, with_archive};
use crate::{Log, ORIGIN, entry, signer};

pub const LEAVES: u64 = 600;

pub fn files() -> Files {
    static FILES: LazyLock<Files> = LazyLock::new(|| exported(&Log::new(LEAVES, &[LEAVES])));
    FILES.clone()
}

fn caught(files: &Files) -> Fault {
    let fault = verified(files).expect_err("it should have been caught");
    assert_eq!(fault.kind(), ErrorKind::Corrupt, "{fault}");
    assert!(fault.fix().is_some());
    fault
}

fn place(files: &Files) -> (Option<String>, Option<u64>) {
    let fault = caught(files);
    (fault.path().map(ToOwned::to_owned), fault.first_bad_leaf())
}

pub fn flip(files: &mut Files, path: &str, byte: usize) {
    files.get_mut(path).unwrap()[byte] ^= 1;
}

/// Where leaf `n` of a bundle begins, its length included.
pub fn offset(bundle: &[u8], n: usize) -> usize {
    (0..n).fold(0, |at, _| at + 2 + usize::from(u16::from_be_bytes([bundle[at], bundle[at + 1]])))
}

pub fn swap(files: &mut Files, path: &str, n: usize) {
    let bundle = files.get_mut(path).unwrap();
    let (one, two, end) = (offset(bundle, n), offset(bundle, n + 1), offset(bundle, n + 2));
    bundle[one..end].rotate_left(two - one);
}

#[test]
fn a_flipped_bit_in_a_bundle_is_found_in_its_leaf() {
    for (path, leaf) in [("tile/entries/000", 0), ("tile/entries/001", 5), ("tile/entries/002.p/88", 87)] {
        for inside in [1, 40] {
            let mut files = files();
            let at = offset(&files[path], leaf) + inside;
            flip(&mut files, path, at);
            let first = path[13..16].parse::<u64>().unwrap() * 256;
            assert_eq!(place(&files), (Some(path.to_owned()), Some(first + leaf as u64)), "{path} {leaf}");
        }
    }
}

#[test]
fn a_flipped_bit_in_a_tile_is_found_in_that_tile() {
    for (path, first) in [("tile/0/000", 0), ("tile/0/001", 256), ("tile/0/002.p/88", 512), ("tile/1/000.p/2", 0)] {
        let mut files = files();
        let last = files[path].len() - 1;
        flip(&mut files, path, last);
        assert_eq!(place(&files), (Some(path.to_owned()), Some(first)), "{path}");
    }
}

#[test]
fn a_removed_or_shortened_file_is_named() {
    let all: Vec<String> = files().keys().filter(|path| *path != "vkey").cloned().collect();
    for path in all {
        let mut gone = files();
        gone.remove(&path);
        let fault = caught(&gone);
        assert!(matches!(&fault, Fault::Absent { path: named, .. } if *named == path), "{fault}");
        let mut shorter = files();
        shorter.get_mut(&path).unwrap().pop();
        assert_eq!(caught(&shorter).path(), Some(path.as_str()));
        let mut longer = files();
        longer.get_mut(&path).unwrap().push(0);
        assert_eq!(caught(&longer).path(), Some(path.as_str()));
    }
}

#[test]
fn a_removed_leaf_is_found_where_it_was() {
    let path = "tile/entries/002.p/88";
    for leaf in [0, 40, 87] {
        let mut files = files();
        let bundle = files.get_mut(path).unwrap();
        let (from, to) = (offset(bundle, leaf), offset(bundle, leaf + 1));
        bundle.drain(from..to);
        assert_eq!(place(&files), (Some(path.to_owned()), Some(512 + leaf as u64)));
    }
    let mut renamed = files();
    let (bundle, tile) = (renamed.remove(path).unwrap(), renamed.remove("tile/0/002.p/88").unwrap());
    let cut = offset(&bundle, 87);
    renamed.insert("tile/entries/002.p/87".into(), bundle[..cut].to_vec());
    renamed.insert("tile/0/002.p/87".into(), tile[..32 * 87].to_vec());
    assert!(matches!(caught(&renamed), Fault::Absent { path, first: 512 } if path == "tile/0/002.p/88"));
}

#[test]
fn swapped_leaves_are_found_at_the_first_of_them() {
    let mut files = files();
    swap(&mut files, "tile/entries/001", 7);
    assert_eq!(place(&files), (Some("tile/entries/001".into()), Some(263)));
}

#[test]
fn a_checkpoint_is_believed_only_as_it_was_signed() {
    let text = |change: &dyn Fn(&str) -> String| {
        let mut files = files();
        let note = String::from_utf8(files["checkpoint"].clone()).unwrap();
        let changed = change(&note);
        assert_ne!(changed, note);
        files.insert("checkpoint".into(), changed.into_bytes());
        caught(&files)
    };
    let root = |note: &str| note.lines().nth(2).unwrap().to_owned();
    let other_root = root(std::str::from_utf8(&exported(&Log::new(10, &[10]))["checkpoint"]).unwrap());
    let signature = |note: &str| note.lines().last().unwrap()[70..71].to_owned();
    let changes: [&dyn Fn(&str) -> String; 5] = [
        &|note| note.replace(&root(note), &other_root),
        &|note| note.replacen("600", "599", 1),
        &|note| note.replacen("600", "10", 1).replace(&root(note), &other_root),
        &|note| note.replace("\u{2014} bedplate", "\u{2014} badplate"),
        &|note| {
            let at = note.len() - note.lines().last().unwrap().len() - 1 + 70;
            let other = if signature(note) == "A" { "B" } else { "A" };
            format!("{}{other}{}", &note[..at], &note[at + 1..])
        },
    ];
    for change in changes {
        let fault = text(change);
        assert!(matches!(fault, Fault::Checkpoint { .. }), "{fault}");
        assert_eq!(fault.path(), Some("checkpoint"));
    }
    let mut foreign = files();
    let log = Log::new(LEAVES, &[]);
    let note = log.db.write(|tx| sign_checkpoint(tx, &Signer::from_seed([1; 32]), ORIGIN)).unwrap().note;
    foreign.insert("checkpoint".into(), note.into_bytes());
    assert!(matches!(caught(&foreign), Fault::Checkpoint { .. }));
}

#[test]
fn a_log_rewritten_by_whoever_holds_the_key_is_found_by_notes_kept_elsewhere() {
    let log = Log::new(300, &[100, 200, 300]);
    let notes: Vec<String> = [100, 200, 300].into_iter().map(|size| note_at(&log, size)).collect();
    let notes: Vec<&str> = notes.iter().map(String::as_str).collect();
    let against = |files: &Files, notes: &[&str]| {
        verified(files).expect("by itself it looks right");
        with_archive(files, |archive| archive.must_extend(notes))
    };
    against(&exported(&log), &notes).unwrap();
    against(&exported(&Log::new(LEAVES, &[LEAVES])), &notes).unwrap();

    let shorter = exported(&Log::new(250, &[250]));
    let fault = against(&shorter, &notes).unwrap_err();
    assert!(matches!(fault, Fault::Shorter { leaves: 250, noted: 300 }), "{fault}");
    assert_eq!(fault.first_bad_leaf(), Some(250));

    let fault = against(&rewritten(150, 400), &notes).unwrap_err();
    assert!(matches!(fault, Fault::Forked { first: 100, last: 199, noted: 200 }), "{fault}");
    assert_eq!(fault.kind(), ErrorKind::Corrupt);

    let forged = notes[0].replace("100", "101");
    let fault = against(&exported(&log), &[&forged]).unwrap_err();
    assert!(matches!(fault, Fault::Note { .. }) && fault.kind() == ErrorKind::Invalid, "{fault}");
}

fn note_at(log: &Log, size: i64) -> String {
    let read = log.db.read(|tx| {
        let rows = tx.query("SELECT note FROM audit_checkpoints WHERE size = $1", &[size.into()])?;
        Ok::<_, bedplate_db::DbError>(rows[0].text(0)?.to_owned())
    });
    read.unwrap()
}

/// A log whose leaf `at` is another, signed by the right key.
pub fn rewritten(at: u64, leaves: u64) -> Files {
    let log = Log::new(at, &[]);
    log.db
        .write(move |tx| {
            append(tx, &entry(9_999))?;
            (at + 1..leaves).try_for_each(|index| append(tx, &entry(index)).map(drop))?;
            sign_checkpoint(tx, &signer(), ORIGIN)
        })
        .unwrap();
    exported(&log)
}

#[test]
fn leaves_and_tiles_changed_together_are_found_by_the_signature() {
    let mut files = rewritten(150, LEAVES);
    files.insert("checkpoint".into(), self::files()["checkpoint"].clone());
    let fault = caught(&files);
    assert!(matches!(fault, Fault::Root { first: 0, last: 599 }), "{fault}");
}

#[test]
fn two_faults_at_once_do_not_hide_each_other() {
    let mut files = files();
    flip(&mut files, "tile/0/002.p/88", 3);
    let at = offset(&files["tile/entries/001"], 9) + 20;
    flip(&mut files, "tile/entries/001", at);
    assert_eq!(place(&files), (Some("tile/entries/001".into()), Some(265)));
    flip(&mut files, "tile/entries/001", at);
    flip(&mut files, "tile/1/000.p/2", 40);
    assert!(caught(&files).path().is_some_and(|path| path == "tile/0/002.p/88" || path == "tile/1/000.p/2"));
}

#[test]
fn faults_above_the_first_level_are_found() {
    let good = exported(crate::big());
    for (path, first) in [("tile/1/000", 0), ("tile/1/001.p/1", 65_536), ("tile/2/000.p/1", 0), ("tile/0/200", 51_200)]
    {
        let mut files = good.clone();
        flip(&mut files, path, 5);
        assert_eq!(place(&files), (Some(path.to_owned()), Some(first)), "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_bit_is_flipped_its_file_is_named(
        size in 1..600u64, file in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), bit in 0..8u8,
    ) {
        let mut files = folder_of(size);
        files.remove("vkey");
        let path = files.keys().nth(file.index(files.len())).unwrap().clone();
        let bytes = files.get_mut(&path).unwrap();
        let at = byte.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let fault = verified(&files).expect_err("it should have been caught");
        prop_assert_eq!(fault.path(), Some(path.as_str()), "{}", fault);
    }
}

fn folder_of(size: u64) -> Files {
    exported(&Log::new(size, Box::leak(Box::new([size]))))
}

#[test]
fn the_checkpoint_of_a_folder_can_be_read_without_believing_it() {
    let read: Checkpoint = checkpoint(&files());
    assert_eq!((read.size, read.origin.as_str()), (LEAVES, ORIGIN));
}
