//! A copy of the whole file while it is written to, and back again.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::migrate::applied;
use super::tx::{SqliteTx, run};
use crate::migrate::{missing, refuse_duplicates};
use crate::{DbError, Migration, Tx};

/// Copies what is committed now to the file `to`, which must not be there.
pub(crate) fn backup(from: &Connection, to: &Path) -> Result<(), DbError> {
    make(to, |partial| {
        copy(from, partial)?;
        check(&open_copy(partial)?, partial)
    })
}

/// Makes the database `to`, which must not be there, of the backup `from`, unless that is damaged or too new.
pub(crate) fn restore(from: &Path, to: &Path, migrations: &[Migration]) -> Result<(), DbError> {
    refuse_duplicates(migrations)?;
    // A log that a removed database left behind would be taken for the new one's.
    for beside in ["-wal", "-shm", "-journal"] {
        refuse_existing(&with_suffix(to, beside))?;
    }
    make(to, |partial| {
        fs::copy(from, partial).map_err(|error| DbError::Open { path: from.to_owned(), source: error.into() })?;
        // The copy is what will be used, so the copy is what is checked; the fault is told of the backup.
        let conn = open_copy(partial).map_err(|error| rename(error, from))?;
        check(&conn, from)?;
        let known = is_ours(&conn, from)?;
        missing(&from.display().to_string(), &known, migrations).map(|_| ())
    })
}

/// Has a file made beside `to` and renames it when it is whole and on the disk.
fn make(to: &Path, fill: impl FnOnce(&Path) -> Result<(), DbError>) -> Result<(), DbError> {
    refuse_existing(to)?;
    let partial = with_suffix(to, ".partial");
    let failed = |error: std::io::Error| DbError::Copy { path: to.to_owned(), source: error.into() };
    let _ = fs::remove_file(&partial);
    let outcome = fill(&partial).and_then(|()| settle(&partial, to).map_err(failed));
    if outcome.is_err() {
        let _ = fs::remove_file(&partial);
    }
    outcome
}

fn refuse_existing(path: &Path) -> Result<(), DbError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(DbError::Exists { path: path.to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DbError::Copy { path: path.to_owned(), source: error.into() }),
    }
}

fn settle(partial: &Path, to: &Path) -> std::io::Result<()> {
    File::open(partial)?.sync_all()?;
    fs::rename(partial, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// All pages in one step: it holds one snapshot, and writers go on meanwhile. In several steps each write would begin it
/// anew.
fn copy(from: &Connection, to: &Path) -> Result<(), DbError> {
    let failed = |error: rusqlite::Error| DbError::Copy { path: to.to_owned(), source: error.into() };
    private(to).map_err(|error| DbError::Copy { path: to.to_owned(), source: error.into() })?;
    let mut target = Connection::open(to).map_err(failed)?;
    match Backup::new(from, &mut target).and_then(|backup| backup.step(-1)).map_err(failed)? {
        StepResult::Done => {}
        _ => return Err(DbError::Held { path: to.to_owned() }),
    }
    // One file that needs no log beside it.
    let mode: String =
        target.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0)).map_err(failed)?;
    if mode != "delete" {
        return Err(DbError::Copy { path: to.to_owned(), source: format!("it stays in mode {mode}").into() });
    }
    target.close().map_err(|(_, error)| failed(error))
}

/// The copy holds what the database holds: nobody else may read it.
fn private(path: &Path) -> std::io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

fn open_copy(path: &Path) -> Result<Connection, DbError> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    conn.map_err(|error| DbError::opening(path, error))
}

fn check(conn: &Connection, path: &Path) -> Result<(), DbError> {
    let damaged = |why: String| DbError::Damaged { path: path.to_owned(), why };
    let rows = SqliteTx(conn).query("PRAGMA integrity_check(1)", &[]).map_err(|error| rename(error, path))?;
    match rows.first().map(|row| row.text(0)).transpose()? {
        Some("ok") => {}
        said => return Err(damaged(said.unwrap_or("nothing came of the check").to_owned())),
    }
    let dangling = SqliteTx(conn).query("PRAGMA foreign_key_check", &[]).map_err(|error| rename(error, path))?;
    if dangling.is_empty() {
        Ok(())
    } else {
        Err(damaged(format!("{} rows refer to what is not there", dangling.len())))
    }
}

fn is_ours(conn: &Connection, path: &Path) -> Result<BTreeSet<String>, DbError> {
    run(conn, "SELECT name FROM schema_migrations LIMIT 1").map_err(|_| DbError::Damaged {
        path: path.to_owned(),
        why: "it is a database, and none of ours: it has no schema_migrations".into(),
    })?;
    applied(conn)
}

/// A damage that shows while a statement runs, told of the file.
fn rename(error: DbError, path: &Path) -> DbError {
    match error {
        DbError::Corrupt { why, .. } | DbError::Damaged { why, .. } => DbError::Damaged { path: path.to_owned(), why },
        other => other,
    }
}
