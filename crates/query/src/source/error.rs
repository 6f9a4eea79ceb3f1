//! Why a source was not found or not read, told with the file, and the line or row where it is known.

use std::io;
use std::path::{Path, PathBuf};

use bedplate_kinds::Format;
use bedplate_lake::read::BadZone;
use bedplate_lake::schema::SchemaError;
use bedplate_lake::source::{BadPattern, Changed, UnknownLayout};
use bedplate_types::{ErrorKind, Explained};

use super::ElsewhereError;
use crate::delta::TableError;

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("{path}: a relative path means nothing to the platform, which runs in a folder of its own")]
    Relative { path: String },
    #[error("cannot open {}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("{} lies outside the folders this platform may read", path.display())]
    Outside { path: PathBuf },
    #[error("{path} means no file: {why}")]
    NoFiles { path: String, why: String },
    #[error("{} is neither a file nor a folder", path.display())]
    NotAFile { path: PathBuf },
    #[error("{path} means more than {limit} {what}")]
    TooMany { path: String, what: &'static str, limit: usize },
    #[error("the name of {} is not UTF-8", path.display())]
    Name { path: PathBuf },
    #[error("{}{} cannot be read as {}: {why}", path.display(), place(*line), format.as_str())]
    Broken { path: PathBuf, format: Format, line: Option<u64>, why: String },
    #[error("{}", path.display())]
    Schema { path: PathBuf, source: SchemaError },
    #[error("{}, row {row} or after: {source}", path.display())]
    Value { path: PathBuf, row: u64, source: arrow::error::ArrowError },
    #[error("{} was changed while it was read", path.display())]
    Unsteady { path: PathBuf },
    #[error("the Delta table {} cannot be read file by file: {why}", path.display())]
    Table { path: PathBuf, why: String },
    #[error(transparent)]
    Log(#[from] TableError),
    #[error(transparent)]
    Layout(#[from] UnknownLayout),
    #[error(transparent)]
    Pattern(#[from] BadPattern),
    #[error(transparent)]
    Zone(#[from] BadZone),
    #[error(transparent)]
    Changed(#[from] Changed),
    #[error(transparent)]
    Elsewhere(#[from] ElsewhereError),
}

fn place(line: Option<u64>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

impl SourceError {
    pub(super) fn open(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Open { path: path.to_owned(), source }
    }

    pub(super) fn no_table(path: &str) -> Self {
        Self::NoFiles { path: path.to_owned(), why: "it is no Delta table: there is no folder _delta_log in it".into() }
    }
}

impl Explained for SourceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Outside { .. } => ErrorKind::Denied,
            Self::Open { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            Self::TooMany { .. } => ErrorKind::TooLarge,
            Self::Unsteady { .. } => ErrorKind::Busy,
            Self::Log(error) => error.kind(),
            Self::Changed(error) => error.kind(),
            Self::Elsewhere(error) => error.kind(),
            _ => ErrorKind::Invalid,
        }
    }

    fn fix(&self) -> Option<String> {
        let again = "then bedplate apply -f the manifest";
        Some(match self {
            Self::Relative { .. } => {
                "bedplate apply -f the manifest, which makes the path absolute; or write it so".into()
            }
            Self::Open { path, .. } => {
                format!("put the file at {} or correct spec.source.path of the Dataset, {again}", path.display())
            }
            Self::Outside { path } => {
                format!("bedplate up --source-root {}", path.parent().unwrap_or(path).display())
            }
            Self::NoFiles { path, .. } => format!("put a file there (ls {path}) or correct spec.source.path, {again}"),
            Self::NotAFile { .. } => format!("name a file, a folder or a glob in spec.source.path, {again}"),
            Self::TooMany { .. } => format!("name fewer in spec.source.path, {again}"),
            Self::Name { .. } => "rename the file, or leave it out by the glob in spec.source.path".into(),
            Self::Broken { path, format, .. } => {
                format!("write {} again as whole {}, {again}", path.display(), format.as_str())
            }
            Self::Schema { source, .. } => return source.fix(),
            Self::Value { .. } => format!("correct the value in the source, {again}"),
            Self::Unsteady { .. } => {
                "write the file elsewhere and rename it into place when it is whole; it is tried again".into()
            }
            Self::Table { .. } => {
                "export the table as Parquet files and name those in spec.source.path, or write it without that feature"
                    .into()
            }
            Self::Log(error) => return error.fix(),
            Self::Layout(error) => return error.fix(),
            Self::Pattern(error) => return error.fix(),
            Self::Zone(error) => return error.fix(),
            Self::Changed(error) => return error.fix(),
            Self::Elsewhere(error) => return error.fix(),
        })
    }
}
