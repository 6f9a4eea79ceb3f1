//! What can go wrong with buckets, told of the bucket, the upload or the file.

use std::io;
use std::path::{Path, PathBuf};

use bedplate_db::DbError;
use bedplate_types::{ErrorKind, Explained};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BucketError {
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("the disk that {} is on is full", path.display())]
    Full { path: PathBuf },
    #[error("there is no bucket {0}")]
    NoBucket(String),
    #[error("the bucket {0} is there already")]
    BucketExists(String),
    #[error("the bucket {0} is not empty")]
    NotEmpty(String),
    #[error("there is no such key")]
    NoKey,
    #[error("there is no such upload: it was completed, aborted, or given up because it was too old")]
    NoUpload,
    #[error("the object is not as the condition says")]
    Condition,
    #[error("part {number} was not uploaded, or is another one")]
    NoPart { number: i64 },
    #[error("the parts are not in the order of their numbers")]
    PartOrder,
    #[error("part {number} has {size} bytes: all but the last need {least}")]
    PartTooSmall { number: i64, size: u64, least: u64 },
    #[error("what is stored of {what} is not readable")]
    Stored { what: String, source: serde_json::Error },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl BucketError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path: path.to_owned() },
            _ => Self::Io { action, path: path.to_owned(), source },
        }
    }
}

impl Explained for BucketError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoBucket(_) | Self::NoKey | Self::NoUpload => ErrorKind::NotFound,
            Self::BucketExists(_) => ErrorKind::AlreadyExists,
            Self::NotEmpty(_) | Self::Condition => ErrorKind::Conflict,
            Self::NoPart { .. } | Self::PartOrder | Self::PartTooSmall { .. } => ErrorKind::Invalid,
            Self::Stored { .. } => ErrorKind::Corrupt,
            Self::Full { .. } => ErrorKind::Busy,
            Self::Io { .. } => ErrorKind::Internal,
            Self::Db(error) => error.kind(),
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Full { path } => Some(format!("free space on the disk of {}", path.display())),
            Self::Io { path, .. } => Some(format!("check that {} can be read and written", path.display())),
            Self::Stored { .. } => Some("restore the home from a backup".into()),
            Self::Db(error) => error.fix(),
            _ => None,
        }
    }
}
