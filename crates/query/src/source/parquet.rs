//! Parquet, alone or as a data file of a Delta table.

use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::{RecordBatch, RecordBatchReader, new_null_array};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use bedplate_kinds::Format;

use super::pieces::Pieces;
use super::{BATCH_ROWS, Opened, Reading, SourceError};

pub(super) fn pieces<'a>(opened: &'a Opened, reading: &'a Reading<'a>) -> Result<Pieces<'a>, SourceError> {
    let broken = move |why: String| opened.broken(Format::Parquet, None, why);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(opened.file()?).map_err(|error| broken(error.to_string()))?;
    let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(|error| broken(error.to_string()))?;
    let filled = reading.table.as_ref().map(|table| Filled::new(&reader.schema(), table));
    let columns = filled.as_ref().map_or_else(|| reader.schema(), |filled| filled.schema.clone());
    let conform = opened.conform(&columns, reading.spec)?;
    let fill = move |batch: RecordBatch| filled.as_ref().map_or(Ok(batch.clone()), |filled| filled.apply(&batch));
    let batches = reader.map(move |batch| batch.and_then(&fill).map_err(|error| broken(error.to_string())));
    Ok(opened.conformed(conform, batches))
}

/// A table's columns in one of its files: those that came later are null there.
struct Filled {
    schema: SchemaRef,
    positions: Vec<Option<usize>>,
}

impl Filled {
    fn new(file: &Schema, table: &Schema) -> Self {
        let positions: Vec<_> = table.fields().iter().map(|field| file.index_of(field.name()).ok()).collect();
        let fields = table.fields().iter().zip(&positions).map(|(field, position)| {
            Arc::new(position.map_or_else(|| field.as_ref().clone(), |at| file.field(at).clone()).with_nullable(true))
        });
        Self { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), positions }
    }

    fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = self.schema.fields().iter().zip(&self.positions).map(|(field, position)| match position {
            Some(position) => batch.column(*position).clone(),
            None => new_null_array(field.data_type(), batch.num_rows()),
        });
        RecordBatch::try_new(self.schema.clone(), columns.collect())
    }
}
