//! Rows for the quarantine table: as they came, with the reasons and where they stand in the source.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

/// The declared columns, then `_reasons` (names of expectations, or what could not be read, joined with `; `), `_row` (0 is
/// the file's first) and `_file` (its path).
pub(super) fn schema(accepted: &SchemaRef) -> SchemaRef {
    let mut fields = accepted.fields().to_vec();
    fields.push(Arc::new(Field::new("_reasons", DataType::Utf8, true)));
    fields.push(Arc::new(Field::new("_row", DataType::Int64, true)));
    fields.push(Arc::new(Field::new("_file", DataType::Utf8, true)));
    Arc::new(Schema::new(fields))
}

/// A row of a batch that goes to quarantine.
#[derive(Debug)]
pub(super) struct Rejected {
    /// Position in the batch.
    pub at: usize,
    /// Its number in the file.
    pub row: u64,
    pub reasons: String,
}

pub(super) fn rows(
    batch: &RecordBatch,
    rejected: &[Rejected],
    file: &str,
    schema: &SchemaRef,
) -> Result<RecordBatch, ArrowError> {
    let positions: UInt64Array = rejected.iter().map(|rejected| rejected.at as u64).collect();
    let reasons: StringArray = rejected.iter().map(|rejected| Some(&rejected.reasons)).collect();
    let numbers: Int64Array = rejected.iter().map(|rejected| i64::try_from(rejected.row).ok()).collect();
    let files: StringArray = rejected.iter().map(|_| Some(file)).collect();
    let mut columns = take_record_batch(batch, &positions)?.columns().to_vec();
    columns.extend([Arc::new(reasons) as ArrayRef, Arc::new(numbers), Arc::new(files)]);
    RecordBatch::try_new(schema.clone(), columns)
}
