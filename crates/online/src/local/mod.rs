//! The engine of one process: fjall's LSM tree in a folder, and the latest rows in memory.

mod cache;
mod copy;
mod load;
mod marker;
mod memory;
mod open;
mod ranked;
mod read;
mod sort;
mod stored;
mod tickets;
mod write;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fjall::{Database, Keyspace};
use parking_lot::Mutex;

use crate::OnlineError;
use crate::layout::ViewPrefix;
use crate::local::cache::Cache;
use crate::local::memory::Memory;

/// Enough for the latest rows of a million entities of six features.
const MEMORY: usize = 96 << 20;
/// Locks of views that are kept while nobody holds them.
const MOST_IDLE: usize = 1024;

/// An open store; clones are handles to the same one, closed when the last is dropped.
#[derive(Clone)]
pub(crate) struct LocalStore {
    pub(crate) db: Database,
    pub(crate) rows: Keyspace,
    pub(crate) meta: Keyspace,
    /// Where large loads are sorted.
    pub(crate) folder: PathBuf,
    pub(crate) writing: Arc<Writing>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) cache: Arc<Cache>,
    /// Keeps other processes out; released after the database, so it is declared last.
    _lock: Arc<File>,
}

/// For each view, held while rows are compared with what is stored and written, so that two pushes of one row agree on which
/// stays.
#[derive(Default)]
pub(crate) struct Writing(Mutex<HashMap<ViewPrefix, Arc<Mutex<()>>>>);

impl Writing {
    pub(crate) fn of(&self, view: &ViewPrefix) -> Arc<Mutex<()>> {
        let mut views = self.0.lock();
        // Views come and go with their versions: what nobody holds is made again.
        if views.len() > MOST_IDLE {
            views.retain(|_, writing| Arc::strong_count(writing) > 1);
        }
        Arc::clone(views.entry(*view).or_default())
    }
}

impl LocalStore {
    /// Opens the store in `dir`, creating both if they are not there. A creation cut short is begun again.
    ///
    /// # Errors
    /// When another process has it open, the folder cannot be written, or what is in it is damaged or newer.
    pub(crate) fn open(dir: impl AsRef<Path>) -> Result<Self, OnlineError> {
        Self::open_remembering(dir, MEMORY)
    }

    /// [`LocalStore::open`] with so many bytes for the latest rows of views of `last` values.
    ///
    /// # Errors
    /// As [`LocalStore::open`].
    pub(crate) fn open_remembering(dir: impl AsRef<Path>, bytes: usize) -> Result<Self, OnlineError> {
        let dir = dir.as_ref();
        let open::Opened { db, rows, meta, lock } = open::open(dir)?;
        Ok(Self {
            db,
            rows,
            meta,
            folder: dir.to_owned(),
            writing: Arc::default(),
            memory: Arc::new(Memory::new(bytes)),
            cache: Arc::default(),
            _lock: Arc::new(lock),
        })
    }
}
