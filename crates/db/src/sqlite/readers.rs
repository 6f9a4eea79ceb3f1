//! Connections that only read: taken from a shelf, put back after use.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rusqlite::Connection;

use super::backup::backup;
use super::tx::{SqliteTx, control, open_reader};
use crate::{DbError, Tx};

const IDLE: usize = 8;

/// At most [`IDLE`] connections wait here; a reader that finds none opens its own, so that readers never wait.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()) }
    }

    /// Runs `f` on one snapshot of the database.
    pub(crate) fn read<T, E: From<DbError>>(&self, f: impl FnOnce(&mut dyn Tx) -> Result<T, E>) -> Result<T, E> {
        let conn = self.take()?;
        // A transaction's snapshot is that of its first look at the file.
        control(&conn, "BEGIN")?;
        control(&conn, "SELECT 1 FROM sqlite_schema LIMIT 1")?;
        let outcome = f(&mut SqliteTx(&conn));
        // Nothing was written, so there is nothing to keep; a connection that cannot even end is dropped.
        if control(&conn, "ROLLBACK").is_ok() {
            self.put_back(conn);
        }
        outcome
    }

    /// A copy of what is committed now, in a file that must not be there.
    pub(crate) fn backup(&self, to: &Path) -> Result<(), DbError> {
        let conn = self.take()?;
        backup(&conn, to)?;
        self.put_back(conn);
        Ok(())
    }

    fn take(&self) -> Result<Connection, DbError> {
        let waiting = self.idle.lock().pop();
        waiting.map_or_else(|| open_reader(&self.path), Ok)
    }

    fn put_back(&self, conn: Connection) {
        let mut idle = self.idle.lock();
        if idle.len() < IDLE {
            idle.push(conn);
        }
    }
}
