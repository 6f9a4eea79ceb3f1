//! What a suite's expectations over the table know of the rows that are there, before a load adds to them.
//!
//! Of each data file the states of its rules are kept in the table's folder `_suite`, which no reader of Delta looks into.
//! They are a function of the file, so nothing is lost with them: what is missing, damaged or of another file is made anew.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use bedplate_lake::quality::{FileState, Kept, QualityError, TableState};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use xxhash_rust::xxh3::xxh3_128;

use super::IngestError;
use crate::delta::{TableError, TableFile, rewrite};

/// Beside the data files.
const FOLDER: &str = "_suite";

/// The state of one data file, and which one it is.
#[derive(Serialize, Deserialize)]
struct Stored {
    file: String,
    bytes: u64,
    modified: u64,
    kept: Kept,
}

/// Adds the table's `files` to `state`; those are read that nothing is known of, in the columns that are needed. `go_on` is
/// asked between batches.
pub(super) fn add_files(
    state: &mut TableState,
    (location, files): (&Path, &[TableFile]),
    schema: &SchemaRef,
    go_on: impl Fn() -> Result<(), IngestError>,
) -> Result<(), IngestError> {
    let folder = location.join(FOLDER);
    fs::create_dir_all(&folder).map_err(TableError::io("make the folder", &folder))?;
    // One order: sums of floats are not the same in another.
    let mut files: Vec<&TableFile> = files.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    for file in &files {
        go_on()?;
        let mut of_file = state.file(stored(&folder, file).unwrap_or_default());
        read(&mut of_file, (location, file), schema, &go_on)?;
        let (kept, is_new) = of_file.finish()?;
        if is_new {
            store(&folder, file, kept)?;
        }
    }
    sweep(&folder, &files)
}

fn read(
    state: &mut FileState<'_>,
    (location, file): (&Path, &TableFile),
    schema: &SchemaRef,
    go_on: impl Fn() -> Result<(), IngestError>,
) -> Result<(), IngestError> {
    let Some(columns) = state.columns() else { return Ok(()) };
    let path = location.join(&file.name);
    let needed = columns.into_iter().map(|place| nullable(schema.field(place)));
    let needed: SchemaRef = Arc::new(Schema::new(needed.collect::<Vec<_>>()));
    let all: SchemaRef = Arc::new(Schema::new(schema.fields().iter().map(|field| nullable(field)).collect::<Vec<_>>()));
    for batch in rewrite::rows(&path, rewrite::open(&path)?, needed, &file.partition)? {
        go_on()?;
        let batch = widened(&batch?, &all).map_err(QualityError::Batch)?;
        state.observe(&batch).map_err(QualityError::Batch)?;
    }
    Ok(())
}

fn nullable(field: &Field) -> Field {
    field.clone().with_nullable(true)
}

/// With all columns; those that were not read are null.
fn widened(batch: &RecordBatch, all: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let column = |field: &Arc<Field>| {
        batch
            .column_by_name(field.name())
            .map_or_else(|| new_null_array(field.data_type(), batch.num_rows()), Arc::clone)
    };
    RecordBatch::try_new(all.clone(), all.fields().iter().map(column).collect::<Vec<ArrayRef>>())
}

/// None where nothing is kept, or not of this file.
fn stored(folder: &Path, file: &TableFile) -> Option<Kept> {
    let text = fs::read(place(folder, file)).ok()?;
    let stored: Stored = serde_json::from_slice(&text).ok()?;
    let same = stored.file == file.name && (stored.bytes, stored.modified) == (file.bytes, file.modified);
    same.then_some(stored.kept)
}

/// Whole or not at all.
fn store(folder: &Path, file: &TableFile, kept: Kept) -> Result<(), IngestError> {
    let path = place(folder, file);
    let failed = TableError::io("write", &path);
    let write = || {
        let (bytes, modified) = (file.bytes, file.modified);
        let text = serde_json::to_vec(&Stored { file: file.name.clone(), bytes, modified, kept })?;
        let new = NamedTempFile::new_in(folder)?;
        fs::write(new.path(), text)?;
        new.persist(&path).map_err(|error| error.error)?;
        std::io::Result::Ok(())
    };
    Ok(write().map_err(failed)?)
}

fn place(folder: &Path, file: &TableFile) -> PathBuf {
    folder.join(format!("{:032x}.json", xxh3_128(file.name.as_bytes())))
}

/// Removes what was kept of files that the table no longer has, and what a killed load left.
fn sweep(folder: &Path, files: &[&TableFile]) -> Result<(), IngestError> {
    let known: HashSet<PathBuf> = files.iter().map(|file| place(folder, file)).collect();
    for entry in fs::read_dir(folder).map_err(TableError::io("list", folder))? {
        let path = entry.map_err(TableError::io("list", folder))?.path();
        if !known.contains(&path) {
            fs::remove_file(&path).map_err(TableError::io("remove", &path))?;
        }
    }
    Ok(())
}
