//! One version of a table: its columns and its data files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::datatypes::{Schema, SchemaRef};
use deltalake_core::kernel::engine::arrow_conversion::TryIntoArrow;
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use url::Url;

use super::{TableError, committed::record_of, log};

/// Delta writes a checkpoint every 100 commits; older commits are not read any more.
const COMMITS_READ: usize = 100;

pub(crate) struct Table {
    pub location: PathBuf,
    pub delta: DeltaTable,
    pub version: i64,
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

    /// The version's data files, by name: ours are in the order of their versions.
    pub fn files(&self) -> Result<Vec<PathBuf>, TableError> {
        Ok(self.files_with_bytes()?.into_keys().collect())
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
        let files = self.files_with_bytes()?;
        let written = record.file.as_ref().map(|name| self.location.join(name));
        if files.len() != record.files_of_version() || written.is_some_and(|path| !files.contains_key(&path)) {
            return corrupt("it does not name the data files it was written with".to_owned());
        }
        for (path, bytes) in files {
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

    /// Name and bytes of the version's data files, in the order they are read.
    pub fn sizes(&self) -> Result<Vec<(String, u64)>, TableError> {
        let name = |path: &Path| path.strip_prefix(&self.location).unwrap_or(path).to_string_lossy().into_owned();
        Ok(self.files_with_bytes()?.into_iter().map(|(path, bytes)| (name(&path), bytes)).collect())
    }

    fn files_with_bytes(&self) -> Result<BTreeMap<PathBuf, u64>, TableError> {
        let state = self.delta.snapshot().map_err(TableError::delta("read", &self.location))?;
        let files = state.log_data().into_iter().map(|file| {
            (self.location.join(file.object_store_path().as_ref()), u64::try_from(file.size()).unwrap_or_default())
        });
        Ok(files.collect())
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
