//! Connections that read: a bounded number, each on one snapshot at a time.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::connection::Connection;
use super::error::running;
use super::server::Server;
use super::tx::PostgresTx;
use crate::{Commits, DbError, Tx};

/// Connections that read at the same time.
const CONNECTIONS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(10);
/// A transaction's snapshot is that of its first look at the tables.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1";

pub(crate) struct Readers {
    server: Arc<Server>,
    shelf: Mutex<Shelf>,
    put_back: Condvar,
}

struct Shelf {
    idle: Vec<Connection>,
    room: usize,
}

/// The right to one connection, given back when it is dropped.
struct Place<'a>(&'a Readers);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.shelf.lock().room += 1;
        self.0.put_back.notify_one();
    }
}

impl Readers {
    pub(super) fn new(server: Arc<Server>) -> Self {
        let shelf = Mutex::new(Shelf { idle: Vec::new(), room: CONNECTIONS });
        Self { server, shelf, put_back: Condvar::new() }
    }

    /// Runs `f` on one snapshot of the database.
    pub(crate) fn read<T, E: From<DbError>>(&self, f: impl FnOnce(&mut dyn Tx) -> Result<T, E>) -> Result<T, E> {
        let place = self.place()?;
        let mut connection = self.begun()?;
        let mut tx = PostgresTx::new(&mut connection, "");
        let outcome = f(&mut tx);
        // Nothing was written, so there is nothing to keep; a connection that cannot even end is dropped.
        if tx.broken().is_none() && connection.run("ROLLBACK").is_ok() {
            self.shelf.lock().idle.push(connection);
        }
        drop(place);
        outcome
    }

    pub(crate) fn commits_elsewhere(&self) -> Commits {
        Commits::new(self.server.listen())
    }

    fn place(&self) -> Result<Place<'_>, DbError> {
        let mut shelf = self.shelf.lock();
        while shelf.room == 0 {
            if self.put_back.wait_for(&mut shelf, PATIENCE).timed_out() && shelf.room == 0 {
                return Err(DbError::Busy { why: format!("all {CONNECTIONS} connections are reading") });
            }
        }
        shelf.room -= 1;
        Ok(Place(self))
    }

    /// A connection inside a transaction. One that lay on the shelf while the server was restarted is thrown away.
    fn begun(&self) -> Result<Connection, DbError> {
        loop {
            let Some(waiting) = self.shelf.lock().idle.pop() else { break };
            if !waiting.is_closed() && waiting.run(BEGIN).is_ok() {
                return Ok(waiting);
            }
        }
        let fresh = self.server.connect()?;
        fresh.run(BEGIN).map_err(|failure| running(&self.server, BEGIN, &failure))?;
        Ok(fresh)
    }
}
