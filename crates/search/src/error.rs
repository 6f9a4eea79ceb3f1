//! What can go wrong.

use bedplate_types::{ErrorKind, Explained};

#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error("the search index failed")]
    Index(#[from] tantivy::TantivyError),
    #[error("the search index holds {most} texts, and no more: what came later is not found")]
    Full { most: usize },
}

impl Explained for SearchError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }

    fn fix(&self) -> Option<String> {
        None
    }
}
