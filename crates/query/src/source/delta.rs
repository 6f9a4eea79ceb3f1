//! A Delta table that others write, read as the Parquet files of one version.

use std::path::{Path, PathBuf};

use super::find::{look, real};
use super::{Found, SourceError};
use crate::delta::{Table, TableError};

pub(super) async fn find(location: &Path, version: Option<i64>, roots: &[PathBuf]) -> Result<Found, SourceError> {
    real(&location.join("_delta_log"), roots)?;
    let wrong = |why: String| SourceError::Table { path: location.to_owned(), why };
    let table = Table::open(location, version).await.map_err(|error| theirs(location, error))?;
    if let Some(why) = table.obstacle()? {
        return Err(wrong(why));
    }
    let schema = table.schema().map_err(|error| theirs(location, error))?;
    let mut files = Vec::new();
    for path in table.paths()? {
        let path = real(&path, roots)?;
        if !path.starts_with(location) {
            return Err(wrong(format!("its log names {}, which is not in its folder", path.display())));
        }
        files.push(look(&path)?);
    }
    files.sort();
    Ok(Found { files, table: Some((schema, table.version)) })
}

/// The table is not ours to remove: what is said of a broken table of the lake does not hold for it.
fn theirs(location: &Path, error: TableError) -> SourceError {
    match error {
        TableError::Corrupt { file, why, .. } => {
            SourceError::Table { path: location.to_owned(), why: format!("{}: {why}", file.display()) }
        }
        other => other.into(),
    }
}
