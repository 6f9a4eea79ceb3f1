//! Why an ingest did not happen. The table has its last version in every case.

use std::io;
use std::path::PathBuf;

use bedplate_kinds::ExpectationOutcome;
use bedplate_lake::quality::QualityError;
use bedplate_lake::schema::SchemaError;
use bedplate_types::{ErrorKind, Explained};

use crate::delta::TableError;

#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("cannot open the source {}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("the source {} cannot be read as Parquet: {why}", path.display())]
    NotParquet { path: PathBuf, why: String },
    #[error("{}", path.display())]
    Schema { path: PathBuf, source: SchemaError },
    #[error("{}, row {row} or after: {source}", path.display())]
    Value { path: PathBuf, row: u64, source: arrow::error::ArrowError },
    #[error(transparent)]
    Quality(#[from] QualityError),
    #[error("{} is refused: {}", path.display(), told(outcomes))]
    Blocked { path: PathBuf, outcomes: Vec<ExpectationOutcome> },
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("the ingest of {} was cancelled", path.display())]
    Cancelled { path: PathBuf },
    #[error("the ingest of {} stopped: {why}", path.display())]
    Stopped { path: PathBuf, why: String },
}

fn told(outcomes: &[ExpectationOutcome]) -> String {
    let blocking = bedplate_lake::quality::blocking(outcomes);
    blocking.map(|outcome| format!("{} ({})", outcome.name, outcome.detail)).collect::<Vec<_>>().join("; ")
}

impl Explained for IngestError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Open { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => ErrorKind::Denied,
                _ => ErrorKind::NotFound,
            },
            Self::NotParquet { .. } | Self::Schema { .. } | Self::Value { .. } => ErrorKind::Invalid,
            Self::Quality(error) => error.kind(),
            Self::Blocked { .. } => ErrorKind::Refused,
            Self::Table(error) => error.kind(),
            Self::Cancelled { .. } => ErrorKind::Busy,
            Self::Stopped { .. } => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Open { path, .. } => Some(format!(
                "put the file at {} or correct spec.source.path of the Dataset, then bedplate apply",
                path.display()
            )),
            Self::NotParquet { path, .. } => {
                Some(format!("write {} again as a whole Parquet file, then bedplate apply the Dataset", path.display()))
            }
            Self::Schema { source, .. } => source.fix(),
            Self::Value { .. } => Some("correct the value in the source, then bedplate apply the Dataset".into()),
            Self::Quality(error) => error.fix(),
            Self::Blocked { .. } => {
                Some("correct the source, or change the expectation's severity to quarantine or warn".into())
            }
            Self::Table(error) => error.fix(),
            Self::Cancelled { .. } => Some("apply the Dataset again".into()),
            Self::Stopped { .. } => None,
        }
    }
}
