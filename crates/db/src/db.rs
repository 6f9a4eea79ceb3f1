//! The handle everybody holds.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::job::{Job, Outcome, Write};
use crate::writer::Writer;
use crate::{Commits, DbError, Migration, Tx, postgres, sqlite};

/// An open database. Clones share it; it closes when the last one is dropped.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
    fence: Option<Arc<Fence>>,
}

/// Asked in every transaction that writes, before anything else in it.
type Fence = dyn Fn(&mut dyn Tx) -> Result<(), DbError> + Send + Sync;

struct Inner {
    // Readers first: the writer is then the last to close, and takes the write-ahead log into the file.
    readers: Readers,
    writer: Writer,
}

enum Readers {
    Sqlite(sqlite::Readers),
    Postgres(postgres::Readers),
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
        let (readers, writer) = sqlite::open(path, migrations)?;
        Ok(Self::new(Readers::Sqlite(readers), writer))
    }

    fn new(readers: Readers, writer: Writer) -> Self {
        Self { inner: Arc::new(Inner { readers, writer }), fence: None }
    }

    /// Connects to the PostgreSQL database at `postgres://user:password@host:port/database` and brings its schema up to
    /// date. Several processes may do so at the same time. The database must be UTF-8 and order text by its bytes
    /// (`LC_COLLATE 'C'`); between here and the server there must be no pooler that hands a connection on before it is
    /// closed.
    ///
    /// # Errors
    /// [`DbError::Address`], also for one that asks for TLS, which there is none of yet; [`DbError::Unreachable`],
    /// [`DbError::Refused`], [`DbError::Unsuitable`], [`DbError::Newer`], [`DbError::Migration`]. None has the password
    /// in it.
    pub fn connect(url: &str, migrations: &[Migration]) -> Result<Self, DbError> {
        let (readers, writer) = postgres::connect(url, migrations)?;
        Ok(Self::new(Readers::Postgres(readers), writer))
    }

    /// The same database for somebody who may write only while `fence` says so: it is asked first in every write, and
    /// what it saw holds until the commit. It may be asked several times, like every closure.
    #[must_use]
    pub fn fenced(&self, fence: impl Fn(&mut dyn Tx) -> Result<(), DbError> + Send + Sync + 'static) -> Self {
        Self { inner: Arc::clone(&self.inner), fence: Some(Arc::new(fence)) }
    }

    /// What other processes commit from now on; `None` on SQLite, where no other process writes.
    #[must_use]
    pub fn commits_elsewhere(&self) -> Option<Commits> {
        match &self.inner.readers {
            Readers::Sqlite(_) => None,
            Readers::Postgres(readers) => Some(readers.commits_elsewhere()),
        }
    }

    /// Writes a copy of everything committed when it began to the file `to`, which must not be there, while reads and
    /// writes go on. The file appears when it is whole, checked and on the disk. Costs one pass over the database and one
    /// over the copy; `<to>.partial` is used meanwhile.
    ///
    /// # Errors
    /// [`DbError::Exists`], [`DbError::Copy`], [`DbError::Damaged`]; [`DbError::Unsupported`] on PostgreSQL, which has
    /// tools of its own for this.
    pub fn backup(&self, to: &Path) -> Result<(), DbError> {
        match &self.inner.readers {
            Readers::Sqlite(readers) => readers.backup(to),
            Readers::Postgres(_) => Err(DbError::Unsupported("PostgreSQL is backed up by its own tools: see pg_dump")),
        }
    }

    /// Makes the database `to`, which must not be there, of the backup `from`. Nothing is at `to` unless all of the copy
    /// was read and found whole.
    ///
    /// # Errors
    /// [`DbError::Exists`], also for a log left beside `to`; [`DbError::Damaged`] when `from` is damaged or no database of
    /// ours, [`DbError::Newer`] when it has migrations that are not among `migrations`, [`DbError::Open`],
    /// [`DbError::Copy`].
    pub fn restore(from: &Path, to: &Path, migrations: &[Migration]) -> Result<(), DbError> {
        sqlite::restore(from, to, migrations)
    }

    /// Runs `f` in a transaction. When it returns `Ok` the changes are on the disk; when `f` returned `Err` none of
    /// its changes was kept. Blocks for about one fsync: from async code use [`Db::write_async`].
    ///
    /// # Errors
    /// What `f` returns, [`DbError::Commit`] when the changes could not be kept, [`DbError::Nested`] inside a write. On
    /// PostgreSQL also [`DbError::Unreachable`], and [`DbError::Busy`] when others were in the way each time; what a lost
    /// connection leaves unknown is a [`DbError::Commit`] that says so.
    pub fn write<T, E>(&self, f: impl FnMut(&mut dyn Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (send, answer) = sync_channel::<Outcome<T, E>>(1);
        self.inner.writer.send(Write::boxed(self.fence(f), move |outcome| drop(send.send(outcome))))?;
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
        self.send_async(Write::boxed(self.fence(f), move |outcome| drop(send.send(outcome)))).await?;
        unpack(answer.await.map_err(|_| DbError::Closed)?)
    }

    fn fence<T, E: From<DbError>>(
        &self,
        mut f: impl FnMut(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> impl FnMut(&mut dyn Tx) -> Result<T, E> + Send + 'static {
        let fence = self.fence.clone();
        move |tx| {
            if let Some(fence) = &fence {
                fence(tx)?;
            }
            f(tx)
        }
    }

    async fn send_async(&self, job: Box<dyn Job>) -> Result<(), DbError> {
        let Some((queue, job)) = self.inner.writer.try_send(job)? else { return Ok(()) };
        let sent = spawn_blocking(move || queue.send(job).is_ok()).await;
        if matches!(sent, Ok(true)) { Ok(()) } else { Err(DbError::Closed) }
    }

    /// Runs `f` on one snapshot: what it reads is what was committed when it began. It cannot write.
    ///
    /// # Errors
    /// What `f` returns, or [`DbError::NotWritable`], [`DbError::Unreachable`] and the like when a connection cannot be
    /// opened; [`DbError::Busy`] when all connections to a server are in use for too long.
    pub fn read<T, E: From<DbError>>(&self, f: impl FnOnce(&mut dyn Tx) -> Result<T, E>) -> Result<T, E> {
        match &self.inner.readers {
            Readers::Sqlite(readers) => readers.read(f),
            Readers::Postgres(readers) => readers.read(f),
        }
    }
}

fn unpack<T, E>(outcome: Outcome<T, E>) -> Result<T, E> {
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}
