//! A group of writes in one serializable transaction of PostgreSQL, each in a savepoint of its own.
//!
//! Nearly every write of bedplate ends in the one audit log, so two replicas that wrote at the same time would only run
//! into each other. They stand in line instead, at the lock of a table, which is taken before the snapshot (`LOCK TABLE` needs
//! none) and given back after the commit. It is a part of the transaction, so that a replica that is stopped in the middle of
//! one, or cut off, holds up the others only until the server gives it up. Serializability is left to PostgreSQL all the
//! same: whoever writes without the lock makes us run again.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::connection::Connection;
use super::error::{Failure, Fate};
use super::listen;
use super::server::Server;
use super::tx::PostgresTx;
use crate::DbError;
use crate::job::{Job, Lost};
use crate::writer::Store;

/// How often a group is run before its callers are told that others were in the way.
const RUNS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(4);

/// Who reads the table is not held up.
const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE schema_migrations IN EXCLUSIVE MODE";
/// Between two statements of a writer there is only what its closures do.
const SET_UP: &str = "SET idle_in_transaction_session_timeout = '4s'";

/// One replica's writer, with its connection while there is one.
pub(super) struct Replica {
    server: Arc<Server>,
    connection: Option<Connection>,
    /// Sent with each commit, so that the other replicas look.
    notify: String,
}

/// How one run of a group ended that was not committed.
enum Missed {
    Again(Lost),
    /// Nothing can be said by running it again.
    For(Lost),
}

impl Replica {
    pub(super) fn new(server: Arc<Server>, instance: &str) -> Self {
        Self { server, connection: None, notify: listen::notify(instance) }
    }
}

impl Store for Replica {
    fn commit(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), Lost> {
        let mut last = Lost::Contended("no run of it".into());
        for run in 0..RUNS {
            if run > 0 {
                sleep(PAUSE * 2_u32.pow(run));
            }
            match self.run(group) {
                Ok(()) => return Ok(()),
                Err(Missed::Again(lost)) => last = lost,
                Err(Missed::For(lost)) => return Err(lost),
            }
        }
        Err(last)
    }
}

impl Replica {
    fn run(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), Missed> {
        let mut connection = self.begun()?;
        let outcome = run_group(&mut connection, group, &self.notify);
        // One that is not rolled back is closed, which does it.
        if outcome.is_ok() || connection.run("ROLLBACK").is_ok() {
            self.connection = Some(connection);
        }
        outcome
    }

    /// A connection that holds the lock and is inside a transaction.
    fn begun(&mut self) -> Result<Connection, Missed> {
        if let Some(kept) = self.connection.take()
            && kept.run(BEGIN).is_ok()
        {
            return Ok(kept);
        }
        let fresh = self.server.connect().map_err(|error| Missed::For(unreachable(&self.server, &error)))?;
        match fresh.run(SET_UP).and_then(|()| fresh.run(BEGIN)) {
            Ok(()) => Ok(fresh),
            Err(failure) => Err(Missed::For(missed(&self.server, failure.fate(), failure.words()))),
        }
    }
}

fn run_group(connection: &mut Connection, group: &mut [Box<dyn Job>], notify: &str) -> Result<(), Missed> {
    let server = Arc::clone(connection.server());
    // How the job before ends is sent with the first statement of the next, and at last with the commit.
    let mut end = "";
    // A COMMIT of a failed transaction would say nothing and roll back; a SELECT fails.
    let mut select = "SELECT 1";
    for job in group {
        let mut tx = PostgresTx::new(connection, &format!("{end}SAVEPOINT job; "));
        let keep = job.run(&mut tx);
        if tx.touched() {
            end = if keep { "RELEASE job; " } else { "ROLLBACK TO job; RELEASE job; " };
            select = if keep { notify } else { select };
        }
        if let Some((fate, why)) = tx.broken() {
            return Err(Missed::Again(missed(&server, fate, why)));
        }
    }
    let committed = connection.run(&format!("{end}{select}; COMMIT"));
    committed.map_err(|failure| uncommitted(&server, &failure))
}

fn uncommitted(server: &Server, failure: &Failure) -> Missed {
    let why = failure.words();
    match failure.fate() {
        Fate::RunAgain => Missed::Again(missed(server, Fate::RunAgain, why)),
        Fate::Gone => {
            let unknown = format!(
                "the connection to {} was lost while committing ({why}): they are kept or they are not",
                server.name()
            );
            Missed::For(Lost::Commit(unknown.into()))
        }
        Fate::GoesOn => Missed::For(Lost::Commit(why.into())),
    }
}

fn missed(server: &Server, fate: Fate, why: String) -> Lost {
    match fate {
        Fate::Gone => Lost::Unreachable { server: server.name().into(), why: why.into() },
        Fate::RunAgain | Fate::GoesOn => Lost::Contended(format!("others wrote to the same rows: {why}").into()),
    }
}

fn unreachable(server: &Server, error: &DbError) -> Lost {
    match error {
        DbError::Unreachable { why, .. } | DbError::Refused { why, .. } => {
            Lost::Unreachable { server: server.name().into(), why: why.as_str().into() }
        }
        DbError::Busy { why } => Lost::Contended(why.as_str().into()),
        _ => Lost::because(error),
    }
}
