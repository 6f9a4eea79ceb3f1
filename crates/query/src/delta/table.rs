//! One version of a table: its columns and its data files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::datatypes::{Schema, SchemaRef};
use deltalake_core::kernel::engine::arrow_conversion::TryIntoArrow;
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use url::Url;

use super::partition::{self, Partition};
use super::{Layout, TableError, committed::record_of, log};

/// Delta writes a checkpoint every 100 commits; older commits are not read any more.
const COMMITS_READ: usize = 100;

pub(crate) struct Table {
    pub location: PathBuf,
    pub delta: DeltaTable,
    pub version: i64,
}

/// A data file of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableFile {
    /// Within the table's folder.
    pub name: String,
    pub bytes: u64,
    /// As the log tells; another tool need not.
    pub rows: Option<u64>,
    /// When it was written, in milliseconds since 1970.
    pub modified: u64,
    /// The values that all its rows have in the columns it is parted by.
    pub partition: Partition,
}

/// The files of each partition; other writers have other folders for the same.
pub(crate) fn by_partition(files: Vec<TableFile>) -> Vec<Vec<TableFile>> {
    let mut parts = BTreeMap::<Partition, Vec<TableFile>>::new();
    files.into_iter().for_each(|file| parts.entry(file.partition.clone()).or_default().push(file));
    parts.into_values().collect()
}

/// Whether the folder holds a Delta table.
pub(crate) fn exists(location: &Path) -> Result<bool, TableError> {
    Ok(location.join("_delta_log").is_dir() && !is_bare(location)?)
}

/// A log without a commit: the process was killed before the first one.
fn is_bare(location: &Path) -> Result<bool, TableError> {
    let dir = location.join("_delta_log");
    let checkpoint = dir.join("_last_checkpoint").exists();
    Ok(!checkpoint && log::commits(location)?.is_empty())
}

impl Table {
    /// Opens a version, the latest when none is named, and checks that its log is whole.
    pub async fn open(location: &Path, version: Option<i64>) -> Result<Self, TableError> {
        if !exists(location)? {
            return Err(TableError::NotFound { location: location.to_owned() });
        }
        log::verify(location, COMMITS_READ)?;
        let latest = log::commits(location)?.last().map_or(0, |(version, _)| *version);
        let wanted = version.unwrap_or(latest);
        let number = u64::try_from(wanted).ok().filter(|_| wanted <= latest);
        let number =
            number.ok_or_else(|| TableError::NoVersion { location: location.to_owned(), version: wanted, latest })?;
        let builder = DeltaTableBuilder::from_url(url_of(location)?).map_err(TableError::delta("open", location))?;
        let delta = builder.with_version(number).load().await.map_err(|error| unreadable(location, error))?;
        let table = Self { location: location.to_owned(), delta, version: wanted };
        table.check_files(latest)?;
        Ok(table)
    }

    /// The columns as Arrow spells them.
    pub fn schema(&self) -> Result<SchemaRef, TableError> {
        let schema = self.delta.snapshot().map_err(TableError::delta("read", &self.location))?.schema();
        let arrow: Result<Schema, _> = schema.as_ref().try_into_arrow();
        arrow.map(Into::into).map_err(|error| TableError::Corrupt {
            file: self.location.join("_delta_log"),
            location: self.location.clone(),
            why: format!("its columns have no Arrow type: {error}"),
        })
    }

    /// The columns, and which of them part the rows.
    pub fn layout(&self) -> Result<Layout, TableError> {
        let state = self.delta.snapshot().map_err(TableError::delta("read", &self.location))?;
        Ok(Layout { schema: self.schema()?, partition_by: state.metadata().partition_columns().to_vec() })
    }

    /// The version's data files, by name, which is the order they are read in: those of a partition together, and of one
    /// partition ours are in the order of their versions.
    pub fn files(&self) -> Result<Vec<TableFile>, TableError> {
        let state = self.delta.snapshot().map_err(TableError::delta("read", &self.location))?;
        let fields = self.layout()?.partition_fields();
        let mut files = Vec::new();
        for file in state.log_data() {
            let name = file.object_store_path().as_ref().to_owned();
            let raw: Partition =
                if fields.is_empty() { Partition::new() } else { file.partition_values_map().into_iter().collect() };
            let partition = partition::spelled(raw, &fields).map_err(|error| TableError::Corrupt {
                file: self.location.join("_delta_log"),
                location: self.location.clone(),
                why: format!("the data file {name} has a value that cannot be read: {error}"),
            })?;
            let number = |number: i64| u64::try_from(number).unwrap_or_default();
            let (bytes, modified) = (number(file.size()), number(file.modification_time()));
            let rows = file.num_records().map(|rows| rows as u64);
            files.push(TableFile { name, bytes, rows, modified, partition });
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    /// Where the data files are, in the order they are read in.
    pub fn paths(&self) -> Result<Vec<PathBuf>, TableError> {
        Ok(self.files()?.into_iter().map(|file| self.location.join(file.name)).collect())
    }

    /// What keeps the data files from being read one by one as they are. Tables written here have none of it.
    pub fn obstacle(&self) -> Result<Option<String>, TableError> {
        let state = self.delta.snapshot().map_err(TableError::delta("read", &self.location))?;
        let (partitions, settings) = (state.metadata().partition_columns(), state.metadata().configuration());
        if !partitions.is_empty() {
            return Ok(Some(format!("it is partitioned by {}, which its files do not hold", partitions.join(", "))));
        }
        if settings.get("delta.columnMapping.mode").is_some_and(|mode| mode != "none") {
            return Ok(Some("its columns have other names in its files (delta.columnMapping.mode)".into()));
        }
        let marked = state.log_data().into_iter().any(|file| file.deletion_vector_descriptor().is_some());
        Ok(marked.then(|| "rows of its files are marked as deleted (delta.enableDeletionVectors)".into()))
    }

    /// A commit that lost its last lines still parses: the version must have the files that bedplate said it has, whole.
    fn check_files(&self, latest: i64) -> Result<(), TableError> {
        let Some((commit, record)) = record_of(&self.location, self.version)? else { return Ok(()) };
        let corrupt = |why| Err(TableError::Corrupt { file: commit.clone(), location: self.location.clone(), why });
        let files = self.files()?;
        let is_there = |name: &String| files.iter().any(|file| file.name == *name);
        if files.len() != record.files_of_version() || record.file.as_ref().is_some_and(|name| !is_there(name)) {
            return corrupt("it does not name the data files it was written with".to_owned());
        }
        for TableFile { name, bytes, .. } in files {
            let path = self.location.join(name);
            match path.metadata() {
                Ok(file) if file.len() == bytes => {}
                Ok(file) => {
                    return corrupt(format!("its data file {} has {} of {bytes} bytes", path.display(), file.len()));
                }
                // An old version may have been vacuumed.
                Err(_) if self.version < latest => {
                    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    return Err(TableError::Vacuumed { location: self.location.clone(), version: self.version, file });
                }
                Err(_) => return corrupt(format!("it names the data file {}, which is gone", path.display())),
            }
        }
        Ok(())
    }
}

pub(super) fn url_of(location: &Path) -> Result<Url, TableError> {
    Url::from_directory_path(location).map_err(|()| TableError::BadName { name: location.display().to_string() })
}

fn unreadable(location: &Path, error: DeltaTableError) -> TableError {
    match error {
        DeltaTableError::Io { .. } | DeltaTableError::ObjectStore { .. } => TableError::delta("read", location)(error),
        other => TableError::Corrupt {
            file: location.join("_delta_log"),
            location: location.to_owned(),
            why: other.to_string(),
        },
    }
}
