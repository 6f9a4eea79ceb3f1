//! Why an ingest did not happen. The table has its last version in every case.

use std::path::PathBuf;

use bedplate_kinds::ExpectationOutcome;
use bedplate_lake::quality::QualityError;
use bedplate_lake::schema::ColumnsChanged;
use bedplate_types::{ErrorKind, Explained};

use crate::constraint::ConstraintError;
use crate::delta::TableError;
use crate::review::ReviewError;
use crate::source::SourceError;

#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Quality(#[from] QualityError),
    #[error("{} is refused: {}", path.display(), told(outcomes))]
    Blocked { path: PathBuf, outcomes: Vec<ExpectationOutcome> },
    #[error("{} is refused: not one of its {rows} rows can be read as declared, the first is {first}", path.display())]
    Unreadable { path: PathBuf, rows: u64, first: String },
    #[error(transparent)]
    Constraint(#[from] ConstraintError),
    #[error("nothing can be added to the table in {}", location.display())]
    Columns { location: PathBuf, source: ColumnsChanged },
    #[error(
        "nothing can be added to the table in {}: it is partitioned by {} and not by {}",
        location.display(), columns(was), columns(is)
    )]
    Partitions { location: PathBuf, was: Vec<String>, is: Vec<String> },
    #[error("the table in {} got another version meanwhile", location.display())]
    Overtaken { location: PathBuf },
    #[error("{} brings more than {most} different keys at once", path.display())]
    TooManyKeys { path: PathBuf, most: usize },
    #[error("a review of the quarantine was not completed")]
    Review(#[from] ReviewError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("the ingest of {} was cancelled", path.display())]
    Cancelled { path: PathBuf },
    #[error("the ingest of {} stopped: {why}", path.display())]
    Stopped { path: PathBuf, why: String },
}

fn columns(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn told(outcomes: &[ExpectationOutcome]) -> String {
    let blocking = bedplate_lake::quality::blocking(outcomes);
    blocking.map(|outcome| format!("{} ({})", outcome.name, outcome.detail)).collect::<Vec<_>>().join("; ")
}

impl Explained for IngestError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Source(error) => error.kind(),
            Self::Quality(error) => error.kind(),
            Self::Columns { source, .. } => source.kind(),
            Self::Constraint(error) => error.kind(),
            Self::Blocked { .. } => ErrorKind::Refused,
            Self::Unreadable { .. } | Self::Partitions { .. } => ErrorKind::Invalid,
            Self::TooManyKeys { .. } => ErrorKind::TooLarge,
            Self::Review(error) => error.kind(),
            Self::Table(error) => error.kind(),
            Self::Cancelled { .. } | Self::Overtaken { .. } => ErrorKind::Busy,
            Self::Stopped { .. } => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::Source(error) => error.fix(),
            Self::Quality(error) => error.fix(),
            Self::Columns { source, .. } => source.fix(),
            Self::Constraint(error) => error.fix(),
            Self::Partitions { .. } => Some(
                "put spec.partitionBy back, or bedplate apply with load: full, which replaces all rows, and then with the load it has now"
                    .into(),
            ),
            Self::Blocked { .. } => {
                Some("correct the source, or change the expectation's severity to quarantine or warn".into())
            }
            Self::Unreadable { .. } => Some(
                "correct the types in spec.schema, or how the source is written in spec.source; then bedplate apply"
                    .into(),
            ),
            Self::TooManyKeys { .. } => Some(
                "bring the files in portions; or load them with load: full, whose rows it may be merged into afterwards".into(),
            ),
            Self::Review(error) => error.fix(),
            Self::Table(error) => error.fix(),
            Self::Cancelled { .. } | Self::Overtaken { .. } => Some("apply the Dataset again".into()),
            Self::Stopped { .. } => None,
        }
    }
}
