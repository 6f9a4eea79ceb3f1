//! A copy of the store, taken while it is written to, and the store that is made of it.

use std::sync::atomic::{AtomicI64, Ordering};

use bedplate_online::{OnlineError, OnlineStore};
use bedplate_types::{ErrorKind, Explained, Timestamp};

use crate::source::{carrier, last_and_sum, row};

fn copied(store: &OnlineStore) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.copy(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_copy_has_every_row_and_marker() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = OnlineStore::open(dir.path()).unwrap();
    // Loaded past the journal, pushed through it, and dropped.
    store.load("loaded", (0..20_000).map(|n| row("UA", n, None, 1.5))).unwrap();
    store.mark_loaded("loaded", "table@3").unwrap();
    store.put("pushed", &[row("UA", 1, Some(7), 5.0), row("AA", -4, None, 2.0)]).unwrap();
    store.put("dropped", &[row("UA", 1, None, 5.0)]).unwrap();
    store.drop_view("dropped").unwrap();
    let bytes = copied(&store);
    assert_eq!(OnlineStore::from_copy(other.path(), &mut bytes.as_slice()).unwrap(), 20_002);
    let made = OnlineStore::open(other.path()).unwrap();
    assert_eq!(
        (made.count("loaded").unwrap(), made.count("pushed").unwrap(), made.count("dropped").unwrap()),
        (20_000, 2, 0)
    );
    assert!(made.is_loaded("loaded", "table@3").unwrap() && !made.is_loaded("pushed", "table@3").unwrap());
    for (view, at) in [("loaded", 19_999), ("loaded", 50), ("pushed", 3)] {
        let read = |store: &OnlineStore| {
            store.read(&last_and_sum(), view, &carrier("UA"), Timestamp::from_micros(at)).unwrap()
        };
        assert_eq!(read(&made), read(&store), "{view} at {at}");
    }
    assert_eq!(copied(&made), bytes, "a copy of the copy is the copy");
    made.put("pushed", &[row("UA", 2, None, 1.0)]).unwrap();
}

#[test]
fn what_was_acknowledged_before_is_in_it_and_nothing_is_half_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    let acknowledged = AtomicI64::new(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 1..=150 {
                // Two rows of one push: both or none.
                store.put("v", &[row("UA", n, None, 1.0), row("AA", n, None, 1.0)]).unwrap();
                acknowledged.store(n, Ordering::SeqCst);
            }
        });
        let mut copies = 0;
        while !writer.is_finished() {
            let before = acknowledged.load(Ordering::SeqCst);
            let bytes = copied(&store);
            let other = tempfile::tempdir().unwrap();
            let rows = OnlineStore::from_copy(other.path(), &mut bytes.as_slice()).unwrap();
            assert!(rows >= 2 * before.unsigned_abs() && rows.is_multiple_of(2), "{rows} rows of {before} pushes");
            copies += 1;
        }
        assert!(copies > 1);
    });
}

#[test]
fn what_is_no_copy_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = OnlineStore::open(dir.path()).unwrap();
    store.put("v", &[row("UA", 1, None, 5.0)]).unwrap();
    let whole = copied(&store);
    let check = |bytes: &[u8]| {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = bytes;
        OnlineStore::from_copy(dir.path(), &mut bytes).map_err(|error| (error.kind(), error.to_string()))
    };
    assert_eq!(check(&whole), Ok(1));
    for cut in 0..whole.len() {
        assert_eq!(check(&whole[..cut]).unwrap_err().0, ErrorKind::Corrupt, "cut after {cut} bytes");
    }
    for (at, byte) in [(0, b'x'), (18, b'x'), (22, 0xff)] {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        assert_eq!(check(&bytes).unwrap_err().0, ErrorKind::Corrupt, "byte {at}");
    }
    assert!(check(&[whole.as_slice(), b"more"].concat()).unwrap_err().1.contains("follows its end"));
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert!(matches!(store.copy(&mut Full), Err(OnlineError::Copy { doing: "write", .. })));
}
