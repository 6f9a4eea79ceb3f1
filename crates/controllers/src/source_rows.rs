//! A view's rows for the online store, whose writing is not asynchronous.

use bedplate_features::{SourceRow, ViewDefinition};
use bedplate_offline::{OfflineError, Source};
use bedplate_online::{LoadError, OnlineError, OnlineStore};
use bedplate_types::Problem;
use tokio::runtime::Handle;

use crate::hold::Hold;

/// A source's rows one after the other, for a thread that may wait.
pub struct SourceRows {
    source: Source,
    runtime: Handle,
    piece: std::vec::IntoIter<SourceRow>,
    ended: bool,
}

impl SourceRows {
    pub fn new(source: Source, runtime: Handle) -> Self {
        Self { source, runtime, piece: Vec::new().into_iter(), ended: false }
    }
}

impl Iterator for SourceRows {
    type Item = Result<SourceRow, OfflineError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            if let Some(row) = self.piece.next() {
                return Some(Ok(row));
            }
            match self.runtime.block_on(self.source.next()) {
                Ok(Some(piece)) => self.piece = piece.into_iter(),
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Brings rows of a view into the online store, and sees to it that its latest ones are in memory.
pub fn load(
    online: &OnlineStore,
    view_id: &str,
    definition: &ViewDefinition,
    rows: impl Iterator<Item = Result<SourceRow, OfflineError>>,
    what: String,
) -> Result<(), Hold> {
    online.try_load(view_id, Some(definition), rows).map_err(|error| match error {
        LoadError::Store(error) => held(what.clone())(error),
        LoadError::Rows(error) => Hold::failed(what.clone(), &error),
    })?;
    online.remember(definition, view_id).map_err(held(what))
}

/// For `map_err`: a Redis that is not reached, or that another load was begun in, is called again.
pub fn held(what: impl Into<String>) -> impl FnOnce(OnlineError) -> Hold {
    let what = what.into();
    move |error| match &error {
        OnlineError::Redis(_) => Hold::Unreached(Problem::of(what, &error)),
        _ => Hold::failed(what, &error),
    }
}
