//! The handle everybody holds.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::job::{Job, Outcome, Write};
use crate::migrate::migrate;
use crate::readers::Readers;
use crate::sqlite::open_writer;
use crate::writer::Writer;
use crate::{DbError, Migration, Tx};

/// An open database. Clones share it; it closes when the last one is dropped.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    // Readers first: the writer is then the last to close, and takes the write-ahead log into the file.
    readers: Readers,
    writer: Writer,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Db")
    }
}

impl Db {
    /// Opens or makes the database at `path`, whose folder must exist, and brings its schema up to date.
    ///
    /// # Errors
    /// [`DbError::NotWritable`], [`DbError::Damaged`], [`DbError::Newer`] when it has migrations that are not among
    /// `migrations`, [`DbError::Held`] when another process writes to it just now, [`DbError::Migration`].
    pub fn open(path: &Path, migrations: &[Migration]) -> Result<Self, DbError> {
        let conn = open_writer(path)?;
        // Readers open the file later, and perhaps from another working directory.
        let path = &std::path::absolute(path)
            .map_err(|error| DbError::Open { path: path.to_owned(), source: error.into() })?;
        migrate(&conn, path, migrations)?;
        let writer = Writer::start(conn).map_err(|error| DbError::Open { path: path.clone(), source: error.into() })?;
        Ok(Self(Arc::new(Inner { readers: Readers::new(path.clone()), writer })))
    }

    /// Runs `f` in a transaction. When it returns `Ok` the changes are on the disk; when `f` returned `Err` none of
    /// its changes was kept. Blocks for about one fsync: from async code use [`Db::write_async`].
    ///
    /// # Errors
    /// What `f` returns, [`DbError::Commit`] when the changes could not be kept, [`DbError::Nested`] inside a write.
    pub fn write<T, E>(&self, f: impl FnMut(&mut dyn Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (send, answer) = sync_channel::<Outcome<T, E>>(1);
        self.0.writer.send(Write::boxed(f, move |outcome| drop(send.send(outcome))))?;
        unpack(answer.recv().map_err(|_| DbError::Closed)?)
    }

    /// As [`Db::write`], without blocking the thread. When the future is dropped the write may still happen.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn write_async<T, E>(&self, f: impl FnMut(&mut dyn Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (send, answer) = oneshot::channel::<Outcome<T, E>>();
        self.send_async(Write::boxed(f, move |outcome| drop(send.send(outcome)))).await?;
        unpack(answer.await.map_err(|_| DbError::Closed)?)
    }

    async fn send_async(&self, job: Box<dyn Job>) -> Result<(), DbError> {
        let Some((queue, job)) = self.0.writer.try_send(job)? else { return Ok(()) };
        let sent = spawn_blocking(move || queue.send(job).is_ok()).await;
        if matches!(sent, Ok(true)) { Ok(()) } else { Err(DbError::Closed) }
    }

    /// Runs `f` on one snapshot: what it reads is what was committed when it began. It cannot write.
    ///
    /// # Errors
    /// What `f` returns, or [`DbError::NotWritable`] and the like when a connection cannot be opened.
    pub fn read<T, E: From<DbError>>(&self, f: impl FnOnce(&mut dyn Tx) -> Result<T, E>) -> Result<T, E> {
        self.0.readers.read(f)
    }
}

fn unpack<T, E>(outcome: Outcome<T, E>) -> Result<T, E> {
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}
