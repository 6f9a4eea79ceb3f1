//! Reading the rows of data files, to write them anew.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::TableError;
use super::partition::{self, Partition};

const BATCH_ROWS: usize = 8 * 1024;

/// An open data file.
pub(crate) type DataFileReader = ParquetRecordBatchReaderBuilder<File>;

pub(crate) fn open(path: &Path) -> Result<DataFileReader, TableError> {
    let file = File::open(path).map_err(TableError::io("open", path))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(TableError::unreadable(path))?;
    Ok(reader.with_batch_size(BATCH_ROWS))
}

/// The rows of a file in the shape of `schema`, whose columns may be some of the file's and of its partition's; one that is in
/// neither is null.
pub(crate) fn rows(
    path: &Path,
    reader: DataFileReader,
    schema: SchemaRef,
    partition: &Partition,
) -> Result<impl Iterator<Item = Result<RecordBatch, TableError>>, TableError> {
    let stored = schema.fields().iter().filter(|field| !partition.contains_key(field.name()));
    let names: Vec<&str> = stored.map(|field| field.name().as_str()).collect();
    let mask = ProjectionMask::columns(reader.parquet_schema(), names);
    let batches = reader.with_projection(mask).build().map_err(TableError::unreadable(path))?;
    let (path, partition) = (path.to_owned(), partition.clone());
    Ok(batches.map(move |batch| {
        batch
            .and_then(|batch| shaped(&batch, &schema, &partition))
            .map_err(|error| TableError::unreadable(&path)(error.into()))
    }))
}

fn shaped(batch: &RecordBatch, schema: &SchemaRef, partition: &Partition) -> Result<RecordBatch, ArrowError> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        _ if partition.contains_key(field.name()) => {
            let value = partition::value(partition, field)?.to_array_of_size(batch.num_rows());
            value.map_err(|error| ArrowError::ExternalError(Box::new(error)))
        }
        Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
        Some(column) => cast(column, field.data_type()),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    let columns = columns.collect::<Result<Vec<ArrayRef>, _>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &rows)
}
