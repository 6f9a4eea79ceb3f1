//! A view's rows for the online store, whose writing is not asynchronous.

use bedplate_features::SourceRow;
use bedplate_offline::{OfflineError, Source};
use tokio::runtime::Handle;

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
