//! Why rows were neither released nor discarded. Both tables have their last versions in every case.

use std::path::PathBuf;

use bedplate_types::{ErrorKind, Explained};

use crate::constraint::ConstraintError;
use crate::delta::TableError;

#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    #[error("dataset {name} has no quarantined rows")]
    NoQuarantine { name: String },
    #[error("{} not in the quarantine{}", list(rows), of(reason.as_deref()))]
    NotThere { rows: Vec<i64>, reason: Option<String> },
    #[error("no row is in the quarantine{}", of(reason.as_deref()))]
    Nothing { reason: Option<String> },
    #[error("row {row} is in the quarantine of {} and of {}", files[0], files[1])]
    Ambiguous { row: i64, files: [String; 2] },
    #[error("row {row} cannot be released, it is not known what it says: {why}")]
    Unread { row: i64, why: String },
    #[error("dataset {name} is loaded by a watermark, and every load finds its bad rows again")]
    FoundAgain { name: String },
    #[error("dataset {name} is merged by {key}, and a row that is released could be there beside another with its key")]
    HasKey { name: String, key: String },
    #[error("dataset {name} is at version {found}, and version {expected} was looked at")]
    Moved { name: String, expected: i64, found: i64 },
    #[error("the last version of the table in {} was not written by bedplate", location.display())]
    NotOurs { location: PathBuf },
    #[error("the quarantine's file {} cannot be read: {why}", path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error(transparent)]
    Constraint(#[from] ConstraintError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("the review stopped: {why}")]
    Stopped { why: String },
}

/// `row 3 is`, `rows 3, 4 and 7 more are`.
fn list(rows: &[i64]) -> String {
    let shown = rows.iter().take(5).map(i64::to_string).collect::<Vec<_>>().join(", ");
    match rows.len() {
        1 => format!("row {shown} is"),
        2..=5 => format!("rows {shown} are"),
        more => format!("rows {shown} and {} more are", more - 5),
    }
}

fn of(reason: Option<&str>) -> String {
    reason.map(|reason| format!(" for {reason:?}")).unwrap_or_default()
}

impl Explained for ReviewError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoQuarantine { .. } | Self::NotThere { .. } | Self::Nothing { .. } => ErrorKind::NotFound,
            Self::Moved { .. } => ErrorKind::Conflict,
            Self::Ambiguous { .. } => ErrorKind::Invalid,
            Self::NotOurs { .. } | Self::Unread { .. } | Self::FoundAgain { .. } | Self::HasKey { .. } => {
                ErrorKind::Refused
            }
            Self::Unreadable { .. } => ErrorKind::Corrupt,
            Self::Constraint(error) => error.kind(),
            Self::Table(error) => error.kind(),
            Self::Stopped { .. } => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::NoQuarantine { .. } => Some("bedplate get datasets shows how many rows each has there".into()),
            Self::NotThere { .. } | Self::Nothing { .. } => {
                Some("look at what is there: bedplate data quarantine".into())
            }
            Self::Ambiguous { files, .. } => Some(format!("say which: --file {}", files[0])),
            Self::Unread { .. } => Some("correct the source and load it again, or bedplate data discard".into()),
            Self::FoundAgain { .. } => Some("correct the source, or what the suite expects of it".into()),
            Self::HasKey { .. } => {
                Some("put the row, corrected, into a new file of the source; then bedplate data discard".into())
            }
            Self::Moved { .. } => Some("look at the quarantine again: bedplate data quarantine".into()),
            Self::NotOurs { .. } => Some("ingest the dataset again: bedplate apply -f the manifest".into()),
            Self::Unreadable { .. } => Some("restore the table from a backup, or ingest the dataset again".into()),
            Self::Constraint(_) => Some(
                "correct the rows in the source and load them again, or bedplate data discard; a constraint has no exceptions".into(),
            ),
            Self::Table(error) => error.fix(),
            Self::Stopped { .. } => None,
        }
    }
}
