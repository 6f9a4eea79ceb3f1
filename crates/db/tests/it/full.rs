//! A disk that is full: errors, nothing that was acknowledged lost, and everything goes on once there is room.

use std::path::{Path, PathBuf};
use std::process::Command;

use bedplate_db::{Db, DbError, Tx};
use bedplate_testkit::{not_run, program};
use bedplate_types::{ErrorKind, Explained};

use crate::SCHEMA;

const FOLDER: &str = "BEDPLATE_DB_FULL_TEST_FOLDER";
const SIZE: &str = "3m";

/// The test proper, in a process that has a small disk of its own.
#[test]
#[ignore = "run by the test below as a child process that has a small disk"]
fn child() {
    #[expect(clippy::disallowed_methods, reason = "how the test speaks to its child")]
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = PathBuf::from(folder);
    let ballast = folder.join("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    let db = Db::open(&folder.join("it.db"), SCHEMA).unwrap();
    let first = fill(&db, 0);
    // It stays full, and stays readable.
    for n in 0..20 {
        assert!(told(&insert(&db, first + n).unwrap_err()));
    }
    whole(&db, first);
    // Groups of which some fit: each is told for itself, or all of a group together.
    let writers: Vec<_> = (0..8)
        .map(|n: u64| {
            let db = db.clone();
            std::thread::spawn(move || (0..20).filter(|m| insert(&db, 1_000_000 + n * 100 + m).is_ok()).count())
        })
        .collect();
    let kept: usize = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    let found = db.read(|tx| number(tx, "SELECT COUNT(*) FROM notes WHERE id >= '1000000'")).unwrap();
    assert_eq!(usize::try_from(found).unwrap(), kept);
    // A backup has no room either, and leaves nothing behind.
    assert!(db.backup(&folder.join("copy")).is_err());
    assert!(!folder.join("copy").exists() && !folder.join("copy.partial").exists());

    std::fs::remove_file(&ballast).unwrap();
    db.write(|tx| tx.execute("DELETE FROM notes WHERE id >= '1000000'", &[])).unwrap();
    insert(&db, first).unwrap();
    let second = fill(&db, first + 1);
    assert!(second > first + 1, "nothing more had room");
    whole(&db, second);
    drop(db);
    let db = Db::open(&folder.join("it.db"), SCHEMA).unwrap();
    whole(&db, second);
    println!("{first} rows, then {} more", second - first);
}

/// Ids are as wide as they are ordered.
fn insert(db: &Db, id: u64) -> Result<(), DbError> {
    let args = [format!("{id:07}").into(), "x".repeat(2_000).into()];
    db.write(move |tx| tx.execute("INSERT INTO notes (id, body) VALUES ($1, $2)", &args)).map(|_| ())
}

/// Writes rows from `from` on until there is no room; returns the first that had none.
fn fill(db: &Db, from: u64) -> u64 {
    for id in from..100_000 {
        if let Err(error) = insert(db, id) {
            assert!(told(&error), "{error:?}");
            return id;
        }
    }
    panic!("the disk was never full");
}

/// It says that the disk is full, and which kind of failure that is.
fn told(error: &DbError) -> bool {
    error.to_string().contains("full") && error.kind() == ErrorKind::Internal
}

fn whole(db: &Db, rows: u64) {
    let check = |tx: &mut dyn Tx| {
        let verdict = tx.query("PRAGMA integrity_check", &[])?[0].text(0)?.to_owned();
        Ok::<_, DbError>((verdict, number(tx, "SELECT COUNT(*) FROM notes WHERE id < '1000000'")?))
    };
    assert_eq!(db.read(check).unwrap(), ("ok".to_owned(), i64::try_from(rows).unwrap()));
}

fn number(tx: &mut dyn Tx, sql: &str) -> Result<i64, DbError> {
    tx.query(sql, &[])?[0].int(0)
}

#[test]
fn a_full_disk_gives_errors_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some(output) = on_a_small_disk(folder.path()) else { return };
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    println!("{said}");
}

/// Runs the child with a small disk mounted at `folder`, which nobody else sees.
fn on_a_small_disk(folder: &Path) -> Option<std::process::Output> {
    const WHAT: &str = "a full disk";
    let Some(unshare) = program("unshare") else {
        not_run(&format!("{WHAT}: there is no unshare"));
        return None;
    };
    let can = Command::new(&unshare).args(["-rm", "mount", "-t", "tmpfs", "tmpfs"]).arg(folder).output().unwrap();
    if !can.status.success() {
        not_run(&format!("{WHAT}: no disk can be mounted here: {}", String::from_utf8_lossy(&can.stderr).trim()));
        return None;
    }
    let script =
        format!("mount -t tmpfs -o size={SIZE} tmpfs \"$0\" && exec \"$1\" full::child --exact --ignored --nocapture");
    let mut command = Command::new(unshare);
    command.args(["-rm", "sh", "-c", &script]).arg(folder).arg(std::env::current_exe().unwrap());
    Some(command.env(FOLDER, folder).output().unwrap())
}
