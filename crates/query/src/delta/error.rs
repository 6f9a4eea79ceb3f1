//! What can go wrong with a table, told with the file and the command that mends it.

use std::io;
use std::path::{Path, PathBuf};

use bedplate_types::{ErrorKind, Explained};
use deltalake_core::DeltaTableError;

#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("there is no table in {}", location.display())]
    NotFound { location: PathBuf },
    #[error("the table in {} has no version {version}; the latest is {latest}", location.display())]
    NoVersion { location: PathBuf, version: i64, latest: i64 },
    #[error("dataset {name} cannot be read as of {wanted}: {why}; the versions that can be read are {there}")]
    NotKept { name: String, wanted: String, why: &'static str, there: String },
    #[error(
        "version {version} of the table in {} is not whole any more: its data file {file} was vacuumed or removed",
        location.display()
    )]
    Vacuumed { location: PathBuf, version: i64, file: String },
    #[error("the Delta log of the table in {} begins with version {first}: another tool cleaned it up", location.display())]
    CutLog { location: PathBuf, first: i64 },
    #[error("{name:?} cannot be the name of a table or namespace")]
    BadName { name: String },
    #[error("the Delta log of the table is corrupt: {}: {why}", file.display())]
    Corrupt { file: PathBuf, location: PathBuf, why: String },
    #[error(
        "the table in {} would have more than {most} partitions, each a folder with files of its own: column {column:?} alone has \
         {values} different values",
        location.display()
    )]
    TooManyPartitions { location: PathBuf, column: String, values: usize, most: usize },
    #[error("the table in {} asks more of its writers than bedplate knows: {why}", location.display())]
    NotWritable { location: PathBuf, why: String },
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot write a data file into {}", location.display())]
    Write { location: PathBuf, source: parquet::errors::ParquetError },
    #[error("cannot read the data file {}", path.display())]
    Unreadable { path: PathBuf, source: parquet::errors::ParquetError },
    #[error("cannot {action} the Delta table in {}", location.display())]
    Delta { action: &'static str, location: PathBuf, source: Box<DeltaTableError> },
    #[error("cannot start the query engine: {0}")]
    Engine(String),
}

impl TableError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn delta(action: &'static str, location: &Path) -> impl FnOnce(DeltaTableError) -> Self {
        move |source| Self::Delta { action, location: location.to_owned(), source: Box::new(source) }
    }

    pub(crate) fn unreadable(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        move |source| Self::Unreadable { path: path.to_owned(), source }
    }

    pub(crate) fn write(location: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        move |source| Self::Write { location: location.to_owned(), source }
    }
}

impl Explained for TableError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } | Self::NoVersion { .. } | Self::NotKept { .. } | Self::Vacuumed { .. } => {
                ErrorKind::NotFound
            }
            Self::CutLog { .. } | Self::NotWritable { .. } => ErrorKind::Refused,
            Self::BadName { .. } => ErrorKind::Invalid,
            Self::TooManyPartitions { .. } => ErrorKind::TooLarge,
            Self::Corrupt { .. } | Self::Unreadable { .. } => ErrorKind::Corrupt,
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            Self::Io { .. } | Self::Write { .. } | Self::Delta { .. } | Self::Engine(_) => ErrorKind::Internal,
        }
    }

    fn fix(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => Some("apply the Dataset and wait until it is Ready: bedplate get datasets".into()),
            Self::NotWritable { .. } => Some(
                "write to it with the tool that added this, and read it with a Dataset whose spec.source.path it is; or drop the feature \
                 from the table with that tool"
                    .into(),
            ),
            Self::TooManyPartitions { .. } => Some(
                "name columns of few different values in spec.partitionBy, such as a day or a country, or none: conditions on other \
                 columns skip what they do not need as well"
                    .into(),
            ),
            Self::NoVersion { latest, .. } => Some(format!("ask for a version up to {latest}")),
            Self::NotKept { name, .. } => Some(format!("bedplate data versions {name} shows when each was made")),
            Self::Vacuumed { .. } => Some("bedplate data versions shows which can be read".into()),
            Self::CutLog { .. } => Some(
                "what its versions were is not known any more; load: full begins a new table once this one is removed"
                    .into(),
            ),
            Self::BadName { .. } => Some("use letters, digits, '-' and '_'".into()),
            Self::Corrupt { location, .. } => Some(format!(
                "restore the table from a backup, or remove it (rm -r '{}') and ingest again: bedplate apply -f the manifest",
                location.display()
            )),
            Self::Io { path, .. } => Some(format!("check that {} is writable and its disk not full", path.display())),
            Self::Unreadable { .. } => Some("restore the table from a backup, or ingest the dataset again".into()),
            Self::Write { location, .. } => Some(format!("check that the disk of {} is not full", location.display())),
            Self::Delta { .. } | Self::Engine(_) => None,
        }
    }
}
