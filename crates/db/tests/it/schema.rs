//! The schema: brought up to date once, by whoever comes first.

use std::sync::Barrier;
use std::thread;

use bedplate_db::{DbError, Migration};
use bedplate_types::{ErrorKind, Explained};

use crate::{Home, SCHEMA, count, note, on_both};

on_both![
    what_was_written_is_there_after_reopening,
    migrations_are_applied_once_and_in_order,
    a_newer_schema_is_refused_and_named,
    a_failing_migration_leaves_nothing_of_itself_or_its_neighbours,
    several_open_it_at_once_and_one_makes_it,
    bytes_are_called_blob,
];

fn refused(home: &Home, migrations: &[Migration]) -> DbError {
    home.open_with(migrations).expect_err("it should have been refused")
}

fn what_was_written_is_there_after_reopening(home: &Home) {
    home.open().write(|tx| note(tx, "a")).unwrap();
    assert_eq!(count(&home.open()), 1);
}

fn migrations_are_applied_once_and_in_order(home: &Home) {
    home.open();
    let more = Migration { name: "it_0002", sql: "ALTER TABLE notes ADD COLUMN more TEXT" };
    for _ in 0..2 {
        let db = home.open_with(&[SCHEMA[0], more]).unwrap();
        db.read(|tx| tx.query("SELECT more FROM notes", &[])).unwrap();
    }
}

fn a_newer_schema_is_refused_and_named(home: &Home) {
    home.open();
    let error = refused(home, &[]);
    assert!(error.to_string().contains("newer version") && error.to_string().contains("it_0001"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.fix().unwrap().contains("newer bedplate"));
    assert_eq!(count(&home.open()), 0, "refusing changes nothing");
}

fn a_failing_migration_leaves_nothing_of_itself_or_its_neighbours(home: &Home) {
    let bad = Migration { name: "it_0002", sql: "CREATE TABLE other (id TEXT); CREATE TABLE notes (id TEXT)" };
    let error = refused(home, &[SCHEMA[0], bad]);
    assert_eq!(error.to_string(), "migration it_0002 failed");
    let first = Migration { name: "other", sql: "CREATE TABLE notes (id TEXT)" };
    let before = home.open_with(SCHEMA).map(|db| count(&db));
    assert_eq!(before.unwrap(), 0, "what was made is whole");
    let error = refused(home, &[SCHEMA[0], bad]);
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(matches!(refused(home, &[first, first]), DbError::DuplicateMigration("other")));
}

fn several_open_it_at_once_and_one_makes_it(home: &Home) {
    let start = Barrier::new(5);
    thread::scope(|scope| {
        for caller in 0..5 {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                home.open().write(move |tx| note(tx, &caller.to_string())).unwrap();
            });
        }
    });
    assert_eq!(count(&home.open()), 5);
}

fn bytes_are_called_blob(home: &Home) {
    let more = Migration { name: "it_0002", sql: "CREATE TABLE bytes (raw BLOB NOT NULL UNIQUE)" };
    let db = home.open_with(&[SCHEMA[0], more]).unwrap();
    db.write(|tx| tx.execute("INSERT INTO bytes (raw) VALUES ($1)", &[vec![0_u8, 255].into()])).unwrap();
    let sql = "SELECT raw FROM bytes WHERE raw = $1";
    let rows = db.read(|tx| tx.query(sql, &[vec![0_u8, 255].into()])).unwrap();
    assert_eq!(rows[0].blob(0).unwrap(), [0, 255]);
}
