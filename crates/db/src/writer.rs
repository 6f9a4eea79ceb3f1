//! The one thread that writes. What waits in the queue is committed together: one fsync for many callers.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle, ThreadId};

use crate::DbError;
use crate::job::{Job, Lost};

/// How many writes may wait before callers are held back.
const QUEUE: usize = 1024;
/// How many writes share one commit at most: bounds how long the first of them waits.
const GROUP: usize = 256;

/// What the writer thread needs of an engine.
pub(crate) trait Store: Send + 'static {
    /// Runs the jobs in one transaction and commits what they did, but for those that are not to be kept. A job may be
    /// run several times; what its last run did counts.
    fn commit(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), Lost>;
}

/// A job that found the queue full, and the queue to wait at.
type NoRoom = (SyncSender<Box<dyn Job>>, Box<dyn Job>);

/// Owns the writer thread; dropping it lets the queue run out and waits for the end.
pub(crate) struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
    id: ThreadId,
}

impl Writer {
    pub(crate) fn start(store: impl Store) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let thread = thread::Builder::new().name("bedplate-db".into()).spawn(move || serve(store, &jobs))?;
        let id = thread.thread().id();
        Ok(Self { queue: Some(queue), thread: Some(thread), id })
    }

    /// Queues a write, waiting for room.
    pub(crate) fn send(&self, job: Box<dyn Job>) -> Result<(), DbError> {
        self.queue()?.send(job).map_err(|_| DbError::Closed)
    }

    /// Queues a write if there is room, and hands it back together with the queue if there is none.
    pub(crate) fn try_send(&self, job: Box<dyn Job>) -> Result<Option<NoRoom>, DbError> {
        let queue = self.queue()?;
        match queue.try_send(job) {
            Ok(()) => Ok(None),
            Err(TrySendError::Full(job)) => Ok(Some((queue.clone(), job))),
            Err(TrySendError::Disconnected(_)) => Err(DbError::Closed),
        }
    }

    fn queue(&self) -> Result<&SyncSender<Box<dyn Job>>, DbError> {
        // The writer waiting for itself would wait for ever.
        if thread::current().id() == self.id {
            return Err(DbError::Nested);
        }
        self.queue.as_ref().ok_or(DbError::Closed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        let Some(thread) = self.thread.take() else { return };
        // The last handle may have been owned by a closure, and so be dropped on the writer itself.
        if thread::current().id() != self.id {
            let _ = thread.join();
        }
    }
}

fn serve(mut store: impl Store, jobs: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP - 1));
        let committed = store.commit(&mut group);
        for job in group {
            job.answer(committed.clone());
        }
    }
}
