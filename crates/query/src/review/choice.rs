//! Which rows of a quarantine are meant, and copying them or the others.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, not};
use arrow::datatypes::{Int64Type, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde::{Deserialize, Serialize};

use super::{ReviewError, Target};
use crate::delta::{DataFile, DataFileWriter};

/// Rows by their number in the source, by an expectation they did not meet, or by both; all of them when neither is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Choice {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rows: BTreeSet<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Which of the quarantine's rows are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Those that are meant, as rows of the table: without reasons and number.
    Chosen,
    /// All others, as they are.
    Others,
}

impl Choice {
    /// True for the rows that are meant. The last two columns are the reasons and the number.
    fn mask(&self, batch: &RecordBatch) -> BooleanArray {
        let (reasons, numbers) = own(batch);
        let (reasons, numbers) = (reasons.as_string::<i32>(), numbers.as_primitive::<Int64Type>());
        let by_number = |row: usize| self.rows.is_empty() || self.rows.contains(&numbers.value(row));
        let by_reason = |row: usize| {
            self.reason.as_ref().is_none_or(|wanted| reasons.value(row).split("; ").any(|reason| reason == wanted))
        };
        (0..batch.num_rows()).map(|row| Some(by_number(row) && by_reason(row))).collect()
    }
}

fn own(batch: &RecordBatch) -> (&arrow::array::ArrayRef, &arrow::array::ArrayRef) {
    let last = batch.num_columns() - 1;
    (batch.column(last - 1), batch.column(last))
}

pub(super) fn count(files: &[PathBuf], choice: &Choice) -> Result<u64, ReviewError> {
    let (mut count, mut missing) = (0, choice.rows.clone());
    for file in files {
        for batch in read(file)? {
            let batch = batch.map_err(unreadable(file))?;
            let mask = choice.mask(&batch);
            count += mask.true_count() as u64;
            let numbers = own(&batch).1.as_primitive::<Int64Type>();
            for row in mask.values().set_indices() {
                missing.remove(&numbers.value(row));
            }
        }
    }
    if !missing.is_empty() {
        return Err(ReviewError::NotThere { rows: missing.into_iter().collect(), reason: choice.reason.clone() });
    }
    if count == 0 {
        return Err(ReviewError::Nothing { reason: choice.reason.clone() });
    }
    Ok(count)
}

/// Writes the rows into one new file; none when there are none.
pub(super) fn copy(
    files: &[PathBuf],
    choice: &Choice,
    keep: Keep,
    (dir, version, input): &Target,
) -> Result<Option<DataFile>, ReviewError> {
    let mut writer: Option<DataFileWriter> = None;
    for file in files {
        for batch in read(file)? {
            let kept = batch.and_then(|batch| kept(&batch, choice, keep)).map_err(unreadable(file))?;
            let mut open = match writer.take() {
                Some(writer) => writer,
                None => DataFileWriter::create(dir, *version, input, kept.schema())?,
            };
            open.write(&kept)?;
            writer = Some(open);
        }
    }
    Ok(writer.map(DataFileWriter::finish).transpose()?.flatten())
}

fn kept(batch: &RecordBatch, choice: &Choice, keep: Keep) -> Result<RecordBatch, ArrowError> {
    let mask = choice.mask(batch);
    match keep {
        Keep::Others => filter_record_batch(batch, &not(&mask)?),
        Keep::Chosen => {
            let declared: Vec<usize> = (0..batch.num_columns() - 2).collect();
            filter_record_batch(&batch.project(&declared)?, &mask)
        }
    }
}

/// The batches of a file of the quarantine; it is refused unless it has the two columns at its end.
fn read(path: &Path) -> Result<ParquetRecordBatchReader, ReviewError> {
    let broken = |why: String| ReviewError::Unreadable { path: path.to_owned(), why };
    let file = File::open(path).map_err(|error| broken(error.to_string()))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| broken(error.to_string()))?;
    if !is_quarantine(builder.schema()) {
        return Err(broken("it has no _reasons and _row at its end".into()));
    }
    builder.build().map_err(|error| broken(error.to_string()))
}

fn is_quarantine(schema: &SchemaRef) -> bool {
    use arrow::datatypes::DataType::{Int64, Utf8};
    let wanted = [("_reasons", Utf8), ("_row", Int64)];
    let last = schema.fields().iter().rev().take(2).rev();
    schema.fields().len() > 2 && last.map(|field| (field.name().as_str(), field.data_type().clone())).eq(wanted)
}

fn unreadable(path: &Path) -> impl FnOnce(ArrowError) -> ReviewError {
    move |error| ReviewError::Unreadable { path: path.to_owned(), why: error.to_string() }
}
