//! Which rows of a quarantine are meant, and copying them or the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::compute::{filter_record_batch, not};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde::{Deserialize, Serialize};

use super::{ReviewAction, ReviewError};
use crate::constraint::{Constraints, Tally};
use crate::delta::{DataFile, Layout, TableFile, TableWriter};
use crate::ingest::{FILE, REASONS, ROW, gave, unread};

/// Rows by their number in the source, by their file, by an expectation they did not meet, or by several of these; all of
/// them when none is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Choice {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rows: BTreeSet<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Path of the file they were read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// Which of the quarantine's rows are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Those that are meant, as rows of the table: without reasons, number and file.
    Chosen,
    /// All others, as they are.
    Others,
}

/// The new files: in which table under which name, what that has of columns and partitions, the files it keeps, and what it
/// demands of rows.
pub(super) struct Target {
    pub dir: PathBuf,
    pub name: String,
    pub layout: Layout,
    pub kept: Vec<TableFile>,
    pub constraints: Arc<Constraints>,
}

impl Choice {
    /// True for the rows that are meant.
    fn mask(&self, own: &Own<'_>) -> BooleanArray {
        let by_number = |row: usize| self.rows.is_empty() || self.rows.contains(&own.numbers.value(row));
        let by_reason = |row: usize| {
            self.reason.as_ref().is_none_or(|wanted| gave(own.reasons.value(row)).any(|reason| reason == wanted))
        };
        let by_file = |row: usize| self.file.as_ref().is_none_or(|wanted| own.files.value(row) == wanted);
        (0..own.numbers.len()).map(|row| Some(by_number(row) && by_reason(row) && by_file(row))).collect()
    }
}

/// What the quarantine says of each row.
struct Own<'a> {
    reasons: &'a StringArray,
    numbers: &'a Int64Array,
    files: &'a StringArray,
}

impl<'a> Own<'a> {
    /// Of a batch that [`read`] gave.
    fn of(batch: &'a RecordBatch) -> Self {
        let first = batch.num_columns() - OWN.len();
        Self {
            reasons: batch.column(first).as_string::<i32>(),
            numbers: batch.column(first + 1).as_primitive::<Int64Type>(),
            files: batch.column(first + 2).as_string::<i32>(),
        }
    }
}

const OWN: [(&str, DataType); 3] = [(REASONS, DataType::Utf8), (ROW, DataType::Int64), (FILE, DataType::Utf8)];

/// How many rows are meant. All that are named must be there, each once; none may be released that could not be read.
pub(super) fn count(files: &[PathBuf], choice: &Choice, action: ReviewAction) -> Result<u64, ReviewError> {
    let (mut count, mut named) = (0, BTreeMap::<i64, String>::new());
    each_meant(files, choice, |own, at| {
        let (row, reasons) = (own.numbers.value(at), own.reasons.value(at));
        if action == ReviewAction::Release && unread(reasons) {
            return Err(ReviewError::Unread { row, why: reasons.to_owned() });
        }
        count += 1;
        if choice.rows.is_empty() { Ok(()) } else { meet(&mut named, row, own.files.value(at)) }
    })?;
    let missing: Vec<i64> = choice.rows.iter().copied().filter(|row| !named.contains_key(row)).collect();
    if !missing.is_empty() {
        return Err(ReviewError::NotThere { rows: missing, reason: choice.reason.clone() });
    }
    if count == 0 {
        return Err(ReviewError::Nothing { reason: choice.reason.clone() });
    }
    Ok(count)
}

/// Hands over each row that is meant, by what the quarantine says of its batch and its place there.
fn each_meant(
    files: &[PathBuf],
    choice: &Choice,
    mut take: impl FnMut(&Own<'_>, usize) -> Result<(), ReviewError>,
) -> Result<(), ReviewError> {
    for file in files {
        for batch in read(file)? {
            let batch = batch.map_err(unreadable(file))?;
            let own = Own::of(&batch);
            choice.mask(&own).values().set_indices().try_for_each(|at| take(&own, at))?;
        }
    }
    Ok(())
}

fn meet(named: &mut BTreeMap<i64, String>, row: i64, file: &str) -> Result<(), ReviewError> {
    match named.insert(row, file.to_owned()) {
        Some(other) if other != file => Err(ReviewError::Ambiguous { row, files: [other, file.to_owned()] }),
        _ => Ok(()),
    }
}

/// Writes the rows into new files; none when there are none, or one of them breaks a constraint.
pub(super) fn copy(
    files: &[PathBuf],
    choice: &Choice,
    keep: Keep,
    target: &Target,
) -> Result<Vec<DataFile>, ReviewError> {
    let mut writer = TableWriter::new(&target.dir, target.name.clone(), &target.layout, &target.kept)?;
    let mut tally = Tally::new(target.constraints.clone(), "the rows to be released");
    for file in files {
        for batch in read(file)? {
            let batch = batch.map_err(unreadable(file))?;
            let (kept, mask) = kept(&batch, choice, keep, &target.layout.schema).map_err(unreadable(file))?;
            tally.observe(&kept, |row| place(&batch, &mask, row))?;
            writer.write(&kept)?;
        }
    }
    tally.finish()?;
    writer.finish(|| Ok(()))
}

/// Where the row came from that is this one of those that are kept.
fn place(batch: &RecordBatch, mask: &BooleanArray, row: usize) -> String {
    let (own, at) = (Own::of(batch), mask.values().set_indices().nth(row).unwrap_or_default());
    format!("row {} of {}", own.numbers.value(at), own.files.value(at))
}

/// The rows that are kept, and which of the batch these are.
fn kept(
    batch: &RecordBatch,
    choice: &Choice,
    keep: Keep,
    schema: &SchemaRef,
) -> Result<(RecordBatch, BooleanArray), ArrowError> {
    let chosen = choice.mask(&Own::of(batch));
    let mask = if keep == Keep::Chosen { chosen } else { not(&chosen)? };
    Ok((filter_record_batch(&fitted(batch, schema)?, &mask)?, mask))
}

/// The columns of `schema`. A file from before a column was added has nulls there.
fn fitted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema.fields().iter().map(|field| {
        let column = batch.column_by_name(field.name()).cloned();
        column.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect())
}

/// The batches of a file of the quarantine; it is refused unless it has the three columns at its end.
fn read(path: &Path) -> Result<ParquetRecordBatchReader, ReviewError> {
    let broken = |why: String| ReviewError::Unreadable { path: path.to_owned(), why };
    let file = File::open(path).map_err(|error| broken(error.to_string()))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| broken(error.to_string()))?;
    if !is_quarantine(builder.schema()) {
        return Err(broken(format!("it has no {REASONS}, {ROW} and {FILE} at its end")));
    }
    builder.build().map_err(|error| broken(error.to_string()))
}

fn is_quarantine(schema: &SchemaRef) -> bool {
    let last = schema.fields().iter().rev().take(OWN.len()).rev();
    schema.fields().len() > OWN.len() && last.map(|field| (field.name().as_str(), field.data_type().clone())).eq(OWN)
}

fn unreadable(path: &Path) -> impl FnOnce(ArrowError) -> ReviewError {
    move |error| ReviewError::Unreadable { path: path.to_owned(), why: error.to_string() }
}
