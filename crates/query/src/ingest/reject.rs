//! Rows for the quarantine table: as they came, with the reasons and where they stand in the source.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

/// Names of expectations joined with `; `; or [`UNREAD`], a colon, and why.
pub(crate) const REASONS: &str = "_reasons";
/// Number in the file; 0 is its first.
pub(crate) const ROW: &str = "_row";
/// Path of the file.
pub(crate) const FILE: &str = "_file";

/// The expectation that nobody has to declare.
pub(crate) const UNREAD: &str = "can be read as declared";

/// The names of the expectations that a row did not meet, from its reasons.
pub(crate) fn gave(reasons: &str) -> impl Iterator<Item = &str> {
    let (whole, rest) = if unread(reasons) { (Some(UNREAD), "") } else { (None, reasons) };
    whole.into_iter().chain(rest.split("; ").filter(|name| !name.is_empty()))
}

/// Whether a row with these reasons was not read: what is null in it is not what the source says.
pub(crate) fn unread(reasons: &str) -> bool {
    reasons.strip_prefix(UNREAD).is_some_and(|rest| rest.starts_with(": "))
}

/// The declared columns, then the quarantine's own.
pub(super) fn schema(accepted: &SchemaRef) -> SchemaRef {
    let mut fields = accepted.fields().to_vec();
    fields.push(Arc::new(Field::new(REASONS, DataType::Utf8, true)));
    fields.push(Arc::new(Field::new(ROW, DataType::Int64, true)));
    fields.push(Arc::new(Field::new(FILE, DataType::Utf8, true)));
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
