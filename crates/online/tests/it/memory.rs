//! What the engine in a folder remembers of views of `last` values.

use bedplate_features::SourceRow;
use bedplate_kinds::Aggregate;
use bedplate_online::{OnlineError, OnlineStore};
use bedplate_types::Timestamp;

use crate::source::{carrier, feature, row, view};

#[test]
fn what_was_read_lately_is_answered_from_memory_and_with_what_is_pushed_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    let (def, key) = (view(None, vec![feature("x", "x", Aggregate::Last, None)]), Some(carrier("a")));
    let push = |time, x| assert!(store.put("remembered", &[row("a", time, None, x)]).is_ok());
    let asked = |at| [(key.clone(), Timestamp::from_micros(at))];
    let found = |at| store.remembered(&def, "remembered", &asked(at)).map(|found| (found.value(0, 0), found.newest(0)));
    let known = |x, time| Some((Some(x), Some(Timestamp::from_micros(time))));
    push(10, 1.0);
    assert_eq!(found(20), None, "nothing was read yet");
    store.read_dated(&def, "remembered", &asked(20)).unwrap();
    assert_eq!(found(20), known(1.0, 10));
    assert_eq!(found(9), None, "of what was known before the newest row nothing is remembered");
    push(15, 2.0);
    push(12, 3.0);
    assert_eq!((found(20), found(14)), (known(2.0, 15), None));
    push(15, 1.0);
    assert_eq!(found(20), known(2.0, 15), "of two rows of one time the greater is the later one");
    push(15, 4.0);
    assert_eq!(found(20), known(4.0, 15));
    let late = store.read_dated(&def, "remembered", &asked(14)).unwrap();
    assert_eq!((late.value(0, 0), late.newest(0)), (Some(3.0), Some(Timestamp::from_micros(12))));
}

#[test]
fn a_loaded_view_is_answered_from_memory_also_after_a_restart_and_so_is_who_has_no_rows() {
    let dir = tempfile::tempdir().unwrap();
    let def = view(None, vec![feature("x", "x", Aggregate::Last, None)]);
    let asked = [(Some(carrier("a")), Timestamp::from_micros(9)), (Some(carrier("b")), Timestamp::from_micros(9))];
    let found = |store: &OnlineStore| {
        let found = store.remembered(&def, "v", &asked)?;
        Some([0, 1].map(|entity| (found.value(entity, 0), found.newest(entity).map(Timestamp::micros))))
    };
    let wanted = Some([(Some(2.0), Some(5)), (None, None)]);
    let store = OnlineStore::open(dir.path()).unwrap();
    let sorted = [(3, 1.0), (5, 2.0), (4, 3.0)].map(|(time, x)| Ok::<_, OnlineError>(row("a", time, None, x)));
    assert_eq!(store.try_load("v", Some(&def), sorted).unwrap(), 3);
    assert_eq!(found(&store), wanted);
    drop(store);
    let store = OnlineStore::open(dir.path()).unwrap();
    assert_eq!(found(&store), None);
    store.remember(&def, "v").unwrap();
    assert_eq!(found(&store), wanted);
    store.drop_view("v").unwrap();
    assert_eq!(found(&store), None);
}

/// The later row by its key is not the one that was created later.
#[test]
fn of_loaded_rows_of_one_time_the_one_that_was_created_last_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    let mut def = view(None, vec![feature("x", "x", Aggregate::Last, None)]);
    def.created = Some("written".into());
    let written = |x, created| SourceRow { created: Some(created), ..row("a", 5, None, x) };
    let rows = [written(1.0, 8), written(2.0, 3)].map(Ok::<_, OnlineError>);
    assert_eq!(store.try_load("v", Some(&def), rows).unwrap(), 2);
    let asked = [(Some(carrier("a")), Timestamp::from_micros(9))];
    let remembered = store.remembered(&def, "v", &asked).expect("it was loaded into memory");
    assert_eq!(remembered.value(0, 0), Some(1.0));
    assert_eq!(remembered, store.read_dated(&def, "v", &asked).unwrap());
}

/// Readers, a view that is filled again and again, and writers in any order of time.
#[test]
fn memory_holds_what_the_store_does_whoever_comes_in_between() {
    let dir = tempfile::tempdir().unwrap();
    // So little that views forget.
    let store = OnlineStore::open_remembering(dir.path(), 500_000).unwrap();
    let def = view(None, vec![feature("x", "x", Aggregate::Last, None)]);
    let names: Vec<String> = (0..20).map(|i| format!("C{i}")).collect();
    let asked: Vec<_> = names.iter().map(|name| (Some(carrier(name)), Timestamp::from_micros(i64::MAX))).collect();
    std::thread::scope(|scope| {
        for seed in 0..3_u64 {
            let (store, names) = (&store, &names);
            scope.spawn(move || {
                let mut state = seed;
                for _ in 0..400 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let (name, time) = (&names[(state >> 33) as usize % 20], (state >> 40) as i64 % 50);
                    store.put("v", &[row(name, time, None, (state >> 50) as f64)]).unwrap();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..300 {
                    store.read_dated(&def, "v", &asked).unwrap();
                    store.remember(&def, "v").unwrap();
                    let _ = store.remembered(&def, "v", &asked);
                }
            });
        }
        // Gives up its place to this one, and takes it again.
        scope.spawn(|| {
            for i in 0..3 {
                let rows = (0..6_000).map(|entity| row(&format!("{i}-{entity}"), 1, None, 1.0));
                store.try_load(&format!("other{i}"), Some(&def), rows.map(Ok::<_, OnlineError>)).unwrap();
            }
        });
    });
    let before = store.read_dated(&def, "v", &asked).unwrap();
    let remembered = store.remembered(&def, "v", &asked).expect("all of it was read");
    drop(store);
    let after = OnlineStore::open_remembering(dir.path(), 0).unwrap();
    assert_eq!(after.remembered(&def, "v", &asked), None);
    let stored = after.read_dated(&def, "v", &asked).unwrap();
    assert_eq!((&before, &remembered), (&stored, &stored));
}
