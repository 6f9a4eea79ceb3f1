//! Upkeep: a table's small files are joined, an earlier version is brought back, files of old versions go.
//!
//! [`Lake::optimize`] and [`Lake::restore`] each make a version that loads nothing: what was loaded stays so, and the next load
//! goes on from there. [`Lake::vacuum`] makes none. All of them hold the right to write to the table, and complete a review
//! that was cut off before they begin.

mod error;
mod optimize;
mod restore;
mod small;
mod vacuum;

pub use error::UpkeepError;
pub use small::TARGET;
pub use vacuum::{Vacuum, Vacuumed};

use std::path::Path;
use std::sync::Arc;

use bedplate_types::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;

use crate::delta::{self, Record, Table, TableError, TableVersion, ranges, record_of};
use crate::ingest::quarantine_name;
use crate::reader::AsOf;
use crate::{Lake, review};

/// What was done to a table, as its own log keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upkeep {
    pub action: UpkeepAction,
    pub by: String,
    pub at: Timestamp,
    /// Data files of the version before that are not in this one, and those that are in this one alone.
    pub removed: usize,
    pub added: usize,
    /// Bytes that were written.
    pub written: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpkeepAction {
    /// Small files were joined; the rows and their order are as they were.
    Optimize,
    /// The rows of an earlier version took the place of all.
    Restore { to: i64 },
}

impl UpkeepAction {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Optimize => "optimize",
            Self::Restore { .. } => "restore",
        }
    }
}

/// Who has something done.
#[derive(Clone, Debug)]
pub struct By {
    pub name: String,
    pub at: Timestamp,
}

impl Lake {
    /// The most data files that one partition of the table's latest version has; of a table without partitions all are of one.
    ///
    /// # Errors
    /// [`TableError`], also when there is no table.
    pub async fn most_files(&self, namespace: &str, name: &str) -> Result<usize, TableError> {
        let files = Table::open(&self.location(namespace, name)?, None).await?.files()?;
        Ok(delta::by_partition(files).iter().map(Vec::len).max().unwrap_or_default())
    }

    /// Every version of a table, oldest first; empty when there is none. Reads the whole log. Blocking.
    ///
    /// # Errors
    /// [`TableError::CutLog`], [`TableError::Corrupt`].
    pub fn versions(&self, namespace: &str, name: &str) -> Result<Vec<TableVersion>, TableError> {
        delta::versions(&self.location(namespace, name)?)
    }

    /// As [`Lake::versions`], those that the dataset `object` (its uid) made: what another dataset of that name left is not
    /// there.
    ///
    /// # Errors
    /// As [`Lake::versions`].
    pub fn own_versions(&self, namespace: &str, name: &str, object: &str) -> Result<Vec<TableVersion>, TableError> {
        let mut own = self.versions(namespace, name)?;
        own.retain(|version| version.object == object);
        Ok(own)
    }

    /// The version that is meant, of [`Lake::own_versions`]. Blocking.
    ///
    /// # Errors
    /// [`TableError::NotKept`] when there is no such version, or it was vacuumed.
    pub fn version_as_of(&self, namespace: &str, name: &str, object: &str, at: &AsOf) -> Result<i64, TableError> {
        let own = self.own_versions(namespace, name, object)?;
        let found = match at {
            AsOf::Version(number) => own.iter().find(|version| version.version == *number),
            AsOf::Moment(micros, _) => {
                let moment = Timestamp::from_micros(*micros);
                own.iter().rev().find(|version| version.at.is_some_and(|at| at <= moment))
            }
        };
        match found {
            Some(version) if version.readable => Ok(version.version),
            found => Err(TableError::NotKept {
                name: name.to_owned(),
                wanted: at.to_string(),
                why: found.map_or("there is no such version", |_| "its data files were vacuumed or removed"),
                there: told(&own),
            }),
        }
    }
}

/// Those that can be read, and when the first of them was made: before it there is nothing to ask for.
fn told(versions: &[TableVersion]) -> String {
    let readable = || versions.iter().filter(|version| version.readable);
    let since = readable().next().and_then(|version| version.at);
    let since = since.map(|at| format!(" (since {at})")).unwrap_or_default();
    format!("{}{since}", ranges(readable().map(|version| version.version)))
}

/// A table with the right to write to it.
struct Held {
    table: Table,
    record: Record,
    writing: Arc<OwnedMutexGuard<()>>,
}

impl Held {
    async fn enter(lake: &Lake, namespace: &str, name: &str) -> Result<Self, UpkeepError> {
        let location = lake.location(namespace, name)?;
        let quarantine = lake.location(namespace, &quarantine_name(name))?;
        let writing = Arc::new(lake.writer_lock(&location).lock_owned().await);
        review::finish(&location, &quarantine, writing.clone()).await?;
        let table = Table::open(&location, None).await?;
        table.check_writable()?;
        delta::sweep(&location, Some(table.version))?;
        let record = known(&location, table.version)?;
        Ok(Self { table, record, writing })
    }
}

fn known(location: &Path, version: i64) -> Result<Record, UpkeepError> {
    let record = record_of(location, version)?.map(|(_, record)| record);
    record.ok_or_else(|| UpkeepError::NotOurs { location: location.to_owned(), version })
}

/// On a thread that may block; the right to write goes with it, for it may outlive who waits.
async fn blocking<T: Send + 'static, E: Into<UpkeepError> + Send + 'static>(
    writing: Arc<OwnedMutexGuard<()>>,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, UpkeepError> {
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(writing);
        done
    });
    done.await.map_err(|error| UpkeepError::Stopped { why: error.to_string() })?.map_err(Into::into)
}
