//! Pushing, loading, dropping.

use std::path::Path;

use bedplate_features::SourceRow;
use bedplate_online::{LoadError, OnlineError, OnlineStore};
use bedplate_types::{ErrorKind, Explained, Timestamp};

use crate::engine::{Engine, on_each_engine};
use crate::source::{carrier, last_and_sum, row};

fn at(store: &OnlineStore, view_id: &str, time: i64) -> Vec<Option<f64>> {
    store.read(&last_and_sum(), view_id, &carrier("UA"), Timestamp::from_micros(time)).unwrap()
}

fn a_row_stored_already_is_not_seen_before_its_time(engine: &Engine) {
    let store = engine.open();
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

fn pushing_again_changes_nothing_and_an_id_keeps_the_greater(engine: &Engine) {
    let store = engine.open();
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

fn markers_name_one_state_and_are_dropped_with_the_view(engine: &Engine) {
    let store = engine.open();
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

fn an_interrupted_load_is_completed_by_loading_again(engine: &Engine) {
    let rows = |until| (0..until).map(|i| row("UA", i, Some(i), 1.0));
    engine.open().load("v", rows(9_000)).unwrap();
    let store = engine.open();
    assert!(!store.is_loaded("v", "all").unwrap());
    assert_eq!(store.load("v", rows(10_000)).unwrap(), 1_000);
    assert_eq!(store.count("v").unwrap(), 10_000);
}

fn pushes_from_many_threads_agree(engine: &Engine) {
    let store = engine.open();
    let push =
        |store: OnlineStore| move || (0..50).map(|i| store.put("v", &[row("UA", i, None, 1.0)]).unwrap()).sum::<u64>();
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(push(store.clone()))).collect();
    let fresh: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(fresh, 50);
    assert_eq!(at(&store, "v", 49), [Some(1.0), Some(50.0)]);
}

fn rows_of_another_shape_and_endless_keys_are_named(engine: &Engine) {
    let store = engine.open();
    let mut wide = row("UA", 1, None, 1.0);
    wide.values.push(None);
    store.put("v", &[wide]).unwrap();
    let error = store.read(&last_and_sum(), "v", &carrier("UA"), Timestamp::from_micros(1)).unwrap_err();
    assert!(matches!(error, OnlineError::OtherColumns { found: 2, wanted: 1, .. }), "{error}");
    let error = store.put("v", &[row(&"x".repeat(70_000), 1, None, 1.0)]).unwrap_err();
    assert_eq!((error.kind(), store.count("v").unwrap()), (ErrorKind::Invalid, 1));
}

fn an_older_event_never_overwrites_a_newer(engine: &Engine) {
    let store = engine.open();
    store.put("v", &[row("UA", 20, None, 2.0)]).unwrap();
    store.put("v", &[row("UA", 10, None, 1.0)]).unwrap();
    assert_eq!((at(&store, "v", 30)[0], at(&store, "v", 15)[0]), (Some(2.0), Some(1.0)));
    store.load("v", [row("UA", 5, None, 7.0), row("UA", 15, None, 8.0)]).unwrap();
    assert_eq!((at(&store, "v", 30), at(&store, "v", 15)[0]), (vec![Some(2.0), Some(18.0)], Some(8.0)));
    // Nor a correction that was made earlier.
    let created = |created, x| SourceRow { created: Some(created), ..row("UA", 10, Some(1), x) };
    store.put("corrected", &[created(5, 3.0)]).unwrap();
    assert_eq!(store.put("corrected", &[created(4, 9.0)]).unwrap(), 0);
    assert_eq!(at(&store, "corrected", 10), [Some(3.0), Some(3.0)]);
    store.load("corrected", [created(6, 1.0), created(5, 8.0)]).unwrap();
    assert_eq!(at(&store, "corrected", 10), [Some(1.0), Some(1.0)]);
    assert_eq!(store.count("corrected").unwrap(), 1);
}

fn a_load_that_ends_early_is_not_seen_and_can_be_begun_again(engine: &Engine) {
    let store = engine.open();
    store.put("v", &[row("UA", 1, None, 5.0)]).unwrap();
    let rows = |until| (2..until).map(|i| Ok::<_, &str>(row("UA", i, None, 1.0)));
    let cut = rows(9_000).chain([Err("the source ended")]);
    assert!(matches!(store.try_load("v", None, cut), Err(LoadError::Rows("the source ended"))));
    assert_eq!((at(&store, "v", 8_000), store.count("v").unwrap()), (vec![Some(5.0), None], 1));
    let endless = rows(9_000).chain([Ok(row(&"x".repeat(70_000), 1, None, 1.0))]);
    assert!(matches!(store.try_load("v", None, endless), Err(LoadError::Store(OnlineError::KeyTooLong { .. }))));
    assert_eq!(store.count("v").unwrap(), 1);
    assert_eq!(store.try_load("v", None, rows(9_000)).unwrap(), 8_998);
    assert_eq!((at(&store, "v", 8_000), store.count("v").unwrap()), (vec![Some(1.0), Some(100.0)], 8_999));
}

/// Rows of entities that are there, of new ones, and versions of rows that are there.
fn a_load_over_pushed_rows_keeps_what_counts(engine: &Engine) {
    let store = engine.open();
    store.put("v", &[row("UA", 1, Some(1), 5.0), row("UA", 1, Some(2), 5.0), row("AA", 1, Some(1), 2.0)]).unwrap();
    let many = (0..5_000).map(|i| row(&format!("C{i}"), i, Some(i), 1.0));
    let versions = [row("UA", 1, Some(1), 7.0), row("UA", 1, Some(2), 3.0), row("UA", 2, Some(3), 1.0)];
    assert_eq!(store.load("v", many.chain(versions)).unwrap(), 5_001);
    assert_eq!(at(&store, "v", 2), [Some(1.0), Some(13.0)]);
    assert_eq!(store.count("v").unwrap(), 5_004);
    let read = |name: &str| store.read(&last_and_sum(), "v", &carrier(name), Timestamp::from_micros(4_999)).unwrap();
    assert_eq!((read("C4999"), read("AA")[0], read("C5000")), (vec![Some(1.0); 2], Some(2.0), vec![None; 2]));
}

on_each_engine! {
    a_row_stored_already_is_not_seen_before_its_time,
    pushing_again_changes_nothing_and_an_id_keeps_the_greater,
    markers_name_one_state_and_are_dropped_with_the_view,
    an_interrupted_load_is_completed_by_loading_again,
    pushes_from_many_threads_agree,
    rows_of_another_shape_and_endless_keys_are_named,
    an_older_event_never_overwrites_a_newer,
    a_load_that_ends_early_is_not_seen_and_can_be_begun_again,
    a_load_over_pushed_rows_keeps_what_counts,
}
