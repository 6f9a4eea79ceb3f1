//! A window of a thousand rows is read in well under a millisecond.

use std::time::{Duration, Instant};

use bedplate_features::SourceRow;
use bedplate_kinds::Aggregate;
use bedplate_online::OnlineStore;
use bedplate_testkit::Redis;
use bedplate_types::Timestamp;

use crate::engine::connected;
use crate::source::{carrier, feature, row, view};

const CARRIERS: i64 = 16;
const PER_CARRIER: i64 = 20_000;

#[test]
fn reads_a_window_of_a_thousand_rows_quickly() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    let name = |i: i64| format!("C{}", i % CARRIERS);
    let start = Instant::now();
    let loaded =
        store.load("v", (0..CARRIERS * PER_CARRIER).map(|i| row(&name(i), i / CARRIERS, Some(i), 1.0))).unwrap();
    println!("loaded {loaded} rows in {:?}", start.elapsed());
    let def = view(
        None,
        vec![feature("mean", "x", Aggregate::Mean, Some(1000)), feature("last", "x", Aggregate::Last, None)],
    );
    let last = view(None, vec![feature("last", "x", Aggregate::Last, None)]);
    for (what, def) in [("a window of 1000", &def), ("the latest value", &last)] {
        let mut took: Vec<Duration> = (0..2000)
            .map(|i| {
                let at = Timestamp::from_micros(1000 + i * 7919 % (PER_CARRIER - 1000));
                let start = Instant::now();
                let values = store.read(def, "v", &carrier(&name(i)), at).unwrap();
                assert!(values.iter().all(|value| *value == Some(1.0)));
                start.elapsed()
            })
            .collect();
        took.sort_unstable();
        println!("{what}: p50 {:?}, p99 {:?}", took[1000], took[1980]);
        // Far above what it takes (see the printed figures), so that a busy machine does not fail it.
        assert!(took[1000] < Duration::from_millis(50), "{what}: p50 {:?}", took[1000]);
    }
    let at = |i: i64| Timestamp::from_micros(PER_CARRIER + i);
    let mut took: Vec<Duration> = (0..1000)
        .map(|i| {
            store.put("v", &[row("C0", PER_CARRIER + i, None, 1.0)]).unwrap();
            let start = Instant::now();
            assert_eq!(store.read(&def, "v", &carrier("C0"), at(i)).unwrap(), [Some(1.0), Some(1.0)]);
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    println!("a window of 1000, each after a push to it: p50 {:?}, p99 {:?}", took[500], took[990]);
    drop(store);
    let start = Instant::now();
    OnlineStore::open(dir.path()).unwrap();
    println!("opened in {:?}", start.elapsed());
}

#[test]
fn a_long_window_is_read_from_disk_once_and_then_by_its_tiles() {
    const ROWS: i64 = 100_000;
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    store.load("v", (0..ROWS).map(|i| row("C0", i, Some(i), 1.0))).unwrap();
    let def = view(None, vec![feature("count", "x", Aggregate::Count, Some(ROWS))]);
    let read = |at: i64| {
        let start = Instant::now();
        let found = store.read(&def, "v", &carrier("C0"), Timestamp::from_micros(at)).unwrap();
        assert_eq!(found, [Some(ROWS as f64)]);
        start.elapsed()
    };
    let cold = read(ROWS - 1);
    let mut warm: Vec<Duration> = (0..1000)
        .map(|i| {
            store.put("v", &[row("C0", ROWS + i, None, 1.0)]).unwrap();
            read(ROWS + i)
        })
        .collect();
    warm.sort_unstable();
    println!(
        "a window of {ROWS} rows: {cold:?} from disk, then each after a push p50 {:?}, p99 {:?}",
        warm[500], warm[990]
    );
}

/// Into a Redis on this machine: what is printed is what the pages say.
#[test]
fn a_redis_is_filled_and_read_quickly() {
    const ENTITIES: i64 = 100_000;
    let Some(server) = Redis::of_its_own("the speed of a Redis", &[]) else { return };
    let url = server.url(0);
    let store = connected(&url).unwrap();
    let values = vec![Some(1.5), Some(2.5), None];
    let wide = |entity: i64, time| SourceRow { values: values.clone(), ..row(&format!("C{entity}"), time, None, 0.0) };
    let used = || -> i64 {
        let told = server.cli(&url, &["INFO", "memory"]);
        told.lines().find_map(|line| line.strip_prefix("used_memory:")?.trim().parse().ok()).unwrap()
    };
    let mut before = used();
    for (what, rows) in [("one row each", 1), ("ten rows more each", 10)] {
        let start = Instant::now();
        let source = (0..ENTITIES).flat_map(|entity| (0..rows).map(move |time| (entity, time + 10 * rows)));
        let loaded = store.load("v", source.map(|(entity, time)| wide(entity, time))).unwrap();
        let (now, took) = (used(), start.elapsed());
        println!("{what}: {loaded} rows in {took:?}, {} bytes an entity", (now - before) / ENTITIES);
        before = now;
        assert!(took < Duration::from_secs(300), "{took:?}");
    }
    let many: Vec<_> = (0..8192).map(|n| wide(n, 1_000)).collect();
    let start = Instant::now();
    assert_eq!(store.put("v", &many).unwrap(), 8192);
    println!("8,192 rows pushed at once: {:?}", start.elapsed());
    let mut took: Vec<Duration> = (0..200)
        .map(|n| {
            let start = Instant::now();
            store.put("v", &[wide(n, 2_000)]).unwrap();
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    println!("one row pushed: p50 {:?}, p99 {:?}", took[100], took[198]);
}
