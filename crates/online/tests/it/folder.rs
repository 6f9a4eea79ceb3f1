//! Folders that cannot be used, and creations cut short.

use std::fs;
use std::path::{Path, PathBuf};

use bedplate_online::{OnlineError, OnlineStore};
use bedplate_types::{ErrorKind, Explained, Timestamp};

use crate::source::{carrier, last_and_sum, row};

fn refused(dir: &Path) -> OnlineError {
    match OnlineStore::open(dir) {
        Err(error) => error,
        Ok(_) => panic!("{} was opened", dir.display()),
    }
}

fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    store.load("v", (0..1_000).map(|i| row("UA", i, None, 1.0))).unwrap();
    dir
}

#[test]
fn a_store_in_use_says_so_and_how_to_go_on() {
    let dir = filled();
    let store = OnlineStore::open(dir.path()).unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, OnlineError::Locked { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.fix().unwrap().contains("--home"));
    drop(store);
    OnlineStore::open(dir.path()).unwrap();
}

#[test]
fn a_file_in_the_way_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("online");
    fs::write(&path, "not a folder").unwrap();
    let error = refused(&path);
    assert!(matches!(error, OnlineError::Folder { .. }), "{error}");
    assert!(error.to_string().contains("online"), "{error}");
}

#[test]
fn a_creation_cut_short_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    // What a kill between fjall's first files leaves behind.
    let unfinished = dir.path().join("store.creating");
    fs::create_dir_all(unfinished.join("keyspaces")).unwrap();
    fs::write(unfinished.join("0.jnl"), "").unwrap();
    fs::write(unfinished.join("version"), "").unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    assert_eq!(store.put("v", &[row("UA", 1, None, 5.0)]).unwrap(), 1);
    assert!(!unfinished.exists());
}

#[test]
fn a_missing_version_file_is_damage_and_never_a_new_store() {
    let dir = filled();
    fs::remove_file(dir.path().join("store/version")).unwrap();
    let error = refused(dir.path());
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.fix().unwrap().contains("backup"));
    assert!(fs::read_dir(dir.path().join("store/keyspaces")).unwrap().count() > 0);
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn copy(from: &Path, to: &Path) {
    for name in files(from) {
        let target = to.join(name.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(name, target).unwrap();
    }
}

/// Each file in turn is overwritten with noise: the store is refused as damaged, or reads, but never a wrong number.
#[test]
fn noise_in_any_file_is_found_or_harmless() {
    let clean = filled();
    let names: Vec<_> = files(clean.path());
    assert!(names.len() >= 4, "{names:?}");
    let mut found = 0;
    for name in names.iter().filter(|name| fs::metadata(name).unwrap().len() > 0) {
        // A store moves its files about once it is open: each damage is done to a copy of its own.
        let damaged = tempfile::tempdir().unwrap();
        copy(clean.path(), damaged.path());
        let hit = damaged.path().join(name.strip_prefix(clean.path()).unwrap());
        fs::write(&hit, vec![0x5a; fs::metadata(name).unwrap().len().min(4096) as usize]).unwrap();
        match OnlineStore::open(damaged.path()) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{}: {error}", name.display());
                found += 1;
            }
            Ok(store) => {
                let read = store.read(&last_and_sum(), "v", &carrier("UA"), Timestamp::from_micros(999));
                assert!(read.is_err() || read.unwrap()[1] == Some(100.0), "{}", name.display());
            }
        }
    }
    assert!(found > 0, "no damage was found in {names:?}");
}

#[test]
fn a_newer_layout_is_refused() {
    let dir = filled();
    {
        let db = fjall::Database::builder(dir.path().join("store")).open().unwrap();
        let meta = db.keyspace("meta", fjall::KeyspaceCreateOptions::default).unwrap();
        meta.insert("layout", [9]).unwrap();
    }
    let error = refused(dir.path());
    assert!(matches!(error, OnlineError::NewerLayout { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
