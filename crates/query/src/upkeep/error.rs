//! Why a table was left as it is.

use std::path::PathBuf;

use bedplate_types::{ErrorKind, Explained, Span};

use crate::constraint::ConstraintError;
use crate::delta::TableError;
use crate::review::ReviewError;

#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    #[error("version {version} of the table in {} was not written by bedplate", location.display())]
    NotOurs { location: PathBuf, version: i64 },
    #[error("the columns of version {version} are others than those of today")]
    OtherColumns { version: i64 },
    #[error("version {version} is partitioned by other columns than the table is today")]
    OtherPartitions { version: i64 },
    #[error(transparent)]
    Constraint(#[from] ConstraintError),
    #[error("{wanted} is shorter than the {kept} that versions of the dataset are kept for")]
    TooShort { wanted: Span, kept: Span },
    #[error("a review of the quarantine was not completed")]
    Review(#[from] ReviewError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("it stopped: {why}")]
    Stopped { why: String },
}

impl Explained for UpkeepError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotOurs { .. } | Self::OtherColumns { .. } | Self::OtherPartitions { .. } | Self::TooShort { .. } => {
                ErrorKind::Refused
            }
            Self::Constraint(error) => error.kind(),
            Self::Review(error) => error.kind(),
            Self::Table(error) => error.kind(),
            Self::Stopped { .. } => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::NotOurs { .. } => Some("ingest the dataset again: bedplate apply -f the manifest".into()),
            Self::OtherColumns { .. } | Self::OtherPartitions { .. } => {
                Some("read it with FOR VERSION AS OF, or choose a later version".into())
            }
            Self::TooShort { .. } => Some(
                "keep them longer, change spec.retention, or say --force when nobody reads the table as it was".into(),
            ),
            Self::Constraint(_) => Some(
                "read it with FOR VERSION AS OF; or take the constraint out of spec.constraints, or drop it with the tool that gave it \
                 to the table, and then restore"
                    .into(),
            ),
            Self::Review(error) => error.fix(),
            Self::Table(error) => error.fix(),
            Self::Stopped { .. } => None,
        }
    }
}
