use std::path::Path;

use bedplate_db::{Db, DbError, Migration};
use bedplate_types::{ErrorKind, Explained};

use crate::{Home, SCHEMA, count, note};

fn refused(path: &Path, migrations: &[Migration]) -> DbError {
    Db::open(path, migrations).expect_err("it should have been refused")
}

#[test]
fn what_was_acknowledged_survives_without_a_close() {
    let home = Home::make();
    let db = home.open();
    db.write(|tx| note(tx, "a")).unwrap();
    // A copy of the files as a crash would leave them: the write-ahead log was never taken into the file.
    let copy = Home::make();
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", home.path().display());
        std::fs::copy(from, format!("{}{suffix}", copy.path().display())).unwrap();
    }
    assert_eq!(count(&copy.open()), 1);
}

#[test]
fn a_half_written_log_loses_only_what_was_not_acknowledged() {
    let home = Home::make();
    let db = home.open();
    db.write(|tx| note(tx, "a")).unwrap();
    let copy = Home::make();
    std::fs::copy(home.path(), copy.path()).unwrap();
    let mut log = std::fs::read(format!("{}-wal", home.path().display())).unwrap();
    log.extend([7; 1000]);
    std::fs::write(format!("{}-wal", copy.path().display()), log).unwrap();
    assert_eq!(count(&copy.open()), 1);
}

#[test]
fn a_file_that_is_no_database_is_called_damaged() {
    let home = Home::make();
    std::fs::write(home.path(), "no database at all, but long enough to have a header".repeat(100)).unwrap();
    let error = refused(&home.path(), SCHEMA);
    assert!(matches!(error, DbError::Damaged { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("it.db") && error.fix().unwrap().contains("backup"));
}

#[test]
fn a_cut_file_is_called_damaged_and_left_alone() {
    let home = Home::make();
    drop(home.open());
    let whole = std::fs::read(home.path()).unwrap();
    std::fs::write(home.path(), &whole[..5000]).unwrap();
    let error = refused(&home.path(), SCHEMA);
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!(std::fs::read(home.path()).unwrap().len(), 5000);
}

#[test]
fn a_folder_that_is_missing_or_a_file_is_named() {
    let home = Home::make();
    std::fs::write(home.path(), "").unwrap();
    for path in [home.path().join("below.db"), home.path().with_file_name("missing").join("it.db")] {
        let error = refused(&path, SCHEMA);
        assert!(matches!(error, DbError::NotWritable { .. }), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()) && error.fix().is_some());
    }
}
