//! The lake on this machine: a folder of Delta tables, and the memory that queries share.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use parking_lot::Mutex;

use crate::Change;
use crate::delta::{self, Committed, TableError};
use crate::sql::{QueryError, TableRef};

/// What all queries of a lake may hold in memory together; beyond it they spill to disk.
const QUERY_MEMORY: usize = 512 << 20;

/// The tables below one folder: `<root>/<namespace>/<name>`. Share it by reference or `Arc`.
#[derive(Debug)]
pub struct Lake {
    root: PathBuf,
    /// Held while a table is written, so that two ingests of one table follow each other.
    writers: Mutex<HashMap<PathBuf, Arc<tokio::sync::Mutex<()>>>>,
    runtime: Arc<RuntimeEnv>,
}

impl Lake {
    /// Opens the lake in `root`, making the folder when it is not there.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, TableError> {
        let root = root.into();
        std::fs::create_dir_all(&root).map_err(TableError::io("make the folder", &root))?;
        let root = root.canonicalize().map_err(TableError::io("find", &root))?;
        let builder = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(QUERY_MEMORY)))
            .with_temp_file_path(root.join(".spill"));
        let runtime = builder.build_arc().map_err(|error| TableError::Engine(error.strip_backtrace()))?;
        Ok(Self { root, writers: Mutex::default(), runtime })
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a table, whether it exists or not.
    pub fn location(&self, namespace: &str, name: &str) -> Result<PathBuf, TableError> {
        for part in [namespace, name] {
            if part.is_empty() || part.starts_with('.') || part.contains(['/', '\\', '\0']) {
                return Err(TableError::BadName { name: part.to_owned() });
            }
        }
        Ok(self.root.join(namespace).join(name))
    }

    /// The table's latest version and what it was made from; none when there is no table, or bedplate did not write it.
    pub async fn committed(&self, namespace: &str, name: &str) -> Result<Option<Committed>, TableError> {
        delta::committed(&self.location(namespace, name)?).await
    }

    /// What made every version after `after`, oldest first; without `after`, since all rows were last replaced.
    pub fn changes_since(&self, namespace: &str, name: &str, after: Option<i64>) -> Result<Vec<Change>, TableError> {
        delta::changes_since(&self.location(namespace, name)?, after)
    }

    /// Whether there is a table and its latest version has the column.
    pub async fn has_column(&self, namespace: &str, name: &str, column: &str) -> Result<bool, TableError> {
        let location = self.location(namespace, name)?;
        if !delta::exists(&location)? {
            return Ok(false);
        }
        let table = delta::Table::open(&location, None).await?;
        Ok(table.schema()?.column_with_name(column).is_some())
    }

    /// The different values of a column as text, for `references` checks; the latest version.
    pub async fn values(&self, namespace: &str, name: &str, column: &str) -> Result<HashSet<String>, QueryError> {
        let table = TableRef { alias: "t".into(), namespace: namespace.into(), name: name.into(), version: None };
        let column = column.replace('"', "\"\"");
        let sql =
            format!("SELECT DISTINCT CAST(\"{column}\" AS VARCHAR) AS value FROM t WHERE \"{column}\" IS NOT NULL");
        let frame = self.sql(&[table], &sql).await?;
        Ok(frame.strings("value")?.into_iter().flatten().collect())
    }

    pub(crate) fn runtime(&self) -> Arc<RuntimeEnv> {
        self.runtime.clone()
    }

    pub(crate) fn writer_lock(&self, table: &Path) -> Arc<tokio::sync::Mutex<()>> {
        self.writers.lock().entry(table.to_owned()).or_default().clone()
    }
}
