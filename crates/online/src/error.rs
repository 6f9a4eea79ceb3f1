//! What can go wrong with the online store.

use std::path::PathBuf;

use bedplate_features::InvalidPacked;
use bedplate_types::{ErrorKind, Explained};

use crate::remote::RedisProblem;

#[derive(Debug, thiserror::Error)]
pub enum OnlineError {
    #[error("the online store in {} is in use by another process", .dir.display())]
    Locked { dir: PathBuf },
    #[error("cannot {doing} the folder {}", .dir.display())]
    Folder { doing: &'static str, dir: PathBuf, source: std::io::Error },
    #[error("the online store in {} is damaged: {why}", .dir.display())]
    Corrupt { dir: PathBuf, why: String },
    #[error("the online store in {} has layout {found}; this bedplate reads layout {known}", .dir.display())]
    NewerLayout { dir: PathBuf, found: String, known: u8 },
    #[error("cannot {doing} of view {view:?} in the online store")]
    Storage { doing: &'static str, view: String, source: fjall::Error },
    #[error("cannot {doing} the copy of the online store: {source}")]
    Copy { doing: &'static str, source: std::io::Error },
    #[error("a row of view {view:?} in the online store is damaged")]
    CorruptRow { view: String, source: InvalidPacked },
    #[error("rows of view {view:?} have {found} stored values, but its definition has {wanted} columns")]
    OtherColumns { view: String, found: usize, wanted: usize },
    #[error("a row of view {view:?} has a key of {bytes} bytes; at most {limit} can be stored")]
    KeyTooLong { view: String, bytes: usize, limit: usize },
    #[error(transparent)]
    Redis(RedisProblem),
}

impl Explained for OnlineError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Locked { .. } => ErrorKind::Busy,
            Self::Folder { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            Self::Folder { .. } | Self::Storage { .. } => ErrorKind::Internal,
            Self::Copy { source, .. } if is_no_copy(source) => ErrorKind::Corrupt,
            Self::Copy { .. } => ErrorKind::Internal,
            Self::Corrupt { .. } | Self::CorruptRow { .. } => ErrorKind::Corrupt,
            Self::OtherColumns { .. } => ErrorKind::Conflict,
            Self::NewerLayout { .. } | Self::KeyTooLong { .. } => ErrorKind::Invalid,
            Self::Redis(problem) => problem.kind,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Locked { .. } => Some("stop the other bedplate, or give this one its own --home".to_owned()),
            Self::Folder { dir, .. } => Some(format!("make {} a folder this user can write to", dir.display())),
            Self::Corrupt { dir, .. } => Some(format!(
                "restore {0} from a backup, or move it away (mv {0} {0}.damaged): views are materialised again from \
                 their sources, pushed rows must be pushed again",
                dir.display()
            )),
            Self::NewerLayout { .. } => Some("use the bedplate that wrote this home folder, or a newer one".to_owned()),
            Self::CorruptRow { view, .. } | Self::OtherColumns { view, .. } => {
                Some(format!("materialise feature view {view} again"))
            }
            Self::Redis(problem) => problem.fix.clone(),
            Self::Storage { .. } | Self::KeyTooLong { .. } | Self::Copy { .. } => None,
        }
    }
}

fn is_no_copy(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof)
}

/// Says what was being done to which view when the engine failed.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str, view: &str) -> Result<T, OnlineError>;
}

impl<T> Doing<T> for fjall::Result<T> {
    fn doing(self, doing: &'static str, view: &str) -> Result<T, OnlineError> {
        self.map_err(|source| OnlineError::Storage { doing, view: view.to_owned(), source })
    }
}
