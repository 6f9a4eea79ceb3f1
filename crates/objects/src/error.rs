//! What can go wrong with an object, told with its digest or path.

use std::io;
use std::path::{Path, PathBuf};

use bedplate_types::{Digest, ErrorKind, Explained};

#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    #[error("object {digest} is not in {}", dir.display())]
    NotFound { digest: Digest, dir: PathBuf },
    #[error("object {digest} is corrupt: the bytes in {} have the digest {found}", path.display())]
    Corrupt { digest: Digest, found: Digest, path: PathBuf },
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

impl ObjectError {
    /// Turns an `io::Error` into one that says what was done to which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

impl Explained for ObjectError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => ErrorKind::NotFound,
                io::ErrorKind::PermissionDenied => ErrorKind::Denied,
                _ => ErrorKind::Internal,
            },
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => Some("restore the folder from a backup, or make the object again".into()),
            Self::Corrupt { path, .. } => Some(format!(
                "restore {0} from a backup, or delete it (rm '{0}') and make the object again",
                path.display()
            )),
            Self::Io { path, .. } => Some(format!("check that {} is writable and its disk not full", path.display())),
        }
    }
}
