//! Pushing, loading, dropping.

use std::path::Path;

use bedplate_online::{OnlineError, OnlineStore};
use bedplate_types::{ErrorKind, Explained, Timestamp};

use crate::source::{carrier, last_and_sum, row};

fn at(store: &OnlineStore, view_id: &str, time: i64) -> Vec<Option<f64>> {
    store.read(&last_and_sum(), view_id, &carrier("UA"), Timestamp::from_micros(time)).unwrap()
}

#[test]
fn a_row_stored_already_is_not_seen_before_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    assert_eq!(
        store.put("v", &[row("UA", 20, None, 4.0), row("UA", 10, None, 2.0), row("AA", 10, None, 9.0)]).unwrap(),
        3
    );
    assert_eq!(at(&store, "v", 9), [None, None]);
    assert_eq!(at(&store, "v", 10), [Some(2.0), Some(2.0)]);
    assert_eq!(at(&store, "v", 20), [Some(4.0), Some(6.0)]);
    assert_eq!(at(&store, "v", 500), [Some(4.0), None]);
    assert_eq!(at(&store, "other", 20), [None, None]);
}

#[test]
fn pushing_again_changes_nothing_and_an_id_keeps_the_greater() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    let rows =
        [row("UA", 1, Some(1), 5.0), row("UA", 1, Some(2), 5.0), row("UA", 1, None, 5.0), row("UA", 1, None, 5.0)];
    assert_eq!(store.put("v", &rows).unwrap(), 3);
    assert_eq!(store.put("v", &rows).unwrap(), 0);
    assert_eq!(at(&store, "v", 1)[1], Some(15.0));
    assert_eq!(store.put("v", &[row("UA", 1, Some(1), 7.0), row("UA", 1, Some(2), 3.0)]).unwrap(), 0);
    assert_eq!(at(&store, "v", 1)[1], Some(17.0));
}

#[test]
fn what_put_returned_for_is_on_disk_without_a_clean_shutdown() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    store.put("v", &[row("UA", 1, None, 5.0)]).unwrap();
    store.mark_loaded("v", "table@3").unwrap();
    // What a machine that lost power here would find: the files as they are, the store still open.
    let found = tempfile::tempdir().unwrap();
    copy(dir.path(), found.path());
    let after = OnlineStore::open(found.path()).unwrap();
    assert_eq!(at(&after, "v", 1), [Some(5.0), Some(5.0)]);
    assert!(after.is_loaded("v", "table@3").unwrap());
    drop(store);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn markers_name_one_state_and_are_dropped_with_the_view() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    // Enough for several chunks of dropping.
    let many = (0..20_000).map(|i| row("UA", i, None, 1.0));
    assert_eq!(store.load("v", many.clone()).unwrap(), 20_000);
    store.put("w", &[row("UA", 1, None, 3.0)]).unwrap();
    assert!(!store.is_loaded("v", "table@3").unwrap());
    store.mark_loaded("v", "table@3").unwrap();
    assert!(store.is_loaded("v", "table@3").unwrap());
    assert!(!store.is_loaded("v", "table@4").unwrap());

    store.drop_view("v").unwrap();
    assert!(!store.is_loaded("v", "table@3").unwrap());
    assert_eq!((store.count("v").unwrap(), store.count("w").unwrap()), (0, 1));
    assert_eq!(at(&store, "v", 20_000), [None, None]);
    assert_eq!(store.load("v", many).unwrap(), 20_000);
}

#[test]
fn an_interrupted_load_is_completed_by_loading_again() {
    let dir = tempfile::tempdir().unwrap();
    let rows = |until| (0..until).map(|i| row("UA", i, Some(i), 1.0));
    OnlineStore::open(dir.path()).unwrap().load("v", rows(9_000)).unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    assert!(!store.is_loaded("v", "all").unwrap());
    assert_eq!(store.load("v", rows(10_000)).unwrap(), 1_000);
    assert_eq!(store.count("v").unwrap(), 10_000);
}

#[test]
fn pushes_from_many_threads_agree() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    let push =
        |store: OnlineStore| move || (0..50).map(|i| store.put("v", &[row("UA", i, None, 1.0)]).unwrap()).sum::<u64>();
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(push(store.clone()))).collect();
    let fresh: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(fresh, 50);
    assert_eq!(at(&store, "v", 49), [Some(1.0), Some(50.0)]);
}

#[test]
fn rows_of_another_shape_and_endless_keys_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    let mut wide = row("UA", 1, None, 1.0);
    wide.values.push(None);
    store.put("v", &[wide]).unwrap();
    let error = store.read(&last_and_sum(), "v", &carrier("UA"), Timestamp::from_micros(1)).unwrap_err();
    assert!(matches!(error, OnlineError::OtherColumns { found: 2, wanted: 1, .. }), "{error}");
    let error = store.put("v", &[row(&"x".repeat(70_000), 1, None, 1.0)]).unwrap_err();
    assert_eq!((error.kind(), store.count("v").unwrap()), (ErrorKind::Invalid, 1));
}
