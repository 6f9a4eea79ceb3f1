//! The handle to an open store.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use fjall::{Database, Keyspace};
use parking_lot::Mutex;

use crate::cache::Cache;
use crate::{OnlineError, open};

/// An open online store; clones are handles to the same one, closed when the last is dropped.
///
/// A view id names one version of a view (put the definition's digest into it): rows of different columns never mix.
#[derive(Clone)]
pub struct OnlineStore {
    pub(crate) db: Database,
    pub(crate) rows: Keyspace,
    pub(crate) meta: Keyspace,
    /// Held while rows are compared with what is stored and written, so that two pushes of one row agree on which stays.
    pub(crate) writing: Arc<Mutex<()>>,
    pub(crate) cache: Arc<Cache>,
    /// Keeps other processes out; released after the database, so it is declared last.
    _lock: Arc<File>,
}

impl OnlineStore {
    /// Opens the store in `dir`, creating both if they are not there. A creation cut short is begun again.
    ///
    /// # Errors
    /// When another process has it open, the folder cannot be written, or what is in it is damaged or newer.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, OnlineError> {
        let open::Opened { db, rows, meta, lock } = open::open(dir.as_ref())?;
        Ok(Self { db, rows, meta, writing: Arc::default(), cache: Arc::default(), _lock: Arc::new(lock) })
    }
}
