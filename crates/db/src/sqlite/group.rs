//! A group of writes in one transaction of SQLite, each in a savepoint of its own.

use rusqlite::Connection;

use super::tx::{SqliteTx, run};
use crate::DbError;
use crate::job::{Job, Lost};
use crate::writer::Store;

impl Store for Connection {
    fn commit(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), Lost> {
        commit_group(self, group).map_err(|error| Lost::because(&error))
    }
}

fn commit_group(conn: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), DbError> {
    run(conn, "BEGIN IMMEDIATE")?;
    let outcome = run_group(conn, group).and_then(|()| run(conn, "COMMIT"));
    if outcome.is_err() && !conn.is_autocommit() {
        run(conn, "ROLLBACK")?;
    }
    outcome
}

fn run_group(conn: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), DbError> {
    for job in group {
        run(conn, "SAVEPOINT job")?;
        let keep = job.run(&mut SqliteTx(conn));
        if conn.is_autocommit() {
            // A full disk or an I/O error makes SQLite give up the whole transaction, and the neighbours with it.
            return Err(DbError::Commit { why: "the transaction was ended by a failure inside it".into() });
        }
        if !keep {
            run(conn, "ROLLBACK TO job")?;
        }
        run(conn, "RELEASE job")?;
    }
    Ok(())
}
