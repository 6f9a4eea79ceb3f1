//! What can be wrong with an archive.

use std::io;
use std::path::PathBuf;

use bedplate_types::{ErrorKind, Explained};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Also when it was cut short inside of a file.
    #[error("it cannot be read to its end: {0}")]
    Broken(io::Error),
    #[error("it ends without a manifest: it was cut short, or it is no archive of bedplate's")]
    NoManifest,
    #[error("its manifest cannot be read: {0}")]
    Manifest(serde_json::Error),
    #[error("something follows its manifest")]
    AfterTheEnd,
    #[error("it was written by a newer bedplate: its format is {found}, this one reads {known}")]
    Newer { found: u32, known: u32 },
    #[error("the path {path:?} in it leads elsewhere, or is none that is expected")]
    Path { path: String },
    #[error("{path} in it is no plain file")]
    NotAFile { path: String },
    #[error("{path} is in it twice")]
    Twice { path: String },
    #[error("{path} is not what was archived")]
    Altered { path: String },
    #[error("{path} is missing in it")]
    Missing { path: String },
    #[error("{path} is in it, and its manifest does not know of it")]
    Unknown { path: String },
    #[error("cannot write the archive")]
    Write(#[source] io::Error),
    #[error("cannot read {path} for the archive")]
    Source { path: String, source: io::Error },
    #[error("{path} became shorter while it was archived")]
    Shrank { path: String },
    #[error("cannot write {}", path.display())]
    Target { path: PathBuf, source: io::Error },
}

impl Explained for ArchiveError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Newer { .. } => ErrorKind::Invalid,
            Self::Write(_) | Self::Source { .. } | Self::Shrank { .. } | Self::Target { .. } => ErrorKind::Internal,
            _ => ErrorKind::Corrupt,
        }
    }

    fn fix(&self) -> Option<String> {
        match self.kind() {
            ErrorKind::Corrupt => Some("copy the archive again from where it is kept, or use another one".into()),
            ErrorKind::Invalid => Some("use the newer bedplate".into()),
            _ => None,
        }
    }
}
