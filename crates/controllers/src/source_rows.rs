//! A view's rows for the online store, whose writing is not asynchronous.

use bedplate_features::SourceRow;
use bedplate_offline::{OfflineError, Source};
use tokio::runtime::Handle;

/// A source's rows one after the other, for a thread that may wait.
pub struct SourceRows {
    source: Source,
    runtime: Handle,
    piece: std::vec::IntoIter<SourceRow>,
    /// How it ended, once it did.
    ended: Option<Result<(), OfflineError>>,
}

impl SourceRows {
    pub fn new(source: Source, runtime: Handle) -> Self {
        Self { source, runtime, piece: Vec::new().into_iter(), ended: None }
    }

    /// Whether the last row was the source's last.
    pub fn end(self) -> Result<(), OfflineError> {
        self.ended.unwrap_or(Ok(()))
    }
}

impl Iterator for SourceRows {
    type Item = SourceRow;

    fn next(&mut self) -> Option<SourceRow> {
        while self.ended.is_none() {
            if let Some(row) = self.piece.next() {
                return Some(row);
            }
            match self.runtime.block_on(self.source.next()) {
                Ok(Some(piece)) => self.piece = piece.into_iter(),
                Ok(None) => self.ended = Some(Ok(())),
                Err(error) => self.ended = Some(Err(error)),
            }
        }
        None
    }
}
