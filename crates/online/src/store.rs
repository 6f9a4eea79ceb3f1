//! The handle to an open store, whichever engine it has.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::path::Path;

use bedplate_features::{SourceRow, ViewDefinition};

use crate::OnlineError;
use crate::local::LocalStore;
use crate::remote::{Connect, RemoteStore, Standing};

/// An open online store; clones are handles to the same one, closed when the last is dropped.
///
/// A view id names one version of a view (put the definition's digest into it): rows of different columns never mix.
#[derive(Clone)]
pub struct OnlineStore(pub(crate) Engine);

#[derive(Clone)]
pub(crate) enum Engine {
    Local(LocalStore),
    Remote(RemoteStore),
}

/// Why a source was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError<E> {
    #[error(transparent)]
    Store(#[from] OnlineError),
    /// The source ended with this.
    #[error(transparent)]
    Rows(E),
}

impl OnlineStore {
    /// Opens the store in `dir`, creating both if they are not there. A creation cut short is begun again.
    ///
    /// # Errors
    /// When another process has it open, the folder cannot be written, or what is in it is damaged or newer.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, OnlineError> {
        LocalStore::open(dir).map(Engine::Local).map(Self)
    }

    /// [`OnlineStore::open`] with so many bytes for the latest rows of views of `last` values.
    ///
    /// # Errors
    /// As [`OnlineStore::open`].
    pub fn open_remembering(dir: impl AsRef<Path>, bytes: usize) -> Result<Self, OnlineError> {
        LocalStore::open_remembering(dir, bytes).map(Engine::Local).map(Self)
    }

    /// Opens the store in a Redis, which may be open elsewhere too.
    ///
    /// # Errors
    /// [`OnlineError::Redis`] when it is not reached, refuses who asks, would lose what is acknowledged, or holds the rows of
    /// another platform.
    pub fn connect(how: Connect) -> Result<Self, OnlineError> {
        RemoteStore::connect(how).map(Engine::Remote).map(Self)
    }

    /// Makes the store in the empty folder `dir` of a copy; durable when it returns the number of rows. After an error throw
    /// the folder away.
    ///
    /// # Errors
    /// [`OnlineError::Copy`] when `from` is no copy, or is cut short; as [`OnlineStore::open`].
    pub fn from_copy(dir: &Path, from: &mut impl Read) -> Result<u64, OnlineError> {
        LocalStore::from_copy(dir, from)
    }

    /// Writes every row and marker as they are when it begins, while others go on writing; what was acknowledged before is in
    /// it. Returns the number of rows, and `None`, having written nothing, of rows that are in Redis.
    ///
    /// # Errors
    /// [`OnlineError::Copy`] when `out` fails; when the disk fails.
    pub fn copy(&self, out: &mut impl Write) -> Result<Option<u64>, OnlineError> {
        match &self.0 {
            Engine::Local(store) => store.copy(out).map(Some),
            Engine::Remote(_) => Ok(None),
        }
    }

    /// Where other processes find the same rows, as `host:port/database`; `None` when they are this process's own.
    #[must_use]
    pub fn shared_at(&self) -> Option<&str> {
        match &self.0 {
            Engine::Local(_) => None,
            Engine::Remote(store) => Some(store.shown()),
        }
    }

    /// How it stands with the Redis just now; `None` for an engine of this process.
    ///
    /// # Errors
    /// As [`OnlineStore::connect`].
    pub fn standing(&self) -> Result<Option<Standing>, OnlineError> {
        match &self.0 {
            Engine::Local(_) => Ok(None),
            Engine::Remote(store) => store.standing().map(Some),
        }
    }

    /// Stores rows and returns how many were new. They survive power loss once it returns.
    ///
    /// Rows may come in any order and again: one with the entity, time and identity of a stored row replaces it only if its
    /// packed values are greater, or, in views that tell, it was created later. Up to 8,192 rows become visible together.
    ///
    /// # Errors
    /// When a row's key is too long, before anything of its chunk is written, or the engine fails.
    pub fn put(&self, view_id: &str, rows: &[SourceRow]) -> Result<u64, OnlineError> {
        match &self.0 {
            Engine::Local(store) => store.put(view_id, rows),
            Engine::Remote(store) => store.put(view_id, rows),
        }
    }

    /// Stores the rows of a whole source, in any order and in bounded memory; returns how many were new.
    ///
    /// They become visible together when all are there: after an error, or killed, none is. Rows already stored are
    /// recognised, as with [`OnlineStore::put`]. The latest rows of a view of `last` values are put into memory on the way
    /// by an engine that has one, where its definition is given. Call [`OnlineStore::mark_loaded`] afterwards. One load of a
    /// view at a time: where the store is shared, one that is begun ends an earlier one with [`ErrorKind::Conflict`].
    ///
    /// [`ErrorKind::Conflict`]: bedplate_types::ErrorKind::Conflict
    ///
    /// # Errors
    /// What `rows` ends with; when a row's key is too long, or the engine fails.
    pub fn try_load<E>(
        &self,
        view_id: &str,
        def: Option<&ViewDefinition>,
        rows: impl IntoIterator<Item = Result<SourceRow, E>>,
    ) -> Result<u64, LoadError<E>> {
        match &self.0 {
            Engine::Local(store) => store.try_load(view_id, def, rows),
            Engine::Remote(store) => store.try_load(view_id, rows),
        }
    }

    /// [`OnlineStore::try_load`] of rows that are there.
    ///
    /// # Errors
    /// As [`OnlineStore::put`].
    pub fn load(&self, view_id: &str, rows: impl IntoIterator<Item = SourceRow>) -> Result<u64, OnlineError> {
        let loaded = self.try_load(view_id, None, rows.into_iter().map(Ok::<_, Infallible>));
        loaded.map_err(|error| match error {
            LoadError::Store(error) => error,
            LoadError::Rows(never) => match never {},
        })
    }

    /// Whether the view was loaded whole from the source state that `marker` names (for example its table version).
    ///
    /// # Errors
    /// When the engine fails.
    pub fn is_loaded(&self, view_id: &str, marker: &str) -> Result<bool, OnlineError> {
        match &self.0 {
            Engine::Local(store) => store.is_loaded(view_id, marker),
            Engine::Remote(store) => store.is_loaded(view_id, marker),
        }
    }

    /// Says that every row of that source state is stored. Durable when it returns, and with it the rows.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn mark_loaded(&self, view_id: &str, marker: &str) -> Result<(), OnlineError> {
        match &self.0 {
            Engine::Local(store) => store.mark_loaded(view_id, marker),
            Engine::Remote(store) => store.mark_loaded(view_id, marker),
        }
    }

    /// Forgets a view: its marker first, so that an interrupted drop is not taken for a loaded view, then its rows.
    ///
    /// # Errors
    /// When the engine fails; dropping again goes on where it stopped.
    pub fn drop_view(&self, view_id: &str) -> Result<(), OnlineError> {
        match &self.0 {
            Engine::Local(store) => store.drop_view(view_id),
            Engine::Remote(store) => store.drop_view(view_id),
        }
    }

    /// How many rows a view has. May cost a scan of them.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn count(&self, view_id: &str) -> Result<u64, OnlineError> {
        match &self.0 {
            Engine::Local(store) => store.count(view_id),
            Engine::Remote(store) => store.count(view_id),
        }
    }
}
