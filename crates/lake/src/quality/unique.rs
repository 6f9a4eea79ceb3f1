//! Uniqueness over one or more columns, exact: every key seen is kept, in Arrow's row encoding.

use std::collections::HashSet;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};

/// Memory grows with the number of different keys. Null equals null.
#[derive(Debug)]
pub(super) struct Unique {
    columns: Vec<usize>,
    converter: RowConverter,
    seen: HashSet<Box<[u8]>>,
}

impl Unique {
    pub fn new(columns: Vec<usize>, types: &[DataType]) -> Result<Self, ArrowError> {
        Ok(Self { columns, converter: row_converter(types)?, seen: HashSet::new() })
    }

    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The rows whose key came before, in this batch or an earlier one.
    pub fn failing(&mut self, batch: &RecordBatch) -> Result<BooleanBuffer, ArrowError> {
        let keys = self.converter.convert_columns(&project(batch, &self.columns))?;
        Ok(keys.iter().map(|key| !self.seen.insert(key.as_ref().into())).collect())
    }
}

pub(super) fn row_converter(types: &[DataType]) -> Result<RowConverter, ArrowError> {
    RowConverter::new(types.iter().cloned().map(SortField::new).collect())
}

pub(super) fn project(batch: &RecordBatch, columns: &[usize]) -> Vec<ArrayRef> {
    columns.iter().map(|column| batch.column(*column).clone()).collect()
}
