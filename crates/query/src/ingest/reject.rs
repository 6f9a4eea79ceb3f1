//! Rows for the quarantine table: as they came, with the reasons and their number in the source.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::compute::{filter_record_batch, not};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use bedplate_lake::quality::Verdict;

/// The declared columns, then `_reasons` (names of expectations, joined with `; `) and `_row` (0 is the source's first).
pub(super) fn schema(accepted: &SchemaRef) -> SchemaRef {
    let mut fields = accepted.fields().to_vec();
    fields.push(Arc::new(Field::new("_reasons", DataType::Utf8, true)));
    fields.push(Arc::new(Field::new("_row", DataType::Int64, true)));
    Arc::new(Schema::new(fields))
}

/// The rejected rows of a batch, of which `before` rows of the source came earlier.
pub(super) fn rejected(
    batch: &RecordBatch,
    verdict: &Verdict,
    schema: &SchemaRef,
    before: u64,
) -> Result<RecordBatch, ArrowError> {
    let rows = filter_record_batch(batch, &not(&verdict.keep)?)?;
    let reasons: StringArray = verdict.rejected.iter().map(|rejected| Some(rejected.reasons.join("; "))).collect();
    let numbers = verdict.rejected.iter().map(|rejected| before + rejected.row as u64);
    let numbers: Int64Array = numbers.map(|row| i64::try_from(row).ok()).collect();
    let mut columns = rows.columns().to_vec();
    columns.extend([Arc::new(reasons) as ArrayRef, Arc::new(numbers)]);
    RecordBatch::try_new(schema.clone(), columns)
}
