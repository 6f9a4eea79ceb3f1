//! A group of writes in one transaction of SQLite. None of them leaves a trace of what is not to be kept.

use rusqlite::Connection;

use super::tx::{SqliteTx, control};
use crate::DbError;
use crate::job::{Job, Lost};
use crate::writer::Store;

impl Store for Connection {
    fn commit(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), Lost> {
        commit_group(self, group).map_err(|error| Lost::because(&error))
    }
}

fn commit_group(conn: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), DbError> {
    if transact(conn, || run_plainly(conn, group))? {
        Ok(())
    } else {
        transact(conn, || run_apart(conn, group)).map(drop)
    }
}

/// Keeps what `run` wrote when it says so; otherwise nothing.
fn transact(conn: &Connection, run: impl FnOnce() -> Result<bool, DbError>) -> Result<bool, DbError> {
    control(conn, "BEGIN IMMEDIATE")?;
    let outcome = run().and_then(|keep| control(conn, if keep { "COMMIT" } else { "ROLLBACK" }).map(|()| keep));
    if outcome.is_err() && !conn.is_autocommit() {
        control(conn, "ROLLBACK")?;
    }
    outcome
}

/// Runs the jobs one after the other; false when one wrote what is not to be kept. Savepoints, which copy each page that
/// is touched within them, are what this spares: most groups need none, since what is refused is mostly refused before
/// anything was written.
fn run_plainly(conn: &Connection, group: &mut [Box<dyn Job>]) -> Result<bool, DbError> {
    for job in group {
        let before = conn.total_changes();
        let keep = job.run(&mut SqliteTx(conn));
        refuse_ended(conn)?;
        if !keep && conn.total_changes() != before {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Runs each job in a savepoint of its own.
fn run_apart(conn: &Connection, group: &mut [Box<dyn Job>]) -> Result<bool, DbError> {
    for job in group {
        control(conn, "SAVEPOINT job")?;
        let keep = job.run(&mut SqliteTx(conn));
        refuse_ended(conn)?;
        if !keep {
            control(conn, "ROLLBACK TO job")?;
        }
        control(conn, "RELEASE job")?;
    }
    Ok(true)
}

/// A full disk or an I/O error makes SQLite give up the whole transaction, and the neighbours with it.
fn refuse_ended(conn: &Connection) -> Result<(), DbError> {
    if conn.is_autocommit() {
        return Err(DbError::Commit { why: "the transaction was ended by a failure inside it".into() });
    }
    Ok(())
}
