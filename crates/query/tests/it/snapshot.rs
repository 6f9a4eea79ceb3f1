//! Snapshots come back as they were, and equal rows have equal digests.

use std::fs;

use bedplate_objects::Objects;
use bedplate_query::snapshot::{SnapshotError, read_snapshot, write_snapshot};
use bedplate_types::{ErrorKind, Explained};

use crate::table::weather;

#[test]
fn equal_rows_have_equal_digests_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let objects = Objects::open(dir.path()).unwrap();
    let rows = weather(&[1.0, 2.0, f64::NAN]);
    let digest = write_snapshot(&objects, &[rows.slice(0, 2), rows.slice(2, 1)]).unwrap();
    assert_eq!(write_snapshot(&objects, &[rows.slice(0, 2), rows.slice(2, 1)]).unwrap(), digest);
    assert_ne!(write_snapshot(&objects, &[weather(&[1.0])]).unwrap(), digest);
    let back = read_snapshot(&objects.path(&digest)).unwrap();
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].columns()[..3], rows.columns()[..3]);
    let empty = write_snapshot(&objects, &[weather(&[])]).unwrap();
    assert_eq!(read_snapshot(&objects.path(&empty)).unwrap()[0].num_rows(), 0);
    assert!(matches!(write_snapshot(&objects, &[]), Err(SnapshotError::NoBatch)));
}

#[test]
fn a_damaged_snapshot_is_corrupt() {
    let dir = tempfile::tempdir().unwrap();
    let objects = Objects::open(dir.path()).unwrap();
    let digest = write_snapshot(&objects, &[weather(&[1.0])]).unwrap();
    let path = objects.path(&digest);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    assert_eq!(read_snapshot(&path).unwrap_err().kind(), ErrorKind::Corrupt);
    fs::remove_file(&path).unwrap();
    assert_eq!(read_snapshot(&path).unwrap_err().kind(), ErrorKind::NotFound);
}
